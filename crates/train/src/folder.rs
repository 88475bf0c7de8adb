//! The folder of a model: a new one is begun, an old one is continued.

use std::path::Path;

use effigy_model::face_model::Shape;
use effigy_model::face_model::store::{self, FORMAT, Manifest, Person};

use crate::error::{Error, Result};
use crate::faces::FaceSet;
use crate::settings::Settings;

/// Begins a model in `folder`, which is created, and gives its manifest.
///
/// # Errors
/// If it holds something else or cannot be made.
pub(crate) fn new_manifest(
    folder: &Path,
    settings: &Settings,
    sets: &[FaceSet],
) -> Result<Manifest> {
    let path = folder.to_path_buf();
    // Files of a training that was killed before its first save are no obstacle.
    let is_ours = |name: &str| {
        name.contains(".safetensors") || name == format!("{}.unfinished", store::MANIFEST)
    };
    let is_taken = match std::fs::read_dir(folder) {
        Ok(entries) => {
            let mut names = entries.flatten().map(|entry| entry.file_name());
            names.any(|name| !is_ours(&name.to_string_lossy()))
        }
        Err(_) => folder.exists(),
    };
    if is_taken {
        return Err(Error::NotAModel { path });
    }
    std::fs::create_dir_all(folder).map_err(|source| Error::Write {
        step: 0,
        source,
        path,
    })?;
    let person = |set: &FaceSet| Person {
        name: set.person.clone(),
        consent: set.consent.clone(),
        n_faces: set.len(),
        poses: set.poses(),
    };
    Ok(Manifest {
        format: FORMAT,
        shape: settings.shape,
        people: sets.iter().map(person).collect(),
        training: settings.training.clone(),
        checkpoints: Vec::new(),
        history: Vec::new(),
    })
}

/// Adds the poses of the faces that a continued training learns from.
pub(crate) fn add_poses(manifest: &mut Manifest, sets: &[FaceSet]) {
    for (person, set) in manifest.people.iter_mut().zip(sets) {
        person.poses = match (person.poses, set.poses()) {
            (Some(before), Some(now)) => Some(before.widened(now)),
            (before, now) => before.or(now),
        };
    }
}

/// Refuses to continue a model of other people or of another size.
pub(crate) fn check_same(
    folder: &Path,
    manifest: &Manifest,
    settings: &Settings,
    sets: &[FaceSet],
) -> Result<()> {
    let describe =
        |names: Vec<&str>, shape: Shape| format!("{} at {} px", names.join(" and "), shape.side);
    let theirs = manifest
        .people
        .iter()
        .map(|person| person.name.as_str())
        .collect();
    let theirs = describe(theirs, manifest.shape);
    let ours = describe(
        sets.iter().map(|set| set.person.as_str()).collect(),
        settings.shape,
    );
    if theirs == ours && manifest.shape == settings.shape {
        return Ok(());
    }
    Err(Error::OtherModel {
        theirs,
        ours,
        path: folder.to_path_buf(),
    })
}
