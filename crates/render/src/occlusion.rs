//! Occlusion: what is between the camera and a face and must stay there, such as a hand, a
//! microphone or a fringe.
//!
//! The model can draw the performer too. Where the frame differs from that drawing, more than it
//! does on average there, and the difference is connected to the face's rim, something occludes the
//! face. An open mouth or a blink that the drawing misses does not touch the rim. Hair that is
//! always there is in the drawing as well, so the forehead is compared with the cheeks instead.
//!
//! Everything is done on a grid of [`CELLS`] cells a side over the crop: colours are luma and two
//! colour differences (BT.601), levels of `0..=255`.

use effigy_face::align::{MODEL_EXTENT, aligned_view};
use effigy_frame::{Picture, Plane, Point2, Point3, resample};
use effigy_model::face_model::Drawn;

use crate::cells::{
    CELLS, cell_at, cells_of, cells_of_plane, closed, drop_small, enlarged, middle, neighbours,
    spread,
};
use crate::outline::Outline;
use crate::placement::Drawings;

/// Share of the outline and of the drawn mask from which a cell is inside.
const INSIDE: f32 = 0.5;
/// Weights of luma and of the colour differences.
const WEIGHTS: [f32; 3] = [0.6, 1.6, 1.6];
/// A difference that begins an occluder: at least the first, in levels, plus the mean difference of
/// its cell times the second, plus the median over the face times the third. Where all of a face is
/// drawn badly, a difference means little.
const BEGINS: [f32; 3] = [22.0, 1.2, 1.5];
/// Share of that at which a neighbouring cell still belongs to the occluder.
const CONTINUES: f32 = 0.6;
/// Mean difference before anything was seen, in levels.
const FIRST_MEAN: f32 = 8.0;
/// Time constant of the mean difference, in seconds.
const MEAN_SECS: f32 = 2.0;
/// Time constants with which an occluder appears and goes, in seconds.
const APPEARS_SECS: f32 = 0.04;
const GOES_SECS: f32 = 0.1;
/// Hair is at most this bright, as a share of the cheeks: in the frame, and where it is drawn, which
/// is blurred.
const HAIR: [f32; 2] = [0.58, 0.72];
/// A lens is at most this bright, as a share of the cheeks.
const LENS: f32 = 0.35;
/// How far the place of an eye reaches, in eye distances from its middle.
const LENS_REACH: [f32; 2] = [0.2, 0.12];
/// The part of an eye's place that is as dark as that, from which on it is taken for a lens. Chosen by
/// hand on 37 clips of people and actors; `recipes eval lenses` prints what it costs.
pub const LENS_DARK: f32 = 0.8;
/// What is drawn brighter than this beside the face is background, as a share of the cheeks.
const BACKGROUND: f32 = 1.15;

/// What is known about occluders of one followed face.
#[derive(Clone, Debug)]
pub(crate) struct Occlusion {
    /// The mean difference of each cell between the frame and the performer as drawn.
    mean: Vec<f32>,
    /// How surely each cell is occluded now; empty before the first look.
    level: Vec<f32>,
}

impl Default for Occlusion {
    fn default() -> Self {
        Self {
            mean: vec![FIRST_MEAN; CELLS * CELLS],
            level: Vec::new(),
        }
    }
}

/// Where the face is, in cells too.
struct Scene<'a> {
    outline: &'a Outline,
    mesh: Vec<f32>,
    wide: Vec<f32>,
}

