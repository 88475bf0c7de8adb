//! Drawing faces into frames.
//!
//! A [`Driver`] draws the faces of one frame after the other; [`drive`] holds one file for each.
//! [`overlay()`] lays one drawn face in: warp, mask, colour, blend. Only the box of the face is
//! computed, and only pixels under the mask change; all others stay what they were, to the bit. What
//! must not flicker from frame to frame is kept in [`Steady`], one for each face that is followed.
//!
//! *Source* is the person whose identity is drawn, *target* the clip, and the performer in it, that
//! the drawing goes into.

mod blend;
mod cells;
mod detail;
pub mod drive;
mod error;
mod fill;
mod grid;
mod interior;
mod iris;
mod light;
mod mask;
mod occlusion;
mod outline;
mod overlay;
mod placement;
mod portrait;
mod region;
mod replica;
mod retarget;
mod sample;
mod texture;
mod warp;

pub use drive::Driver;
pub use error::{Error, Result};
pub use overlay::{Change, SkinTone, Steady, overlay};
pub use placement::{Drawings, Placement};
pub use portrait::{Movement, Portrait};
pub use replica::{Drawer, Replica};
pub use retarget::{Gains, Retargeting};
