//! The job `scan` on bad input and, where the data are there, on real faces.

mod bad_input;
mod batch;
mod heard;
mod made;
mod splice;

use std::fs;
use std::path::Path;

use effigy_detect::cue::light::Light;
use effigy_detect::{Person, Verdict};
use effigy_face::{Observation, TrackSettings};
use effigy_media::{Limits, VideoReader};
use effigy_model::Identity;
use effigy_pipeline::scan::{Window, person as scan_person};
use effigy_pipeline::{Error, Followed, Follower, Quiet, ScanJob, scan};
use made::{actor, clips, grey, look, look_at, networks, write_clip, write_picture};

#[test]
fn a_face_that_is_seen_well_is_judged() {
    let report = look_at(Clone::clone);
    assert_ne!(report.verdict, Verdict::NotJudged);
    let face = &report.faces[0];
    assert!(face.fake_probability.is_some_and(|p| 0.0 < p && p < 1.0));
    assert!(
        face.cues
            .iter()
            .any(|cue| cue.name == "noise" && cue.score.is_some())
    );
    assert!(!face.evidence.is_empty() && !face.timeline.is_empty());
}

#[test]
fn a_marked_file_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("marked.png");
    write_picture(&picture, &grey());
    let mut bytes = fs::read(&picture).unwrap();
    // IPTC's mark in plain text, as other makers write it, behind the picture.
    bytes.extend_from_slice(
        b"Iptc4xmpExt:DigitalSourceType=\"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia\"",
    );
    fs::write(&picture, bytes).unwrap();
    let report = look(&picture);
    assert!(report.marked_as_synthetic);
    assert_eq!(
        (report.verdict, report.fake_probability),
        (Verdict::Signs, None)
    );
    assert!(report.reasons[0].contains("Marked as synthetic"));
}

#[test]
fn a_window_shows_only_one_of_two_faces() {
    let Some(data) = clips("a_window_shows_only_one_of_two_faces") else {
        return;
    };
    let clip = data.join("fakes-dev/dfl-pairs/Keanu_Reeves_1.mp4");
    let left = ScanJob {
        window: Some(Window {
            x: 0,
            y: 0,
            width: 396,
            height: 302,
        }),
        ..ScanJob::new(clip)
    };
    let report = scan(&left, &networks(), &mut Quiet).unwrap();
    assert_eq!(report.faces.len(), 1);
    assert!(report.faces[0].rect[0] + report.faces[0].rect[2] < 396.0);
}

#[test]
fn a_person_is_told_from_another() {
    let folder = tempfile::tempdir().unwrap();
    let (other, clip) = (
        folder.path().join("noise.png"),
        folder.path().join("ada.mp4"),
    );
    write_clip(&clip, &actor(30));
    let networks = networks();
    let ada = scan_person(std::slice::from_ref(&clip), &networks, &mut Quiet).unwrap();
    let with = |person| ScanJob {
        person,
        ..ScanJob::new(clip.clone())
    };
    let likeness = |person| {
        let report = scan(&with(person), &networks, &mut Quiet).unwrap();
        let cue = report.faces[0].cues.iter().find(|cue| cue.name == "person");
        cue.unwrap().clone()
    };
    let same = likeness(ada.clone());
    assert!(same.score.unwrap() < 0.3, "{same:?}");
    let turned_round = |ada: Person| Person {
        identity: Identity(ada.identity.0.map(|v| -v)),
        ..ada
    };
    let different = likeness(ada.map(turned_round));
    assert!(0.7 < different.score.unwrap(), "{different:?}");
    assert!(different.sentence.contains("does not look like"));

    write_picture(&other, &grey());
    let nobody = scan_person(&[other], &networks, &mut Quiet).unwrap_err();
    assert!(matches!(nobody, Error::NoFace { .. }), "{nobody}");
}

/// From where the light falls on a drawn actor: x right, y down.
fn light_on(actor: &str) -> [f32; 3] {
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../testdata/actors/{actor}"));
    let networks = networks();
    let mut follower = Follower::new(&networks, TrackSettings::default()).unwrap();
    let mut light = Light::default();
    let frames = VideoReader::open(&clip, &Limits::default())
        .unwrap()
        .take(20);
    let mut take = |followed: effigy_media::Result<Followed>| {
        let Followed { frame, faces } = followed?;
        for face in &faces {
            light.take(&Observation::new(&frame, face));
        }
        Ok(())
    };
    follower.follow(frames, &mut take).unwrap();
    light.towards().unwrap()
}

#[test]
fn light_is_seen_to_come_from_the_side_of_the_lamp() {
    // Their lamps are 45° to the right and to the left.
    let (right, left) = (light_on("ada-1.mp4"), light_on("ben-wrong-light.mp4"));
    assert!(0.05 < right[0] && left[0] < -0.05, "{right:?} {left:?}");
}

#[test]
fn drawn_actors_blink_and_two_in_one_light_are_said_to_be() {
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors/cleo-and-dan.mp4");
    let report = look(&clip);
    let light = report.cues.iter().find(|cue| cue.name == "light").unwrap();
    assert!(light.sentence.contains("about the same side"), "{light:?}");
    let movement = report.faces[0]
        .cues
        .iter()
        .find(|cue| cue.name == "movement");
    let (name, depth) = movement.unwrap().measures[0];
    assert!(name == "shallow-blinks" && depth < -6.0, "{depth}");
}
