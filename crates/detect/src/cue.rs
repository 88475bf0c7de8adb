//! The cues, one file each: each looks at one thing.
//!
//! A cue is shown a face frame by frame and keeps a few numbers a second; at the end it gives one
//! measurement, or says why it has none (`interface`). A new cue is a file of its own, a
//! [`crate::kind::CueKind`], a line in the collection of `observe/track.rs`, and numbers in
//! `weights/fuse.toml` once it was calibrated.

pub(crate) mod blending;
pub(crate) mod compression;
#[cfg(test)]
pub(crate) mod dummy;
pub(crate) mod identity;
pub(crate) mod interface;
pub mod light;
pub(crate) mod movement;
pub(crate) mod noise;
pub(crate) mod pulse;
pub(crate) mod speech;
pub(crate) mod splice;
pub(crate) mod synthesis;
pub mod traces;
