//! One drawn face into one frame.

use effigy_frame::{Picture, Plane, Point2, Rect, Similarity, resample};

use crate::blend::blended;
use crate::detail::Fine;
use crate::follow::Follow;
use crate::grid::Grid;
use crate::hidden::{Hidden, drawn_face};
use crate::iris::{Tint, irises, open_eyes, share};
use crate::light::{self, Light};
use crate::mask::crop_mask;
use crate::opening::openings;
use crate::outline::Outline;
use crate::outwards::outwards;
use crate::placement::{Faces, Place};
use crate::region::{Layer, Region};
use crate::sample::fitted;
use crate::texture::texture;

/// Whose complexion the result has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Complexion {
    /// That of the person in front of the camera, as neck and ears have it.
    #[default]
    Seen,
    /// That of the person drawn.
    Drawn,
}

/// What must not change suddenly from frame to frame; one for each face that is followed.
#[derive(Clone, Debug, Default)]
pub struct Steady {
    complexion: Complexion,
    follow: Follow,
    tint: Tint,
    light: Option<Light>,
    detail_gain: Option<f32>,
    hidden: Hidden,
    last_secs: f64,
}

/// What an overlay did.
#[derive(Clone, Debug)]
pub struct Laid {
    /// The box that was computed, in pixels of the frame.
    pub rect: Rect,
    /// How much of each pixel of the box was replaced; everything outside is untouched.
    pub mask: Plane,
}

/// Lays a drawn face over the one at `place`.
///
/// Pixels where the mask is 0 are not touched. Gives `None`, and changes nothing, when no pixel of
/// the frame is under the mask.
///
/// # Panics
/// If pictures and masks of `faces` differ in size, or points are not those of a mesh.
pub fn overlay(
    frame: &mut Picture,
    place: &Place,
    faces: &Faces<'_>,
    time_secs: f64,
    steady: &mut Steady,
) -> Option<Laid> {
    let side = faces.drawn.picture.width();
    let masks = std::iter::once(faces.drawn).chain(faces.own);
    for drawn in masks {
        let sides = (drawn.picture.width(), drawn.mask.width());
        assert_eq!(sides, (side, side as usize), "pictures and masks differ");
    }
    let crop_from_frame = place.frame_from_crop.inverse()?;
    let in_crop = |&point: &Point2| crop_from_frame.apply(point);
    let points: Vec<Point2> = place.points.iter().map(in_crop).collect();
    let outline = Outline::new(&points, side as usize);
    let region = Region::covered(frame, &outline, place.frame_from_crop)?;
    let seen = resample::crop(frame, place.frame_from_crop, side);
    let secs = steady.pass(time_secs);
    if let Some(own) = faces.own {
        steady
            .tint
            .look(&faces.drawn.picture, &own.picture, faces.points, secs);
    }
    let bent = steady.follow.bend(faces.drawn, faces.points, &points, secs);
    let faces = &Faces {
        drawn: &bent,
        ..*faces
    };
    let hidden = steady.hidden.look(&seen, faces, &outline, secs);
    let mask = crop_mask(&outline, &faces.drawn.mask, Some(&hidden));
    let mut picture = outwards(&faces.drawn.picture, &drawn_face(faces.drawn, &outline));
    steady.suit(&mut picture, &seen, &mask, secs);
    let (picture, mask, small_from_frame) = fitted(picture, mask, crop_from_frame);
    let mut weights = region.weights(&mask, small_from_frame);
    let irises = leave_open(&mut weights, &points, &seen, crop_from_frame, region);
    let difference = region.difference(frame, &picture, small_from_frame);
    let texture = texture(
        region.luma_of(frame),
        place.frame_from_crop.scale(),
        &weights.values,
        &region.weights(&outline.around_eyes, crop_from_frame).values,
    );
    let change = blended(difference, &weights);
    let layer = Layer {
        change: &change,
        weights: &weights,
        texture: &texture,
        opacity: place.opacity,
    };
    region.add(frame, &layer);
    let opaque = |[value]: &[f32; 1]| place.opacity * value;
    let mut values: Vec<f32> = weights.values.iter().map(opaque).collect();
    for (i, share) in irises {
        let share = place.opacity * share;
        region.change(frame, i, |colour| steady.tint.change(colour, share));
        values[i] = values[i].max(share);
    }
    Some(Laid {
        rect: region.as_rect(),
        mask: Plane::new(region.width, region.height, values),
    })
}

/// How slowly sharpness follows, in seconds.
const DETAIL_MEMORY_SECS: f32 = 1.0;
/// More time between two looks at a face counts as this.
const LONGEST_PAUSE_SECS: f64 = 0.5;

