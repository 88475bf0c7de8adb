//! Training refuses people without consent, and a base does not become a face model.

use std::ops::ControlFlow;
use std::path::Path;

use burn::prelude::Device;
use effigy_mark::consent::{Token, Use};
use effigy_model::face_model::store::read_manifest;
use effigy_train::testing::CARTOON_SIDE;
use effigy_train::{BaseSet, ConsentedSet, Error, FEWEST_PEOPLE, Outcome};

use crate::studio;

fn train(folder: &Path, token: &Token) -> effigy_train::Result<Outcome> {
    let sets = &studio::sets(token);
    let consented = ConsentedSet { token, sets };
    let mut go_on = |_: &_| ControlFlow::Continue(());
    effigy_train::train(
        folder,
        &studio::settings(1),
        &consented,
        &Device::flex(),
        &mut go_on,
    )
}

#[test]
fn each_person_learned_must_be_in_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, model) = (folder.path(), folder.path().join("model"));
    studio::record_consents(folder, Use::Swap);
    let error = train(&model, &studio::token(folder, 1, Use::Swap)).unwrap_err();
    let Error::NotCovered { person } = &error else {
        panic!("{error}");
    };
    assert_eq!(person, "ben");
    assert!(!model.exists(), "something was trained");
    let both = studio::token(folder, 2, Use::Swap);
    train(&model, &both).unwrap();
    let people = read_manifest(&model).unwrap().people;
    for (position, person) in people.iter().enumerate() {
        let record = both.of_claim(position).unwrap();
        assert_eq!(person.consent, record.id.as_str());
        assert_eq!(person.name, record.subject);
    }
}

#[test]
fn consent_to_teach_a_detector_allows_no_face_model() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, model) = (folder.path(), folder.path().join("model"));
    studio::record_consents(folder, Use::TrainDetector);
    let error = train(&model, &studio::token(folder, 2, Use::TrainDetector)).unwrap_err();
    assert!(matches!(error, Error::OtherUse { .. }), "{error}");
    assert!(!model.exists(), "something was trained");
}

#[test]
fn base_of_a_crowd_names_no_consent() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("base");
    let mut people = BaseSet::new(32);
    let (picture, points) = effigy_train::testing::cartoon(1, 1);
    let view = effigy_frame::Similarity {
        a: CARTOON_SIDE as f32 / 32.0,
        ..effigy_frame::Similarity::IDENTITY
    };
    for person in 0..FEWEST_PEOPLE {
        people.add(&person.to_string(), &picture, view, &points);
    }
    let mut go_on = |_: &_| ControlFlow::Continue(());
    let device = Device::flex();
    effigy_train::train_base(
        &base,
        &studio::settings(1),
        &mut people,
        &device,
        &mut go_on,
    )
    .unwrap();
    let people = read_manifest(&base).unwrap().people;
    assert_eq!(people.len(), 1);
    assert_eq!(people[0].consent, "");
}
