//! Activations between layers: cells with their channels side by side, and how they are pooled.

use effigy_frame::{Picture, Point2};

use super::leaky_relu_of;
use crate::tensors::{PATCH, PATCH_CHANNELS};

/// Activations: `rows × columns × channels`, with a border of one zero cell all around.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Channels a cell takes; those beyond what the layer gives are zero.
    pub(crate) channels: usize,
    /// Cell by cell, row by row, the border included.
    pub(super) values: Vec<f32>,
}

impl Map {
    /// A map of zeros.
    pub(super) fn new(rows: usize, columns: usize, channels: usize) -> Self {
        Self {
            rows,
            columns,
            channels,
            values: vec![0.0; (rows + 2) * (columns + 2) * channels],
        }
    }

    /// Lays a picture out as patches, as [`crate::tensors::space_to_depth`] does.
    pub(crate) fn from_picture(picture: &Picture) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        assert!(
            width.is_multiple_of(PATCH) && height.is_multiple_of(PATCH),
            "{width}x{height}"
        );
        let mut map = Self::new(height / PATCH, width / PATCH, PATCH_CHANNELS);
        let strip = PATCH * 3; // one row of a patch
        for (y, line) in picture.pixels().chunks_exact(width * 3).enumerate() {
            let first = map.place(y / PATCH, 0) + y % PATCH * strip;
            for (x, pixels) in line.chunks_exact(strip).enumerate() {
                let from = first + x * PATCH_CHANNELS;
                for (value, &pixel) in map.values[from..from + strip].iter_mut().zip(pixels) {
                    *value = f32::from(pixel) * (1.0 / 127.5) - 1.0;
                }
            }
        }
        map
    }

    /// Takes over planes of `side` cells a side, one for each channel.
    pub(crate) fn from_planes(planes: &[f32], side: usize, n_channels: usize) -> Self {
        assert_eq!(planes.len(), side * side * n_channels);
        let mut map = Self::new(side, side, n_channels);
        for (channel, plane) in planes.chunks_exact(side * side).enumerate() {
            for (i, &value) in plane.iter().enumerate() {
                let at = map.place(i / side, i % side) + channel;
                map.values[at] = value;
            }
        }
        map
    }

    /// Where a cell begins.
    pub(super) fn place(&self, row: usize, column: usize) -> usize {
        ((row + 1) * (self.columns + 2) + column + 1) * self.channels
    }

    /// The channels of a cell.
    pub(crate) fn cell(&self, row: usize, column: usize) -> &[f32] {
        let from = self.place(row, column);
        &self.values[from..from + self.channels]
    }

    /// The cells of a row, without the border.
    pub(super) fn row(&self, row: usize) -> &[f32] {
        let from = self.place(row, 0);
        &self.values[from..from + self.columns * self.channels]
    }

    /// The cells of a row, to be written.
    pub(super) fn row_mut(&mut self, row: usize) -> &mut [f32] {
        let from = self.place(row, 0);
        &mut self.values[from..from + self.columns * self.channels]
    }

    /// One plane for each channel, without the border.
    pub(crate) fn planes(&self) -> Vec<f32> {
        let plane = |channel: usize| {
            let rows = (0..self.rows).flat_map(|row| self.row(row).chunks_exact(self.channels));
            rows.map(move |cell| cell[channel])
        };
        (0..self.channels).flat_map(plane).collect()
    }

    /// A square map of `side` cells a side, cut out of this one: bilinear, zero beyond the border.
    /// `ours_from_cut` takes a place in the cut, `0..=1`, to one in this map, in cells; middles of
    /// cells lie at halves.
    pub(crate) fn cut_out(&self, ours_from_cut: impl Fn(Point2) -> Point2, side: usize) -> Self {
        let mut cut = Self::new(side, side, self.channels);
        let share = |cell: usize| (cell as f32 + 0.5) / side as f32;
        for (row, column) in (0..side).flat_map(|row| (0..side).map(move |column| (row, column))) {
            let at = ours_from_cut(Point2::new(share(column), share(row)));
            let to = cut.place(row, column);
            self.add_bilinear(at, &mut cut.values[to..to + self.channels]);
        }
        cut
    }

    fn add_bilinear(&self, at: Point2, to: &mut [f32]) {
        let (x, y) = (at.x - 0.5, at.y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (right_share, lower_share) = (x - left, y - top);
        for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
            let (column, row) = (left + dx, top + dy);
            let is_inside = (0.0..self.columns as f32).contains(&column)
                && (0.0..self.rows as f32).contains(&row);
            if is_inside {
                let share = (1.0 - dx + (2.0 * dx - 1.0) * right_share)
                    * (1.0 - dy + (2.0 * dy - 1.0) * lower_share);
                let cell = self.cell(row as usize, column as usize);
                for (to, value) in to.iter_mut().zip(cell) {
                    *to += share * value;
                }
            }
        }
    }

    /// Adds a map of half the size, each of its cells to four of ours, and applies a leaky ReLU.
    pub(crate) fn add_upsampled(&mut self, half: &Self) {
        for row in 0..self.rows {
            for column in 0..self.columns {
                let from = self.place(row, column);
                let more = half.cell(row / 2, column / 2);
                for (value, more) in self.values[from..].iter_mut().zip(more) {
                    *value = leaky_relu_of(*value + more);
                }
            }
        }
    }

    /// The largest of every 3 × 3 cells, two apart.
    pub(crate) fn max_pooled(&self) -> Self {
        let mut pooled = Self::new((self.rows - 1) / 2, (self.columns - 1) / 2, self.channels);
        for row in 0..pooled.rows {
            for column in 0..pooled.columns {
                let to = pooled.place(row, column);
                let largest = &mut pooled.values[to..to + self.channels];
                largest.copy_from_slice(self.cell(2 * row, 2 * column));
                for tap in 1..9 {
                    let cell = self.cell(2 * row + tap / 3, 2 * column + tap % 3);
                    for (largest, value) in largest.iter_mut().zip(cell) {
                        *largest = largest.max(*value);
                    }
                }
            }
        }
        pooled
    }

    /// The largest of every 2 × 2 cells, in a map of these channels; those beyond ours are zero.
    pub(super) fn max_halved(&self, channels: usize) -> Self {
        let mut halved = Self::new(self.rows / 2, self.columns / 2, channels);
        for row in 0..halved.rows {
            for column in 0..halved.columns {
                let to = halved.place(row, column);
                let largest = &mut halved.values[to..to + self.channels];
                largest.copy_from_slice(self.cell(2 * row, 2 * column));
                for (dy, dx) in [(0, 1), (1, 0), (1, 1)] {
                    let cell = self.cell(2 * row + dy, 2 * column + dx);
                    for (largest, value) in largest.iter_mut().zip(cell) {
                        *largest = largest.max(*value);
                    }
                }
            }
        }
        halved
    }

    /// The mean of every 2 × 2 cells, in a map of at least these cells and exactly these channels;
    /// what lies beyond is zero. An odd last row or column is left out.
    pub(crate) fn mean_pooled(&self, least: (usize, usize), channels: usize) -> Self {
        let (rows, columns) = (self.rows / 2, self.columns / 2);
        let mut pooled = Self::new(rows.max(least.0), columns.max(least.1), channels);
        for row in 0..rows {
            for column in 0..columns {
                let to = pooled.place(row, column);
                let sums = &mut pooled.values[to..to + self.channels];
                for tap in 0..4 {
                    let cell = self.cell(2 * row + tap / 2, 2 * column + tap % 2);
                    for (sum, value) in sums.iter_mut().zip(cell) {
                        *sum += 0.25 * value;
                    }
                }
            }
        }
        pooled
    }

    /// Adds a map of at most our size, cell on cell, and takes the ReLU of all.
    pub(crate) fn add_and_relu(&mut self, other: &Self) {
        for row in 0..other.rows {
            for column in 0..other.columns {
                let from = self.place(row, column);
                let sums = self.values[from..].iter_mut();
                sums.zip(other.cell(row, column))
                    .for_each(|(sum, value)| *sum += value);
            }
        }
        self.values
            .iter_mut()
            .for_each(|value| *value = value.max(0.0));
    }

    /// Adds a map of half the size, each of whose cells holds the channels of four of ours: `n` for the
    /// upper left, then upper right, lower left and lower right.
    pub(crate) fn add_spread(&mut self, half: &Self, n: usize) {
        for (row, column) in
            (0..self.rows).flat_map(|row| (0..self.columns).map(move |column| (row, column)))
        {
            let from = self.place(row, column);
            let quarter = row % 2 * 2 + column % 2;
            let more = &half.cell(row / 2, column / 2)[quarter * n..(quarter + 1) * n];
            let sums = self.values[from..].iter_mut();
            sums.zip(more).for_each(|(sum, value)| *sum += value);
        }
    }

    /// Ends a ReLU.
    pub(crate) fn limit(&mut self, ceiling: f32) {
        let values = self.values.iter_mut();
        values.for_each(|value| *value = value.min(ceiling));
    }

    /// The mean of all cells.
    pub(crate) fn mean_cell(&self) -> Vec<f32> {
        let mut mean = vec![0.0; self.channels];
        let share = 1.0 / (self.rows * self.columns) as f32;
        for cell in self.flat().chunks_exact(self.channels) {
            for (mean, value) in mean.iter_mut().zip(cell) {
                *mean += share * value;
            }
        }
        mean
    }

    /// All cells in a row, without the border.
    pub(crate) fn flat(&self) -> Vec<f32> {
        let cells = (0..self.rows).flat_map(|row| (0..self.columns).map(move |x| (row, x)));
        cells
            .flat_map(|(row, column)| self.cell(row, column))
            .copied()
            .collect()
    }
}
