//! Builds through cargo, and which test programs come of them.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// What a build gave.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Built {
    pub(super) programs: Vec<Program>,
    /// Of the compiler and of the lints, in our crates.
    pub(super) n_warnings: usize,
}

/// A test program.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Program {
    /// The crate and, unless it holds the tests within the crate's sources, the program.
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// Where the crate lies: tests run there.
    pub(super) folder: PathBuf,
}

/// Runs cargo, passing on what the compiler says.
///
/// # Errors
/// If the build fails. Warnings are counted and fail nothing.
pub(super) fn build(command: &mut Command) -> Result<Built> {
    println!("{command:?}");
    command.args(["--message-format", "json"]);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| cannot_run(command))?;
    let output = child.stdout.take().context("no output to read")?;
    let mut built = Built::default();
    for line in BufReader::new(output).lines() {
        if let Some(said) = built.read(&line?) {
            eprintln!("{said}");
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{status}");
    }
    Ok(built)
}

pub(super) fn cannot_run(command: &Command) -> String {
    format!(
        "cannot run {:?}; ./check installs what is needed",
        command.get_program()
    )
}

impl Built {
    /// Reads one of cargo's messages; gives what the compiler had to say.
    fn read(&mut self, line: &str) -> Option<String> {
        let message: Value = serde_json::from_str(line).ok()?;
        match message["reason"].as_str()? {
            "compiler-message" => {
                let said = &message["message"];
                // The summary "2 warnings emitted" has no place in the sources.
                let has_place = said["spans"]
                    .as_array()
                    .is_some_and(|spans| !spans.is_empty());
                self.n_warnings += usize::from(said["level"] == "warning" && has_place);
                said["rendered"]
                    .as_str()
                    .map(|text| text.trim_end().to_owned())
            }
            "compiler-artifact" => {
                self.programs.extend(test_program(&message));
                None
            }
            _ => None,
        }
    }
}

/// The test program that an artefact is, if it is one.
fn test_program(artefact: &Value) -> Option<Program> {
    if artefact["profile"]["test"] != true {
        return None;
    }
    let path = PathBuf::from(artefact["executable"].as_str()?);
    let folder = Path::new(artefact["manifest_path"].as_str()?)
        .parent()?
        .to_owned();
    let package = folder.file_name()?.to_str()?;
    let target = &artefact["target"];
    let name = match target["kind"][0].as_str()? {
        "test" => format!("{package} {}", target["name"].as_str()?),
        "bench" => return None, // built as if for tests, and takes other arguments
        _ => package.to_owned(),
    };
    Some(Program { name, path, folder })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artefact(kind: &str, name: &str, is_test: bool) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","manifest_path":"/w/crates/mark/Cargo.toml",
                "target":{{"kind":["{kind}"],"name":"{name}"}},"profile":{{"test":{is_test}}},
                "executable":"/w/target/{name}"}}"#
        )
        .replace('\n', "")
    }

    #[test]
    fn test_programs_are_named_by_crate() {
        let mut built = Built::default();
        for (kind, name, is_test) in [
            ("lib", "effigy_mark", true),
            ("test", "it", true),
            ("bin", "effigy", false),
            ("bench", "watermark", true),
        ] {
            assert_eq!(built.read(&artefact(kind, name, is_test)), None);
        }
        let program = |name: &str, file: &str| Program {
            name: name.to_owned(),
            path: Path::new("/w/target").join(file),
            folder: "/w/crates/mark".into(),
        };
        let wanted = [program("mark", "effigy_mark"), program("mark it", "it")];
        assert_eq!(built.programs, wanted);
    }

    #[test]
    fn warnings_are_passed_on_and_counted_once() {
        let mut built = Built::default();
        let warning = |spans: &str| {
            format!(
                r#"{{"reason":"compiler-message","message":{{"level":"warning","spans":[{spans}],
                    "rendered":"warning: x\n"}}}}"#
            )
            .replace('\n', "")
        };
        for spans in ["{}", ""] {
            assert_eq!(built.read(&warning(spans)).as_deref(), Some("warning: x"));
        }
        assert_eq!(built.read("a build script said this"), None);
        assert_eq!(built.n_warnings, 1);
    }
}
