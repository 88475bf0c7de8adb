//! Saving a training so that a kill at any moment loses at most the work since the last save.
//!
//! New files first, each flushed to the disk under a temporary name and renamed; then the manifest
//! in the same way; only then are files removed that the manifest no longer names.

use std::fs;
use std::io;
use std::path::Path;

use effigy_files::{is_temporary, write_atomically};
use effigy_model::face_model::store::{self, Checkpoint, Kept, MANIFEST, Manifest, Moment};
use effigy_model::face_model::weights::{Weight, bytes_from_weights, weights_from_bytes};

use crate::adam::State;
use crate::error::{Error, Result};

/// A history that grows longer loses every second moment.
const LONGEST_HISTORY: usize = 1024;
/// How many checkpoints are kept.
const N_KEPT: usize = 3;
/// What the lists of a state are called in its file.
const LISTS: [&str; 3] = ["weights", "first", "second"];

/// Saves `state` in `folder` and names it in `manifest`, newest first.
///
/// # Errors
/// If the disk refuses; what was saved before is untouched.
pub(crate) fn save(
    folder: &Path,
    manifest: &mut Manifest,
    state: &State,
    measured: Measured<'_>,
) -> Result<()> {
    let [weights, kept_state] = store::file_names(state.step);
    let weights = keep(
        folder,
        weights,
        &bytes_from_weights(&state.averaged)?,
        state.step,
    )?;
    let lists = named_lists(state);
    let kept_state = keep(folder, kept_state, &bytes_from_weights(&lists)?, state.step)?;
    let Measured {
        spent_secs,
        validation_error,
        centroids,
    } = measured;
    let step = state.step;
    let new = Checkpoint {
        step,
        spent_secs,
        validation_error,
        weights,
        state: kept_state,
        centroids: centroids.to_vec(),
    };
    let mut next = manifest.clone();
    next.checkpoints.retain(|old| old.step < step);
    next.checkpoints.insert(0, new);
    next.checkpoints.truncate(N_KEPT);
    next.history.retain(|old| old.step < step);
    next.history.push(Moment {
        step,
        spent_secs,
        validation_error,
    });
    if LONGEST_HISTORY < next.history.len() {
        let mut keep = (0..next.history.len()).rev().map(|i| i % 2 == 0);
        next.history.retain(|_| keep.next().unwrap_or(true));
    }
    write_manifest(folder, &next, step)?;
    *manifest = next;
    remove_unnamed(folder, manifest).map_err(|source| refused(folder, step, source))
}

/// What is known when a checkpoint is saved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured<'a> {
    /// Seconds of training so far.
    pub(crate) spent_secs: f64,
    /// Error on the faces held back.
    pub(crate) validation_error: f64,
    /// Where each person's faces lie in the latent, on average.
    pub(crate) centroids: &'a [Vec<f32>],
}

/// Reads the newest checkpoint that `manifest` names; `wanted` are the network's weights.
///
/// # Errors
/// If it is damaged; the error names the one before it.
pub(crate) fn load(folder: &Path, manifest: &Manifest, wanted: &[Weight]) -> Result<State> {
    let averaged = store::read_weights(folder, manifest, wanted)?;
    let bytes = store::read_kept(folder, manifest, |checkpoint| &checkpoint.state)?;
    let names = LISTS
        .iter()
        .flat_map(|list| wanted.iter().map(|weight| renamed(weight, list)));
    let mut lists = weights_from_bytes(&bytes, &names.collect::<Vec<_>>())?.into_iter();
    let mut take = || -> Vec<Weight> {
        let list = wanted.iter().zip(lists.by_ref());
        list.map(|(wanted, found)| Weight {
            name: wanted.name.clone(),
            ..found
        })
        .collect()
    };
    let (weights, first, second) = (take(), take(), take());
    Ok(State {
        step: manifest.checkpoints[0].step,
        weights,
        averaged,
        first,
        second,
    })
}

fn write_manifest(folder: &Path, manifest: &Manifest, step: u64) -> Result<()> {
    let refused = |source| refused(folder, step, source);
    let json = serde_json::to_vec_pretty(manifest).map_err(|error| refused(error.into()))?;
    write_atomically(&folder.join(MANIFEST), &json).map_err(refused)
}

fn keep(folder: &Path, file: String, bytes: &[u8], step: u64) -> Result<Kept> {
    write_atomically(&folder.join(&file), bytes).map_err(|source| refused(folder, step, source))?;
    Ok(Kept {
        sha256: effigy_files::sha256(bytes),
        file,
    })
}

fn refused(folder: &Path, step: u64, source: io::Error) -> Error {
    Error::Write {
        step,
        source,
        path: folder.to_path_buf(),
    }
}

