//! The face embedder: one unit vector per face; vectors of the same person point the same way.
//!
//! A residual network of 29 convolution layers on an aligned crop of 150 px: dlib's face recogniser
//! (King, "Dlib-ml: a machine learning toolkit", JMLR 2009; after He et al., "Deep residual
//! learning for image recognition", CVPR 2016), whose weights `recipes import identity` converts,
//! with its batch normalisation folded into the convolutions. Shapes are `[n, channel, y, x]`;
//! colour is sRGB from 0 to 255, less the mean of its training data, over 256.

mod cpu;
mod identity;
mod strangers;

use std::sync::Arc;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AvgPool2dConfig, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::relu;
use burn::tensor::ops::PadMode;
use effigy_frame::Picture;

use crate::device;
use crate::error::Result;
use crate::layers::conv3;
use crate::tensors::values;
use crate::weights::Weights;
use cpu::CpuNet;
pub use identity::{Identity, N_DIRECTIONS, N_IDENTITY};
pub use strangers::N_STRANGERS;
use strangers::Strangers;

/// Channels that each block gives, and its stride: 2 where it halves the size.
const BLOCKS: [(usize, usize); 14] = [
    (32, 1),
    (32, 1),
    (32, 1),
    (64, 2),
    (64, 1),
    (64, 1),
    (64, 1),
    (128, 2),
    (128, 1),
    (128, 1),
    (256, 2),
    (256, 1),
    (256, 1),
    (256, 2),
];
/// Channels of the first convolution and of the last block.
const N_FIRST: usize = 32;
const N_LAST: usize = 256;

/// The face embedder.
#[derive(Module, Debug)]
pub struct FaceEmbedder {
    stem: Conv2d,
    blocks: Vec<Block>,
    to_identity: Linear,
    /// Its weights packed for the processor, once they are final.
    #[module(skip)]
    cpu: Option<Arc<CpuNet>>,
    /// Whom a face's surroundings are measured with.
    #[module(skip)]
    strangers: Option<Arc<Strangers>>,
}

/// Two convolutions whose result is added to their input, which is halved where they halve.
#[derive(Module, Debug)]
struct Block {
    first: Conv2d,
    second: Conv2d,
}

impl Block {
    fn new(from: usize, to: usize, stride: usize, device: &Device) -> Self {
        let halving = || {
            Conv2dConfig::new([from, to], [3, 3])
                .with_stride([2, 2])
                .with_padding(PaddingConfig2d::Valid)
                .init(device)
        };
        Self {
            first: if stride == 2 {
                halving()
            } else {
                conv3(from, to, device)
            },
            second: conv3(to, to, device),
        }
    }

    fn halves(&self) -> bool {
        self.first.stride[0] == 2
    }

    /// `[n, c, h, w]` → `[n, c', h', w']`; where it halves, the larger of branch and input in each
    /// dimension, as dlib adds tensors of different sizes.
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let branch = self.second.forward(relu(self.first.forward(x.clone())));
        if !self.halves() {
            return relu(branch + x);
        }
        let pool = AvgPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
        let halved = pool.forward(x);
        let (a, b) = (branch.dims(), halved.dims());
        let dims = std::array::from_fn(|i| a[i].max(b[i]));
        relu(padded(branch, dims) + padded(halved, dims))
    }
}

/// Fills a tensor up with zeros behind its last channel, row and column.
fn padded(x: Tensor<4>, dims: [usize; 4]) -> Tensor<4> {
    let have = x.dims();
    let missing: [(usize, usize); 4] = std::array::from_fn(|i| (0, dims[i] - have[i]));
    x.pad(missing, PadMode::Constant(0.0))
}

impl FaceEmbedder {
    /// Side of the crop in pixels.
    pub const SIDE_PX: u32 = 150;

    /// Makes a network with fresh weights.
    pub fn new(device: &Device) -> Self {
        let mut from = N_FIRST;
        let blocks = BLOCKS.map(|(to, stride)| {
            let block = Block::new(from, to, stride, device);
            from = to;
            block
        });
        Self {
            stem: Conv2dConfig::new([3, N_FIRST], [7, 7])
                .with_stride([2, 2])
                .with_padding(PaddingConfig2d::Valid)
                .init(device),
            blocks: blocks.into(),
            to_identity: LinearConfig::new(N_LAST, N_DIRECTIONS)
                .with_bias(false)
                .init(device),
            cpu: None,
            strangers: None,
        }
    }

