//! The mesh network on the CPU; see [`crate::cpu`].

use effigy_frame::{Picture, Point2, Point3};

use super::layers::{Block, Head};
use super::part::{EYES, LIPS, PartPoints, Region};
use super::{FaceMesh, Mesh, PX_PER_CELL, Part, assembled};
use crate::cpu::{Dense, Map, Pointwise, Separable, Stem};

/// The layers, in order.
#[derive(Debug)]
pub(super) struct CpuNet {
    stem: Stem,
    early: Vec<Separable>,
    whole: CpuHead,
    to_presence: Dense,
    lips: CpuPart,
    eyes: Vec<CpuPart>,
}

#[derive(Debug)]
struct CpuHead {
    blocks: Vec<Separable>,
    narrow: Pointwise,
    last: Separable,
    to_values: Dense,
}

#[derive(Debug)]
struct CpuPart {
    blocks: Vec<Separable>,
    heads: Vec<CpuHead>,
}

impl CpuNet {
    pub(super) fn new(net: &FaceMesh) -> Self {
        Self {
            stem: Stem::new(&net.stem.conv, &net.stem.slopes),
            early: separable(&net.early),
            whole: CpuHead::new(&net.whole),
            to_presence: Dense::on_map(&net.to_presence, super::N_WHOLE_CELLS),
            lips: CpuPart::new(&net.lips),
            eyes: net.eyes.iter().map(CpuPart::new).collect(),
        }
    }

    pub(super) fn fit(&self, crop: &Picture) -> Mesh {
        let x = through(&self.early, self.stem.run(crop));
        let features = self.whole.features(x.clone());
        let raw = self.whole.to_values.run(&features);
        let presence = self.to_presence.run(&features)[0];
        let closer = |part: &CpuPart, points: &PartPoints, mesh: &[Point3]| {
            let region = Region::around(points, mesh);
            (region, part.values(&closer_view(&x, &region)))
        };
        assembled(&raw, presence, |mesh| {
            let lips = closer(&self.lips, &LIPS, mesh);
            let eyes = self.eyes.iter().zip(&EYES);
            let eyes = eyes.map(|(part, points)| closer(part, points, mesh));
            std::iter::once(lips).chain(eyes).collect()
        })
    }
}

/// What the network's map of the crop holds of a region.
pub(super) fn closer_view(map: &Map, region: &Region) -> Map {
    let place = |place: Point2| {
        let at = region.apply(place);
        Point2::new(at.x / PX_PER_CELL, at.y / PX_PER_CELL)
    };
    map.cut_out(place, super::N_CLOSE_CELLS)
}

impl CpuHead {
    fn new(head: &Head) -> Self {
        let n_cells = head.to_values.weight.dims()[0] / head.narrow.conv.weight.dims()[0];
        Self {
            blocks: separable(&head.blocks),
            narrow: Pointwise::new(&head.narrow.conv, &head.narrow.slopes),
            last: one(&head.last),
            to_values: Dense::on_map(&head.to_values, n_cells),
        }
    }

    fn features(&self, x: Map) -> Vec<f32> {
        let x = through(&self.blocks, x);
        self.last.run(self.narrow.run(&x)).flat()
    }
}

impl CpuPart {
    fn new(part: &Part) -> Self {
        Self {
            blocks: separable(&part.blocks),
            heads: part.heads.iter().map(CpuHead::new).collect(),
        }
    }

    /// What its heads give, one after the other.
    fn values(&self, view: &Map) -> Vec<f32> {
        let x = through(&self.blocks, view.clone());
        let head = |head: &CpuHead| head.to_values.run(&head.features(x.clone()));
        self.heads.iter().flat_map(head).collect()
    }
}

fn separable(blocks: &[Block]) -> Vec<Separable> {
    blocks.iter().map(one).collect()
}

fn one(block: &Block) -> Separable {
    Separable::new(&block.within, &block.across, &block.slopes)
}

fn through(blocks: &[Separable], x: Map) -> Map {
    blocks.iter().fold(x, |x, block| block.run(x))
}
