//! The table of weights, `weights.toml`: what each file is and where its scores part.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// The table's file name.
pub(super) const FILE: &str = "weights.toml";

/// Where two faces are called the same person, as measured on people not trained on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IdentityThreshold {
    /// Least cosine similarity for "the same person".
    pub similarity: f32,
    /// Share of pairs of different people that reach it.
    pub false_match_rate: f32,
}

/// The whole table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) entries: BTreeMap<String, Entry>,
    pub(super) finder_least_score: f32,
    pub(super) identity: IdentityThreshold,
}

/// One file of weights.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    pub(super) file: String,
    pub(super) sha256: String,
    least_score: Option<f32>,
    threshold: Option<f32>,
    false_match_rate: Option<f32>,
}

impl Table {
    /// Reads the table; says in words what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let entries: BTreeMap<String, Entry> =
            toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let stray =
            |entry: &&Entry| Path::new(&entry.file).file_name() != Some(entry.file.as_ref());
        if let Some(entry) = entries.values().find(stray) {
            return Err(format!(
                "{:?} is not the name of a file beside it",
                entry.file
            ));
        }
        let number = |name: &str, key: &str, of: fn(&Entry) -> Option<f32>| {
            let value = entries.get(name).and_then(of);
            value.ok_or_else(|| format!("it states no {key} of the {name}"))
        };
        Ok(Self {
            finder_least_score: number("finder", "least_score", |e| e.least_score)?,
            identity: IdentityThreshold {
                similarity: number("identifier", "threshold", |e| e.threshold)?,
                false_match_rate: number("identifier", "false_match_rate", |e| e.false_match_rate)?,
            },
            entries,
        })
    }
}
