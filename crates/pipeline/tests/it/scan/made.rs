//! Clips and pictures made for the tests of scanning, of drawn actors or of nobody.

use effigy_model::Weights;
use std::path::{Path, PathBuf};

use effigy_detect::Report;
use effigy_frame::{Frame, Picture, Rational, Timestamp};
use effigy_media::{Limits, VideoReader, VideoWriter, WriteSettings};
use effigy_pipeline::{Choice, Networks, Quiet, ScanJob, scan};

pub(crate) fn networks() -> Networks {
    Networks::load(&Weights::from_source_tree().unwrap(), Choice::Cpu).unwrap()
}

pub(crate) fn look(path: &Path) -> Report {
    scan(&ScanJob::new(path.to_owned()), &networks(), &mut Quiet).unwrap()
}

/// The folder of real clips, if it is there.
pub(crate) fn clips(test: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !folder.is_dir() {
        eprintln!("skipped: {test} needs ../shared/data");
        return None;
    }
    Some(folder)
}

/// The first frames of a drawn actor, whom everybody may look at.
pub(crate) fn actor(n: usize) -> Vec<Picture> {
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors/ada-1.mp4");
    let frames = VideoReader::open(&clip, &Limits::default()).unwrap();
    frames.take(n).map(|frame| frame.unwrap().picture).collect()
}

pub(crate) fn write_clip(path: &Path, pictures: &[Picture]) {
    write_clip_with(path, pictures, None);
}

#[expect(
    clippy::disallowed_methods,
    reason = "actors and grey cards are nobody's faces"
)]
pub(crate) fn write_clip_with(path: &Path, pictures: &[Picture], sound: Option<PathBuf>) {
    let (width, height) = (pictures[0].width(), pictures[0].height());
    let settings = WriteSettings {
        tracks_from: sound,
        ..WriteSettings::new(width, height, Rational::new(25, 1))
    };
    let mut writer = VideoWriter::create(path, &settings).unwrap();
    for (i, picture) in pictures.iter().enumerate() {
        let frame = Frame {
            index: i as u64,
            time: Timestamp::new(i as i64, Rational::new(1, 25)),
            picture: picture.clone(),
        };
        writer.write(&frame).unwrap();
    }
    writer.finish().unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "actors and grey cards are nobody's faces"
)]
pub(crate) fn write_picture(path: &Path, picture: &Picture) {
    effigy_media::write_picture(path, picture).unwrap();
}

/// Scans changed copies of the actor and gives the report.
pub(crate) fn look_at(change: impl Fn(&Picture) -> Picture) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    let pictures: Vec<Picture> = actor(40).iter().map(change).collect();
    write_clip(&clip, &pictures);
    look(&clip)
}

pub(crate) fn each_value(picture: &Picture, change: impl Fn(u8) -> u8) -> Picture {
    let mut changed = picture.clone();
    changed
        .pixels_mut()
        .iter_mut()
        .for_each(|v| *v = change(*v));
    changed
}

pub(crate) fn grey() -> Picture {
    Picture::filled(320, 240, [120; 3])
}
