//! What a video codec leaves of a picture, without a video: half the colour, 8 × 8 blocks with a
//! flat quantiser and a dead zone, blocks that are copied from the frame before.
//!
//! Step sizes are those of H.264: they double every 6 of the quantiser parameter (ITU-T H.264,
//! table 8-15). Blocks lie anywhere, since the face was cut out anywhere.

use std::f32::consts::PI;
use std::sync::LazyLock;

use effigy_frame::{Picture, Plane};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

const BLOCK: usize = 8;

/// Compresses `picture` at `quantiser` (H.264's QP, 0 to 51) and reads it back.
pub(super) fn compress(picture: &mut Picture, quantiser: f32, random: &mut ChaCha8Rng) {
    let step = 0.625 * 2.0_f32.powf(quantiser / 6.0);
    let phase = [0; 2].map(|_: u8| random.random_range(0..BLOCK));
    let from_before = random.random_bool(0.6);
    let [luma, blue, red] = apart(picture);
    let coded = |plane: &Plane, phase: [usize; 2], step: f32| {
        let intra = Quantiser {
            step,
            dead_zone: 0.33,
        };
        let first = quantised(plane, None, phase, intra);
        if !from_before {
            return first;
        }
        // The frame before was coded on its own, and its blocks were moved by parts of a pixel.
        let before = between_pixels(&quantised(plane, None, [phase[1], phase[0]], intra));
        let inter = Quantiser {
            step: step * 1.12,
            dead_zone: 0.17,
        };
        quantised(plane, Some(&before), phase, inter)
    };
    let half = phase.map(|p| p / 2);
    let luma = coded(&luma, phase, step);
    let (blue, red) = (coded(&blue, half, step), coded(&red, half, step));
    together(picture, &luma, [&blue, &red]);
}

/// Luma at full size, the two colour differences at half.
fn apart(picture: &Picture) -> [Plane; 3] {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut luma = Plane::filled(width, height, 0.0);
    let (half_w, half_h) = (width.div_ceil(2), height.div_ceil(2));
    let mut sums = [0; 2].map(|_: u8| vec![0.0; half_w * half_h]);
    let mut counts = vec![0.0; half_w * half_h];
    for (i, rgb) in picture.pixels().chunks_exact(3).enumerate() {
        let [r, g, b] = [0, 1, 2].map(|c| f32::from(rgb[c]));
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        luma.values_mut()[i] = y;
        let cell = i / width / 2 * half_w + i % width / 2;
        sums[0][cell] += 0.564 * (b - y);
        sums[1][cell] += 0.713 * (r - y);
        counts[cell] += 1.0;
    }
    let [blue, red] = sums.map(|sums| {
        let means = sums.iter().zip(&counts).map(|(sum, n)| sum / n);
        Plane::new(half_w, half_h, means.collect())
    });
    [luma, blue, red]
}

/// Puts the three planes back into the picture.
fn together(picture: &mut Picture, luma: &Plane, [blue, red]: [&Plane; 2]) {
    let width = picture.width() as usize;
    for (i, rgb) in picture.pixels_mut().chunks_exact_mut(3).enumerate() {
        let (x, y) = (i % width, i / width);
        let (luma, b, r) = (
            luma.values()[i],
            blue.get(x / 2, y / 2),
            red.get(x / 2, y / 2),
        );
        let colours = [
            luma + 1.403 * r,
            luma - 0.714 * r - 0.344 * b,
            luma + 1.773 * b,
        ];
        for (value, colour) in rgb.iter_mut().zip(colours) {
            *value = colour.clamp(0.0, 255.0).round() as u8;
        }
    }
}

/// How coefficients are rounded.
#[derive(Clone, Copy)]
struct Quantiser {
    /// The distance between two levels.
    step: f32,
    /// The share of a step that is added before rounding down.
    dead_zone: f32,
}

/// Codes a plane in blocks, as what differs from `before` where there is one.
fn quantised(
    plane: &Plane,
    before: Option<&Plane>,
    phase: [usize; 2],
    quantiser: Quantiser,
) -> Plane {
    let Quantiser { step, dead_zone } = quantiser;
    let (width, height) = (plane.width(), plane.height());
    let mut coded = Plane::filled(width, height, 0.0);
    let known = |x: usize, y: usize| before.map_or(128.0, |before| before.get(x, y));
    for top in (0..height + BLOCK).step_by(BLOCK) {
        for left in (0..width + BLOCK).step_by(BLOCK) {
            let place = |i: usize| {
                let clamped = |at: usize, phase: usize, most: usize| {
                    (at + phase).saturating_sub(BLOCK).min(most - 1)
                };
                (
                    clamped(left + i % BLOCK, phase[0], width),
                    clamped(top + i / BLOCK, phase[1], height),
                )
            };
            let block = std::array::from_fn(|i| {
                let (x, y) = place(i);
                plane.get(x, y) - known(x, y)
            });
            let levels = transform(&block, false).map(|value| {
                let level = (value.abs() / step + dead_zone).floor();
                value.signum() * level * step
            });
            for (i, value) in transform(&levels, true).into_iter().enumerate() {
                let (x, y) = place(i);
                coded.values_mut()[y * width + x] = known(x, y) + value;
            }
        }
    }
    soften_edges(&mut coded, phase, step);
    coded
}

