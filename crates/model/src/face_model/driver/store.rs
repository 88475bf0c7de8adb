//! The file of a driver in the folder of its face model.
//!
//! `driver-N.safetensors` is that of person `N`. Its header says to whom and to which checkpoint it
//! belongs, and the SHA-256 of its numbers. `model.json` does not know it: a driver can be added, and
//! learned anew, and the model stays what it was.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::prelude::*;
use effigy_files::{read_bounded, sha256, write_atomically};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use super::{DriverInput, DriverNet, FaceDriver, N_INPUTS, Range, decoder_weights, range_weights};
use crate::error::{Error, Result};
use crate::face_model::weights::{
    Weight, bytes_with_header, weights_from_bytes, weights_of, with_weights,
};
use crate::face_model::{Decoder, FaceModel, Shape};

/// The version of the format that this program writes, and the only one it reads.
const FORMAT: u32 = 1;
/// Where the header says what a driver is.
const KEY: &str = "driver";
/// The driver of the largest model comes nowhere near it.
const LARGEST_FILE: u64 = 1 << 30;

/// What a driver says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Version of the format.
    format: u32,
    /// SHA-256 of the weights that it learned to drive.
    pub model: String,
    /// Whose face it drives.
    pub person: String,
    /// Identifier of the consent that allowed to learn their movement.
    pub consent: String,
    /// From how many faces it learned.
    pub n_faces: usize,
    /// How wrong it draws faces held back, as trainings of models say it; and what is drawn of these
    /// faces themselves.
    pub errors: [f64; 2],
    /// SHA-256 of its numbers.
    sha256: String,
}

/// What is told of a driver when it is written.
#[derive(Clone, Debug)]
pub struct Learned {
    /// The driver.
    pub driver: FaceDriver,
    /// Identifier of the consent that allowed to learn.
    pub consent: String,
    /// From how many faces it learned.
    pub n_faces: usize,
    /// As in [`Origin`].
    pub errors: [f64; 2],
}

/// Where the driver of a person lies in the folder of their model.
pub fn path_of(folder: &Path, person: usize) -> PathBuf {
    folder.join(format!("driver-{person}.safetensors"))
}

/// Writes what `person` of `model`, which lies in `folder`, has learned. A driver that was there is
/// replaced whole.
///
/// # Errors
/// When the disk refuses; what was there before is untouched.
pub fn write(folder: &Path, model: &FaceModel, person: usize, learned: &Learned) -> Result<()> {
    let path = path_of(folder, person);
    let weights = learned.driver.weights();
    let plain = bytes_with_header(&weights, None)?;
    let origin = Origin {
        format: FORMAT,
        model: model.weights_sha256().to_owned(),
        person: model.manifest().people[person].name.clone(),
        consent: learned.consent.clone(),
        n_faces: learned.n_faces,
        errors: learned.errors,
        sha256: sha256(numbers(&plain).unwrap_or_default()),
    };
    let refused = |source: std::io::Error| Error::Write {
        source,
        path: path.clone(),
    };
    let said = serde_json::to_string(&origin).map_err(|error| refused(error.into()))?;
    let header = HashMap::from([(KEY.to_owned(), said)]);
    let bytes = bytes_with_header(&weights, Some(header))?;
    write_atomically(&path, &bytes).map_err(refused)
}

/// Reads the driver of `person` of `model`, which lies in `folder`; `None` where there is none.
///
/// # Errors
/// When it is damaged, or was learned for another person, model or checkpoint.
pub fn read(
    folder: &Path,
    model: &FaceModel,
    person: usize,
) -> Result<Option<(FaceDriver, Origin)>> {
    let path = path_of(folder, person);
    if !path.exists() {
        return Ok(None);
    }
    let bytes = read_bounded(&path, LARGEST_FILE).map_err(|source| Error::Read {
        source,
        path: path.clone(),
    })?;
    let unfit = |reason: String| Error::UnfitDriver {
        reason,
        path: path.clone(),
    };
    let origin = origin_of(&bytes).map_err(unfit)?;
    let name = &model.manifest().people[person].name;
    if &origin.person != name {
        return Err(unfit(format!(
            "it is that of {}, not {name}",
            origin.person
        )));
    }
    if origin.model != model.weights_sha256() {
        return Err(unfit(
            "it belongs to another model, or to another checkpoint of this one".to_owned(),
        ));
    }
    let driver = driver_from(&bytes, model.manifest().shape, model.device());
    let driver = driver.map_err(|error| match error {
        Error::Weights { reason, .. } => unfit(reason),
        other => other,
    })?;
    Ok(Some((driver, origin)))
}

/// What the header says, once the numbers are what they were.
fn origin_of(bytes: &[u8]) -> Result<Origin, String> {
    let damaged = |reason: &dyn std::fmt::Display| format!("it is damaged: {reason}");
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(&error))?;
    let said = header.metadata().as_ref().and_then(|said| said.get(KEY));
    let said = said.ok_or_else(|| damaged(&"it does not say whose it is"))?;
    let origin: Origin = serde_json::from_str(said).map_err(|error| damaged(&error))?;
    if origin.format != FORMAT {
        let format = origin.format;
        return Err(format!(
            "it has format {format}, and this version knows format {FORMAT}"
        ));
    }
    if sha256(numbers(bytes).unwrap_or_default()) != origin.sha256 {
        return Err(damaged(&"its numbers are not those that were saved"));
    }
    Ok(origin)
}

/// The part of a safetensors file behind its header.
fn numbers(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    rest.get(usize::try_from(u64::from_le_bytes(*length)).ok()?..)
}

