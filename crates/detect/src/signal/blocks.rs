//! The face and its surroundings in blocks of 8 × 8 pixels, as JPEG and its kin cut pictures.
//!
//! Pixels are taken as decoded, on the grid that starts at the frame's corner, where a file that
//! was compressed once has its own. Coefficients are of the orthonormal cosine transform (type
//! II), in levels, rows first: the first is the block's mean times 8.

use std::f32::consts::PI;

use effigy_face::patch::{Part, Patch};
use effigy_frame::Picture;
use effigy_frame::colour::luma;

/// Pixels a side of a block.
pub(crate) const SIDE_PX: usize = 8;
/// Pixels of a block.
pub(crate) const N_PIXELS: usize = SIDE_PX * SIDE_PX;
/// Blocks that are looked at: of more, some are left out evenly.
const MOST_BLOCKS: usize = 3000;

/// One block of brightness.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// Its column among the blocks of the patch.
    pub(crate) column: usize,
    /// Its row.
    pub(crate) row: usize,
    /// Which part of the face most of it is. [`Part::Inner`] holds eyes and lips too.
    pub(crate) part: Part,
    /// Its coefficients.
    pub(crate) coefficients: [f32; N_PIXELS],
}

/// The blocks of one face that lie in one part of it.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    /// Blocks a row.
    pub(crate) columns: usize,
    /// Rows.
    pub(crate) rows: usize,
    /// In rows.
    pub(crate) blocks: Vec<Block>,
}

impl Blocks {
    /// Cuts the blocks of `patch` out of the frame that it was taken from.
    pub(crate) fn of(picture: &Picture, patch: &Patch) -> Self {
        let first = |origin: u32| (origin as usize).div_ceil(SIDE_PX);
        let last =
            |origin: u32, side: usize| (origin as usize + side * patch.factor as usize) / SIDE_PX;
        let (left, top) = (first(patch.origin.0), first(patch.origin.1));
        let right = last(patch.origin.0, patch.width).max(left);
        let bottom = last(patch.origin.1, patch.height).max(top);
        let (columns, rows) = (right - left, bottom - top);
        let every = (columns * rows).div_ceil(MOST_BLOCKS).max(1);
        let cosines = Cosines::new();
        let mut blocks = Vec::new();
        for row in 0..rows {
            // Shifted from row to row, so that what is left out forms no lines.
            for column in (row * 3 % every..columns).step_by(every) {
                let at = ((left + column) * SIDE_PX, (top + row) * SIDE_PX);
                let Some(part) = part_of(patch, at) else {
                    continue;
                };
                blocks.push(Block {
                    column,
                    row,
                    part,
                    coefficients: cosines.transform(&brightness(picture, at)),
                });
            }
        }
        Self {
            columns,
            rows,
            blocks,
        }
    }
}

/// The part to which at least twelve of sixteen places of a block belong.
fn part_of(patch: &Patch, (x, y): (usize, usize)) -> Option<Part> {
    const PARTS: [Part; 3] = [Part::Inner, Part::Edge, Part::Around];
    let mut counts = [0; 3];
    for place in 0..16 {
        let (px, py) = (x + place % 4 * 2 + 1, y + place / 4 * 2 + 1);
        let part = match patch.part_at(px as u32, py as u32) {
            Part::Lips | Part::Eyes => Part::Inner,
            part => part,
        };
        if let Some(k) = PARTS.iter().position(|p| *p == part) {
            counts[k] += 1;
        }
    }
    let most = counts.iter().position(|n| 12 <= *n);
    most.map(|k| PARTS[k])
}

/// Reads the brightness of one block.
pub(crate) fn brightness(picture: &Picture, (x, y): (usize, usize)) -> [f32; N_PIXELS] {
    std::array::from_fn(|i| luma(picture.get((x + i % SIDE_PX) as u32, (y + i / SIDE_PX) as u32)))
}

/// The cosines of the transform.
#[derive(Clone, Debug)]
pub(crate) struct Cosines([[f32; SIDE_PX]; SIDE_PX]);

impl Cosines {
    /// Computes them.
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|k| {
            let scale = if k == 0 { 0.125_f32.sqrt() } else { 0.5 };
            std::array::from_fn(|n| scale * ((2 * n + 1) as f32 * k as f32 * PI / 16.0).cos())
        }))
    }

    /// Transforms one block.
    pub(crate) fn transform(&self, pixels: &[f32; N_PIXELS]) -> [f32; N_PIXELS] {
        let mut along = [0.0; N_PIXELS];
        for (row, out) in pixels.chunks_exact(8).zip(along.chunks_exact_mut(8)) {
            for (out, cosines) in out.iter_mut().zip(&self.0) {
                *out = row.iter().zip(cosines).map(|(v, c)| v * c).sum();
            }
        }
        let mut both = [0.0; N_PIXELS];
        for (out, cosines) in both.chunks_exact_mut(8).zip(&self.0) {
            for (row, weight) in along.chunks_exact(8).zip(cosines) {
                for (out, v) in out.iter_mut().zip(row) {
                    *out += weight * v;
                }
            }
        }
        both
    }
}

impl Default for Cosines {
    fn default() -> Self {
        Self::new()
    }
}

/// The luminance table of the JPEG standard (ITU-T T.81, table K.1), rows first.
const STANDARD_TABLE: [u16; N_PIXELS] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/// Gives the table that the common library (libjpeg) takes for `quality`, `1..=100`.
pub(crate) fn table(quality: u16) -> [u16; N_PIXELS] {
    let scale = if quality < 50 {
        5000 / quality.max(1)
    } else {
        200 - 2 * quality.min(100)
    };
    STANDARD_TABLE.map(|step| {
        let scaled = (u32::from(step) * u32::from(scale) + 50) / 100;
        scaled.clamp(1, 255) as u16
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transform_keeps_the_energy_and_finds_a_flat_block_flat() {
        let cosines = Cosines::new();
        let ramp: [f32; N_PIXELS] = std::array::from_fn(|i| (i * i % 251) as f32);
        let energy = |block: &[f32]| block.iter().map(|v| f64::from(v * v)).sum::<f64>();
        let kept = energy(&cosines.transform(&ramp)) / energy(&ramp);
        assert!((kept - 1.0).abs() < 1e-5, "{kept}"); // f32 sums of 64
        let flat = cosines.transform(&[3.0; N_PIXELS]);
        assert!((flat[0] - 24.0).abs() < 1e-4);
        assert!(flat[1..].iter().all(|v| v.abs() < 1e-5));
    }

    #[test]
    fn tables_are_those_of_the_common_library() {
        assert_eq!(table(50), STANDARD_TABLE);
        assert_eq!(table(90)[..4], [3, 2, 2, 3]);
        assert_eq!(table(100), [1; N_PIXELS]);
    }
}
