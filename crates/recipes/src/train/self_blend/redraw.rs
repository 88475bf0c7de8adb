//! The face as a face model draws it, to be laid over the real one.
//!
//! Swaps of our own making that change no one: the base, which has seen many people, draws each face
//! as it is. What a decoder loses and adds is there; whose face it is stays.

use anyhow::Result;
use burn::prelude::*;
use effigy_face::align::{MODEL_EXTENT, aligned_view};
use effigy_frame::resample::crop;
use effigy_frame::{Picture, Plane, Point3, Similarity};
use effigy_model::Weights;
use effigy_model::face_model::{BASE_SHAPE, FaceNet, base, from_planes, weights};
use effigy_model::tensors::{space_to_depth, values};

/// A network that draws any face.
pub(crate) struct Redrawer {
    net: FaceNet,
    device: Device,
}

/// A face as it was drawn.
pub(crate) struct Redrawn {
    picture: Picture,
    it_from_picture: Similarity,
}

impl Redrawer {
    /// Loads the base.
    pub(crate) fn load(device: &Device) -> Result<Self> {
        let base = base(&Weights::from_source_tree()?)?;
        let net = weights::with_weights(BASE_SHAPE.init(1, device), &base);
        Ok(Self {
            net,
            device: device.clone(),
        })
    }

    /// Draws the face in `picture`. `None` when its mesh is squeezed into a point.
    pub(crate) fn redraw(&self, picture: &Picture, points: &[Point3]) -> Option<Redrawn> {
        let side = BASE_SHAPE.side as u32;
        let view = aligned_view(points, side, MODEL_EXTENT)?;
        let latent = self
            .net
            .encode(space_to_depth(&[crop(picture, view, side)], &self.device));
        let planes = values(self.net.decode(latent, 0));
        Some(Redrawn {
            picture: from_planes(&planes, side).picture,
            it_from_picture: view.inverse()?,
        })
    }
}

impl Redrawn {
    /// The drawing at the size and place of a view of the picture that it was drawn from.
    pub(super) fn seen(&self, picture_from_view: Similarity, side: u32) -> Picture {
        crop(
            &self.picture,
            self.it_from_picture.of(picture_from_view),
            side,
        )
    }
}

/// Gives `source` the mean and the spread of `target`'s colours where `mask` is, channel by
/// channel, as Reinhard et al., "Color transfer between images", 2001, do in another space.
pub(super) fn match_colours(source: &mut Picture, target: &Picture, mask: &Plane) {
    for c in 0..3 {
        let (from, to) = (moments(source, mask, c), moments(target, mask, c));
        let gain = (to.1 / from.1.max(1.0)).clamp(0.5, 2.0);
        for rgb in source.pixels_mut().chunks_exact_mut(3) {
            let level = (f32::from(rgb[c]) - from.0) * gain + to.0;
            rgb[c] = level.round().clamp(0.0, 255.0) as u8;
        }
    }
}

/// Mean and standard deviation of channel `c` under the mask, in levels.
fn moments(picture: &Picture, mask: &Plane, c: usize) -> (f32, f32) {
    let (mut n, mut sum, mut squares) = (0.0_f64, 0.0_f64, 0.0_f64);
    for (rgb, &share) in picture.pixels().chunks_exact(3).zip(mask.values()) {
        let (level, share) = (f64::from(rgb[c]), f64::from(share));
        n += share;
        sum += share * level;
        squares += share * level * level;
    }
    let mean = sum / n.max(1.0);
    let variance = squares / n.max(1.0) - mean * mean;
    (mean as f32, variance.max(0.0).sqrt() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matched_colours_have_the_mean_and_spread_of_the_target() {
        let ramp = |low: u8, step: u8| {
            let pixels = (0..64_u8).flat_map(|i| [low + step * (i % 8); 3]).collect();
            Picture::new(8, 8, pixels)
        };
        let (mut source, target) = (ramp(100, 4), ramp(60, 6));
        let mask = Plane::filled(8, 8, 1.0);
        match_colours(&mut source, &target, &mask);
        let (mean, spread) = moments(&source, &mask, 1);
        let wanted = moments(&target, &mask, 1);
        assert!((mean - wanted.0).abs() < 0.6, "{mean} {wanted:?}"); // rounded levels
        assert!((spread - wanted.1).abs() < 0.6, "{spread} {wanted:?}");
    }
}