impl Steady {
    /// Nothing seen yet; the results will have this complexion.
    pub fn new(complexion: Complexion) -> Self {
        Self {
            complexion,
            ..Self::default()
        }
    }

    /// Seconds since the last frame.
    fn pass(&mut self, time_secs: f64) -> f32 {
        let secs = (time_secs - self.last_secs).clamp(0.0, LONGEST_PAUSE_SECS) as f32;
        self.last_secs = time_secs;
        secs
    }

    /// Gives `picture` the colours and the sharpness of `seen`, as they are over time.
    fn suit(&mut self, picture: &mut Picture, seen: &Picture, mask: &Plane, secs: f32) {
        if let Some(measured) = light::measure(picture, seen, mask) {
            let measured = match self.complexion {
                Complexion::Seen => measured,
                Complexion::Drawn => measured.without_complexion(mask),
            };
            let light = self.light.get_or_insert_with(|| measured.clone());
            light.follow(&measured, secs);
            light.apply(picture, mask);
        }
        let fine = Fine::of(picture);
        if let Some(measured) = fine.gain_to(&Fine::of(seen), mask) {
            let gain = self.detail_gain.get_or_insert(measured);
            *gain += (1.0 - (-secs / DETAIL_MEMORY_SECS).exp()) * (measured - *gain);
            fine.scale(picture, *gain);
        }
    }
}

