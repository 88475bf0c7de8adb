//! The demonstration: everything that effigy does, on people who don't exist.
//!
//! The clips lie inside the program. Two actors consent (their basis is `synthetic`), a face model
//! learns them for a while, and one is put onto the other in a clip that the model never saw. The
//! same performance exists played by the other actor: the ground truth, which the swap is compared
//! with.

use std::path::{Path, PathBuf};

use effigy_files::Existing;
use effigy_frame::TimeRange;
use effigy_mark::consent::{Audience, Basis, Draft, Store, Use};
use effigy_mark::label::{Language, Profiles};
use effigy_mark::{Clock, Keys, Trust, UtcTime, verify};
use effigy_model::Weights;
use effigy_model::device::Choice;
use effigy_model::face_model::store::Start;
use effigy_train::{Budget, Outcome, Size};

use crate::error::Result;
use crate::jobs::faces::{self, FacesJob, FacesOutput, FacesReport, PointScheme};
use crate::jobs::swap::{self, SkinTone, SwapJob, View};
use crate::jobs::train::{Subject, TrainJob, train};
use crate::steps::atomic::{self, AtomicFile, AtomicFolder};
use crate::steps::consent::{self, Safeguards, faces as consents};
use crate::steps::damage::Damage;
use crate::steps::making::Made;
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;

/// Everything the demonstration needs.
#[derive(Clone, Debug)]
pub struct DemoJob {
    /// Folder for the results; it must not be there yet.
    pub output: PathBuf,
    /// How long to train.
    pub train_secs: f64,
    /// Where to compute.
    pub device: Choice,
    /// Where the networks and the base come from.
    pub weights: Weights,
    /// What time it is.
    pub now: UtcTime,
}

