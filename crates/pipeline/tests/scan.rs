//! The job `scan` on bad input and, where the data are there, on real faces.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::{Path, PathBuf};

use effigy_detect::{Report, Verdict};
use effigy_frame::{Frame, Picture, Rational, Timestamp};
use effigy_media::{VideoWriter, WriteSettings};
use effigy_pipeline::scan::Window;
use effigy_pipeline::{Choice, Networks, Quiet, ScanJob, scan};

fn networks() -> Networks {
    Networks::load(Choice::Cpu).unwrap()
}

fn look(path: &Path) -> Report {
    scan(&ScanJob::new(path.to_owned()), &networks(), &mut Quiet).unwrap()
}

/// The folder of real clips, if it is there.
fn clips(test: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !folder.is_dir() {
        eprintln!("{test}: skipped, there is no {folder:?}");
        return None;
    }
    Some(folder)
}

#[expect(clippy::disallowed_methods, reason = "grey test cards are no faces")]
fn write_clip(path: &Path, picture: &Picture, n: i64) {
    let rate = Rational::new(25, 1);
    let settings = WriteSettings::new(picture.width(), picture.height(), rate);
    let mut writer = VideoWriter::create(path, &settings).unwrap();
    for i in 0..n {
        let frame = Frame {
            index: i as u64,
            time: Timestamp::new(i, Rational::new(1, 25)),
            picture: picture.clone(),
        };
        writer.write(&frame).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn a_clip_without_a_face_is_not_judged() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("grey.mp4");
    write_clip(&clip, &Picture::filled(320, 240, [120; 3]), 5);
    let report = look(&clip);
    assert_eq!(report.verdict, Verdict::NotJudged);
    assert_eq!(report.fake_probability, None);
    assert_eq!((report.n_frames, report.faces.len()), (5, 0));
}

#[test]
fn a_window_shows_only_one_of_two_faces() {
    let Some(data) = clips("a_window_shows_only_one_of_two_faces") else {
        return;
    };
    let clip = data.join("fakes-dev/dfl-pairs/Keanu_Reeves_1.mp4");
    let both = ScanJob::new(clip);
    let left = ScanJob {
        window: Some(Window {
            x: 0,
            y: 0,
            width: 396,
            height: 302,
        }),
        ..both.clone()
    };
    let networks = networks();
    let n_faces = |job| scan(job, &networks, &mut Quiet).unwrap().faces.len();
    assert_eq!((n_faces(&both), n_faces(&left)), (2, 1));
}
