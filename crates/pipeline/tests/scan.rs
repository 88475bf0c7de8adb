//! The job `scan` on bad input and, where the data are there, on real faces.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::fs;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use effigy_detect::cue::light::Light;
use effigy_detect::{Cue, Person, Report, Sight, Verdict};
use effigy_face::{TrackSettings, Tracker};
use effigy_frame::{Frame, Picture, Rational, Similarity, Timestamp, resample};
use effigy_media::{Limits, VideoReader, VideoWriter, WriteSettings};
use effigy_model::Identity;
use effigy_pipeline::scan::{Window, person as scan_person};
use effigy_pipeline::{
    BatchJob, Choice, Error, Networks, Progress, Quiet, ScanJob, Scanned, scan, scan_all,
};

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

/// The first frames of a drawn actor, whom everybody may look at.
fn actor(n: usize) -> Vec<Picture> {
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors/ada-1.mp4");
    let frames = VideoReader::open(&clip, &Limits::default()).unwrap();
    frames.take(n).map(|frame| frame.unwrap().picture).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "actors and grey cards are nobody's faces"
)]
fn write_clip(path: &Path, pictures: &[Picture]) {
    let (width, height) = (pictures[0].width(), pictures[0].height());
    let settings = WriteSettings::new(width, height, Rational::new(25, 1));
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
fn write_picture(path: &Path, picture: &Picture) {
    effigy_media::write_picture(path, picture).unwrap();
}

/// Scans changed copies of the actor and gives the report.
fn look_at(change: impl Fn(&Picture) -> Picture) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    let pictures: Vec<Picture> = actor(40).iter().map(change).collect();
    write_clip(&clip, &pictures);
    look(&clip)
}

fn each_value(picture: &Picture, change: impl Fn(u8) -> u8) -> Picture {
    let mut changed = picture.clone();
    changed
        .pixels_mut()
        .iter_mut()
        .for_each(|v| *v = change(*v));
    changed
}

fn grey() -> Picture {
    Picture::filled(320, 240, [120; 3])
}

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

#[test]
fn a_face_that_is_seen_well_is_judged() {
    let report = look_at(Picture::clone);
    assert_ne!(report.verdict, Verdict::NotJudged);
    let face = &report.faces[0];
    assert!(face.fake_probability.is_some_and(|p| 0.0 < p && p < 1.0));
    assert!(
        face.cues
            .iter()
            .any(|cue| cue.name == "noise" && cue.score.is_some())
    );
    assert!(!face.exhibits.is_empty() && !face.timeline.is_empty());
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
    let turned_round = |ada: Person| {
        let identity = Identity::from_values(ada.identity.0.map(|v| -v))?;
        Some(Person { identity, ..ada })
    };
    let different = likeness(ada.and_then(turned_round));
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
    let (finder, mesher) = (networks.finder, networks.mesher);
    let mut tracker = Tracker::new(finder, mesher, TrackSettings::default()).unwrap();
    let mut light = Light::default();
    for frame in VideoReader::open(&clip, &Limits::default())
        .unwrap()
        .take(20)
    {
        let frame = frame.unwrap();
        for face in tracker.follow(&frame.picture, frame.time.secs()) {
            light.look(&Sight::new(&frame, &face, false));
        }
    }
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
    assert!(name == "shallow-blinks" && depth < -8.0, "{depth}");
}

fn batch(folder: &Path, reports: Option<&Path>) -> BatchJob {
    BatchJob {
        inputs: vec![folder.to_owned()],
        each: ScanJob::new(PathBuf::new()),
        reports: reports.map(Path::to_owned),
        at_once: NonZero::new(2).unwrap(),
    }
}

fn run(job: &BatchJob, progress: &mut dyn Progress) -> Result<Vec<Scanned>, Error> {
    let mut told = Vec::new();
    scan_all(job, &networks(), progress, &mut |scanned| {
        told.push(scanned.clone());
        Ok(())
    })?;
    Ok(told)
}

/// Three grey pictures, a truncated video and a file of noise.
fn mixed_folder(folder: &Path) {
    for name in ["a.png", "c.png", "e.png"] {
        write_picture(&folder.join(name), &grey());
    }
    let clip = folder.join("b.mp4");
    write_clip(&clip, &vec![grey(); 50]);
    let bytes = fs::read(&clip).unwrap();
    fs::write(&clip, &bytes[..bytes.len() / 2]).unwrap();
    let noise: Vec<u8> = (0..20_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    fs::write(folder.join("d.jpg"), noise).unwrap();
}

#[test]
fn broken_files_are_told_and_the_rest_goes_on_in_order() {
    let folder = tempfile::tempdir().unwrap();
    mixed_folder(folder.path());
    let told = run(&batch(folder.path(), None), &mut Quiet).unwrap();
    let names: Vec<String> = told
        .iter()
        .map(|s| s.path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["a.png", "b.mp4", "c.png", "d.jpg", "e.png"]);
    let failed: Vec<bool> = told.iter().map(|s| s.failed.is_some()).collect();
    assert_eq!(failed, [false, true, false, true, false]);
    for scanned in &told {
        assert_eq!(scanned.report["verdict"], "not_judged");
    }
}

#[test]
fn a_folder_of_ten_thousand_files_is_told_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..10_000 {
        fs::write(folder.path().join(format!("{i:05}.jpg")), b"").unwrap();
    }
    for i in [0, 5000, 9999] {
        let path = folder.path().join(format!("{i:05}.jpg"));
        write_picture(&path, &Picture::filled(32, 32, [120; 3]));
    }
    let told = run(&batch(folder.path(), None), &mut Quiet).unwrap();
    assert_eq!(told.len(), 10_000);
    let read: Vec<usize> = (0..told.len())
        .filter(|i| told[*i].failed.is_none())
        .collect();
    assert_eq!(read, [0, 5000, 9999]);
    assert!(told.iter().all(|s| s.report["verdict"] == "not_judged"));
}

/// Stops the job after some steps.
struct StopAfter(u32);

impl Progress for StopAfter {
    fn begin(&mut self, _what: &str, _steps: Option<u64>) {}
    fn step(&mut self) -> ControlFlow<()> {
        if self.0 == 0 {
            return ControlFlow::Break(());
        }
        self.0 -= 1;
        ControlFlow::Continue(())
    }
    fn detail(&mut self, _text: &str) {}
    fn note(&mut self, _text: &str) {}
}

#[test]
fn an_interrupted_batch_goes_on_where_it_was() {
    let (folder, reports) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    mixed_folder(folder.path());
    let job = batch(folder.path(), Some(reports.path()));
    let stopped = run(&job, &mut StopAfter(1)).unwrap_err();
    assert!(matches!(stopped, Error::Cancelled));
    let first: Vec<PathBuf> = written(reports.path());
    assert!(!first.is_empty() && first.iter().all(|p| !p.to_string_lossy().contains(".part")));
    let marker = &first[0];
    let text = fs::read_to_string(marker).unwrap();
    fs::write(marker, text.replace("\"n_frames\": 1", "\"n_frames\": 77")).unwrap();
    let told = run(&job, &mut Quiet).unwrap();
    assert_eq!(told.len(), 5);
    let reused = told.iter().filter(|s| s.report["n_frames"] == 77).count();
    assert_eq!(reused, 1, "what was there is not made again");
    assert_eq!(written(reports.path()).len(), 3);
}

fn written(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut json: Vec<PathBuf> = entries
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    json.sort();
    json
}

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
    assert_eq!(report.faces[0].exhibits[0].cue, Cue::Splice);
}
