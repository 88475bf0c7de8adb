//! The gate opens for the right person, purpose and time, and for nothing else.

mod voices;

use std::fs;

use super::*;
use crate::error::Error;
use crate::keys::Keys;
use crate::utc_time::UtcTime;

struct Desk {
    folder: tempfile::TempDir,
    keys: Keys,
}

const SAME: Match = Match {
    similarity: 0.5,
    of_each: 0.5,
    share: 0.8,
    of_synthetic: 0.9,
    voice: 0.5,
};

fn now() -> UtcTime {
    UtcTime::from_unix_secs(1_790_000_000)
}

fn ada() -> [f32; IDENTITY_LENGTH] {
    face(|i| (0.7 * (i as f32 + 1.0)).sin())
}

fn ben() -> [f32; IDENTITY_LENGTH] {
    face(|i| (2.3 * (i as f32 + 1.0)).cos())
}

/// A face of length one in surroundings that are crowded as usual.
fn face(value: impl Fn(usize) -> f32) -> [f32; IDENTITY_LENGTH] {
    let mut face: [f32; IDENTITY_LENGTH] = std::array::from_fn(value);
    face[IDENTITY_LENGTH - 1] = 0.0;
    let length = face.iter().map(|v| v * v).sum::<f32>().sqrt();
    face.map(|v| v / length)
}

fn draft() -> Draft {
    Draft {
        subject: "Ada".to_owned(),
        basis: Basis::Consent,
        uses: vec![Use::Swap],
        audience: Audience::Private,
        from: now().plus_days(-1),
        until: now().plus_days(30),
        evidence: None,
    }
}

fn desk() -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::create(&folder.path().join("keys"), "Test Studio", now()).unwrap();
    Desk { folder, keys }
}

impl Desk {
    fn store(&self) -> Store<'_> {
        Store::open(&self.folder.path().join("consents"), &self.keys)
    }

    fn add(&self, draft: &Draft) -> Record {
        self.add_with(draft, &[ada()], now()).unwrap()
    }

    fn add_with(
        &self,
        draft: &Draft,
        faces: &[[f32; IDENTITY_LENGTH]],
        at: UtcTime,
    ) -> crate::Result<Record> {
        let portrait = Portrait {
            template: &Template::from_faces(faces).unwrap(),
            alike_from: SAME.similarity,
            same_from: SAME.similarity,
        };
        self.store().add(draft, &portrait.into(), at)
    }

    fn path(&self, record: &Record, extension: &str) -> std::path::PathBuf {
        self.folder
            .path()
            .join("consents")
            .join(format!("{}.{extension}", record.id))
    }

    fn ask(&self, faces: Vec<[f32; IDENTITY_LENGTH]>) -> crate::Result<Token> {
        self.ask_for(faces, Use::Swap, Audience::Private)
    }

    fn ask_for(
        &self,
        faces: Vec<[f32; IDENTITY_LENGTH]>,
        usage: Use,
        audience: Audience,
    ) -> crate::Result<Token> {
        let claims = [Claim {
            who: "ada".to_owned(),
            seen: Seen::Faces(faces),
            usage,
        }];
        require(
            &self.store(),
            &claims,
            &Purpose {
                usage,
                audience,
                same: SAME,
            },
            now(),
        )
    }
}

#[test]
fn consenting_person_gets_a_token() {
    let desk = desk();
    let record = desk.add(&draft());
    let token = desk.ask(vec![ada(); 3]).unwrap();
    assert_eq!(token.consents(), [record]);
}

#[test]
fn no_claim_means_no() {
    let desk = desk();
    assert!(matches!(
        desk.ask(vec![ada()]),
        Err(Error::NoConsent { .. })
    ));
    let purpose = Purpose {
        usage: Use::Swap,
        audience: Audience::Private,
        same: SAME,
    };
    assert!(require(&desk.store(), &[], &purpose, now()).is_err());
}