    /// Loads the network with weights from a source.
    ///
    /// # Errors
    /// When the weights are missing, damaged or another network's.
    pub fn load(weights: &Weights, device: &Device) -> Result<Self> {
        let mut loaded = Self::load_bare(weights, device)?;
        loaded.strangers = Some(Arc::new(Strangers::load(weights, device)?));
        Ok(loaded)
    }

    /// Loads the network alone: to it all faces have surroundings as crowded as usual, which only
    /// finding out how crowded they are needs.
    ///
    /// # Errors
    /// When the weights are missing, damaged or another network's.
    pub fn load_bare(weights: &Weights, device: &Device) -> Result<Self> {
        let mut loaded = weights.fill("identifier", Self::new(device))?;
        loaded.cpu = device::is_processor(device).then(|| Arc::new(CpuNet::new(&loaded)));
        Ok(loaded)
    }

    /// `[n, 3, 150, 150]` → `[n, 128]`, each row of length one
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let x = relu(self.stem.forward(crops)); // [n, 32, 72, 72]
        let pool = MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).init();
        let x = pool.forward(x); // [n, 32, 35, 35]
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x)); // [n, 256, 2, 2]
        let x = x.mean_dim(3).mean_dim(2).flatten::<2>(1, 3); // [n, 256]
        let raw = self.to_identity.forward(x); // [n, 128]
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
        for crop in crops {
            let size = (crop.width(), crop.height());
            assert_eq!(size, (Self::SIDE_PX, Self::SIDE_PX), "the crop's size");
        }
        let mirrored = crops.iter().map(Picture::mirrored);
        let both: Vec<Picture> = crops.iter().cloned().chain(mirrored).collect();
        let rows = self.rows(&both);
        let (plain, mirrored) = rows.split_at(crops.len());
        let together = plain.iter().zip(mirrored);
        together
            .map(|(plain, mirrored)| {
                let sum = std::array::from_fn(|k| plain[k] + mirrored[k]);
                let Some(identity) = Identity::from_values(sum) else {
                    return Identity([0.0; N_IDENTITY]);
                };
                match &self.strangers {
                    Some(strangers) => strangers.surround(identity),
                    None => identity,
                }
            })
            .collect()
    }

    /// Gives the network's vector for each crop.
    fn rows(&self, crops: &[Picture]) -> Vec<[f32; N_DIRECTIONS]> {
        if let Some(cpu) = &self.cpu {
            return crops.iter().map(|crop| cpu.row(crop)).collect();
        }
        if crops.is_empty() {
            return Vec::new();
        }
        let device = self.to_identity.weight.device();
        let rows = values(self.forward(planes(crops, &device)));
        let row = |row: &[f32]| std::array::from_fn(|k| row[k]);
        rows.chunks_exact(N_DIRECTIONS).map(row).collect()
    }
}

/// Lays crops out as `[n, 3, 150, 150]`.
fn planes(crops: &[Picture], device: &Device) -> Tensor<4> {
    let side = FaceEmbedder::SIDE_PX as usize;
    let mut planes = Vec::with_capacity(crops.len() * 3 * side * side);
    for crop in crops {
        for colour in 0..3 {
            let plane = crop.pixels().chunks_exact(3);
            planes.extend(plane.map(|rgb| scaled([rgb[0], rgb[1], rgb[2]])[colour]));
        }
    }
    Tensor::from_data(
        TensorData::new(planes, [crops.len(), 3, side, side]),
        device,
    )
}

/// A pixel as the network takes it.
fn scaled(rgb: [u8; 3]) -> [f32; 3] {
    std::array::from_fn(|k| (f32::from(rgb[k]) - MEAN_RGB[k]) / RANGE)
}

