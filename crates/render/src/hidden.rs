//! What stands before a face and must stay there: a hand, a microphone, a fringe.
//!
//! The model can draw the person in front of the camera too. Where the frame differs from that
//! drawing, more than it usually does there, and the difference hangs together with the face's
//! rim, something has come in between. An open mouth or a blink that the drawing misses does not
//! touch the rim. Hair that is always there is in the drawing as well, so the forehead is compared
//! with the cheeks instead.
//!
//! Everything is done on a grid of [`CELLS`] cells a side over the crop: colours are luma and two
//! colour differences (BT.601), levels of `0..=255`.

use effigy_frame::{Picture, Plane};
use effigy_model::face_model::Drawn;

use crate::cells::{
    CELLS, cell_at, cells_of, cells_of_plane, closed, drop_small, enlarged, middle, neighbours,
    spread,
};
use crate::outline::Outline;
use crate::placement::Faces;

/// Cells that count as inside, by share of the outline and of the drawn mask.
const INSIDE: f32 = 0.5;
/// What luma and the colour differences count for.
const WEIGHTS: [f32; 3] = [0.6, 1.6, 1.6];
/// A difference that begins an occluder: at least so many levels, plus so many times the usual of
/// its cell, plus so many times that of half the face: where all of it is drawn badly, a
/// difference means little.
const BEGINS: [f32; 3] = [22.0, 1.2, 1.5];
/// What still belongs to it, as a share of that.
const GOES_ON: f32 = 0.6;
/// What is usual before anything was seen, in levels.
const USUAL: f32 = 8.0;
/// How slowly the usual is learned, in seconds.
const USUAL_SECS: f32 = 2.0;
/// How slowly an occluder appears and goes, in seconds.
const APPEARS_SECS: f32 = 0.04;
const GOES_SECS: f32 = 0.1;
/// Hair is at most this bright, as a share of the cheeks: in the frame, and where it is drawn, which
/// is blurred.
const HAIR: [f32; 2] = [0.58, 0.72];

/// What is drawn brighter than this beside the face is background, as a share of the cheeks.
const BACKGROUND: f32 = 1.15;

/// What is known about occluders of one followed face.
#[derive(Clone, Debug)]
pub(crate) struct Hidden {
    /// The usual difference of each cell.
    usual: Vec<f32>,
    /// How surely each cell is hidden now.
    level: Vec<f32>,
}

impl Default for Hidden {
    fn default() -> Self {
        Self {
            usual: vec![USUAL; CELLS * CELLS],
            level: vec![0.0; CELLS * CELLS],
        }
    }
}

/// Where the face is, in cells too.
struct Scene<'a> {
    outline: &'a Outline,
    mesh: Vec<f32>,
    wide: Vec<f32>,
}

impl Hidden {
    /// Gives the share of each crop pixel that something stands before, or where hair is drawn
    /// that would end nowhere.
    ///
    /// Without the person in front of the camera as the model draws them only hair over the
    /// forehead is found. `secs` have passed since the last look.
    pub(crate) fn look(
        &mut self,
        seen: &Picture,
        faces: &Faces<'_>,
        outline: &Outline,
        secs: f32,
    ) -> Plane {
        let colours = cells_of(seen);
        let scene = Scene {
            outline,
            mesh: cells_of_plane(&outline.mesh),
            wide: cells_of_plane(&outline.wide),
        };
        let mut is_hidden = fringe(&colours, HAIR[0], &scene);
        let drawn = fringe(&cells_of(&faces.drawn.picture), HAIR[1], &scene);
        for (hidden, drawn) in is_hidden.iter_mut().zip(drawn) {
            *hidden |= drawn;
        }
        if let Some(own) = faces.own {
            let strange = self.strange(&colours, own, &scene, secs);
            for (hidden, strange) in is_hidden.iter_mut().zip(strange) {
                *hidden |= strange;
            }
        }
        for (level, &is_hidden) in self.level.iter_mut().zip(&is_hidden) {
            let (aim, slow) = if is_hidden {
                (1.0, APPEARS_SECS)
            } else {
                (0.0, GOES_SECS)
            };
            *level += (aim - *level) * share_in(secs, slow);
        }
        enlarged(&self.level, seen.width() as usize)
    }

