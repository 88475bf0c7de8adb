//! Laying a drawn face back into the frame it was drawn for.
//!
//! [`overlay`] is the whole step: mask, colour, blend. Only the box of the face is computed, and
//! only pixels under the mask change; all others stay what they were, to the bit. What must not
//! flicker between frames is kept in [`Steady`], one for each face that is followed.

mod blend;
mod colour;
mod detail;
mod grid;
mod hidden;
mod mask;
mod outline;
mod outwards;
mod overlay;
mod sample;

pub use overlay::{Complexion, Faces, Laid, Place, Steady, overlay};
