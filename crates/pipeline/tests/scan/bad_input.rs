//! What cannot be judged is said to be, and why.

use effigy_detect::{Report, Verdict};
use effigy_frame::{Picture, Similarity, resample};

use crate::made::{actor, each_value, grey, look, look_at, write_clip, write_picture};

#[test]
fn a_clip_without_a_face_is_not_judged() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("grey.mp4");
    write_clip(&clip, &vec![grey(); 5]);
    let report = look(&clip);
    assert_eq!(report.verdict, Verdict::NotJudged);
    assert_eq!(report.fake_probability, None);
    assert_eq!((report.n_frames, report.faces.len()), (5, 0));
    assert_eq!(report.not_judged, ["No face was found."]);
    assert_eq!(report.sha256.unwrap().len(), 64);
}

/// Nothing is claimed of what cannot be seen, and the report says why.
#[track_caller]
fn check_not_judged(report: &Report, why: &str) {
    assert_eq!(
        report.verdict,
        Verdict::NotJudged,
        "{:?}",
        report.not_judged
    );
    assert_eq!(report.fake_probability, None);
    let says = report.not_judged.join(" ");
    assert!(says.contains(why), "{says}");
}

#[test]
fn a_small_face_is_not_judged() {
    let report = look_at(|picture| {
        let small = resample::resize(picture, picture.width() / 5, picture.height() / 5);
        let (width, height) = (small.width(), small.height());
        resample::resize(&small, width / 2 * 2, height / 2 * 2)
    });
    check_not_judged(&report, "");
    for face in &report.faces {
        assert!(face.cues.iter().all(|cue| cue.score.is_none()));
    }
}

#[test]
fn a_dark_face_is_not_judged() {
    let report = look_at(|picture| each_value(picture, |v| v / 16));
    check_not_judged(&report, "");
}

#[test]
fn a_blurred_face_is_not_judged() {
    const SHRUNK: u32 = 20;
    let report = look_at(|picture| {
        let (width, height) = (picture.width(), picture.height());
        let tiny = resample::resize(picture, width / SHRUNK, height / SHRUNK);
        let small_from_large = Similarity {
            a: 1.0 / SHRUNK as f32,
            ..Similarity::IDENTITY
        };
        resample::warp(&tiny, small_from_large, width, height)
    });
    check_not_judged(&report, "");
}

#[test]
fn a_face_seen_for_a_moment_is_not_judged_and_a_picture_is() {
    let folder = tempfile::tempdir().unwrap();
    let brief = folder.path().join("brief.mp4");
    let mut pictures = actor(4);
    let blank = Picture::filled(pictures[0].width(), pictures[0].height(), [120; 3]);
    pictures.extend(vec![blank; 20]);
    write_clip(&brief, &pictures);
    check_not_judged(&look(&brief), "less than a second");

    let still = folder.path().join("still.png");
    write_picture(&still, &pictures[0]);
    assert_ne!(look(&still).verdict, Verdict::NotJudged);
    let one_frame = folder.path().join("one.mp4");
    write_clip(&one_frame, &pictures[..1]);
    assert_ne!(look(&one_frame).verdict, Verdict::NotJudged);
}

#[test]
fn a_still_picture_as_video_is_judged_without_a_pulse() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("still.mp4");
    write_clip(&clip, &vec![actor(1).remove(0); 40]);
    assert_ne!(look(&clip).verdict, Verdict::NotJudged);
}
