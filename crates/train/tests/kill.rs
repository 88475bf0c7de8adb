//! A training that is killed at any moment goes on from its last save, with no file damaged.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use burn::prelude::Device;
use effigy_mark::consent::Use;
use effigy_model::FaceModel;
use effigy_model::face_model::store::read_manifest;
use effigy_train::{ConsentedSet, Outcome, train};

#[path = "../../../testdata/proof.rs"]
mod proof;
#[path = "it/studio.rs"]
mod studio;

/// Names the folder to train in, in the process that is to be killed.
const CHILD: &str = "EFFIGY_TEST_TRAIN_IN";
const MOST_KILLS: usize = 50;

/// Trains up to step `steps`, saving after every step.
fn train_to(folder: &Path, steps: u64) -> Outcome {
    let settings = studio::settings(steps);
    let token = &studio::token(folder.parent().unwrap(), 2, Use::Swap);
    let sets = &studio::sets(token);
    let consented = ConsentedSet { token, sets };
    let mut go_on = |_: &_| ControlFlow::Continue(());
    train(folder, &settings, &consented, &Device::flex(), &mut go_on).unwrap()
}

#[test]
fn killed_training_goes_on_from_its_last_save() {
    if let Some(folder) = std::env::var_os(CHILD) {
        train_to(Path::new(&folder), u64::MAX);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    studio::record_consents(folder.path(), Use::Swap);
    let (mut last_step, n_kills) = (0, proof::amount(8, MOST_KILLS));
    for kill in 0..MOST_KILLS {
        if n_kills <= kill && 0 < last_step {
            break; // a slow machine needs more of them until something is saved
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed_training_goes_on_from_its_last_save"])
            .env(CHILD, &model)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Spread over moments of start, step and save.
        let moment = (proof::seed() + kill * 37) % 160;
        std::thread::sleep(Duration::from_millis(40 + moment as u64));
        let ended_by_itself = child.try_wait().unwrap();
        assert!(
            ended_by_itself.is_none(),
            "kill {kill}: the training failed by itself"
        );
        child.kill().unwrap();
        child.wait().unwrap();
        let Ok(manifest) = read_manifest(&model) else {
            assert!(
                !model.join("model.json").exists(),
                "kill {kill}: damaged manifest"
            );
            assert_eq!(last_step, 0, "kill {kill}: the manifest is gone");
            continue;
        };
        let step = manifest.checkpoints[0].step;
        assert!(
            last_step <= step,
            "kill {kill}: lost steps {step}..{last_step}"
        );
        FaceModel::open(&model, &Device::flex()).unwrap();
        last_step = step;
    }
    assert!(0 < last_step, "nothing was ever saved");
    assert_eq!(train_to(&model, last_step + 2).last.step, last_step + 2);
}
