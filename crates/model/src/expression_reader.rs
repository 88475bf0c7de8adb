//! The expression reader: what a face does, by how the points of its mesh have moved.
//!
//! The solver of the rig explains points by the shapes of the light head. The mesh network does not move its
//! points quite as the head does, and many shapes move them alike; what it makes of each expression is learned from people
//! whose every weight is known (`recipes expressions`). Two small layers beside a linear one, which run on one core
//! in 0.1 ms.

use std::sync::Arc;

use crate::N_MESH_POINTS;
use crate::cpu::Dense;
use crate::error::Result;
use crate::weights::{Tensors, Weights};

/// Expressions that are told.
pub const N_TOLD: usize = 57;
/// Numbers that the reader is shown: x, y and z by which each point has moved on the head, in centimetres, and the yaw and
/// pitch of the head in units of 30°. What is over stays zero.
pub const N_MOVED: usize = (3 * N_MESH_POINTS + 2).next_multiple_of(16);
/// Width of the layers.
pub const N_HIDDEN: usize = 128;

/// The reader, cheap to clone.
#[derive(Clone, Debug)]
pub struct ExpressionReader(Arc<Layers>);

#[derive(Debug)]
struct Layers {
    /// Gives the hidden layer, and what is told directly.
    first: Dense,
    second: Dense,
    last: Dense,
    /// Of each expression, how much the reader counts; the rest is the solver's.
    shares: Vec<f32>,
}

impl ExpressionReader {
    /// Loads the reader from `weights`.
    ///
    /// # Errors
    /// When its file is missing, damaged or another network's.
    pub fn load(weights: &Weights) -> Result<Self> {
        weights.read("expressions", Self::read)
    }

    fn read(tensors: &Tensors<'_>) -> std::result::Result<Self, String> {
        let dense = |name: &str, n_outputs: usize, n_inputs: usize| {
            let weights = tensors.values(&format!("{name}.weight"), &[n_outputs, n_inputs])?;
            let biases = tensors.values(&format!("{name}.bias"), &[n_outputs])?;
            Ok::<Dense, String>(Dense::of_rows(&weights, biases))
        };
        Ok(Self(Arc::new(Layers {
            first: dense("first", N_HIDDEN + N_TOLD, N_MOVED)?,
            second: dense("second", N_HIDDEN, N_HIDDEN)?,
            last: dense("last", N_TOLD, N_HIDDEN)?,
            shares: tensors.values("shares", &[N_TOLD])?,
        })))
    }

    /// Tells the weight of each expression, `0..=1`, by what has moved.
    pub fn tell(&self, moved: &[f32; N_MOVED]) -> [f32; N_TOLD] {
        let layers = &self.0;
        let mut hidden = layers.first.run(moved);
        let directly = hidden.split_off(N_HIDDEN);
        for value in &mut hidden {
            *value = crate::cpu::leaky_relu_of(*value);
        }
        let hidden = layers.second.run_leaky_relu(&hidden);
        let told = layers.last.run(&hidden);
        std::array::from_fn(|k| (told[k] + directly[k]).clamp(0.0, 1.0))
    }

    /// Of each expression, how much the reader counts beside the solver, `0..=1`.
    pub fn shares(&self) -> &[f32] {
        &self.0.shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded() -> ExpressionReader {
        ExpressionReader::load(&Weights::from_source_tree().unwrap()).unwrap()
    }

    #[test]
    fn a_face_at_rest_does_hardly_anything() {
        let reader = loaded();
        let told = reader.tell(&[0.0; N_MOVED]);
        // Where eyes look is not read: irises that have not moved from the middle of their eyeballs are in no face.
        let counted = told.iter().zip(reader.shares()).map(|(told, s)| told * s);
        let most = counted.fold(0.0, f32::max);
        assert!(most < 0.15, "{most}"); // what a weight may be at rest, and less than is seen
    }

    #[test]
    fn what_moves_is_told() {
        let reader = loaded();
        let mut moved = [0.0; N_MOVED];
        // A chin (152) that sinks by two centimetres, with the lower lip (14, 17).
        for point in [14, 17, 152, 148, 377, 176, 400] {
            moved[3 * point + 1] = 2.0;
        }
        let (calm, open) = (reader.tell(&[0.0; N_MOVED]), reader.tell(&moved));
        assert!(calm.iter().zip(&open).any(|(a, b)| (a - b).abs() > 0.05));
        assert!(open.iter().all(|weight| (0.0..=1.0).contains(weight)));
    }

    #[test]
    fn shares_are_shares() {
        let reader = loaded();
        assert!(reader.shares().iter().all(|s| (0.0..=1.0).contains(s)));
        assert!(reader.shares().iter().any(|s| *s > 0.0));
    }
}
