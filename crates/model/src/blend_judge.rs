//! The blending judge: was this face blended into its picture, and where does the seam run?
//!
//! `n` aligned crops of 128 px enter as patches with the amounts of detail and noise in them (see
//! `traces`); dense convolutions look at 16 × 16 cells, then 8 × 8, and go back to 16 × 16 for a
//! map of the seam. Whether there is one at all is decided from the mean and the largest of each
//! channel, so that a short piece of seam counts wherever it lies, and from a few channels with
//! their places.

mod cpu;
mod traces;

use std::sync::Arc;

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::sigmoid;
use effigy_frame::{Picture, Plane};

use crate::device;
use crate::error::Result;
use crate::layers::{Residual, conv3, downsample, leaky_relu, quiet_conv3};
use crate::tensors::values;
use crate::weights::Weights;
use cpu::CpuNet;

/// How strongly one face looks blended, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Blend {
    /// `0..=1`: 1 for a face that was blended in.
    pub score: f32,
    /// Where the seam runs: [`BlendJudge::MAP_SIDE`] cells a side over the crop, `0..=1`.
    pub seam: Plane,
}

/// What the network gives for `n` crops.
#[derive(Debug)]
pub struct BlendOutput {
    /// `[n, 1]`: positive for a blended face; a logit.
    pub blended: Tensor<2>,
    /// `[n, 1, 16, 16]`: positive where the seam runs; logits.
    pub seam: Tensor<4>,
}

/// The network.
#[derive(Module, Debug)]
pub struct BlendJudge {
    to_16: Conv2d,
    at_16: Vec<Residual>,
    to_8: Conv2d,
    at_8: Vec<Residual>,
    back: Conv2d,
    merged: Conv2d,
    to_seam: Conv2d,
    narrow: Conv2d,
    latent: Linear,
    to_blended: Linear,
    /// Its weights packed for the processor, once they are final.
    #[module(skip)]
    cpu: Option<Arc<CpuNet>>,
}

impl BlendJudge {
    /// Side of the crop in pixels.
    pub const SIDE_PX: u32 = 128;
    /// What the crop's side covers, in distances between the outer eye corners: the face, and
    /// enough around it to compare it with.
    pub const EXTENT: f32 = 2.8;
    /// Cells a side of the map of the seam.
    pub const MAP_SIDE: usize = 16;

    /// Makes a network with fresh weights.
    pub fn new(device: &Device) -> Self {
        Self {
            to_16: downsample(traces::CHANNELS, FINE, device),
            at_16: (0..2).map(|_| Residual::new(FINE, device)).collect(),
            to_8: downsample(FINE, WIDE, device),
            at_8: (0..2).map(|_| Residual::new(WIDE, device)).collect(),
            back: conv3(WIDE, FINE, device),
            merged: conv3(FINE, FINE, device),
            to_seam: quiet_conv3(FINE, 1, device),
            narrow: conv3(WIDE, NARROW, device),
            latent: LinearConfig::new(2 * (FINE + WIDE) + 64 * NARROW, N_LATENT).init(device),
            to_blended: LinearConfig::new(N_LATENT, 1).init(device),
            cpu: None,
        }
    }

    /// Loads the network from `weights`.
    ///
    /// # Errors
    /// When its file is missing, damaged or another network's.
    pub fn load(weights: &Weights, device: &Device) -> Result<Self> {
        let loaded = weights.fill("blend-judge", Self::new(device))?;
        Ok(loaded.packed(device))
    }

    /// Packs the weights for the processor, where the network is there; they must be final.
    #[must_use]
    pub fn packed(mut self, device: &Device) -> Self {
        self.cpu = device::is_processor(device).then(|| Arc::new(CpuNet::new(&self)));
        self
    }

