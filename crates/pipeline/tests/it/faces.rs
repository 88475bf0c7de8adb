//! The job `faces` on bad input and, where the data are there, on real faces.

use crate::actors::actor;
use effigy_model::Weights;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use effigy_files::{Conflict, Existing};
use effigy_frame::{Frame, Picture, Rational, Timestamp, resample};
use effigy_media::{Limits, VideoReader, VideoWriter, WriteSettings};
use effigy_pipeline::faces::{CropSettings, FacesOutput, PointScheme};
use effigy_pipeline::{
    Choice, Error, FacesJob, FacesReport, MatchJob, Networks, Progress, Quiet, faces, match_faces,
};

fn networks() -> Networks {
    Networks::load(&Weights::from_source_tree().unwrap(), Choice::Cpu).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "grey test cards are no faces")]
pub(crate) fn write_clip(path: &Path, pictures: &[Picture]) {
    let (width, height) = (pictures[0].width(), pictures[0].height());
    let rate = Rational::new(25, 1);
    let settings = WriteSettings::new(width, height, rate);
    let mut writer = VideoWriter::create(path, &settings).unwrap();
    for (index, picture) in pictures.iter().enumerate() {
        let frame = Frame {
            index: index as u64,
            time: Timestamp::new(index as i64, Rational::new(1, 25)),
            picture: picture.clone(),
        };
        writer.write(&frame).unwrap();
    }
    writer.finish().unwrap();
}

#[expect(clippy::disallowed_methods, reason = "test pictures are thrown away")]
fn write_picture(path: &Path, picture: &Picture) {
    effigy_media::write_picture(path, picture).unwrap();
}

fn everything(folder: &Path) -> FacesOutput {
    FacesOutput {
        folder: folder.to_owned(),
        existing: Existing::Kept,
        points: PointScheme::Mesh478,
        identity: false,
        overlay: true,
        crops: Some(CropSettings::new(64)),
        sheet: true,
    }
}

fn look(inputs: &[&Path], output: Option<FacesOutput>) -> Result<FacesReport, Error> {
    let job = FacesJob {
        output,
        ..FacesJob::new(inputs.iter().map(|&path| path.to_owned()).collect())
    };
    faces(&job, &networks(), &mut Quiet)
}

/// Names of everything in a folder and below, sorted.
fn contents(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, root: &Path, names: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, names);
            } else {
                names.push(
                    path.strip_prefix(root)
                        .unwrap()
                        .to_string_lossy()
                        .into_owned(),
                );
            }
        }
    }
    let mut names = Vec::new();
    walk(folder, folder, &mut names);
    names.sort();
    names
}

#[test]
fn frames_of_one_colour_show_nobody() {
    let place = tempfile::tempdir().unwrap();
    let clip = place.path().join("grey.mp4");
    write_clip(&clip, &vec![Picture::filled(320, 240, [128; 3]); 30]);
    let out = place.path().join("out");
    let report = look(&[&clip], Some(everything(&out))).unwrap();
    assert_eq!((report.n_frames, report.people.len()), (30, 0));
    assert!(report.strangers.is_none() && report.failed.is_empty());
    let wanted = ["crops/index.jsonl", "faces.jsonl", "overlay-1-grey.mp4"];
    assert_eq!(contents(&out), wanted);
    assert_eq!(fs::read(out.join("faces.jsonl")).unwrap(), b"");
}

#[test]
fn pictures_of_odd_and_tiny_sizes_are_looked_at() {
    let place = tempfile::tempdir().unwrap();
    for (width, height) in [(1, 1), (3, 200), (333, 17), (641, 481)] {
        let path = place.path().join(format!("{width}x{height}.png"));
        write_picture(&path, &Picture::filled(width, height, [90, 60, 30]));
    }
    let report = look(&[place.path()], None).unwrap();
    assert_eq!((report.n_frames, report.people.len()), (4, 0));
    assert!(report.failed.is_empty());
}

#[test]
fn one_broken_file_is_reported_and_the_rest_is_done() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    write_picture(&at("a.png"), &Picture::filled(64, 64, [10; 3]));
    fs::write(at("b.mp4"), b"this is a letter, not a film").unwrap();
    fs::write(at("c.mp4"), b"").unwrap();
    fs::write(at("d.jpg"), b"\xff\xd8\xff\xe0 cut short").unwrap();
    write_clip(&at("e.mp4"), &vec![Picture::filled(64, 48, [50; 3]); 5]);
    let out = place.path().join("out");
    let report = look(&[place.path()], Some(everything(&out))).unwrap();
    assert_eq!(report.n_frames, 6);
    let failed: Vec<_> = report
        .failed
        .iter()
        .map(|f| f.path.file_name().unwrap())
        .collect();
    assert_eq!(failed, ["b.mp4", "c.mp4", "d.jpg"]);
    assert!(report.failed.iter().all(|f| !f.reason.is_empty()));
    assert!(contents(&out).contains(&"overlay-5-e.mp4".to_owned()));
}

