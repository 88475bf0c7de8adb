//! Pictures of known people, each with what the identity network says of it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use effigy_face::Observation;
use effigy_face::align::identity_crop;
use effigy_face::recognise::TooLittle;
use effigy_frame::{Frame, Picture, Rational, Timestamp};
use effigy_model::{FaceEmbedder, Identity, OcclusionSegmenter};

use crate::data::people::{self, SEVERAL_PEOPLE, Sample, Split};
use crate::eval::scan::tone;

/// One picture of a person.
pub(in crate::eval) struct KnownFace {
    pub(in crate::eval) person: String,
    pub(in crate::eval) source: String,
    pub(in crate::eval) sex: String,
    /// How light the cheeks look, in degrees; `None` where the picture has no colour.
    pub(in crate::eval) tone: Option<f32>,
    pub(in crate::eval) identity: Identity,
    /// What dlib's own program made of the picture.
    pub(in crate::eval) teacher: Option<Vec<f32>>,
    pub(in crate::eval) too_little: Option<TooLittle>,
    pub(in crate::eval) crop: Picture,
}

impl KnownFace {
    /// Whether all pictures under the name show one person.
    pub(in crate::eval) fn has_one_owner(&self) -> bool {
        !SEVERAL_PEOPLE.contains(&self.person.as_str())
    }
}

/// Reads all people of whom no picture went into the strangers: those of the validation split, and
/// of the others those with several pictures.
pub(in crate::eval) fn known_faces(
    data: &Path,
    face_embedder: &FaceEmbedder,
    segmenter: &OcclusionSegmenter,
) -> Result<Vec<KnownFace>> {
    let mut faces = Vec::new();
    for split in [Split::Validation, Split::Train] {
        let samples = people::read(data, split, |source| match split {
            Split::Validation => true,
            Split::Train => ["ytf", "lfw-grey"].contains(&source),
        })?;
        let mut n_pictures: BTreeMap<&str, usize> = BTreeMap::new();
        for sample in &samples {
            *n_pictures.entry(&sample.person).or_default() += 1;
        }
        let is_known =
            |sample: &&Sample| split == Split::Validation || 1 < n_pictures[sample.person.as_str()];
        for sample in samples.iter().filter(is_known) {
            faces.extend(known_face(sample, face_embedder, segmenter));
        }
    }
    Ok(faces)
}

fn known_face(
    sample: &Sample,
    face_embedder: &FaceEmbedder,
    segmenter: &OcclusionSegmenter,
) -> Option<KnownFace> {
    let crop = identity_crop(&sample.picture, &sample.points)?;
    let frame = Frame {
        index: 0,
        time: Timestamp::new(0, Rational::new(1, 1)),
        picture: sample.picture.clone(),
    };
    let seen = Observation::of_points(&frame, 0, &sample.points);
    let too_little = TooLittle::of(&seen, segmenter);
    let is_grey = |rgb: &[u8]| rgb[0].abs_diff(rgb[1]).max(rgb[1].abs_diff(rgb[2])) < 8;
    let pixels = crop.pixels().chunks_exact(3);
    let n_grey = pixels.filter(|rgb| is_grey(rgb)).count();
    let is_coloured = n_grey < (crop.width() * crop.height() / 2) as usize;
    let angle = || tone::angle(&sample.picture, &sample.points);
    Some(KnownFace {
        person: sample.person.clone(),
        source: sample.source.clone(),
        sex: sample.sex.clone(),
        tone: is_coloured.then(angle).flatten(),
        identity: face_embedder.embed(std::slice::from_ref(&crop)).pop()?,
        teacher: sample.identity.clone(),
        too_little,
        crop,
    })
}
