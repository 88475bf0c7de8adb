//! A portrait that speaks: what it reaches on people who don't exist, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use effigy_files::Existing;
use effigy_frame::{Picture, Rational, TimeRange};
use effigy_mark::consent::{Audience, Use};
use effigy_mark::{Trust, verify};
use effigy_media::{Limits, VideoReader, n_sounds, probe, read_audio, write_picture};
use effigy_model::Weights;
use effigy_pipeline::sound::{self, testing::vowels};
use effigy_pipeline::speak::SpokenHead;
use effigy_pipeline::{Choice, Error, Networks, Quiet, SpeakJob, Spoken, TrackJob, speak, track};

use crate::faces::write_clip;
use crate::studio::{Notes, Studio, studio};
use crate::voices::{Samples, actor, write_wav};

/// Ada agreed to speak, and Ben to something else; her portrait is the first frame of a clip.
struct Stage {
    studio: Studio,
    portrait: PathBuf,
}

fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let studio = studio();
        studio.consent_to(&[Use::Speech], "Ada", &actor("ada-2"));
        studio.consent_to(&[Use::Puppet], "Ben", &actor("ben-2"));
        let portrait = studio.folder.path().join("ada.png");
        #[expect(clippy::disallowed_methods, reason = "a frame of a clip, as it is")]
        write_picture(&portrait, &first_frame("ada-1")).unwrap();
        Stage { studio, portrait }
    })
}

