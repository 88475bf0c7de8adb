//! What `model.json` says: the network, whom it draws, how it was trained, and its checkpoints.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::face_model::Shape;

/// What `model.json` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format.
    pub format: u32,
    /// Size of the network.
    pub shape: Shape,
    /// Whom the decoders draw, in their order.
    pub people: Vec<Person>,
    /// What the training was given, so that going on means the same.
    pub training: Training,
    /// The checkpoints that are kept, newest first.
    pub checkpoints: Vec<Checkpoint>,
    /// How the error fell: a moment for each save, oldest first.
    #[serde(default)]
    pub history: Vec<Moment>,
}

/// How far a training had come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// Steps done.
    pub step: u64,
    /// Seconds spent on them.
    pub spent_secs: f64,
    /// Error on faces held back, averaged over the people.
    pub validation_error: f64,
}

/// Whom a decoder draws.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Short name, as given to `--person`.
    pub name: String,
    /// Identifier of the consent that the training was allowed by.
    pub consent: String,
    /// How many faces the decoder learned from.
    pub n_faces: usize,
    /// Which way their heads were turned; earlier versions did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poses: Option<Poses>,
}

/// How far heads were turned in the faces that a decoder learned from: the least and the most, in
/// degrees, right and up positive. Crops are upright, so a tilt is no matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poses {
    /// Towards the picture's left and right edge.
    pub yaw: [i16; 2],
    /// Down and up.
    pub pitch: [i16; 2],
}

impl Poses {
    /// Both: what `self` or `other` reaches to.
    #[must_use]
    pub fn widened(self, other: Self) -> Self {
        let widest = |a: [i16; 2], b: [i16; 2]| [a[0].min(b[0]), a[1].max(b[1])];
        Self {
            yaw: widest(self.yaw, other.yaw),
            pitch: widest(self.pitch, other.pitch),
        }
    }

    /// How far a head that is turned so lies beyond them, in degrees; 0 within.
    pub fn beyond(&self, yaw: f32, pitch: f32) -> f32 {
        let outside = |angle: f32, [least, most]: [i16; 2]| {
            (f32::from(least) - angle).max(angle - f32::from(most))
        };
        outside(yaw, self.yaw)
            .max(outside(pitch, self.pitch))
            .max(0.0)
    }
}

/// How a model is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Where all randomness starts.
    pub seed: u64,
    /// Faces of each person in a step.
    pub n_faces_each: usize,
    /// Largest learning rate.
    pub learning_rate: f64,
    /// What the first weights are.
    #[serde(default)]
    pub start: Start,
}

/// What a training starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// Random weights.
    #[default]
    Nothing,
    /// The base, which has seen many people: [`crate::face_model::base`].
    Base,
}

/// One saved moment of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Steps done.
    pub step: u64,
    /// Seconds spent on them.
    pub spent_secs: f64,
    /// Error on faces held back, averaged over the people.
    pub validation_error: f64,
    /// The averaged weights, for use.
    pub weights: Kept,
    /// Raw weights and the optimizer's memory, for going on.
    pub state: Kept,
    /// Mean latent of each person's faces.
    #[serde(default, rename = "centres")]
    pub centroids: Vec<Vec<f32>>,
}

/// A file in the folder, with what it must hash to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// File name, without a folder.
    pub file: String,
    /// Lower-case hexadecimal SHA-256.
    pub sha256: String,
}

/// More decoders than can be trained, fewer than exhaust the memory.
const MOST_PEOPLE: usize = 64;

impl Manifest {
    /// Refuses what would exhaust the memory or lead out of the folder.
    pub(super) fn check(&self) -> Result<(), String> {
        let Shape {
            side,
            channels,
            latent,
        } = self.shape;
        let sides_fit = side.is_multiple_of(16) && (16..=512).contains(&side);
        if !sides_fit || !(1..=512).contains(&channels) || !(1..=4096).contains(&latent) {
            return Err(format!(
                "no network of side {side}, {channels} channels, latent {latent}"
            ));
        }
        if self.people.is_empty() || MOST_PEOPLE < self.people.len() {
            return Err(format!("{} people", self.people.len()));
        }
        if self.checkpoints.is_empty() {
            return Err("no checkpoint is named".to_owned());
        }
        let files = self
            .checkpoints
            .iter()
            .flat_map(|c| [&c.weights.file, &c.state.file]);
        match files
            .into_iter()
            .find(|file| Path::new(file).file_name() != Some(file.as_ref()))
        {
            Some(file) => Err(format!("{file:?} is not a name in this folder")),
            None => Ok(()),
        }
    }
}
