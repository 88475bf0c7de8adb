//! The steps of `cargo xtask check`: the same on every machine, quick ones first.
//!
//! Everything is built in the release profile: the networks would be fifty times slower without
//! optimisation, and one profile means that dependencies are built once. The GPU step has its
//! own target folder, because another feature set would rebuild most of the default one.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::{licences, tidy};

/// A step's name, and what it does in the workspace at `root`.
struct Step {
    name: &'static str,
    run: fn(&Path, &mut Tally) -> Result<()>,
}

const STEPS: [Step; 10] = [
    Step {
        name: "tidy",
        run: |root, _| tidy::run(root),
    },
    Step {
        name: "fmt",
        run: |root, _| cargo(root, "fmt --all --check"),
    },
    Step {
        name: "scripts",
        run: |root, _| check_scripts(root),
    },
    Step {
        name: "licences",
        run: |root, _| licences::run(root),
    },
    Step {
        name: "typos",
        run: |root, _| run_quietly(Command::new("typos").current_dir(root)),
    },
    Step {
        name: "clippy",
        run: |root, _| {
            cargo(
                root,
                "clippy --release --workspace --all-targets --locked -- -D warnings",
            )
        },
    },
    Step {
        name: "test",
        run: |root, tally| run_tests(root, "test --release --workspace --locked", tally),
    },
    Step {
        name: "doc",
        run: |root, _| document(root),
    },
    Step {
        name: "benches",
        run: |root, _| cargo(root, "build --release --workspace --benches --locked"),
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
    let mut tally = Tally::default();
    let mut summary = Vec::new();
    let mut failed = Vec::new();
    for step in STEPS.iter().filter(wanted) {
        println!("\n=== {} ===", step.name);
        let start = Instant::now();
        let outcome = (step.run)(root, &mut tally);
        let secs = start.elapsed().as_secs();
        if let Err(error) = &outcome {
            println!("{} failed: {error:#}", step.name);
            failed.push(step.name);
        }
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        summary.push(format!("{:<10} {word:<7} {secs:>5} s", step.name));
    }
    println!("\n{}", summary.join("\n"));
    tally.print();
    if failed.is_empty() {
        return Ok(());
    }
    bail!(
        "failed: {}; again with: cargo xtask check {}",
        failed.join(", "),
        failed.join(" ")
    )
}

fn check_scripts(root: &Path) -> Result<()> {
    let scripts = ["effigy", "check", ".ci/run", "scripts/packages.sh"];
    run_quietly(
        Command::new("bash")
            .arg("-n")
            .args(scripts)
            .current_dir(root),
    )?;
    run_quietly(
        Command::new("shellcheck")
            .arg("-x")
            .args(scripts)
            .current_dir(root),
    )
}

fn document(root: &Path) -> Result<()> {
    let mut command = cargo_command(root, "doc --release --workspace --no-deps --locked");
    run_quietly(command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// The networks on Mesa's software Vulkan against the CPU.
fn test_gpu(root: &Path, tally: &mut Tally) -> Result<()> {
    let runtime = root.join("target/gpu/runtime"); // Mesa wants such a folder, and CI has none
    std::fs::create_dir_all(&runtime)?;
    let line = "test --release --package effigy-model --features gpu --test gpu --locked \
                --target-dir target/gpu";
    let mut command = cargo_command(root, line);
    command.env("XDG_RUNTIME_DIR", runtime);
    // The driver does the work; what is compiled here only has to be compiled soon.
    command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    command.env("CARGO_PROFILE_RELEASE_INCREMENTAL", "false");
    run_and_tally(&mut command, tally)
}

fn run_tests(root: &Path, line: &str, tally: &mut Tally) -> Result<()> {
    run_and_tally(
        &mut cargo_command(root, &format!("{line} --no-fail-fast -- --show-output")),
        tally,
    )
}

fn cargo(root: &Path, line: &str) -> Result<()> {
    run_quietly(&mut cargo_command(root, line))
}

fn cargo_command(root: &Path, line: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(line.split_whitespace()).current_dir(root);
    command
}

fn run_quietly(command: &mut Command) -> Result<()> {
    println!("{command:?}");
    let status = command.status().with_context(|| cannot_run(command))?;
    if !status.success() {
        bail!("{status}");
    }
    Ok(())
}

/// Runs tests, passing their output on, and adds their results to `tally`.
fn run_and_tally(command: &mut Command, tally: &mut Tally) -> Result<()> {
    println!("{command:?}");
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| cannot_run(command))?;
    let output = child.stdout.take().context("no output to read")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        writeln!(std::io::stdout(), "{line}")?;
        tally.read(&line);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{status}");
    }
    Ok(())
}

fn cannot_run(command: &Command) -> String {
    format!(
        "cannot run {:?}; ./check installs what is needed",
        command.get_program()
    )
}

/// Results of tests, read from what they print.
#[derive(Default, Debug, PartialEq, Eq)]
struct Tally {
    /// By word: passed, failed, ignored.
    counts: BTreeMap<String, u64>,
    /// Tests that ran without what they need, in their own words.
    skipped: Vec<String>,
}

impl Tally {
    /// Reads `test result: ok. 4 passed; 0 failed; 1 ignored; …` and `skipped: …`.
    fn read(&mut self, line: &str) {
        if line.starts_with("skipped: ") {
            self.skipped.push(line.to_owned());
        }
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|result| result.split_once(". "))
        else {
            return;
        };
        for part in counts.split("; ") {
            if let Some((number, word @ ("passed" | "failed" | "ignored"))) = part.split_once(' ') {
                *self.counts.entry(word.to_owned()).or_default() += number.parse().unwrap_or(0);
            }
        }
    }

    fn print(&self) {
        if self.counts.is_empty() {
            return;
        }
        for line in &self.skipped {
            println!("{line}");
        }
        let count = |word| self.counts.get(word).copied().unwrap_or(0);
        let skipped = count("ignored") + self.skipped.len() as u64;
        let passed = count("passed") - self.skipped.len() as u64;
        println!(
            "{passed} passed, {} failed, {skipped} skipped",
            count("failed")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_test_programs_are_added_up() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test result: ok. 4 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "skipped: swap_runs needs ../shared/data",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ] {
            tally.read(line);
        }
        let counts = [("failed", 2), ("ignored", 1), ("passed", 5)];
        assert_eq!(
            tally,
            Tally {
                counts: counts.map(|(word, n)| (word.to_owned(), n)).into(),
                skipped: vec!["skipped: swap_runs needs ../shared/data".to_owned()],
            }
        );
    }

    #[test]
    fn unknown_step_is_named() {
        let error = run(Path::new("."), &["colour".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("\"colour\""), "{error}");
    }
}
