//! Portraits that a puppet cannot be made of, or not well, and what is said of them.

use std::fs;
use std::path::{Path, PathBuf};

use effigy_actors::truth::Points;
use effigy_face::landmarks::{EYES, eye_distance};
use effigy_frame::{Picture, resample};
use effigy_media::{Limits, VideoReader, write_picture};
use effigy_pipeline::{Error, Puppet, PuppetJob, Result, puppet};

use crate::puppet::{actor, is_empty, job};
use crate::studio::Notes;

/// A frame of a clip.
fn frame(clip: &str, index: usize) -> Picture {
    let mut frames = VideoReader::open(&actor(clip), &Limits::default()).unwrap();
    frames.nth(index).unwrap().unwrap().picture
}

/// Moves this portrait of Ada for one picture; gives what was said of it too.
fn moved(place: &Path, portrait: &Picture) -> (Result<Puppet>, String) {
    let path = place.join("portrait.png");
    #[expect(clippy::disallowed_methods, reason = "a picture of nobody, as it is")]
    write_picture(&path, portrait).unwrap();
    let results = place.join("results");
    fs::create_dir(&results).unwrap();
    let job = PuppetJob {
        portrait: path,
        output: results.join("moved.png"),
        ..job(place)
    };
    let mut notes = Notes::default();
    let made = puppet(&job, &mut notes);
    if made.is_err() {
        assert!(is_empty(&results), "something half-made is left");
    }
    (made, notes.0.join("\n"))
}

fn place() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn of_a_good_portrait_nothing_is_said() {
    let place = place();
    let (made, notes) = moved(place.path(), &frame("ben-2-as-ada", 0));
    made.unwrap();
    assert!(!notes.contains("portrait"), "{notes}");
}

#[test]
fn shut_eyes_are_named() {
    let place = place();
    let (made, notes) = moved(place.path(), &frame("ben-2-as-ada", 41));
    made.unwrap();
    assert!(notes.contains("eyes are shut"), "{notes}");
}

#[test]
fn dark_glasses_are_named() {
    let place = place();
    let mut portrait = frame("ben-2-as-ada", 0);
    let clip: PathBuf = actor("ben-2-as-ada");
    let points = Points::read(&clip, 1).unwrap();
    let points = &points.points[0][0];
    let unit = eye_distance(points);
    for y in 0..portrait.height() {
        for x in 0..portrait.width() {
            let is_behind = EYES.iter().any(|eye| {
                let middle = eye.centre(points);
                let across = (x as f32 - middle.x) / (0.27 * unit);
                let down = (y as f32 - middle.y) / (0.2 * unit);
                across.hypot(down) < 1.0
            });
            if is_behind {
                portrait.set(x, y, [18, 16, 20]);
            }
        }
    }
    let (made, notes) = moved(place.path(), &portrait);
    made.unwrap();
    assert!(notes.contains("before the eyes"), "{notes}");
}

#[test]
fn a_tiny_portrait_is_refused_and_a_small_one_named() {
    let [tiny, small] = [60, 200].map(|side| {
        let portrait = frame("ben-2-as-ada", 0);
        let portrait = resample::resize(&portrait, side, side);
        moved(place().path(), &portrait)
    });
    let (made, _) = tiny;
    let error = made.unwrap_err();
    let is_refused = matches!(error, Error::TooLittle { .. } | Error::NoFace { .. });
    assert!(is_refused, "{error}");
    let (made, notes) = small;
    made.unwrap();
    assert!(notes.contains("is small"), "{notes}");
}
