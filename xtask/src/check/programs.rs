//! Runs the test programs, one after the other.
//!
//! Not through `cargo test`: it does not say which crate a program called `it` belongs to, and
//! the time that each test took is read from when its line appears.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use super::Check;
use super::build::{Program, cannot_run};
use super::times::Ended;

/// Runs all programs; one that fails does not keep the next from running.
pub(super) fn run(check: &mut Check<'_>, programs: &[Program]) -> Result<()> {
    let seed = seed_of_commit(check.root);
    let extent = if check.is_full { "whole" } else { "sampled" };
    println!("slow proofs: EFFIGY_PROOF={extent} EFFIGY_SEED={seed}");
    let runtime = check.root.join("target/checks/runtime"); // Mesa wants one, and CI has none
    fs::create_dir_all(&runtime)?;
    let mut failed = Vec::new();
    for program in programs {
        println!("\n--- {} ---", program.name);
        let mut command = Command::new(&program.path);
        command.current_dir(&program.folder);
        command.env("XDG_RUNTIME_DIR", &runtime);
        command.env("EFFIGY_PROOF", extent);
        command.env("EFFIGY_SEED", seed.to_string());
        if run_one(check, &program.name, &mut command).is_err() {
            failed.push(program.name.as_str());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("tests failed in: {}", failed.join(", "))
}

/// A number that changes with every commit and is the same on every machine; 0 outside of git.
fn seed_of_commit(root: &Path) -> u32 {
    let mut git = Command::new("git");
    let output = git.args(["rev-parse", "HEAD"]).current_dir(root).output();
    let said = output.map_or_else(|_| Vec::new(), |output| output.stdout);
    let start = said.get(..6).and_then(|start| str::from_utf8(start).ok());
    start.map_or(0, |start| u32::from_str_radix(start, 16).unwrap_or(0))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_seed_outside_of_git() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(seed_of_commit(folder.path()), 0);
    }
}
