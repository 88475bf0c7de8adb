//! Where voices are compared: without what the recording does to them.
//!
//! A telephone, a room or noise moves every voice the same way, so that strangers on one line come nearer than one
//! person on two. `recipes voices` finds the mean of all voices, which is subtracted, and the directions in which one
//! person's recordings differ most, which are left out (nuisance attribute projection: Solomonoff, Quillen
//! and Campbell, "Channel Compensation for SVM Speaker Recognition", Odyssey 2004).

use std::sync::Arc;

use crate::error::Result;
use crate::speaker_encoder::{N_VOICE, Voice};
use crate::weights::{Tensors, Weights};

/// Directions that are left out.
pub const N_NUISANCES: usize = 10;

/// The space, cheap to clone.
#[derive(Clone, Debug)]
pub struct VoiceSpace(Arc<Moved>);

#[derive(Debug)]
struct Moved {
    mean: Vec<f32>,
    /// Of length one, and at right angles to one another.
    directions: Vec<Vec<f32>>,
}

impl VoiceSpace {
    /// Takes a mean of [`N_VOICE`] numbers, and directions of as many, at right angles to one another.
    pub fn new(mean: Vec<f32>, directions: Vec<Vec<f32>>) -> Self {
        Self(Arc::new(Moved { mean, directions }))
    }

    /// Where voices are as the network gives them.
    pub fn unchanged() -> Self {
        Self::new(vec![0.0; N_VOICE], Vec::new())
    }

    /// Loads the space from `weights`.
    ///
    /// # Errors
    /// When its file is missing, damaged or something else.
    pub fn load(weights: &Weights) -> Result<Self> {
        weights.read("voice-space", Self::read)
    }

    fn read(tensors: &Tensors<'_>) -> std::result::Result<Self, String> {
        let directions = tensors.values("directions", &[N_NUISANCES, N_VOICE])?;
        let directions = directions.chunks_exact(N_VOICE).map(<[f32]>::to_vec);
        Ok(Self::new(
            tensors.values("mean", &[N_VOICE])?,
            directions.collect(),
        ))
    }

    /// Gives the voice in this space; `None` where nothing is left of it.
    pub fn place(&self, voice: &Voice) -> Option<Voice> {
        let mut values = *voice.values();
        for (value, mean) in values.iter_mut().zip(&self.0.mean) {
            *value -= mean;
        }
        for direction in &self.0.directions {
            let along: f32 = values.iter().zip(direction).map(|(v, d)| v * d).sum();
            for (value, step) in values.iter_mut().zip(direction) {
                *value -= along * step;
            }
        }
        Voice::from_values(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded() -> VoiceSpace {
        VoiceSpace::load(&Weights::from_source_tree().unwrap()).unwrap()
    }

    #[test]
    fn directions_are_at_right_angles() {
        let space = loaded();
        for (i, a) in space.0.directions.iter().enumerate() {
            for (j, b) in space.0.directions.iter().enumerate() {
                let along: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                let wanted = if i == j { 1.0 } else { 0.0 };
                // Numbers in half precision.
                assert!((along - wanted).abs() < 2e-3, "{i}, {j}: {along}");
            }
        }
    }

    #[test]
    fn what_a_recording_does_is_gone() {
        let space = loaded();
        let voice = |i: usize, nuisance: f32| {
            let direction = &space.0.directions[0];
            let value = |k: usize| {
                let own = if k % 7 == i { 0.2 } else { 0.0 };
                space.0.mean[k] + own + nuisance * direction[k]
            };
            Voice::from_values(std::array::from_fn(value)).unwrap()
        };
        let similarity = |a: &Voice, b: &Voice| {
            let (a, b) = (space.place(a).unwrap(), space.place(b).unwrap());
            a.similarity(&b)
        };
        let moved = similarity(&voice(1, 0.0), &voice(1, 0.5));
        assert!(moved > voice(1, 0.0).similarity(&voice(1, 0.5)));
        assert!(similarity(&voice(1, 0.0), &voice(2, 0.0)) < 0.3);
    }

    #[test]
    fn an_unchanged_space_changes_nothing() {
        let voice = Voice::from_values([0.5; N_VOICE]).unwrap();
        let placed = VoiceSpace::unchanged().place(&voice).unwrap();
        assert!((placed.similarity(&voice) - 1.0).abs() < 1e-6);
    }
}
