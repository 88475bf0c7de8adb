//! The occlusion segmenter on the CPU; see [`crate::cpu`].

use effigy_frame::{Picture, Plane};

use super::OcclusionSegmenter;
use crate::cpu::{Conv, Map, Pair};

/// The layers, in order.
#[derive(Debug)]
pub(super) struct CpuNet {
    stem: Conv,
    fine: Pair,
    to_12: Conv,
    middle: Vec<Pair>,
    to_6: Conv,
    coarse: Pair,
    from_6: Conv,
    merged_12: Conv,
    from_12: Conv,
    merged_24: Conv,
    last: Pair,
    to_mask: Conv,
}

impl CpuNet {
    pub(super) fn new(net: &OcclusionSegmenter) -> Self {
        Self {
            stem: Conv::new(&net.stem),
            fine: Pair::new(&net.fine),
            to_12: Conv::new(&net.to_12),
            middle: net.middle.iter().map(Pair::new).collect(),
            to_6: Conv::new(&net.to_6),
            coarse: Pair::new(&net.coarse),
            from_6: Conv::new(&net.from_6),
            merged_12: Conv::new(&net.merged_12),
            from_12: Conv::new(&net.from_12),
            merged_24: Conv::new(&net.merged_24),
            last: Pair::new(&net.last),
            to_mask: Conv::new(&net.to_mask),
        }
    }

    pub(super) fn segment(&self, crop: &Picture) -> Plane {
        let x = self.stem.run_leaky_relu(&Map::from_picture(crop));
        let mut fine = self.fine.run(&x);
        let x = self.to_12.run_leaky_relu(&fine);
        let mut middle = self.middle.iter().fold(x, |x, pair| pair.run(&x));
        let coarse = self.coarse.run(&self.to_6.run_leaky_relu(&middle));
        middle.add_upsampled(&self.from_6.run(&coarse));
        fine.add_upsampled(&self.from_12.run(&self.merged_12.run_leaky_relu(&middle)));
        let x = self.last.run(&self.merged_24.run_leaky_relu(&fine));
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
