//! Credentials of other makers that hold, that do not, and why: each told from the others.

use std::fs;
use std::path::Path;

use effigy_mark::{Credentials, Reason, State, Trust, mark_file, read_credentials, verify};

use crate::maker::{Camera, Kept, LeafKey, Maker, in_days};
use crate::marking::{now, studio};

fn read(path: &Path) -> Credentials {
    let trust = Trust {
        now: Some(now()),
        ..Trust::default()
    };
    read_credentials(path, &trust).unwrap().unwrap()
}

/// Checks state and reason of what `maker` signed, and that the words say it and accuse nobody.
#[track_caller]
fn check(maker: &Maker, state: State, reason: Option<Reason>, words: &str) {
    let camera = Camera::new();
    let path = camera.take(maker);
    let credentials = read(&path);
    let found = (credentials.state, credentials.reason);
    assert_eq!(found, (state, reason), "{:?}", credentials.problems);
    let report = verify(&path, &Trust::default()).unwrap();
    let said = report.in_words();
    assert!(said.contains(words), "{said}");
    assert!(!said.contains("was changed"), "{said}");
}

#[test]
fn signer_whom_nobody_knows_is_no_failure() {
    let words = "intact, signed by Camera 7, Cameras Ltd, who is not trusted here";
    check(&Maker::usual(), State::Untrusted, None, words);
    let camera = Camera::new();
    let path = camera.take(&Maker::usual());
    let report = verify(&path, &Trust::default()).unwrap();
    assert!(!report.is_not_judged() && !report.marked);
}

#[test]
fn certificate_without_an_organisation_signs_as_well_as_any() {
    let p256 = Maker {
        subject: "CN=Camera 7",
        ..Maker::usual()
    };
    let ed25519 = Maker {
        key: LeafKey::Ed25519(ed25519_dalek::SigningKey::from_bytes(&[5; 32])),
        algorithm: -8,
        ..p256.clone()
    };
    for maker in [p256, ed25519] {
        check(&maker, State::Untrusted, None, "intact, signed by Camera 7");
        let camera = Camera::new();
        let path = camera.take(&maker);
        let trust = Trust {
            roots_pem: vec![maker.root_pem()],
            now: Some(now()),
            ..Trust::default()
        };
        let credentials = read_credentials(&path, &trust).unwrap().unwrap();
        assert_eq!(credentials.state, State::Trusted);
        // What does not fit is still found: the signature, and the picture.
        let whole = fs::read(&path).unwrap();
        let after = |wanted: &[u8], n: usize| {
            let at = whole.windows(wanted.len()).position(|w| w == wanted);
            at.unwrap() + n
        };
        for at in [after(b"c2pa.claim.v2", 40), whole.len() - 40] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, bytes).unwrap();
            assert_eq!(read(&path).state, State::Broken, "byte {at}");
        }
    }
}

#[test]
fn certificate_that_ran_out_is_not_called_a_change() {
    let maker = Maker {
        days: (-60, -20),
        ..Maker::usual()
    };
    let day = in_days(-20).day();
    let words = format!("the certificate ran out on {day}");
    check(&maker, State::Unproven, Some(Reason::Expired), &words);
}

#[test]
fn certificate_is_judged_at_the_time_that_is_passed_in() {
    let camera = Camera::new();
    let path = camera.take(&Maker::usual());
    let at = |days| {
        let trust = Trust {
            now: Some(in_days(days)),
            ..Trust::default()
        };
        let read = read_credentials(&path, &trust).unwrap().unwrap();
        (read.state, read.reason)
    };
    assert_eq!(at(0), (State::Untrusted, None));
    assert_eq!(at(31), (State::Unproven, Some(Reason::Expired)));
    assert_eq!(at(-31), (State::Unproven, Some(Reason::NotYetValid)));
}

#[test]
fn certificate_that_is_not_valid_yet_is_told_apart() {
    let maker = Maker {
        days: (20, 60),
        ..Maker::usual()
    };
    let camera = Camera::new();
    let credentials = read(&camera.take(&maker));
    assert_eq!(credentials.reason, Some(Reason::NotYetValid));
    assert_eq!(credentials.state, State::Unproven);
}

