//! The face detector: a network that has seen the faces of WIDER FACE, from ten pixels to hundreds, in
//! profile, masked, blurred and in crowds.
//!
//! Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", Scientific
//! Programming 2020: MobileNetV2 and a pyramid of features, whose finest map tells for every fourth
//! pixel whether a face is centred there, its box and five points. `recipes import detector` converts
//! the weights, with the normalisation of batches folded into the convolutions. It knows faces that stand
//! upright, and looks at a picture as large as it is: the caller chooses the scale.
//!
//! It is the surest network there is here and costs six times what [`crate::Finder`] does, so it is
//! asked about places, and about small copies of a frame rather than whole ones.

mod cpu;

use std::sync::Arc;

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::prelude::*;
use burn::tensor::activation::relu;
use effigy_frame::{Picture, Point2, Rect};

use crate::device;
use crate::error::Result;
use crate::finder::{Found, padded, without_repeats};
use crate::inverted::{Inverted, InvertedSize};
use crate::tensors::{planes, values};
use crate::weights::Weights;
use cpu::CpuNet;

/// The network.
#[derive(Module, Debug)]
pub struct FaceDetector {
    stem: Conv2d,
    blocks: Vec<Inverted>,
    /// From the coarsest map, and from three finer ones, to as many channels.
    laterals: Vec<Conv2d>,
    /// To maps of twice the size: four cells' channels at a time.
    doublings: Vec<Conv2d>,
    merge: Conv2d,
    head: Conv2d,
    #[module(skip)]
    least_score: f32,
    /// Its weights packed for the processor, once they are final.
    #[module(skip)]
    cpu: Option<Arc<CpuNet>>,
}

/// Channels of the first convolution.
const N_STEM: usize = 32;
/// Channels inside a block for each that it takes.
const WIDENING: usize = 6;
/// Channels given and stride of each block.
const BLOCKS: [[usize; 2]; 17] = [
    [16, 1],
    [24, 2],
    [24, 1],
    [32, 2],
    [32, 1],
    [32, 1],
    [64, 2],
    [64, 1],
    [64, 1],
    [64, 1],
    [96, 1],
    [96, 1],
    [96, 1],
    [160, 2],
    [160, 1],
    [160, 1],
    [320, 1],
];
/// The blocks whose maps make up the pyramid, the coarsest first.
const LEVELS: [usize; 4] = [16, 12, 5, 2];
/// Channels of the pyramid.
const N_PYRAMID: usize = 24;
/// Pixels from one cell of the finest map to the next.
const STRIDE_PX: usize = 4;
/// Values of a cell: a score (logit), the logarithm of height and width in cells, the centre's offset
/// in cells downwards and to the right, and five points, each down and right from the box's corner in
/// heights and widths.
const N_VALUES: usize = 15;

impl FaceDetector {
    /// Makes a network with fresh weights.
    pub fn new(device: &Device) -> Self {
        let inputs = std::iter::once(N_STEM).chain(BLOCKS.iter().map(|&[n, _]| n));
        let blocks = inputs.zip(&BLOCKS).enumerate();
        let block = |(i, (n_inputs, &[n_outputs, stride])): (usize, (usize, &[usize; 2]))| {
            let size = InvertedSize {
                n_inputs,
                n_wide: if i == 0 {
                    n_inputs
                } else {
                    WIDENING * n_inputs
                },
                n_outputs,
                side: 3,
                stride,
            };
            Inverted::new(&size, [1, 1], device)
        };
        let pointwise = |n_inputs: usize, n_outputs: usize| {
            Conv2dConfig::new([n_inputs, n_outputs], [1, 1]).init(device)
        };
        let around = PaddingConfig2d::Explicit(1, 1, 1, 1);
        let wide =
            |channels: [usize; 2]| Conv2dConfig::new(channels, [3, 3]).with_padding(around.clone());
        Self {
            stem: wide([3, N_STEM]).with_stride([2, 2]).init(device),
            blocks: blocks.map(block).collect(),
            laterals: LEVELS
                .iter()
                .map(|&level| pointwise(BLOCKS[level][0], N_PYRAMID))
                .collect(),
            doublings: LEVELS[1..]
                .iter()
                .map(|_| pointwise(N_PYRAMID, 4 * N_PYRAMID))
                .collect(),
            merge: wide([N_PYRAMID, N_PYRAMID]).init(device),
            head: pointwise(N_PYRAMID, N_VALUES),
            least_score: 0.5,
            cpu: None,
        }
    }

