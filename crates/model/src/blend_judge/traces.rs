//! The input of the blending judge: the pixels as patches, and the amounts of detail and noise in
//! them.
//!
//! A seam shows where detail, noise or colour change their amount, not in one pixel. A network
//! that is shown the logarithm of these amounts, against their mean over the crop, need not learn
//! to square and to divide. Cells are the patches of 4 × 4 pixels.

use effigy_frame::Picture;

use crate::tensors::{PATCH, PATCH_CHANNELS, append_space_to_depth};

/// Channels of a cell: its pixels, then its traces.
pub(super) const CHANNELS: usize = PATCH_CHANNELS + N_TRACES;
const N_TRACES: usize = 16;
/// Cells a side.
pub(super) const CELLS: usize = super::BlendJudge::SIDE_PX as usize / PATCH;
const SIDE: usize = super::BlendJudge::SIDE_PX as usize;

/// Appends the input that the network gets for `crop`: `[64, 32, 32]`.
pub(super) fn append(crop: &Picture, values: &mut Vec<f32>) {
    append_space_to_depth(crop, values);
    let planes = luma_and_colours(crop);
    let amounts = amounts(&planes);
    for amount in amounts.chunks_exact(CELLS * CELLS) {
        let mean = amount.iter().sum::<f32>() / amount.len() as f32;
        values.extend(amount.iter().map(|v| (v - mean) * 0.5));
    }
    values.extend(places());
}

/// Luma, blue and red differences, each `SIDE × SIDE`, in levels.
fn luma_and_colours(crop: &Picture) -> [Vec<f32>; 3] {
    let mut planes = [0; 3].map(|_: u8| Vec::with_capacity(SIDE * SIDE));
    for rgb in crop.pixels().chunks_exact(3) {
        let [r, g, b] = [0, 1, 2].map(|c| f32::from(rgb[c]));
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        planes[0].push(y);
        planes[1].push(0.564 * (b - y));
        planes[2].push(0.713 * (r - y));
    }
    planes
}

/// The amounts, one map after the other: of luma in six bands, its noise, of each colour
/// difference the level, the detail and the noise.
fn amounts(planes: &[Vec<f32>; 3]) -> Vec<f32> {
    let mut maps = vec![0.0; N_AMOUNTS * CELLS * CELLS];
    let noise = planes.each_ref().map(|plane| second_differences(plane));
    for row in 0..CELLS {
        for column in 0..CELLS {
            let cell = row * CELLS + column;
            let block = |plane: &[f32]| {
                std::array::from_fn::<f32, 16, _>(|i| {
                    plane[(row * PATCH + i / 4) * SIDE + column * PATCH + i % 4]
                })
            };
            let mut put = |map: usize, value: f32| maps[map * CELLS * CELLS + cell] = value;
            for (band, power) in bands(&block(&planes[0])).into_iter().enumerate() {
                put(band, logarithm(power));
            }
            let power = |block: [f32; 16]| block.iter().map(|v| v * v).sum::<f32>() / 16.0;
            put(6, logarithm(power(block(&noise[0]))));
            for colour in 1..3 {
                let first = 7 + (colour - 1) * 3;
                let values = block(&planes[colour]);
                let mean = values.iter().sum::<f32>() / 16.0;
                put(first, mean / 16.0);
                put(first + 1, logarithm(power(values.map(|v| v - mean))));
                put(first + 2, logarithm(power(block(&noise[colour]))));
            }
        }
    }
    maps
}

const N_AMOUNTS: usize = 13;

/// Where each cell is: from the left, from the top, from the centre.
fn places() -> impl Iterator<Item = f32> {
    let at = |i: usize| (i as f32 + 0.5) / CELLS as f32 * 2.0 - 1.0;
    let cells = || (0..CELLS * CELLS).map(move |i| (at(i % CELLS), at(i / CELLS)));
    let columns = cells().map(|(x, _)| x);
    let rows = cells().map(|(_, y)| y);
    columns
        .chain(rows)
        .chain(cells().map(|(x, y)| x.hypot(y) - 0.75))
}

