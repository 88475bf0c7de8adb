//! The truth of a clip in small files, written and read here alone.
//!
//! Beside `NAME.mp4` lie:
//!
//! - `NAME.json`: a [`Record`] of pose, gaze, weights of the expressions, visemes and light.
//! - `NAME.points.png`: the mesh [`Points`] of every frame and whether they are seen.
//! - `NAME.masks.png`: [`Masks`], what each pixel shows.
//! - `NAME.flow.png`: [`Flow`], where each pixel moves.
//!
//! Pictures are 8-bit grey, one row or block of rows a frame.

mod flow;
mod grey;
mod masks;
mod points;
mod record;

use std::path::Path;

pub use self::flow::Flow;
pub use self::masks::{Level, Masks};
pub use self::points::Points;
pub use self::record::{LightRecord, Played, Record};
use crate::error::Result;

/// How finely masks and flow are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Every second pixel of masks, every sixteenth of flow.
    Small,
    /// Every pixel.
    Full,
}

impl Detail {
    /// How many pixels lie between two that are kept.
    pub(crate) fn mask_step(self) -> usize {
        match self {
            Self::Small => 2,
            Self::Full => 1,
        }
    }

    /// As [`Self::mask_step`], for the flow.
    pub(crate) fn flow_step(self) -> usize {
        match self {
            Self::Small => 16,
            Self::Full => 1,
        }
    }
}

/// All that is known of a clip.
pub(crate) struct Truth {
    pub(crate) record: Record,
    pub(crate) points: Points,
    pub(crate) masks: Masks,
    pub(crate) flow: Flow,
}

impl Truth {
    /// Writes the four files beside `clip`.
    pub(crate) fn write(&self, clip: &Path) -> Result<()> {
        self.record.write(clip)?;
        self.masks.write(clip)?;
        self.flow.write(clip)?;
        self.points.write(clip)
    }
}
