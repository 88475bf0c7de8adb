//! The steps of the check, in the order in which they run.

use std::process::Command;

use anyhow::{Result, bail};

use super::build::{Built, build};
use super::{Check, programs, run_quietly};
use crate::{licences, tidy};

/// A part of the check that can be run by its name.
pub(super) struct Step {
    pub(super) name: &'static str,
    /// What it does, for the help.
    pub(super) about: &'static str,
    /// Whether only `--full`, or its name, runs it.
    pub(super) is_extra: bool,
    pub(super) run: fn(&mut Check<'_>) -> Result<()>,
}

pub(super) const STEPS: [Step; 9] = [
    Step {
        name: "tidy",
        about: "sizes and names of files, links, and whether the documents tell the truth",
        is_extra: false,
        run: |check| tidy::run(check.root),
    },
    Step {
        name: "fmt",
        about: "whether the sources are formatted",
        is_extra: false,
        run: |check| check.cargo("fmt --all --check"),
    },
    Step {
        name: "scripts",
        about: "bash and shellcheck on the scripts",
        is_extra: false,
        run: check_scripts,
    },
    Step {
        name: "licences",
        about: "licences of everything the program is built from",
        is_extra: false,
        run: |check| licences::run(check.root),
    },
    Step {
        name: "typos",
        about: "spelling",
        is_extra: false,
        run: |check| run_quietly(Command::new("typos").current_dir(check.root)),
    },
    Step {
        name: "build",
        about: "programs, tests and benchmarks, with lints: no warning is let pass",
        is_extra: false,
        run: |check| match build_all(check)?.n_warnings {
            0 => Ok(()),
            n => bail!("{n} warnings"),
        },
    },
    Step {
        name: "test",
        about: "all tests, on the CPU and on Mesa's software Vulkan; the slowest are listed",
        is_extra: false,
        run: test,
    },
    Step {
        name: "cpu",
        about: "whether everything compiles without the GPU's backend, as ./effigy builds it",
        is_extra: true,
        run: |check| check.cargo(&format!("check {WITHOUT_GPU}")),
    },
    Step {
        name: "doc",
        about: "the documentation of the crates, links included",
        is_extra: true,
        run: document,
    },
];

/// What every build of the check says to cargo, so that all share what they have built.
const SHARED: &str = "--profile checks --workspace --features effigy-model/gpu --locked";

/// The same without the GPU's backend.
const WITHOUT_GPU: &str = "--profile checks --workspace --locked";

/// Builds all targets; clippy, being the compiler itself with more lints, compiles our crates.
fn build_all(check: &Check<'_>) -> Result<Built> {
    build(&mut linting(
        check,
        &format!("build --all-targets {SHARED}"),
    ))
}

fn linting(check: &Check<'_>, line: &str) -> Command {
    let mut command = check.cargo_command(line);
    command.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
    command
}

fn check_scripts(check: &mut Check<'_>) -> Result<()> {
    let scripts = ["effigy", "check", ".ci/run", "scripts/packages.sh"];
    for [program, option] in [["bash", "-n"], ["shellcheck", "-x"]] {
        let mut command = Command::new(program);
        run_quietly(command.arg(option).args(scripts).current_dir(check.root))?;
    }
    Ok(())
}

fn test(check: &mut Check<'_>) -> Result<()> {
    let built = build_all(check)?;
    let tested = programs::run(check, &built.programs);
    let mut examples = linting(check, &format!("test --doc {SHARED} --"));
    let shown = programs::run_one(check, "examples", &mut examples);
    tested.and(shown)
}

fn document(check: &mut Check<'_>) -> Result<()> {
    let mut command = check.cargo_command(&format!("doc --no-deps {WITHOUT_GPU}"));
    run_quietly(command.env("RUSTDOCFLAGS", "-D warnings"))
}
