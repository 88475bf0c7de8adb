//! The identity network on the CPU; see [`crate::cpu`].

use effigy_frame::Picture;

use super::{FaceEmbedder, N_IDENTITY};
use crate::cpu::{Conv, Dense, Map, Pair};

/// The layers, in order.
#[derive(Debug)]
pub(super) struct CpuNet {
    to_12: Conv,
    at_12: Pair,
    to_6: Conv,
    at_6: Vec<Pair>,
    to_3: Conv,
    to_identity: Dense,
}

impl CpuNet {
    pub(super) fn new(net: &FaceEmbedder) -> Self {
        Self {
            to_12: Conv::new(&net.to_12),
            at_12: Pair::new(&net.at_12),
            to_6: Conv::new(&net.to_6),
            at_6: net.at_6.iter().map(Pair::new).collect(),
            to_3: Conv::new(&net.to_3),
            to_identity: Dense::on_map(&net.to_identity, 3 * 3),
        }
    }

    /// Gives the network's vector for a crop.
    pub(super) fn row(&self, crop: &Picture) -> [f32; N_IDENTITY] {
        let x = self.to_12.run_leaky_relu(&Map::from_picture(crop));
        let x = self.to_6.run_leaky_relu(&self.at_12.run(&x));
        let x = self.at_6.iter().fold(x, |x, pair| pair.run(&x));
        let raw = self.to_identity.run(&self.to_3.run_leaky_relu(&x).flat());
        let length = (raw.iter().map(|v| v * v).sum::<f32>() + 1e-8).sqrt();
        std::array::from_fn(|i| raw[i] / length)
    }
}
