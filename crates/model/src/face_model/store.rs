//! The folder a face model is kept in.
//!
//! `model.json` is the [`Manifest`]: what the network is, whom it draws, and the last checkpoints
//! with the SHA-256 of each file. It is written last and renamed into place, so that it always
//! names files that are complete. Everything read here is untrusted: sizes are bounded and hashes
//! compared before anything is used.

mod manifest;

use std::fs;
use std::io;
use std::path::Path;

use effigy_files::is_temporary;

use super::weights::{Weight, weights_from_bytes};
use crate::error::{Error, Result};
pub use manifest::{Checkpoint, Kept, Manifest, Moment, Person, Poses, Start, Training};

/// The version of the format that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;
/// Name of the manifest in the folder.
pub const MANIFEST: &str = "model.json";

/// Reads `model.json`.
///
/// # Errors
/// If it is missing, not a manifest, or of a newer version.
pub fn read_manifest(folder: &Path) -> Result<Manifest> {
    let path = folder.join(MANIFEST);
    let text = read_bounded(&path, 1 << 20).map_err(|error| match error {
        Error::Read { source, .. } if is_missing(&source) => Error::NoModel {
            path: folder.to_path_buf(),
        },
        other => other,
    })?;
    let damaged = |reason: String| Error::Damaged {
        reason,
        previous: None,
        path: path.clone(),
    };
    let json: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    let format = json.get("format").and_then(serde_json::Value::as_u64);
    if let Some(found) = format.filter(|&format| u64::from(FORMAT) < format) {
        return Err(Error::Newer {
            found,
            known: FORMAT,
            path,
        });
    }
    let manifest: Manifest =
        serde_json::from_value(json).map_err(|error| damaged(error.to_string()))?;
    manifest.check().map_err(damaged)?;
    Ok(manifest)
}

/// Checks that a training may write to `folder`: it is not there yet, holds a model, or only what an
/// interrupted training left.
///
/// # Errors
/// If it holds anything else, or cannot be read.
pub fn check_place(folder: &Path) -> Result<()> {
    if folder.join(MANIFEST).exists() {
        return Ok(());
    }
    let unreadable = |source| Error::Read {
        source,
        path: folder.to_path_buf(),
    };
    let entries = match fs::read_dir(folder) {
        Err(error) if is_missing(&error) => return Ok(()),
        other => other.map_err(unreadable)?,
    };
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if !is_temporary(&path) && !is_checkpoint_file(&path) {
            return Err(Error::NotForModels {
                path: folder.to_path_buf(),
            });
        }
    }
    Ok(())
}

/// Whether there is no file, or a file where a folder should be.
fn is_missing(error: &io::Error) -> bool {
    use io::ErrorKind;
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Reads `model.json` as it was when the checkpoint of step `checkpoint` was the newest.
///
/// # Errors
/// As [`read_manifest`]; and if no such checkpoint is kept.
pub fn read_manifest_at(folder: &Path, checkpoint: Option<u64>) -> Result<Manifest> {
    let mut manifest = read_manifest(folder)?;
    let Some(step) = checkpoint else {
        return Ok(manifest);
    };
    let steps: Vec<String> = manifest
        .checkpoints
        .iter()
        .map(|c| c.step.to_string())
        .collect();
    manifest
        .checkpoints
        .retain(|checkpoint| checkpoint.step <= step);
    manifest.history.retain(|moment| moment.step <= step);
    if manifest
        .checkpoints
        .first()
        .is_some_and(|newest| newest.step == step)
    {
        return Ok(manifest);
    }
    let path = folder.to_path_buf();
    Err(Error::NoCheckpoint {
        step,
        kept: steps.join(", "),
        path,
    })
}

/// Reads the averaged weights of the newest checkpoint.
///
/// # Errors
/// If the file is missing, damaged, or does not fit the network; names the checkpoint before it.
pub fn read_weights(folder: &Path, manifest: &Manifest, wanted: &[Weight]) -> Result<Vec<Weight>> {
    let bytes = read_kept(folder, manifest, |checkpoint| &checkpoint.weights)?;
    weights_from_bytes(&bytes, wanted)
}

/// Reads a file of the newest checkpoint and compares its hash.
///
/// # Errors
/// If it is missing or damaged; names the checkpoint before it.
pub fn read_kept(
    folder: &Path,
    manifest: &Manifest,
    which: fn(&Checkpoint) -> &Kept,
) -> Result<Vec<u8>> {
    let kept = which(&manifest.checkpoints[0]);
    let path = folder.join(&kept.file);
    let previous = manifest
        .checkpoints
        .get(1)
        .map(|checkpoint| checkpoint.step);
    let damaged = |reason: String| Error::Damaged {
        reason,
        previous,
        path: path.clone(),
    };
    let told = |error| match error {
        // The file may be whole.
        Error::Read { ref source, .. } if source.kind() == io::ErrorKind::OutOfMemory => error,
        _ => damaged(error.to_string()),
    };
    let bytes = read_bounded(&path, LARGEST_FILE).map_err(told)?;
    if effigy_files::sha256(&bytes) != kept.sha256 {
        return Err(damaged(
            "its SHA-256 is not the one in model.json".to_owned(),
        ));
    }
    Ok(bytes)
}

/// No network that this version can train comes near it.
const LARGEST_FILE: u64 = 4 << 30;
fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let opened = |source| Error::Read {
        source,
        path: path.to_path_buf(),
    };
    let length = fs::metadata(path).map_err(opened)?.len();
    if limit < length {
        let reason = format!("{length} bytes are more than a face model has");
        return Err(Error::Damaged {
            reason,
            previous: None,
            path: path.to_path_buf(),
        });
    }
    fs::read(path).map_err(opened)
}

