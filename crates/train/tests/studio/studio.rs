//! Two people who don't exist, their faces and their consents, for the tests of training.

use std::path::Path;

use effigy_mark::consent::{
    Audience, Basis, Claim, Draft, Match, Purpose, Seen, Store, Token, Use, require,
};
use effigy_mark::{Keys, Moment};
use effigy_train::FaceSet;
use effigy_train::testing::synthetic_set;

const PEOPLE: [&str; 2] = ["ada", "ben"];

fn now() -> Moment {
    Moment::from_unix_secs(1_790_000_000)
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
        store.add(&draft, None, now()).unwrap();
    }
}

/// Requires the consents in `folder` of the first `n` people, for `usage`.
pub(crate) fn token(folder: &Path, n: usize, usage: Use) -> Token {
    let keys = Keys::open(&folder.join("keys")).unwrap();
    let store = Store::open(&folder.join("consents"), &keys);
    let claim = |who: &str| Claim {
        who: who.to_owned(),
        seen: Seen::Faces(vec![[1.0; 128]]),
    };
    let claims: Vec<Claim> = PEOPLE[..n].iter().map(|who| claim(who)).collect();
    let same = Match {
        similarity: 0.5,
        share: 1.0,
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