    /// Cells that differ from the person's own drawing and hang together with the rim.
    fn strange(
        &mut self,
        colours: &[[f32; 3]],
        own: &Drawn,
        scene: &Scene<'_>,
        secs: f32,
    ) -> Vec<bool> {
        let drawn = cells_of(&own.picture);
        let inside: Vec<bool> = scene
            .mesh
            .iter()
            .zip(cells_of_plane(&own.mask))
            .map(|(outline, own)| INSIDE < outline.min(own))
            .collect();
        let gap = gaps(colours, &drawn, &inside);
        let mut all: Vec<f32> = (0..gap.len())
            .filter(|&i| inside[i])
            .map(|i| gap[i])
            .collect();
        let half = middle(&mut all);
        let begins = |i: usize| BEGINS[0] + BEGINS[1] * self.usual[i] + BEGINS[2] * half;
        let is_strange = |i: usize, share: f32| inside[i] && share * begins(i) < gap[i];
        let is_rim = |i: usize| neighbours(i).any(|i| neighbours(i).any(|i| !inside[i]));
        let first: Vec<usize> = (0..gap.len())
            .filter(|&i| is_strange(i, 1.0) && is_rim(i))
            .collect();
        let mut strange = spread(first, |i| is_strange(i, GOES_ON));
        drop_small(&mut strange);
        let strange = closed(&strange, &inside);
        let learn = share_in(secs, USUAL_SECS);
        for (i, usual) in self.usual.iter_mut().enumerate() {
            if inside[i] && !strange[i] {
                *usual += (gap[i] - *usual) * learn;
            }
        }
        strange
    }
}

