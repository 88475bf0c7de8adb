use super::*;
use effigy_face::Face;
use effigy_face::landmarks::EYES;
use effigy_frame::{Frame, Picture, Point3, Rational, Rect, Similarity, Timestamp};
use effigy_model::mean_mesh;

use crate::cue::interface::testing::{finished, models};

const RATE: f64 = 25.0;
/// How far the neck is behind the eyes, in distances between their outer corners.
const NECK: f32 = 1.2;

/// What is wrong with the face.
#[derive(Clone, Copy, Default)]
struct Wrong {
    /// Degrees by which the inner face is turned further than the head.
    turn: f32,
    /// Tremble of the inner face, in pixels.
    tremble: f32,
    /// How far the lids close, of 1.
    closing: f32,
}

/// The mean mesh, nodding and turning, 100 px between the eyes.
fn mesh(frame: usize, wrong: Wrong) -> Vec<Point3> {
    let time = frame as f32 / RATE as f32;
    let yaw = 12.0 * (1.3 * time).sin() + 3.0 * (7.0 * time).sin();
    // A tremble that differs from frame to frame and from the head's.
    let jump = |k: usize| ((frame * 37 + k * 59) % 11) as f32 / 5.5 - 1.0;
    let place = |(i, p): (usize, &Point3)| {
        let inner = INNER_FACE.contains(&i) || INNER_FACE_ANCHORS.contains(&i);
        let degrees = if inner { yaw + wrong.turn } else { yaw };
        let (sin, cos) = degrees.to_radians().sin_cos();
        // Heads turn on their necks, which are behind the face.
        let behind = p.z - NECK;
        let (x, z) = (p.x * cos - behind * sin, behind * cos + p.x * sin);
        let tremble = if inner { wrong.tremble } else { 0.0 };
        Point3::new(
            200.0 + 100.0 * x + 4.0 * (3.0 * time).sin() + tremble * jump(0),
            160.0 + 100.0 * p.y + tremble * jump(1),
            100.0 * z,
        )
    };
    mean_mesh().iter().enumerate().map(place).collect()
}

/// Grey skin, dark eyes that close for a fifth of a second every two seconds.
fn picture(points: &[Point3], frame: usize, wrong: Wrong) -> Picture {
    let mut picture = Picture::filled(400, 400, [150; 3]);
    let shut = 1.0 - ((frame % 50) as f32 / 2.5 - 1.0).abs();
    for eye in EYES {
        let middle = eye.centre(points);
        let level = 40.0 + 110.0 * shut.max(0.0) * wrong.closing + (frame * 7 % 3) as f32;
        for y in -12..12 {
            for x in -20..20 {
                let at = |v: f32, d: i32| (v as i32 + d) as u32;
                picture.set(at(middle.x, x), at(middle.y, y), [level as u8; 3]);
            }
        }
    }
    picture
}

fn watched(secs: f64, wrong: Wrong) -> measurement::Result {
    let (mut movement, models) = (Movement::default(), models());
    for frame in 0..(secs * RATE) as usize {
        let points = mesh(frame, wrong);
        let picture = picture(&points, frame, wrong);
        let face = Face {
            track: 0,
            rect: Rect::around(points.iter().map(|p| p.xy())).unwrap(),
            score: 1.0,
            crop: Picture::filled(64, 64, [150; 3]),
            frame_from_crop: Similarity::about(Point2::default(), Point2::default(), 1.0, 0.0),
            points,
        };
        let frame = Frame {
            index: frame as u64,
            time: Timestamp::new(frame as i64, Rational::new(1, RATE as i32)),
            picture,
        };
        movement.look(&Observation::new(&frame, &face), &models);
    }
    finished(movement)
}

fn overall(wrong: Wrong) -> Vec<f32> {
    watched(8.0, wrong).unwrap().overall
}

const BLINKS: Wrong = Wrong {
    turn: 0.0,
    tremble: 0.0,
    closing: 1.0,
};

#[test]
fn a_face_that_belongs_to_its_head_is_usual() {
    let [shallow, head, gap] = overall(BLINKS)[..] else {
        panic!("three measures");
    };
    assert!(shallow < -15.0, "blinks are deep: {shallow}");
    assert!(head < 0.1, "{head}");
    assert!(gap < 0.5, "{gap}"); // the mean mesh itself, in f32
}

#[test]
fn an_inner_face_turned_otherwise_than_the_head_is_found() {
    let gap = overall(Wrong {
        turn: 6.0,
        ..BLINKS
    })[2];
    assert!((4.0..8.0).contains(&gap), "{gap}");
}

#[test]
fn a_trembling_inner_face_is_found() {
    let head = overall(Wrong {
        tremble: 1.0,
        ..BLINKS
    })[1];
    assert!(0.4 < head, "{head}");
}

#[test]
fn eyes_that_hardly_close_are_found() {
    let shallow = overall(Wrong {
        closing: 0.02,
        ..BLINKS
    })[0];
    assert!(-8.0 < shallow, "{shallow}");
}

#[test]
fn a_still_picture_is_not_judged() {
    let look = |i: usize| {
        let look = Look {
            darkness: 0.5,
            inner: Point2::new(100.0, 90.0),
            rim: Point2::new(100.0 + 0.02 * (i % 2) as f32, 100.0),
            turn_gap: 1.0,
        };
        (i as f64 / RATE, look)
    };
    let seen = (0..200).map(look).collect();
    let refused = finished(Movement { seen }).unwrap_err();
    assert!(refused.why.contains("nothing moves"), "{}", refused.why);
}

#[test]
fn three_seconds_are_not_judged() {
    assert_eq!(watched(3.0, BLINKS).unwrap_err().cue, CueKind::Movement);
}
