//! Whether a part of the face stands a second time in the picture.
//!
//! After Fridrich, Soukal and Lukáš, "Detection of copy-move forgery in digital images", DFRWS
//! 2003: blocks that are alike are found by what is left of them after quantisation, and count
//! only when many of them lie the same way apart.

use std::collections::BTreeMap;
use std::collections::HashMap;

use effigy_face::patch::{Part, Patch};
use effigy_frame::colour::luma;
use effigy_frame::{Picture, Plane};

/// A face that stands twice in the picture, in part at least.
pub(super) struct Copied {
    /// From the face to its other place, in pixels.
    pub(super) offset: (i32, i32),
    /// What stands twice, `0..=1`, stretched over the patch.
    pub(super) map: Plane,
}

/// Side of the blocks that are compared.
const BLOCK_PX: usize = 16;
/// Pixels between blocks of the face.
const STEP_PX: usize = 4;
/// Larger pictures are not searched: it would take too long.
const MOST_PIXELS: usize = 1 << 24;
/// Copies nearer than this are the face's own smoothness.
const LEAST_APART_PX: i32 = 24;
/// So many blocks must lie the same way apart.
const LEAST_BLOCKS: usize = 24;
/// Mean difference of two blocks that count as alike, in levels: what compression leaves.
const MOST_DIFFERENCE: f32 = 2.5;
/// Blocks whose quarters differ less than this in brightness are too flat to tell apart.
const LEAST_CONTRAST: f32 = 6.0;
/// Levels of a quarter's mean that count as one.
const LEVELS: f32 = 3.0;
/// Blocks of the face that share a key, at most: more are a pattern.
const MOST_ALIKE: usize = 8;

/// Looks for parts of the face elsewhere in the picture.
pub(super) fn copied(picture: &Picture, patch: &Patch) -> Option<Copied> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if MOST_PIXELS < width * height || width < BLOCK_PX || height < BLOCK_PX {
        return None;
    }
    let sums = Sums::of(picture);
    let face = face_blocks(patch, &sums);
    let mut found: BTreeMap<(i32, i32), Vec<(usize, usize)>> = BTreeMap::new();
    for y in 0..=height - BLOCK_PX {
        for x in 0..=width - BLOCK_PX {
            let Some(alike) = sums.key(x, y).and_then(|key| face.get(&key)) else {
                continue;
            };
            for &(fx, fy) in alike {
                let offset = (x as i32 - fx as i32, y as i32 - fy as i32);
                let apart = offset.0.abs().max(offset.1.abs());
                if LEAST_APART_PX <= apart && is_alike(&sums, (fx, fy), (x, y)) {
                    found.entry(offset).or_default().push((fx, fy));
                }
            }
        }
    }
    let (offset, blocks) = found.into_iter().max_by_key(|(_, blocks)| blocks.len())?;
    (LEAST_BLOCKS <= blocks.len()).then(|| Copied {
        offset,
        map: map(patch, &blocks),
    })
}

type Key = [i16; 4];

/// Blocks of the face that have contrast, by their key.
fn face_blocks(patch: &Patch, sums: &Sums) -> HashMap<Key, Vec<(usize, usize)>> {
    let (left, top) = (patch.origin.0 as usize, patch.origin.1 as usize);
    let right = (left + patch.width * patch.factor as usize).min(sums.width);
    let bottom = (top + patch.height * patch.factor as usize).min(sums.height);
    let mut blocks: HashMap<Key, Vec<(usize, usize)>> = HashMap::new();
    for y in (top..bottom.saturating_sub(BLOCK_PX)).step_by(STEP_PX) {
        for x in (left..right.saturating_sub(BLOCK_PX)).step_by(STEP_PX) {
            let middle = BLOCK_PX / 2;
            let part = patch.part_at((x + middle) as u32, (y + middle) as u32);
            let is_face = matches!(part, Part::Inner | Part::Eyes | Part::Lips);
            if let Some(key) = sums.key(x, y).filter(|_| is_face) {
                let alike = blocks.entry(key).or_default();
                if alike.len() < MOST_ALIKE {
                    alike.push((x, y));
                }
            }
        }
    }
    blocks
}

fn is_alike(sums: &Sums, a: (usize, usize), b: (usize, usize)) -> bool {
    let mut sum = 0.0;
    for i in 0..64 {
        let (dx, dy) = (i % 8 * 2, i / 8 * 2);
        let at = |(x, y): (usize, usize)| sums.bright[(y + dy) * sums.width + x + dx];
        sum += (at(a) - at(b)).abs();
        if 64.0 * MOST_DIFFERENCE <= sum {
            return false;
        }
    }
    true
}

fn map(patch: &Patch, blocks: &[(usize, usize)]) -> Plane {
    let side = BLOCK_PX;
    let columns = (patch.width * patch.factor as usize).div_ceil(side).max(1);
    let rows = (patch.height * patch.factor as usize).div_ceil(side).max(1);
    let mut map = Plane::filled(columns, rows, 0.0);
    for (x, y) in blocks {
        let column = (x + side / 2 - patch.origin.0 as usize) / side;
        let row = (y + side / 2 - patch.origin.1 as usize) / side;
        if column < columns && row < rows {
            map.values_mut()[row * columns + column] = 1.0;
        }
    }
    map
}

/// Brightness, and its sums over all that is above and to the left.
struct Sums {
    width: usize,
    height: usize,
    bright: Vec<f32>,
    /// One more column and row than the picture.
    sums: Vec<f64>,
}

impl Sums {
    fn of(picture: &Picture) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let pixels = picture.pixels().chunks_exact(3);
        let bright: Vec<f32> = pixels.map(|p| luma([p[0], p[1], p[2]])).collect();
        let mut sums = vec![0.0; (width + 1) * (height + 1)];
        for y in 0..height {
            let mut row = 0.0;
            for x in 0..width {
                row += f64::from(bright[y * width + x]);
                sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
            }
        }
        Self {
            width,
            height,
            bright,
            sums,
        }
    }

    /// The means of a block's quarters, coarsely; `None` where they hardly differ.
    fn key(&self, x: usize, y: usize) -> Option<Key> {
        const HALF: usize = BLOCK_PX / 2;
        let sum = |x: usize, y: usize| self.sums[y * (self.width + 1) + x];
        let mean = |x: usize, y: usize| {
            let (right, bottom) = (x + HALF, y + HALF);
            let sum = sum(right, bottom) - sum(x, bottom) - sum(right, y) + sum(x, y);
            (sum / (HALF * HALF) as f64) as f32
        };
        let quarters = [(0, 0), (HALF, 0), (0, HALF), (HALF, HALF)];
        let means = quarters.map(|(dx, dy)| mean(x + dx, y + dy));
        let most = means.iter().copied().fold(f32::MIN, f32::max);
        let least = means.iter().copied().fold(f32::MAX, f32::min);
        (LEAST_CONTRAST <= most - least).then(|| means.map(|m| (m / LEVELS + 0.5) as i16))
    }
}
