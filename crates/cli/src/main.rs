//! The program `effigy`: turns arguments into jobs and their results into words.
//!
//! stdout carries data, stderr everything else. Exit codes: 0 nothing found or done, 1 found,
//! 2 failed.
#![expect(
    clippy::print_stderr,
    reason = "the program is the one place that talks to the terminal"
)]

mod commands;
mod computing;
mod output;
mod safeguards;
mod timestamp;

use std::process::ExitCode;

use clap::Parser as _;

use crate::commands::Cli;
use crate::output::{Exit, Output};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = Output::new().and_then(|mut output| commands::run(&cli, &mut output));
    let exit = outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        Exit::Failed
    });
    exit.into()
}
