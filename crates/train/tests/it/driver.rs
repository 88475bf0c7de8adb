//! A driver learns how a person moves, of those alone who agreed to it, and the same each time.

use std::ops::ControlFlow;
use std::path::Path;

use burn::prelude::Device;
use effigy_frame::Similarity;
use effigy_mark::consent::{Token, Use};
use effigy_model::FaceModel;
use effigy_model::face_model::driver::store::Learned;
use effigy_model::face_model::driver::{DriverInput, N_INPUTS};
use effigy_train::testing::{CARTOON_SIDE, cartoon};
use effigy_train::{ConsentedMoves, ConsentedSet, DriverSettings, Error, Moves, train_driver};

use crate::studio;

/// So few that a test can wait for them.
const SETTINGS: DriverSettings = DriverSettings {
    seed: 3,
    n_in_latents: 400,
    n_as_drawn: 100,
};

/// A model of both people, as it is after some steps.
fn model(folder: &Path, token: &Token) -> FaceModel {
    let sets = &studio::sets(token);
    let consented = ConsentedSet { token, sets };
    let mut go_on = |_: &_| ControlFlow::Continue(());
    let (folder, device) = (folder.join("model"), Device::flex());
    effigy_train::train(
        &folder,
        &studio::settings(60),
        &consented,
        &device,
        &mut go_on,
    )
    .unwrap();
    FaceModel::open(&folder, &device).unwrap()
}

/// Ada's faces; `tells` says what the rig sees of how she moves.
fn moves(model: &FaceModel, n: u32, tells: fn(f32) -> [f32; 3]) -> Moves {
    let side = model.side_px();
    let mut moves = Moves::new(side);
    let picture_from_crop = Similarity {
        a: CARTOON_SIDE as f32 / side as f32,
        ..Similarity::IDENTITY
    };
    let mut inputs = Vec::new();
    for number in 0..n {
        let (picture, points) = cartoon(1, number);
        assert!(moves.add(0, &picture, picture_from_crop, &points));
        let mut input: DriverInput = [0.0; N_INPUTS];
        input[..3].copy_from_slice(&tells(number as f32 * 0.7));
        inputs.push(input);
    }
    moves.set_inputs(&inputs);
    moves
}

fn learn(model: &FaceModel, token: &Token, moves: &Moves) -> effigy_train::Result<Option<Learned>> {
    let consented = ConsentedMoves { token, moves };
    train_driver(model, 0, &consented, SETTINGS, &mut |_| {
        ControlFlow::Continue(())
    })
}

#[test]
fn what_the_rig_tells_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    studio::record_consents(folder.path(), Use::Puppet);
    let token = studio::token(folder.path(), 2, Use::Puppet);
    let model = model(folder.path(), &token);
    let telling = moves(&model, 100, |t| [t.sin(), t.cos(), (1.3 * t).sin()]);
    let learned = learn(&model, &token, &telling).unwrap().unwrap();
    let silent = moves(&model, 100, |_| [0.0; 3]);
    let undriven = learn(&model, &token, &silent).unwrap().unwrap();
    let ([driven, own], [still, _]) = (learned.errors, undriven.errors);
    assert!(driven < 0.6 * still + 0.4 * own, "{driven} {own} {still}");
    // The same again, to the bit.
    let again = learn(&model, &token, &telling).unwrap().unwrap();
    let does = [0.4; N_INPUTS];
    assert_eq!(again.driver.latent(&does), learned.driver.latent(&does));
    assert_eq!(again.errors, learned.errors);
    let stopped = train_driver(
        &model,
        0,
        &ConsentedMoves {
            token: &token,
            moves: &telling,
        },
        SETTINGS,
        &mut |_| ControlFlow::Break(()),
    );
    assert!(stopped.unwrap().is_none());
}

#[test]
fn who_agreed_to_swaps_alone_is_not_learned_to_be_moved() {
    let folder = tempfile::tempdir().unwrap();
    studio::record_consents(folder.path(), Use::Swap);
    let token = studio::token(folder.path(), 2, Use::Swap);
    let model = model(folder.path(), &token);
    let error = learn(&model, &token, &moves(&model, 40, |_| [0.0; 3])).unwrap_err();
    assert!(
        matches!(error, Error::OtherUse { usage: Use::Swap }),
        "{error}"
    );
}

#[test]
fn too_few_faces_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    studio::record_consents(folder.path(), Use::Puppet);
    let token = studio::token(folder.path(), 2, Use::Puppet);
    let model = model(folder.path(), &token);
    let error = learn(&model, &token, &moves(&model, 9, |_| [0.0; 3])).unwrap_err();
    assert!(
        matches!(error, Error::TooFewFaces { found: 9, .. }),
        "{error}"
    );
}
