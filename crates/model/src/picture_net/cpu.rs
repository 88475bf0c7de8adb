//! The network on the CPU; see [`crate::cpu`].

use effigy_frame::Picture;

use super::{DEVIATION, LEVELS, MEAN, PictureNet};
use crate::cpu::{Inverted, Map, Stem};

/// The layers, in order.
#[derive(Debug)]
pub(super) struct CpuNet {
    stem: Stem,
    blocks: Vec<Inverted>,
}

impl CpuNet {
    pub(super) fn new(net: &PictureNet) -> Self {
        let blocks = net.blocks.iter();
        Self {
            stem: Stem::of_standardized(&net.stem, MEAN, DEVIATION),
            blocks: blocks.map(|b| b.packed(super::CEILING as f32)).collect(),
        }
    }

    pub(super) fn see(&self, picture: &Picture) -> Vec<Map> {
        let mut x = self.stem.run(picture);
        x.limit(super::CEILING as f32);
        let mut maps = Vec::with_capacity(LEVELS.len());
        for (i, block) in self.blocks.iter().enumerate() {
            x = block.run(&x);
            if LEVELS.contains(&i) {
                maps.push(x.clone());
            }
        }
        maps
    }
}
