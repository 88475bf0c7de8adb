//! What a network that has seen pictures sees of a face against what is around it, in numbers.
//!
//! Of every channel of every map, in each region: its mean, that less the mean in the surroundings,
//! the logarithm of its deviation, and that less the surroundings' too.

use std::sync::LazyLock;

use effigy_face::Observation;
use effigy_face::align::eye_view;
use effigy_frame::{Picture, resample};
use effigy_model::{FeatureMap, PictureNet};

/// Distance between the eyes in the view, in its pixels: what the network sees of a trace depends on
/// its size.
const EYES_PX: f32 = 80.0;
/// Numbers of a channel in a region.
pub(super) const N_KINDS: usize = 4;
/// Channels of all maps.
pub(super) const N_CHANNELS: usize = {
    let [a, b, c, d, e] = PictureNet::N_CHANNELS;
    a + b + c + d + e
};
/// Numbers of a face in one frame: `[region][kind][channel of all maps]`.
pub const N_FEATURES: usize = N_REGIONS * N_KINDS * N_CHANNELS;
/// A deviation is never smaller.
const LEAST_VARIANCE: f64 = 1e-8;

/// An ellipse in the view, in its pixels.
#[derive(Clone, Copy)]
struct Ellipse {
    centre: [f32; 2],
    half_axes: [f32; 2],
}

/// From brows to chin.
const FACE: Ellipse = Ellipse {
    centre: [112.0, 118.0],
    half_axes: [52.0, 68.0],
};
/// Lips with room around them.
const MOUTH: Ellipse = Ellipse {
    centre: [112.0, 150.0],
    half_axes: [34.0, 22.0],
};
/// What is described.
const REGIONS: [Ellipse; N_REGIONS] = [FACE, MOUTH];
const N_REGIONS: usize = 2;
/// How far beyond the face its surroundings begin, in pixels.
const GAP_PX: f32 = 25.0;

impl Ellipse {
    fn grown(self, by: f32) -> Self {
        Self {
            half_axes: self.half_axes.map(|half| half + by),
            ..self
        }
    }

    fn holds(self, x: f32, y: f32) -> bool {
        let dx = (x - self.centre[0]) / self.half_axes[0];
        let dy = (y - self.centre[1]) / self.half_axes[1];
        dx * dx + dy * dy <= 1.0
    }
}

/// How much of each cell of each map belongs to a region; the cells of a map add up to 1.
pub(super) struct Shares(pub(super) Vec<Vec<f32>>);

impl Shares {
    fn of(is_inside: impl Fn(f32, f32) -> bool) -> Self {
        Self(
            PictureNet::SIDES
                .iter()
                .map(|&side| share(side, &is_inside))
                .collect(),
        )
    }
}

fn share(side: usize, is_inside: impl Fn(f32, f32) -> bool) -> Vec<f32> {
    let n_px = PictureNet::SIDE_PX as usize;
    let px_per_cell = n_px / side;
    let mut shares = vec![0.0; side * side];
    for (x, y) in (0..n_px).flat_map(|y| (0..n_px).map(move |x| (x, y))) {
        if is_inside(x as f32, y as f32) {
            shares[y / px_per_cell * side + x / px_per_cell] += 1.0;
        }
    }
    let sum: f32 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= sum);
    shares
}

/// The regions, in order.
pub(super) static REGION_SHARES: LazyLock<Vec<Shares>> = LazyLock::new(|| {
    let of_region = |region: &Ellipse| Shares::of(|x, y| region.holds(x, y));
    REGIONS.iter().map(of_region).collect()
});
/// What is around the face.
static SURROUNDINGS: LazyLock<Shares> =
    LazyLock::new(|| Shares::of(|x, y| !FACE.grown(GAP_PX).holds(x, y)));

/// Cuts out what the network is shown of a face; `None` when the mesh is squeezed into a point.
pub fn view(face: &Observation<'_>) -> Option<Picture> {
    let side = PictureNet::SIDE_PX;
    let view = eye_view(face.points, side, EYES_PX)?;
    Some(resample::crop(&face.frame.picture, view, side))
}

/// Describes a face in [`N_FEATURES`] numbers by what the network makes of its [`view`].
pub fn features(maps: &[FeatureMap]) -> Vec<f32> {
    let around = described(maps, &SURROUNDINGS);
    let mut features = Vec::with_capacity(N_FEATURES);
    for region in REGION_SHARES.iter() {
        let inside = described(maps, region);
        for (inside, around) in inside.iter().zip(&around) {
            features.extend_from_slice(inside);
            features.extend(inside.iter().zip(around).map(|(a, b)| a - b));
        }
    }
    features
}

/// Mean, and logarithm of the deviation, of each channel of all maps.
fn described(maps: &[FeatureMap], shares: &Shares) -> [Vec<f32>; 2] {
    let (mut means, mut spreads) = (Vec::new(), Vec::new());
    for (map, shares) in maps.iter().zip(&shares.0) {
        let mut sums = vec![[0.0_f64; 2]; map.n_channels];
        for (cell, &share) in map.cells().zip(shares).filter(|(_, share)| **share > 0.0) {
            for (sum, &value) in sums.iter_mut().zip(cell) {
                let (value, share) = (f64::from(value), f64::from(share));
                sum[0] += share * value;
                sum[1] += share * value * value;
            }
        }
        // Rounded, the shares add up to nearly 1.
        let whole: f64 = shares.iter().map(|share| f64::from(*share)).sum();
        for sum in sums {
            let [mean, square] = sum.map(|sum| sum / whole);
            let variance = (square - mean * mean).max(LEAST_VARIANCE);
            means.push(mean as f32);
            spreads.push((0.5 * variance.ln()) as f32);
        }
    }
    [means, spreads]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maps(value: impl Fn(usize, usize) -> f32) -> Vec<FeatureMap> {
        let sides = PictureNet::SIDES.into_iter().zip(PictureNet::N_CHANNELS);
        sides
            .map(|(side, n_channels)| FeatureMap {
                side,
                n_channels,
                values: (0..side * side * n_channels)
                    .map(|i| value(i / n_channels / side * 224 / side, i % n_channels))
                    .collect(),
            })
            .collect()
    }

    #[test]
    fn what_is_the_same_everywhere_does_not_differ_from_its_surroundings() {
        let features = features(&maps(|_, channel| channel as f32));
        assert_eq!(features.len(), N_FEATURES);
        let kinds: Vec<&[f32]> = features.chunks_exact(N_CHANNELS).collect();
        let is_mean = |(i, v): (usize, &f32)| (v - i as f32).abs() < 1e-3;
        assert!(kinds[0].iter().take(16).enumerate().all(is_mean));
        let differences = kinds.iter().skip(1).step_by(2);
        assert!(
            differences
                .flat_map(|kind| kind.iter())
                .all(|v| v.abs() < 1e-3)
        );
    }

    #[test]
    fn a_mouth_that_differs_shows_in_its_region_most() {
        let features = features(&maps(|row, _| if row < 130 { 0.0 } else { 1.0 }));
        let of_region = |region: usize| features[region * N_KINDS * N_CHANNELS];
        assert!(0.95 < of_region(1) && of_region(0) < 0.6);
    }
}