    /// Loads the network from `weights`.
    ///
    /// # Errors
    /// When its file is missing, damaged or another network's.
    pub fn load(weights: &Weights, device: &Device) -> Result<Self> {
        let mut loaded = weights.fill("detector", Self::new(device))?;
        loaded.least_score = weights.detector_least_score();
        loaded.cpu = device::is_processor(device).then(|| Arc::new(CpuNet::new(&loaded)));
        Ok(loaded)
    }

    /// The score from which a face is believed, `0..=1`: chosen on people not reported on.
    pub fn least_score(&self) -> f32 {
        self.least_score
    }

    /// `[n, 3, h, w]`, colours in `0..=1`, sides multiples of 32 → `[n, 15, h/4, w/4]`
    pub fn forward(&self, pictures: Tensor<4>) -> Tensor<4> {
        let mut x = relu(self.stem.forward(pictures));
        let mut maps = Vec::with_capacity(LEVELS.len());
        for (i, block) in self.blocks.iter().enumerate() {
            x = block.forward(x, relu);
            if LEVELS.contains(&i) {
                maps.push(x.clone());
            }
        }
        let levels = maps.into_iter().rev().zip(&self.laterals);
        let mut levels = levels.map(|(map, lateral)| relu(lateral.forward(map)));
        let coarsest = levels.next().unwrap_or(x);
        let finest = levels
            .zip(&self.doublings)
            .fold(coarsest, |coarse, (level, doubling)| {
                level + depth_to_space(relu(doubling.forward(coarse)))
            });
        self.head.forward(relu(self.merge.forward(finest)))
    }

    /// Finds the upright faces in a picture, looked at as large as it is, the surest first.
    ///
    /// Their boxes reach from the hairline to the chin.
    pub fn find(&self, picture: &Picture, least_score: f32) -> Vec<Found> {
        let input = padded(picture);
        let cells = match &self.cpu {
            Some(cpu) => cpu.cells(&input),
            None => {
                let device = self.stem.weight.device();
                let map = self.forward(planes(std::slice::from_ref(&input), &device));
                let [_, _, rows, columns] = map.dims();
                Cells {
                    rows,
                    columns,
                    values: values(map.permute([0, 2, 3, 1])),
                }
            }
        };
        without_repeats(cells.faces(least_score))
    }
}

/// What the network says of every fourth pixel.
struct Cells {
    rows: usize,
    columns: usize,
    /// Cell by cell, row by row, [`N_VALUES`] each.
    values: Vec<f32>,
}

impl Cells {
    /// The faces at cells whose score is no lower than that of any neighbour.
    fn faces(&self, least_score: f32) -> Vec<Found> {
        let places = (0..self.rows).flat_map(|row| (0..self.columns).map(move |x| (row, x)));
        let peaks = places.filter(|&(row, column)| {
            let logit = self.cell(row, column)[0];
            let near = |at: usize, n: usize| at.saturating_sub(1)..(at + 2).min(n);
            score(logit) >= least_score
                && near(row, self.rows)
                    .flat_map(|y| near(column, self.columns).map(move |x| (y, x)))
                    .all(|(y, x)| self.cell(y, x)[0] <= logit)
        });
        peaks.map(|(row, column)| self.face(row, column)).collect()
    }

    fn cell(&self, row: usize, column: usize) -> &[f32] {
        &self.values[(row * self.columns + column) * N_VALUES..][..N_VALUES]
    }

    fn face(&self, row: usize, column: usize) -> Found {
        let cell = self.cell(row, column);
        let unit = STRIDE_PX as f32;
        let size = |logarithm: f32| unit * logarithm.clamp(-4.0, 8.0).exp();
        let (height, width) = (size(cell[1]), size(cell[2]));
        let middle = |at: usize, offset: f32| unit * (at as f32 + 0.5 + offset);
        let (y, x) = (
            middle(row, cell[3]) - 0.5 * height,
            middle(column, cell[4]) - 0.5 * width,
        );
        let point = |i: usize| {
            let (down, right) = (cell[5 + 2 * i], cell[6 + 2 * i]);
            Point2::new(x + width * right, y + height * down)
        };
        Found {
            rect: Rect {
                x,
                y,
                width,
                height,
            },
            points: std::array::from_fn(point),
            score: score(cell[0]),
        }
    }
}

fn score(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// `[n, 4 c, h, w]` → `[n, c, 2 h, 2 w]`: of each cell's channels, the first quarter goes to the upper
/// left of four, the second to the upper right, and so on.
fn depth_to_space(x: Tensor<4>) -> Tensor<4> {
    let [n, channels, height, width] = x.dims();
    let c = channels / 4;
    x.reshape([n, 2, 2, c, height, width])
        .permute([0, 3, 4, 1, 5, 2])
        .reshape([n, c, 2 * height, 2 * width])
}

#[cfg(test)]
mod tests;
