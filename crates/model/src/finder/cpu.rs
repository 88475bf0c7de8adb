//! The finder on the CPU; see [`crate::cpu`].

use effigy_frame::Picture;

use super::{CELL_CHANNELS, Finder, Grid, STRIDES};
use crate::cpu::{Conv, Map, Pair};

/// The layers, in the order in which they are used.
#[derive(Debug)]
pub(super) struct CpuNet {
    to_8: Conv,
    at_8: Pair,
    to_16: Conv,
    at_16: Pair,
    to_32: Conv,
    at_32: Pair,
    from_32: Conv,
    from_16: Conv,
    heads: [Conv; 3],
}

impl CpuNet {
    pub(super) fn new(net: &Finder) -> Self {
        Self {
            to_8: Conv::new(&net.to_8),
            at_8: Pair::new(&net.at_8),
            to_16: Conv::new(&net.to_16),
            at_16: Pair::new(&net.at_16),
            to_32: Conv::new(&net.to_32),
            at_32: Pair::new(&net.at_32),
            from_32: Conv::new(&net.from_32),
            from_16: Conv::new(&net.from_16),
            heads: [&net.head_8, &net.head_16, &net.head_32].map(Conv::new),
        }
    }

    /// Gives the three grids; the sides of `input` are multiples of the largest stride.
    pub(super) fn grids(&self, input: &Picture) -> [Grid; 3] {
        let input = Map::from_picture(input);
        let mut x8 = self.at_8.run(&self.to_8.run_leaky_relu(&input));
        let mut x16 = self.at_16.run(&self.to_16.run_leaky_relu(&x8));
        let x32 = self.at_32.run(&self.to_32.run_leaky_relu(&x16));
        x16.add_upsampled(&self.from_32.run(&x32));
        x8.add_upsampled(&self.from_16.run(&x16));
        let [head_8, head_16, head_32] = &self.heads;
        [
            grid(&head_8.run(&x8), STRIDES[0]),
            grid(&head_16.run(&x16), STRIDES[1]),
            grid(&head_32.run(&x32), STRIDES[2]),
        ]
    }
}

fn grid(map: &Map, stride: usize) -> Grid {
    let (rows, columns) = (map.rows, map.columns);
    let mut cells = vec![0.0; CELL_CHANNELS * rows * columns];
    for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
        let planes = cells[row * columns + column..]
            .iter_mut()
            .step_by(rows * columns);
        for (value, &channel) in planes.zip(map.cell(row, column)) {
            *value = channel;
        }
    }
    Grid {
        cells,
        rows,
        columns,
        stride: stride as f32,
    }
}
