//! The files of the workspace: which there are, and their text.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Every file of the workspace but hidden and built ones, relative to `root`, sorted.
pub(crate) fn list(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let whole = root.join(&folder);
        for entry in fs::read_dir(&whole).with_context(|| format!("cannot list {whole:?}"))? {
            let entry = entry?;
            let name = entry.file_name();
            let path = folder.join(&name);
            if name.to_string_lossy().starts_with('.') || path == Path::new("target") {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

pub(crate) fn read(root: &Path, path: &Path) -> Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path:?}"))
}
