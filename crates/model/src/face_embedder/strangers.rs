//! Faces of nobody: how near strangers lie to a face.
//!
//! The network puts some people much nearer to one another than others: at one threshold strangers
//! among East Asian men are taken for one another a hundred times as often as among the rest. How
//! near the nearest of many strangers lie says how crowded a face's surroundings are, and is taken
//! off its similarities (adaptive normalisation of scores, as for voices: Matejka et al., "Analysis of
//! score normalization in multilingual speaker recognition", Interspeech 2017). It does so only of the
//! kinds of people whom the strangers are of.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;

use super::identity::{Identity, N_DIRECTIONS};
use crate::error::Result;
use crate::tensors::values;
use crate::weights::Weights;

/// How many faces of nobody there are.
pub const N_STRANGERS: usize = 2363;
/// The nearest that count.
const N_NEAREST: usize = 7;
/// How near those lie to most faces.
const USUALLY_NEAR: f32 = 0.932;
/// How much of the rest counts: in crowded surroundings real strangers come nearer than those of the
/// file, by this factor.
const WEIGHT: f32 = 1.1;

/// Vectors of faces that nobody has: each is midway between two people who look alike.
#[derive(Debug)]
pub(super) struct Strangers(Vec<f32>);

/// The same, as it lies in the file: a layer whose weights are `[128, n]`.
#[derive(Module, Debug)]
struct StrangersFile {
    vectors: Linear,
}

impl Strangers {
    /// Loads them from a source of weights.
    pub(super) fn load(weights: &Weights, device: &Device) -> Result<Self> {
        let fresh = StrangersFile {
            vectors: LinearConfig::new(N_DIRECTIONS, N_STRANGERS)
                .with_bias(false)
                .init(device),
        };
        let filled = weights.fill("strangers", fresh)?;
        let columns = values(filled.vectors.weight.val());
        let of_stranger = |n: usize| columns.iter().skip(n).step_by(N_STRANGERS);
        Ok(Self(
            (0..N_STRANGERS).flat_map(of_stranger).copied().collect(),
        ))
    }

    /// Adds to a face's vector how crowded its surroundings are.
    pub(super) fn surround(&self, identity: Identity) -> Identity {
        let cosine = |stranger: &[f32]| -> f32 {
            let both = stranger.iter().zip(identity.direction());
            both.map(|(a, b)| a * b).sum()
        };
        let strangers = self.0.chunks_exact(N_DIRECTIONS);
        let mut nearest = [f32::NEG_INFINITY; N_NEAREST];
        for near in strangers.map(cosine) {
            // The least near comes first.
            if nearest[0] < near {
                nearest[0] = near;
                nearest.sort_by(f32::total_cmp);
            }
        }
        let near = nearest.iter().sum::<f32>() / N_NEAREST as f32;
        identity.with_crowding(WEIGHT * (near - USUALLY_NEAR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_strangers_make_a_face_crowded() {
        let vector = |cosine: f32| {
            let mut values = [0.0; N_DIRECTIONS];
            (values[0], values[1]) = (cosine, (1.0 - cosine * cosine).sqrt());
            values
        };
        let crowd = |cosines: &[f32]| {
            Strangers(cosines.iter().flat_map(|&cosine| vector(cosine)).collect())
        };
        let crowding = |strangers: Strangers| {
            let face = Identity::from_values(vector(1.0)).unwrap();
            *strangers.surround(face).0.last().unwrap()
        };
        let mut cosines = vec![0.1, 0.2, 0.3];
        cosines.extend([0.95; N_NEAREST]);
        cosines.push(0.2);
        let near = crowding(crowd(&cosines));
        assert!(
            (near - WEIGHT * (0.95 - USUALLY_NEAR)).abs() < 1e-5,
            "{near}"
        );
        assert!(crowding(crowd(&[0.9; 9])) < near);
    }
}
