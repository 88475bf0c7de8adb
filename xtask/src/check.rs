//! The steps of `cargo xtask check`: the same on every machine, quick ones first.
//!
//! Everything is built in the release profile: the networks would be fifty times slower without
//! optimisation, and one profile means that dependencies are built once. The GPU step has its
//! own target folder, because another feature set would rebuild most of the default one.

mod build;
mod programs;
mod tally;
mod times;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::{licences, tidy};
use build::{build, cannot_run};
use tally::Tally;
use times::Timed;

/// One run of the check, and what the steps have found so far.
struct Check<'a> {
    /// The workspace.
    root: &'a Path,
    tally: Tally,
    times: Vec<Timed>,
}

/// A step's name, and what it does.
struct Step {
    name: &'static str,
    run: fn(&mut Check<'_>) -> Result<()>,
}

const STEPS: [Step; 10] = [
    Step {
        name: "tidy",
        run: |check| tidy::run(check.root),
    },
    Step {
        name: "fmt",
        run: |check| check.cargo("fmt --all --check"),
    },
    Step {
        name: "scripts",
        run: check_scripts,
    },
    Step {
        name: "licences",
        run: |check| licences::run(check.root),
    },
    Step {
        name: "typos",
        run: |check| run_quietly(Command::new("typos").current_dir(check.root)),
    },
    Step {
        name: "clippy",
        run: |check| {
            check.cargo("clippy --release --workspace --all-targets --locked -- -D warnings")
        },
    },
    Step {
        name: "test",
        run: test,
    },
    Step {
        name: "doc",
        run: document,
    },
    Step {
        name: "benches",
        run: |check| check.cargo("build --release --workspace --benches --locked"),
    },
    Step {
        name: "gpu",
        run: test_gpu,
    },
];

/// What `check` accepts as names of steps.
pub(crate) fn step_names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

/// Runs the named steps, or all; a failing step does not keep the next from running.
pub(crate) fn run(root: &Path, names: &[String]) -> Result<()> {
    if let Some(unknown) = names
        .iter()
        .find(|name| !step_names().contains(&name.as_str()))
    {
        bail!(
            "no step is called {unknown:?}; there are: {}",
            step_names().join(" ")
        );
    }
    let wanted = |step: &&Step| names.is_empty() || names.iter().any(|name| name == step.name);
    let mut check = Check {
        root,
        tally: Tally::default(),
        times: Vec::new(),
    };
    let mut summary = Vec::new();
    let mut failed = Vec::new();
    for step in STEPS.iter().filter(wanted) {
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

fn check_scripts(check: &mut Check<'_>) -> Result<()> {
    let scripts = ["effigy", "check", ".ci/run", "scripts/packages.sh"];
    for program in [&["bash", "-n"], &["shellcheck", "-x"]] {
        let [program, option] = program;
        let mut command = Command::new(program);
        run_quietly(command.arg(option).args(scripts).current_dir(check.root))?;
    }
    Ok(())
}

fn test(check: &mut Check<'_>) -> Result<()> {
    let built = build(&mut check.cargo_command("test --no-run --release --workspace --locked"))?;
    let tested = programs::run(check, &built.programs);
    let mut examples = check.cargo_command("test --doc --release --workspace --locked --");
    let shown = programs::run_one(check, "examples", &mut examples);
    tested.and(shown)
}

fn document(check: &mut Check<'_>) -> Result<()> {
    let mut command = check.cargo_command("doc --release --workspace --no-deps --locked");
    run_quietly(command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// The networks on Mesa's software Vulkan against the CPU.
fn test_gpu(check: &mut Check<'_>) -> Result<()> {
    let runtime = check.root.join("target/gpu/runtime"); // Mesa wants such a folder, and CI has none
    std::fs::create_dir_all(&runtime)?;
    let mut command = check.cargo_command(
        "test --no-run --release --package effigy-model --features gpu --test gpu --locked \
         --target-dir target/gpu",
    );
    // The driver does the work; what is compiled here only has to be compiled soon.
    command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    command.env("CARGO_PROFILE_RELEASE_INCREMENTAL", "false");
    for program in build(&mut command)?.programs {
        let mut command = program.command();
        command.env("XDG_RUNTIME_DIR", &runtime);
        programs::run_one(check, &program.name, &mut command)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_step_is_named() {
        let error = run(Path::new("."), &["colour".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("\"colour\""), "{error}");
    }
}
