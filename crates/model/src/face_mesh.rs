//! The face mesh network: 478 points in three dimensions on a roughly aligned crop.
//!
//! `n` crops of 128 px enter as patches; a stack of dense convolutions halves them to 4 × 4, and
//! two linear layers give the points and whether there is a face at all. Points are in units of
//! the crop's side, from its centre: −0.5 is its left or upper edge.

mod cpu;

use std::sync::Arc;

use burn::module::{Initializer, Module, Param};
use burn::nn::conv::Conv2d;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::TensorData;
use effigy_frame::{Picture, Point3, Rect};

use crate::N_MESH_POINTS;
use crate::device;
use crate::error::Result;
use crate::layers::{Residual, downsample, leaky_relu};
use crate::mean_mesh::mean_mesh;
use crate::tensors::{PATCH_CHANNELS, space_to_depth, values};
use crate::weights::Weights;
use cpu::CpuNet;

/// The points of one face.
#[derive(Clone, Debug, PartialEq)]
pub struct Mesh {
    /// 478 points, in pixels of the crop; the irises are 468–472 (right) and 473–477 (left).
    pub points: Vec<Point3>,
    /// How sure the network is that the crop shows a face, `0..=1`.
    pub presence: f32,
}

/// What the network gives for `n` crops.
#[derive(Debug)]
pub struct FaceMeshOutput {
    /// `[n, 478 · 3]`: x, y, z of each point, in crop sides from the crop's centre.
    pub points: Tensor<2>,
    /// `[n, 1]`: positive for a face; a logit.
    pub presence: Tensor<2>,
}

/// The mesh network.
#[derive(Module, Debug)]
pub struct FaceMesh {
    to_16: Conv2d,
    at_16: Residual,
    to_8: Conv2d,
    at_8: Vec<Residual>,
    to_4: Conv2d,
    latent: Linear,
    to_points: Linear,
    to_presence: Linear,
    /// Its weights packed for the processor, once they are final.
    #[module(skip)]
    cpu: Option<Arc<CpuNet>>,
}

impl FaceMesh {
    /// Side of the crop in pixels.
    pub const SIDE_PX: u32 = 128;

    /// Makes a network with fresh weights.
    pub fn new(device: &Device) -> Self {
        Self {
            to_16: downsample(PATCH_CHANNELS, 64, device),
            at_16: Residual::new(64, device),
            to_8: downsample(64, 128, device),
            at_8: (0..2).map(|_| Residual::new(128, device)).collect(),
            to_4: downsample(128, 160, device),
            latent: LinearConfig::new(160 * 16, N_LATENT).init(device),
            to_points: from_the_mean(device),
            to_presence: LinearConfig::new(N_LATENT, 1).init(device),
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

    /// `[n, 48, 32, 32]` → points `[n, 1434]`, presence `[n, 1]`
    pub fn forward(&self, crops: Tensor<4>) -> FaceMeshOutput {
        let x = leaky_relu(self.to_16.forward(crops)); // [n, 64, 16, 16]
        let x = self.at_16.forward(x);
        let x = leaky_relu(self.to_8.forward(x)); // [n, 128, 8, 8]
        let x = self.at_8.iter().fold(x, |x, block| block.forward(x));
        let x = leaky_relu(self.to_4.forward(x)); // [n, 160, 4, 4]
        let latent = leaky_relu(self.latent.forward(x.flatten::<2>(1, 3))); // [n, 256]
        FaceMeshOutput {
            points: self.to_points.forward(latent.clone()),
            presence: self.to_presence.forward(latent),
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
        let Some(first) = crops.first() else {
            return Vec::new();
        };
        assert_eq!(
            first.width(),
            Self::SIDE_PX,
            "the mesh network needs its own crop size"
        );
        if let Some(cpu) = &self.cpu {
            return crops.iter().map(|crop| cpu.fit(crop)).collect();
        }
        let device = self.to_points.weight.device();
        let output = self.forward(space_to_depth(crops, &device));
        let points = values(output.points);
        let presence = values(output.presence);
        points
            .chunks_exact(N_MESH_POINTS * 3)
            .zip(presence)
            .map(|(raw, logit)| mesh_from_raw(raw, logit))
            .collect()
    }
}

/// Width of the last hidden layer.
const N_LATENT: usize = 256;

/// Makes a layer that starts at the mean mesh, as large as the views show it.
fn from_the_mean(device: &Device) -> Linear {
    let quiet = Initializer::Normal {
        mean: 0.0,
        std: 5e-3,
    };
    let config = LinearConfig::new(N_LATENT, N_MESH_POINTS * 3).with_initializer(quiet);
    let mut layer = config.init(device);
    let mean = mean_mesh();
    let Some(bounds) = Rect::around(mean.iter().map(|p| p.xy())) else {
        return layer;
    };
    let (centre, scale) = (
        bounds.centre(),
        MEAN_SHARE / bounds.width.max(bounds.height),
    );
    let place = |p: &Point3| {
        [
            (p.x - centre.x) * scale,
            (p.y - centre.y) * scale,
            p.z * scale,
        ]
    };
    let start: Vec<f32> = mean.iter().flat_map(place).collect();
    let start = Tensor::<1>::from_data(TensorData::new(start, [N_MESH_POINTS * 3]), device);
    layer.bias = Some(Param::from_tensor(start));
    layer
}

/// Share of the crop's side that the longer side of a face takes.
const MEAN_SHARE: f32 = 1.0 / 1.4;

fn mesh_from_raw(raw: &[f32], logit: f32) -> Mesh {
    let side = FaceMesh::SIDE_PX as f32;
    let point = |p: &[f32]| Point3::new((p[0] + 0.5) * side, (p[1] + 0.5) * side, p[2] * side);
    Mesh {
        points: raw.chunks_exact(3).map(point).collect(),
        presence: 1.0 / (1.0 + (-logit).exp()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::noise;

    #[test]
    fn the_packed_network_agrees_with_burn() {
        let packed =
            FaceMesh::load(&Weights::from_source_tree().unwrap(), &Device::flex()).unwrap();
        let plain = FaceMesh {
            cpu: None,
            ..packed.clone()
        };
        let crop = noise(FaceMesh::SIDE_PX, FaceMesh::SIDE_PX);
        let (a, b) = (packed.fit(&crop), plain.fit(&crop));
        assert!((a.presence - b.presence).abs() < 1e-4);
        for (a, b) in a.points.iter().zip(&b.points) {
            let gap = (a.x - b.x)
                .abs()
                .max((a.y - b.y).abs())
                .max((a.z - b.z).abs());
            assert!(gap < 1e-2, "{gap} px"); // single precision, another order of adding
        }
    }

    #[test]
    fn gives_478_points_and_a_presence_for_each_crop() {
        let device = Device::flex();
        let net = FaceMesh::new(&device);
        let output = net.forward(Tensor::zeros([2, 48, 32, 32], &device));
        assert_eq!(output.points.dims(), [2, 1434]);
        assert_eq!(output.presence.dims(), [2, 1]);
    }
}
