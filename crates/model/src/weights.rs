//! Weights: kept as half-precision safetensors, worked with in single precision.
//!
//! Those of this version are part of the program; `weights.toml` beside them says what made each.

use burn::module::Module;
use burn::store::{HalfPrecisionAdapter, ModuleSnapshot, SafetensorsStore};

use crate::error::{Error, Result};

/// Weights of the finder.
pub const FINDER: &[u8] = include_bytes!("../weights/finder.safetensors");
/// Weights of the mesh network.
pub const MESHER: &[u8] = include_bytes!("../weights/mesher.safetensors");
/// Weights of the identity network.
pub const IDENTIFIER: &[u8] = include_bytes!("../weights/identifier.safetensors");
/// Weights of the base that face models start from.
pub const BASE: &[u8] = include_bytes!("../weights/base.safetensors");
/// Weights of the blending judge.
pub const BLEND_JUDGE: &[u8] = include_bytes!("../weights/blend-judge.safetensors");
/// What made each of the weights, with their measured quality.
pub const REGISTRY: &str = include_str!("../weights/weights.toml");

/// Where two faces are called the same person, as measured on people not trained on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IdentityThreshold {
    /// Least cosine similarity for "the same person".
    pub similarity: f32,
    /// Share of pairs of different people that reach it.
    pub false_match_rate: f32,
}

/// Gives the identity threshold that belongs to the weights.
pub fn identity_threshold() -> IdentityThreshold {
    let entry = registry().identifier;
    IdentityThreshold {
        similarity: entry.threshold,
        false_match_rate: entry.false_match_rate,
    }
}

/// Gives the score from which a face that the finder reports in a closer look is believed, chosen
/// on people not trained on.
pub fn finder_least_score() -> f32 {
    registry().finder.least_score
}

/// Gives the file name and SHA-256 of all weights inside the program, as the registry has them.
pub fn hashes() -> Vec<(String, String)> {
    let entries: std::result::Result<std::collections::BTreeMap<String, HashEntry>, _> =
        toml::from_str(REGISTRY);
    let Ok(entries) = entries else {
        unreachable!("the registry inside the program is damaged")
    };
    let pair = |entry: HashEntry| (entry.file, entry.sha256);
    entries.into_values().map(pair).collect()
}

#[derive(serde::Deserialize)]
struct HashEntry {
    file: String,
    sha256: String,
}

#[derive(serde::Deserialize)]
struct Registry {
    finder: FinderEntry,
    identifier: IdentifierEntry,
}

#[derive(serde::Deserialize)]
struct FinderEntry {
    least_score: f32,
}

#[derive(serde::Deserialize)]
struct IdentifierEntry {
    threshold: f32,
    false_match_rate: f32,
}

fn registry() -> Registry {
    let registry: std::result::Result<Registry, _> = toml::from_str(REGISTRY);
    let Ok(registry) = registry else {
        unreachable!("the registry inside the program is damaged")
    };
    registry
}

/// Fills `network` from the bytes of a safetensors file.
///
/// # Errors
/// When the bytes are damaged, or names or shapes differ from the network's.
pub fn load<M: Module + ModuleSnapshot>(
    name: &'static str,
    bytes: &[u8],
    mut network: M,
) -> Result<M> {
    let refused = |reason: String| Error::Weights {
        network: name,
        reason,
    };
    let mut store = SafetensorsStore::from_bytes(Some(bytes.to_vec()))
        .with_from_adapter(HalfPrecisionAdapter::new())
        .validate(false)
        .allow_partial(true);
    let applied = network
        .load_from(&mut store)
        .map_err(|err| refused(format!("{err}")))?;
    let problem = applied
        .missing
        .first()
        .map(|missing| format!("{missing:?} is missing"));
    let problem = problem.or_else(|| applied.errors.first().map(|err| format!("{err:?}")));
    problem.map_or(Ok(network), |reason| Err(refused(reason)))
}

/// Gives the bytes of a safetensors file that holds `network` in half precision.
///
/// # Errors
/// When a tensor can't be read back from its device.
pub fn to_bytes<M: ModuleSnapshot>(name: &'static str, network: &M) -> Result<Vec<u8>> {
    let refused = |reason: String| Error::Weights {
        network: name,
        reason,
    };
    let mut store = SafetensorsStore::from_bytes(None).with_to_adapter(HalfPrecisionAdapter::new());
    network
        .save_into(&mut store)
        .map_err(|err| refused(format!("{err}")))?;
    store.get_bytes().map_err(|err| refused(format!("{err}")))
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;

    use super::*;
    use crate::mesher::Mesher;
    use crate::tensors::values;

    #[test]
    fn weights_come_back_as_they_were_saved() {
        let device = Device::flex();
        let saved = Mesher::new(&device);
        let bytes = to_bytes("mesher", &saved).unwrap();
        let loaded = load("mesher", &bytes, Mesher::new(&device)).unwrap();
        let input = Tensor::<4>::ones([1, 48, 32, 32], &device);
        let before = values(saved.forward(input.clone()).points);
        let after = values(loaded.forward(input).points);
        let gap = before
            .iter()
            .zip(&after)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(gap < 0.02, "{gap}"); // half precision keeps three digits
    }

    #[test]
    fn damaged_weights_are_refused() {
        let device = Device::flex();
        let mut bytes = to_bytes("mesher", &Mesher::new(&device)).unwrap();
        bytes.truncate(bytes.len() / 2);
        assert!(load("mesher", &bytes, Mesher::new(&device)).is_err());
        assert!(load("mesher", b"no weights", Mesher::new(&device)).is_err());
    }
}
