//! The occlusion segmenter: which pixels of an aligned face are something in front of it?
//!
//! What it knows of hands, glasses and microphones it has from [`PictureNet`], which has seen
//! pictures of everything and is not trained further. A head of dense convolutions reads three of its
//! maps of a crop of 96 px, coarse to fine, and the pixels themselves as patches of 4 × 4; each of the
//! last 24 × 24 cells tells the four quarters of its patch apart: 48 × 48 cells over the crop. Shapes
//! are `[n, channel, y, x]`.

mod cpu;

use std::sync::Arc;

use burn::module::{Initializer, Module};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::sigmoid;
use effigy_frame::{Picture, Plane};

use crate::device;
use crate::error::Result;
use crate::layers::{Residual, conv3, leaky_relu, quiet_conv3};
use crate::picture_net::PictureNet;
use crate::tensors::{PATCH_CHANNELS, append_space_to_depth, values};
use crate::weights::Weights;
use cpu::CpuHead;

/// The network that sees, and the head that says what covers a face.
#[derive(Clone, Debug)]
pub struct OcclusionSegmenter {
    pictures: PictureNet,
    head: OcclusionHead,
    /// The head's weights packed for the processor, where the network is there.
    cpu: Option<Arc<CpuHead>>,
    device: Device,
}

/// The part that is trained.
#[derive(Module, Debug)]
pub struct OcclusionHead {
    from_pictures_6: Conv2d,
    coarse: Vec<Residual>,
    from_6: Conv2d,
    from_pictures_12: Conv2d,
    middle: Vec<Residual>,
    from_12: Conv2d,
    from_pictures_24: Conv2d,
    from_patches: Conv2d,
    merged: Conv2d,
    last: Residual,
    to_mask: Conv2d,
}

/// What the head reads of `n` crops.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    n: usize,
    /// `[n, 48, 24, 24]`
    patches: Vec<f32>,
    /// The maps, finest first, each `[n, y, x, channel]`.
    maps: [Vec<f32>; LEVELS.len()],
}

/// The maps that the head reads, among those of [`PictureNet`].
const LEVELS: [usize; 3] = [1, 2, 4];
/// About the standard deviation of the maps' numbers: 7 to 14 on the pattern that is compared with
/// PyTorch's.
const FEATURE_STD: f64 = 8.0;
/// Channels of 24 × 24 cells.
const FINE: usize = 32;
/// Channels of 12 × 12 cells.
const MIDDLE: usize = 64;
/// Channels of 6 × 6 cells.
const COARSE: usize = 96;
/// Cells of the mask to one of the finest.
const QUARTERS: usize = 4;

impl OcclusionSegmenter {
    /// Side of the crop in pixels.
    pub const SIDE_PX: u32 = 96;
    /// Cells a side of the mask.
    pub const MASK_SIDE: usize = 48;

    /// Puts the parts together; the weights of both must be final.
    pub fn new(pictures: PictureNet, head: OcclusionHead, device: &Device) -> Self {
        Self {
            cpu: device::is_processor(device).then(|| Arc::new(CpuHead::new(&head))),
            pictures,
            head,
            device: device.clone(),
        }
    }

    /// Loads the head from `weights`; `pictures` is on the same device.
    ///
    /// # Errors
    /// When its file is missing, damaged or another network's.
    pub fn load(weights: &Weights, pictures: PictureNet, device: &Device) -> Result<Self> {
        let head = weights.fill("occlusion-segmenter", OcclusionHead::new(device))?;
        Ok(Self::new(pictures, head, device))
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
        if let Some(cpu) = &self.cpu
            && let Some(maps) = self.pictures.maps_on_cpu(crop)
        {
            return cpu.segment(crop, &LEVELS.map(|level| &maps[level]));
        }
        let mut seen = Seen::default();
        seen.add(crop, &self.pictures);
        let mask = values(sigmoid(self.head.forward(&seen, &self.device)));
        Plane::new(Self::MASK_SIDE, Self::MASK_SIDE, mask)
    }
}

impl OcclusionHead {
    /// Makes a head with fresh weights.
    pub fn new(device: &Device) -> Self {
        let from_pictures = |level: usize, to: usize| {
            let from = PictureNet::N_CHANNELS[LEVELS[level]];
            let std = (2.0 / from as f64).sqrt() / FEATURE_STD;
            let convolution = Conv2dConfig::new([from, to], [1, 1]);
            convolution
                .with_initializer(Initializer::Normal { mean: 0.0, std })
                .init(device)
        };
        let blocks = |channels: usize| (0..2).map(|_| Residual::new(channels, device)).collect();
        Self {
            from_pictures_6: from_pictures(2, COARSE),
            coarse: blocks(COARSE),
            from_6: conv3(COARSE, MIDDLE, device),
            from_pictures_12: from_pictures(1, MIDDLE),
            middle: blocks(MIDDLE),
            from_12: conv3(MIDDLE, FINE, device),
            from_pictures_24: from_pictures(0, FINE),
            from_patches: conv3(PATCH_CHANNELS, FINE, device),
            merged: conv3(FINE, FINE, device),
            last: Residual::new(FINE, device),
            to_mask: quiet_conv3(FINE, QUARTERS, device),
        }
    }

