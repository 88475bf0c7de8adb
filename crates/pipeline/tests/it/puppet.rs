//! A portrait moved by a clip: what it reaches on people who don't exist, and whom it refuses.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::studio::{Notes, Studio, studio};
use effigy_files::Existing;
use effigy_frame::TimeRange;
use effigy_mark::consent::{Audience, Use};
use effigy_mark::{Trust, verify};
use effigy_media::{Limits, VideoReader, n_sounds, write_picture};
use effigy_model::Weights;
use effigy_pipeline::puppet::{Drive, Gains};
use effigy_pipeline::{Choice, Error, Networks, PuppetJob, Quiet, TrackJob, puppet, track};

pub(crate) fn actor(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    folder.join(name).with_extension("mp4")
}

/// Ada agreed to be moved, Ben to move others; her portrait is the first frame of a clip.
pub(crate) struct Stage {
    pub(crate) studio: Studio,
    pub(crate) portrait: PathBuf,
}

pub(crate) fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let studio = studio();
        studio.consent_to(&[Use::Puppet], "Ada", &actor("ada-2"));
        studio.consent_to(&[Use::Drive], "Ben", &actor("ben-2"));
        let portrait = studio.folder.path().join("ada.png");
        let mut frames = VideoReader::open(&actor("ben-1-as-ada"), &Limits::default()).unwrap();
        let first = frames.next().unwrap().unwrap();
        #[expect(clippy::disallowed_methods, reason = "a frame of a clip, as it is")]
        write_picture(&portrait, &first.picture).unwrap();
        Stage { studio, portrait }
    })
}

/// Ada's portrait, moved for a second as Ben moves.
pub(crate) fn job(place: &Path) -> PuppetJob {
    PuppetJob {
        portrait: stage().portrait.clone(),
        subject: "Ada".to_owned(),
        trained: None,
        drive: Drive::Clips(vec![actor("ben-1")]),
        driver: None,
        output: place.join("moved.mp4"),
        existing: Existing::Kept,
        range: TimeRange {
            from_secs: 0.0,
            to_secs: Some(1.0),
        },
        gains: Gains {
            head: 1.0,
            ..Gains::default()
        },
        ground_truth: None,
        device: Choice::Cpu,
        weights: Weights::from_source_tree().unwrap(),
        safeguards: stage().studio.safeguards.clone(),
    }
}

pub(crate) fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

/// Whether a job ended because somebody did not consent to this use.
fn refuses(error: &Error, usage: Use) -> bool {
    matches!(error, Error::Mark(effigy_mark::Error::OtherUse { wanted, .. }) if *wanted == usage)
}

#[test]
fn the_drivers_voice_goes_along_where_they_agree() {
    let place = tempfile::tempdir().unwrap();
    let own = studio();
    own.consent_to(&[Use::Puppet], "Ada", &actor("ada-2"));
    own.consent_to(&[Use::Drive], "Ben", &actor("ben-2"));
    let n_heard = |name: &str, audience: Audience| {
        let mut job = PuppetJob {
            output: place.path().join(name),
            driver: Some("Ben".to_owned()),
            safeguards: own.safeguards.clone(),
            ..job(place.path())
        };
        job.safeguards.audience = audience;
        job.range.to_secs = Some(3.0);
        let mut notes = Notes::default();
        let made = puppet(&job, &mut notes).unwrap();
        let n = n_sounds(&made.marked.path, &Limits::default()).unwrap();
        assert_eq!(
            n == 0,
            notes.0.iter().any(|note| note.contains("has no sound")),
            "{:?}",
            notes.0
        );
        n
    };
    assert_eq!(n_heard("private.mp4", Audience::Private), 1);
    // What is published asks for the driver's voice, too.
    assert_eq!(n_heard("published.mp4", Audience::Publish), 0);
    // Whose voice is on record, and who did not agree, is not heard.
    own.lend_voice_in(1, "Ben's voice", &actor("ben-2"));
    assert_eq!(n_heard("unwilling.mp4", Audience::Private), 0);
}