#[test]
fn expired_and_future_consents_are_refused() {
    let desk = desk();
    let over = Draft {
        until: now().plus_days(-1),
        from: now().plus_days(-9),
        ..draft()
    };
    desk.add(&over);
    assert!(matches!(desk.ask(vec![ada()]), Err(Error::Expired { .. })));
    let ahead = self::desk();
    ahead.add(&Draft {
        from: now().plus_days(2),
        ..draft()
    });
    assert!(matches!(ahead.ask(vec![ada()]), Err(Error::NotYet { .. })));
}

#[test]
fn renewed_consent_stands_in_for_the_expired_one() {
    let desk = desk();
    desk.add(&Draft {
        until: now().plus_days(-1),
        from: now().plus_days(-9),
        ..draft()
    });
    let renewed = desk.add(&draft());
    assert_eq!(desk.ask(vec![ada()]).unwrap().consents(), [renewed]);
}

#[test]
fn two_valid_consents_of_one_name_must_be_told_apart() {
    let desk = desk();
    desk.add(&draft());
    desk.add(&draft());
    assert!(matches!(
        desk.ask(vec![ada()]),
        Err(Error::SeveralConsents { .. })
    ));
}

#[test]
fn of_two_consents_the_one_that_covers_the_use_counts() {
    let desk = desk();
    let swap = desk.add(&draft());
    let puppet = desk.add(&Draft {
        uses: vec![Use::Puppet],
        ..draft()
    });
    assert_eq!(desk.ask(vec![ada()]).unwrap().consents(), [swap]);
    let moved = desk.ask_for(vec![ada()], Use::Puppet, Audience::Private);
    assert_eq!(moved.unwrap().consents(), [puppet]);
    let speech = desk.ask_for(vec![ada()], Use::Speech, Audience::Private);
    assert!(matches!(speech, Err(Error::OtherUse { .. })));
}

#[test]
fn revoked_consent_is_refused_and_its_template_erased() {
    let desk = desk();
    let record = desk.add(&draft());
    assert!(desk.path(&record, "template").exists());
    desk.store()
        .revoke(&record.id, "asked to stop", now())
        .unwrap();
    assert!(matches!(desk.ask(vec![ada()]), Err(Error::Revoked { .. })));
    assert!(!desk.path(&record, "template").exists());
}

#[test]
fn damaged_revocation_does_not_bring_a_consent_back() {
    let desk = desk();
    let record = desk.add(&draft());
    desk.store()
        .revoke(&record.id, "asked to stop", now())
        .unwrap();
    fs::write(desk.path(&record, "revoked"), "nothing").unwrap();
    assert!(matches!(desk.ask(vec![ada()]), Err(Error::Forged { .. })));
}

#[test]
fn changed_record_is_a_forgery() {
    let desk = desk();
    let record = desk.add(&draft());
    let path = desk.path(&record, "jws");
    let token = fs::read_to_string(&path).unwrap();
    for at in (0..token.len()).step_by(7) {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        fs::write(&path, &bytes).unwrap();
        let asked = desk.ask(vec![ada()]);
        let is_refused = matches!(
            asked,
            Err(Error::Forged { .. } | Error::UnknownSigner { .. })
        );
        assert!(is_refused, "byte {at}: {asked:?}");
    }
}

#[test]
fn record_of_a_stranger_counts_only_when_trusted() {
    let (desk, stranger) = (desk(), desk());
    let record = stranger.add(&draft());
    fs::create_dir_all(desk.folder.path().join("consents")).unwrap();
    fs::copy(stranger.path(&record, "jws"), desk.path(&record, "jws")).unwrap();
    assert!(matches!(
        desk.ask(vec![ada()]),
        Err(Error::UnknownSigner { .. })
    ));
    desk.keys
        .trust(&stranger.keys.consent_public_hex())
        .unwrap();
    assert_eq!(desk.store().list().unwrap(), [record]);
}

