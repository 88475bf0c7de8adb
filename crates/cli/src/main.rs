//! The program `effigy`: turns arguments into jobs and their results into words.
//!
//! stdout carries data, stderr everything else. Exit codes: 0 nothing found or done, 1 found,
//! 2 failed.
#![expect(
    clippy::print_stderr,
    reason = "the program is the one place that talks to the terminal"
)]

#[cfg(target_os = "linux")]
mod board;
mod commands;
mod computing;
mod environment;
mod output;
#[cfg(target_os = "linux")]
mod rights;
mod safeguards;
#[cfg(target_os = "linux")]
mod supervise;
mod timestamp;
mod values;
mod weights;

use std::process::ExitCode;

use clap::Parser as _;
use effigy_files::without_temporary_names;

use crate::commands::Cli;
use crate::output::{Care, Exit, Output, say_why};

/// The error and its causes; a cause that was named already is not named again.
fn in_words(error: &anyhow::Error) -> String {
    let mut words = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !words.ends_with(&cause) {
            let joint = if words.is_empty() { "" } else { ": " };
            words = format!("{words}{joint}{cause}");
        }
    }
    without_temporary_names(&words)
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(exit) = commands::run_as_child(&cli) {
        return exit.into();
    }
    #[cfg(target_os = "linux")]
    match cli.bounds() {
        Ok(Some(bounds)) => return supervise::run(&bounds, |care| work(&cli, care)),
        Ok(None) => {}
        Err(error) => return failed(&error).into(),
    }
    work(&cli, Care::Usual).into()
}

fn work(cli: &Cli, care: Care) -> Exit {
    let output = Output::new(care, environment::tells_progress());
    let outcome = output.and_then(|mut output| commands::run(cli, &mut output));
    outcome.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> Exit {
    say_why(in_words(error));
    Exit::Failed
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::in_words;

    #[test]
    fn causes_are_named_once() {
        let inner = Err::<(), _>(anyhow!("disk full"));
        let error = inner
            .context("cannot write \"a\": disk full")
            .context("cannot swap");
        assert_eq!(
            in_words(&error.unwrap_err()),
            "cannot swap: cannot write \"a\": disk full"
        );
        let plain = Err::<(), _>(anyhow!("disk full")).context("cannot swap");
        assert_eq!(in_words(&plain.unwrap_err()), "cannot swap: disk full");
    }
}
