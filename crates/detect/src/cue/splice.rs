//! Splices in single pictures: a face whose compression or whose camera's mosaic of colour filters
//! begins elsewhere than that of its surroundings, or that stands twice in the picture.
//!
//! All are found by counting what chance hardly ever brings about, so they need no calibration;
//! they say where pixels come from, not what a face looks like. A video's encoder has grids of
//! its own, so only single pictures are looked at.

mod chance;
mod copies;
mod grid;
mod mosaic;

use effigy_face::patch::{Part, Patch};
use effigy_frame::{Picture, Plane};

use crate::kind::CueKind;
use crate::note::{Note, Role};

/// What was found in one face.
#[derive(Clone, Debug)]
pub(crate) struct Splice {
    /// What it is, as a sentence.
    sentence: String,
    /// Where, `0..=1`, stretched over the patch.
    pub(crate) map: Plane,
    /// Whether a verdict may rest on it. A face without the mosaic around it is only noted: it may
    /// have been smoothed, and no pictures straight from cameras were there to say how often.
    counts: bool,
}

/// Looks at one face of a picture. `None` where nothing stands out.
pub(crate) fn look(picture: &Picture, patch: &Patch) -> Option<Splice> {
    if let Some(foreign) = grid::foreign(picture, patch) {
        let ((x, y), (u, v)) = (foreign.face.origin, foreign.around.origin);
        return Some(Splice {
            sentence: format!(
                "The face was compressed on another grid of blocks than its surroundings, as if \
                 it was put in from another picture (it begins at {x}, {y} instead of {u}, {v})."
            ),
            map: foreign.map,
            counts: true,
        });
    }
    if let Some(copied) = copies::copied(picture, patch) {
        let (dx, dy) = copied.offset;
        return Some(Splice {
            sentence: format!(
                "A part of the face stands a second time in the picture, {dx} pixels across and {dy} \
             down from it: one of them is a copy."
            ),
            map: copied.map,
            counts: true,
        });
    }
    mosaic::foreign(picture, patch).map(|foreign| of_mosaic(foreign, patch))
}

/// Says what was found in one face, or that nothing was.
pub(crate) fn note(found: Option<&Splice>) -> Note {
    let nothing = "Nothing was found that was put in from another picture or stands twice. Scaled \
                   or strongly compressed pictures keep no trace.";
    let say = |role, sentence: &str| Note::words(CueKind::Splice, role, sentence.to_owned());
    match found {
        Some(found) if !found.counts => say(Role::Noted, &found.sentence),
        Some(found) => Note {
            score: Some(1.0),
            ..say(Role::Counts, &found.sentence)
        },
        None => Note {
            score: Some(0.0),
            ..say(Role::Counts, nothing)
        },
    }
}

fn of_mosaic(foreign: mosaic::Foreign, patch: &Patch) -> Splice {
    let is_face = |part: &Part| matches!(part, Part::Inner | Part::Eyes | Part::Lips);
    let map = patch.parts.iter().map(|p| f32::from(u8::from(is_face(p))));
    let (sentence, counts) = match foreign {
        mosaic::Foreign::Shifted => (
            "The face has its camera's mosaic of colour filters on other pixels than its \
             surroundings, as if it was put in from another picture.",
            true,
        ),
        mosaic::Foreign::Missing => (
            "The face lacks the mosaic of colour filters that its surroundings have from the \
             camera: it was drawn, put in after scaling, or smoothed.",
            false,
        ),
    };
    Splice {
        sentence: sentence.to_owned(),
        map: Plane::new(patch.width, patch.height, map.collect()),
        counts,
    }
}

#[cfg(test)]
mod tests;
