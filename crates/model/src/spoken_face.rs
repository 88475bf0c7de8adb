//! What a face does while it speaks, as it was learned from real people.
//!
//! Lips follow phones: phones that look alike are a *viseme*, and each shape of the lower face is a weighed sum of the
//! visemes within 200 ms. Heads move as heads of people who talked did: a few takes of six seconds. `recipes speech`
//! makes both.

use std::sync::Arc;

use crate::error::Result;
use crate::phone_scorer::{N_PHONES, PHONES};
use crate::weights::{Tensors, Weights};

/// Kinds of phones that look alike, silence first.
pub const VISEMES: [&[&str]; N_VISEMES] = [
    &["SIL", "+NSN+", "+SPN+"],
    &["P", "B", "M"],
    &["F", "V"],
    &["TH", "DH"],
    &["T", "D", "N", "S", "Z", "L"],
    &["SH", "CH", "JH", "ZH"],
    &["K", "G", "NG", "HH", "Y"],
    &["R", "ER"],
    &["W", "UW", "UH", "OW", "OY"],
    &["AO"],
    &["AA", "AH", "AY", "AW"],
    &["AE", "EH"],
    &["IH", "IY", "EY"],
];
/// How many there are.
pub const N_VISEMES: usize = 13;
/// The place of those at which lips meet, and of those at which the lower lip meets the teeth.
pub const LIPS_MEET: usize = 1;
/// See [`LIPS_MEET`].
pub const LIP_MEETS_TEETH: usize = 2;

/// Shapes of the lower face that lips follow, by ARKit's names; those with two sides are the same on both. Smiles and frowns
/// are no speech, and `mouthClose` takes back what `jawOpen` does: told apart by a little, they add up to anything.
pub const SHAPES: [&str; N_SHAPES] = [
    "jawOpen",
    "mouthFunnel",
    "mouthPucker",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthLowerDown",
    "mouthUpperUp",
    "mouthPress",
    "mouthStretch",
];
/// How many there are.
pub const N_SHAPES: usize = 11;

/// Moments that a shape is made of, and seconds from one to the next; the middle one is now.
pub const N_TAPS: usize = 11;
/// See [`N_TAPS`].
pub const TAP_SECS: f64 = 0.04;

/// Takes of moving heads, moments of each, and moments a second.
pub const N_TAKES: usize = 8;
/// See [`N_TAKES`].
pub const N_TAKE: usize = 75;
/// See [`N_TAKES`].
pub const TAKE_RATE_HZ: f64 = 12.5;
/// Where a head is, from where it mostly is: yaw, pitch and roll in degrees, and right and down in centimetres.
pub type HeadPlace = [f32; 5];

/// How likely each viseme is; together 1.
pub type Visemes = [f32; N_VISEMES];

/// Adds up the phones of each viseme.
pub fn visemes(phones: &[f32; N_PHONES]) -> Visemes {
    let mut visemes = [0.0; N_VISEMES];
    for (name, share) in PHONES.iter().zip(phones) {
        let viseme = VISEMES.iter().position(|phones| phones.contains(name));
        visemes[viseme.unwrap_or(0)] += share;
    }
    visemes
}

/// The model, cheap to clone.
#[derive(Clone, Debug)]
pub struct SpokenFace(Arc<Learned>);

#[derive(Debug)]
struct Learned {
    /// `[shape][tap][viseme]`
    weights: Vec<f32>,
    biases: Vec<f32>,
    takes: Vec<Vec<HeadPlace>>,
}

impl SpokenFace {
    /// Loads the model from `weights`.
    ///
    /// # Errors
    /// When its file is missing, damaged or something else.
    pub fn load(weights: &Weights) -> Result<Self> {
        weights.read("speech", Self::read)
    }

    fn read(tensors: &Tensors<'_>) -> std::result::Result<Self, String> {
        const N_NUMBERS: usize = 5;
        let takes = tensors.values("heads", &[N_TAKES, N_TAKE, N_NUMBERS])?;
        let (places, _) = takes.as_chunks::<N_NUMBERS>();
        Ok(Self(Arc::new(Learned {
            weights: tensors.values("lips.weight", &[N_SHAPES, N_TAPS, N_VISEMES])?,
            biases: tensors.values("lips.bias", &[N_SHAPES])?,
            takes: places.chunks_exact(N_TAKE).map(<[_]>::to_vec).collect(),
        })))
    }

    /// Gives the weight of each shape, `0..=1` of the whole expression, by the visemes around.
    pub fn shapes(&self, around: &[Visemes; N_TAPS]) -> [f32; N_SHAPES] {
        let Learned {
            weights, biases, ..
        } = self.0.as_ref();
        let all = around.as_flattened();
        let rows = weights.chunks_exact(all.len());
        let mut shapes = [0.0; N_SHAPES];
        for ((shape, row), bias) in shapes.iter_mut().zip(rows).zip(biases) {
            let sum: f32 = row.iter().zip(all).map(|(w, v)| w * v).sum();
            *shape = (bias + sum).clamp(0.0, 1.0);
        }
        shapes
    }

    /// How heads moved: [`N_TAKES`] takes of [`N_TAKE`] places.
    pub fn takes(&self) -> &[Vec<HeadPlace>] {
        &self.0.takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phone_is_one_viseme() {
        for phone in PHONES {
            let of = VISEMES.iter().filter(|phones| phones.contains(&phone));
            assert_eq!(of.count(), 1, "{phone}");
        }
        let n = VISEMES.iter().map(|phones| phones.len()).sum::<usize>();
        assert_eq!(n, N_PHONES);
    }
}