#[test]
fn a_portrait_does_what_the_driver_does() {
    let place = tempfile::tempdir().unwrap();
    let made = puppet(
        &PuppetJob {
            ground_truth: Some(actor("ben-1-as-ada")),
            ..job(place.path())
        },
        &mut Quiet,
    )
    .unwrap();
    assert_eq!((made.n_frames, made.n_still), (25, 0));
    let quality = &made.quality;
    let truth = quality.truth.as_ref().unwrap();
    assert_eq!(truth.n_frames_compared, 5);
    assert!(24.0 < truth.aligned.unwrap().psnr_db, "{quality:?}");
    // The card's own target, and twice what was reached.
    assert!(truth.points_error.unwrap() < 5.0, "{quality:?}");
    assert!(quality.expression_error.unwrap() < 2.5, "{quality:?}");
    assert!(quality.share_nearer_to_portrait > Some(0.95), "{quality:?}");
    assert!(made.quality_path.exists());
    let report = verify(&made.marked.path, &Trust::default()).unwrap();
    let credentials = report.credentials.unwrap();
    assert_eq!(credentials.ingredients, ["ada.png", "ben-1.mp4"]);
    assert!(report.marked);
    let frames = VideoReader::open(&made.marked.path, &Limits::default()).unwrap();
    assert_eq!(frames.count(), 25);
}

/// The movement of the clip, written down, edited and read again.
#[test]
fn what_is_written_down_moves_a_portrait() {
    let place = tempfile::tempdir().unwrap();
    let take = place.path().join("take.csv");
    let tracked = TrackJob {
        outputs: vec![take.clone()],
        ..TrackJob::new(actor("ben-1"))
    };
    let weights = Weights::from_source_tree().unwrap();
    let networks = Networks::load(&weights, Choice::Cpu).unwrap();
    track(&tracked, &networks, &mut Quiet).unwrap();
    let written = PuppetJob {
        drive: Drive::Curves {
            files: vec![take.clone()],
            rate: None,
        },
        ground_truth: Some(actor("ben-1-as-ada")),
        ..job(place.path())
    };
    let made = puppet(&written, &mut Quiet).unwrap();
    assert_eq!((made.n_frames, made.n_still), (25, 0));
    // Less than from the clip itself: both sides of brows and cheeks have one number there.
    let truth = made.quality.truth.as_ref().unwrap();
    assert!(23.5 < truth.aligned.unwrap().psnr_db, "{:?}", made.quality);
    let frames = VideoReader::open(&made.marked.path, &Limits::default()).unwrap();
    assert_eq!(frames.count(), 25);
    // Two takes follow one another.
    let twice = PuppetJob {
        drive: Drive::Curves {
            files: vec![take.clone(), take.clone()],
            rate: None,
        },
        output: place.path().join("twice.mp4"),
        range: TimeRange {
            from_secs: 7.9,
            to_secs: Some(8.1),
        },
        ..job(place.path())
    };
    assert_eq!(puppet(&twice, &mut Quiet).unwrap().n_frames, 5);
    // Nobody can be seen in it, and who is named must consent all the same.
    let mut published = PuppetJob {
        existing: Existing::Replaced,
        driver: Some("Ada".to_owned()),
        ..written.clone()
    };
    published.safeguards.audience = Audience::Publish;
    let error = puppet(&published, &mut Quiet).unwrap_err();
    assert!(refuses(&error, Use::Drive), "{error}");
    fs::write(&take, "Timecode,Smile\n").unwrap();
    let error = puppet(&published, &mut Quiet).unwrap_err();
    assert!(error.to_string().contains("\"Smile\""), "{error}");
}

