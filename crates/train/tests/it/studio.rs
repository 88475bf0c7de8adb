//! Two people who don't exist, their faces, their consents and how they are learned, for the tests of
//! training.

use effigy_model::Weights;
use std::path::Path;

use effigy_mark::consent::{
    Audience, Basis, Claim, Draft, IDENTITY_LENGTH, Match, Portrait, Purpose, Seen, Store,
    Template, Token, Use, require,
};
use effigy_mark::{Keys, UtcTime};
use effigy_model::face_model::Shape;
use effigy_model::face_model::store::{Start, Training};
use effigy_train::testing::synthetic_set;
use effigy_train::{Budget, FaceSet, Settings};

const PEOPLE: [&str; 2] = ["ada", "ben"];

fn now() -> UtcTime {
    UtcTime::from_unix_secs(1_790_000_000)
}

/// Makes keys in `folder` and records the consents of both, for `usage`.
pub(crate) fn record_consents(folder: &Path, usage: Use) {
    let keys = Keys::create(&folder.join("keys"), "Test Studio", now()).unwrap();
    let store = Store::open(&folder.join("consents"), &keys);
    for person in PEOPLE {
        let draft = Draft {
            subject: person.to_owned(),
            basis: Basis::Synthetic,
            uses: vec![usage],
            audience: Audience::Private,
            from: now(),
            until: now().plus_days(1),
            evidence: None,
        };
        let portrait = Portrait {
            template: &Template::from_faces(&[face(person)]).unwrap(),
            alike_from: 0.5,
            same_from: 0.5,
        };
        store.add(&draft, &portrait.into(), now()).unwrap();
    }
}

/// What the identity network would say of a person's face.
fn face(person: &str) -> [f32; IDENTITY_LENGTH] {
    let mut face = [0.0; IDENTITY_LENGTH];
    face[PEOPLE.iter().position(|who| *who == person).unwrap()] = 1.0;
    face
}

/// Requires the consents in `folder` of the first `n` people, for `usage`.
pub(crate) fn token(folder: &Path, n: usize, usage: Use) -> Token {
    let keys = Keys::open(&folder.join("keys")).unwrap();
    let store = Store::open(&folder.join("consents"), &keys);
    let claim = |who: &str| Claim {
        who: who.to_owned(),
        seen: Seen::Faces(vec![face(who)]),
        usage,
    };
    let claims: Vec<Claim> = PEOPLE[..n].iter().map(|who| claim(who)).collect();
    let same = Match {
        similarity: 0.5,
        of_each: 0.5,
        share: 1.0,
        of_synthetic: 0.5,
        voice: 0.5,
    };
    let audience = Audience::Private;
    let purpose = Purpose {
        usage,
        audience,
        same,
    };
    require(&store, &claims, &purpose, now()).unwrap()
}

/// Drawn faces of both, each with the consent in `token` where there is one.
pub(crate) fn sets(token: &Token) -> Vec<FaceSet> {
    let set = |(position, person): (usize, &&str)| {
        let mut set = synthetic_set(person, 32, 32, position as u32 + 1);
        set.balance().unwrap();
        match token.of_claim(position) {
            Some(record) => set.with_consent(record),
            None => set,
        }
    };
    PEOPLE.iter().enumerate().map(set).collect()
}

/// A training so small that a test can wait for it, saved at every step.
pub(crate) fn settings(steps: u64) -> Settings {
    Settings {
        shape: Shape {
            side: 32,
            channels: 4,
            latent: 8,
        },
        budget: Budget::Steps(steps),
        training: Training {
            seed: 3,
            n_faces_each: 2,
            learning_rate: 1e-3,
            start: Start::Nothing,
        },
        save_every_secs: 0.0,
        checkpoint: None,
        weights: Weights::from_source_tree().unwrap(),
    }
}
