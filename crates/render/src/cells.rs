//! A coarse grid of [`CELLS`] cells a side over a crop: colours, and connected groups of cells.

use effigy_frame::colour::luma;
use effigy_frame::{Picture, Plane, Point2, resample};

use crate::mask::blur;

/// Cells along each side of the crop.
pub(crate) const CELLS: usize = 48;
/// Smallest occluder, in cells.
const FEWEST_CELLS: usize = 10;

/// Luma, blue and red difference of each cell.
pub(crate) fn cells_of(picture: &Picture) -> Vec<[f32; 3]> {
    let small = resample::resize(picture, CELLS as u32, CELLS as u32);
    let cell = |rgb: &[u8]| {
        let [r, _, b] = [rgb[0], rgb[1], rgb[2]].map(f32::from);
        let luma = luma([rgb[0], rgb[1], rgb[2]]);
        [luma, 0.564 * (b - luma), 0.713 * (r - luma)]
    };
    small.pixels().chunks_exact(3).map(cell).collect()
}

/// Averages of a plane over each cell.
pub(crate) fn cells_of_plane(plane: &Plane) -> Vec<f32> {
    let side = plane.width();
    let from = |cell: usize| cell * side / CELLS;
    let to = |cell: usize| ((cell + 1) * side).div_ceil(CELLS).min(side);
    let cell = |i: usize| {
        let (x, y) = (i % CELLS, i / CELLS);
        let rows = from(y)..to(y);
        let n = (rows.len() * (from(x)..to(x)).len()) as f32;
        let sum: f32 = rows
            .flat_map(|y| &plane.values()[y * side + from(x)..y * side + to(x)])
            .sum();
        sum / n
    };
    (0..CELLS * CELLS).map(cell).collect()
}

/// The median; 0 of nothing.
pub(crate) fn middle(values: &mut [f32]) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let half = values.len() / 2;
    *values.select_nth_unstable_by(half, f32::total_cmp).1
}

pub(crate) fn cell_at(at: Point2, scale: f32) -> usize {
    let cell = |v: f32| ((v / scale).max(0.0) as usize).min(CELLS - 1);
    cell(at.y) * CELLS + cell(at.x)
}

/// The four cells beside a cell; fewer at the edge of the crop.
pub(crate) fn neighbours(i: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (i % CELLS, i / CELLS);
    [
        (0 < x).then(|| i.wrapping_sub(1)),
        (x + 1 < CELLS).then_some(i + 1),
        (0 < y).then(|| i.wrapping_sub(CELLS)),
        (y + 1 < CELLS).then_some(i + CELLS),
    ]
    .into_iter()
    .flatten()
}

/// All cells that are reached from `first` through those that `belong`.
pub(crate) fn spread(mut first: Vec<usize>, belong: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut reached = vec![false; CELLS * CELLS];
    first.iter().for_each(|&i| reached[i] = true);
    while let Some(i) = first.pop() {
        for next in neighbours(i) {
            if !reached[next] && belong(next) {
                reached[next] = true;
                first.push(next);
            }
        }
    }
    reached
}

/// Forgets groups of few cells.
pub(crate) fn drop_small(cells: &mut [bool]) {
    let mut counted = vec![false; cells.len()];
    for i in 0..cells.len() {
        if !cells[i] || counted[i] {
            continue;
        }
        let group = spread(vec![i], |j| cells[j]);
        let n = group.iter().filter(|&&is_in| is_in).count();
        for (j, is_in) in group.into_iter().enumerate() {
            counted[j] |= is_in;
            cells[j] &= !(is_in && n < FEWEST_CELLS);
        }
    }
}

/// Fills holes and takes in the cells beside: an edge is half occluder.
pub(crate) fn closed(cells: &[bool], inside: &[bool]) -> Vec<bool> {
    let outside: Vec<usize> = (0..cells.len()).filter(|&i| !inside[i]).collect();
    let open = spread(outside, |i| !cells[i]);
    let is_filled = |i: usize| inside[i] && (cells[i] || !open[i]);
    let filled: Vec<bool> = (0..cells.len()).map(is_filled).collect();
    let touches_filled = |i: usize| filled[i] || neighbours(i).any(|j| filled[j]);
    (0..cells.len()).map(touches_filled).collect()
}

/// Cells to crop pixels, smoothed.
pub(crate) fn enlarged(level: &[f32], side: usize) -> Plane {
    let soft = blur(&Plane::new(CELLS, CELLS, level.to_vec()), 1);
    let scale = CELLS as f32 / side as f32;
    let last = CELLS - 2;
    let place = |at: usize| {
        let at = ((at as f32 + 0.5) * scale - 0.5).clamp(0.0, last as f32 + 0.999);
        (at as usize, at.fract())
    };
    let places: Vec<(usize, f32)> = (0..side).map(place).collect();
    let mut values = Vec::with_capacity(side * side);
    for &(y, down) in &places {
        values.extend(places.iter().map(|&(x, across)| {
            let row = |y: usize| {
                let (a, b) = (soft.get(x, y), soft.get(x + 1, y));
                a + across * (b - a)
            };
            let (upper, lower) = (row(y), row(y + 1));
            // Stretched, so that the fade that the blur left is about a cell wide.
            ((upper + down * (lower - upper)) * 1.6 - 0.3).clamp(0.0, 1.0)
        }));
    }
    Plane::new(side, side, values)
}