#[test]
fn another_face_is_refused() {
    let desk = desk();
    desk.add(&draft());
    assert!(matches!(
        desk.ask(vec![ben(); 3]),
        Err(Error::OtherFace { matching: 0, .. })
    ));
    assert!(matches!(
        desk.ask(vec![ada(), ben()]),
        Err(Error::OtherFace { matching: 1, .. })
    ));
    assert!(matches!(desk.ask(vec![]), Err(Error::NoFace { .. })));
    // One face in five may fail to match: blur and turned heads do that.
    assert!(desk.ask(vec![ada(), ada(), ada(), ada(), ben()]).is_ok());
}

#[test]
fn another_use_or_audience_is_refused() {
    let desk = desk();
    desk.add(&draft());
    let speech = desk.ask_for(vec![ada()], Use::Speech, Audience::Private);
    assert!(matches!(
        speech,
        Err(Error::OtherUse {
            wanted: Use::Speech,
            ..
        })
    ));
    let published = desk.ask_for(vec![ada()], Use::Swap, Audience::Publish);
    assert!(matches!(published, Err(Error::OtherAudience { .. })));
}

#[test]
fn clock_behind_the_record_is_refused() {
    let desk = desk();
    desk.add(&draft());
    let claims = [Claim {
        who: "Ada".to_owned(),
        seen: Seen::Model,
        usage: Use::Swap,
    }];
    let purpose = Purpose {
        usage: Use::Swap,
        audience: Audience::Private,
        same: SAME,
    };
    let early = require(&desk.store(), &claims, &purpose, now().plus_days(-1));
    assert!(matches!(early, Err(Error::ClockBack { .. })));
}

#[test]
fn movement_alone_lets_nobody_s_face_be_used() {
    let desk = desk();
    desk.add(&draft());
    let claims = [Claim {
        who: "ada".to_owned(),
        seen: Seen::Movement,
        usage: Use::Swap,
    }];
    let purpose = Purpose {
        usage: Use::Swap,
        audience: Audience::Private,
        same: SAME,
    };
    let token = require(&desk.store(), &claims, &purpose, now());
    assert!(matches!(token, Err(Error::NoFace { .. })));
}

fn synthetic(subject: &str) -> Draft {
    Draft {
        basis: Basis::Synthetic,
        subject: subject.to_owned(),
        ..draft()
    }
}

#[test]
fn drawn_people_must_be_more_alike_than_filmed_ones() {
    let alike = face(|i| ada()[i] + 0.5 * ben()[i]);
    for (draft, passes) in [(draft(), true), (synthetic("Ada"), false)] {
        let desk = desk();
        desk.add(&draft);
        assert_eq!(desk.ask(vec![alike; 3]).is_ok(), passes);
        desk.ask(vec![ada(); 3]).unwrap();
    }
}

#[test]
fn everybody_needs_pictures_those_who_do_not_exist_too() {
    let desk = desk();
    for draft in [draft(), synthetic("Ada")] {
        let bare = desk.store().add(&draft, &Likeness::default(), now());
        assert!(matches!(bare, Err(Error::NotAConsent { .. })));
    }
}

#[test]
fn synthetic_consent_covers_its_own_face_alone() {
    let desk = desk();
    desk.add(&synthetic("Ada"));
    assert!(desk.ask(vec![ada()]).is_ok());
    let other = desk.ask(vec![ben()]);
    assert!(matches!(other, Err(Error::OtherFace { .. })), "{other:?}");
}

