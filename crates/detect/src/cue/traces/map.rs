//! Where in the face a filter's score comes from.

use effigy_frame::Plane;
use effigy_model::{FeatureMap, PictureNet, TraceBank};

use super::features::{N_CHANNELS, N_KINDS, REGION_SHARES};

/// Cells along a side of the map.
const SIDE: usize = 28;
/// Shares from this many deviations above the mean on are as wrong as can be.
const MOST_DEVIATIONS: f32 = 3.0;

/// Maps what each place adds to the score of the filter that scores highest, by the means of its
/// regions: `0..=1`, zero where it adds no more than the mean place.
pub(super) fn of_loudest(maps: &[FeatureMap], scores: &[f32], bank: &TraceBank) -> Plane {
    let loudest = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let filter = loudest.unwrap_or(0);
    let mut shares = vec![0.0; SIDE * SIDE];
    let mut first_channel = 0;
    for (level, map) in maps.iter().enumerate() {
        for (region, inside) in REGION_SHARES.iter().enumerate() {
            let first = region * N_KINDS * N_CHANNELS + first_channel;
            let cells = map.cells().zip(&inside.0[level]).enumerate();
            for (i, (cell, share)) in cells.filter(|(_, (_, share))| **share > 0.0) {
                // The mean, and the mean less that of the surroundings.
                let weight = |channel: usize| {
                    let mean = bank.weight(first + channel, filter);
                    mean + bank.weight(first + N_CHANNELS + channel, filter)
                };
                let sum: f32 = cell.iter().enumerate().map(|(c, v)| v * weight(c)).sum();
                add(&mut shares, map.side, i, share * sum);
            }
        }
        first_channel += PictureNet::N_CHANNELS[level];
    }
    scaled(&shares)
}

/// Adds what a cell of a map of `side` cells holds to those of ours that lie in it, or to the one it
/// lies in.
fn add(shares: &mut [f32], side: usize, cell: usize, value: f32) {
    let (row, column) = (cell / side, cell % side);
    if side <= SIDE {
        let n = SIDE / side;
        for (y, x) in (0..n).flat_map(|y| (0..n).map(move |x| (y, x))) {
            shares[(row * n + y) * SIDE + column * n + x] += value / (n * n) as f32;
        }
    } else {
        let n = side / SIDE;
        shares[row / n * SIDE + column / n] += value;
    }
}

/// By how many deviations each share lies above the mean of those in a region.
fn scaled(shares: &[f32]) -> Plane {
    let inside: Vec<f32> = shares
        .iter()
        .copied()
        .filter(|share| *share != 0.0)
        .collect();
    let n = inside.len().max(1) as f32;
    let mean = inside.iter().sum::<f32>() / n;
    let deviation = (inside.iter().map(|s| (s - mean).powi(2)).sum::<f32>() / n).sqrt();
    let mut plane = Plane::filled(SIDE, SIDE, 0.0);
    for (value, &share) in plane.values_mut().iter_mut().zip(shares) {
        if share != 0.0 && deviation > 0.0 {
            *value = ((share - mean) / (MOST_DEVIATIONS * deviation)).clamp(0.0, 1.0);
        }
    }
    plane
}

#[cfg(test)]
mod tests {
    use effigy_model::device::{self, Choice};
    use effigy_model::trace_bank::TraceBankFile;

    use super::*;
    use crate::cue::traces::features::N_FEATURES;

    #[test]
    fn the_map_is_bright_where_the_filter_looks() {
        // A filter of one channel of the finest map, which is large in the lower right.
        let mut weights = vec![0.0; N_FEATURES];
        weights[3] = 1.0;
        let device = device::open(Choice::Cpu).unwrap();
        let bank = TraceBank::of(&TraceBankFile::new(weights, vec![0.0], &device));
        let sides = PictureNet::SIDES.into_iter().zip(PictureNet::N_CHANNELS);
        let maps: Vec<FeatureMap> = sides
            .map(|(side, n_channels)| FeatureMap {
                side,
                n_channels,
                values: (0..side * side * n_channels)
                    .map(|i| {
                        let cell = i / n_channels;
                        let is_low = side / 2 < cell / side && side / 2 < cell % side;
                        1.0 + f32::from(u8::from(is_low && i % n_channels == 3))
                    })
                    .collect(),
            })
            .collect();
        let map = of_loudest(&maps, &[1.0], &bank);
        assert!(0.3 < map.get(16, 16) && map.get(12, 12) == 0.0);
    }
}
