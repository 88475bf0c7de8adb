//! Keys, consents and jobs in a folder that goes away, for the tests of making.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use effigy_files::Existing;
use effigy_frame::TimeRange;
use effigy_mark::consent::{Audience, Basis, Draft, Store, Use};
use effigy_mark::label::{Language, Profiles};
use effigy_mark::log::{Event, Log};
use effigy_mark::{Clock, Keys, UtcTime};
use effigy_model::{Identity, Weights};
use effigy_pipeline::consent::voices::subject_voice;
use effigy_pipeline::consent::{KnownBy, faces as consents, record};
use effigy_pipeline::swap::{SkinTone, View};
use effigy_pipeline::{
    Choice, Damage, Networks, Progress, Quiet, Safeguards, Start, Subject, SwapJob, TrainJob,
};
use effigy_train::{Budget, Size};

pub(crate) struct Studio {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) safeguards: Safeguards,
}

pub(crate) fn studio() -> Studio {
    let folder = tempfile::tempdir().unwrap();
    let since_epoch = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = UtcTime::from_unix_secs(since_epoch.as_secs() as i64);
    let safeguards = Safeguards {
        keys: folder.path().join("keys"),
        consents: folder.path().join("consents"),
        signer: None,
        timestamps: None,
        audience: Audience::Private,
        profiles: Profiles::all(),
        language: Language::En,
        provider: "Test Studio".to_owned(),
        clock: Clock::set(now),
    };
    Keys::create(&safeguards.keys, "Test Studio", now).unwrap();
    Studio { folder, safeguards }
}

/// Remembers what it is told.
#[derive(Default)]
pub(crate) struct Notes(pub(crate) Vec<String>);

impl Progress for Notes {
    fn begin(&mut self, _what: &str, _steps: Option<u64>) {}

    fn step(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn detail(&mut self, _text: &str) {}

    fn note(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }
}

impl Studio {
    /// Records that the person seen in `clip` agreed, for this test alone.
    pub(crate) fn consent(&self, name: &str, clip: &Path) {
        self.consent_to(&[Use::Swap], name, clip);
    }

    /// The same for these uses, to be published too.
    pub(crate) fn consent_to(&self, uses: &[Use], name: &str, clip: &Path) {
        let known_by = KnownBy {
            faces: &faces(clip),
            voice: None,
        };
        self.record(uses, name, known_by);
    }

    /// A consent of somebody who lends the voice of a clip, to be published too.
    pub(crate) fn lend_voice(&self, name: &str, clip: &Path) {
        self.lend_voice_in(-1, name, clip);
    }

    /// The same in so many days: until then they have not agreed.
    pub(crate) fn lend_voice_in(&self, days: i64, name: &str, clip: &Path) {
        let weights = &networks().weights;
        let (voices, scale) = (networks().voices().unwrap(), weights.voice_scale());
        let voice = subject_voice(&[clip.to_owned()], &voices, &scale, &mut Quiet).unwrap();
        let known_by = KnownBy {
            faces: &[],
            voice: Some(&voice),
        };
        self.record_from(days, &[Use::Speech], name, known_by);
    }

    fn record(&self, uses: &[Use], name: &str, known_by: KnownBy<'_>) {
        self.record_from(-1, uses, name, known_by);
    }

    fn record_from(&self, days: i64, uses: &[Use], name: &str, known_by: KnownBy<'_>) {
        let keys = Keys::open(&self.safeguards.keys).unwrap();
        let now = self.safeguards.clock.now();
        let draft = Draft {
            subject: name.to_owned(),
            basis: Basis::Consent,
            uses: uses.to_vec(),
            audience: Audience::Publish,
            from: now.plus_days(days),
            until: now.plus_days(days + 2),
            evidence: None,
        };
        let store = Store::open(&self.safeguards.consents, &keys);
        record(&store, &draft, known_by, &networks().weights, now).unwrap();
    }

    /// What the log says, in order.
    pub(crate) fn logged(&self) -> String {
        let keys = Keys::open(&self.safeguards.keys).unwrap();
        let entries = Log::of(&keys).verify().unwrap();
        let lines = entries.iter().map(|line| match line.entry.event {
            Event::Consented { .. } => "consented",
            Event::Revoked { .. } => "revoked",
            Event::TrainingBegan { .. } => "training-began",
            Event::Written { .. } | Event::FramesWritten { .. } => "written",
        });
        lines.collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn train_job(&self, clips: &[PathBuf; 2], steps: u64) -> TrainJob {
        let subject = |name: &str, clip: &PathBuf| Subject {
            name: name.to_owned(),
            inputs: vec![clip.clone()],
        };
        TrainJob {
            people: vec![subject("Ada", &clips[0]), subject("Ben", &clips[1])],
            usage: Use::Swap,
            output: self.folder.path().join("ada-ben.model"),
            size: Some(Size::Small),
            budget: Budget::Steps(steps),
            seed: 1,
            start: Start::Nothing,
            checkpoint: None,
            device: Choice::Cpu,
            weights: Weights::from_source_tree().unwrap(),
            safeguards: self.safeguards.clone(),
        }
    }

    pub(crate) fn swap_job(&self, input: &Path) -> SwapJob {
        SwapJob {
            input: input.to_owned(),
            output: self.folder.path().join("out.mp4"),
            fps: None,
            existing: Existing::Kept,
            model: self.folder.path().join("ada-ben.model"),
            face: "Ada".to_owned(),
            onto: None,
            range: TimeRange {
                from_secs: 0.0,
                to_secs: Some(0.5),
            },
            view: View::Result,
            damage: Damage::Ends,
            skin_tone: SkinTone::Target,
            ground_truth: None,
            checkpoint: None,
            device: Choice::Cpu,
            weights: Weights::from_source_tree().unwrap(),
            safeguards: self.safeguards.clone(),
        }
    }
}

/// The networks, loaded once for all tests.
pub(crate) fn networks() -> &'static Networks {
    static NETWORKS: OnceLock<Networks> = OnceLock::new();
    NETWORKS.get_or_init(|| {
        let weights = Weights::from_source_tree().unwrap();
        Networks::load(&weights, Choice::Cpu).unwrap()
    })
}

/// The faces of the person in `clip`.
pub(crate) fn faces(clip: &Path) -> Vec<Identity> {
    let seen = consents::subject_faces(&[clip.to_owned()], networks(), &mut Quiet);
    seen.unwrap().identities
}
