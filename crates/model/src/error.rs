//! What can go wrong with networks and their weights.

use std::path::PathBuf;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, sorted by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Weights do not fit the network. Use the weights that belong to this version.
    #[error("the weights of the {network} do not fit this version: {reason}")]
    Weights {
        /// Which network.
        network: &'static str,
        /// What did not fit.
        reason: String,
    },

    /// A source of weights lacks what this version needs, or holds something else. Use the weights
    /// that belong to this version.
    #[error(
        "unusable weights: {reason}; use those that belong to this version of effigy: {file:?}"
    )]
    UnfitWeights {
        /// What is wrong.
        reason: String,
        /// The file.
        file: PathBuf,
    },

    /// A device was asked for that is not there. Choose one that `effigy devices` lists.
    #[error("no {wanted} here: {reason}")]
    NoDevice {
        /// What was asked for.
        wanted: String,
        /// Why it can't be had.
        reason: String,
    },

    /// The system gives no more threads. Close other programs or raise the limit.
    #[error("cannot start a thread: {reason}")]
    NoThread {
        /// What the system said.
        reason: String,
    },

    /// A face model's file can't be read. Check that it is there.
    #[error("cannot read {path:?}")]
    Read {
        /// What the system said.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },

    /// The folder holds no face model. Name the one that the training wrote.
    #[error(
        "no face model here, there is no model.json; name the folder that `effigy train` wrote: {path:?}"
    )]
    NoModel {
        /// The folder.
        path: PathBuf,
    },

    /// The folder holds files that no training wrote. Name a new one for the model.
    #[error(
        "the folder holds other files and no face model; name a new folder for the model: {path:?}"
    )]
    NotForModels {
        /// The folder.
        path: PathBuf,
    },

    /// A face model was made by a newer version. Update this program.
    #[error(
        "the face model has format {found}, this version knows up to {known}; update effigy: {path:?}"
    )]
    Newer {
        /// The format it has.
        found: u64,
        /// The newest format known here.
        known: u32,
        /// The manifest.
        path: PathBuf,
    },

    /// A face model's file is damaged. Go back to the checkpoint before it, or train again.
    #[error("the face model is damaged: {reason}{}: {path:?}", offer(*.previous))]
    Damaged {
        /// What is wrong.
        reason: String,
        /// The step of the checkpoint before it, where one is kept.
        previous: Option<u64>,
        /// The file.
        path: PathBuf,
    },

    /// A driver is damaged, or not this model's. Learn it anew.
    #[error(
        "the driver of the face model cannot be used: {reason}; learn it anew from clips of the person with `effigy puppet --learn CLIP`: {path:?}"
    )]
    UnfitDriver {
        /// What is wrong.
        reason: String,
        /// The file.
        path: PathBuf,
    },

    /// A file of a face model cannot be written; what was there before is untouched. Make room.
    #[error("cannot write {path:?}: {source}")]
    Write {
        /// What the system said.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },

    /// The checkpoint that was asked for is not kept. Choose one that is.
    #[error("no checkpoint of step {step} is kept, but of {kept}: {path:?}")]
    NoCheckpoint {
        /// What was asked for.
        step: u64,
        /// What is kept.
        kept: String,
        /// The face model.
        path: PathBuf,
    },
}

fn offer(previous: Option<u64>) -> String {
    previous.map_or_else(String::new, |step| {
        format!("; the checkpoint of step {step} is kept, `--checkpoint {step}` goes back to it")
    })
}