impl Occlusion {
    /// Gives the share of each crop pixel that is occluded, or where hair is drawn that would end
    /// nowhere.
    ///
    /// Without a drawing of the performer only hair over the forehead is found. `secs` have passed
    /// since the last frame.
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
        for (occluded, lens) in is_occluded.iter_mut().zip(dark_lenses(&colours, &scene)) {
            *occluded |= lens;
        }
        if let Some(performer) = drawings.target {
            let foreign = self.foreign(&colours, performer, &scene, secs);
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

    /// Cells that differ from the drawing of the performer and are connected to the rim.
    fn foreign(
        &mut self,
        colours: &[[f32; 3]],
        performer: &Drawn,
        scene: &Scene<'_>,
        secs: f32,
    ) -> Vec<bool> {
        let drawn = cells_of(&performer.picture);
        let inside: Vec<bool> = scene
            .mesh
            .iter()
            .zip(cells_of_plane(&performer.mask))
            .map(|(outline, drawn)| INSIDE < outline.min(drawn))
            .collect();
        let difference = differences(colours, &drawn, &inside);
        let mut all: Vec<f32> = (0..difference.len())
            .filter(|&i| inside[i])
            .map(|i| difference[i])
            .collect();
        let median = middle(&mut all);
        let begins = |i: usize| BEGINS[0] + BEGINS[1] * self.mean[i] + BEGINS[2] * median;
        let is_foreign = |i: usize, share: f32| inside[i] && share * begins(i) < difference[i];
        let is_rim = |i: usize| neighbours(i).any(|i| neighbours(i).any(|i| !inside[i]));
        let first: Vec<usize> = (0..difference.len())
            .filter(|&i| is_foreign(i, 1.0) && is_rim(i))
            .collect();
        // Two thresholds: what begins clearly at the rim is followed to where it still shows.
        let mut foreign = spread(first, |i| is_foreign(i, CONTINUES));
        drop_small(&mut foreign);
        let foreign = closed(&foreign, &inside);
        // The mean learns from the bare face alone, or an occluder that stays would become normal.
        let share = share_in(secs, MEAN_SECS);
        for (i, mean) in self.mean.iter_mut().enumerate() {
            if inside[i] && !foreign[i] {
                *mean += (difference[i] - *mean) * share;
            }
        }
        foreign
    }
}

/// The drawn mask without the background that an uncertain drawing lets in: what is much brighter
/// than the cheeks and connected to the mask's rim.
pub(crate) fn without_background(drawn: &Drawn, outline: &Outline) -> Plane {
    let colours = cells_of(&drawn.picture);
    let mask = cells_of_plane(&drawn.mask);
    let brightest = BACKGROUND * cheek_luma(&colours, outline);
    let is_bright = |i: usize| INSIDE < mask[i] && brightest < colours[i][0];
    let is_rim = |i: usize| neighbours(i).count() < 4 || neighbours(i).any(|i| mask[i] < INSIDE);
    let first = (0..mask.len()).filter(|&i| is_bright(i) && is_rim(i));
    let bright = spread(first.collect(), is_bright);
    // Two cells more: between background and face lies a blur of both.
    let within_one = |i: usize| bright[i] || neighbours(i).any(|j| bright[j]);
    let within_two = |i: usize| within_one(i) || neighbours(i).any(within_one);
    let level: Vec<f32> = (0..mask.len())
        .map(|i| f32::from(u8::from(within_two(i))))
        .collect();
    let mut face = drawn.mask.clone();
    if bright.contains(&true) {
        let background = enlarged(&level, face.width());
        for (value, background) in face.values_mut().iter_mut().zip(background.values()) {
            *value *= 1.0 - background;
        }
    }
    face
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

/// How much each cell differs from the most similar one around it in the drawing, once both have the
/// same light.
fn differences(seen: &[[f32; 3]], drawn: &[[f32; 3]], inside: &[bool]) -> Vec<f32> {
    // The median over the face: an occluder that covers less than half does not count as light.
    let light: [f32; 3] = std::array::from_fn(|c| {
        let both = seen.iter().zip(drawn).zip(inside);
        let mut differences: Vec<f32> = both
            .filter(|(_, inside)| **inside)
            .map(|((seen, drawn), _)| seen[c] - drawn[c])
            .collect();
        middle(&mut differences)
    });
    let squared_distance = |i: usize, j: usize| {
        let square = |c: usize| {
            let difference = seen[i][c] - drawn[j][c] - light[c];
            WEIGHTS[c] * difference * difference
        };
        square(0) + square(1) + square(2)
    };
    // A drawing may lie a cell aside; its edges must not look like occluders.
    let least = |i: usize| {
        if !inside[i] {
            return 0.0;
        }
        let around = std::iter::once(i).chain(neighbours(i));
        let least = around
            .map(|j| squared_distance(i, j))
            .fold(f32::INFINITY, f32::min);
        least.sqrt()
    };
    (0..seen.len()).map(least).collect()
}

/// Hair over forehead and temples: much darker than the cheeks, above the brows or beside them, or
/// beside the mesh, and connected to the rim.
fn fringe(colours: &[[f32; 3]], darkness: f32, scene: &Scene<'_>) -> Vec<bool> {
    let Scene {
        outline,
        mesh,
        wide,
    } = scene;
    let scale = outline.mesh.width() as f32 / CELLS as f32;
    let darkest = darkness * cheek_luma(colours, outline);
    let is_above = |i: usize| {
        let column = (((i % CELLS) as f32 + 0.5) * scale) as usize;
        ((i / CELLS) as f32 + 0.5) * scale < outline.forehead_ends[column]
    };
    let is_temple = |i: usize| {
        let (x, y) = (
            ((i % CELLS) as f32 + 0.5) * scale,
            ((i / CELLS) as f32 + 0.5) * scale,
        );
        let [left, right] = outline.temples;
        (x < left.x && y < left.y) || (right.x < x && y < right.y)
    };
    // Brows, lashes and nostrils are dark too: only where none of them can be is dark hair.
    let is_inside = |i: usize| 0.0 < wide[i] && (is_above(i) || is_temple(i) || mesh[i] < INSIDE);
    let is_hair = |i: usize| is_inside(i) && colours[i][0] < darkest;
    let is_rim = |i: usize| i < CELLS || neighbours(i).any(|i| wide[i] <= 0.0);
    let first = (0..colours.len()).filter(|&i| is_rim(i) && is_hair(i));
    let mut hair = spread(first.collect(), is_hair);
    drop_small(&mut hair);
    hair
}

/// How much of the place of each eye is as dark as a dark lens, `0..=1`, right eye first; `points` are
/// the mesh in pixels of `frame`.
///
/// `None` where the face has no view.
pub fn lens_shares(frame: &Picture, points: &[Point3]) -> Option<[f32; 2]> {
    const SIDE: u32 = 2 * CELLS as u32;
    let frame_from_crop = aligned_view(points, SIDE, MODEL_EXTENT)?;
    let crop_from_frame = frame_from_crop.inverse()?;
    let in_crop = |p: &Point3| crop_from_frame.apply(p.xy());
    let points: Vec<Point2> = points.iter().map(in_crop).collect();
    let outline = Outline::new(&points, SIDE as usize);
    let colours = cells_of(&resample::crop(frame, frame_from_crop, SIDE));
    let darkest = LENS * cheek_luma(&colours, &outline);
    Some(outline.eyes.map(|eye| {
        let cells = eye_cells(&outline, eye);
        let n_dark = cells.iter().filter(|&&i| colours[i][0] < darkest).count();
        n_dark as f32 / cells.len().max(1) as f32
    }))
}

/// The cells of the place of an eye.
fn eye_cells(outline: &Outline, eye: Point2) -> Vec<usize> {
    let scale = outline.mesh.width() as f32 / CELLS as f32;
    let [wide, high] = LENS_REACH.map(|reach| reach * outline.eye_distance / scale);
    let is_eye = |i: &usize| {
        let (x, y) = ((i % CELLS) as f32 + 0.5, (i / CELLS) as f32 + 0.5);
        let (u, v) = ((x - eye.x / scale) / wide, (y - eye.y / scale) / high);
        u * u + v * v <= 1.0
    };
    (0..CELLS * CELLS).filter(is_eye).collect()
}

/// Dark lenses, which touch no rim: where all of an eye is dark, and what is as dark around it.
fn dark_lenses(colours: &[[f32; 3]], scene: &Scene<'_>) -> Vec<bool> {
    let outline = scene.outline;
    let darkest = LENS * cheek_luma(colours, outline);
    let is_dark = |i: usize| colours[i][0] < darkest;
    let mut first = Vec::new();
    for eye in outline.eyes {
        let cells = eye_cells(outline, eye);
        let dark: Vec<usize> = cells.iter().copied().filter(|&i| is_dark(i)).collect();
        if LENS_DARK * cells.len() as f32 <= dark.len() as f32 {
            first.extend(dark);
        }
    }
    let around = cells_of_plane(&outline.around_eyes);
    let lenses = spread(first, |i| is_dark(i) && 0.0 < around[i]);
    // The cells beside: an edge is half lens.
    let touches = |i: usize| lenses[i] || neighbours(i).any(|j| lenses[j]);
    (0..lenses.len()).map(touches).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_model::mean_mesh;

    const SIDE: u32 = 96;
    const SKIN: [u8; 3] = [205, 160, 130];

    fn outline() -> Outline {
        let place = |p: &Point3| Point2::new(48.0 + 46.0 * p.x, 31.0 + 46.0 * p.y);
        let points: Vec<Point2> = mean_mesh().iter().map(place).collect();
        Outline::new(&points, SIDE as usize)
    }

    fn skin() -> Drawn {
        Drawn {
            picture: Picture::filled(SIDE, SIDE, SKIN),
            mask: Plane::filled(SIDE as usize, SIDE as usize, 1.0),
        }
    }

    /// Skin with a box of another colour: left, top, right, bottom.
    fn with_box(rgb: [u8; 3], [left, top, right, bottom]: [u32; 4]) -> Picture {
        let mut picture = Picture::filled(SIDE, SIDE, SKIN);
        for y in top..bottom {
            (left..right).for_each(|x| picture.set(x, y, rgb));
        }
        picture
    }

    fn see(occlusion: &mut Occlusion, seen: &Picture, outline: &Outline) -> Plane {
        let skin = skin();
        let drawings = Drawings {
            source: &skin,
            points: &[],
            target: Some(&skin),
        };
        occlusion.update(seen, &drawings, outline, 0.04)
    }

    /// Looks at `seen` for half a second.
    fn look(seen: &Picture) -> Plane {
        let mut occlusion = Occlusion::default();
        let outline = outline();
        let looks = (0..12).map(|_| see(&mut occlusion, seen, &outline));
        looks.last().unwrap()
    }

    #[test]
    fn bare_face_is_not_occluded_even_in_other_light() {
        for rgb in [SKIN, [150, 110, 85], [230, 190, 150]] {
            let occlusion = look(&with_box(rgb, [0, 0, SIDE, SIDE]));
            assert!(occlusion.values().iter().all(|&v| v <= 0.0), "{rgb:?}");
        }
    }

    #[test]
    fn what_comes_in_from_below_occludes_and_an_open_mouth_does_not() {
        let occlusion = look(&with_box([30, 30, 35], [40, 60, 56, 96]));
        assert!(0.9 < occlusion.get(48, 70), "{}", occlusion.get(48, 70));
        assert!(occlusion.get(25, 50) <= 0.0 && occlusion.get(48, 40) <= 0.0);
        let mouth = look(&with_box([60, 20, 25], [40, 58, 56, 66]));
        assert!(mouth.values().iter().all(|&v| v <= 0.0));
    }

    #[test]
    fn dark_hair_over_forehead_and_temples_occludes_seen_or_drawn() {
        let mut occlusion = Occlusion::default();
        let hair = with_box([50, 35, 30], [30, 0, 50, 14]);
        let mut drawn = skin();
        drawn.picture = with_box([50, 35, 30], [60, 0, 72, 12]);
        let outline = outline();
        let temple = outline.temples[0];
        for y in temple.y as u32 - 12..temple.y as u32 {
            (0..temple.x as u32).for_each(|x| drawn.picture.set(x, y, [50, 35, 30]));
        }
        let drawings = Drawings {
            source: &drawn,
            points: &[],
            target: None,
        };
        let looks = (0..12).map(|_| occlusion.update(&hair, &drawings, &outline, 0.04));
        let occlusion = looks.last().unwrap();
        assert!(0.9 < occlusion.get(40, 6), "{}", occlusion.get(40, 6));
        assert!(0.9 < occlusion.get(66, 8), "{}", occlusion.get(66, 8));
        let (x, y) = (temple.x as usize - 4, temple.y as usize - 6);
        assert!(0.9 < occlusion.get(x, y), "{}", occlusion.get(x, y));
        assert!(occlusion.get(54, 10) <= 0.0 && occlusion.get(48, 60) <= 0.0);
    }

    /// Skin with a dark oval before each eye, or with dark irises.
    fn with_eyes(outline: &Outline, [wide, high]: [f32; 2]) -> Picture {
        let mut picture = Picture::filled(SIDE, SIDE, SKIN);
        for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
            let is_dark = outline.eyes.iter().any(|eye| {
                let (dx, dy) = (x as f32 + 0.5 - eye.x, y as f32 + 0.5 - eye.y);
                let unit = outline.eye_distance;
                (dx / (wide * unit)).powi(2) + (dy / (high * unit)).powi(2) <= 1.0
            });
            if is_dark {
                picture.set(x, y, [24, 24, 26]);
            }
        }
        picture
    }

    #[test]
    fn dark_lenses_occlude_and_dark_eyes_do_not() {
        let outline = outline();
        let eye = outline.eyes[0];
        let at = |x: f32, y: f32| (x as usize, y as usize);
        let lenses = look(&with_eyes(&outline, [0.26, 0.16]));
        for (x, y) in [
            at(eye.x, eye.y),
            at(eye.x - 0.2 * outline.eye_distance, eye.y),
            at(eye.x, eye.y + 0.12 * outline.eye_distance),
        ] {
            assert!(0.9 < lenses.get(x, y), "({x}, {y}): {}", lenses.get(x, y));
        }
        let (x, y) = at(outline.cheeks[0].x, outline.cheeks[0].y + 8.0);
        assert!(lenses.get(x, y) <= 0.0);
        let bare = look(&with_eyes(&outline, [0.12, 0.07]));
        assert!(bare.values().iter().all(|&v| v <= 0.0));
    }

    #[test]
    fn bright_background_is_no_part_of_a_drawn_face() {
        let mut drawn = skin();
        assert_eq!(without_background(&drawn, &outline()), drawn.mask);
        drawn.picture = with_box([250, 250, 250], [0, 50, 12, 96]);
        let face = without_background(&drawn, &outline());
        assert!(face.get(5, 70) <= 0.0 && 0.99 < face.get(40, 70));
        drawn.picture = with_box([250, 250, 250], [44, 60, 52, 64]); // teeth
        assert_eq!(without_background(&drawn, &outline()), drawn.mask);
    }

    #[test]
    fn occluder_in_the_first_frame_is_whole_in_it() {
        let (outline, skin) = (outline(), skin());
        let drawings = Drawings {
            source: &skin,
            points: &[],
            target: Some(&skin),
        };
        let lenses = with_eyes(&outline, [0.26, 0.16]);
        let hand = with_box([30, 30, 35], [40, 60, 56, 96]);
        let eye = outline.eyes[0];
        for (seen, x, y) in [(lenses, eye.x as usize, eye.y as usize), (hand, 48, 70)] {
            let occlusion = Occlusion::default().update(&seen, &drawings, &outline, 0.0);
            assert!(0.9 < occlusion.get(x, y), "{}", occlusion.get(x, y));
        }
    }

    #[test]
    fn occluder_appears_within_two_frames_and_goes_softly() {
        let (mut occlusion, outline) = (Occlusion::default(), outline());
        let (hand, bare) = (
            with_box([30, 30, 35], [40, 60, 56, 96]),
            with_box(SKIN, [0, 0, 1, 1]),
        );
        let mut at = |seen| see(&mut occlusion, seen, &outline).get(48, 70);
        at(&bare);
        at(&hand);
        assert!(0.8 < at(&hand));
        let (first, second) = (at(&bare), at(&bare));
        assert!(second < first && 0.2 < second, "{first} {second}");
    }
}
