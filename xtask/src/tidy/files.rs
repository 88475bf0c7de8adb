//! Sizes, names and first lines of files, and links between documents.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::sources::read;

const MAX_SOURCE_LINES: usize = 800;
const MAX_README_LINES: usize = 150;
/// Golden pictures and numbers are small ones: 64 KiB.
const MAX_GOLDEN_BYTES: u64 = 64 << 10;

/// File names under which one finds anything, and so nothing.
const EMPTY_NAMES: [&str; 12] = [
    "util", "utils", "helper", "helpers", "common", "base", "core", "misc", "manager", "handler",
    "mod", "stuff",
];

pub(super) fn check(root: &Path, paths: &[PathBuf]) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for path in paths {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension {
            Some("rs") => complaints.extend(check_source(path, &read(root, path)?)),
            Some("md") => complaints.extend(check_document(root, path, &read(root, path)?)),
            _ => {}
        }
        complaints.extend(check_golden(root, path)?);
    }
    Ok(complaints)
}

fn check_source(path: &Path, text: &str) -> Vec<String> {
    let shown = path.display();
    let mut complaints = Vec::new();
    let n_lines = text.lines().count();
    if n_lines > MAX_SOURCE_LINES {
        complaints.push(format!(
            "{shown} has {n_lines} lines, more than {MAX_SOURCE_LINES}"
        ));
    }
    let stem = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    if EMPTY_NAMES.contains(&stem) {
        complaints.push(format!("{shown}: a name that says nothing"));
    }
    if matches!(stem, "lib" | "main") && !text.starts_with("//!") {
        complaints.push(format!("{shown} does not begin with //!"));
    }
    for (index, line) in text.lines().enumerate() {
        if line.trim() == concat!("#[igno", "re]") {
            complaints.push(format!("{shown}:{}: ignored without a reason", index + 1));
        }
    }
    complaints
}

fn check_document(root: &Path, path: &Path, text: &str) -> Vec<String> {
    let shown = path.display();
    let mut complaints = Vec::new();
    let n_lines = text.lines().count();
    if path == Path::new("README.md") && n_lines > MAX_README_LINES {
        complaints.push(format!(
            "{shown} has {n_lines} lines, more than {MAX_README_LINES}"
        ));
    }
    let folder = root.join(path.parent().unwrap_or(Path::new("")));
    for link in links(text) {
        let target = link.split('#').next().unwrap_or_default();
        if !target.is_empty() && !target.contains("://") && !folder.join(target).exists() {
            complaints.push(format!("{shown} links to {target}, which does not exist"));
        }
    }
    complaints
}

/// The targets of `[text](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link)
}

fn check_golden(root: &Path, path: &Path) -> Result<Option<String>> {
    if !path.components().any(|part| part.as_os_str() == "golden") {
        return Ok(None);
    }
    let n_bytes = fs::metadata(root.join(path))?.len();
    let too_large = MAX_GOLDEN_BYTES < n_bytes;
    Ok(too_large.then(|| {
        format!(
            "{} has {n_bytes} bytes, more than {MAX_GOLDEN_BYTES}",
            path.display()
        )
    }))
}
