//! `cargo xtask`: what keeps the workspace in order.
//!
//! `check` runs everything a change must pass (`check --help` names its steps); `tidy` and
//! `licences` are two of those steps on their own. `notice` writes `NOTICE` anew.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

mod check;
mod licences;
mod notice;
mod sources;
mod spdx;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = workspace_root();
    let outcome = match arguments.split_first() {
        Some((verb, rest)) if verb == "check" => run_check(&root, rest),
        Some((verb, [])) if verb == "tidy" => tidy::run(&root),
        Some((verb, [])) if verb == "licences" => licences::run(&root),
        Some((verb, [])) if verb == "notice" => notice::write(&root),
        _ => {
            eprintln!(
                "usage: cargo xtask check [--help] [--full] [STEP…] | tidy | licences | notice"
            );
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn run_check(root: &Path, arguments: &[String]) -> anyhow::Result<()> {
    match check::Options::parse(arguments)? {
        Some(options) => check::run(root, &options),
        None => {
            print!("{}", check::help());
            Ok(())
        }
    }
}

/// The folder above this crate's, known since it was compiled.
fn workspace_root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// Fails with every complaint, one a line, unless there is none.
fn report(what: &str, complaints: &[String]) -> anyhow::Result<()> {
    for complaint in complaints {
        println!("{what}: {complaint}");
    }
    match complaints.len() {
        0 => Ok(()),
        n => anyhow::bail!("{what}: {n} to mend"),
    }
}