#[test]
fn a_synthetic_person_looks_like_nobody_on_record() {
    for basis in [Basis::Consent, Basis::Synthetic] {
        let desk = desk();
        let known = desk.add(&Draft {
            basis,
            subject: "Somebody".to_owned(),
            ..draft()
        });
        let refused = desk.add_with(&synthetic("Zoe"), &[ada()], now());
        let Err(Error::NotSynthetic { known: who, id, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((who.as_str(), id), ("Somebody", known.id.to_string()));
        assert_eq!(desk.store().list().unwrap(), [known], "nothing is recorded");
        desk.add_with(&synthetic("Zoe"), &[ben()], now()).unwrap();
        // Her own record may be renewed.
        desk.add_with(&synthetic("zoe"), &[ben()], now()).unwrap();
    }
}

#[test]
fn faces_that_differ_from_the_whole_are_counted() {
    let desk = desk();
    desk.add(&draft());
    let mixed = [vec![ada(); 8], vec![ben(); 2]].concat();
    assert!(desk.ask(mixed).is_ok());
    let mixed = [vec![ada(); 7], vec![ben(); 3]].concat();
    let Err(Error::OtherFace {
        similarity,
        matching,
        needed,
        ..
    }) = desk.ask(mixed)
    else {
        panic!("too many faces are another's");
    };
    assert!(SAME.similarity < similarity);
    assert_eq!((matching, needed), (7, 8));
}

#[test]
fn a_face_on_record_cannot_pass_as_synthetic() {
    let desk = desk();
    // The real person's consent comes later than that for the synthetic one.
    desk.add(&synthetic("Ada"));
    assert!(desk.ask(vec![ada()]).is_ok());
    desk.add(&Draft {
        subject: "Ada herself".to_owned(),
        ..draft()
    });
    assert!(matches!(
        desk.ask(vec![ada()]),
        Err(Error::NotSynthetic { .. })
    ));
}

#[test]
fn senseless_consents_are_refused() {
    let desk = desk();
    for bad in [
        Draft {
            subject: "  ".to_owned(),
            ..draft()
        },
        Draft {
            subject: "a\nb".to_owned(),
            ..draft()
        },
        Draft {
            uses: vec![],
            ..draft()
        },
        Draft {
            until: now().plus_days(-40),
            ..draft()
        },
    ] {
        let added = desk.add_with(&bad, &[ada()], now());
        assert!(matches!(added, Err(Error::NotAConsent { .. })), "{bad:?}");
    }
}

#[test]
fn covering_consents_are_found_by_face() {
    let desk = desk();
    let record = desk.add(&draft());
    let store = desk.store();
    let covered = |face, usage| {
        let templates = store.templates(usage, now()).unwrap();
        templates.covering(&face, 0.5)
    };
    let found = covered(ada(), Some(Use::Swap));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].record, record);
    assert_eq!(covered(ben(), None), []);
    assert_eq!(covered(ada(), Some(Use::Age)), []);
}

#[test]
fn damaged_template_hides_no_other_consent() {
    let desk = desk();
    let other = Draft {
        subject: "Ben".to_owned(),
        ..draft()
    };
    let damaged = desk.add_with(&other, &[ben()], now()).unwrap();
    let record = desk.add(&draft());
    let store = desk.store();
    fs::write(store.path(&damaged.id, "template"), b"nothing").unwrap();
    let templates = store.templates(None, now()).unwrap();
    assert_eq!(templates.covering(&ada(), 0.5)[0].record, record);
    let unread = templates.unread[0].to_string();
    assert!(unread.contains(damaged.id.as_str()), "{unread}");
    assert!(
        templates.alike(&record, -1.0).is_empty(),
        "it cannot be compared"
    );
}

#[test]
fn damage_keeps_nobody_from_withdrawing() {
    let desk = desk();
    let record = desk.add(&draft());
    let store = desk.store();
    let path = |extension| store.path(&record.id, extension);
    fs::write(path("jws"), "nothing").unwrap();
    fs::write(path("revoked"), "").unwrap();
    let id = store.id_on_record(record.id.as_str()).unwrap();
    store.revoke(&id, "asked to stop", now()).unwrap();
    assert!(!path("template").exists());
    let standing = store.standing(&record, now()).unwrap();
    assert_eq!(standing, Standing::Revoked(now()));
    assert!(store.id_on_record("0123456789abcdef").is_none());
}