#[test]
fn a_file_that_cannot_be_opened_takes_no_lines_of_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let [good, broken, last] = ["a.png", "b.jpg", "c.png"].map(|name| folder.path().join(name));
    let mut clip = VideoReader::open(&actor("ada-1"), &Limits::default()).unwrap();
    let picture = clip.next().unwrap().unwrap().picture;
    write_picture(&good, &picture);
    write_picture(&last, &picture);
    fs::write(&broken, b"no picture").unwrap();
    let output = FacesOutput {
        overlay: false,
        crops: None,
        sheet: false,
        ..everything(&folder.path().join("seen"))
    };
    let report = look(&[&good, &broken, &last], Some(output)).unwrap();
    assert_eq!(report.failed.len(), 1);
    let lines = fs::read_to_string(folder.path().join("seen/faces.jsonl")).unwrap();
    let seen: Vec<bool> = ["a.png", "c.png"].map(|name| lines.contains(name)).to_vec();
    assert_eq!((seen, lines.lines().count()), (vec![true, true], 2));
}

#[test]
fn a_truncated_clip_leaves_nothing_behind() {
    let place = tempfile::tempdir().unwrap();
    let clip = place.path().join("cut.mkv");
    let noisy = |i: u32| {
        let noise = |k: u32| (k.wrapping_mul(2_654_435_761).wrapping_add(i * 977) >> 21) as u8;
        Picture::new(320, 240, (0..320 * 240 * 3).map(noise).collect())
    };
    write_clip(&clip, &(0..40).map(noisy).collect::<Vec<_>>());
    let bytes = fs::read(&clip).unwrap();
    fs::write(&clip, &bytes[..bytes.len() * 2 / 3]).unwrap();
    let out = place.path().join("out");
    let report = look(&[&clip], Some(everything(&out))).unwrap();
    assert_eq!(
        report.failed.len(),
        1,
        "a short clip must not pass for a whole one"
    );
    assert!(!out.exists(), "{:?}", contents(&out));
}

#[test]
fn an_empty_folder_is_an_error_that_names_it() {
    let place = tempfile::tempdir().unwrap();
    let refused = look(&[place.path()], None).unwrap_err();
    assert!(matches!(refused, Error::NoInput { .. }), "{refused}");
}

#[test]
fn crops_of_an_earlier_run_are_not_overwritten() {
    let place = tempfile::tempdir().unwrap();
    let picture = place.path().join("a.png");
    write_picture(&picture, &Picture::filled(64, 64, [10; 3]));
    let out = place.path().join("out");
    look(&[&picture], Some(everything(&out))).unwrap();
    let refused = look(&[&picture], Some(everything(&out))).unwrap_err();
    assert!(
        matches!(refused, Error::Destination(Conflict::Exists { .. })),
        "{refused}"
    );
    let again = FacesOutput {
        existing: Existing::Replaced,
        ..everything(&out)
    };
    look(&[&picture], Some(again)).unwrap();
}

/// Stops the job at its third step.
struct Impatient(u32);

