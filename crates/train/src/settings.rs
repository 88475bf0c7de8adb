//! The settings of a training, and its reports.

use effigy_model::Weights;
use effigy_model::face_model::store::Training;
use effigy_model::face_model::{BASE_SHAPE, Shape};

/// How large a network is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Crops of 96 px, for two processor cores.
    Small,
    /// Crops of 160 px.
    Medium,
    /// Crops of 256 px, for a graphics card.
    Large,
}

/// When a training ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// After so many steps.
    Steps(u64),
    /// After so many seconds of training, earlier runs of the same model included.
    Secs(f64),
    /// Early stopping: when the error on faces held back no longer falls.
    EarlyStopping,
}

/// How to train. The people come from the face sets.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Size of the network.
    pub shape: Shape,
    /// When to end.
    pub budget: Budget,
    /// Faces of each person in a step, seed and largest learning rate of a new model.
    pub training: Training,
    /// Seconds between saves.
    pub save_every_secs: f64,
    /// The saved checkpoint to continue from; the newest by default.
    pub checkpoint: Option<u64>,
    /// Where the base comes from that a new model may start from.
    pub weights: Weights,
}

/// How a training is going.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Steps done.
    pub step: u64,
    /// Share of the budget that is used up, where that is known.
    pub done: Option<f64>,
    /// Seconds of training, earlier runs included.
    pub spent_secs: f64,
    /// Error on the faces of the last steps, averaged.
    pub training_error: f64,
    /// Step of the last save.
    pub saved_step: u64,
    /// Error on the faces held back, at the last save.
    pub validation_error: f64,
    /// Faces learned from in a second of this run.
    pub faces_per_sec: f64,
}

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The last report.
    pub last: Report,
    /// Whether the caller asked to stop before the budget was used up.
    pub was_stopped: bool,
}

impl Size {
    /// The network of this size.
    pub fn shape(self) -> Shape {
        match self {
            Self::Small => BASE_SHAPE,
            Self::Medium => Shape {
                side: 160,
                channels: 64,
                latent: 384,
            },
            Self::Large => Shape {
                side: 256,
                channels: 96,
                latent: 512,
            },
        }
    }
}
