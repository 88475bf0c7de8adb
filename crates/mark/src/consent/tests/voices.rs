//! Voices are used with consent as faces are.

use super::*;

fn voice(seed: f32) -> [f32; VOICE_LENGTH] {
    std::array::from_fn(|i| (seed * (i as f32 + 1.0)).sin())
}

fn speech() -> Draft {
    Draft {
        uses: vec![Use::Speech],
        ..draft()
    }
}

impl Desk {
    fn lend(&self, draft: &Draft, seed: f32) -> crate::Result<Record> {
        let likeness = Likeness {
            portrait: None,
            speech: Some(Speech {
                template: &VoiceTemplate::from_voices(&[voice(seed)]).unwrap(),
                alike_from: 0.6,
            }),
        };
        self.store().add(draft, &likeness, now())
    }

    /// Asks for Ada's face to speak with the voice `seed` of `who`.
    fn ask_to_speak(&self, who: &str, seed: f32, usage: Use) -> crate::Result<Token> {
        let claim = |who: &str, seen, usage| Claim {
            who: who.to_owned(),
            seen,
            usage,
        };
        let claims = [
            claim("Ada", Seen::Faces(vec![ada()]), usage),
            claim(who, Seen::Voice(Box::new(voice(seed))), usage),
        ];
        let purpose = Purpose {
            usage,
            audience: Audience::Private,
            same: SAME,
        };
        require(&self.store(), &claims, &purpose, now())
    }
}

#[test]
fn a_lent_voice_is_compared_with_what_is_heard() {
    let desk = desk();
    desk.add(&speech());
    let lent = desk.lend(
        &Draft {
            subject: "Ben".to_owned(),
            ..speech()
        },
        0.7,
    );
    let token = desk.ask_to_speak("Ben", 0.7, Use::Speech).unwrap();
    assert_eq!(token.of_claim(1), Some(&lent.unwrap()));
    let other = desk.ask_to_speak("Ben", 2.3, Use::Speech);
    assert!(matches!(other, Err(Error::OtherVoice { .. })), "{other:?}");
    let silent = desk.ask_to_speak("Ada", 0.7, Use::Speech);
    assert!(
        matches!(silent, Err(Error::NeedsVoice { .. })),
        "{silent:?}"
    );
}

#[test]
fn a_voice_lets_nobodys_face_be_used() {
    let desk = desk();
    desk.lend(&speech(), 0.7).unwrap();
    let claims = [Claim {
        who: "Ada".to_owned(),
        seen: Seen::Voice(Box::new(voice(0.7))),
        usage: Use::Speech,
    }];
    let purpose = Purpose {
        usage: Use::Speech,
        audience: Audience::Private,
        same: SAME,
    };
    let alone = require(&desk.store(), &claims, &purpose, now());
    assert!(matches!(alone, Err(Error::NotAConsent { .. })), "{alone:?}");
    let faceless = desk.ask_to_speak("Ada", 0.7, Use::Speech);
    assert!(
        matches!(faceless, Err(Error::NeedsTemplate { .. })),
        "{faceless:?}"
    );
}

#[test]
fn a_voice_counts_for_speech_alone() {
    let desk = desk();
    let both = Draft {
        uses: vec![Use::Swap, Use::Speech],
        ..draft()
    };
    desk.add(&both);
    let swap = desk.ask_to_speak("Ada", 0.7, Use::Swap);
    assert!(matches!(swap, Err(Error::NoFace { .. })), "{swap:?}");
    for uses in [vec![Use::Swap], vec![Use::Swap, Use::Speech]] {
        let refused = desk.lend(&Draft { uses, ..draft() }, 0.7);
        assert!(
            matches!(refused, Err(Error::NotAConsent { .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn a_voice_is_erased_with_its_consent() {
    let desk = desk();
    let record = desk.lend(&speech(), 0.7).unwrap();
    let heard = |from| desk.store().with_voice(&voice(0.7), from).unwrap();
    assert_eq!(heard(0.9).first().map(|(known, _)| known), Some(&record));
    assert!(heard(1.1).is_empty());
    assert!(desk.path(&record, "voice").exists());
    desk.store()
        .revoke(&record.id, "asked to stop", now())
        .unwrap();
    assert!(!desk.path(&record, "voice").exists());
    assert!(heard(0.9).is_empty());
}

#[test]
fn a_damaged_voice_is_an_error_and_not_a_stranger() {
    let desk = desk();
    let record = desk.lend(&speech(), 0.7).unwrap();
    let path = desk.path(&record, "voice");
    let mut sealed = fs::read(&path).unwrap();
    *sealed.last_mut().unwrap() ^= 1;
    fs::write(&path, sealed).unwrap();
    let heard = desk.store().with_voice(&voice(0.7), 0.9);
    assert!(matches!(heard, Err(Error::NoTemplate { .. })), "{heard:?}");
}

#[test]
fn a_synthetic_person_sounds_like_nobody_real_on_record() {
    let desk = desk();
    desk.lend(&speech(), 0.7).unwrap();
    let drawn = |subject: &str| Draft {
        uses: vec![Use::Speech],
        ..synthetic(subject)
    };
    let refused = desk.lend(&drawn("Zoe"), 0.7);
    assert!(
        matches!(refused, Err(Error::NotSynthetic { what: "voice", .. })),
        "{refused:?}"
    );
    desk.lend(&drawn("Zoe"), 2.3).unwrap();
}

#[test]
fn a_record_without_a_voice_reads_as_before() {
    let desk = desk();
    let record = desk.add(&draft());
    let text = serde_json::to_string(&record).unwrap();
    assert!(!text.contains("voice"), "{text}");
    assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
}
