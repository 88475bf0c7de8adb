//! The face mesh network: 478 points in three dimensions on a roughly aligned crop.
//!
//! MediaPipe's attention mesh (Grishchenko et al., "Attention Mesh: High-fidelity Face Mesh
//! Prediction in Real-time", 2020), whose weights `recipes import mesh` converts. A crop of 192 px
//! is halved to 3 × 3 cells by separable blocks, which give 468 points and whether there is a face
//! at all; lips and eyes are then looked at once more, in what an early layer holds of them, level
//! and enlarged: 222 of the points come from there, and the irises. Shapes are `[n, channel, y, x]`;
//! colour is sRGB, `0..=1`.

mod cpu;
mod layers;
mod part;

use std::sync::Arc;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::TensorData;
use effigy_frame::{Picture, Point2, Point3};

use crate::N_MESH_POINTS;
use crate::cpu::Map;
use crate::device;
use crate::error::Result;
use crate::tensors::{planes, values};
use crate::weights::Weights;
use cpu::CpuNet;
use layers::{Block, BlockSize, Head, Layer};
use part::{EYES, LIPS, N_RIM, PartPoints, Region};

/// The points of one face.
#[derive(Clone, Debug, PartialEq)]
pub struct Mesh {
    /// 478 points, in pixels of the crop; the irises are 468–472 (right) and 473–477 (left).
    pub points: Vec<Point3>,
    /// How sure the network is that the crop shows a face, `0..=1`.
    pub presence: f32,
}

/// What the network's trunk gives for `n` crops.
#[derive(Debug)]
pub struct FaceMeshOutput {
    /// `[n, 468 · 3]`: x, y, z of each point at the first look, in pixels of the crop.
    pub points: Tensor<2>,
    /// `[n, 1]`: positive for a face; a logit.
    pub presence: Tensor<2>,
    /// `[n, 32, 48, 48]`: what the closer looks are cut out of.
    pub map: Tensor<4>,
}

/// The mesh network.
#[derive(Module, Debug)]
pub struct FaceMesh {
    stem: Layer,
    early: Vec<Block>,
    whole: Head,
    to_presence: Linear,
    lips: Part,
    /// The right one first.
    eyes: Vec<Part>,
    /// Its weights packed for the processor, once they are final.
    #[module(skip)]
    cpu: Option<Arc<CpuNet>>,
}

/// The closer look at lips or an eye.
#[derive(Module, Debug)]
struct Part {
    blocks: Vec<Block>,
    /// The outline, and for an eye the iris.
    heads: Vec<Head>,
}

/// Points of the first look.
const N_FIRST: usize = 468;
/// Cells along a side of a closer look, and what of the crop's pixels a cell of its source takes.
const N_CLOSE_CELLS: usize = 16;
const PX_PER_CELL: f32 = 4.0;
/// Cells that the trunk, and that a closer look, leave.
const N_WHOLE_CELLS: usize = 9;
const N_PART_CELLS: usize = 4;
/// Channels of the stem, and of the map that closer looks are cut out of.
const N_STEM: usize = 16;
const N_MAP: usize = 32;
const EARLY: [BlockSize; 3] = [(16, 1), (16, 1), (N_MAP, 2)];
const WHOLE: [BlockSize; 14] = [
    (32, 1),
    (32, 1),
    (64, 2),
    (64, 1),
    (64, 1),
    (128, 2),
    (128, 1),
    (128, 1),
    (128, 2),
    (128, 1),
    (128, 1),
    (128, 2),
    (128, 1),
    (128, 1),
];
const PART: [BlockSize; 6] = [(32, 1), (32, 1), (64, 2), (64, 1), (64, 1), (128, 2)];
const PART_HEAD: [BlockSize; 5] = [(128, 1), (128, 1), (128, 2), (128, 1), (128, 1)];
/// Points of an iris.
const N_IRIS: usize = 5;
/// Units of a closer look's points along a side of its region.
const UNITS_PER_REGION: f32 = 64.0;

impl Part {
    fn new(points: &PartPoints, device: &Device) -> Self {
        let iris = points.iris.map(|_| N_IRIS);
        let n_points = std::iter::once(points.contour.len()).chain(iris);
        let head = |n| Head::new(128, &PART_HEAD, N_PART_CELLS, 2 * n, device);
        Self {
            blocks: Block::row(N_MAP, &PART, device),
            heads: n_points.map(head).collect(),
        }
    }

    /// `[n, 32, 16, 16]` → `[n, values]`, what the heads give one after the other
    fn forward(&self, views: Tensor<4>) -> Tensor<2> {
        let x = self.blocks.iter().fold(views, |x, block| block.forward(x));
        let heads = self.heads.iter().map(|head| head.forward(x.clone()));
        Tensor::cat(heads.collect(), 1)
    }
}

impl FaceMesh {
    /// Side of the crop in pixels.
    pub const SIDE_PX: u32 = 192;

