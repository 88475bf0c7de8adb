//! The blending judge on the CPU; see [`crate::cpu`].

use effigy_frame::Plane;

use super::traces::{CELLS, CHANNELS};
use super::{Blend, BlendJudge, FINE, NARROW, WIDE};
use crate::cpu::{Conv, Dense, Map, Pair};

/// The layers, in order.
#[derive(Debug)]
pub(super) struct CpuNet {
    to_16: Conv,
    at_16: Vec<Pair>,
    to_8: Conv,
    at_8: Vec<Pair>,
    back: Conv,
    merged: Conv,
    to_seam: Conv,
    narrow: Conv,
    latent: Dense,
    to_blended: Dense,
}

impl CpuNet {
    pub(super) fn new(net: &BlendJudge) -> Self {
        Self {
            to_16: Conv::new(&net.to_16),
            at_16: net.at_16.iter().map(Pair::new).collect(),
            to_8: Conv::new(&net.to_8),
            at_8: net.at_8.iter().map(Pair::new).collect(),
            back: Conv::new(&net.back),
            merged: Conv::new(&net.merged),
            to_seam: Conv::new(&net.to_seam),
            narrow: Conv::new(&net.narrow),
            latent: Dense::new(&net.latent),
            to_blended: Dense::new(&net.to_blended),
        }
    }

    /// `inputs` as [`BlendJudge::inputs`] lays them out, of one crop.
    pub(super) fn score(&self, inputs: &[f32]) -> Blend {
        let x = Map::from_planes(inputs, CELLS, CHANNELS);
        let x = self.to_16.run_leaky_relu(&x);
        let mut fine = self.at_16.iter().fold(x, |x, pair| pair.run(&x));
        let x = self.to_8.run_leaky_relu(&fine);
        let wide = self.at_8.iter().fold(x, |x, pair| pair.run(&x));
        fine.add_upsampled(&self.back.run(&wide));
        let fine = self.merged.run_leaky_relu(&fine);
        let seam = self.to_seam.run(&fine);
        let mut pooled_values = pooled(&fine, FINE);
        pooled_values.extend(pooled(&wide, WIDE));
        let placed = self.narrow.run_leaky_relu(&wide);
        pooled_values.extend(
            (0..NARROW)
                .flat_map(|channel| {
                    let cells =
                        (0..placed.rows).flat_map(|row| (0..placed.columns).map(move |x| (row, x)));
                    cells.map(move |(row, x)| (row, x, channel))
                })
                .map(|(row, x, channel)| placed.cell(row, x)[channel]),
        );
        let latent = self.latent.run_leaky_relu(&pooled_values);
        let side = BlendJudge::MAP_SIDE;
        let cells = (0..side * side).map(|i| sigmoid(seam.cell(i / side, i % side)[0]));
        Blend {
            score: sigmoid(self.to_blended.run(&latent)[0]),
            seam: Plane::new(side, side, cells.collect()),
        }
    }
}

/// Mean of each channel, then the largest of each.
fn pooled(map: &Map, n_channels: usize) -> Vec<f32> {
    let mut sums = vec![0.0; n_channels];
    let mut most = vec![f32::NEG_INFINITY; n_channels];
    for (row, column) in (0..map.rows).flat_map(|row| (0..map.columns).map(move |x| (row, x))) {
        for ((sum, most), &value) in sums.iter_mut().zip(&mut most).zip(map.cell(row, column)) {
            *sum += value;
            *most = most.max(value);
        }
    }
    let n_cells = (map.rows * map.columns) as f32;
    sums.iter().map(|sum| sum / n_cells).chain(most).collect()
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}
