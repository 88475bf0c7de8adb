//! What `cargo xtask check` was asked to do.

use anyhow::{Result, bail};

use super::steps::{STEPS, Step};

/// Which steps to run, and how thoroughly.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Every step, and slow proofs whole.
    pub(super) is_full: bool,
    /// Names of steps; none means all.
    steps: Vec<String>,
}

impl Options {
    /// Reads the arguments after `check`; `None` asks for [`help`].
    ///
    /// # Errors
    /// If an argument is neither an option nor a step's name.
    pub(crate) fn parse(arguments: &[String]) -> Result<Option<Self>> {
        let mut options = Self::default();
        for argument in arguments {
            match argument.as_str() {
                "-h" | "--help" => return Ok(None),
                "--full" => options.is_full = true,
                name if STEPS.iter().any(|step| step.name == name) => {
                    options.steps.push(name.to_owned());
                }
                other => {
                    let names = STEPS.map(|step| step.name).join(" ");
                    bail!("no step or option is called {other:?}; the steps are: {names}");
                }
            }
        }
        Ok(Some(options))
    }

    /// Whether a step is to be run.
    pub(super) fn wants(&self, step: &Step) -> bool {
        if self.steps.is_empty() {
            self.is_full || !step.is_extra
        } else {
            self.steps.iter().any(|name| name == step.name)
        }
    }
}

/// What `cargo xtask check --help` prints.
pub(crate) fn help() -> String {
    let line = |step: &Step| {
        let extra = if step.is_extra { " (with --full)" } else { "" };
        format!("  {:<10} {}{extra}\n", step.name, step.about)
    };
    let steps: String = STEPS.iter().map(line).collect();
    format!(
        "usage: ./check [--full] [STEP…]\n\n\
         Runs everything a change must pass, or the named steps alone: ./check tidy fmt\n\n\
         --full     also what is marked so below; slow proofs (a flipped bit at every byte, fifty\n           \
         kills, ten thousand files, random changes) whole, not sampled by the commit\n\n\
         {steps}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Options>> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    fn wanted(line: &str) -> Vec<&'static str> {
        let options = parse(line).unwrap().unwrap();
        let steps = STEPS.iter().filter(|step| options.wants(step));
        steps.map(|step| step.name).collect()
    }

    #[test]
    fn full_adds_the_extra_steps_and_a_name_runs_any_step_alone() {
        assert!(!wanted("").contains(&"doc"));
        assert_eq!(wanted("--full"), STEPS.map(|step| step.name));
        assert_eq!(wanted("doc tidy"), ["tidy", "doc"]);
        assert!(parse("--full test").unwrap().unwrap().is_full);
    }

    #[test]
    fn unknown_step_is_named() {
        let error = parse("tidy colour").unwrap_err();
        assert!(error.to_string().contains("\"colour\""), "{error}");
    }

    #[test]
    fn help_names_every_step() {
        assert_eq!(parse("tidy --help").unwrap(), None);
        assert!(STEPS.iter().all(|step| help().contains(step.about)));
    }
}
