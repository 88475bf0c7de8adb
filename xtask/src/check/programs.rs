//! Runs the test programs, one after the other.
//!
//! Not through `cargo test`: it does not say which crate a program called `it` belongs to, and
//! the time that each test took is read from when its line appears.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use super::Check;
use super::build::{Program, cannot_run};
use super::times::Ended;

/// Runs all programs; one that fails does not keep the next from running.
pub(super) fn run(check: &mut Check<'_>, programs: &[Program]) -> Result<()> {
    let mut failed = Vec::new();
    for program in programs {
        println!("\n--- {} ---", program.name);
        if run_one(check, &program.name, &mut program.command()).is_err() {
            failed.push(program.name.as_str());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("tests failed in: {}", failed.join(", "))
}

impl Program {
    /// What runs it, where its tests expect to be run.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(&self.folder);
        command
    }
}

/// Runs a test program, or cargo that runs some, passing its output on; reads results and times.
pub(super) fn run_one(check: &mut Check<'_>, name: &str, command: &mut Command) -> Result<()> {
    let n_threads = std::thread::available_parallelism()?.get();
    let mut child = command
        .args(["--show-output", "--test-threads", &n_threads.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| cannot_run(command))?;
    let output = child.stdout.take().context("no output to read")?;
    let mut began = Instant::now();
    let mut ended = Ended::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        writeln!(std::io::stdout(), "{line}")?;
        if line.starts_with("running ") {
            check.times.extend(ended.times(name, n_threads));
            (ended, began) = (Ended::default(), Instant::now());
        }
        check.tally.read(&line);
        ended.read(&line, began.elapsed());
    }
    check.times.extend(ended.times(name, n_threads));
    let status = child.wait()?;
    if !status.success() {
        bail!("{status}");
    }
    Ok(())
}