/// Mean red, green and blue of the training data, and what differences are divided by.
const MEAN_RGB: [f32; 3] = [122.782, 117.001, 104.298];
const RANGE: f32 = 256.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::noise;

    #[test]
    fn identities_have_length_one() {
        let device = Device::flex();
        let net = FaceEmbedder::new(&device);
        let rows = net.forward(Tensor::ones([2, 3, 150, 150], &device));
        assert_eq!(rows.dims(), [2, 128]);
        let length: f32 = values(rows)[..128].iter().map(|v| v * v).sum();
        assert!((length - 1.0).abs() < 1e-4, "{length}");
    }

    #[test]
    fn the_packed_network_agrees_with_burn() {
        let weights = Weights::from_source_tree().unwrap();
        let packed = FaceEmbedder::load_bare(&weights, &Device::flex()).unwrap();
        let plain = FaceEmbedder {
            cpu: None,
            ..packed.clone()
        };
        let crop = [noise(FaceEmbedder::SIDE_PX, FaceEmbedder::SIDE_PX)];
        let likeness = packed.embed(&crop)[0].similarity(&plain.embed(&crop)[0]);
        assert!(likeness > 0.999_99, "{likeness}"); // single precision, another order of adding
    }

    /// What dlib 20.0.1 makes of [`pattern`] with the same weights, scaled to length one.
    const OF_DLIB: [f32; N_DIRECTIONS] = [
        -0.0610, 0.1088, 0.0558, -0.0230, -0.0649, -0.0126, -0.0771, -0.0044, 0.0798, -0.0388,
        0.1656, -0.0276, -0.1885, 0.0036, -0.0245, 0.0700, -0.1166, -0.0565, -0.1090, -0.0802,
        0.0457, -0.0032, -0.0444, 0.0105, -0.0802, -0.2272, -0.0478, -0.0442, 0.0685, -0.1297,
        0.0021, -0.0056, -0.1040, -0.0231, -0.0121, 0.0317, 0.0063, -0.0706, 0.0909, -0.0459,
        -0.1225, -0.0161, 0.0102, 0.1820, 0.1319, 0.0547, 0.0178, -0.0558, 0.0442, -0.1975, 0.0151,
        0.1424, 0.0107, 0.0810, 0.0523, -0.1340, -0.0022, 0.0925, -0.0932, 0.0398, 0.0016, -0.0869,
        -0.0191, -0.1088, 0.1546, 0.0708, -0.0755, -0.1304, 0.1149, -0.1247, -0.0302, 0.0727,
        -0.0611, -0.1158, -0.1894, 0.0416, 0.2788, 0.1295, -0.1181, 0.0297, -0.0731, -0.0594,
        0.0175, 0.0593, -0.0355, -0.0116, -0.0543, 0.0610, 0.1696, -0.0407, 0.0242, 0.1389,
        -0.0215, 0.0034, -0.0212, 0.0299, -0.1013, 0.0115, -0.0254, -0.0056, 0.0912, -0.0700,
        0.0020, 0.0835, -0.1101, 0.0948, -0.0133, -0.0011, 0.0252, -0.0030, -0.0221, -0.0320,
        0.1786, -0.1834, 0.1695, 0.1760, 0.0464, 0.0822, 0.0328, 0.0809, 0.0107, -0.0336, -0.1288,
        -0.0380, -0.0124, -0.0470, -0.0312, 0.0059,
    ];

    /// A picture without a face: the network is the same function of any.
    fn pattern() -> Picture {
        let side = FaceEmbedder::SIDE_PX;
        let value = |x: u32, y: u32, c: u32| (3 * x + 2 * y + 40 * c + x / 10 * (y / 10)) % 256;
        let places = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
        let pixels = places.flat_map(|(x, y)| [0, 1, 2].map(|c| value(x, y, c) as u8));
        Picture::new(side, side, pixels.collect())
    }

    #[test]
    fn vectors_are_those_of_dlib() {
        let net =
            FaceEmbedder::load(&Weights::from_source_tree().unwrap(), &Device::flex()).unwrap();
        let row = net.rows(&[pattern()])[0];
        let likeness: f32 = row.iter().zip(OF_DLIB).map(|(a, b)| a * b).sum();
        assert!(likeness > 0.999, "{likeness}"); // half precision of weights, four digits here
    }
}
