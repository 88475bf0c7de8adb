//! Giving a drawn face the sharpness and the grain of the footage it is laid into.
//!
//! A network draws softer than a camera that is in focus, and cleaner than any camera. Fine detail
//! is scaled until there is as much of it as in the face that is replaced; grain is added up to
//! what the footage has.

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
            across.extend(row.windows(3).map(|near| near[0] + near[1] + near[2]));
            if 1 < width {
                across.push(row[last - 1] + row[last] + row[last]);
            }
        }
        for (y, row) in bright.chunks_exact_mut(width).enumerate() {
            let sums = |y: usize| &across[y * width..(y + 1) * width];
            let (above, here) = (sums(y.saturating_sub(1)), sums(y));
            let below = sums((y + 1).min(height - 1));
            let near = above.iter().zip(here).zip(below);
            for (value, ((above, here), below)) in row.iter_mut().zip(near) {
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
            let more = (gain - 1.0) * fine + 0.5;
            for value in pixel {
                *value = (f32::from(*value) + more) as u8;
            }
        }
    }
}

/// Rows from one that grain is measured on to the next.
const ROW_STEP: usize = 3;

/// Measures the grain of the part of `frame` at `rect` (left, top, width, height): the spread of
/// what differs between neighbours, which noise fills everywhere and edges only here and there.
pub(crate) fn grain(frame: &Picture, rect: [usize; 4]) -> f32 {
    let [left, top, width, height] = rect;
    let row_bytes = frame.width() as usize * 3;
    let row = |y: usize| -> Vec<f32> {
        let first = y * row_bytes + left * 3;
        let pixels = frame.pixels()[first..first + width * 3].chunks_exact(3);
        pixels.map(|rgb| luma([rgb[0], rgb[1], rgb[2]])).collect()
    };
    let mut gaps = Vec::new();
    for y in (top + 1..(top + height).saturating_sub(1)).step_by(ROW_STEP) {
        let rows = [row(y - 1), row(y), row(y + 1)];
        for x in (1..width.saturating_sub(1)).step_by(2) {
            // Immerkær, "Fast noise variance estimation", CVIU 1996: blind to slopes and curves.
            let [upper, here, lower] = &rows;
            let corners = upper[x - 1] + upper[x + 1] + lower[x - 1] + lower[x + 1];
            let sides = upper[x] + here[x - 1] + here[x + 1] + lower[x];
            gaps.push((corners - 2.0 * sides + 4.0 * here[x]).abs());
        }
    }
    if gaps.len() < 64 {
        return 0.0;
    }
    let half = gaps.len() / 2;
    let median = *gaps.select_nth_unstable_by(half, f32::total_cmp).1;
    median / (0.6745 * 6.0) // spread of a normal distribution from its median deviation
}

/// One number of spread 1 for each pixel and frame, always the same for the same place.
pub(crate) fn speck(x: usize, y: usize, frame: u64) -> f32 {
    let mut bits = (x as u64) ^ ((y as u64) << 20) ^ frame.rotate_left(40);
    let mut sum = 0.0;
    // SplitMix64 (Steele et al., OOPSLA 2014), four times: the sum of four even numbers is near
    // enough to a normal one.
    for _ in 0..4 {
        bits = bits.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = bits;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        sum += ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 24) as f32 - 0.5;
    }
    sum * 3.0_f32.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noisy(spread: f32) -> Picture {
        let value =
            |i: usize| (100.0 + spread * speck(i % 96, i / 96, 1) + (i % 96) as f32 * 0.5) as u8;
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

    #[test]
    fn grain_is_measured_on_a_slope() {
        for spread in [3.0, 10.0] {
            let grain = grain(&noisy(spread), [0, 0, 96, 96]);
            assert!((grain / spread - 1.0).abs() < 0.12, "{spread}: {grain}");
        }
    }

    #[test]
    fn specks_are_centred_with_spread_one_and_differ_between_frames() {
        let drawn: Vec<f32> = (0..10_000).map(|i| speck(i % 100, i / 100, 5)).collect();
        let mean = drawn.iter().sum::<f32>() / 1e4;
        let square = drawn.iter().map(|v| v * v).sum::<f32>() / 1e4;
        assert!(
            mean.abs() < 0.04 && (square - 1.0).abs() < 0.06,
            "{mean} {square}"
        ); // 4 sigma
        assert_ne!(speck(3, 4, 1), speck(3, 4, 2));
    }
}
