//! The perceptual mask: how much change each place hides from the eye, and where a change would be
//! clipped away.

use crate::watermark::blur::blur;
use crate::watermark::plane::CanonicalPlane;

/// Texture hides change: the mask grows with the strength of the texture to this power.
pub(super) const MASKING_EXPONENT: f32 = 0.35;
/// Below this texture, in levels, a place counts as flat; above the other it hides no more.
pub(super) const FLAT: f32 = 0.6;
const ROUGH: f32 = 14.0;
/// How finely the mask follows the texture.
const STEPS_PER_LEVEL: f32 = 64.0;

/// What a change at each place is worth, `0..=1`: less in what is nearly white, which is clipped when
/// the picture is made a fifth lighter.
pub(super) fn headroom(luma: &CanonicalPlane) -> Vec<f32> {
    const LIGHT: f32 = 200.0;
    const LOST: f32 = 225.0;
    let share =
        |luma: &f32| 1.0 - CLIPPED_SHARE * ((luma - LIGHT) / (LOST - LIGHT)).clamp(0.0, 1.0);
    luma.values.iter().map(share).collect()
}

/// How much less a change is worth in what is nearly white.
pub(super) const CLIPPED_SHARE: f32 = 0.5;

/// How much change each place hides from the eye.
///
/// The smallest texture nearby decides: on the flat side of an edge the eye sees every change.
pub(super) fn perceptual_mask(detail: &CanonicalPlane) -> CanonicalPlane {
    let mut scratch = Vec::new();
    let mut mask = CanonicalPlane {
        values: detail.values.iter().map(|value| value.abs()).collect(),
        ..*detail
    };
    blur(&mut mask, 1, &mut scratch);
    smallest_nearby(&mut mask, 4);
    blur(&mut mask, 2, &mut scratch);
    // A power for every value is slow; the steps are far finer than what the eye can tell.
    let n_steps = (ROUGH * STEPS_PER_LEVEL) as usize;
    let powers: Vec<f32> = (0..=n_steps)
        .map(|step| (step as f32 / STEPS_PER_LEVEL).powf(MASKING_EXPONENT))
        .collect();
    for value in &mut mask.values {
        // Mean size against root of the mean square: a factor of 1.25 for bell-shaped detail.
        let texture = (1.25 * *value).clamp(FLAT, ROUGH);
        *value = powers[(texture * STEPS_PER_LEVEL) as usize];
    }
    mask
}

/// Makes flat and rough places more alike; wholly at 1.
pub(super) fn even_out(mask: &mut CanonicalPlane, headroom: &[f32], share: f32) {
    for (value, headroom) in mask.values.iter_mut().zip(headroom) {
        *value = headroom * (*value / headroom).powf(1.0 - share);
    }
}

/// Replaces each value by the smallest within a box of `2 * radius + 1`.
fn smallest_nearby(plane: &mut CanonicalPlane, radius: usize) {
    let (width, height) = (plane.width, plane.height);
    let along_rows = Neighbours {
        step: 1,
        reach: radius.min(width - 1),
    };
    let mut window = Window::new(width, along_rows);
    for row in plane.values.chunks_exact_mut(width) {
        window.smallest(row);
    }
    // A column is a line whose values lie a row apart.
    let down_columns = Neighbours {
        step: width,
        reach: radius.min(height - 1),
    };
    Window::new(width * height, down_columns).smallest(&mut plane.values);
}

/// Which values count as near.
#[derive(Clone, Copy)]
struct Neighbours {
    /// How far apart two neighbours lie in the list.
    step: usize,
    /// How many of them count, before and after.
    reach: usize,
}

/// Looks for the smallest value among the neighbours of each.
///
/// The smallest of the next 2, 4 … is found from two of the one before; the last step overlaps.
struct Window {
    neighbours: Neighbours,
    values: Vec<f32>,
    wider: Vec<f32>,
}

impl Window {
    fn new(length: usize, neighbours: Neighbours) -> Self {
        // What lies outside is larger than anything inside.
        let margin = neighbours.reach * neighbours.step;
        let values = vec![f32::INFINITY; length + 2 * margin];
        Self {
            neighbours,
            wider: values.clone(),
            values,
        }
    }

    fn smallest(&mut self, line: &mut [f32]) {
        let Neighbours { step, reach } = self.neighbours;
        let before = reach * step;
        self.values.fill(f32::INFINITY);
        self.values[before..before + line.len()].copy_from_slice(line);
        let window = 2 * reach + 1;
        let mut covered = 1;
        while covered < window {
            let ahead = covered.min(window - covered);
            let later = &self.values[ahead * step..];
            for ((wider, value), later) in self.wider.iter_mut().zip(&self.values).zip(later) {
                // Unlike `f32::min` this does not check for what is not a number.
                *wider = if later < value { *later } else { *value };
            }
            std::mem::swap(&mut self.values, &mut self.wider);
            covered += ahead;
        }
        line.copy_from_slice(&self.values[..line.len()]);
    }
}
