//! Drivers: each draws the faces of a frame in its own way, one file for each.
//!
//! A driver only changes pixels. Whom it may draw is asked before it begins, and what it changed is
//! encoded by the marked writer alone.

pub mod swap;

use effigy_face::Observation;
use effigy_frame::Frame;

use crate::error::Result;
use crate::overlay::Change;

/// Draws faces into the frames of a clip, which come in presentation order.
pub trait Driver {
    /// Draws over `faces` in `frame`; gives, for each of them, what was changed, `None` where
    /// nothing was.
    ///
    /// `frame` begins as a copy of the frame that the faces were seen in, which they still refer
    /// to.
    ///
    /// # Errors
    /// When a face cannot be drawn. The frame may be half drawn then, and must not be used.
    fn draw(&mut self, frame: &mut Frame, faces: &[Observation<'_>])
    -> Result<Vec<Option<Change>>>;
}
