//! The base that face models start from: an encoder and a decoder that have seen many people.

use burn::prelude::*;

use super::net::{FaceNet, Shape};
use super::weights::{Weight, weights_of};
use crate::error::Result;
use crate::weights::Weights;

/// The size of network that there is a base for.
pub const BASE_SHAPE: Shape = Shape {
    side: 96,
    channels: 48,
    latent: 256,
};

/// Gives the weights of the base, a network of [`BASE_SHAPE`] with a single decoder.
///
/// # Errors
/// When its file is missing, damaged or another network's.
pub fn base(weights: &Weights) -> Result<Vec<Weight>> {
    let net: FaceNet = BASE_SHAPE.init(1, &Device::flex());
    Ok(weights_of(&weights.fill("base", net)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_has_learned_every_layer() {
        for weight in base(&Weights::from_source_tree().unwrap()).unwrap() {
            let largest = weight.values.iter().fold(0.0_f32, |a, v| a.max(v.abs()));
            assert!(0.0 < largest, "{} is empty", weight.name);
        }
    }
}