impl Progress for Impatient {
    fn begin(&mut self, _what: &str, _steps: Option<u64>) {}
    fn step(&mut self) -> ControlFlow<()> {
        self.0 += 1;
        if self.0 >= 3 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
    fn detail(&mut self, _text: &str) {}
    fn note(&mut self, _text: &str) {}
}

#[test]
fn stopping_leaves_nothing_half_written() {
    let place = tempfile::tempdir().unwrap();
    let clip = place.path().join("grey.mp4");
    write_clip(&clip, &vec![Picture::filled(160, 120, [128; 3]); 30]);
    let out = place.path().join("out");
    let job = FacesJob {
        output: Some(everything(&out)),
        ..FacesJob::new(vec![clip])
    };
    let stopped = faces(&job, &networks(), &mut Impatient(0)).unwrap_err();
    assert!(matches!(stopped, Error::Cancelled));
    assert!(contents(&out).is_empty(), "{:?}", contents(&out));
}

#[test]
fn matching_needs_a_face() {
    let place = tempfile::tempdir().unwrap();
    let picture = place.path().join("wall.png");
    write_picture(&picture, &Picture::filled(200, 200, [150; 3]));
    let job = MatchJob::new(picture.clone(), picture);
    let refused = match_faces(&job, &networks(), &mut Quiet).unwrap_err();
    assert!(matches!(refused, Error::NoFace { .. }), "{refused}");
}

/// The shared data, or `None` with a word about the test that is skipped.
fn data(test: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = std::env::var_os("EFFIGY_DATA").map_or(beside, PathBuf::from);
    let there = path.join("video").is_dir();
    if !there {
        eprintln!("skipped: {test} needs ../shared/data");
    }
    there.then_some(path)
}

fn first_frames(data: &Path, clip: &str, n: usize) -> Vec<Picture> {
    let path = data.join("video").join(clip);
    let reader = VideoReader::open(&path, &Limits::default()).unwrap();
    reader.take(n).map(|frame| frame.unwrap().picture).collect()
}

#[test]
fn a_talking_head_is_one_person_in_every_frame() {
    let Some(data) = data("a_talking_head_is_one_person_in_every_frame") else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let clip = place.path().join("head.mp4");
    write_clip(&clip, &first_frames(&data, "liveportrait-d12.mp4", 30));
    let out = place.path().join("out");
    let report = look(&[&clip], Some(everything(&out))).unwrap();
    assert_eq!(report.people.len(), 1);
    assert_eq!(report.people[0].n_frames, 30);

    let text = fs::read_to_string(out.join("faces.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 30);
    for (i, line) in lines.iter().enumerate() {
        assert_eq!((&line["frame"], &line["person"]), (&i.into(), &1.into()));
        assert_eq!(line["points"].as_array().unwrap().len(), 478);
        assert!(line["score"].as_f64().unwrap() > 0.5);
    }
    let names = contents(&out);
    assert_eq!(
        names
            .iter()
            .filter(|name| name.starts_with("crops/person-1/"))
            .count(),
        30
    );
    assert!(
        names.contains(&"person-1.png".to_owned()),
        "the contact sheet is missing"
    );
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let Some(data) = data("the_same_input_gives_the_same_bytes") else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let clip = place.path().join("street.mp4");
    write_clip(&clip, &first_frames(&data, "facenet-street.mp4", 12));
    let run = |name: &str| {
        let out = place.path().join(name);
        let output = FacesOutput {
            overlay: false,
            crops: None,
            sheet: false,
            ..everything(&out)
        };
        look(&[&clip], Some(output)).unwrap();
        fs::read(out.join("faces.jsonl")).unwrap()
    };
    let first = run("one");
    assert!(!first.is_empty());
    assert!(first == run("two"), "two runs differ");
}

#[test]
fn a_face_cut_by_the_edge_does_no_harm() {
    let Some(data) = data("a_face_cut_by_the_edge_does_no_harm") else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let whole = first_frames(&data, "liveportrait-d12.mp4", 1).remove(0);
    for (name, tx, ty) in [
        ("right", 250.0, 0.0),
        ("left", -250.0, 0.0),
        ("below", 0.0, -250.0),
    ] {
        let view = effigy_frame::Similarity {
            tx,
            ty,
            ..effigy_frame::Similarity::IDENTITY
        };
        let cut = resample::crop(&whole, view, whole.width());
        write_picture(&place.path().join(format!("{name}.png")), &cut);
    }
    let report = look(&[place.path()], None).unwrap();
    assert!(report.failed.is_empty());
    assert_eq!(report.n_frames, 3);
}

#[test]
fn a_small_face_in_a_large_picture_is_found() {
    let Some(data) = data("a_small_face_in_a_large_picture_is_found") else {
        return;
    };
    // The face fills half of the clip, so it is 32 px here.
    let small = resample::resize(&first_frames(&data, "liveportrait-d12.mp4", 1)[0], 64, 64);
    let mut wide = Picture::filled(1280, 720, [114; 3]);
    for (x, y) in (0..64).flat_map(|y| (0..64).map(move |x| (x, y))) {
        wide.set(900 + x, 300 + y, small.get(x, y));
    }
    let place = tempfile::tempdir().unwrap();
    let picture = place.path().join("wide.png");
    write_picture(&picture, &wide);
    let report = look(&[&picture], None).unwrap();
    let n: usize = report.people.len() + usize::from(report.strangers.is_some());
    assert_eq!(n, 1);
}

#[test]
fn two_hundred_faces_in_one_picture_are_found() {
    let Some(data) = data("two_hundred_faces_in_one_picture_are_found") else {
        return;
    };
    let face = first_frames(&data, "liveportrait-d12.mp4", 1).remove(0);
    let small = resample::resize(&face, 96, 96);
    let mut crowd = Picture::filled(20 * 96, 10 * 96, [114; 3]);
    for i in 0..200_u32 {
        for y in 0..96 {
            for x in 0..96 {
                crowd.set(i % 20 * 96 + x, i / 20 * 96 + y, small.get(x, y));
            }
        }
    }
    let place = tempfile::tempdir().unwrap();
    let picture = place.path().join("crowd.png");
    write_picture(&picture, &crowd);
    let report = look(&[&picture], None).unwrap();
    let n: u64 = report
        .people
        .iter()
        .chain(&report.strangers)
        .map(|p| p.n_frames)
        .sum();
    assert!((190..=200).contains(&n), "{n} of 200 faces");
}
