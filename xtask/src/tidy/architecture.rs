//! Whether ARCHITECTURE.md agrees with the manifests and the files.
//!
//! Its table of crates is the rule: a row states which of our crates a crate may use, and which
//! outside crates only those with the name in their row may depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::sources::read;

pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let text = read(root, Path::new("ARCHITECTURE.md"))?;
    let rows = parse_table(&text);
    let manifests = read_manifests(root)?;
    let mut complaints = check_paths(root, &text);
    complaints.extend(check_rows(&rows, &manifests));
    for (name, manifest) in &manifests {
        complaints.extend(check_manifest(name, manifest, &rows));
    }
    Ok(complaints)
}

/// What the table allows one crate.
#[derive(Default)]
struct Row {
    may_use: BTreeSet<String>,
    outside: BTreeSet<String>,
}

/// What one crate's manifest names.
struct Manifest {
    dependencies: BTreeSet<String>,
    dev_dependencies: BTreeSet<String>,
}

/// Rows of the form ``| `crate` | what it is | may use | alone names |``.
fn parse_table(text: &str) -> BTreeMap<String, Row> {
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        if let [name, _, may_use, outside] = cells[..] {
            let row = Row {
                may_use: ticked(may_use).map(str::to_owned).collect(),
                outside: ticked(outside).map(str::to_owned).collect(),
            };
            rows.insert(ticked(name).collect(), row);
        }
    }
    rows
}

/// The parts of a text between backticks.
fn ticked(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn read_manifests(root: &Path) -> Result<BTreeMap<String, Manifest>> {
    let mut manifests = BTreeMap::new();
    for entry in fs::read_dir(root.join("crates")).context("cannot list crates")? {
        let entry = entry?;
        let path = entry.path().join("Cargo.toml");
        let name = entry.file_name().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))?;
        let table: toml::Table = text.parse().with_context(|| format!("{path:?}"))?;
        let names = |section: &str| match table.get(section).and_then(toml::Value::as_table) {
            Some(section) => section.keys().cloned().collect(),
            None => BTreeSet::new(),
        };
        let mut dependencies: BTreeSet<String> = names("dependencies");
        dependencies.extend(names("build-dependencies"));
        let dev_dependencies = names("dev-dependencies");
        manifests.insert(
            name,
            Manifest {
                dependencies,
                dev_dependencies,
            },
        );
    }
    Ok(manifests)
}

/// Backticked words with a slash are paths; they must be there.
fn check_paths(root: &Path, text: &str) -> Vec<String> {
    let is_path = |word: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
        word.contains('/') && word.chars().all(plain)
    };
    let prose = text.split("```").step_by(2);
    prose
        .flat_map(ticked)
        .filter(is_path)
        .filter(|path| !root.join(path).exists())
        .map(|path| format!("ARCHITECTURE.md names {path}, which does not exist"))
        .collect()
}

fn check_rows(rows: &BTreeMap<String, Row>, manifests: &BTreeMap<String, Manifest>) -> Vec<String> {
    let missing = manifests.keys().filter(|name| !rows.contains_key(*name));
    let stale = rows
        .keys()
        .filter(|name| !manifests.contains_key(*name) && *name != "xtask");
    missing
        .map(|name| format!("ARCHITECTURE.md has no row for crates/{name}"))
        .chain(
            stale.map(|name| format!("ARCHITECTURE.md has a row for {name}, which does not exist")),
        )
        .collect()
}

/// Our own crates count where the program uses them; outside crates, in tests as well.
fn check_manifest(name: &str, manifest: &Manifest, rows: &BTreeMap<String, Row>) -> Vec<String> {
    let Some(row) = rows.get(name) else {
        return Vec::new();
    };
    let against_flow = manifest
        .dependencies
        .iter()
        .filter_map(|dependency| dependency.strip_prefix("effigy-"))
        .filter(|used| !row.may_use.contains(*used))
        .map(|used| {
            format!("crates/{name} depends on {used}, which its row in ARCHITECTURE.md forbids")
        });
    let outside = manifest.dependencies.union(&manifest.dev_dependencies);
    let fenced = outside
        .filter(|one| !row.outside.contains(*one))
        .filter_map(|one| {
            let owners: Vec<&str> = owners(one, rows);
            let only = owners.join(", ");
            (!owners.is_empty())
                .then(|| format!("crates/{name} names {one}, which only {only} may"))
        });
    against_flow.chain(fenced).collect()
}

fn owners<'a>(outside: &str, rows: &'a BTreeMap<String, Row>) -> Vec<&'a str> {
    let owns =
        |(name, row): (&'a String, &Row)| row.outside.contains(outside).then_some(name.as_str());
    rows.iter().filter_map(owns).collect()
}