fn driver_from(bytes: &[u8], shape: Shape, device: &Device) -> Result<FaceDriver> {
    let net = DriverNet::new(shape.latent, device);
    let decoder = Decoder::new(shape, device);
    let empty = Range {
        least: [0.0; N_INPUTS],
        most: [0.0; N_INPUTS],
    };
    let mut wanted: Vec<Weight> = weights_of(&net);
    let n_driver = wanted.len();
    wanted.extend(decoder_weights(&decoder));
    let n_weights = wanted.len();
    wanted.extend(range_weights(&empty));
    let found = weights_from_bytes(bytes, &wanted)?;
    let (weights, range) = found.split_at(n_weights);
    let (of_driver, of_decoder) = weights.split_at(n_driver);
    let numbers = |weight: &Weight| -> DriverInput { std::array::from_fn(|i| weight.values[i]) };
    let range = Range {
        least: numbers(&range[0]),
        most: numbers(&range[1]),
    };
    if (0..N_INPUTS).any(|i| range.most[i] < range.least[i]) {
        return Err(Error::Weights {
            network: "driver",
            reason: "it is damaged: a range ends before it begins".to_owned(),
        });
    }
    let (net, decoder) = (
        with_weights(net, of_driver),
        with_weights(decoder, of_decoder),
    );
    Ok(FaceDriver::new(net, decoder, range, device))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::tests::{SHAPE, driver};
    use super::*;
    use crate::face_model::store::{Checkpoint, FORMAT, Kept, MANIFEST, Manifest, Person};
    use crate::face_model::store::{Start, Training};
    use crate::face_model::weights::bytes_from_weights;

    /// A model of two people whose weights are all `value`, in a folder of its own.
    fn model(value: f32) -> (tempfile::TempDir, FaceModel) {
        let folder = tempfile::tempdir().unwrap();
        let shape = SHAPE;
        let mut weights = weights_of(&shape.init(2, &Device::flex()));
        weights.iter_mut().for_each(|w| w.values.fill(value));
        let bytes = bytes_from_weights(&weights).unwrap();
        let file = "weights-00000001.safetensors".to_owned();
        fs::write(folder.path().join(&file), &bytes).unwrap();
        let kept = Kept {
            sha256: sha256(&bytes),
            file,
        };
        let person = |name: &str| Person {
            name: name.to_owned(),
            consent: "c".to_owned(),
            n_faces: 30,
            poses: None,
        };
        let manifest = Manifest {
            format: FORMAT,
            shape,
            people: vec![person("ada"), person("ben")],
            training: Training {
                seed: 1,
                n_faces_each: 2,
                learning_rate: 1e-3,
                start: Start::Nothing,
            },
            checkpoints: vec![Checkpoint {
                step: 1,
                spent_secs: 1.0,
                validation_error: 0.5,
                weights: kept.clone(),
                state: kept,
                centroids: Vec::new(),
            }],
            history: Vec::new(),
        };
        let said = serde_json::to_vec(&manifest).unwrap();
        fs::write(folder.path().join(MANIFEST), said).unwrap();
        let model = FaceModel::open(folder.path(), &Device::flex()).unwrap();
        (folder, model)
    }

    fn learned(seed: f32) -> Learned {
        Learned {
            driver: driver(seed),
            consent: "c".to_owned(),
            n_faces: 40,
            errors: [0.2, 0.1],
        }
    }

    const DOES: DriverInput = [0.3; N_INPUTS];

    #[test]
    fn a_driver_comes_back_and_the_next_one_replaces_it() {
        let (folder, model) = model(0.1);
        assert!(read(folder.path(), &model, 0).unwrap().is_none());
        for seed in [0.0, 1.0] {
            write(folder.path(), &model, 0, &learned(seed)).unwrap();
            let (found, origin) = read(folder.path(), &model, 0).unwrap().unwrap();
            assert_eq!(found.latent(&DOES), driver(seed).latent(&DOES));
            let said = (origin.person.as_str(), origin.n_faces, origin.errors);
            assert_eq!(said, ("ada", 40, [0.2, 0.1]));
        }
        // The same driver has the same bytes.
        let before = fs::read(path_of(folder.path(), 0)).unwrap();
        write(folder.path(), &model, 0, &learned(1.0)).unwrap();
        assert_eq!(fs::read(path_of(folder.path(), 0)).unwrap(), before);
        assert!(read(folder.path(), &model, 1).unwrap().is_none());
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        let (folder, model) = model(0.1);
        write(folder.path(), &model, 0, &learned(0.0)).unwrap();
        let path = path_of(folder.path(), 0);
        let whole = fs::read(&path).unwrap();
        let places = (0..whole.len())
            .step_by(4999)
            .chain([0, 9, whole.len() - 1]);
        for place in places {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x10;
            fs::write(&path, &bytes).unwrap();
            let error = read(folder.path(), &model, 0).unwrap_err();
            assert!(
                matches!(error, Error::UnfitDriver { .. }),
                "{place}: {error}"
            );
        }
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let error = read(folder.path(), &model, 0).unwrap_err();
        assert!(error.to_string().contains("--learn"), "{error}");
    }

    #[test]
    fn a_driver_of_another_model_or_person_is_refused() {
        let (folder, first) = model(0.1);
        let (other_folder, other) = model(0.2);
        write(folder.path(), &first, 0, &learned(0.0)).unwrap();
        let path = path_of(folder.path(), 0);
        fs::copy(&path, path_of(other_folder.path(), 0)).unwrap();
        let error = read(other_folder.path(), &other, 0).unwrap_err();
        assert!(error.to_string().contains("another model"), "{error}");
        fs::copy(&path, path_of(folder.path(), 1)).unwrap();
        let error = read(folder.path(), &first, 1).unwrap_err();
        assert!(error.to_string().contains("that of ada"), "{error}");
    }
}