#[test]
fn certificate_for_something_else_is_told_apart() {
    let maker = Maker {
        key_use: "1.3.6.1.5.5.7.3.1", // servers
        ..Maker::usual()
    };
    let words = "a certificate that may not sign credentials (certificate missing required EKU)";
    check(&maker, State::Unproven, Some(Reason::Certificate), words);
}

#[test]
fn unknown_algorithm_is_not_called_a_change() {
    let maker = Maker {
        algorithm: -47, // the curve of Bitcoin, which C2PA does not allow
        ..Maker::usual()
    };
    let words = "of a form that this version cannot check (algorithm.unsupported";
    check(&maker, State::Unproven, Some(Reason::Unsupported), words);
}

#[test]
fn changed_picture_is_called_changed() {
    let camera = Camera::new();
    let path = camera.take(&Maker::usual());
    let mut bytes = fs::read(&path).unwrap();
    let near_end = bytes.len() - 40;
    bytes[near_end] ^= 1;
    fs::write(&path, bytes).unwrap();
    let credentials = read(&path);
    let found = (credentials.state, credentials.reason);
    assert_eq!(found, (State::Broken, Some(Reason::Changed)));
    assert_eq!(
        credentials.problems,
        ["signingCredential.untrusted", "assertion.dataHash.mismatch"]
    );
    let words = verify(&path, &Trust::default()).unwrap().in_words();
    assert!(words.contains("changed after signing"), "{words}");
}

#[test]
fn damaged_manifest_is_not_called_a_change() {
    let camera = Camera::new();
    let path = camera.take(&Maker::usual());
    let mut bytes = fs::read(&path).unwrap();
    let claim = bytes.windows(13).position(|w| w == b"c2pa.claim.v2");
    let cbor = claim.unwrap() + 13 + 1 + 8;
    bytes[cbor..cbor + 8].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let credentials = read(&path);
    let found = (credentials.state, credentials.reason);
    assert_eq!(found, (State::Broken, Some(Reason::ManifestDamaged)));
    let report = verify(&path, &Trust::default()).unwrap();
    assert!(report.is_not_judged());
    let words = report.in_words();
    assert!(words.contains("credentials: there, but damaged"), "{words}");
    assert!(!words.contains("was changed"), "{words}");
}

#[test]
fn damaged_file_that_never_had_credentials_is_only_damaged() {
    let camera = Camera::new();
    for name in ["plain.jpg", "plain.png"] {
        let whole = fs::read(camera.path(name)).unwrap();
        for length in [40, 100, 300, whole.len() / 2] {
            let path = camera.path("cut").with_extension(&name[6..]);
            fs::write(&path, &whole[..length]).unwrap();
            match verify(&path, &Trust::default()) {
                Err(error) => assert_eq!(error.reason(), "file-damaged", "{error}"),
                Ok(report) => assert_eq!(report.credentials, None, "{name} to {length}"),
            }
        }
    }
}

#[test]
fn cut_file_says_that_it_had_credentials() {
    let camera = Camera::new();
    let path = camera.take(&Maker::usual());
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 300]).unwrap();
    let report = verify(&path, &Trust::default()).unwrap();
    assert_eq!(report.credentials.unwrap().state, State::Broken);
    // Within the manifest itself.
    let manifest = whole.windows(4).position(|w| w == b"jumb").unwrap();
    fs::write(&path, &whole[..manifest + 2000]).unwrap();
    let report = verify(&path, &Trust::default()).unwrap();
    let credentials = report.credentials.as_ref().unwrap();
    let found = (credentials.state, credentials.reason);
    assert_eq!(found, (State::Broken, Some(Reason::ManifestDamaged)));
    let words = report.in_words();
    assert!(words.contains("watermark: not judged"), "{words}");
}

#[test]
fn credentials_beside_the_file_are_read() {
    let camera = Camera::new();
    let maker = Maker {
        store: Kept::Beside,
        ..Maker::usual()
    };
    let path = camera.path("signed.jpg");
    let store = maker.sign(&camera.path("plain.jpg"), &path, None);
    let without = read_credentials(&path, &Trust::default()).unwrap();
    assert_eq!(without, None);
    for name in ["signed.c2pa", "signed.jpg.c2pa"] {
        let beside = camera.path(name);
        fs::write(&beside, &store).unwrap();
        let credentials = read(&path);
        assert_eq!(credentials.state, State::Untrusted, "{name}");
        assert_eq!(credentials.kept_in.unwrap(), beside.display().to_string());
        let alone = verify(&beside, &Trust::default()).unwrap_err();
        assert_eq!(alone.reason(), "credentials-alone");
        fs::remove_file(beside).unwrap();
    }
    // Those of another picture.
    fs::write(camera.path("plain.c2pa"), &store).unwrap();
    fs::copy(camera.path("plain.png"), camera.path("plain.jpg")).unwrap();
    let credentials = read(&camera.path("plain.jpg"));
    assert_eq!(credentials.reason, Some(Reason::Changed));
}