/// Leaves what is seen through mouth and lids as it is; gives which pixels belong to irises, and how
/// much.
fn leave_open(
    weights: &mut Grid<1>,
    points: &[Point2],
    seen: &Picture,
    crop_from_frame: Similarity,
    region: Region,
) -> Vec<(usize, f32)> {
    let (openings, irises) = (openings(points), irises(points));
    let surely = open_eyes(seen, points);
    let mut inside = Vec::new();
    for (i, ([weight], centre)) in weights.values.iter_mut().zip(region.centres()).enumerate() {
        let at = crop_from_frame.apply(centre);
        let open: f32 = openings.iter().map(|opening| opening.share(at)).sum();
        let open = open.min(1.0);
        if 0.0 < open {
            let tint = surely * open * *weight * share(&irises, at);
            *weight *= 1.0 - open;
            if 0.0 < tint {
                inside.push((i, tint));
            }
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_model::face_model::Drawn;
    use effigy_model::mean_mesh;

    const SIDE: u32 = 96;

    fn noise_frame() -> Picture {
        let pixels = (0..320 * 240 * 3_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8);
        Picture::new(320, 240, pixels.collect())
    }

    /// The mean face, 72 px between the eyes.
    fn place(middle: Point2) -> Place {
        let crop_middle = Point2::new(48.0, 48.0);
        let frame_from_crop = Similarity::about(crop_middle, middle, 1.5, 0.2);
        let in_crop = |x: f32, y: f32| Point2::new(48.0 + 48.0 * x, 31.0 + 48.0 * y);
        let points = mean_mesh().iter().map(|p| in_crop(p.x, p.y));
        Place {
            frame_from_crop,
            points: points.map(|p| frame_from_crop.apply(p)).collect(),
            opacity: 1.0,
        }
    }

    fn drawn(rgb: [u8; 3]) -> Drawn {
        let mut picture = Picture::filled(SIDE, SIDE, rgb);
        for (i, value) in picture.pixels_mut().iter_mut().enumerate() {
            *value = value.wrapping_add((i % 13) as u8);
        }
        Drawn {
            picture,
            mask: Plane::filled(SIDE as usize, SIDE as usize, 1.0),
        }
    }

    /// The mesh of a drawing that lies as `place` does.
    fn mesh(place: &Place) -> Vec<Point2> {
        let crop_from_frame = place.frame_from_crop.inverse().unwrap();
        let points = place.points.iter();
        points.map(|&point| crop_from_frame.apply(point)).collect()
    }

    fn lay(frame: &mut Picture, place: &Place, drawn: &Drawn) -> Option<Laid> {
        let faces = Faces {
            drawn,
            points: &mesh(place),
            own: None,
        };
        overlay(frame, place, &faces, 0.0, &mut Steady::default())
    }

    fn check_bits_outside(opacity: f32) -> usize {
        let (before, mut frame) = (noise_frame(), noise_frame());
        let place = Place {
            opacity,
            ..place(Point2::new(150.0, 120.0))
        };
        let laid = lay(&mut frame, &place, &drawn([200, 120, 90])).unwrap();
        let (x0, y0) = (laid.rect.x as u32, laid.rect.y as u32);
        let mut n_changed = 0;
        for y in 0..240 {
            for x in 0..320 {
                let inside = x0 <= x && y0 <= y;
                let (mx, my) = (x.wrapping_sub(x0) as usize, y.wrapping_sub(y0) as usize);
                let inside = inside && mx < laid.mask.width() && my < laid.mask.height();
                let is_masked = inside && 0.0 < laid.mask.get(mx, my);
                if frame.get(x, y) != before.get(x, y) {
                    assert!(is_masked, "({x}, {y})");
                    n_changed += 1;
                }
            }
        }
        n_changed
    }

    #[test]
    fn pixels_outside_the_mask_are_untouched_to_the_bit() {
        assert!(5000 < check_bits_outside(1.0)); // the face has 11 000 pixels
        assert!(5000 < check_bits_outside(0.4));
        assert_eq!(check_bits_outside(0.0), 0);
    }

    #[test]
    fn rim_has_no_edge_where_drawing_and_frame_differ_evenly() {
        let grey = Picture::filled(320, 240, [120; 3]);
        let mut frame = grey.clone();
        let face = Drawn {
            picture: Picture::filled(SIDE, SIDE, [200; 3]),
            mask: Plane::filled(SIDE as usize, SIDE as usize, 1.0),
        };
        let mut steady = Steady::new(Complexion::Drawn);
        let place = place(Point2::new(150.0, 120.0));
        let faces = Faces {
            drawn: &face,
            points: &mesh(&place),
            own: None,
        };
        overlay(&mut frame, &place, &faces, 0.0, &mut steady).unwrap();
        assert!(190 < frame.get(150, 125)[0], "{:?}", frame.get(150, 125));
        let openings = openings(&place.points);
        let is_open = |x: u32, y: u32| {
            let at = Point2::new(x as f32 + 0.5, y as f32 + 0.5);
            openings.iter().any(|opening| 0.0 < opening.share(at))
        };
        let places = (0..240).flat_map(|y| (1..320).map(move |x| (x, y)));
        let steps = places
            .filter(|&(x, y)| !is_open(x - 1, y) && !is_open(x, y))
            .map(|(x, y)| frame.get(x - 1, y)[0].abs_diff(frame.get(x, y)[0]));
        // 80 levels over a fade of nine pixels; cut off hard, the coarse bands gave 30.
        let largest = steps.max().unwrap();
        assert!(largest <= 20, "{largest}");
    }

    #[test]
    fn face_laid_over_itself_changes_little() {
        let smooth = (0..320 * 240_u32)
            .flat_map(|i| [150 + (i % 320 / 8) as u8, 110 + (i / 2560) as u8, 90]);
        let before = Picture::new(320, 240, smooth.collect());
        let place = place(Point2::new(150.0, 120.0));
        let picture = resample::crop(&before, place.frame_from_crop, SIDE);
        let mask = Plane::filled(SIDE as usize, SIDE as usize, 1.0);
        let mut frame = before.clone();
        lay(&mut frame, &place, &Drawn { picture, mask });
        let gaps = frame
            .pixels()
            .iter()
            .zip(before.pixels())
            .map(|(a, b)| a.abs_diff(*b));
        assert!(gaps.max().unwrap() <= 3); // two resamplings and Lab, each rounded once
    }

    #[test]
    fn what_stands_before_the_face_stays() {
        let skin = [200, 150, 120];
        let mut before = Picture::filled(320, 240, skin);
        for y in 140..240 {
            (130..165).for_each(|x| before.set(x, y, [25, 25, 30]));
        }
        let own = Drawn {
            picture: Picture::filled(SIDE, SIDE, skin),
            mask: Plane::filled(SIDE as usize, SIDE as usize, 1.0),
        };
        let drawn = drawn([180, 150, 140]);
        let place = place(Point2::new(150.0, 120.0));
        let faces = Faces {
            drawn: &drawn,
            points: &mesh(&place),
            own: Some(&own),
        };
        let (mut steady, mut frame) = (Steady::new(Complexion::Drawn), before.clone());
        for n in 0..6 {
            frame = before.clone();
            overlay(&mut frame, &place, &faces, 0.04 * f64::from(n), &mut steady);
        }
        assert_eq!(frame.get(148, 160), before.get(148, 160));
        assert_ne!(frame.get(150, 120), before.get(150, 120));
    }

    #[test]
    fn face_off_the_frame_or_at_its_edge_is_no_trouble() {
        let mut frame = noise_frame();
        let far = place(Point2::new(-500.0, 90.0));
        let face = drawn([10, 20, 30]);
        assert!(lay(&mut frame, &far, &face).is_none());
        assert_eq!(frame, noise_frame());
        let edge = place(Point2::new(10.0, 235.0));
        assert!(lay(&mut frame, &edge, &face).is_some());
        assert_ne!(frame, noise_frame());
    }
}
