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

/// How sure a network is that a box of cells is covered: left, top, right, bottom in cells.
fn seen(sure: f32, [left, top, right, bottom]: [usize; 4]) -> Plane {
    let mut plane = Plane::filled(CELLS, CELLS, 0.0);
    for y in top..bottom {
        plane.values_mut()[y * CELLS + left..y * CELLS + right].fill(sure);
    }
    plane
}

#[test]
fn what_the_network_is_sure_of_occludes_wherever_it_lies() {
    let (outline, bare) = (outline(), with_box(SKIN, [0, 0, SIDE, SIDE]));
    let covered = |sure: f32, place: [usize; 4]| {
        let mut occlusion = Occlusion::default();
        occlusion.show(&seen(sure, place), 0.0);
        see(&mut occlusion, &bare, &outline)
    };
    let inside = [20, 24, 28, 30]; // touches no rim, has the face's colour
    let cheek = covered(0.9, inside);
    assert!(0.9 < cheek.get(48, 54), "{}", cheek.get(48, 54));
    assert!(cheek.get(48, 76) <= 0.0);
    for (sure, place) in [
        (0.6, inside),
        (0.9, [22, 24, 24, 26]),
        (0.9, [0, 44, 6, 48]),
    ] {
        let occluded = covered(sure, place);
        assert!(
            occluded.values().iter().all(|&v| v <= 0.0),
            "{sure} {place:?}"
        );
    }
}

#[test]
fn what_the_network_is_less_sure_of_belongs_to_what_it_touches_and_holes_stay_open() {
    let (outline, bare) = (outline(), with_box(SKIN, [0, 0, SIDE, SIDE]));
    // A ring of cloth with a weak rim on one side, around a bare mouth.
    let mut ring = seen(0.9, [16, 24, 32, 40]);
    for (x, y) in (28..36).flat_map(|y| (20..28).map(move |x| (x, y))) {
        ring.values_mut()[y * CELLS + x] = 0.0;
    }
    for y in 28..36 {
        ring.values_mut()[y * CELLS + 13..y * CELLS + 16].fill(0.5);
    }
    let mut occlusion = Occlusion::default();
    occlusion.show(&ring, 0.0);
    let occluded = see(&mut occlusion, &bare, &outline);
    let at = |cell_x: usize, cell_y: usize| occluded.get(2 * cell_x, 2 * cell_y);
    assert!(0.9 < at(18, 26) && 0.9 < at(14, 32));
    assert!(at(24, 32) <= 0.0, "{}", at(24, 32));
}

#[test]
fn the_network_looks_at_a_bare_face_now_and_then_and_always_while_it_is_covered() {
    let (outline, bare) = (outline(), with_box(SKIN, [0, 0, SIDE, SIDE]));
    let (mut occlusion, mut frame) = (Occlusion::default(), 0_u32);
    let mut looks = |sure: f32| -> Vec<bool> {
        let mut look = || {
            let secs = 0.04 * f64::from(frame);
            frame += 1;
            let wants = occlusion.wants_look(secs);
            if wants {
                occlusion.show(&seen(sure, [16, 20, 28, 36]), secs);
            }
            see(&mut occlusion, &bare, &outline);
            wants
        };
        (0..7).map(|_| look()).collect()
    };
    let (t, f) = (true, false);
    assert_eq!(looks(0.0), [t, f, f, t, f, f, t]);
    assert_eq!(looks(0.9), [f, f, t, t, t, t, t]);
    assert_eq!(looks(0.0), [t, f, f, t, f, f, t]);
    frame += 1000; // the face was away
    assert!(occlusion.wants_look(0.04 * f64::from(frame)));
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
    let hand = with_box([30, 30, 35], [40, 60, 56, 96]);
    let occlusion = Occlusion::default().update(&hand, &drawings, &outline, 0.0);
    assert!(0.9 < occlusion.get(48, 70), "{}", occlusion.get(48, 70));
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