/// The drawn mask without the background that an uncertain drawing lets in: what is much brighter
/// than the cheeks and hangs together with the mask's rim.
pub(crate) fn drawn_face(drawn: &Drawn, outline: &Outline) -> Plane {
    let colours = cells_of(&drawn.picture);
    let mask = cells_of_plane(&drawn.mask);
    let brightest = BACKGROUND * cheeks_of(&colours, outline);
    let is_bright = |i: usize| INSIDE < mask[i] && brightest < colours[i][0];
    let is_rim = |i: usize| neighbours(i).count() < 4 || neighbours(i).any(|i| mask[i] < INSIDE);
    let first = (0..mask.len()).filter(|&i| is_bright(i) && is_rim(i));
    let bright = spread(first.collect(), is_bright);
    let beside = |i: usize| bright[i] || neighbours(i).any(|j| bright[j]);
    let near = |i: usize| beside(i) || neighbours(i).any(beside);
    let level: Vec<f32> = (0..mask.len())
        .map(|i| f32::from(u8::from(near(i))))
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

/// How bright the brighter cheek is.
fn cheeks_of(colours: &[[f32; 3]], outline: &Outline) -> f32 {
    let scale = outline.mesh.width() as f32 / CELLS as f32;
    let cheeks = outline.cheeks.map(|at| colours[cell_at(at, scale)][0]);
    cheeks[0].max(cheeks[1])
}

/// Share of the way that `secs` lead towards an aim that is followed this slowly.
fn share_in(secs: f32, slow_secs: f32) -> f32 {
    1.0 - (-secs.max(1e-3) / slow_secs).exp()
}

/// How much each cell differs from the most similar one near it in the drawing, once both have the
/// same light.
fn gaps(seen: &[[f32; 3]], drawn: &[[f32; 3]], inside: &[bool]) -> Vec<f32> {
    let light: [f32; 3] = std::array::from_fn(|c| {
        let both = seen.iter().zip(drawn).zip(inside);
        let mut gaps: Vec<f32> = both
            .filter(|(_, inside)| **inside)
            .map(|((seen, drawn), _)| seen[c] - drawn[c])
            .collect();
        middle(&mut gaps)
    });
    let gap = |i: usize, j: usize| {
        let square = |c: usize| {
            let gap = seen[i][c] - drawn[j][c] - light[c];
            WEIGHTS[c] * gap * gap
        };
        square(0) + square(1) + square(2)
    };
    let least = |i: usize| {
        if !inside[i] {
            return 0.0;
        }
        let around = std::iter::once(i).chain(neighbours(i));
        let least = around.map(|j| gap(i, j)).fold(f32::INFINITY, f32::min);
        least.sqrt()
    };
    (0..seen.len()).map(least).collect()
}

/// Hair over forehead and temples: much darker than the cheeks, above the brows or beside them, or
/// beside the mesh, and hanging together with the rim.
fn fringe(colours: &[[f32; 3]], darkness: f32, scene: &Scene<'_>) -> Vec<bool> {
    let Scene {
        outline,
        mesh,
        wide,
    } = scene;
    let scale = outline.mesh.width() as f32 / CELLS as f32;
    let darkest = darkness * cheeks_of(colours, outline);
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
    let is_inside = |i: usize| 0.0 < wide[i] && (is_above(i) || is_temple(i) || mesh[i] < INSIDE);
    let is_hair = |i: usize| is_inside(i) && colours[i][0] < darkest;
    let is_rim = |i: usize| i < CELLS || neighbours(i).any(|i| wide[i] <= 0.0);
    let first = (0..colours.len()).filter(|&i| is_rim(i) && is_hair(i));
    let mut hair = spread(first.collect(), is_hair);
    drop_small(&mut hair);
    hair
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_frame::Point2;
    use effigy_model::mean_mesh;

    const SIDE: u32 = 96;
    const SKIN: [u8; 3] = [205, 160, 130];

    fn outline() -> Outline {
        let place = |p: &effigy_frame::Point3| Point2::new(48.0 + 46.0 * p.x, 31.0 + 46.0 * p.y);
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

    fn see(hidden: &mut Hidden, seen: &Picture, outline: &Outline) -> Plane {
        let skin = skin();
        let faces = Faces {
            drawn: &skin,
            points: &[],
            own: Some(&skin),
        };
        hidden.look(seen, &faces, outline, 0.04)
    }

    /// Looks at `seen` for half a second.
    fn look(seen: &Picture) -> Plane {
        let mut hidden = Hidden::default();
        let outline = outline();
        let looks = (0..12).map(|_| see(&mut hidden, seen, &outline));
        looks.last().unwrap()
    }

    #[test]
    fn bare_face_hides_nothing_even_in_other_light() {
        for rgb in [SKIN, [150, 110, 85], [230, 190, 150]] {
            let hidden = look(&with_box(rgb, [0, 0, SIDE, SIDE]));
            assert!(hidden.values().iter().all(|&v| v <= 0.0), "{rgb:?}");
        }
    }

    #[test]
    fn what_comes_in_from_below_is_hidden_and_an_open_mouth_is_not() {
        let hidden = look(&with_box([30, 30, 35], [40, 60, 56, 96]));
        assert!(0.9 < hidden.get(48, 70), "{}", hidden.get(48, 70));
        assert!(hidden.get(25, 50) <= 0.0 && hidden.get(48, 40) <= 0.0);
        let mouth = look(&with_box([60, 20, 25], [40, 58, 56, 66]));
        assert!(mouth.values().iter().all(|&v| v <= 0.0));
    }

    #[test]
    fn dark_hair_over_forehead_and_temples_is_hidden_seen_or_drawn() {
        let mut hidden = Hidden::default();
        let hair = with_box([50, 35, 30], [30, 0, 50, 14]);
        let mut drawn = skin();
        drawn.picture = with_box([50, 35, 30], [60, 0, 72, 12]);
        let outline = outline();
        let temple = outline.temples[0];
        for y in temple.y as u32 - 12..temple.y as u32 {
            (0..temple.x as u32).for_each(|x| drawn.picture.set(x, y, [50, 35, 30]));
        }
        let faces = Faces {
            drawn: &drawn,
            points: &[],
            own: None,
        };
        let looks = (0..12).map(|_| hidden.look(&hair, &faces, &outline, 0.04));
        let hidden = looks.last().unwrap();
        assert!(0.9 < hidden.get(40, 6), "{}", hidden.get(40, 6));
        assert!(0.9 < hidden.get(66, 8), "{}", hidden.get(66, 8));
        let (x, y) = (temple.x as usize - 4, temple.y as usize - 6);
        assert!(0.9 < hidden.get(x, y), "{}", hidden.get(x, y));
        assert!(hidden.get(54, 10) <= 0.0 && hidden.get(48, 60) <= 0.0);
    }

    #[test]
    fn bright_background_is_no_part_of_a_drawn_face() {
        let mut drawn = skin();
        assert_eq!(drawn_face(&drawn, &outline()), drawn.mask);
        drawn.picture = with_box([250, 250, 250], [0, 50, 12, 96]);
        let face = drawn_face(&drawn, &outline());
        assert!(face.get(5, 70) <= 0.0 && 0.99 < face.get(40, 70));
        drawn.picture = with_box([250, 250, 250], [44, 60, 52, 64]); // teeth
        assert_eq!(drawn_face(&drawn, &outline()), drawn.mask);
    }

    #[test]
    fn occluder_appears_within_two_frames_and_goes_softly() {
        let (mut hidden, outline) = (Hidden::default(), outline());
        let (hand, bare) = (
            with_box([30, 30, 35], [40, 60, 56, 96]),
            with_box(SKIN, [0, 0, 1, 1]),
        );
        let mut at = |seen| see(&mut hidden, seen, &outline).get(48, 70);
        at(&hand);
        assert!(0.9 < at(&hand));
        let (first, second) = (at(&bare), at(&bare));
        assert!(second < first && 0.2 < second, "{first} {second}");
    }
}
