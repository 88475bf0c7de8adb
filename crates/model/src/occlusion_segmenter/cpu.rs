//! The head of the occlusion segmenter on the CPU; see [`crate::cpu`].

use effigy_frame::{Picture, Plane};

use super::{LEVELS, OcclusionHead, OcclusionSegmenter};
use crate::cpu::{Conv, Map, Pair, Pointwise};

/// The layers, in order.
#[derive(Debug)]
pub(super) struct CpuHead {
    from_pictures_6: Pointwise,
    coarse: Vec<Pair>,
    from_6: Conv,
    from_pictures_12: Pointwise,
    middle: Vec<Pair>,
    from_12: Conv,
    from_pictures_24: Pointwise,
    from_patches: Conv,
    merged: Conv,
    last: Pair,
    to_mask: Conv,
}

impl CpuHead {
    pub(super) fn new(head: &OcclusionHead) -> Self {
        Self {
            from_pictures_6: Pointwise::leaky(&head.from_pictures_6),
            coarse: head.coarse.iter().map(Pair::new).collect(),
            from_6: Conv::new(&head.from_6),
            from_pictures_12: Pointwise::linear(&head.from_pictures_12),
            middle: head.middle.iter().map(Pair::new).collect(),
            from_12: Conv::new(&head.from_12),
            from_pictures_24: Pointwise::linear(&head.from_pictures_24),
            from_patches: Conv::new(&head.from_patches),
            merged: Conv::new(&head.merged),
            last: Pair::new(&head.last),
            to_mask: Conv::new(&head.to_mask),
        }
    }

    /// `maps` are those of the picture network that the head reads, finest first.
    pub(super) fn segment(&self, crop: &Picture, maps: &[&Map; LEVELS.len()]) -> Plane {
        let [fine, middle, coarse] = maps;
        let x = self.from_pictures_6.run(coarse);
        let coarse = self.coarse.iter().fold(x, |x, pair| pair.run(&x));
        let mut x = self.from_pictures_12.run(middle);
        x.add_upsampled(&self.from_6.run(&coarse));
        let middle = self.middle.iter().fold(x, |x, pair| pair.run(&x));
        let fine = self.from_pictures_24.run(fine);
        let patches = Map::from_picture(crop);
        let mut x = self.from_patches.run_adding_leaky_relu(&patches, &fine);
        x.add_upsampled(&self.from_12.run(&middle));
        let x = self.last.run(&self.merged.run_leaky_relu(&x));
        let quarters = self.to_mask.run(&x);
        let side = OcclusionSegmenter::MASK_SIDE;
        let cell = |i: usize| {
            let (row, column) = (i / side, i % side);
            let quarter = row % 2 * 2 + column % 2;
            sigmoid(quarters.cell(row / 2, column / 2)[quarter])
        };
        Plane::new(side, side, (0..side * side).map(cell).collect())
    }
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}
