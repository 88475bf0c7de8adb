//! Giving a drawn face the sharpness of the footage it is laid into.
//!
//! A network draws softer than a camera that is in focus. Fine detail is scaled until there is as
//! much of it as in the face that is replaced.

use effigy_frame::colour::luma;
use effigy_frame::{Picture, Plane};

/// Pixels that count: well inside the mask.
const LEAST_MASK: f32 = 0.5;
/// How far detail may be scaled: more would show the network's mistakes.
const GAINS: [f32; 2] = [0.4, 1.8];

/// The fine detail of a picture's brightness: each pixel minus the average of the nine around it.
pub(crate) struct Fine(Vec<f32>);

impl Fine {
    /// Takes it out of `picture`; rims are repeated.
    pub(crate) fn of(picture: &Picture) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let pixels = picture.pixels().chunks_exact(3);
        let mut bright: Vec<f32> = pixels.map(|p| luma([p[0], p[1], p[2]])).collect();
        let mut across = Vec::with_capacity(bright.len());
        for row in bright.chunks_exact(width) {
            let last = width - 1;
            across.push(row[0] + row[0] + row[1.min(last)]);
            across.extend(row.windows(3).map(|three| three[0] + three[1] + three[2]));
            if 1 < width {
                across.push(row[last - 1] + row[last] + row[last]);
            }
        }
        for (y, row) in bright.chunks_exact_mut(width).enumerate() {
            let sums = |y: usize| &across[y * width..(y + 1) * width];
            let (above, here) = (sums(y.saturating_sub(1)), sums(y));
            let below = sums((y + 1).min(height - 1));
            let three_rows = above.iter().zip(here).zip(below);
            for (value, ((above, here), below)) in row.iter_mut().zip(three_rows) {
                *value -= (above + here + below) * (1.0 / 9.0);
            }
        }
        Self(bright)
    }

    /// How much there is under `mask`; `None` where that covers next to nothing.
    fn amount(&self, mask: &Plane) -> Option<f32> {
        let (mut sum, mut n) = (0.0, 0);
        for (fine, &weight) in self.0.iter().zip(mask.values()) {
            if LEAST_MASK <= weight {
                sum += fine.abs();
                n += 1;
            }
        }
        (64 < n).then(|| sum / n as f32)
    }

    /// Measures by what this must be scaled to equal `seen`; all are of one size.
    pub(crate) fn gain_to(&self, seen: &Self, mask: &Plane) -> Option<f32> {
        let gain = seen.amount(mask)? / self.amount(mask)?.max(0.05);
        Some(gain.clamp(GAINS[0], GAINS[1]))
    }

    /// Scales it in the picture that it was taken from.
    pub(crate) fn scale(&self, picture: &mut Picture, gain: f32) {
        for (pixel, fine) in picture.pixels_mut().chunks_exact_mut(3).zip(&self.0) {
            // The same for all three colours, so that detail is scaled and hue is not.
            let more = (gain - 1.0) * fine + 0.5;
            for value in pixel {
                *value = (f32::from(*value) + more) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A slope with noise of even distribution.
    fn noisy(spread: f32) -> Picture {
        let noise =
            |i: usize| (i as u32).wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32 - 0.5;
        let value = |i: usize| (100.0 + 3.4 * spread * noise(i) + (i % 96) as f32 * 0.5) as u8;
        Picture::new(96, 96, (0..96 * 96).flat_map(|i| [value(i); 3]).collect())
    }

    #[test]
    fn soft_drawing_takes_the_sharpness_it_is_given() {
        let (seen, mask) = (noisy(8.0), Plane::filled(96, 96, 1.0));
        let mut drawn = noisy(6.0);
        let (fine, wanted) = (Fine::of(&drawn), Fine::of(&seen));
        let gain = fine.gain_to(&wanted, &mask).unwrap();
        assert!((gain - 8.0 / 6.0).abs() < 0.1, "{gain}");
        fine.scale(&mut drawn, gain);
        let rest = Fine::of(&drawn).gain_to(&wanted, &mask).unwrap();
        assert!((rest - 1.0).abs() < 0.06, "{rest}"); // rounding to whole levels
    }
}
