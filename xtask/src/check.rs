//! `cargo xtask check`: everything a change must pass, the same on every machine, quick steps
//! first.
//!
//! Programs, tests, benchmarks and lints share one build in the profile `checks` (`Cargo.toml` says
//! what it optimises), so that everything is compiled once, the GPU's backend included.

mod build;
mod options;
mod programs;
mod steps;
mod tally;
mod times;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use build::cannot_run;
pub(crate) use options::{Options, help};
use steps::STEPS;
use tally::Tally;
use times::Timed;

/// One run of the check, and what the steps have found so far.
struct Check<'a> {
    /// The workspace.
    root: &'a Path,
    /// Whether slow proofs are done whole.
    is_full: bool,
    tally: Tally,
    times: Vec<Timed>,
}

/// Runs the steps asked for; a failing step does not keep the next from running.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let mut check = Check {
        root,
        is_full: options.is_full,
        tally: Tally::default(),
        times: Vec::new(),
    };
    let mut summary = Vec::new();
    let mut failed = Vec::new();
    for step in STEPS.iter().filter(|step| options.wants(step)) {
        println!("\n=== {} ===", step.name);
        let start = Instant::now();
        let outcome = (step.run)(&mut check);
        let secs = start.elapsed().as_secs();
        if let Err(error) = &outcome {
            println!("{} failed: {error:#}", step.name);
            failed.push(step.name);
        }
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        summary.push(format!("{:<10} {word:<7} {secs:>5} s", step.name));
    }
    if !check.times.is_empty() {
        println!("\n{}", times::slowest(check.times));
    }
    println!("\n{}", summary.join("\n"));
    check.tally.print();
    if failed.is_empty() {
        return Ok(());
    }
    bail!(
        "failed: {}; again with: cargo xtask check {}",
        failed.join(", "),
        failed.join(" ")
    )
}

impl Check<'_> {
    fn cargo(&self, line: &str) -> Result<()> {
        run_quietly(&mut self.cargo_command(line))
    }

    fn cargo_command(&self, line: &str) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(line.split_whitespace()).current_dir(self.root);
        command
    }
}

fn run_quietly(command: &mut Command) -> Result<()> {
    println!("{command:?}");
    let status = command.status().with_context(|| cannot_run(command))?;
    if !status.success() {
        bail!("{status}");
    }
    Ok(())
}
