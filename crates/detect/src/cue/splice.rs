//! Splices in single pictures: a face whose compression begins elsewhere than that of its
//! surroundings, or that stands twice in the picture.
//!
//! Both are found by counting what chance hardly ever brings about, so they need no calibration;
//! they say where pixels come from, not what a face looks like. A video's encoder has grids of
//! its own, so only single pictures are looked at.

mod copies;
mod grid;

use effigy_frame::{Picture, Plane};

use crate::patch::Patch;

/// What was found in one face.
#[derive(Clone, Debug)]
pub struct Splice {
    /// What it is, as a sentence.
    pub sentence: String,
    /// Where, `0..=1`, stretched over the patch.
    pub map: Plane,
}

/// Looks at one face of a picture. `None` where nothing stands out.
pub fn look(picture: &Picture, patch: &Patch) -> Option<Splice> {
    if let Some(foreign) = grid::foreign(picture, patch) {
        let ((x, y), (u, v)) = (foreign.face.origin, foreign.around.origin);
        return Some(Splice {
            sentence: format!(
                "The face was compressed on another grid of blocks than its surroundings, as if \
                 it was put in from another picture (it begins at {x}, {y} instead of {u}, {v})."
            ),
            map: foreign.map,
        });
    }
    let copied = copies::copied(picture, patch)?;
    let (dx, dy) = copied.offset;
    Some(Splice {
        sentence: format!(
            "A part of the face stands a second time in the picture, {dx} pixels across and {dy} \
             down from it: one of them is a copy."
        ),
        map: copied.map,
    })
}

#[cfg(test)]
mod tests;
