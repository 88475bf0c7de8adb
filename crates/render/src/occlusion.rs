//! Occlusion: what is between the camera and a face and must stay there, such as a hand, a
//! microphone or a fringe.
//!
//! A network tells what it knows: hands, things, dark glasses, cloth
//! (`docs/decisions/050-what-covers-a-face.md`). Rules find what it may not know. The model can draw
//! the performer too. Where the frame differs from that drawing, more than it does on average there,
//! and the difference is connected to the face's rim, something occludes the face. An open mouth or a
//! blink that the drawing misses does not touch the rim. Hair that is always there is in the drawing
//! as well, so the forehead is compared with the cheeks instead.
//!
//! Everything is done on a grid of [`CELLS`] cells a side over the crop: colours are luma and two
//! colour differences (BT.601), levels of `0..=255`.

mod background;
mod foreign;
mod hair;
mod segmented;

use effigy_frame::{Picture, Plane};

use crate::cells::{CELLS, cell_at, cells_of, cells_of_plane, enlarged};
use crate::outline::Outline;
use crate::placement::Drawings;
pub(crate) use background::without_background;
use foreign::Foreign;
use hair::fringe;
use segmented::Segmented;

/// Share of the outline and of the drawn mask from which a cell is inside.
const INSIDE: f32 = 0.5;
/// Time constants with which an occluder appears and goes, in seconds.
const APPEARS_SECS: f32 = 0.04;
const GOES_SECS: f32 = 0.1;
/// Hair is at most this bright, as a share of the cheeks: in the frame, and where it is drawn, which
/// is blurred.
const HAIR: [f32; 2] = [0.58, 0.72];

/// What is known about occluders of one followed face.
#[derive(Clone, Debug, Default)]
pub(crate) struct Occlusion {
    foreign: Foreign,
    segmented: Segmented,
    /// How surely each cell is occluded now; empty before the first look.
    level: Vec<f32>,
}

/// Where the face is, in cells too.
struct Scene<'a> {
    outline: &'a Outline,
    mesh: Vec<f32>,
    wide: Vec<f32>,
}

impl Occlusion {
    /// Whether the frame of this moment should be shown to the network, and [`Self::show`] what it says.
    pub(crate) fn wants_look(&self, secs: f64) -> bool {
        self.segmented.is_due(secs)
    }

    /// Takes in how surely each cell is covered, as the network sees the frame of this moment.
    pub(crate) fn show(&mut self, seen: &Plane, secs: f64) {
        self.segmented.show(seen, secs);
    }

    /// Gives the share of each crop pixel that is occluded, or where hair is drawn that would end
    /// nowhere.
    ///
    /// Without a drawing of the performer only what the network sees and hair over the forehead is
    /// found. `secs` have passed since the last frame.
    pub(crate) fn update(
        &mut self,
        target: &Picture,
        drawings: &Drawings<'_>,
        outline: &Outline,
        secs: f32,
    ) -> Plane {
        let colours = cells_of(target);
        let scene = Scene {
            outline,
            mesh: cells_of_plane(&outline.mesh),
            wide: cells_of_plane(&outline.wide),
        };
        let mut is_occluded = fringe(&colours, HAIR[0], &scene);
        // Hair that the source has and the target has not would be cut off at the mask.
        let drawn = fringe(&cells_of(&drawings.source.picture), HAIR[1], &scene);
        for (occluded, drawn) in is_occluded.iter_mut().zip(drawn) {
            *occluded |= drawn;
        }
        for (occluded, seen) in is_occluded.iter_mut().zip(self.segmented.find(&scene)) {
            *occluded |= seen;
        }
        if let Some(performer) = drawings.target {
            let foreign = self.foreign.find(&colours, performer, &scene, secs);
            for (occluded, foreign) in is_occluded.iter_mut().zip(foreign) {
                *occluded |= foreign;
            }
        }
        // In the first frame, and in a picture, what is there was there before.
        if self.level.is_empty() {
            let first = is_occluded.iter().map(|&is| f32::from(u8::from(is)));
            self.level = first.collect();
        }
        // An occluder must be there at once, and may go softly: a finger that is overpainted for
        // one frame is seen, a face that comes back late is not.
        for (level, &is_occluded) in self.level.iter_mut().zip(&is_occluded) {
            let (aim, time_constant) = if is_occluded {
                (1.0, APPEARS_SECS)
            } else {
                (0.0, GOES_SECS)
            };
            *level += (aim - *level) * share_in(secs, time_constant);
        }
        enlarged(&self.level, target.width() as usize)
    }
}

/// How bright the brighter cheek is: the other may lie in shadow.
fn cheek_luma(colours: &[[f32; 3]], outline: &Outline) -> f32 {
    let scale = outline.mesh.width() as f32 / CELLS as f32;
    let cheeks = outline.cheeks.map(|at| colours[cell_at(at, scale)][0]);
    cheeks[0].max(cheeks[1])
}

/// Share of the way to an aim that is covered in `secs`.
fn share_in(secs: f32, time_constant_secs: f32) -> f32 {
    1.0 - (-secs.max(1e-3) / time_constant_secs).exp()
}

#[cfg(test)]
mod tests;
