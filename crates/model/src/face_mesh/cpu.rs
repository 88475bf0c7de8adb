//! The mesh network on the CPU; see [`crate::cpu`].

use effigy_frame::Picture;

use super::{FaceMesh, Mesh, mesh_from_raw};
use crate::cpu::{Conv, Dense, Map, Pair};

/// The layers, in order.
#[derive(Debug)]
pub(super) struct CpuNet {
    to_16: Conv,
    at_16: Pair,
    to_8: Conv,
    at_8: Vec<Pair>,
    to_4: Conv,
    latent: Dense,
    to_points: Dense,
    to_presence: Dense,
}

impl CpuNet {
    pub(super) fn new(net: &FaceMesh) -> Self {
        Self {
            to_16: Conv::new(&net.to_16),
            at_16: Pair::new(&net.at_16),
            to_8: Conv::new(&net.to_8),
            at_8: net.at_8.iter().map(Pair::new).collect(),
            to_4: Conv::new(&net.to_4),
            latent: Dense::on_map(&net.latent, 4 * 4),
            to_points: Dense::new(&net.to_points),
            to_presence: Dense::new(&net.to_presence),
        }
    }

    pub(super) fn fit(&self, crop: &Picture) -> Mesh {
        let x = self.to_16.run_leaky_relu(&Map::from_picture(crop));
        let x = self.to_8.run_leaky_relu(&self.at_16.run(&x));
        let x = self.at_8.iter().fold(x, |x, pair| pair.run(&x));
        let x = self.to_4.run_leaky_relu(&x);
        let latent = self.latent.run_leaky_relu(&x.flat());
        let points = self.to_points.run(&latent);
        mesh_from_raw(&points, self.to_presence.run(&latent)[0])
    }
}
