//! Whether we may ship what we depend on: licence, source and bans, as `deny.toml` states them.
//!
//! `deny.toml` is in the format of cargo-deny, of which this reads the part we need; why it is
//! not cargo-deny itself: `docs/decisions/004-own-licence-check.md`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{report, spdx};

/// Checks every crate that goes into the program on this platform, with every feature on.
pub(crate) fn run(root: &Path) -> Result<()> {
    let path = root.join("deny.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))?;
    let rules = Rules::parse(&text)?;
    let crates = parse_tree(&tree(root)?)?;
    println!("{} crates to judge", crates.len());
    report("licences", &rules.judge(&crates))
}

/// One crate of the dependency tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Dependency {
    name: String,
    version: String,
    licence: String,
    /// Where it comes from, when that is not the crates.io registry.
    place: Option<String>,
}

struct Rules {
    allowed: Vec<String>,
    banned: Vec<(String, String)>,
}

impl Rules {
    fn parse(text: &str) -> Result<Self> {
        let file: toml::Table = text.parse().context("deny.toml")?;
        let list = |section: &str, key: &str| {
            let value = file.get(section).and_then(|section| section.get(key));
            let list = value.and_then(toml::Value::as_array);
            list.with_context(|| format!("deny.toml has no list {section}.{key}"))
        };
        let text = |value: &toml::Value| value.as_str().map(str::to_owned).context("not a text");
        let allowed = list("licenses", "allow")?.iter().map(text);
        let ban = |entry: &toml::Value| {
            let part = |key| {
                entry
                    .get(key)
                    .with_context(|| format!("bans.deny without {key}"))
            };
            Ok((text(part("crate")?)?, text(part("reason")?)?))
        };
        Ok(Self {
            allowed: allowed.collect::<Result<_>>()?,
            banned: list("bans", "deny")?
                .iter()
                .map(ban)
                .collect::<Result<_>>()?,
        })
    }

    fn judge(&self, crates: &BTreeSet<Dependency>) -> Vec<String> {
        crates.iter().flat_map(|one| self.judge_one(one)).collect()
    }

    fn judge_one(&self, one: &Dependency) -> Vec<String> {
        let Dependency {
            name,
            version,
            licence,
            place,
        } = one;
        let mut complaints = Vec::new();
        if let Some(place) = place {
            complaints.push(format!(
                "{name} {version} comes from {place}, not from crates.io"
            ));
        }
        match spdx::is_met(licence, &self.allowed) {
            Some(true) => {}
            Some(false) => complaints.push(format!("{name} {version}: {licence} is not allowed")),
            None => complaints.push(format!("{name} {version}: cannot read licence {licence:?}")),
        }
        if let Some((_, reason)) = self.banned.iter().find(|(banned, _)| banned == name) {
            complaints.push(format!("{name} {version} is banned: {reason}"));
        }
        complaints
    }
}

fn tree(root: &Path) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args("tree --workspace --all-features --locked --edges normal,build".split(' '))
        .args(["--prefix", "none", "--format", "{p}|{l}"])
        .current_dir(root)
        .output()
        .context("cannot run cargo tree")?;
    if !output.status.success() {
        bail!("cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Reads lines of `name v1.2.3 (place)|licence (*)`; our own crates, with a folder, are left out.
fn parse_tree(tree: &str) -> Result<BTreeSet<Dependency>> {
    let mut crates = BTreeSet::new();
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let (package, licence) = line
            .split_once('|')
            .with_context(|| format!("odd line {line:?}"))?;
        let mut words = package.splitn(3, ' ');
        let name = words.next().unwrap_or_default();
        let version = words.next().unwrap_or_default().trim_start_matches('v');
        let place = words
            .next()
            .map(|rest| rest.replace("(proc-macro)", "").trim().to_owned())
            .filter(|place| !place.is_empty());
        if place.as_ref().is_some_and(|place| place.starts_with("(/")) {
            continue;
        }
        crates.insert(Dependency {
            name: name.to_owned(),
            version: version.to_owned(),
            licence: licence.trim_end_matches("(*)").trim().to_owned(),
            place,
        });
    }
    Ok(crates)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        [licenses]
        allow = ["MIT"]
        [bans]
        deny = [{ crate = "openssl-sys", reason = "no OpenSSL" }]
    "#;

    #[track_caller]
    fn check(tree: &str, expected: &[&str]) {
        let crates = parse_tree(tree).unwrap();
        assert_eq!(Rules::parse(RULES).unwrap().judge(&crates), expected);
    }

    #[test]
    fn allowed_crates_pass() {
        check(
            "a v1.0.0|MIT OR GPL-3.0\nb v0.1.0 (proc-macro)|MIT (*)\n",
            &[],
        );
    }

    #[test]
    fn own_crates_are_not_judged() {
        check(
            "effigy-frame v0.1.0 (/home/me/effigy/crates/frame)|none\n",
            &[],
        );
    }

    #[test]
    fn other_licence_place_or_banned_crate_is_named() {
        check("a v1.0.0|GPL-3.0\n", &["a 1.0.0: GPL-3.0 is not allowed"]);
        check("a v1.0.0|\n", &["a 1.0.0: cannot read licence \"\""]);
        check(
            "a v1.0.0 (https://example.org/a#1234)|MIT\n",
            &["a 1.0.0 comes from (https://example.org/a#1234), not from crates.io"],
        );
        check(
            "openssl-sys v0.9.1|MIT\n",
            &["openssl-sys 0.9.1 is banned: no OpenSSL"],
        );
    }

    #[test]
    fn deny_toml_without_lists_is_an_error() {
        assert!(Rules::parse("[licenses]\n").is_err());
    }
}
