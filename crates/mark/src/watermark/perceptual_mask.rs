//! Where in a picture a change goes unseen, and where it would be lost.

use crate::watermark::field::{self, Field};

/// The eye forgives change in texture: the mark grows with its strength to this power.
pub(super) const FORGIVEN: f32 = 0.35;
/// Bounds of what is forgiven, in levels of texture.
pub(super) const FLAT: f32 = 0.6;
const ROUGH: f32 = 14.0;
/// How finely what is forgiven follows the texture.
const STEPS_PER_LEVEL: f32 = 64.0;

/// How much of a change is left when the picture is made a fifth lighter. What is nearly white is
/// cut off then, so that the mark is worth more elsewhere.
pub(super) fn kept(luma: &Field) -> Vec<f32> {
    const LIGHT: f32 = 200.0;
    const LOST: f32 = 225.0;
    let share = |luma: &f32| 1.0 - WASTED * ((luma - LIGHT) / (LOST - LIGHT)).clamp(0.0, 1.0);
    luma.values.iter().map(share).collect()
}

/// What is taken from places that are nearly white.
pub(super) const WASTED: f32 = 0.5;

/// How much change each place forgives.
///
/// The smallest texture nearby decides: on the flat side of an edge the eye sees every change.
pub(super) fn forgiven(detail: &Field) -> Field {
    let mut scratch = Vec::new();
    let mut mask = Field {
        values: detail.values.iter().map(|value| value.abs()).collect(),
        ..*detail
    };
    field::blur(&mut mask, 1, &mut scratch);
    smallest_nearby(&mut mask, 4);
    field::blur(&mut mask, 2, &mut scratch);
    // A power for every value is slow; the steps are far finer than what the eye forgives.
    let n_steps = (ROUGH * STEPS_PER_LEVEL) as usize;
    let powers: Vec<f32> = (0..=n_steps)
        .map(|step| (step as f32 / STEPS_PER_LEVEL).powf(FORGIVEN))
        .collect();
    for value in &mut mask.values {
        // Mean size against root of the mean square: a factor of 1.25 for bell-shaped detail.
        let texture = (1.25 * *value).clamp(FLAT, ROUGH);
        *value = powers[(texture * STEPS_PER_LEVEL) as usize];
    }
    mask
}

/// Makes flat and rough places more alike; wholly at 1.
pub(super) fn even_out(mask: &mut Field, kept: &[f32], share: f32) {
    for (value, kept) in mask.values.iter_mut().zip(kept) {
        *value = kept * (*value / kept).powf(1.0 - share);
    }
}

/// Replaces each value by the smallest within a box of `2 * radius + 1`.
fn smallest_nearby(field: &mut Field, radius: usize) {
    let (width, height) = (field.width, field.height);
    let mut window = Window::new(width, (1, radius.min(width - 1)));
    for row in field.values.chunks_exact_mut(width) {
        window.smallest(row);
    }
    // A column is a line whose values lie a row apart.
    Window::new(width * height, (width, radius.min(height - 1))).smallest(&mut field.values);
}

/// Looks for the smallest value within `reach` steps before and after each.
///
/// The smallest of the next 2, 4 … is found from two of the one before; the last step overlaps.
struct Window {
    step: usize,
    reach: usize,
    values: Vec<f32>,
    wider: Vec<f32>,
}

impl Window {
    fn new(length: usize, (step, reach): (usize, usize)) -> Self {
        // What lies outside is larger than anything inside.
        let values = vec![f32::INFINITY; length + 2 * reach * step];
        Self {
            step,
            reach,
            wider: values.clone(),
            values,
        }
    }

    fn smallest(&mut self, line: &mut [f32]) {
        let before = self.reach * self.step;
        self.values.fill(f32::INFINITY);
        self.values[before..before + line.len()].copy_from_slice(line);
        let window = 2 * self.reach + 1;
        let mut covered = 1;
        while covered < window {
            let ahead = covered.min(window - covered);
            let later = &self.values[ahead * self.step..];
            for ((wider, value), later) in self.wider.iter_mut().zip(&self.values).zip(later) {
                // Unlike `f32::min` this need not look out for what is not a number.
                *wider = if later < value { *later } else { *value };
            }
            std::mem::swap(&mut self.values, &mut self.wider);
            covered += ahead;
        }
        line.copy_from_slice(&self.values[..line.len()]);
    }
}
