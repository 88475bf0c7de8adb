//! The face embedder, or identity network: one unit vector per face; the same person's vectors point the same way.
//!
//! `n` aligned crops of 96 px enter as patches; dense convolutions halve them to 3 × 3, and one
//! linear layer gives 128 numbers, scaled to length one.

mod cpu;

use std::sync::Arc;

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use effigy_frame::Picture;

use crate::device;
use crate::error::Result;
use crate::layers::{Residual, downsample, leaky_relu};
use crate::tensors::{PATCH_CHANNELS, space_to_depth, values};
use crate::weights::Weights;
use cpu::CpuNet;

/// How many numbers an identity has.
pub const N_IDENTITY: usize = 128;

/// Who a face is: a vector of length one.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity(pub [f32; N_IDENTITY]);

impl Identity {
    /// Scales `values` to length one; `None` when they are all zero or not finite.
    pub fn from_values(values: [f32; N_IDENTITY]) -> Option<Self> {
        let length = values.iter().map(|v| v * v).sum::<f32>().sqrt();
        (length.is_finite() && length > 0.0).then(|| Self(values.map(|v| v / length)))
    }

    /// Gives the cosine similarity, `-1..=1`.
    pub fn similarity(&self, other: &Self) -> f32 {
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
    }

    /// Averages several identities of one person; `None` when there are none or they cancel out.
    pub fn mean<'a>(identities: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut sum = [0.0; N_IDENTITY];
        for identity in identities {
            for (s, v) in sum.iter_mut().zip(&identity.0) {
                *s += v;
            }
        }
        Self::from_values(sum)
    }
}

/// The identity network.
#[derive(Module, Debug)]
pub struct FaceEmbedder {
    to_12: Conv2d,
    at_12: Residual,
    to_6: Conv2d,
    at_6: Vec<Residual>,
    to_3: Conv2d,
    to_identity: Linear,
    /// Its weights packed for the processor, once they are final.
    #[module(skip)]
    cpu: Option<Arc<CpuNet>>,
}

impl FaceEmbedder {
    /// Side of the crop in pixels.
    pub const SIDE_PX: u32 = 96;

    /// Makes a network with fresh weights.
    pub fn new(device: &Device) -> Self {
        Self {
            to_12: downsample(PATCH_CHANNELS, 96, device),
            at_12: Residual::new(96, device),
            to_6: downsample(96, 192, device),
            at_6: (0..2).map(|_| Residual::new(192, device)).collect(),
            to_3: downsample(192, 256, device),
            to_identity: LinearConfig::new(256 * 9, N_IDENTITY).init(device),
            cpu: None,
        }
    }

    /// Loads the network from `weights`.
    ///
    /// # Errors
    /// When its file is missing, damaged or another network's.
    pub fn load(weights: &Weights, device: &Device) -> Result<Self> {
        let mut loaded = weights.fill("identifier", Self::new(device))?;
        loaded.cpu = device::is_processor(device).then(|| Arc::new(CpuNet::new(&loaded)));
        Ok(loaded)
    }

    /// `[n, 48, 24, 24]` → `[n, 128]`, each row of length one
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let x = leaky_relu(self.to_12.forward(crops)); // [n, 96, 12, 12]
        let x = self.at_12.forward(x);
        let x = leaky_relu(self.to_6.forward(x)); // [n, 192, 6, 6]
        let x = self.at_6.iter().fold(x, |x, block| block.forward(x));
        let x = leaky_relu(self.to_3.forward(x)); // [n, 256, 3, 3]
        let raw = self.to_identity.forward(x.flatten::<2>(1, 3)); // [n, 128]
        let length = (raw.clone().powi_scalar(2).sum_dim(1) + 1e-8).sqrt();
        raw / length
    }

    /// Gives the identity of the face in each aligned crop of [`Self::SIDE_PX`] pixels a side.
    ///
    /// Each crop is seen as it is and in a mirror, and the two vectors are averaged.
    ///
    /// # Panics
    /// If a crop has another size: the caller's mistake.
    pub fn embed(&self, crops: &[Picture]) -> Vec<Identity> {
        let Some(first) = crops.first() else {
            return Vec::new();
        };
        assert_eq!(
            first.width(),
            Self::SIDE_PX,
            "the identity network needs its own crop size"
        );
        let mirrored = crops.iter().map(Picture::mirrored);
        let both: Vec<Picture> = crops.iter().cloned().chain(mirrored).collect();
        let rows = self.rows(&both);
        let (plain, mirrored) = rows.split_at(crops.len());
        let together = plain.iter().zip(mirrored);
        together
            .map(|(plain, mirrored)| {
                let sum = std::array::from_fn(|k| plain[k] + mirrored[k]);
                Identity::from_values(sum).unwrap_or(Identity([0.0; N_IDENTITY]))
            })
            .collect()
    }

    /// Gives the network's vector for each crop.
    fn rows(&self, crops: &[Picture]) -> Vec<[f32; N_IDENTITY]> {
        if let Some(cpu) = &self.cpu {
            return crops.iter().map(|crop| cpu.row(crop)).collect();
        }
        let device = self.to_identity.weight.device();
        let rows = values(self.forward(space_to_depth(crops, &device)));
        let row = |row: &[f32]| std::array::from_fn(|k| row[k]);
        rows.chunks_exact(N_IDENTITY).map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::noise;

    #[test]
    fn identities_have_length_one() {
        let device = Device::flex();
        let net = FaceEmbedder::new(&device);
        let rows = net.forward(Tensor::ones([2, 48, 24, 24], &device));
        assert_eq!(rows.dims(), [2, 128]);
        let length: f32 = values(rows)[..128].iter().map(|v| v * v).sum();
        assert!((length - 1.0).abs() < 1e-4, "{length}");
    }

    #[test]
    fn the_packed_network_agrees_with_burn() {
        let packed =
            FaceEmbedder::load(&Weights::from_source_tree().unwrap(), &Device::flex()).unwrap();
        let plain = FaceEmbedder {
            cpu: None,
            ..packed.clone()
        };
        let crop = [noise(FaceEmbedder::SIDE_PX, FaceEmbedder::SIDE_PX)];
        let likeness = packed.embed(&crop)[0].similarity(&plain.embed(&crop)[0]);
        assert!(likeness > 0.999_99, "{likeness}"); // single precision, another order of adding
    }

    #[test]
    fn mean_of_opposites_is_refused() {
        let mut one = [0.0; N_IDENTITY];
        one[3] = 1.0;
        let a = Identity(one);
        let b = Identity(one.map(|v| -v));
        assert_eq!(Identity::mean([&a, &b]), None);
        assert_eq!(Identity::mean([&a, &a]), Some(a));
    }
}
