//! The face detector on the CPU; see [`crate::cpu`].

use effigy_frame::Picture;

use super::{Cells, FaceDetector, LEVELS, N_PYRAMID, N_VALUES};
use crate::cpu::{Conv, Inverted, Pointwise, Stem};

/// The layers, in the order in which they are used.
#[derive(Debug)]
pub(super) struct CpuNet {
    stem: Stem,
    blocks: Vec<Inverted>,
    laterals: Vec<Pointwise>,
    doublings: Vec<Pointwise>,
    merge: Conv,
    head: Pointwise,
}

impl CpuNet {
    pub(super) fn new(net: &FaceDetector) -> Self {
        let blocks = net.blocks.iter();
        Self {
            stem: Stem::of_standardized(&net.stem, [0.0; 3], [1.0; 3]),
            blocks: blocks.map(|b| b.packed(f32::INFINITY)).collect(),
            laterals: net.laterals.iter().map(Pointwise::relu).collect(),
            doublings: net.doublings.iter().map(Pointwise::relu).collect(),
            merge: Conv::new(&net.merge),
            head: Pointwise::linear(&net.head),
        }
    }

    /// What the network says of a picture whose sides are multiples of 32.
    pub(super) fn cells(&self, picture: &Picture) -> Cells {
        let mut x = self.stem.run(picture);
        let mut maps = Vec::with_capacity(LEVELS.len());
        for (i, block) in self.blocks.iter().enumerate() {
            x = block.run(&x);
            if LEVELS.contains(&i) {
                maps.push(x.clone());
            }
        }
        let levels = maps.iter().rev().zip(&self.laterals);
        let mut levels = levels.map(|(map, lateral)| lateral.run(map));
        let coarsest = levels.next().unwrap_or(x);
        let finest = levels
            .zip(&self.doublings)
            .fold(coarsest, |coarse, (mut level, doubling)| {
                level.add_spread(&doubling.run(&coarse), N_PYRAMID);
                level
            });
        let map = self.head.run(&self.merge.run_relu(&finest));
        let cells = map.flat();
        let cells = cells.chunks_exact(map.channels);
        Cells {
            rows: map.rows,
            columns: map.columns,
            values: cells.flat_map(|cell| &cell[..N_VALUES]).copied().collect(),
        }
    }
}
