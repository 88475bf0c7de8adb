//! The occlusion segmenter: which pixels of an aligned face are something in front of it?
//!
//! A crop of 96 px enters as patches of 4 × 4 pixels; a U-Net of dense convolutions looks at
//! 24 × 24 cells, then 12 × 12 and 6 × 6, and comes back to 24 × 24, each of which tells the four
//! quarters of its patch apart: 48 × 48 cells over the crop. Shapes are `[n, channel, y, x]`.

mod cpu;

use std::sync::Arc;

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::prelude::*;
use burn::tensor::activation::sigmoid;
use effigy_frame::{Picture, Plane};

use crate::device;
use crate::error::Result;
use crate::layers::{Residual, conv3, downsample, leaky_relu, quiet_conv3};
use crate::tensors::{PATCH_CHANNELS, space_to_depth, values};
use crate::weights::Weights;
use cpu::CpuNet;

/// The network.
#[derive(Module, Debug)]
pub struct OcclusionSegmenter {
    stem: Conv2d,
    fine: Residual,
    to_12: Conv2d,
    middle: Vec<Residual>,
    to_6: Conv2d,
    coarse: Residual,
    from_6: Conv2d,
    merged_12: Conv2d,
    from_12: Conv2d,
    merged_24: Conv2d,
    last: Residual,
    to_mask: Conv2d,
    /// Its weights packed for the processor, once they are final.
    #[module(skip)]
    cpu: Option<Arc<CpuNet>>,
}

impl OcclusionSegmenter {
    /// Side of the crop in pixels.
    pub const SIDE_PX: u32 = 96;
    /// Cells a side of the mask.
    pub const MASK_SIDE: usize = 48;

    /// Makes a network with fresh weights.
    pub fn new(device: &Device) -> Self {
        Self {
            stem: conv3(PATCH_CHANNELS, FINE, device),
            fine: Residual::new(FINE, device),
            to_12: downsample(FINE, MIDDLE, device),
            middle: (0..2).map(|_| Residual::new(MIDDLE, device)).collect(),
            to_6: downsample(MIDDLE, COARSE, device),
            coarse: Residual::new(COARSE, device),
            from_6: conv3(COARSE, MIDDLE, device),
            merged_12: conv3(MIDDLE, MIDDLE, device),
            from_12: conv3(MIDDLE, FINE, device),
            merged_24: conv3(FINE, FINE, device),
            last: Residual::new(FINE, device),
            to_mask: quiet_conv3(FINE, QUARTERS, device),
            cpu: None,
        }
    }

    /// Loads the network from `weights`.
    ///
    /// # Errors
    /// When its file is missing, damaged or another network's.
    pub fn load(weights: &Weights, device: &Device) -> Result<Self> {
        let loaded = weights.fill("occlusion-segmenter", Self::new(device))?;
        Ok(loaded.packed(device))
    }

    /// Packs the weights for the processor, where the network is there; they must be final.
    #[must_use]
    pub fn packed(mut self, device: &Device) -> Self {
        self.cpu = device::is_processor(device).then(|| Arc::new(CpuNet::new(&self)));
        self
    }

    /// `[n, 48, 24, 24]` → `[n, 1, 48, 48]`: positive where the face is occluded; logits.
    pub fn forward(&self, patches: Tensor<4>) -> Tensor<4> {
        let x = leaky_relu(self.stem.forward(patches)); // [n, 32, 24, 24]
        let fine = self.fine.forward(x);
        let x = leaky_relu(self.to_12.forward(fine.clone())); // [n, 64, 12, 12]
        let middle = self.middle.iter().fold(x, |x, block| block.forward(x));
        let x = leaky_relu(self.to_6.forward(middle.clone())); // [n, 96, 6, 6]
        let coarse = self.coarse.forward(x);
        let x = leaky_relu(middle + doubled(self.from_6.forward(coarse)));
        let x = leaky_relu(self.merged_12.forward(x)); // [n, 64, 12, 12]
        let x = leaky_relu(fine + doubled(self.from_12.forward(x)));
        let x = self.last.forward(leaky_relu(self.merged_24.forward(x))); // [n, 32, 24, 24]
        let quarters = self.to_mask.forward(x); // [n, 4, 24, 24]
        let [n, _, rows, columns] = quarters.dims();
        quarters
            .reshape([n, 2, 2, rows, columns])
            .permute([0, 3, 1, 4, 2])
            .reshape([n, 1, 2 * rows, 2 * columns])
    }

    /// Gives how surely each cell of an aligned crop is occluded, `0..=1`: [`Self::MASK_SIDE`] cells
    /// a side. What it says of cells beside the face means nothing.
    ///
    /// # Panics
    /// If the crop is not [`Self::SIDE_PX`] pixels wide and high: the caller's mistake.
    pub fn segment(&self, crop: &Picture) -> Plane {
        assert_eq!(
            (crop.width(), crop.height()),
            (Self::SIDE_PX, Self::SIDE_PX),
            "the occlusion segmenter needs its own crop size"
        );
        if let Some(cpu) = &self.cpu {
            return cpu.segment(crop);
        }
        let patches = space_to_depth(std::slice::from_ref(crop), &self.stem.weight.device());
        let mask = values(sigmoid(self.forward(patches)));
        Plane::new(Self::MASK_SIDE, Self::MASK_SIDE, mask)
    }
}

/// Channels of 24 × 24 cells.
const FINE: usize = 32;
/// Channels of 12 × 12 cells.
const MIDDLE: usize = 64;
/// Channels of 6 × 6 cells.
const COARSE: usize = 96;
/// Cells of the mask to one of the finest.
const QUARTERS: usize = 4;

/// Each cell four times: `[n, c, h, w]` → `[n, c, 2h, 2w]`
fn doubled(x: Tensor<4>) -> Tensor<4> {
    let [n, c, h, w] = x.dims();
    let x = x.reshape([n, c, h, 1, w, 1]);
    x.expand([n, c, h, 2, w, 2]).reshape([n, c, 2 * h, 2 * w])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::noise;

    #[test]
    fn the_packed_network_agrees_with_burn() {
        let device = Device::flex();
        let plain = OcclusionSegmenter::new(&device);
        let packed = plain.clone().packed(&device);
        let crop = noise(OcclusionSegmenter::SIDE_PX, OcclusionSegmenter::SIDE_PX);
        let (a, b) = (packed.segment(&crop), plain.segment(&crop));
        for (a, b) in a.values().iter().zip(b.values()) {
            assert!((a - b).abs() < 1e-4, "{a} {b}"); // single precision, another order of adding
        }
    }

    #[test]
    fn gives_a_mask_for_each_crop() {
        let device = Device::flex();
        let net = OcclusionSegmenter::new(&device);
        let mask = net.forward(Tensor::zeros([2, 48, 24, 24], &device));
        assert_eq!(mask.dims(), [2, 1, 48, 48]);
    }
}