    /// Makes a network with fresh weights.
    pub fn new(device: &Device) -> Self {
        let whole = Head::new(N_MAP, &WHOLE, N_WHOLE_CELLS, 3 * N_FIRST, device);
        let [n_features, _] = whole.to_values.weight.dims();
        Self {
            stem: Layer::stem(N_STEM, device),
            early: Block::row(N_STEM, &EARLY, device),
            whole,
            to_presence: LinearConfig::new(n_features, 1).init(device),
            lips: Part::new(&LIPS, device),
            eyes: EYES.iter().map(|eye| Part::new(eye, device)).collect(),
            cpu: None,
        }
    }

    /// Loads the network from `weights`.
    ///
    /// # Errors
    /// When its file is missing, damaged or another network's.
    pub fn load(weights: &Weights, device: &Device) -> Result<Self> {
        let mut loaded = weights.fill("mesher", Self::new(device))?;
        loaded.cpu = device::is_processor(device).then(|| Arc::new(CpuNet::new(&loaded)));
        Ok(loaded)
    }

    /// The first look: `[n, 3, 192, 192]` → points, presence and the map for the closer looks
    pub fn forward(&self, crops: Tensor<4>) -> FaceMeshOutput {
        let x = self.stem.forward(crops); // [n, 16, 96, 96]
        let map = self.early.iter().fold(x, |x, block| block.forward(x)); // [n, 32, 48, 48]
        let features = self.whole.features(map.clone()); // [n, 288]
        FaceMeshOutput {
            points: self.whole.to_values.forward(features.clone()),
            presence: self.to_presence.forward(features),
            map,
        }
    }

    /// Fits a mesh to the face in a crop of [`Self::SIDE_PX`] pixels a side.
    ///
    /// # Panics
    /// If the crop has another size: the caller's mistake.
    pub fn fit(&self, crop: &Picture) -> Mesh {
        self.fit_all(std::slice::from_ref(crop)).swap_remove(0)
    }

    /// Fits a mesh in each of several crops at once.
    ///
    /// # Panics
    /// If a crop has another size than [`Self::SIDE_PX`].
    pub fn fit_all(&self, crops: &[Picture]) -> Vec<Mesh> {
        for crop in crops {
            let size = (crop.width(), crop.height());
            assert_eq!(size, (Self::SIDE_PX, Self::SIDE_PX), "the crop's size");
        }
        if let Some(cpu) = &self.cpu {
            return crops.iter().map(|crop| cpu.fit(crop)).collect();
        }
        if crops.is_empty() {
            return Vec::new();
        }
        let device = self.to_presence.weight.device();
        let output = self.forward(planes(crops, &device));
        let points = values(output.points);
        let presence = values(output.presence);
        let side = output.map.dims()[2];
        let maps = values(output.map);
        let fitted = points.chunks_exact(3 * N_FIRST).zip(presence);
        let fitted = fitted.zip(maps.chunks_exact(N_MAP * side * side));
        fitted
            .map(|((raw, presence), planes)| {
                let map = Map::from_planes(planes, side, N_MAP);
                assembled(raw, presence, |mesh| self.closer(&map, mesh, &device))
            })
            .collect()
    }

    /// The closer looks at lips and eyes: where each looks, and what it gives.
    fn closer(&self, map: &Map, mesh: &[Point3], device: &Device) -> Vec<(Region, Vec<f32>)> {
        let look = |(part, points): (&Part, &PartPoints)| {
            let region = Region::around(points, mesh);
            let view = cpu::closer_view(map, &region).planes();
            let shape = [1, N_MAP, N_CLOSE_CELLS, N_CLOSE_CELLS];
            let view = Tensor::from_data(TensorData::new(view, shape), device);
            (region, values(part.forward(view)))
        };
        let eyes = self.eyes.iter().zip(&EYES);
        std::iter::once((&self.lips, &LIPS))
            .chain(eyes)
            .map(look)
            .collect()
    }
}

/// The mesh of the first look, with what the closer looks give at lips and eyes, in this order.
fn assembled(
    raw: &[f32],
    presence: f32,
    closer: impl FnOnce(&[Point3]) -> Vec<(Region, Vec<f32>)>,
) -> Mesh {
    let point = |p: &[f32]| Point3::new(p[0], p[1], p[2]);
    let mut points: Vec<Point3> = raw.chunks_exact(3).map(point).collect();
    let looks = closer(&points);
    points.resize(N_MESH_POINTS, Point3::default());
    for (part, (region, values)) in std::iter::once(&LIPS).chain(&EYES).zip(looks) {
        let places = values.chunks_exact(2).map(|p| {
            let share = Point2::new(p[0] / UNITS_PER_REGION, p[1] / UNITS_PER_REGION);
            region.apply(share)
        });
        let rim = part.contour.iter().take(N_RIM);
        let depth = rim.map(|&i| points[i].z).sum::<f32>() / N_RIM as f32;
        let iris = part
            .iris
            .into_iter()
            .flat_map(|first| first..first + N_IRIS);
        iris.clone().for_each(|i| points[i].z = depth);
        let which = part.contour.iter().copied().chain(iris);
        for (i, place) in which.zip(places) {
            (points[i].x, points[i].y) = (place.x, place.y);
        }
    }
    Mesh {
        points,
        presence: 1.0 / (1.0 + (-presence).exp()),
    }
}

#[cfg(test)]
mod tests;