#[test]
fn several_clips_of_one_driver_follow_one_another() {
    let place = tempfile::tempdir().unwrap();
    let both = PuppetJob {
        drive: Drive::Clips(vec![actor("ben-1"), actor("ben-2")]),
        range: TimeRange {
            from_secs: 7.9,
            to_secs: Some(8.1),
        },
        ..job(place.path())
    };
    // Each is 8 s long: two frames of the first, and three of the second.
    let made = puppet(&both, &mut Quiet).unwrap();
    assert_eq!((made.n_frames, made.n_still), (5, 0));
    let report = verify(&made.marked.path, &Trust::default()).unwrap();
    let credentials = report.credentials.unwrap();
    assert_eq!(
        credentials.ingredients,
        ["ada.png", "ben-1.mp4", "ben-2.mp4"]
    );
    let frames = VideoReader::open(&made.marked.path, &Limits::default()).unwrap();
    let times: Vec<f64> = frames.map(|frame| frame.unwrap().time.secs()).collect();
    let steps = times.windows(2).map(|two| two[1] - two[0]);
    assert!(
        steps.clone().all(|step| (step - 0.04).abs() < 1e-3),
        "{times:?}"
    );
    // Two people are two drivers in two clips as in one.
    let strangers = PuppetJob {
        drive: Drive::Clips(vec![actor("ben-1"), actor("ada-1")]),
        output: place.path().join("strangers.mp4"),
        ..both
    };
    let error = puppet(&strangers, &mut Quiet).unwrap_err();
    assert!(matches!(error, Error::SeveralDrivers { .. }), "{error}");
}

#[test]
fn one_moment_is_a_picture() {
    let place = tempfile::tempdir().unwrap();
    let moment = PuppetJob {
        output: place.path().join("moved.png"),
        range: TimeRange {
            from_secs: 0.5,
            to_secs: None,
        },
        ..job(place.path())
    };
    let made = puppet(&moment, &mut Quiet).unwrap();
    assert_eq!((made.n_frames, made.n_still), (1, 0));
    assert!(made.marked.path.exists());
}

#[test]
fn who_agreed_to_something_else_is_not_moved() {
    let place = tempfile::tempdir().unwrap();
    let other = PuppetJob {
        subject: "Ben".to_owned(),
        portrait: actor("ben-2"),
        ..job(place.path())
    };
    let error = puppet(&other, &mut Quiet).unwrap_err();
    assert!(refuses(&error, Use::Puppet), "{error}");
    assert!(is_empty(place.path()));
}

#[test]
fn somebody_else_s_portrait_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let other = PuppetJob {
        portrait: actor("ben-2"),
        ..job(place.path())
    };
    let error = puppet(&other, &mut Quiet).unwrap_err();
    assert!(matches!(error, Error::NotSeen { .. }), "{error}");
    assert!(is_empty(place.path()));
}

#[test]
fn what_is_published_names_who_moves_it() {
    let place = tempfile::tempdir().unwrap();
    let mut published = job(place.path());
    published.safeguards.audience = Audience::Publish;
    let error = puppet(&published, &mut Quiet).unwrap_err();
    assert!(matches!(error, Error::DriverNotNamed { .. }), "{error}");
    assert!(error.to_string().contains("--driver"), "{error}");
    published.driver = Some("Ada".to_owned());
    let error = puppet(&published, &mut Quiet).unwrap_err();
    assert!(refuses(&error, Use::Drive), "{error}");
    assert!(is_empty(place.path()));
    published.driver = Some("Ben".to_owned());
    puppet(&published, &mut Quiet).unwrap();
}

#[test]
fn a_part_behind_the_end_is_named() {
    let place = tempfile::tempdir().unwrap();
    let late = PuppetJob {
        range: TimeRange {
            from_secs: 100.0,
            to_secs: None,
        },
        ..job(place.path())
    };
    let picture = PuppetJob {
        output: place.path().join("moved.png"),
        ..late.clone()
    };
    for late in [late, picture] {
        let error = puppet(&late, &mut Quiet).unwrap_err();
        assert!(matches!(error, Error::BeyondEnd { .. }), "{error}");
    }
    assert!(is_empty(place.path()));
}

#[test]
fn a_picture_and_two_people_move_nobody() {
    let place = tempfile::tempdir().unwrap();
    let still = PuppetJob {
        drive: Drive::Clips(vec![stage().portrait.clone()]),
        ..job(place.path())
    };
    let error = puppet(&still, &mut Quiet).unwrap_err();
    assert!(matches!(error, Error::DriverDoesNotMove { .. }), "{error}");
    let two = PuppetJob {
        drive: Drive::Clips(vec![actor("cleo-and-dan")]),
        ..job(place.path())
    };
    let error = puppet(&two, &mut Quiet).unwrap_err();
    assert!(matches!(error, Error::SeveralDrivers { .. }), "{error}");
    assert!(is_empty(place.path()));
}
