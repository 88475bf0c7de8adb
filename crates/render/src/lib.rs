//! Drawing faces into frames.
//!
//! A [`Driver`] draws the faces of one frame after the other; [`drive`] holds one file for each.
//! [`overlay`] is the whole step: mask, colour, blend. Only the box of the face is computed, and
//! only pixels under the mask change; all others stay what they were, to the bit. What must not
//! flicker between frames is kept in [`Steady`], one for each face that is followed.

mod blend;
mod cells;
mod detail;
pub mod drive;
mod error;
mod follow;
mod grid;
mod hidden;
mod iris;
mod light;
mod mask;
mod opening;
mod outline;
mod outwards;
mod overlay;
mod placement;
mod region;
mod sample;
mod texture;

pub use drive::Driver;
pub use error::{Error, Result};
pub use overlay::{Complexion, Laid, Steady, overlay};
pub use placement::{Faces, Place};
