//! Train on two clips, swap, verify: the whole road once, on real footage where it is there.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails where it must, and says when it is skipped"
)]

use std::path::{Path, PathBuf};

use effigy_face::align::{IDENTITY_EXTENT, aligned_view};
use effigy_face::{TrackSettings, Tracker};
use effigy_frame::resample;
use effigy_mark::consent::{Audience, Basis, Draft, Store, Template, Use};
use effigy_mark::label::{Language, Profiles};
use effigy_mark::log::{Event, Log};
use effigy_mark::{Keys, Moment, Trust, verify};
use effigy_media::{Limits, VideoReader, probe};
use effigy_model::Identifier;
use effigy_pipeline::swap::{Complexion, Range, View};
use effigy_pipeline::{
    Choice, Error, Networks, Quiet, Safeguards, Start, Subject, SwapJob, TrainJob, swap, train,
};
use effigy_train::{Budget, Size};

/// Two clips of one adult each.
const CLIPS: [&str; 2] = ["video/liveportrait-d20.mp4", "video/liveportrait-d18.mp4"];

/// The clips, or `None`, said aloud, where the data are not there.
fn clips(test: &str) -> Option<[PathBuf; 2]> {
    let set = std::env::var_os("EFFIGY_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let clips = CLIPS.map(|clip| set.clone().unwrap_or(beside.clone()).join(clip));
    if clips.iter().all(|clip| clip.exists()) {
        return Some(clips);
    }
    eprintln!("skipped: {test} needs ../shared/data");
    None
}

struct Studio {
    folder: tempfile::TempDir,
    safeguards: Safeguards,
}

fn studio() -> Studio {
    let folder = tempfile::tempdir().unwrap();
    let since_epoch = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = Moment::from_unix_secs(since_epoch.as_secs() as i64);
    let safeguards = Safeguards {
        keys: folder.path().join("keys"),
        consents: folder.path().join("consents"),
        signer: None,
        timestamps: None,
        audience: Audience::Private,
        profiles: Profiles::all(),
        language: Language::En,
        provider: "Test Studio".to_owned(),
        now,
    };
    Keys::create(&safeguards.keys, "Test Studio", now).unwrap();
    Studio { folder, safeguards }
}

impl Studio {
    /// Records that the person seen in `clip` agreed, for this test alone.
    fn consent(&self, name: &str, clip: &Path) {
        let keys = Keys::open(&self.safeguards.keys).unwrap();
        let now = self.safeguards.now;
        let draft = Draft {
            subject: name.to_owned(),
            basis: Basis::Consent,
            uses: vec![Use::Swap],
            audience: Audience::Private,
            from: now.plus_days(-1),
            until: now.plus_days(1),
            evidence: None,
        };
        let store = Store::open(&self.safeguards.consents, &keys);
        store.add(&draft, Some(&template(clip)), now).unwrap();
    }

    /// What the log says, in order.
    fn logged(&self) -> String {
        let keys = Keys::open(&self.safeguards.keys).unwrap();
        let entries = Log::of(&keys).verify().unwrap();
        let lines = entries.iter().map(|(entry, _)| match entry.event {
            Event::Consented { .. } => "consented",
            Event::Revoked { .. } => "revoked",
            Event::TrainingBegan { .. } => "training-began",
            Event::Written { .. } => "written",
        });
        lines.collect::<Vec<_>>().join(", ")
    }

    fn train_job(&self, clips: &[PathBuf; 2], steps: u64) -> TrainJob {
        let subject = |name: &str, clip: &PathBuf| Subject {
            name: name.to_owned(),
            inputs: vec![clip.clone()],
        };
        TrainJob {
            people: vec![subject("Ada", &clips[0]), subject("Ben", &clips[1])],
            output: self.folder.path().join("ada-ben.model"),
            size: Some(Size::Small),
            budget: Budget::Steps(steps),
            seed: 1,
            start: Start::Nothing,
            checkpoint: None,
            device: Choice::Cpu,
            safeguards: self.safeguards.clone(),
        }
    }

    fn swap_job(&self, input: &Path) -> SwapJob {
        SwapJob {
            input: input.to_owned(),
            output: self.folder.path().join("out.mp4"),
            model: self.folder.path().join("ada-ben.model"),
            face: "Ada".to_owned(),
            onto: None,
            range: Range {
                from_secs: 0.0,
                to_secs: Some(0.5),
            },
            view: View::Result,
            complexion: Complexion::Seen,
            exact: None,
            checkpoint: None,
            device: Choice::Cpu,
            safeguards: self.safeguards.clone(),
        }
    }
}

/// What the person in `clip` looks like.
fn template(clip: &Path) -> Template {
    let networks = Networks::load(Choice::Cpu).unwrap();
    let mut tracker =
        Tracker::new(networks.finder, networks.mesher, TrackSettings::default()).unwrap();
    let mut crops = Vec::new();
    for frame in VideoReader::open(clip, &Limits::default())
        .unwrap()
        .take(40)
    {
        let frame = frame.unwrap();
        if let [face] = &tracker.follow(&frame.picture, frame.time.secs())[..] {
            let side = Identifier::SIDE_PX;
            let view = aligned_view(&face.points, side, IDENTITY_EXTENT).unwrap();
            crops.push(resample::crop(&frame.picture, view, side));
        }
    }
    let faces: Vec<_> = networks
        .identifier
        .embed(&crops)
        .into_iter()
        .map(|face| face.0)
        .collect();
    Template::from_faces(&faces).expect("the clip shows a face")
}

#[test]
fn two_clips_become_a_marked_swap() {
    let Some(clips) = clips("two_clips_become_a_marked_swap") else {
        return;
    };
    let studio = studio();
    studio.consent("Ada", &clips[0]);
    studio.consent("Ben", &clips[1]);
    train(&studio.train_job(&clips, 3), &mut Quiet).unwrap();
    let report = swap(&studio.swap_job(&clips[1]), &mut Quiet).unwrap();
    assert!(0 < report.n_swapped && report.n_swapped <= report.n_frames);
    assert_eq!(report.quality.pixels_changed_outside, 0);
    let (source, result) = (
        probe(&clips[1], &Limits::default()),
        probe(&report.marked.path, &Limits::default()),
    );
    let (source, result) = (
        source.unwrap().video.unwrap(),
        result.unwrap().video.unwrap(),
    );
    assert_eq!((source.width, source.height), (result.width, result.height));
    let trust = Trust {
        roots_pem: vec![
            Keys::open(&studio.safeguards.keys)
                .unwrap()
                .root_pem()
                .to_owned(),
        ],
    };
    assert!(verify(&report.marked.path, &trust).unwrap().marked);
    let logged = studio.logged();
    let began = "consented, consented, training-began, written";
    assert!(logged.starts_with(began), "{logged}");
}

#[test]
fn nothing_is_learned_without_consent_or_from_somebody_else() {
    let Some(clips) = clips("nothing_is_learned_without_consent_or_from_somebody_else") else {
        return;
    };
    let studio = studio();
    studio.consent("Ada", &clips[0]);
    let job = studio.train_job(&clips, 3);
    let error = train(&job, &mut Quiet).unwrap_err();
    assert!(matches!(error, Error::Mark(_)), "{error}");
    assert!(!job.output.exists());

    studio.consent("Ben", &clips[0]); // Ben's record shows Ada, his clips do not
    let error = train(&job, &mut Quiet).unwrap_err();
    let is_refused = matches!(error, Error::Mark(effigy_mark::Error::OtherFace { .. }));
    assert!(is_refused, "{error}");
    assert!(!job.output.exists());
}
