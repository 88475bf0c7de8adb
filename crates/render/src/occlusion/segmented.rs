//! What a network takes for an occluder, wherever it lies on the face.

use effigy_frame::Plane;
use effigy_model::OcclusionSegmenter;

use super::Scene;
use crate::cells::{CELLS, drop_small, neighbours, spread};

/// How sure the network is of a cell at which an occluder begins, and of one beside it that still
/// belongs to it (hysteresis). Set by hand.
const BEGINS: f32 = 0.75;
const CONTINUES: f32 = 0.4;
/// From one look to the next while nothing covers the face: as long as an occluder may be overpainted
/// that the rules do not see.
const BARE_SECS: f64 = 0.1;

const _: () = assert!(
    OcclusionSegmenter::MASK_SIDE == CELLS,
    "the network's cells are ours"
);

/// What the network said of one followed face.
#[derive(Clone, Debug, Default)]
pub(super) struct Segmented {
    /// How surely each cell is covered; empty before the first look.
    seen: Vec<f32>,
    is_bare: bool,
    looked_secs: f64,
}

impl Segmented {
    /// Whether the network should look at the frame of this moment.
    pub(super) fn is_due(&self, secs: f64) -> bool {
        let passed = (secs - self.looked_secs).abs();
        self.seen.is_empty() || !self.is_bare || BARE_SECS <= passed
    }

    /// Takes in what the network said of the frame of this moment.
    pub(super) fn show(&mut self, seen: &Plane, secs: f64) {
        self.seen = seen.values().to_vec();
        self.looked_secs = secs;
    }

    /// Cells that are covered.
    pub(super) fn find(&mut self, scene: &Scene<'_>) -> Vec<bool> {
        if self.seen.is_empty() {
            return vec![false; CELLS * CELLS];
        }
        let inside: Vec<bool> = scene.mesh.iter().map(|&share| 0.0 < share).collect();
        let begins = |&i: &usize| inside[i] && BEGINS < self.seen[i];
        let first = (0..inside.len()).filter(begins).collect();
        let mut covered = spread(first, |i| inside[i] && CONTINUES < self.seen[i]);
        drop_small(&mut covered);
        self.is_bare = !covered.contains(&true);
        // The cells beside: an edge is half occluder.
        let touches = |i: usize| covered[i] || neighbours(i).any(|j| covered[j]);
        (0..covered.len()).map(touches).collect()
    }
}
