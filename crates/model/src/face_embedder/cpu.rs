//! The face embedder on the CPU; see [`crate::cpu`].

use effigy_frame::Picture;

use super::{Block, FaceEmbedder, N_DIRECTIONS, scaled};
use crate::cpu::{Dense, Map, Pair, PictureConv};

/// The layers, in order.
#[derive(Debug)]
pub(super) struct CpuNet {
    stem: PictureConv,
    blocks: Vec<(Pair, bool)>,
    to_identity: Dense,
}

impl CpuNet {
    pub(super) fn new(net: &FaceEmbedder) -> Self {
        let block = |block: &Block| {
            let pair = Pair::of_convolutions(&block.first, &block.second);
            (pair, block.halves())
        };
        Self {
            stem: PictureConv::new(&net.stem),
            blocks: net.blocks.iter().map(block).collect(),
            to_identity: Dense::new(&net.to_identity),
        }
    }

    /// Gives the network's vector for a crop.
    pub(super) fn row(&self, crop: &Picture) -> [f32; N_DIRECTIONS] {
        let x = self.stem.run_relu(crop, scaled).max_pooled();
        let block = |x: Map, (pair, halves): &(Pair, bool)| {
            if *halves {
                pair.run_halving(&x)
            } else {
                pair.run_relu(&x)
            }
        };
        let x = self.blocks.iter().fold(x, block);
        let raw = self.to_identity.run(&x.mean_cell());
        let length = (raw.iter().map(|v| v * v).sum::<f32>() + 1e-8).sqrt();
        std::array::from_fn(|i| raw[i] / length)
    }
}