/// What the demonstration made.
#[derive(Clone, Debug)]
pub struct DemoReport {
    /// Who was found in the clips.
    pub faces: FacesReport,
    /// How far the training came.
    pub trained: Outcome,
    /// What the swap reached.
    pub swapped: Made,
    /// The marks that the swap carries, in words.
    pub marks: String,
    /// What was written, each with a word on it.
    pub made: Vec<(PathBuf, &'static str)>,
}

const CLIPS: [&str; 4] = ["ada-1.mp4", "ada-2.mp4", "ben-1.mp4", "ben-2.mp4"];
/// Ada plays what Ben plays in `ben-1.mp4`, in his clothes, light and room; and where her face is.
const EXACT: [&str; 2] = ["ben-1-as-ada.mp4", "ben-1-as-ada.masks.png"];

/// Runs the demonstration.
///
/// # Errors
/// When the folder is there already, the device is missing, something cannot be written, or
/// `progress` asks to stop.
pub fn demo(job: &DemoJob, progress: &mut dyn Progress) -> Result<DemoReport> {
    let folder = AtomicFolder::create(&job.output)?;
    let place = folder.temporary_path();
    let clips = place.join("clips");
    unpack(&clips)?;
    let clip = |name: &str| clips.join(name);
    let faces = find(job, place, progress)?;
    let safeguards = agree(job, place, progress)?;
    let trained = train(&training(job, place, &safeguards), progress)?;
    let swapping = SwapJob {
        input: clip("ben-1.mp4"),
        output: place.join(RESULT),
        fps: None,
        existing: Existing::Kept,
        model: place.join(MODEL),
        face: "ada".to_owned(),
        onto: None,
        range: TimeRange::default(),
        view: View::Result,
        damage: Damage::Ends,
        skin_tone: SkinTone::Target,
        ground_truth: Some(clip("ben-1-as-ada.mp4")),
        checkpoint: None,
        device: job.device,
        weights: job.weights.clone(),
        safeguards,
    };
    let swapped = swap::swap(&swapping, progress)?;
    let trust = Trust {
        roots_pem: Keys::public_roots(&swapping.safeguards.keys),
        ..Trust::default()
    };
    let marks = verify(&swapping.output, &trust)?.in_words();
    folder.finish()?;
    Ok(DemoReport {
        made: MADE
            .map(|(name, what)| (job.output.join(name), what))
            .to_vec(),
        faces,
        trained,
        swapped,
        marks,
    })
}

const MODEL: &str = "ada-ben.model";
const RESULT: &str = "ada-plays-ben.mp4";
const MADE: [(&str, &str); 5] = [
    ("clips", "the actors' clips"),
    (
        "faces",
        "their faces: points of every frame, overlay videos, contact sheets",
    ),
    (MODEL, "the face model of both"),
    (
        RESULT,
        "Ada's face in Ben's performance: labelled, watermarked, signed",
    ),
    ("home", "the keys and consents of this demonstration"),
];

/// Ada learns from all her clips, Ben from the one that is not swapped.
fn training(job: &DemoJob, place: &Path, safeguards: &Safeguards) -> TrainJob {
    let clip = |name: &str| place.join("clips").join(name);
    let subject = |name: &str, inputs: Vec<PathBuf>| Subject {
        name: name.to_owned(),
        inputs,
    };
    TrainJob {
        people: vec![
            subject("ada", vec![clip("ada-1.mp4"), clip("ada-2.mp4")]),
            subject("ben", vec![clip("ben-2.mp4")]),
        ],
        usage: Use::Swap,
        output: place.join(MODEL),
        size: Some(Size::Small),
        budget: Budget::Secs(job.train_secs),
        seed: 1,
        start: Start::Base,
        checkpoint: None,
        device: job.device,
        weights: job.weights.clone(),
        safeguards: safeguards.clone(),
    }
}

/// Writes the clips that lie in the program into `folder`.
fn unpack(folder: &Path) -> Result<()> {
    atomic::make_folder(folder)?;
    for name in CLIPS.into_iter().chain(EXACT) {
        let mut file = AtomicFile::create(&folder.join(name))?;
        file.write(effigy_actors::demo::file(name)?)?;
        file.finish()?;
    }
    Ok(())
}

fn find(job: &DemoJob, place: &Path, progress: &mut dyn Progress) -> Result<FacesReport> {
    let clips = place.join("clips");
    let inputs = CLIPS.map(|name| clips.join(name)).to_vec();
    let looking = FacesJob {
        output: Some(FacesOutput {
            folder: place.join("faces"),
            existing: Existing::Kept,
            points: PointScheme::Mesh478,
            identity: false,
            overlay: true,
            crops: None,
            sheet: true,
        }),
        ..FacesJob::new(inputs)
    };
    faces::faces(
        &looking,
        &Networks::load(&job.weights, job.device)?,
        progress,
    )
}

/// Makes keys, and records that the actors may be used.
fn agree(job: &DemoJob, place: &Path, progress: &mut dyn Progress) -> Result<Safeguards> {
    let home = place.join("home");
    let safeguards = Safeguards {
        keys: home.join("keys"),
        consents: home.join("consents"),
        signer: None,
        timestamps: None,
        audience: Audience::Publish,
        profiles: Profiles::all(),
        language: Language::default(),
        provider: "effigy demo".to_owned(),
        clock: Clock::set(job.now),
    };
    let keys = Keys::create(&safeguards.keys, "effigy demo", job.now)?;
    let networks = Networks::load(&job.weights, job.device)?;
    let store = Store::open(&safeguards.consents, &keys);
    for (name, clip) in [("ada", "ada-1.mp4"), ("ben", "ben-2.mp4")] {
        let seen = consents::subject_faces(&[place.join("clips").join(clip)], &networks, progress)?;
        let draft = Draft {
            subject: name.to_owned(),
            basis: Basis::Synthetic,
            uses: vec![Use::Swap],
            audience: Audience::Publish,
            from: job.now,
            until: job.now.plus_days(365).end_of_day(),
            evidence: None,
        };
        let known_by = consent::KnownBy {
            faces: &seen.identities,
            voice: None,
        };
        consent::record(&store, &draft, known_by, &job.weights, job.now)?;
    }
    Ok(safeguards)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, Quiet};

    #[test]
    fn a_folder_that_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mine.txt"), "mine").unwrap();
        let job = DemoJob {
            output: folder.path().to_owned(),
            train_secs: 1.0,
            device: Choice::Cpu,
            weights: Weights::from_source_tree().unwrap(),
            now: UtcTime::from_unix_secs(1_800_000_000),
        };
        let refused = demo(&job, &mut Quiet);
        assert!(matches!(refused, Err(Error::Exists { .. })));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
