use effigy_frame::{Point2, Point3};
use effigy_model::face_model::Drawn;
use effigy_model::mean_mesh;

use super::*;

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
