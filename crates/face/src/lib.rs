//! From pictures to faces: find, track, align, crop, mask, observe, and tell who is who.
//!
//! Nothing here sees a tensor: the networks of `effigy-model` take pictures and give plain values.
//! Points are in pixels of the frame unless their name says otherwise; meshes have 478 points in
//! the MediaPipe Face Mesh numbering.

pub mod align;
mod error;
pub mod ibug68;
pub mod landmarks;
pub mod mask;
pub mod mesh_edges;
pub mod observation;
pub mod patch;
pub mod people;
pub mod pose;
pub mod quality;
pub mod recognise;
pub mod rig;
pub mod skin;
pub mod smooth;
pub mod track;

pub use error::{Error, Result};
pub use observation::Observation;
pub use pose::Pose;
pub use track::{Face, SearchNetworks, TrackSettings, Tracker};
