//! `NOTICE`: which weights come from elsewhere, and under which licence. Written from the tables.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::sources;

/// The file at the workspace's root.
const FILE: &str = "NOTICE";

const ABOUT: &str = "\
effigy carries the weights of its networks in crates/model/weights and inside its program. Those named
below were taken from elsewhere; all others were trained for effigy and have its licence.

Written by `cargo xtask notice` from weights.toml.
";

/// Writes the file anew.
pub(crate) fn write(root: &Path) -> Result<()> {
    let text = text(root, &sources::list(root)?)?;
    fs::write(root.join(FILE), text).with_context(|| format!("cannot write {FILE}"))
}

/// Complains when the file is not what [`write()`] would write. Without a table there is none.
pub(crate) fn check(root: &Path, paths: &[PathBuf]) -> Result<Option<String>> {
    if !paths.iter().any(|path| path.ends_with("weights.toml")) {
        return Ok(None);
    }
    let is_current = fs::read_to_string(root.join(FILE))
        .is_ok_and(|found| text(root, paths).is_ok_and(|wanted| found == wanted));
    Ok((!is_current).then(|| format!("{FILE} is out of date: run `cargo xtask notice`")))
}

fn text(root: &Path, paths: &[PathBuf]) -> Result<String> {
    let mut text = ABOUT.to_owned();
    let mut n = 0;
    for list in paths.iter().filter(|path| path.ends_with("weights.toml")) {
        let table: toml::Table = sources::read(root, list)?
            .parse()
            .with_context(|| format!("{list:?}"))?;
        for (name, entry) in &table {
            let of = |key: &str| entry.get(key).and_then(toml::Value::as_str);
            if of("origin") != Some("imported") {
                continue;
            }
            let of = |key: &str| of(key).unwrap_or_default().trim();
            n += 1;
            write!(
                text,
                "\n{name} ({}): from {} {}, {}\n\n{}\n",
                of("file"),
                of("package"),
                of("version"),
                of("licence"),
                indented(of("licence_text")),
            )?;
        }
    }
    if n == 0 {
        text.push_str("\nNone was taken from elsewhere.\n");
    }
    Ok(text)
}

/// Each line of a licence a little to the right, so that one sees where it ends.
fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| format!("    {line}"));
    let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}
