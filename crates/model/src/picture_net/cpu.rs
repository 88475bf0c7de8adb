//! The network on the CPU; see [`crate::cpu`].

use effigy_frame::Picture;

use super::{DEVIATION, FeatureMap, LEVELS, MEAN, PictureNet};
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
        let pack = |b: &super::Block| Inverted::new(b.widen.as_ref(), &b.within, &b.narrow);
        Self {
            stem: Stem::of_standardized(&net.stem, MEAN, DEVIATION),
            blocks: blocks.map(pack).collect(),
        }
    }

    pub(super) fn see(&self, picture: &Picture) -> Vec<FeatureMap> {
        let mut x = self.stem.run(picture);
        x.limit(super::CEILING as f32);
        let mut maps = Vec::with_capacity(LEVELS.len());
        for (i, block) in self.blocks.iter().enumerate() {
            x = block.run(&x);
            if let Some(level) = LEVELS.iter().position(|&at| at == i) {
                maps.push(feature_map(&x, PictureNet::N_CHANNELS[level]));
            }
        }
        maps
    }
}

/// Without the border, and the channels that only fill a block.
fn feature_map(map: &Map, n_channels: usize) -> FeatureMap {
    let cells = (0..map.rows).flat_map(|row| (0..map.columns).map(move |x| (row, x)));
    let values = cells.flat_map(|(row, column)| &map.cell(row, column)[..n_channels]);
    FeatureMap {
        side: map.rows,
        n_channels,
        values: values.copied().collect(),
    }
}