/// Names of the two files of the checkpoint at `step`: weights and state.
pub fn file_names(step: u64) -> [String; 2] {
    ["weights", "state"].map(|what| format!("{what}-{step:08}.safetensors"))
}

/// Whether a file is called as [`file_names`] calls them.
pub fn is_checkpoint_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let step = ["weights-", "state-"]
        .iter()
        .find_map(|kind| name.strip_prefix(kind))
        .and_then(|rest| rest.strip_suffix(".safetensors"));
    step.is_some_and(|step| 8 <= step.len() && step.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face_model::Shape;

    fn manifest() -> Manifest {
        let kept = |file: &str| Kept {
            file: file.to_owned(),
            sha256: effigy_files::sha256(b"w"),
        };
        let checkpoint = |step| Checkpoint {
            step,
            spent_secs: 1.0,
            validation_error: 0.5,
            weights: kept("weights.safetensors"),
            state: kept("state.safetensors"),
            centroids: Vec::new(),
        };
        Manifest {
            format: FORMAT,
            shape: Shape {
                side: 32,
                channels: 4,
                latent: 8,
            },
            people: vec![Person {
                name: "ada".into(),
                consent: "c1".into(),
                n_faces: 3,
                poses: Some(Poses {
                    yaw: [-20, 35],
                    pitch: [-5, 10],
                }),
            }],
            training: Training {
                seed: 1,
                n_faces_each: 2,
                learning_rate: 1e-3,
                start: Start::Nothing,
            },
            checkpoints: vec![checkpoint(20), checkpoint(10)],
            history: Vec::new(),
        }
    }

    fn written(manifest: &Manifest) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join(MANIFEST),
            serde_json::to_vec(manifest).unwrap(),
        )
        .unwrap();
        folder
    }

    /// A manifest as the first version of the format was written, by hand.
    const OLD: &str = r#"{
        "format": 1,
        "shape": { "side": 96, "channels": 48, "latent": 256 },
        "people": [{ "name": "ada", "consent": "c-1", "n_faces": 300 }],
        "training": { "seed": 1, "n_faces_each": 8, "learning_rate": 0.001, "start": "base" },
        "checkpoints": [{
            "step": 40, "spent_secs": 60.5, "validation_error": 0.25,
            "weights": { "file": "weights-00000040.safetensors", "sha256": "00" },
            "state": { "file": "state-00000040.safetensors", "sha256": "01" },
            "centres": [[0.5, -1.0]]
        }],
        "history": [{ "step": 40, "spent_secs": 60.5, "validation_error": 0.25 }]
    }"#;

    #[test]
    fn models_of_earlier_versions_open() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(MANIFEST), OLD).unwrap();
        let manifest = read_manifest(folder.path()).unwrap();
        assert_eq!(manifest.training.start, Start::Base);
        assert_eq!(manifest.checkpoints[0].centroids, [[0.5, -1.0]]);
        let written: serde_json::Value = serde_json::to_value(&manifest).unwrap();
        let old: serde_json::Value = serde_json::from_str(OLD).unwrap();
        assert_eq!(written, old, "and are written as before");
    }

    #[test]
    fn a_head_lies_beyond_what_was_learned_by_its_worse_angle() {
        let poses = manifest().people[0].poses.unwrap();
        assert_eq!(poses.beyond(35.0, -5.0), 0.0);
        assert_eq!(poses.beyond(-31.0, 4.0), 11.0);
        assert_eq!(poses.beyond(40.0, 30.0), 20.0);
        let wider = poses.widened(Poses {
            yaw: [-30, 0],
            pitch: [0, 25],
        });
        assert_eq!((wider.yaw, wider.pitch), ([-30, 35], [-5, 25]));
    }

    #[test]
    fn manifest_comes_back() {
        let folder = written(&manifest());
        assert_eq!(read_manifest(folder.path()).unwrap(), manifest());
    }

    #[test]
    fn kept_checkpoint_can_be_gone_back_to() {
        let folder = written(&manifest());
        let back = read_manifest_at(folder.path(), Some(10)).unwrap();
        assert_eq!(back.checkpoints, manifest().checkpoints[1..]);
        let error = read_manifest_at(folder.path(), Some(15)).unwrap_err();
        assert!(error.to_string().contains("20, 10"), "{error}");
    }

    #[test]
    fn folder_without_a_model_is_named_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notes.txt");
        fs::write(&file, b"notes").unwrap();
        for path in [folder.path(), &folder.path().join("nowhere"), &file] {
            let error = read_manifest(path).unwrap_err();
            assert!(matches!(error, Error::NoModel { .. }), "{error}");
        }
    }

    #[test]
    fn training_writes_only_where_no_other_files_are() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        check_place(&at("new")).unwrap();
        check_place(folder.path()).unwrap();
        for name in file_names(10)
            .iter()
            .map(String::as_str)
            .chain([".part-1-x"])
        {
            fs::write(at(name), b"").unwrap();
            check_place(folder.path()).unwrap();
        }
        fs::write(at("weights-of-another-program.safetensors"), b"").unwrap();
        let error = check_place(folder.path()).unwrap_err();
        assert!(matches!(error, Error::NotForModels { .. }), "{error}");
        fs::write(at(MANIFEST), b"{}").unwrap();
        check_place(folder.path()).unwrap();
    }

    #[test]
    fn newer_format_is_named() {
        let folder = written(&Manifest {
            format: FORMAT + 1,
            ..manifest()
        });
        let error = read_manifest(folder.path()).unwrap_err();
        assert!(matches!(error, Error::Newer { found: 2, .. }), "{error}");
    }

    #[test]
    fn impossible_manifests_are_refused() {
        let huge = Shape {
            side: 1 << 20,
            ..manifest().shape
        };
        let mut outside = manifest();
        outside.checkpoints[0].weights.file = "../weights".to_owned();
        let none = Manifest {
            people: Vec::new(),
            ..manifest()
        };
        for bad in [
            Manifest {
                shape: huge,
                ..manifest()
            },
            outside,
            none,
        ] {
            let error = read_manifest(written(&bad).path()).unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{error}");
        }
    }

    #[test]
    fn damage_is_noticed_and_the_previous_checkpoint_named() {
        let folder = written(&manifest());
        let path = folder.path().join("weights.safetensors");
        fs::write(&path, b"w").unwrap();
        assert!(read_kept(folder.path(), &manifest(), |c| &c.weights).is_ok());
        fs::write(&path, b"v").unwrap();
        let error = read_kept(folder.path(), &manifest(), |c| &c.weights).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Damaged {
                    previous: Some(10),
                    ..
                }
            ),
            "{error}"
        );
        assert!(error.to_string().contains("step 10"), "{error}");
    }
}
