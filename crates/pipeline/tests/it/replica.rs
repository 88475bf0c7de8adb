//! A trained person moved by a clip: how the model learns it, what it reaches, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::studio::{Studio, studio};
use effigy_files::{Existing, sha256};
use effigy_frame::TimeRange;
use effigy_mark::consent::Use;
use effigy_mark::{Trust, verify};
use effigy_model::Weights;
use effigy_pipeline::puppet::{Drive, DriverSettings, Gains, Trained};
use effigy_pipeline::{Choice, Error, PuppetJob, Quiet, Start, Subject, TrainJob, puppet, train};
use effigy_train::Budget;

fn actor(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    folder.join(name).with_extension("mp4")
}

/// Ada agreed to be moved and a model of her alone was trained for a moment; Ben agreed to move others.
struct Stage {
    studio: Studio,
    model: PathBuf,
}

fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let studio = studio();
        studio.consent_to(&[Use::Puppet], "Ada", &actor("ada-1"));
        studio.consent_to(&[Use::Drive], "Ben", &actor("ben-1"));
        let model = model_for(&studio, Use::Puppet, "ada.model");
        Stage { studio, model }
    })
}

/// A model of Ada alone, learned for this use.
fn model_for(studio: &Studio, usage: Use, name: &str) -> PathBuf {
    let clips = [actor("ada-microphone"), actor("ben-1")];
    let job = studio.train_job(&clips, 1);
    let model = studio.folder.path().join(name);
    let alone = TrainJob {
        people: vec![Subject {
            name: "Ada".to_owned(),
            inputs: vec![actor("ada-1")],
        }],
        usage,
        output: model.clone(),
        start: Start::Base,
        budget: Budget::Steps(1),
        ..job
    };
    train(&alone, &mut Quiet).unwrap();
    model
}

/// A copy of the model in a place of its own.
fn copy_of(model: &Path, place: &Path) -> PathBuf {
    let copy = place.join("copy.model");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(model).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
    copy
}

/// Ada, moved for a few frames as Ben moves, by a model that has not learned yet how she moves.
fn job(studio: &Studio, model: &Path, place: &Path) -> PuppetJob {
    PuppetJob {
        portrait: actor("ada-1"),
        subject: "Ada".to_owned(),
        trained: Some(Trained {
            model: model.to_owned(),
            learn: Vec::new(),
            settings: DriverSettings {
                seed: 1,
                n_in_latents: 20,
                n_as_drawn: 1,
            },
            checkpoint: None,
        }),
        drive: Drive::Clips(vec![actor("ben-1")]),
        driver: None,
        output: place.join("moved.mp4"),
        existing: Existing::Replaced,
        range: TimeRange {
            from_secs: 0.0,
            to_secs: Some(0.3),
        },
        gains: Gains::default(),
        ground_truth: None,
        device: Choice::Cpu,
        weights: Weights::from_source_tree().unwrap(),
        safeguards: studio.safeguards.clone(),
    }
}

fn with_learning(job: &PuppetJob, learn: Vec<PathBuf>) -> PuppetJob {
    let mut job = job.clone();
    if let Some(trained) = &mut job.trained {
        trained.learn = learn;
    }
    job
}

/// The SHA-256 of each file of a folder.
fn hashes(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let named = entries.map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, sha256(&fs::read(entry.path()).unwrap()))
    });
    named.collect()
}

const DRIVER: &str = "driver-0.safetensors";

#[test]
fn how_a_person_moves_is_learned_once_and_kept() {
    let place = tempfile::tempdir().unwrap();
    let model = copy_of(&stage().model, place.path());
    let before = hashes(&model);
    let job = job(&stage().studio, &model, place.path());
    let made = puppet(&job, &mut Quiet).unwrap();
    assert!(0 < made.n_frames && made.n_still == 0);
    let logged = stage().studio.logged();
    assert!(logged.ends_with("training-began, written"), "{logged}");
    let mut after = hashes(&model);
    let learned = after.remove(DRIVER).unwrap();
    assert_eq!(after, before, "the model itself changed");
    let report = verify(&made.marked.path, &Trust::default()).unwrap();
    assert!(report.marked);
    let credentials = report.credentials.unwrap();
    assert_eq!(credentials.ingredients[..2], ["ada-1.mp4", "ben-1.mp4"]);

    // The second time it is there; asked to learn again, it learns the same.
    puppet(&job, &mut Quiet).unwrap();
    let logged = stage().studio.logged();
    assert!(
        logged.ends_with("training-began, written, written"),
        "{logged}"
    );
    puppet(&with_learning(&job, vec![actor("ada-1")]), &mut Quiet).unwrap();
    assert_eq!(hashes(&model)[DRIVER], learned);
}

#[test]
fn a_driver_that_is_missing_damaged_or_another_s_is_named() {
    let place = tempfile::tempdir().unwrap();
    let model = copy_of(&stage().model, place.path());
    let asks = |job: &PuppetJob, said: &str| {
        let error = puppet(job, &mut Quiet).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert!(error.to_string().contains("--learn"), "{error}");
        assert!(!job.output.exists());
    };
    let job = job(&stage().studio, &model, place.path());
    let picture = PuppetJob {
        portrait: actor("ada-1").with_extension("flow.png"),
        ..job.clone()
    };
    asks(&picture, "not yet how they move");
    fs::write(model.join(DRIVER), b"no driver").unwrap();
    asks(&job, "damaged");
    assert_eq!(fs::read(model.join(DRIVER)).unwrap(), b"no driver");
}

#[test]
fn whom_the_model_does_not_draw_is_not_moved() {
    let place = tempfile::tempdir().unwrap();
    let other = PuppetJob {
        subject: "Ben".to_owned(),
        ..job(&stage().studio, &stage().model, place.path())
    };
    let error = puppet(&other, &mut Quiet).unwrap_err();
    let Error::NotInModel { known, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(known, "Ada");
}

/// Who let a model be trained for swaps did not agree to be moved by it, whatever they agreed to elsewhere.
#[test]
fn a_model_learned_for_something_else_moves_nobody() {
    let place = tempfile::tempdir().unwrap();
    let studio = studio();
    studio.consent_to(&[Use::Swap], "Ada", &actor("ada-1"));
    let model = model_for(&studio, Use::Swap, "swap.model");
    studio.consent_to(&[Use::Puppet], "Ada", &actor("ada-1"));
    let before = hashes(&model);
    let error = puppet(&job(&studio, &model, place.path()), &mut Quiet).unwrap_err();
    let is_refused = matches!(
        &error,
        Error::Mark(effigy_mark::Error::OtherUse {
            wanted: Use::Puppet,
            ..
        })
    );
    assert!(is_refused, "{error}");
    assert_eq!(hashes(&model), before);
    assert!(!place.path().join("moved.mp4").exists());
}

#[test]
fn the_movement_of_somebody_else_is_not_learned() {
    let place = tempfile::tempdir().unwrap();
    let model = copy_of(&stage().model, place.path());
    let job = job(&stage().studio, &model, place.path());
    let wrong = with_learning(&job, vec![actor("ben-1")]);
    assert!(puppet(&wrong, &mut Quiet).is_err());
    assert!(!model.join(DRIVER).exists());
}
