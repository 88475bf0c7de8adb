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

/// Measures by what the fine detail of `drawn` must be scaled to equal that of `seen`.
///
/// All are of one size. `None` where the mask covers next to nothing.
pub(crate) fn measure(drawn: &Picture, seen: &Picture, mask: &Plane) -> Option<f32> {
    let amount = |picture: &Picture| {
        let (mut sum, mut n) = (0.0, 0);
        for (fine, &weight) in fine_detail(picture).iter().zip(mask.values()) {
            if LEAST_MASK <= weight {
                sum += (0.299 * fine[0] + 0.587 * fine[1] + 0.114 * fine[2]).abs();
                n += 1;
            }
        }
        (64 < n).then(|| sum / n as f32)
    };
    let gain = amount(seen)? / amount(drawn)?.max(0.05);
    Some(gain.clamp(GAINS[0], GAINS[1]))
}

/// Scales the fine detail of `drawn`.
pub(crate) fn scale(drawn: &mut Picture, gain: f32) {
    let fine = fine_detail(drawn);
    for (pixel, fine) in drawn.pixels_mut().chunks_exact_mut(3).zip(fine) {
        for (value, fine) in pixel.iter_mut().zip(fine) {
            *value = (f32::from(*value) + (gain - 1.0) * fine)
                .round()
                .clamp(0.0, 255.0) as u8;
        }
    }
}

/// Each pixel minus the average of the nine around it; rims are repeated.
fn fine_detail(picture: &Picture) -> Vec<[f32; 3]> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixels = picture.pixels();
    let near = |at: usize, end: usize| [at.saturating_sub(1), at, (at + 1).min(end - 1)];
    let mut fine = Vec::with_capacity(width * height);
    for y in 0..height {
        let rows = near(y, height);
        for x in 0..width {
            let columns = near(x, width);
            fine.push(std::array::from_fn(|c| {
                let at =
                    |row: usize, column: usize| f32::from(pixels[(row * width + column) * 3 + c]);
                let sum: f32 = rows.iter().flat_map(|&r| columns.map(|x| at(r, x))).sum();
                at(y, x) - sum * (1.0 / 9.0)
            }));
        }
    }
    fine
}

/// Measures the grain of the part of `frame` at `rect` (left, top, width, height): the spread of
/// what differs between neighbours, which noise fills everywhere and edges only here and there.
pub(crate) fn grain(frame: &Picture, rect: [usize; 4]) -> f32 {
    let [left, top, width, height] = rect;
    let mut gaps = Vec::new();
    for y in (top + 1..(top + height).saturating_sub(1)).step_by(2) {
        for x in (left + 1..(left + width).saturating_sub(1)).step_by(2) {
            let at =
                |dx: usize, dy: usize| luma(frame.get((x + dx - 1) as u32, (y + dy - 1) as u32));
            // Immerkær, "Fast noise variance estimation", CVIU 1996: blind to slopes and curves.
            let corners = at(0, 0) + at(2, 0) + at(0, 2) + at(2, 2);
            let sides = at(1, 0) + at(0, 1) + at(2, 1) + at(1, 2);
            gaps.push((corners - 2.0 * sides + 4.0 * at(1, 1)).abs());
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
        let gain = measure(&drawn, &seen, &mask).unwrap();
        assert!((gain - 8.0 / 6.0).abs() < 0.1, "{gain}");
        scale(&mut drawn, gain);
        let rest = measure(&drawn, &seen, &mask).unwrap();
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