/// Takes half of a small jump between blocks away, as the filter in the codec does.
fn soften_edges(plane: &mut Plane, phase: [usize; 2], step: f32) {
    let (width, height) = (plane.width(), plane.height());
    let values = plane.values_mut();
    let mut soften = |before: usize, after: usize| {
        let jump = values[after] - values[before];
        if jump.abs() < step {
            values[before] += 0.3 * jump;
            values[after] -= 0.3 * jump;
        }
    };
    for y in 0..height {
        for x in (phase[0]..width).step_by(BLOCK).filter(|&x| x > 0) {
            soften(y * width + x - 1, y * width + x);
        }
    }
    for y in (phase[1]..height).step_by(BLOCK).filter(|&y| y > 0) {
        for x in 0..width {
            soften((y - 1) * width + x, y * width + x);
        }
    }
}

/// Values half a pixel on, and back: what a motion vector between pixels leaves.
fn between_pixels(plane: &Plane) -> Plane {
    let (width, height) = (plane.width(), plane.height());
    let cells = (0..width * height).map(|i| {
        let (x, y) = (i % width, i / width);
        let (left, above) = (x.saturating_sub(1), y.saturating_sub(1));
        let beside = plane.get(left, y) + plane.get((x + 1).min(width - 1), y);
        let over = plane.get(x, above) + plane.get(x, (y + 1).min(height - 1));
        0.6 * plane.get(x, y) + 0.1 * (beside + over)
    });
    Plane::new(width, height, cells.collect())
}

type Block = [f32; BLOCK * BLOCK];

/// The orthonormal cosine transform of a block, or its inverse.
fn transform(block: &Block, inverse: bool) -> Block {
    let [forward, back] = &*COSINES;
    let cosines = if inverse { back } else { forward };
    // Twice: each row times the matrix, and turned.
    turned_product(&turned_product(block, cosines), cosines)
}

/// The transpose of `block · cosines`.
fn turned_product(block: &Block, cosines: &Block) -> Block {
    let mut product = [0.0; BLOCK * BLOCK];
    for (y, row) in block.chunks_exact(BLOCK).enumerate() {
        let mut sums = [0.0_f32; BLOCK];
        for (&value, weights) in row.iter().zip(cosines.chunks_exact(BLOCK)) {
            for (sum, &weight) in sums.iter_mut().zip(weights) {
                *sum += value * weight;
            }
        }
        for (i, sum) in sums.into_iter().enumerate() {
            product[i * BLOCK + y] = sum;
        }
    }
    product
}

/// Cosines by place and frequency, and by frequency and place.
static COSINES: LazyLock<[Block; 2]> = LazyLock::new(|| {
    let n = BLOCK as f32;
    let cosine = |frequency: usize, place: usize| {
        let norm = if frequency == 0 { 1.0 / n } else { 2.0 / n };
        norm.sqrt() * (PI * (place as f32 + 0.5) * frequency as f32 / n).cos()
    };
    [
        std::array::from_fn(|i| cosine(i % BLOCK, i / BLOCK)),
        std::array::from_fn(|i| cosine(i / BLOCK, i % BLOCK)),
    ]
});

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn textured(side: u32) -> Picture {
        let pixels = (0..side * side).flat_map(|i| {
            let (x, y) = (i % side, i / side);
            [
                (x * 3 % 200 + 20) as u8,
                (y * 2 % 160 + 40) as u8,
                ((x ^ y) % 90 + 60) as u8,
            ]
        });
        Picture::new(side, side, pixels.collect())
    }

    fn gap(a: &Picture, b: &Picture) -> f32 {
        let gaps = a
            .pixels()
            .iter()
            .zip(b.pixels())
            .map(|(a, b)| f32::from(a.abs_diff(*b)));
        gaps.sum::<f32>() / a.pixels().len() as f32
    }

    #[test]
    fn the_transform_and_its_inverse_give_the_block_back() {
        let block: Block = std::array::from_fn(|i| (i * i % 97) as f32);
        let back = transform(&transform(&block, false), true);
        for (a, b) in block.iter().zip(back) {
            assert!((a - b).abs() < 1e-3, "{a} {b}"); // single precision
        }
    }

    #[test]
    fn a_coarser_step_loses_more() {
        let original = textured(61);
        let loss = |quantiser: f32| {
            let mut picture = original.clone();
            compress(&mut picture, quantiser, &mut ChaCha8Rng::seed_from_u64(5));
            gap(&original, &picture)
        };
        let (fine, coarse) = (loss(12.0), loss(38.0));
        assert!(fine < coarse && fine < 20.0, "{fine} {coarse}");
    }

    #[test]
    fn a_plain_picture_stays_plain() {
        let mut picture = Picture::filled(40, 40, [90, 120, 70]);
        compress(&mut picture, 24.0, &mut ChaCha8Rng::seed_from_u64(1));
        // Half a step of the mean of a block is one level.
        assert!(gap(&picture, &Picture::filled(40, 40, [90, 120, 70])) < 3.0);
    }
}
