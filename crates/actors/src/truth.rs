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
pub(crate) use self::masks::Level;
pub use self::masks::Masks;
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn committed_truth_is_written_as_it_was_read() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
        let folder = tempfile::tempdir().unwrap();
        for name in ["ada-microphone.mp4", "cleo-and-dan.mp4"] {
            let clip = committed.join(name);
            let record = Record::read(&clip).unwrap();
            let truth = Truth {
                points: Points::read(&clip, record.people.len()).unwrap(),
                masks: Masks::read(&clip).unwrap(),
                flow: Flow::read(&clip).unwrap(),
                record,
            };
            truth.write(&folder.path().join(name)).unwrap();
            let rewritten = folder.path().join(name);
            for ending in ["points.png", "masks.png", "flow.png"] {
                let [before, after] = [&clip, &rewritten]
                    .map(|path| grey::read(&path.with_extension(ending)).unwrap());
                assert!(before == after, "{name}: {ending}");
            }
            let [before, after] = [&clip, &rewritten]
                .map(|path| fs::read_to_string(path.with_extension("json")).unwrap());
            assert_eq!(before, after);
        }
    }
}
