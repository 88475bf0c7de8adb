//! A smooth warp of a crop: the corners of a grid are displaced, what lies between follows.

use effigy_frame::Point2;

/// Where each place of a crop samples instead, by `N` corners per axis.
#[derive(Clone, Debug)]
pub(crate) struct Warp<const N: usize> {
    /// Side of a cell in pixels.
    cell: f32,
    /// How far the corners are displaced, in pixels, row by row.
    corners: [[Point2; N]; N],
}

impl<const N: usize> Warp<N> {
    /// Makes a warp of a crop of `side` pixels from how far each corner is displaced.
    pub(crate) fn new(side: u32, mut at: impl FnMut(Point2) -> Point2) -> Self {
        let cell = side as f32 / (N - 1) as f32;
        let mut corner =
            |row: usize, column: usize| at(Point2::new(column as f32 * cell, row as f32 * cell));
        Self {
            cell,
            corners: std::array::from_fn(|row| std::array::from_fn(|column| corner(row, column))),
        }
    }

    /// Where `at` samples instead, going `share` of the way: bilinear between the corners.
    pub(crate) fn place(&self, at: Point2, share: f32) -> Point2 {
        let last = (N - 1) as f32;
        let (gx, gy) = (
            (at.x / self.cell).clamp(0.0, last),
            (at.y / self.cell).clamp(0.0, last),
        );
        let (column, row) = ((gx as usize).min(N - 2), (gy as usize).min(N - 2));
        let (wx, wy) = (gx - column as f32, gy - row as f32);
        let corner = |r: usize, c: usize| self.corners[row + r][column + c];
        let mix = |pick: fn(Point2) -> f32| {
            let upper = (1.0 - wx) * pick(corner(0, 0)) + wx * pick(corner(0, 1));
            let lower = (1.0 - wx) * pick(corner(1, 0)) + wx * pick(corner(1, 1));
            (1.0 - wy) * upper + wy * lower
        };
        Point2::new(at.x + share * mix(|p| p.x), at.y + share * mix(|p| p.y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_between_corners_follows_them() {
        let warp = Warp::<9>::new(96, |at| Point2::new(0.5 * at.x, -1.0));
        let place = warp.place(Point2::new(50.0, 30.0), 1.0);
        assert!(place.distance(Point2::new(75.0, 29.0)) < 1e-3, "{place:?}");
        let half = warp.place(Point2::new(50.0, 30.0), 0.5);
        assert!(half.distance(Point2::new(62.5, 29.5)) < 1e-3, "{half:?}");
        let outside = warp.place(Point2::new(-10.0, 30.0), 1.0);
        assert!(
            outside.distance(Point2::new(-10.0, 29.0)) < 1e-3,
            "{outside:?}"
        );
    }
}