fn named_lists(state: &State) -> Vec<Weight> {
    let lists = LISTS
        .iter()
        .zip([&state.weights, &state.first, &state.second]);
    lists
        .flat_map(|(name, list)| list.iter().map(|weight| renamed(weight, name)))
        .collect()
}

fn renamed(weight: &Weight, list: &str) -> Weight {
    Weight {
        name: format!("{list}.{}", weight.name),
        ..weight.clone()
    }
}

/// Removes checkpoint files that no checkpoint names, half-written ones included.
fn remove_unnamed(folder: &Path, manifest: &Manifest) -> io::Result<()> {
    let is_named = |name: &str| {
        let mut kept = manifest.checkpoints.iter();
        kept.any(|checkpoint| checkpoint.weights.file == name || checkpoint.state.file == name)
    };
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_kind = |kind: &str| name.contains(kind) && name.ends_with(".safetensors");
        let is_unfinished =
            is_temporary(&entry.path()) && (is_kind("-weights-") || is_kind("-state-"));
        let is_ours = is_unfinished || store::is_checkpoint_file(&entry.path());
        if is_ours && !is_named(&name) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_model::face_model::Shape;
    use effigy_model::face_model::store::{FORMAT, Person, Start, Training};

    const MEASURED: Measured<'_> = Measured {
        spent_secs: 1.0,
        validation_error: 0.1,
        centroids: &[],
    };

    fn state(step: u64) -> State {
        let weight = |name: &str, value| Weight {
            name: name.to_owned(),
            shape: vec![2],
            values: vec![value; 2],
        };
        let list = |value| vec![weight("a", value), weight("b", -value)];
        State {
            step,
            weights: list(1.0),
            averaged: list(2.0),
            first: list(3.0),
            second: list(4.0),
        }
    }

    fn manifest() -> Manifest {
        Manifest {
            format: FORMAT,
            shape: Shape {
                side: 32,
                channels: 4,
                latent: 8,
            },
            people: vec![Person {
                name: "ada".into(),
                consent: "c".into(),
                n_faces: 9,
                poses: None,
            }],
            training: Training {
                seed: 1,
                n_faces_each: 2,
                learning_rate: 0.1,
                start: Start::Nothing,
            },
            checkpoints: Vec::new(),
            history: Vec::new(),
        }
    }

    #[test]
    fn state_comes_back_and_three_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = manifest();
        for step in [10, 20, 30, 40] {
            save(folder.path(), &mut manifest, &state(step), MEASURED).unwrap();
        }
        let read = store::read_manifest(folder.path()).unwrap();
        assert_eq!(read, manifest);
        let steps: Vec<u64> = read
            .checkpoints
            .iter()
            .map(|checkpoint| checkpoint.step)
            .collect();
        assert_eq!(steps, [40, 30, 20]);
        let history: Vec<u64> = read.history.iter().map(|moment| moment.step).collect();
        assert_eq!(history, [10, 20, 30, 40]);
        assert_eq!(
            load(folder.path(), &read, &state(0).weights).unwrap(),
            state(40)
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1 + 2 * 3);
    }

    #[test]
    fn going_back_forgets_what_came_after() {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = manifest();
        for step in [10, 20, 30, 15] {
            save(folder.path(), &mut manifest, &state(step), MEASURED).unwrap();
        }
        let steps: Vec<u64> = manifest
            .checkpoints
            .iter()
            .map(|checkpoint| checkpoint.step)
            .collect();
        assert_eq!(steps, [15, 10]);
    }

    #[test]
    fn refused_disk_leaves_the_last_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = manifest();
        save(folder.path(), &mut manifest, &state(10), MEASURED).unwrap();
        // A folder in the way of the file stands for a disk that refuses.
        let [weights, _] = store::file_names(20);
        fs::create_dir(folder.path().join(weights)).unwrap();
        let error = save(folder.path(), &mut manifest, &state(20), MEASURED).unwrap_err();
        assert!(matches!(error, Error::Write { step: 20, .. }), "{error}");
        let read = store::read_manifest(folder.path()).unwrap();
        assert_eq!(
            load(folder.path(), &read, &state(0).weights).unwrap(),
            state(10)
        );
    }

    #[test]
    fn files_of_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let theirs = folder.path().join("weights-best.safetensors");
        fs::write(&theirs, b"copied by hand").unwrap();
        save(folder.path(), &mut manifest(), &state(20), MEASURED).unwrap();
        assert!(theirs.exists());
    }

    #[test]
    fn what_a_kill_left_unfinished_is_removed_by_the_next_save() {
        let folder = tempfile::tempdir().unwrap();
        let [weights, _] = store::file_names(10);
        let half = effigy_files::AtomicFile::create(&folder.path().join(weights)).unwrap();
        std::mem::forget(half); // As a kill would.
        save(folder.path(), &mut manifest(), &state(20), MEASURED).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
