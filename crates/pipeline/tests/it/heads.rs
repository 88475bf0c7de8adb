//! Heads as people hold them: turned in the picture's plane, near and far, with closed eyes.

use std::path::Path;

use effigy_actors::truth::{Points, Record};
use effigy_face::landmarks::{LEFT_EYE, RIGHT_EYE, eye_openness};
use effigy_face::{Face, SearchNetworks, TrackSettings, Tracker};
use effigy_frame::{Picture, Point2, Point3, Rect, Similarity, resample};
use effigy_media::{Limits, VideoReader};
use effigy_model::{FaceDetector, FaceMesh, Finder, Weights, device};

/// A frame with the points of the one face in it.
struct Shot {
    picture: Picture,
    points: Vec<Point3>,
}

impl Shot {
    /// What a view of `width` × `height` shows.
    fn seen(&self, picture_from_view: Similarity, width: u32, height: u32) -> Self {
        let view_from_picture = picture_from_view.inverse().unwrap();
        let points = self.points.iter().map(|&p| view_from_picture.apply3(p));
        Self {
            picture: resample::warp(&self.picture, picture_from_view, width, height),
            points: points.collect(),
        }
    }

    fn rect(&self) -> Rect {
        Rect::around(self.points.iter().map(|p| p.xy())).unwrap()
    }
}

fn shots(name: &str) -> Vec<Shot> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    let path = folder.join(name).with_extension("mp4");
    let truth = Points::read(&path, Record::read(&path).unwrap().people.len()).unwrap();
    let frames = VideoReader::open(&path, &Limits::default()).unwrap();
    let shot = |(frame, points): (effigy_media::Result<_>, Vec<Vec<Point3>>)| {
        let frame: effigy_frame::Frame = frame.unwrap();
        Shot {
            picture: frame.picture,
            points: points.into_iter().next().unwrap(),
        }
    };
    frames.zip(truth.points).map(shot).collect()
}

fn tracker() -> Tracker {
    let weights = Weights::from_source_tree().unwrap();
    let device = device::open(device::Choice::Cpu).unwrap();
    let search = SearchNetworks {
        finder: Finder::load(&weights, &device).unwrap(),
        detector: FaceDetector::load(&weights, &device).unwrap(),
    };
    let face_mesh = FaceMesh::load(&weights, &device).unwrap();
    Tracker::new(search, face_mesh, TrackSettings::default()).unwrap()
}

/// The corners of the eyes are where they are in truth.
#[track_caller]
fn check(what: &str, faces: &[Face], shot: &Shot) {
    assert_eq!(faces.len(), 1, "{what}: faces found");
    for corner in [RIGHT_EYE.outer, LEFT_EYE.outer] {
        let (is, wanted) = (faces[0].points[corner].xy(), shot.points[corner].xy());
        let gap = is.distance(wanted) / shot.rect().width;
        assert!(gap < 0.07, "{what}: corner {corner} is off by {gap}");
    }
}

#[test]
fn a_head_is_found_at_every_turn() {
    let shot = shots("ben-1").swap_remove(60);
    let (width, height) = (shot.picture.width(), shot.picture.height());
    let middle = Point2::new(0.5 * width as f32, 0.5 * height as f32);
    let mut tracker = tracker();
    for degrees in (0..360).step_by(20) {
        let turn = (degrees as f32).to_radians();
        let turned = shot.seen(Similarity::about(middle, middle, 1.0, turn), width, height);
        tracker.start_afresh();
        let faces = tracker.follow(&turned.picture, 0.0);
        check(&format!("turned by {degrees}°"), &faces, &turned);
    }
}

#[test]
fn a_head_is_found_from_forty_pixels_to_the_whole_picture() {
    let shot = shots("ada-2").swap_remove(30);
    let size = shot.rect().width.max(shot.rect().height);
    let centre = shot.rect().centre();
    let mut tracker = tracker();
    let mut look = |what: &str, width: u32, height: u32, face_px: f32| {
        let middle = Point2::new(0.5 * width as f32, 0.5 * height as f32);
        let view = Similarity::about(middle, centre, size / face_px, 0.0);
        let seen = shot.seen(view, width, height);
        tracker.start_afresh();
        check(what, &tracker.follow(&seen.picture, 0.0), &seen);
    };
    for face_px in [40.0, 60.0, 100.0, 180.0, 300.0, 500.0, 690.0] {
        look(&format!("{face_px} px of 1280"), 1280, 720, face_px);
    }
    for side in [120_u32, 320, 800, 1400] {
        look(&format!("all of {side} px"), side, side, side as f32);
    }
}

#[test]
fn someone_upside_down_is_noticed_beside_someone_else() {
    let shot = shots("ada-1").swap_remove(20);
    let side = shot.picture.width();
    let middle = Point2::new(0.5 * side as f32, 0.5 * side as f32);
    let half_a_turn = Similarity::about(middle, middle, 1.0, std::f32::consts::PI);
    let over = shot.seen(half_a_turn, side, side).picture;
    let mut picture = Picture::filled(2 * side, side, [90; 3]);
    let mut tracker = tracker();
    let mut most = 0;
    for n in 0..110 {
        for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
            if n == 0 {
                picture.set(x, y, shot.picture.get(x, y));
            } else if n == 5 {
                picture.set(side + x, y, over.get(x, y));
            }
        }
        let faces = tracker.follow(&picture, f64::from(n) / 25.0);
        assert!(!faces.is_empty(), "frame {n}");
        most = most.max(faces.len());
    }
    assert_eq!(most, 2);
}

#[test]
fn closed_eyes_are_seen_closed() {
    let shots = shots("ada-1");
    let openness = |shot: &Shot| eye_openness(&shot.points);
    let by_openness = |a: &&Shot, b: &&Shot| openness(a).total_cmp(&openness(b));
    let closed = shots.iter().min_by(by_openness).unwrap();
    let open = &shots[70];
    let mut tracker = tracker();
    let mut seen = |shot: &Shot| {
        tracker.start_afresh();
        eye_openness(&tracker.follow(&shot.picture, 0.0)[0].points)
    };
    let (closed, open) = (seen(closed), seen(open));
    // The drawn lids are thick: in truth a third of the open gap is left.
    assert!(closed < 0.55 * open, "{closed} of {open}");
}