    /// Crops → `[n, 1, 48, 48]`: positive where the face is occluded; logits.
    pub fn forward(&self, seen: &Seen, device: &Device) -> Tensor<4> {
        let [fine, middle, coarse] = std::array::from_fn(|level| seen.map(level, device));
        let x = leaky_relu(self.from_pictures_6.forward(coarse)); // [n, 96, 6, 6]
        let coarse = self.coarse.iter().fold(x, |x, block| block.forward(x));
        let more = doubled(self.from_6.forward(coarse));
        let x = leaky_relu(self.from_pictures_12.forward(middle) + more); // [n, 64, 12, 12]
        let middle = self.middle.iter().fold(x, |x, block| block.forward(x));
        let patches = self.from_patches.forward(seen.patches(device));
        let x = leaky_relu(self.from_pictures_24.forward(fine) + patches); // [n, 32, 24, 24]
        let x = leaky_relu(x + doubled(self.from_12.forward(middle)));
        let x = self.last.forward(leaky_relu(self.merged.forward(x)));
        let quarters = self.to_mask.forward(x); // [n, 4, 24, 24]
        let [n, _, rows, columns] = quarters.dims();
        quarters
            .reshape([n, 2, 2, rows, columns])
            .permute([0, 3, 1, 4, 2])
            .reshape([n, 1, 2 * rows, 2 * columns])
    }
}

impl Seen {
    /// Adds a crop of [`OcclusionSegmenter::SIDE_PX`] pixels, as `pictures` sees it.
    pub fn add(&mut self, crop: &Picture, pictures: &PictureNet) {
        append_space_to_depth(crop, &mut self.patches);
        let maps = pictures.see(crop);
        for (to, level) in self.maps.iter_mut().zip(LEVELS) {
            to.extend(&maps[level].values);
        }
        self.n += 1;
    }

    /// How many crops there are.
    pub fn n(&self) -> usize {
        self.n
    }

    fn patches(&self, device: &Device) -> Tensor<4> {
        let side = OcclusionSegmenter::MASK_SIDE / 2;
        let shape = [self.n, PATCH_CHANNELS, side, side];
        Tensor::from_data(TensorData::new(self.patches.clone(), shape), device)
    }

    /// `[n, c, h, h]`
    fn map(&self, level: usize, device: &Device) -> Tensor<4> {
        let side = (OcclusionSegmenter::MASK_SIDE / 2) >> level;
        let shape = [self.n, side, side, PictureNet::N_CHANNELS[LEVELS[level]]];
        let map = TensorData::new(self.maps[level].clone(), shape);
        Tensor::<4>::from_data(map, device).permute([0, 3, 1, 2])
    }
}

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

    fn pictures() -> PictureNet {
        let from = Weights::from_source_tree().unwrap();
        PictureNet::load(&from, &Device::flex()).unwrap()
    }

    #[test]
    fn the_packed_network_agrees_with_burn() {
        let (device, weights) = (Device::flex(), Weights::from_source_tree().unwrap());
        let packed = OcclusionSegmenter::load(&weights, pictures(), &device).unwrap();
        let plain = OcclusionSegmenter {
            cpu: None,
            ..packed.clone()
        };
        let crop = noise(OcclusionSegmenter::SIDE_PX, OcclusionSegmenter::SIDE_PX);
        let (a, b) = (packed.segment(&crop), plain.segment(&crop));
        let spread = |mask: &Plane| {
            let (least, most) = (f32::min, f32::max);
            mask.values().iter().copied().fold(0.0, most)
                - mask.values().iter().copied().fold(1.0, least)
        };
        assert!(0.1 < spread(&a), "nothing to compare");
        for (a, b) in a.values().iter().zip(b.values()) {
            assert!((a - b).abs() < 2e-3, "{a} {b}"); // single precision, another order of adding
        }
    }

    #[test]
    fn gives_a_mask_for_each_crop() {
        let device = Device::flex();
        let (head, pictures) = (OcclusionHead::new(&device), pictures());
        let mut seen = Seen::default();
        for _ in 0..2 {
            let crop = noise(OcclusionSegmenter::SIDE_PX, OcclusionSegmenter::SIDE_PX);
            seen.add(&crop, &pictures);
        }
        assert_eq!(head.forward(&seen, &device).dims(), [2, 1, 48, 48]);
    }
}
