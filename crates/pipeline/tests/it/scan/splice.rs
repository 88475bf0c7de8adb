//! Faces that were put into a picture.

use effigy_detect::{CueKind, Report, Verdict};
use effigy_frame::Picture;
use effigy_media::Limits;

use super::made::{actor, look, write_picture};

/// Moves what is well inside a box by three pixels across and two down.
fn put_in_again(picture: &Picture, [left, top, width, height]: [f32; 4]) -> Picture {
    let mut changed = picture.clone();
    for y in 0..picture.height() - 2 {
        for x in 0..picture.width() - 3 {
            let u = (x as f32 - left) / width * 2.0 - 1.0;
            let v = (y as f32 - top) / height * 2.0 - 1.0;
            if u * u + v * v < 1.0 {
                changed.set(x, y, picture.get(x + 3, y + 2));
            }
        }
    }
    changed
}

fn splice_score(report: &Report) -> Option<f32> {
    let mut cues = report.faces[0].cues.iter();
    cues.find(|cue| cue.name == "splice")
        .and_then(|cue| cue.score)
}

#[test]
fn a_face_put_into_a_jpeg_is_told_first_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, spliced] = ["whole.jpg", "spliced.png"].map(|name| folder.path().join(name));
    write_picture(&whole, &actor(1)[0]);
    let untouched = look(&whole);
    assert_eq!(splice_score(&untouched), Some(0.0));
    let container = untouched.cues.iter().find(|cue| cue.name == "container");
    assert!(container.unwrap().sentence.contains("quality 95"));

    let saved = effigy_media::read_picture(&whole, &Limits::default()).unwrap();
    write_picture(&spliced, &put_in_again(&saved, untouched.faces[0].rect));
    let report = look(&spliced);
    assert_eq!(splice_score(&report), Some(1.0));
    assert!(report.reasons[0].contains("another grid"));
    assert_ne!(report.verdict, Verdict::NoSigns);
    assert_eq!(report.faces[0].evidence[0].cue, CueKind::Splice);
}