#[test]
fn damaged_record_hides_no_other_consent() {
    let desk = desk();
    let record = desk.add(&draft());
    let store = desk.store();
    let path = store.path(&record.id, "jws").with_file_name("0.jws");
    fs::write(&path, "nothing").unwrap();
    let listed = store.list_readable().unwrap();
    assert_eq!(listed.records, std::slice::from_ref(&record));
    assert!(listed.damaged[0].to_string().contains("0.jws"));
    assert_eq!(store.find(&record.subject, now()).unwrap(), record);
    // What must be compared with everyone, and whoever may be in the damaged one, do not pass.
    assert!(store.list().is_err());
    assert!(matches!(
        store.find("Ben", now()),
        Err(Error::Forged { .. })
    ));
}

#[test]
fn one_face_under_two_names_is_noticed() {
    let desk = desk();
    let known = desk.add(&draft());
    let other = Draft {
        subject: "Ben".to_owned(),
        ..draft()
    };
    let wrong = desk.add_with(&other, &[ada()], now()).unwrap();
    let templates = desk.store().templates(None, now()).unwrap();
    assert_eq!(templates.alike(&wrong, 0.9), [&known]);
    let right = desk.add_with(&other, &[ben()], now()).unwrap();
    let templates = desk.store().templates(None, now()).unwrap();
    assert!(templates.alike(&right, 0.9).is_empty());
}

#[test]
fn empty_evidence_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("form.pdf");
    fs::write(&path, "").unwrap();
    assert!(Evidence::of(&path).is_err());
    fs::write(&path, "signed").unwrap();
    assert!(Evidence::of(&path).is_ok());
}

#[test]
fn clock_behind_anything_recorded_is_refused() {
    let desk = desk();
    desk.add(&Draft {
        until: now().plus_days(1),
        ..draft()
    });
    let later = now().plus_days(3);
    let other = Draft {
        subject: "Ben".to_owned(),
        ..draft()
    };
    desk.add_with(&other, &[ben()], later).unwrap();
    // Ada's consent ended meanwhile; setting the clock back does not bring it back.
    assert!(matches!(
        desk.ask(vec![ada()]),
        Err(Error::ClockBack { .. })
    ));
}

#[test]
fn exported_consents_are_read_elsewhere_and_changes_noticed() {
    let desk = desk();
    let (kept, revoked) = (desk.add(&draft()), desk.add(&draft()));
    desk.store().revoke(&revoked.id, "asked", now()).unwrap();
    let path = desk.folder.path().join("export.json");
    desk.store()
        .export(&[kept.clone(), revoked.clone()], &path)
        .unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let read = read_export(&path).unwrap();
    assert_eq!(read[0].record, kept);
    assert_eq!((read[0].revoked, read[1].revoked), (None, Some(now())));
    assert_eq!(read[0].key_id, desk.keys.consent_key_id());
    let template = fs::read(desk.path(&kept, "template")).unwrap();
    assert!(!text.contains(&effigy_files::hex(&template)));
    for at in (0..text.len()).step_by(97) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
        fs::write(&path, &bytes).unwrap();
        let is_same = read_export(&path).is_ok_and(|changed| changed == read);
        // A space between two fields says nothing, and may change.
        assert!(
            !is_same || text.as_bytes()[at].is_ascii_whitespace(),
            "byte {at}"
        );
    }
}

#[test]
fn kept_evidence_is_the_file_that_was_hashed() {
    let desk = desk();
    let path = desk.folder.path().join("form.pdf");
    fs::write(&path, "I agree. Ada").unwrap();
    let record = desk.add(&Draft {
        evidence: Some(Evidence::of(&path).unwrap()),
        ..draft()
    });
    let kept = desk.store().keep_evidence(&record, &path).unwrap();
    assert_eq!(fs::read(kept).unwrap(), b"I agree. Ada");
    fs::write(&path, "I agree to anything. Ada").unwrap();
    assert!(desk.store().keep_evidence(&record, &path).is_err());
}
