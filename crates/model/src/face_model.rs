//! A face model: what a person's face looks like from a latent, and how that is kept on disk.
//!
//! One shared encoder and one decoder per person; encode one person's face, decode it as another,
//! and the other wears the first one's expression. Crops are aligned by the face crate; colour is
//! sRGB. [`store`] says what the folder on disk holds.

pub mod driver;
pub mod net;
mod pretrained;
pub mod store;
pub mod weights;

use std::path::Path;

use burn::prelude::*;
use effigy_frame::{Picture, Plane};

use crate::error::Result;
use crate::tensors::{space_to_depth, values};
pub use driver::FaceDriver;
pub use net::{Decoder, FaceNet, Shape};
pub use pretrained::{BASE_SHAPE, base};
pub use store::Manifest;

/// A trained face model, ready to draw.
#[derive(Debug)]
pub struct FaceModel {
    net: FaceNet,
    manifest: Manifest,
    device: Device,
}

/// One face as a decoder draws it.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The colours, whole crop.
    pub picture: Picture,
    /// Where the person's face is: 1 inside, 0 outside.
    pub mask: Plane,
}

impl FaceModel {
    /// Reads the newest checkpoint of the face model in `folder`.
    ///
    /// # Errors
    /// If the folder holds no face model, one of a newer version, or a damaged one.
    pub fn open(folder: &Path, device: &Device) -> Result<Self> {
        Self::open_at(folder, None, device)
    }

    /// Reads the checkpoint of step `checkpoint`, or the newest.
    ///
    /// # Errors
    /// As [`Self::open`]; and if no such checkpoint is kept.
    pub fn open_at(folder: &Path, checkpoint: Option<u64>, device: &Device) -> Result<Self> {
        let manifest = store::read_manifest_at(folder, checkpoint)?;
        let net = manifest.shape.init(manifest.people.len(), device);
        let wanted = weights::weights_of(&net);
        let weights = store::read_weights(folder, &manifest, &wanted)?;
        let net = weights::with_weights(net, &weights);
        Ok(Self {
            net,
            manifest,
            device: device.clone(),
        })
    }

    /// The network itself.
    pub fn net(&self) -> &FaceNet {
        &self.net
    }

    /// What the model says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the weights in use.
    pub fn weights_sha256(&self) -> &str {
        &self.manifest.checkpoints[0].weights.sha256
    }

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Side of the crops that go in and come out, in pixels.
    pub fn side_px(&self) -> u32 {
        self.manifest.shape.side as u32
    }

    /// The number of the person called `name`, for [`Self::redraw`].
    pub fn person(&self, name: &str) -> Option<usize> {
        self.manifest
            .people
            .iter()
            .position(|person| person.name == name)
    }

    /// Draws `person` with the pose, expression and light of each aligned crop.
    ///
    /// # Panics
    /// If a crop is not [`Self::side_px`] a side, or there is no such person.
    pub fn redraw(&self, crops: &[Picture], person: usize) -> Vec<Drawn> {
        if crops.is_empty() {
            return Vec::new();
        }
        drawn(self.net.decode(self.encoded(crops), person))
    }

    /// Gives the latents of aligned crops, one after the other.
    ///
    /// # Panics
    /// If there is no crop, or one is not [`Self::side_px`] a side.
    pub fn encode(&self, crops: &[Picture]) -> Vec<f32> {
        values(self.encoded(crops))
    }

    /// `n` crops → `[n, z]`
    fn encoded(&self, crops: &[Picture]) -> Tensor<2> {
        let side = self.side_px();
        assert!(
            crops
                .iter()
                .all(|crop| crop.width() == side && crop.height() == side)
        );
        self.net.encode(space_to_depth(crops, &self.device))
    }
}

/// `[n, 4, s, s]` → `n` faces
fn drawn(faces: Tensor<4>) -> Vec<Drawn> {
    let [_, _, _, side] = faces.dims();
    values(faces)
        .chunks_exact(4 * side * side)
        .map(|face| from_planes(face, side as u32))
        .collect()
}

/// `[4, s, s]` values, red, green, blue and mask, to a picture and its mask.
pub fn from_planes(face: &[f32], side_px: u32) -> Drawn {
    let n = (side_px * side_px) as usize;
    let byte = |value: f32| (value * 255.0 + 0.5) as u8;
    let pixels = (0..n)
        .flat_map(|i| [face[i], face[n + i], face[2 * n + i]].map(byte))
        .collect();
    Drawn {
        picture: Picture::new(side_px, side_px, pixels),
        mask: Plane::new(
            side_px as usize,
            side_px as usize,
            face[3 * n..4 * n].to_vec(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_become_pixels() {
        let face = [
            0.0, 0.2, 0.4, 0.6, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.5, 0.1, 0.2, 0.3, 0.4,
        ];
        let drawn = from_planes(&face, 2);
        assert_eq!(drawn.picture.get(1, 0), [51, 255, 0]);
        assert_eq!(drawn.picture.get(1, 1), [153, 255, 128]);
        assert_eq!(drawn.mask.get(0, 1), 0.3);
    }
}
