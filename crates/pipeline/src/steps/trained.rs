//! The face model that a job draws with: whom it draws, and what names it in credentials.

use std::path::Path;

use effigy_mark::ModelName;
use effigy_model::FaceModel;

use crate::error::{Error, Result};

/// The position of the person called `name` in `model`, which lies in `folder`.
///
/// # Errors
/// When the model does not draw them.
pub(crate) fn person_in(model: &FaceModel, folder: &Path, name: &str) -> Result<usize> {
    model.person(name).ok_or_else(|| {
        let people = model.manifest().people.iter();
        let names: Vec<&str> = people.map(|person| person.name.as_str()).collect();
        Error::NotInModel {
            wanted: name.to_owned(),
            known: names.join(", "),
            path: folder.to_owned(),
        }
    })
}

/// What names the model in the credentials of the output.
pub(crate) fn model_name(model: &FaceModel, folder: &Path) -> ModelName {
    let name = folder.file_name().unwrap_or_default();
    ModelName {
        name: name.to_string_lossy().into_owned(),
        sha256: model.weights_sha256().to_owned(),
    }
}
