//! Whether every committed network is listed with origin and licence and is the file that was
//! measured.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use crate::sources::read;

/// What all weights together may add to a clone and to the program: enough for a few networks from
/// elsewhere beside our own, and still fetched in a minute.
const MAX_TOTAL_BYTES: u64 = 100_000_000;

/// Licences under which weights may come from elsewhere, as SPDX identifiers.
const FREE: [&str; 5] = [
    "CC0-1.0",
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "Apache-2.0",
];

pub(super) fn check(root: &Path, paths: &[PathBuf]) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    let mut listed = Vec::new();
    for list in paths.iter().filter(|path| path.ends_with("weights.toml")) {
        let text = read(root, list)?;
        let table: toml::Table = text.parse().with_context(|| format!("{list:?}"))?;
        let folder = list.parent().unwrap_or(Path::new(""));
        for (name, entry) in table.iter().filter(|(_, entry)| entry.is_table()) {
            let found = check_entry(&root.join(folder), name, entry);
            complaints.extend(
                found
                    .into_iter()
                    .map(|one| format!("{}: {one}", list.display())),
            );
            listed.extend(text_of(entry, "file").map(|file| folder.join(file)));
        }
    }
    let mut total_bytes = 0;
    for path in paths.iter().filter(|path| holds_weights(path)) {
        total_bytes += fs::metadata(root.join(path))?.len();
        if !listed.contains(path) {
            complaints.push(format!("{} is in no weights.toml", path.display()));
        }
    }
    if MAX_TOTAL_BYTES < total_bytes {
        complaints.push(format!(
            "weights have {total_bytes} bytes, more than {MAX_TOTAL_BYTES}"
        ));
    }
    Ok(complaints)
}

fn holds_weights(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("safetensors" | "bpk" | "mpk"))
}

fn check_entry(folder: &Path, name: &str, entry: &toml::Value) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut need = |keys: &[&str]| {
        for key in keys {
            if text_of(entry, key).is_none_or(|text| text.trim().is_empty()) {
                complaints.push(format!("{name} has no {key}"));
            }
        }
    };
    need(&["licence", "sha256", "file"]);
    match text_of(entry, "origin") {
        Some("trained") => need(&["recipe"]),
        Some("imported") => {
            need(&["package", "version", "package_sha256", "licence_text"]);
            let licence = text_of(entry, "licence").unwrap_or_default();
            if !FREE.contains(&licence) {
                complaints.push(format!(
                    "{name} has the licence {licence}, under which none is imported"
                ));
            }
        }
        _ => complaints.push(format!(
            "{name} has neither origin \"trained\" nor \"imported\""
        )),
    }
    let Some(file) = text_of(entry, "file") else {
        return complaints;
    };
    match (fs::read(folder.join(file)), text_of(entry, "sha256")) {
        (Err(_), _) => complaints.push(format!("{file} of {name} cannot be read")),
        (Ok(bytes), Some(stated)) if stated != sha256(&bytes) => {
            complaints.push(format!(
                "{file} of {name} is not the file that sha256 states"
            ));
        }
        _ => {}
    }
    complaints
}

fn text_of<'a>(entry: &'a toml::Value, key: &str) -> Option<&'a str> {
    entry.get(key).and_then(toml::Value::as_str)
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
