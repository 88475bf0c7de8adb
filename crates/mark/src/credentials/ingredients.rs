//! The files that a file was made from, and whether their own credentials hold.

use std::collections::HashSet;

use c2pa::validation_status::ValidationStatus;
use c2pa::{Ingredient, Manifest, Reader, ValidationResults};

use crate::credentials::judge::is_of_reference;
use crate::credentials::reason::Reason;
use crate::credentials::signature;

/// A file that went into another one, with credentials that do not hold.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BrokenIngredient {
    /// Its title.
    pub title: String,
    /// Why they do not hold.
    pub reason: Reason,
    /// What does not hold, in C2PA's codes.
    pub problems: Vec<String>,
}

/// Manifests of a chain that are looked at; more are a trick.
const MOST_MANIFESTS: usize = 1000;

/// Every manifest that `first` rests on, itself included, each once.
pub(super) fn manifests<'a>(reader: &'a Reader, first: &'a Manifest) -> Vec<&'a Manifest> {
    let mut found = vec![first];
    let mut known: HashSet<&str> = first.label().into_iter().collect();
    let mut at = 0;
    while at < found.len() && found.len() < MOST_MANIFESTS {
        let labels = found[at].ingredients().iter();
        for label in labels.filter_map(Ingredient::active_manifest) {
            if known.insert(label) {
                found.extend(reader.get_manifest(label));
            }
        }
        at += 1;
    }
    found
}

/// The ingredients whose own credentials do not hold: as whoever took them in found and signed, or
/// as is found now.
pub(super) fn broken(reader: &Reader, active: &Manifest, store: &[u8]) -> Vec<BrokenIngredient> {
    let deltas = reader
        .validation_results()
        .and_then(ValidationResults::ingredient_deltas);
    let mut found: Vec<BrokenIngredient> = Vec::new();
    for manifest in manifests(reader, active) {
        for ingredient in manifest.ingredients() {
            let now = deltas.into_iter().flatten().filter(|delta| {
                let uri = delta.ingredient_assertion_uri();
                is_assertion(uri, manifest, ingredient)
            });
            let now = now.flat_map(|delta| delta.validation_deltas().failure());
            let now = now.filter(|status| !is_of_reference(status.code()));
            let failures = recorded(ingredient).into_iter().chain(now);
            let one = broken_by(failures, ingredient, store);
            found.extend(one.filter(|one| !found.contains(one)));
        }
    }
    found
}

/// Whether `uri` is that of the assertion in `manifest` about `ingredient`.
fn is_assertion(uri: &str, manifest: &Manifest, ingredient: &Ingredient) -> bool {
    let (Some(manifest), Some(label)) = (manifest.label(), ingredient.label()) else {
        return false;
    };
    uri.contains(manifest) && uri.rsplit('/').next() == Some(label)
}

/// What failed when the ingredient was taken in.
fn recorded(ingredient: &Ingredient) -> Vec<&ValidationStatus> {
    let results = ingredient.validation_results();
    match results.and_then(ValidationResults::active_manifest) {
        Some(own) => own.failure().iter().collect(),
        // The form of old manifests, which mixes failures with the rest.
        None => {
            let all = ingredient.validation_status().unwrap_or_default();
            all.iter().filter(|status| !status.passed()).collect()
        }
    }
}

fn broken_by<'a>(
    failures: impl Iterator<Item = &'a ValidationStatus>,
    ingredient: &Ingredient,
    store: &[u8],
) -> Option<BrokenIngredient> {
    let label = ingredient.active_manifest().unwrap_or_default();
    let mut reasons = Vec::new();
    let mut problems: Vec<String> = Vec::new();
    for status in failures {
        let reason = match status.code() {
            // What is not in the store cannot be looked into.
            "claimSignature.mismatch" if !label.is_empty() => signature::refused_for(store, label),
            code => Reason::of_code(code),
        };
        let Some(reason) = reason else { continue };
        reasons.push(reason);
        if !problems.iter().any(|code| code == status.code()) {
            problems.push(status.code().to_owned());
        }
    }
    Some(BrokenIngredient {
        title: title(ingredient),
        reason: Reason::worst(reasons)?,
        problems,
    })
}

/// What an ingredient is called.
pub(super) fn title(ingredient: &Ingredient) -> String {
    ingredient.title().unwrap_or("(without title)").to_owned()
}