#[test]
fn credentials_kept_elsewhere_are_named_and_not_fetched() {
    let camera = Camera::new();
    let maker = Maker {
        store: Kept::At("https://credentials.example/7.c2pa"),
        ..Maker::usual()
    };
    let path = camera.take(&maker);
    let credentials = read(&path);
    let found = (credentials.state, credentials.reason);
    assert_eq!(found, (State::Elsewhere, Some(Reason::Elsewhere)));
    let report = verify(&path, &Trust::default()).unwrap();
    assert!(report.is_not_judged());
    let words = report.in_words();
    assert!(
        words.contains("not fetched, effigy reads files only: https://credentials.example/7.c2pa"),
        "{words}"
    );
}

/// Signs a picture, changes it, and signs what another maker made of it.
fn made_from_changed(camera: &Camera) -> std::path::PathBuf {
    let parent = camera.take(&Maker::usual());
    let mut bytes = fs::read(&parent).unwrap();
    let near_end = bytes.len() - 40;
    bytes[near_end] ^= 1;
    fs::write(&parent, bytes).unwrap();
    let path = camera.path("edited.jpg");
    Maker::usual().sign(&camera.path("plain.jpg"), &path, Some(&parent));
    path
}

#[test]
fn broken_credentials_of_an_ingredient_are_told() {
    let camera = Camera::new();
    let path = made_from_changed(&camera);
    let credentials = read(&path);
    let found = (credentials.state, credentials.reason);
    assert_eq!(found, (State::Untrusted, Some(Reason::Ingredient)));
    let broken = &credentials.broken_ingredients[0];
    let found = (broken.title.as_str(), broken.reason);
    assert_eq!(found, ("parent", Reason::Changed));
    assert_eq!(broken.problems, ["assertion.dataHash.mismatch"]);
    let words = verify(&path, &Trust::default()).unwrap().in_words();
    let told = "made from parent, whose own credentials do not fit: it was changed after signing";
    assert!(words.contains(told), "{words}");
    // Nor is it forgotten one step further on.
    let studio = studio();
    let marked = studio.path("marked.jpg");
    let policy = effigy_mark::Policy {
        parent: Some(path.clone()),
        ..studio.policy()
    };
    let mut go_on = || std::ops::ControlFlow::Continue(());
    mark_file(&path, &marked, &policy, &mut go_on).unwrap();
    let broken = read(&marked).broken_ingredients;
    assert_eq!((broken.len(), broken[0].reason), (1, Reason::Changed));
}

#[test]
fn sound_ingredient_without_an_organisation_is_not_called_broken() {
    let camera = Camera::new();
    let maker = Maker {
        subject: "CN=Camera 7",
        ..Maker::usual()
    };
    let parent = camera.take(&maker);
    let path = camera.path("edited.jpg");
    maker.sign(&camera.path("plain.jpg"), &path, Some(&parent));
    let credentials = read(&path);
    assert_eq!(credentials.broken_ingredients, []);
    assert_eq!(
        (credentials.state, credentials.reason),
        (State::Untrusted, None)
    );
}

#[test]
fn manifest_of_an_ingredient_that_is_changed_later_is_noticed() {
    let camera = Camera::new();
    let parent = camera.take(&Maker::usual());
    let path = camera.path("edited.jpg");
    Maker::usual().sign(&camera.path("plain.jpg"), &path, Some(&parent));
    let whole = fs::read(&path).unwrap();
    // The first manifest in the store is the ingredient's.
    let at = whole.windows(13).position(|w| w == b"c2pa.claim.v2");
    let mut bytes = whole.clone();
    bytes[at.unwrap() + 60] ^= 1;
    fs::write(&path, bytes).unwrap();
    let credentials = read(&path);
    assert_eq!(credentials.state, State::Broken, "{credentials:?}");
}