    /// Lays crops out as [`Self::forward`] takes them: `[n, 64, 32, 32]`.
    ///
    /// # Panics
    /// If a crop has another size than [`Self::SIDE_PX`].
    pub fn inputs(crops: &[Picture], device: &Device) -> Tensor<4> {
        let cells = (Self::SIDE_PX / 4) as usize;
        let mut values = Vec::with_capacity(crops.len() * traces::CHANNELS * cells * cells);
        for crop in crops {
            assert_eq!(
                (crop.width(), crop.height()),
                (Self::SIDE_PX, Self::SIDE_PX),
                "the blending judge needs its own crop size"
            );
            traces::append(crop, &mut values);
        }
        let shape = [crops.len(), traces::CHANNELS, cells, cells];
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// `[n, 64, 32, 32]` → blended `[n, 1]`, seam `[n, 1, 16, 16]`
    pub fn forward(&self, crops: Tensor<4>) -> BlendOutput {
        let x = leaky_relu(self.to_16.forward(crops)); // [n, 64, 16, 16]
        let fine = self.at_16.iter().fold(x, |x, block| block.forward(x));
        let x = leaky_relu(self.to_8.forward(fine.clone())); // [n, 96, 8, 8]
        let wide = self.at_8.iter().fold(x, |x, block| block.forward(x));
        let fine = leaky_relu(fine + upsample(self.back.forward(wide.clone())));
        let fine = leaky_relu(self.merged.forward(fine)); // [n, 64, 16, 16]
        let placed = leaky_relu(self.narrow.forward(wide.clone())); // [n, 16, 8, 8]
        let seen = [
            pooled(fine.clone()),
            pooled(wide),
            placed.flatten::<2>(1, 3),
        ];
        let latent = leaky_relu(self.latent.forward(Tensor::cat(seen.to_vec(), 1)));
        BlendOutput {
            blended: self.to_blended.forward(latent),
            seam: self.to_seam.forward(fine),
        }
    }

    /// Scores an aligned face, cut out with [`Self::SIDE_PX`] and [`Self::EXTENT`].
    ///
    /// # Panics
    /// If the crop has another size: the caller's mistake.
    pub fn score(&self, crop: &Picture) -> Blend {
        let device = self.latent.weight.device();
        let inputs = Self::inputs(std::slice::from_ref(crop), &device);
        if let Some(cpu) = &self.cpu {
            return cpu.score(&values(inputs));
        }
        let output = self.forward(inputs);
        let seam = values(sigmoid(output.seam));
        Blend {
            score: values(sigmoid(output.blended))[0],
            seam: Plane::new(Self::MAP_SIDE, Self::MAP_SIDE, seam),
        }
    }
}

/// Channels of 16 × 16 cells.
const FINE: usize = 64;
/// Channels of 8 × 8 cells.
const WIDE: usize = 96;
/// Channels that keep their places.
const NARROW: usize = 16;
/// Width of the last hidden layer.
const N_LATENT: usize = 64;

/// Each cell four times: `[n, c, h, w]` → `[n, c, 2h, 2w]`
fn upsample(x: Tensor<4>) -> Tensor<4> {
    let [n, c, h, w] = x.dims();
    let x = x.reshape([n, c, h, 1, w, 1]);
    x.expand([n, c, h, 2, w, 2]).reshape([n, c, 2 * h, 2 * w])
}

/// Mean and largest of each channel: `[n, c, h, w]` → `[n, 2c]`
fn pooled(x: Tensor<4>) -> Tensor<2> {
    let cells = x.flatten::<3>(2, 3);
    let mean = cells.clone().mean_dim(2).flatten::<2>(1, 2);
    let largest = cells.max_dim(2).flatten::<2>(1, 2);
    Tensor::cat([mean, largest].to_vec(), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::noise;

    #[test]
    fn the_packed_network_agrees_with_burn() {
        let device = Device::flex();
        let packed = BlendJudge::load(&Weights::from_source_tree().unwrap(), &device).unwrap();
        let plain = BlendJudge {
            cpu: None,
            ..packed.clone()
        };
        let crop = noise(BlendJudge::SIDE_PX, BlendJudge::SIDE_PX);
        let (a, b) = (packed.score(&crop), plain.score(&crop));
        assert!((a.score - b.score).abs() < 1e-3, "{a:?} {b:?}");
        for (a, b) in a.seam.values().iter().zip(b.seam.values()) {
            assert!((a - b).abs() < 1e-3, "{a} {b}"); // single precision, another order of adding
        }
    }

    #[test]
    fn gives_an_answer_and_a_map_for_each_crop() {
        let device = Device::flex();
        let net = BlendJudge::new(&device);
        let output = net.forward(Tensor::zeros([2, 64, 32, 32], &device));
        assert_eq!(output.blended.dims(), [2, 1]);
        assert_eq!(output.seam.dims(), [2, 1, 16, 16]);
    }
}