/// Ada's portrait, speaking what Ben says.
fn job(place: &Path) -> SpeakJob {
    SpeakJob {
        portrait: stage().portrait.clone(),
        subject: "Ada".to_owned(),
        sound: actor("ben-1"),
        voice: None,
        output: place.join("speaks.mp4"),
        existing: Existing::Kept,
        range: TimeRange::default(),
        rate: Rational::new(25, 1),
        offset_secs: 0.0,
        head: SpokenHead::Lives { seed: 1 },
        device: Choice::Cpu,
        weights: Weights::from_source_tree().unwrap(),
        safeguards: stage().studio.safeguards.clone(),
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

/// A second of silence, a second of vowels, and a second of silence.
fn vowel_between_silence(folder: &Path) -> PathBuf {
    let path = folder.join("vowel.wav");
    let mut sound = vec![0.0; 16_000];
    sound.extend(vowels(1.0));
    sound.resize(48_000, 0.0);
    write_wav(&path, 16_000, 1, &Samples::Floats(&sound));
    path
}

fn made_of(sound: &Path, place: &Path) -> (Spoken, Vec<String>) {
    let mut notes = Notes::default();
    let job = SpeakJob {
        sound: sound.to_owned(),
        ..job(place)
    };
    (speak(&job, &mut notes).unwrap(), notes.0)
}

#[test]
fn a_portrait_speaks_as_long_as_the_sound_and_is_marked() {
    let place = tempfile::tempdir().unwrap();
    let part = SpeakJob {
        range: TimeRange {
            from_secs: 0.5,
            to_secs: Some(2.5),
        },
        ..job(place.path())
    };
    let made = speak(&part, &mut Quiet).unwrap();
    assert_eq!(made.n_frames, 50);
    let quality = &made.quality;
    assert!(quality.moved.expression_error.unwrap() < 3.0, "{quality:?}");
    assert!(made.quality_path.exists());
    let report = verify(&made.marked.path, &Trust::default()).unwrap();
    assert!(report.marked && report.label.is_some());
    let credentials = report.credentials.unwrap();
    assert_eq!(credentials.ingredients, ["ada.png", "ben-1.mp4"]);
    let frames = VideoReader::open(&made.marked.path, &Limits::default()).unwrap();
    assert_eq!(frames.count(), 50);
    // The sound is that of the part, and in time with it.
    let limits = Limits::default();
    let theirs = read_audio(&part.sound, 16_000, &limits).unwrap();
    let ours = read_audio(&made.marked.path, 16_000, &limits).unwrap();
    let inside = 8000 + 4000..8000 + 24_000;
    let (theirs, ours) = (&theirs[inside], &ours[4000..24_000]);
    let sum = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let alike = sum(theirs, ours) / (sum(theirs, theirs) * sum(ours, ours)).sqrt();
    assert!(0.99 < alike, "{alike}");
}

#[test]
fn a_mouth_opens_when_there_is_sound_and_rests_when_there_is_none() {
    let place = tempfile::tempdir().unwrap();
    let sound = vowel_between_silence(place.path());
    let still = SpeakJob {
        sound,
        head: SpokenHead::Stays { seed: 1 },
        ..job(place.path())
    };
    let made = speak(&still, &mut Quiet).unwrap();
    assert_eq!(made.n_frames, 75);
    let info = probe(&made.marked.path, &Limits::default()).unwrap();
    assert!((info.duration_secs.unwrap() - 3.0).abs() < 0.05);
    let silence = made.quality.moves_in_silence.unwrap();
    assert!(silence < 1.0, "{silence}");
    let openings = openings(&made.marked.path);
    let most = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
    assert!(
        most(&openings[..20]) + 0.03 < most(&openings[28..48]),
        "{openings:?}"
    );
    assert!(
        most(&openings[60..]) < most(&openings[28..48]),
        "{openings:?}"
    );
}

/// How far the rig sees the jaw open in every frame.
fn openings(clip: &Path) -> Vec<f64> {
    let networks = Networks::load(&Weights::from_source_tree().unwrap(), Choice::Cpu).unwrap();
    let take = clip.with_extension("jsonl");
    let mut job = TrackJob::new(clip.to_owned());
    job.outputs = vec![take.clone()];
    track(&job, &networks, &mut Quiet).unwrap();
    let lines = fs::read_to_string(take).unwrap();
    let jaw = |line: &str| {
        let frame: serde_json::Value = serde_json::from_str(line).unwrap();
        frame["weights"]["jawOpen"].as_f64().unwrap()
    };
    lines.lines().map(jaw).collect()
}

#[test]
fn one_seed_is_one_clip() {
    let place = tempfile::tempdir().unwrap();
    let of = |name: &str, seed: u64| {
        let job = SpeakJob {
            output: place.path().join(name),
            head: SpokenHead::Lives { seed },
            range: TimeRange {
                from_secs: 0.0,
                to_secs: Some(2.0),
            },
            ..job(place.path())
        };
        speak(&job, &mut Quiet).unwrap().quality.moved
    };
    let (a, b, other) = (of("a.mp4", 1), of("b.mp4", 1), of("c.mp4", 2));
    assert_eq!(a, b);
    assert_ne!(a, other);
}

#[test]
fn who_did_not_agree_to_speak_does_not() {
    let place = tempfile::tempdir().unwrap();
    let other = SpeakJob {
        subject: "Ben".to_owned(),
        portrait: actor("ben-2"),
        ..job(place.path())
    };
    let refused = |job: &SpeakJob| {
        let error = speak(job, &mut Quiet).unwrap_err();
        assert!(
            matches!(&error, Error::Mark(effigy_mark::Error::OtherUse { wanted, .. }) if *wanted == Use::Speech),
            "{error}"
        );
    };
    refused(&other);
    refused(&SpeakJob {
        voice: Some("Ben".to_owned()),
        ..job(place.path())
    });
    let else_s = SpeakJob {
        portrait: actor("ben-2"),
        ..job(place.path())
    };
    let error = speak(&else_s, &mut Quiet).unwrap_err();
    assert!(matches!(error, Error::NotSeen { .. }), "{error}");
    assert!(is_empty(place.path()));
}

#[test]
fn what_is_published_names_whose_voice_it_is() {
    let place = tempfile::tempdir().unwrap();
    let mut published = job(place.path());
    published.safeguards.audience = Audience::Publish;
    let error = speak(&published, &mut Quiet).unwrap_err();
    assert!(matches!(error, Error::VoiceNotNamed { .. }), "{error}");
    assert!(error.to_string().contains("--voice"), "{error}");
    assert!(is_empty(place.path()));
    published.range.to_secs = Some(0.4);
    published.voice = Some("Nobody".to_owned());
    let nobody = speak(&published, &mut Quiet).unwrap_err();
    assert!(nobody.to_string().contains("Nobody"), "{nobody}");
    stage().studio.lend_voice("Dan", &actor("ben-2"));
    published.voice = Some("Dan".to_owned());
    let too_little = speak(&published, &mut Quiet).unwrap_err();
    assert!(
        matches!(too_little, Error::TooLittleSpeech { .. }),
        "{too_little}"
    );
    published.range.to_secs = Some(3.5);
    let mut spoken_by = |who: &str| {
        published.voice = Some(who.to_owned());
        speak(&published, &mut Quiet)
    };
    let unknown = spoken_by("Ada").unwrap_err();
    assert!(
        matches!(&unknown, Error::Mark(effigy_mark::Error::NeedsVoice { .. })),
        "{unknown}"
    );
    stage().studio.lend_voice("Cleo", &actor("ada-1"));
    let other = spoken_by("Cleo").unwrap_err();
    assert!(
        matches!(&other, Error::Mark(effigy_mark::Error::OtherVoice { .. })),
        "{other}"
    );
    spoken_by("Dan").unwrap();
}

/// A file in which one person speaks for 6 s, then another for 3, beside whom nobody is heard in the mix: what one
/// channel has of the second, the other has turned over.
fn two_voices(place: &Path, is_hidden: bool) -> PathBuf {
    let of = |name: &str| read_audio(&actor(name), sound::RATE_HZ, &Limits::default()).unwrap();
    let (ada, ben) = (of("ada-1"), of("ben-1"));
    let n = sound::RATE_HZ as usize;
    let path = place.join("two.wav");
    if is_hidden {
        let both = ben.iter().zip(&ada).flat_map(|(b, a)| [b + a, b - a]);
        let samples: Vec<f32> = both.collect();
        write_wav(&path, sound::RATE_HZ, 2, &Samples::Floats(&samples));
    } else {
        let samples: Vec<f32> = ben[..6 * n].iter().chain(&ada[n..4 * n]).copied().collect();
        write_wav(&path, sound::RATE_HZ, 1, &Samples::Floats(&samples));
    }
    path
}

#[test]
fn a_voice_counts_for_the_part_in_which_it_is_heard() {
    let place = tempfile::tempdir().unwrap();
    let studio = studio();
    studio.consent_to(&[Use::Speech], "Ada", &actor("ada-2"));
    studio.lend_voice("Dan", &actor("ben-2"));
    let end = SpeakJob {
        sound: two_voices(place.path(), false),
        voice: Some("Dan".to_owned()),
        range: TimeRange {
            from_secs: 6.0,
            to_secs: None,
        },
        safeguards: studio.safeguards.clone(),
        ..job(place.path())
    };
    let error = speak(&end, &mut Quiet).unwrap_err();
    let is_other = matches!(&error, Error::Mark(effigy_mark::Error::OtherVoice { .. }));
    assert!(is_other, "{error}");
    // Who is on record and did not agree is heard there only, and nobody is named.
    studio.lend_voice_in(1, "Cleo", &actor("ada-1"));
    let unnamed = SpeakJob { voice: None, ..end };
    let error = speak(&unnamed, &mut Quiet).unwrap_err();
    assert!(matches!(&error, Error::UnwillingVoice { .. }), "{error}");
}

#[test]
fn nothing_is_heard_in_the_result_that_was_not_listened_to() {
    let place = tempfile::tempdir().unwrap();
    let hidden = SpeakJob {
        sound: two_voices(place.path(), true),
        range: TimeRange {
            from_secs: 0.0,
            to_secs: Some(1.0),
        },
        ..job(place.path())
    };
    let made = speak(&hidden, &mut Quiet).unwrap();
    let info = probe(&made.marked.path, &Limits::default()).unwrap();
    assert_eq!(info.audio.unwrap().channels, 1);
    assert_eq!(n_sounds(&made.marked.path, &Limits::default()).unwrap(), 1);
}

#[test]
fn a_picture_does_not_speak() {
    let place = tempfile::tempdir().unwrap();
    let picture = SpeakJob {
        output: place.path().join("speaks.png"),
        ..job(place.path())
    };
    let error = speak(&picture, &mut Quiet).unwrap_err();
    assert!(
        matches!(&error, Error::PictureCannotSpeak { .. }),
        "{error}"
    );
    assert!(is_empty(place.path()));
}

#[test]
fn of_two_people_the_one_who_agreed_speaks() {
    let place = tempfile::tempdir().unwrap();
    let both = place.path().join("both.png");
    let [ada, ben] = ["ada-1", "ben-1"].map(first_frame);
    #[expect(clippy::disallowed_methods, reason = "frames of clips, as they are")]
    write_picture(&both, &beside(&ben, &ada)).unwrap();
    let two = SpeakJob {
        portrait: both,
        range: TimeRange {
            from_secs: 0.0,
            to_secs: Some(0.4),
        },
        ..job(place.path())
    };
    let made = speak(&two, &mut Quiet).unwrap();
    assert_eq!(made.n_frames, 10);
    assert!(made.quality.moved.identity_to_portrait > Some(0.5));
}

fn first_frame(name: &str) -> Picture {
    let mut frames = VideoReader::open(&actor(name), &Limits::default()).unwrap();
    frames.next().unwrap().unwrap().picture
}

/// Two pictures of one size side by side.
fn beside(left: &Picture, right: &Picture) -> Picture {
    let row = |picture: &Picture, y: u32| {
        let width = 3 * picture.width() as usize;
        picture.pixels()[y as usize * width..][..width].to_vec()
    };
    let rows = (0..left.height()).flat_map(|y| [row(left, y), row(right, y)].concat());
    Picture::new(2 * left.width(), left.height(), rows.collect())
}

#[test]
fn what_holds_no_speech_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("sound.wav");
    let out = tempfile::tempdir().unwrap();
    let chord = |i: usize| -> f32 {
        let waves = [0.1, 0.126, 0.15].map(|step: f32| (i as f32 * step).sin());
        0.2 * waves.iter().sum::<f32>()
    };
    for sound in [vec![0.0; 32_000], (0..48_000).map(chord).collect()] {
        write_wav(&path, 16_000, 1, &Samples::Floats(&sound));
        let silent = SpeakJob {
            sound: path.clone(),
            ..job(out.path())
        };
        let error = speak(&silent, &mut Quiet).unwrap_err();
        assert!(matches!(error, Error::NobodySpeaks { .. }), "{error}");
    }
    let film = place.path().join("film.mp4");
    write_clip(&film, &vec![first_frame("ada-1"); 3]);
    for soundless in [stage().portrait.clone(), film] {
        let soundless = SpeakJob {
            sound: soundless,
            ..job(out.path())
        };
        let error = speak(&soundless, &mut Quiet).unwrap_err();
        assert!(error.to_string().contains("no sound"), "{error}");
    }
    let late = SpeakJob {
        range: TimeRange {
            from_secs: 60.0,
            to_secs: None,
        },
        ..job(out.path())
    };
    let error = speak(&late, &mut Quiet).unwrap_err();
    assert!(matches!(error, Error::BeyondEnd { .. }), "{error}");
    assert!(is_empty(out.path()));
}

#[test]
fn short_sound_clipped_or_of_a_telephone_is_spoken_and_noted() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("short.wav");
    let vowel = vowels(0.9);
    let loud: Vec<f32> = vowel.iter().map(|s| (20.0 * s).clamp(-1.0, 1.0)).collect();
    // Every second sample, as a telephone has them.
    let narrow: Vec<f32> = vowel.iter().copied().step_by(2).collect();
    for (rate_hz, samples, word) in [(16_000, loud, "clipped"), (8000, narrow, "telephone")] {
        write_wav(&path, rate_hz, 1, &Samples::Floats(&samples));
        let out = tempfile::tempdir().unwrap();
        let (made, notes) = made_of(&path, out.path());
        assert_eq!(made.n_frames, 23);
        for word in [word, "shorter than a second"] {
            assert!(notes.iter().any(|note| note.contains(word)), "{notes:?}");
        }
    }
}
