//! The grid of 8 × 8 blocks that JPEG left: where it begins, in the face and around it.
//!
//! After Nikoukhah et al., "ZERO: a local JPEG grid origin detector based on the number of DCT
//! zeros and its applications in image forensics", Image Processing On Line 2021: a block that
//! lies on the grid has more coefficients that are nought than one that does not. Each place
//! votes for one of the 64 origins; by chance each gets one vote in 64.

use effigy_face::patch::{Part, Patch};
use effigy_frame::{Picture, Plane};

use super::chance::ln_tail;
use crate::signal::blocks::{Cosines, N_PIXELS, SIDE_PX, brightness};

/// A grid that was found in one part of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Grid {
    /// Where it begins, `0..8` columns and rows from the frame's corner.
    pub(super) origin: (usize, usize),
    /// Natural logarithm of how many grids would be found by chance.
    pub(super) ln_by_chance: f64,
}

/// A face whose grid is not that of its surroundings.
pub(super) struct Foreign {
    pub(super) face: Grid,
    pub(super) around: Grid,
    /// Where places vote for the face's grid, `0..=1`, stretched over the patch.
    pub(super) map: Plane,
}

/// Pixels between places: their blocks do not overlap, so that votes are independent.
const STEP_PX: usize = 16;
/// Places of one part that vote at most.
const MOST_VOTES: usize = 500;
/// A grid found by chance once in ten thousand faces and once in a thousand surroundings.
const LN_RARE_FACE: f64 = -9.2;
const LN_RARE_AROUND: f64 = -6.9;

/// Compares the grids of a face and of its surroundings. `None` where they agree or either has
/// none.
pub(super) fn foreign(picture: &Picture, patch: &Patch) -> Option<Foreign> {
    let cosines = Cosines::new();
    let votes = |is_part: &dyn Fn(Part) -> bool| -> Vec<Vote> {
        let places = places(picture, patch, is_part);
        let cast = |at| Vote::at(picture, at, &cosines);
        places.into_iter().filter_map(cast).collect()
    };
    let inner = votes(&|part| matches!(part, Part::Inner | Part::Eyes | Part::Lips));
    let face = grid(&inner).filter(|grid| grid.ln_by_chance < LN_RARE_FACE)?;
    let outer = votes(&|part| part == Part::Around);
    let around = grid(&outer).filter(|grid| grid.ln_by_chance < LN_RARE_AROUND)?;
    (face.origin != around.origin).then(|| Foreign {
        face,
        around,
        map: map(patch, inner.iter().chain(&outer), face.origin),
    })
}

/// The grid whose origin gets the most votes.
fn grid(votes: &[Vote]) -> Option<Grid> {
    let mut counts = [0_u32; N_PIXELS];
    for vote in votes {
        counts[vote.origin.1 * SIDE_PX + vote.origin.0] += 1;
    }
    let best = (0..N_PIXELS).max_by_key(|i| counts[*i])?;
    Some(Grid {
        origin: (best % SIDE_PX, best / SIDE_PX),
        ln_by_chance: (N_PIXELS as f64).ln()
            + ln_tail(votes.len() as u32, counts[best], 1.0 / N_PIXELS as f64),
    })
}

/// Places whose whole neighbourhood lies in one part, evenly thinned.
fn places(picture: &Picture, patch: &Patch, is_part: &dyn Fn(Part) -> bool) -> Vec<(usize, usize)> {
    let reach = 2 * SIDE_PX - 1;
    let (left, top) = (patch.origin.0 as usize, patch.origin.1 as usize);
    let right = (left + patch.width * patch.factor as usize).min(picture.width() as usize);
    let bottom = (top + patch.height * patch.factor as usize).min(picture.height() as usize);
    let mut found = Vec::new();
    for y in (top..bottom.saturating_sub(reach)).step_by(STEP_PX) {
        for x in (left..right.saturating_sub(reach)).step_by(STEP_PX) {
            let (x, y) = (x.next_multiple_of(SIDE_PX), y.next_multiple_of(SIDE_PX));
            let mut corners = [(0, 0), (reach, 0), (0, reach), (reach, reach)].into_iter();
            let fits = x + reach < right && y + reach < bottom;
            if fits
                && corners.all(|(dx, dy)| is_part(patch.part_at((x + dx) as u32, (y + dy) as u32)))
            {
                found.push((x, y));
            }
        }
    }
    let every = found.len().div_ceil(MOST_VOTES).max(1);
    found.into_iter().step_by(every).collect()
}

/// One place's vote.
struct Vote {
    at: (usize, usize),
    origin: (usize, usize),
}

impl Vote {
    /// `None` where two origins are equally good: flat places say nothing.
    fn at(picture: &Picture, (x, y): (usize, usize), cosines: &Cosines) -> Option<Self> {
        let (mut most, mut best, mut tied) = (0, (0, 0), false);
        for i in 0..N_PIXELS {
            let origin = (i % SIDE_PX, i / SIDE_PX);
            let block = brightness(picture, (x + origin.0, y + origin.1));
            let block = cosines.transform(&block.map(f32::round));
            let zeros = block.iter().filter(|v| v.abs() < 0.5).count();
            if most < zeros {
                (most, best, tied) = (zeros, origin, false);
            } else if most == zeros {
                tied = true;
            }
        }
        (!tied).then_some(Self {
            at: (x, y),
            origin: best,
        })
    }
}

/// Shares of votes for `origin` in the neighbourhood of each cell.
fn map<'a>(patch: &Patch, votes: impl Iterator<Item = &'a Vote>, origin: (usize, usize)) -> Plane {
    let side = STEP_PX;
    let columns = (patch.width * patch.factor as usize).div_ceil(side).max(1);
    let rows = (patch.height * patch.factor as usize).div_ceil(side).max(1);
    let mut counts = vec![(0_u32, 0_u32); columns * rows];
    for vote in votes {
        let column = (vote.at.0 - patch.origin.0 as usize) / side;
        let row = (vote.at.1 - patch.origin.1 as usize) / side;
        for row in row.saturating_sub(1)..(row + 2).min(rows) {
            for column in column.saturating_sub(1)..(column + 2).min(columns) {
                let cell = &mut counts[row * columns + column];
                cell.0 += u32::from(vote.origin == origin);
                cell.1 += 1;
            }
        }
    }
    let share = |(hits, n): (u32, u32)| hits as f32 / n.max(1) as f32;
    Plane::new(columns, rows, counts.into_iter().map(share).collect())
}