/// Power of a block's cosine transform in six groups of frequencies, low to high, across and down
/// apart where they are low.
fn bands(block: &[f32; 16]) -> [f32; 6] {
    let rows = transformed(block);
    let turned = std::array::from_fn(|i| rows[i % 4 * 4 + i / 4]);
    let both = transformed(&turned); // [frequency across][frequency down]
    let mut powers = [0.0; 6];
    let mut counts = [0.0_f32; 6];
    for (i, value) in both.iter().enumerate().skip(1) {
        let band = match (i / 4, i % 4) {
            (1, 0) => 0,
            (0, 1) => 1,
            (0..=1, 0..=1) => 2,
            (2, 0..=1) | (0..=1, 2) => 3,
            (2, 2) | (3, 0..=1) | (0..=1, 3) => 4,
            _ => 5,
        };
        powers[band] += value * value;
        counts[band] += 1.0;
    }
    std::array::from_fn(|i| powers[i] / counts[i])
}

/// The orthonormal cosine transform of each row of four.
fn transformed(block: &[f32; 16]) -> [f32; 16] {
    const C1: f32 = 0.653_281_5; // cos(π/8) / √2
    const C3: f32 = 0.270_598_05; // cos(3π/8) / √2
    let mut out = [0.0; 16];
    for (from, to) in block.chunks_exact(4).zip(out.chunks_exact_mut(4)) {
        let (s0, s1) = (from[0] + from[3], from[1] + from[2]);
        let (d0, d1) = (from[0] - from[3], from[1] - from[2]);
        to[0] = 0.5 * (s0 + s1);
        to[1] = C1 * d0 + C3 * d1;
        to[2] = 0.5 * (s0 - s1);
        to[3] = C3 * d0 - C1 * d1;
    }
    out
}

/// What a pixel differs by from what its neighbours lead to expect, across and down: mostly noise
/// (after Immerkær, "Fast noise variance estimation", 1996).
fn second_differences(plane: &[f32]) -> Vec<f32> {
    let at = |x: usize, y: usize| plane[y.min(SIDE - 1) * SIDE + x.min(SIDE - 1)];
    let mut values = Vec::with_capacity(plane.len());
    for y in 0..SIDE {
        let (above, below) = (y.saturating_sub(1), y + 1);
        for x in 0..SIDE {
            let (left, right) = (x.saturating_sub(1), x + 1);
            let corners = at(left, above) + at(right, above) + at(left, below) + at(right, below);
            let sides = at(x, above) + at(x, below) + at(left, y) + at(right, y);
            values.push((corners - 2.0 * sides + 4.0 * at(x, y)) / 6.0);
        }
    }
    values
}

/// Compresses a power so that ten times as much is one step more, from a quarter of a level up.
fn logarithm(power: f32) -> f32 {
    (power + 0.06).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transform_keeps_the_power() {
        let block = std::array::from_fn(|i| (i * i % 11) as f32);
        let power = |b: &[f32; 16]| b.iter().map(|v| v * v).sum::<f32>();
        assert!((power(&block) - power(&transformed(&block))).abs() < 1e-2);
    }

    #[test]
    fn a_smooth_face_in_a_noisy_picture_stands_out() {
        let mut crop = crate::tensors::noise(128, 128);
        for (x, y) in (48..80).flat_map(|y| (48..80).map(move |x| (x, y))) {
            crop.set(x, y, [120; 3]);
        }
        let mut values = Vec::new();
        append(&crop, &mut values);
        assert_eq!(values.len(), CHANNELS * CELLS * CELLS);
        let noise = &values[(PATCH_CHANNELS + 6) * CELLS * CELLS..][..CELLS * CELLS];
        assert!(noise[16 * CELLS + 16] < -2.0 && noise[0] > 0.0);
    }
}
