//! The steps of the check, in the order in which they run.

use std::process::Command;

use anyhow::Result;

use super::build::build;
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

pub(super) const STEPS: [Step; 10] = [
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
        name: "clippy",
        about: "the lints of programs, tests and benchmarks",
        is_extra: false,
        run: |check| {
            check.cargo("clippy --release --workspace --all-targets --locked -- -D warnings")
        },
    },
    Step {
        name: "test",
        about: "all tests; the slowest are listed",
        is_extra: false,
        run: test,
    },
    Step {
        name: "doc",
        about: "the documentation of the crates, links included",
        is_extra: false,
        run: document,
    },
    Step {
        name: "benches",
        about: "whether the benchmarks build",
        is_extra: false,
        run: |check| check.cargo("build --release --workspace --benches --locked"),
    },
    Step {
        name: "gpu",
        about: "the networks on Mesa's software Vulkan against the CPU",
        is_extra: false,
        run: test_gpu,
    },
];

fn check_scripts(check: &mut Check<'_>) -> Result<()> {
    let scripts = ["effigy", "check", ".ci/run", "scripts/packages.sh"];
    for [program, option] in [["bash", "-n"], ["shellcheck", "-x"]] {
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

fn test_gpu(check: &mut Check<'_>) -> Result<()> {
    let mut command = check.cargo_command(
        "test --no-run --release --package effigy-model --features gpu --test gpu --locked \
         --target-dir target/gpu",
    );
    // The driver does the work; what is compiled here only has to be compiled soon.
    command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    command.env("CARGO_PROFILE_RELEASE_INCREMENTAL", "false");
    let built = build(&mut command)?;
    programs::run(check, &built.programs)
}
