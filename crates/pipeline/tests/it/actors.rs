//! Making with people who don't exist: who is replaced, and what happens with bad input.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::studio::{Studio, faces, networks, studio};
use effigy_frame::{Picture, Rational, Rect, TimeRange};
use effigy_mark::consent::{Basis, Template};
use effigy_mark::{Trust, verify};
use effigy_media::{Limits, VideoReader};
use effigy_model::Error as ModelError;
use effigy_pipeline::consent::faces::faces_shown;
use effigy_pipeline::consent::same_person;
use effigy_pipeline::{Damage, Error, Progress, Quiet, SwapJob, swap, train};
use effigy_train::Error as TrainError;

pub(crate) fn actor(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    folder.join(name).with_extension("mp4")
}

/// A model of Ada and Ben that has hardly learned anything, shared by all tests.
fn trained() -> &'static Studio {
    static STUDIO: OnceLock<Studio> = OnceLock::new();
    STUDIO.get_or_init(|| {
        let studio = studio();
        studio.consent("Ada", &actor("ada-2"));
        studio.consent("Ben", &actor("ben-2"));
        let clips = [actor("ada-2"), actor("ben-2")];
        train(&studio.train_job(&clips, 2), &mut Quiet).unwrap();
        studio
    })
}

/// A short swap of Ada onto whoever is in `input`, in a folder of its own.
fn job(place: &Path, input: &Path) -> SwapJob {
    SwapJob {
        output: place.join("out.mp4"),
        range: TimeRange {
            from_secs: 0.0,
            to_secs: Some(0.4),
        },
        ..trained().swap_job(input)
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The model, to be damaged.
fn copied_model(place: &Path) -> PathBuf {
    let (from, to) = (
        trained().folder.path().join("ada-ben.model"),
        place.join("copy.model"),
    );
    fs::create_dir(&to).unwrap();
    for name in names(&from) {
        fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
    to
}

/// Stops a job after some steps of the stretch of work whose name begins with a word.
struct Stop {
    at: &'static str,
    steps_left: Option<u64>,
    after: u64,
}

impl Stop {
    fn after(after: u64, at: &'static str) -> Self {
        Self {
            at,
            steps_left: None,
            after,
        }
    }
}

impl Progress for Stop {
    fn begin(&mut self, what: &str, _steps: Option<u64>) {
        self.steps_left = what.starts_with(self.at).then_some(self.after);
    }

    fn step(&mut self) -> ControlFlow<()> {
        match &mut self.steps_left {
            Some(0) => ControlFlow::Break(()),
            Some(left) => {
                *left -= 1;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Continue(()),
        }
    }

    fn detail(&mut self, _text: &str) {}

    fn note(&mut self, _text: &str) {}
}

#[test]
fn person_who_is_not_in_the_clip_is_missed_by_name() {
    let place = tempfile::tempdir().unwrap();
    let error = swap(&job(place.path(), &actor("ada-1")), &mut Quiet).unwrap_err();
    assert!(matches!(error, Error::NotSeen { .. }), "{error}");
    assert!(error.to_string().contains("Ben does not appear"), "{error}");
    assert!(names(place.path()).is_empty());
}

#[test]
fn three_pictures_are_too_few_to_learn_from() {
    let place = tempfile::tempdir().unwrap();
    let pictures = place.path().join("pictures");
    fs::create_dir(&pictures).unwrap();
    let frames = VideoReader::open(&actor("ada-2"), &Limits::default()).unwrap();
    for (i, frame) in frames.take(3).enumerate() {
        #[expect(clippy::disallowed_methods, reason = "nothing was rendered here")]
        effigy_media::write_picture(&pictures.join(format!("{i}.png")), &frame.unwrap().picture)
            .unwrap();
    }
    let mut job = trained().train_job(&[pictures, actor("ben-2")], 2);
    job.output = place.path().join("new.model");
    let error = train(&job, &mut Quiet).unwrap_err();
    let is_counted = matches!(
        error,
        Error::Train(TrainError::TooFewFaces { found: 3, .. })
    );
    assert!(is_counted, "{error}");
    assert!(!job.output.exists());
}

#[test]
fn model_of_a_newer_version_is_named_as_such() {
    let place = tempfile::tempdir().unwrap();
    let model = copied_model(place.path());
    let manifest = model.join("model.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let format = text
        .lines()
        .find(|line| line.contains("\"format\""))
        .unwrap();
    fs::write(&manifest, text.replace(format, "  \"format\": 999,")).unwrap();
    let job = SwapJob {
        model,
        ..job(place.path(), &actor("ben-1"))
    };
    let error = swap(&job, &mut Quiet).unwrap_err();
    let is_newer = matches!(error, Error::Model(ModelError::Newer { found: 999, .. }));
    assert!(is_newer, "{error}");
}

#[test]
fn damaged_checkpoint_offers_the_one_before_which_works() {
    let place = tempfile::tempdir().unwrap();
    let model = copied_model(place.path());
    let newest = model.join("weights-00000002.safetensors");
    let mut bytes = fs::read(&newest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&newest, bytes).unwrap();
    let mut job = SwapJob {
        model,
        ..job(place.path(), &actor("ben-1"))
    };
    let error = swap(&job, &mut Quiet).unwrap_err();
    assert!(error.to_string().contains("--checkpoint 0"), "{error}");
    job.checkpoint = Some(0);
    swap(&job, &mut Quiet).unwrap();
}

#[test]
fn stopped_swap_leaves_nothing() {
    for at in ["looking", "drawing"] {
        let place = tempfile::tempdir().unwrap();
        let error = swap(&job(place.path(), &actor("ben-1")), &mut Stop::after(4, at));
        assert!(matches!(error, Err(Error::Cancelled)), "{at}");
        assert!(names(place.path()).is_empty(), "{at}");
    }
}

#[test]
fn stopped_training_saves_and_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let clips = [actor("ada-2"), actor("ben-2")];
    let mut job = trained().train_job(&clips, 4);
    job.output = place.path().join("stopped.model");
    let outcome = train(&job, &mut Stop::after(1, "training")).unwrap();
    assert!(outcome.was_stopped);
    assert_eq!(outcome.last.saved_step, 2);
    let outcome = train(&job, &mut Quiet).unwrap();
    assert_eq!((outcome.was_stopped, outcome.last.saved_step), (false, 4));
    assert!(names(&job.output).contains(&"preview.html".to_owned()));
}

#[test]
fn clip_that_changes_its_size_is_refused_with_the_place() {
    let place = tempfile::tempdir().unwrap();
    let clip = place.path().join("mixed.mkv");
    if two_sizes(place.path(), &clip).is_none() {
        eprintln!("skipped: clip_that_changes_its_size needs the program ffmpeg");
        return;
    }
    let mut job = job(place.path(), &clip);
    job.range.to_secs = None;
    let before = names(place.path());
    let error = swap(&job, &mut Quiet).unwrap_err();
    assert!(
        error.to_string().contains("it has 240x240 pixels"),
        "{error}"
    );
    assert_eq!(names(place.path()), before);
}

/// Ten frames of Ben, then ten smaller ones, in one stream.
fn two_sizes(place: &Path, clip: &Path) -> Option<()> {
    let mut list = String::new();
    for side in ["320", "240"] {
        let part = place.join(side).with_extension("ts");
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(actor("ben-1"))
            .args([
                "-frames:v",
                "10",
                "-an",
                "-vf",
                &format!("scale={side}:{side}"),
            ])
            .arg(&part)
            .status();
        made.ok().filter(|status| status.success())?;
        list += &format!("file '{}'\n", part.display());
    }
    fs::write(place.join("list"), list).unwrap();
    let joined = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "concat", "-safe", "0", "-i"])
        .arg(place.join("list"))
        .args(["-c", "copy"])
        .arg(clip)
        .status();
    joined.ok().filter(|status| status.success()).map(drop)
}

/// Where a person is in `cleo-and-dan`, and in which half: left or right.
fn halves(frame: &Picture) -> [Rect; 2] {
    let (width, height) = (frame.width() as f32 / 2.0, frame.height() as f32);
    [0.0, width].map(|x| Rect {
        x,
        y: 0.0,
        width,
        height,
    })
}

/// Writes the left or right half of a clip as pictures of one person alone.
fn alone(place: &Path, half: usize) -> PathBuf {
    let folder = place.join(format!("half-{half}"));
    fs::create_dir(&folder).unwrap();
    let frames = VideoReader::open(&actor("cleo-and-dan"), &Limits::default()).unwrap();
    for (i, frame) in frames.step_by(4).take(6).enumerate() {
        let picture = frame.unwrap().picture;
        let rect = halves(&picture)[half];
        let (left, width) = (rect.x as u32, rect.width as u32);
        let pixels = (0..picture.height())
            .flat_map(|y| (left..left + width).map(move |x| (x, y)))
            .flat_map(|(x, y)| picture.get(x, y));
        let cut = Picture::new(width, picture.height(), pixels.collect());
        #[expect(clippy::disallowed_methods, reason = "nothing was rendered here")]
        effigy_media::write_picture(&folder.join(format!("{i}.png")), &cut).unwrap();
    }
    folder
}

/// Mean difference between two pictures in a box.
fn change(a: &Picture, b: &Picture, rect: Rect) -> f64 {
    let columns = rect.x as u32..(rect.x + rect.width) as u32;
    let places =
        (0..a.height() / 2).flat_map(|y| columns.clone().map(move |x| (x, y + a.height() / 4)));
    let (mut sum, mut n) = (0.0, 0.0);
    for (x, y) in places {
        for (a, b) in a.get(x, y).into_iter().zip(b.get(x, y)) {
            sum += f64::from(a.abs_diff(b));
            n += 1.0;
        }
    }
    sum / n
}

#[test]
fn frames_are_swapped_into_a_folder_of_marked_frames() {
    let place = tempfile::tempdir().unwrap();
    let frames = place.path().join("in");
    fs::create_dir(&frames).unwrap();
    let clip = VideoReader::open(&actor("ben-1"), &Limits::default()).unwrap();
    for (i, frame) in clip.take(6).enumerate() {
        let path = frames.join(format!("shot-{i:03}.png"));
        #[expect(clippy::disallowed_methods, reason = "nothing was drawn here yet")]
        effigy_media::write_picture(&path, &frame.unwrap().picture).unwrap();
    }
    let mut job = SwapJob {
        output: place.path().join("out"),
        range: TimeRange::default(),
        ..job(place.path(), &frames)
    };
    let report = swap(&job, &mut Quiet).unwrap();
    assert_eq!((report.n_frames, report.n_drawn), (6, 6));
    assert_eq!(names(&job.output), names(&frames));
    for name in names(&frames) {
        let found = verify(&job.output.join(&name), &Trust::default()).unwrap();
        let identifier = found.watermark.map(|found| found.identifier);
        assert_eq!(identifier, Some(report.marked.identifier), "{name}");
        assert!(found.marked && found.watermark_fits == Some(true), "{name}");
    }
    let spoilt = frames.join("shot-003.png");
    fs::write(&spoilt, "no picture").unwrap();
    job.output = place.path().join("rest");
    assert!(swap(&job, &mut Quiet).unwrap_err().is_broken_picture());
    job.damage = Damage::IsSkipped;
    let report = swap(&job, &mut Quiet).unwrap();
    assert_eq!((report.n_frames, report.damaged.len()), (5, 1));
    assert_eq!(names(&job.output).len(), 5);
    fs::copy(frames.join("shot-002.png"), &spoilt).unwrap();
    job.fps = Some(Rational::new(12, 1));
    job.output = place.path().join("clip.mov");
    let report = swap(&job, &mut Quiet).unwrap();
    let info = effigy_media::probe(&report.marked.path, &Limits::default()).unwrap();
    let video = info.video.unwrap();
    assert_eq!(video.frame_rate, Rational::new(12, 1));
    assert_eq!((video.frames, report.n_frames), (Some(6), 6));
}

#[test]
fn of_two_people_only_the_one_named_is_replaced() {
    let place = tempfile::tempdir().unwrap();
    let clip = actor("cleo-and-dan");
    for (half, name) in ["Left", "Right"].into_iter().enumerate() {
        trained().consent(name, &alone(place.path(), half));
        let job = SwapJob {
            onto: Some(name.to_owned()),
            output: place.path().join(format!("{name}.mp4")),
            ..job(place.path(), &clip)
        };
        let report = swap(&job, &mut Quiet).unwrap();
        assert_eq!(report.n_drawn, report.n_frames);
        let frame = |path: &Path| {
            let mut frames = VideoReader::open(path, &Limits::default()).unwrap();
            frames.nth(5).unwrap().unwrap().picture
        };
        let (before, after) = (frame(&clip), frame(&job.output));
        let changes = halves(&before).map(|rect| change(&before, &after, rect));
        let [changed, other] = [changes[half], changes[1 - half]];
        assert!(1.5 * other < changed, "{name}: {changes:?}");
    }
}

/// To the identity network some of them are one person; what asks for their consent knows better.
#[test]
fn actors_are_told_apart_where_their_consent_is_asked_for() {
    let networks = networks();
    let same = same_person(&networks.weights);
    let shown = |clip: &str| {
        let faces = faces_shown(&actor(clip), networks, &mut Quiet).unwrap();
        faces.into_iter().map(|face| face.identity)
    };
    let likeness = |clip: &str| {
        let vectors: Vec<_> = faces(&actor(clip)).iter().map(|face| face.0).collect();
        Template::from_faces(&vectors).unwrap()
    };
    let [ada, ben] = ["ada-2", "ben-2"].map(likeness);
    for (who, clip) in [
        (&ada, "ada-1"),
        (&ada, "ada-microphone"),
        (&ben, "ben-1"),
        (&ben, "ben-wrong-light"),
    ] {
        for face in shown(clip) {
            let similarity = who.similarity(&face.0);
            assert!(
                same.least(Basis::Synthetic) <= similarity,
                "{clip}: {similarity}"
            );
        }
    }
    let others = ["ada-1", "cleo-and-dan"].into_iter().flat_map(shown);
    let most = others
        .map(|face| ben.similarity(&face.0))
        .fold(0.0, f32::max);
    assert!(same.least(Basis::Consent) < most, "{most}");
    assert!(most < same.least(Basis::Synthetic), "{most}");
}

#[test]
fn heads_turned_as_the_source_never_was_are_left_and_counted() {
    let place = tempfile::tempdir().unwrap();
    let clip = actor("ben-1");
    let report = swap(&job(place.path(), &clip), &mut Quiet).unwrap();
    assert_eq!(report.quality.turned_share, Some(0.0));
    let model = copied_model(place.path());
    let path = model.join("model.json");
    let text = fs::read_to_string(&path).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let poses = &mut manifest["people"][0]["poses"];
    assert!(poses["yaw"][0].as_i64() < poses["yaw"][1].as_i64());
    *poses = serde_json::json!({ "yaw": [45, 60], "pitch": [-20, 20] });
    fs::write(&path, manifest.to_string()).unwrap();
    let job = SwapJob {
        model,
        output: place.path().join("far.mp4"),
        ..job(place.path(), &clip)
    };
    let report = swap(&job, &mut Quiet).unwrap();
    assert_eq!(report.n_drawn, 0);
    assert_eq!(report.quality.turned_share, Some(1.0));
}
