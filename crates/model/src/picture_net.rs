//! A network that has seen pictures of everything: EfficientNet-lite0 as trained on ImageNet,
//! unchanged, up to its eleventh block.
//!
//! Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019,
//! in the edition without squeeze and excitation; `recipes import pictures` converts the weights, with
//! the normalisation of batches folded into the convolutions. It knows nothing of faces: what it gives
//! is maps of features, fine ones first, in which traces of manipulation can be looked for. Shapes are
//! `[n, channel, y, x]`; colour is sRGB, `0..=1`.

mod cpu;

use std::sync::Arc;

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::prelude::*;
use effigy_frame::Picture;

use crate::cpu::Map;
use crate::device;
use crate::error::Result;
use crate::inverted::{Inverted, InvertedSize};
use crate::tensors::{planes, values};
use crate::weights::Weights;
use cpu::CpuNet;

/// What one block of the network gives for a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureMap {
    /// Cells along a side.
    pub side: usize,
    /// Numbers of a cell.
    pub n_channels: usize,
    /// Cell by cell, row by row.
    pub values: Vec<f32>,
}

/// The network.
#[derive(Module, Debug)]
pub struct PictureNet {
    stem: Conv2d,
    blocks: Vec<Inverted>,
    /// Its weights packed for the processor, once they are final.
    #[module(skip)]
    cpu: Option<Arc<CpuNet>>,
}

/// Channels of the first convolution.
const N_STEM: usize = 32;
/// Channels inside a block for each that it takes.
const WIDENING: usize = 6;
/// Where the network's ReLUs end.
const CEILING: f64 = 6.0;
/// Mean and deviation of ImageNet's colours, which the network expects to be 0 and 1.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];
/// `[channels given, side, stride]` of each block.
const BLOCKS: [[usize; 3]; 11] = [
    [16, 3, 1],
    [24, 3, 2],
    [24, 3, 1],
    [40, 5, 2],
    [40, 5, 1],
    [80, 3, 2],
    [80, 3, 1],
    [80, 3, 1],
    [112, 5, 1],
    [112, 5, 1],
    [112, 5, 1],
];
/// Pixels to a cell of the coarsest maps, along a side.
const SIDE_STEP_PX: u32 = 16;
/// The blocks whose maps are given.
const LEVELS: [usize; 5] = [0, 2, 4, 7, 10];

impl PictureNet {
    /// Side of the pictures that the network was trained on, in pixels.
    pub const SIDE_PX: u32 = 224;
    /// Channels of each map, the finest first.
    pub const N_CHANNELS: [usize; 5] = [16, 24, 40, 80, 112];
    /// Cells along a side of each map of a picture of [`Self::SIDE_PX`].
    pub const SIDES: [usize; 5] = [112, 56, 28, 14, 14];

    /// Makes a network with fresh weights.
    pub fn new(device: &Device) -> Self {
        let inputs = std::iter::once(N_STEM).chain(BLOCKS.iter().map(|&[n, ..]| n));
        let block = |(i, (n_inputs, &[n_outputs, side, stride])): (usize, (usize, &[usize; 3]))| {
            let size = InvertedSize {
                n_inputs,
                // The first block's input is wide enough.
                n_wide: if i == 0 {
                    n_inputs
                } else {
                    WIDENING * n_inputs
                },
                n_outputs,
                side,
                stride,
            };
            Inverted::new(&size, padding(side, stride), device)
        };
        let [before, after] = padding(3, 2);
        let stem = Conv2dConfig::new([3, N_STEM], [3, 3])
            .with_stride([2, 2])
            .with_padding(PaddingConfig2d::Explicit(before, before, after, after));
        Self {
            stem: stem.init(device),
            blocks: inputs.zip(&BLOCKS).enumerate().map(block).collect(),
            cpu: None,
        }
    }

    /// Loads the network from `weights`.
    ///
    /// # Errors
    /// When its file is missing, damaged or another network's.
    pub fn load(weights: &Weights, device: &Device) -> Result<Self> {
        let mut loaded = weights.fill("pictures", Self::new(device))?;
        loaded.cpu = device::is_processor(device).then(|| Arc::new(CpuNet::new(&loaded)));
        Ok(loaded)
    }

    /// `[n, 3, 224, 224]` → five maps: `[n, 16, 112, 112]`, `[n, 24, 56, 56]`, `[n, 40, 28, 28]`,
    /// `[n, 80, 14, 14]` and `[n, 112, 14, 14]`; of other sides, maps as much smaller
    pub fn forward(&self, pictures: Tensor<4>) -> Vec<Tensor<4>> {
        let device = pictures.device();
        let of_colours =
            |values: [f32; 3]| Tensor::<1>::from_floats(values, &device).reshape([1, 3, 1, 1]);
        let mut x = (pictures - of_colours(MEAN)) / of_colours(DEVIATION);
        x = self.stem.forward(x).clamp(0.0, CEILING); // [n, 32, 112, 112]
        let mut maps = Vec::with_capacity(LEVELS.len());
        for (i, block) in self.blocks.iter().enumerate() {
            x = block.forward(x, |x| x.clamp(0.0, CEILING));
            if LEVELS.contains(&i) {
                maps.push(x.clone());
            }
        }
        maps
    }

    /// Gives what five of the blocks make of a square picture, the finest map first; the coarsest two
    /// have a cell for every 16 pixels.
    ///
    /// # Panics
    /// If the picture is not square, or its side is no multiple of 16: the caller's mistake.
    pub fn see(&self, picture: &Picture) -> Vec<FeatureMap> {
        if let Some(maps) = self.maps_on_cpu(picture) {
            let maps = maps.iter().zip(Self::N_CHANNELS);
            return maps.map(|(map, n)| FeatureMap::from_map(map, n)).collect();
        }
        let maps = self.forward(planes(
            std::slice::from_ref(picture),
            &self.stem.weight.device(),
        ));
        maps.into_iter().map(FeatureMap::from_tensor).collect()
    }

    /// The same as the processor's layers have it; `None` where the network is elsewhere.
    ///
    /// # Panics
    /// As [`Self::see`].
    pub(crate) fn maps_on_cpu(&self, picture: &Picture) -> Option<Vec<Map>> {
        let side = picture.width();
        assert!(
            side == picture.height() && side.is_multiple_of(SIDE_STEP_PX),
            "{side}x{}",
            picture.height()
        );
        self.cpu.as_ref().map(|cpu| cpu.see(picture))
    }
}

impl FeatureMap {
    /// Without the border, and the channels that only fill a block.
    fn from_map(map: &Map, n_channels: usize) -> Self {
        let cells = (0..map.rows).flat_map(|row| (0..map.columns).map(move |x| (row, x)));
        let values = cells.flat_map(|(row, column)| &map.cell(row, column)[..n_channels]);
        Self {
            side: map.rows,
            n_channels,
            values: values.copied().collect(),
        }
    }

    /// `[1, c, h, h]` → a map
    fn from_tensor(map: Tensor<4>) -> Self {
        let [_, n_channels, side, _] = map.dims();
        Self {
            side,
            n_channels,
            values: values(map.permute([0, 2, 3, 1])),
        }
    }

    /// The numbers of each cell.
    pub fn cells(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.n_channels)
    }
}

/// Cells before and after a map, as TensorFlow pads it: as many on both sides, or one more to the right
/// and below.
fn padding(side: usize, stride: usize) -> [usize; 2] {
    let total = side - stride;
    let before = total / 2;
    [before, total - before]
}

#[cfg(test)]
mod tests;
