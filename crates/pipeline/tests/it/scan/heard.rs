//! What is heard of a file: sound alone, and the voice of a known person.

use std::fs;
use std::path::{Path, PathBuf};

use effigy_detect::note::{Note, Role};
use effigy_detect::report::page::page;
use effigy_detect::{Report, Verdict};
use effigy_media::{Limits, read_audio};
use effigy_pipeline::scan::{References, references};
use effigy_pipeline::sound::RATE_HZ;
use effigy_pipeline::sound::testing::vowels;
use effigy_pipeline::{Error, Networks, Quiet, Result, ScanJob, scan};

use super::made::{actor, networks, write_clip_with, write_picture};
use crate::voices::{self, Desk};

fn known(paths: &[&PathBuf], networks: &Networks) -> References {
    let paths: Vec<PathBuf> = paths.iter().map(|&path| path.clone()).collect();
    references(&paths, networks, &mut Quiet).unwrap()
}

fn scan_with(path: &Path, known: &References, networks: &Networks) -> Result<Report> {
    let job = ScanJob {
        person: known.person.clone(),
        voice: known.voice.clone(),
        ..ScanJob::new(path.to_owned())
    };
    scan(&job, networks, &mut Quiet)
}

fn voice(report: &Report) -> &Note {
    let mut cues = report.cues.iter();
    cues.find(|cue| cue.name == "voice").unwrap()
}

/// The sound of a drawn actor's clip.
fn samples(name: &str) -> Vec<f32> {
    read_audio(&voices::actor(name), RATE_HZ, &Limits::default()).unwrap()
}

#[test]
fn of_sound_alone_it_is_told_who_speaks_and_nothing_is_judged() {
    let (desk, networks) = (Desk::new(), networks());
    let (ada, ben) = (samples("ada-1"), samples("ben-1"));
    let both = desk.sound("both.wav", &[ben.as_slice(), &ada, &ada].concat());
    let reference = desk.sound("ada-2.wav", &samples("ada-2"));
    let report = scan_with(&both, &known(&[&reference], &networks), &networks).unwrap();
    assert_eq!(report.verdict, Verdict::NotJudged);
    assert_eq!((report.fake_probability, report.n_frames), (None, 0));
    assert!(report.not_judged[0].starts_with("Sound alone: "));
    assert_eq!(report.sha256.as_ref().unwrap().len(), 64);
    let voices = report.voices.as_ref().unwrap();
    assert_eq!(voices.len(), 2, "{voices:?}");
    // A window over the change of speakers may go to either.
    assert!(
        voices[1].stretches.iter().all(|[from, _]| *from < 9.0),
        "{voices:?}"
    );
    let likeness = report.voice_likeness.as_ref().unwrap();
    assert_eq!(
        (likeness.verdict, likeness.voices_not_compared),
        ("same", 1)
    );
    let said = voice(&report);
    assert_eq!((said.role, said.score), (Role::Noted, None));
    for part in [
        " sounds like the person",
        "similarity 0.",
        "of strangers reach it",
        "1 other voice was not compared.",
        "A cloned voice may sound just like",
    ] {
        assert!(said.sentence.contains(part), "{part}: {}", said.sentence);
    }
    let page = page(&report);
    assert!(
        page.contains("who speaks when") && page.contains("No picture, 24"),
        "{page}"
    );
}

#[test]
fn another_voice_is_told_from_hers() {
    let (desk, networks) = (Desk::new(), networks());
    let ben = desk.sound("ben.wav", &samples("ben-2"));
    let report = scan_with(
        &ben,
        &known(&[&voices::actor("ada-1")], &networks),
        &networks,
    );
    let report = report.unwrap();
    assert_eq!(report.voice_likeness.as_ref().unwrap().verdict, "different");
    assert!(voice(&report).sentence.contains("does not sound like"));
}

#[test]
fn a_clip_is_compared_with_sound_and_judged_as_before() {
    let (desk, networks) = (Desk::new(), networks());
    let wav = desk.sound("ada-1.wav", &samples("ada-1"));
    let clip = desk.0.path().join("ada.mkv");
    write_clip_with(&clip, &actor(120), Some(wav));
    let before = scan_with(&clip, &References::default(), &networks).unwrap();
    assert_eq!((before.voices, before.speech_secs), (None, None));
    let reference = desk.sound("ada-2.wav", &samples("ada-2"));
    let report = scan_with(&clip, &known(&[&reference], &networks), &networks).unwrap();
    assert_eq!(report.voice_likeness.as_ref().unwrap().verdict, "same");
    assert_eq!(
        (report.verdict, report.fake_probability),
        (before.verdict, before.fake_probability)
    );
    let mut cues = report.faces[0].cues.iter();
    let person = cues.find(|cue| cue.name == "person").unwrap();
    assert!(
        person.sentence.contains("no reference shows a face"),
        "{person:?}"
    );
}

#[test]
fn damaged_sound_of_a_clip_is_not_judged_and_its_picture_is() {
    let (desk, networks) = (Desk::new(), networks());
    let mut broken = samples("ada-1");
    broken[20_000] = f32::NAN;
    let wav = desk.sound("broken.wav", &broken);
    let clip = desk.0.path().join("ada.mkv");
    write_clip_with(&clip, &actor(40), Some(wav.clone()));
    let ada = desk.sound("ada-2.wav", &samples("ada-2"));
    let of_ada = known(&[&ada], &networks);
    let report = scan_with(&clip, &of_ada, &networks).unwrap();
    assert_ne!(report.verdict, Verdict::NotJudged);
    let said = voice(&report);
    assert_eq!(said.role, Role::NotJudged);
    assert!(
        said.sentence.contains("the sound cannot be read"),
        "{said:?}"
    );
    // As a reference its picture is taken, and as sound alone it is refused.
    let known = known(&[&clip, &ada], &networks);
    assert!(known.person.is_some());
    let voice = known.voice.unwrap();
    assert!(voice.voice.is_ok() && voice.left_out[0].contains("ada.mkv is left out"));
    for refused in [
        scan_with(&wav, &of_ada, &networks).unwrap_err(),
        references(std::slice::from_ref(&wav), &networks, &mut Quiet).unwrap_err(),
    ] {
        assert!(matches!(refused, Error::Sound { .. }), "{refused}");
    }
}

#[test]
fn what_says_too_little_is_told() {
    let (desk, networks) = (Desk::new(), networks());
    let ada = desk.sound("ada.wav", &samples("ada-2"));
    let of_ada = known(&[&ada], &networks);
    let mut state = 7_u32;
    let mut hiss = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as f32 / 327_680.0 - 0.1
    };
    let hiss: Vec<f32> = (0..48_000).map(|_| hiss()).collect();
    for (name, samples, why) in [
        ("silence.wav", vec![0.0; 48_000], "nobody speaks"),
        ("hiss.wav", hiss, "nobody speaks"),
        ("short.wav", vowels(1.0), "2 s are needed"),
    ] {
        let path = desk.sound(name, &samples);
        let report = scan_with(&path, &of_ada, &networks).unwrap();
        assert_eq!(report.verdict, Verdict::NotJudged);
        let likeness = report.voice_likeness.as_ref().unwrap();
        assert_eq!(likeness.verdict, "too little to tell", "{name}");
        let said = &voice(&report).sentence;
        assert!(said.contains(why), "{name}: {said}");
        // As the only reference it tells nothing, beside another it is left out.
        let alone = known(&[&path], &networks).voice.unwrap();
        assert!(
            alone
                .voice
                .unwrap_err()
                .contains("no reference has two seconds")
        );
        let beside = known(&[&ada, &path], &networks).voice.unwrap();
        assert!(beside.voice.is_ok());
        assert!(beside.left_out[0].starts_with(&format!("{name} is left out: ")));
    }
}

#[test]
fn references_of_two_people_are_no_voice() {
    let (desk, networks) = (Desk::new(), networks());
    let [ada, ben] = ["ada-1", "ben-1"].map(|name| desk.sound(name, &samples(name)));
    let known = known(&[&ada, &ben], &networks);
    let report = scan_with(&ada, &known, &networks).unwrap();
    let said = voice(&report);
    assert_eq!(
        (said.role, &report.voice_likeness),
        (Role::NotJudged, &None)
    );
    let why = "the references do not sound like one person (ada-1, ben-1)";
    assert!(said.sentence.contains(why), "{said:?}");
}

#[test]
fn a_picture_is_no_reference_for_a_voice() {
    let (desk, networks) = (Desk::new(), networks());
    let picture = desk.0.path().join("ada.png");
    write_picture(&picture, &actor(1)[0]);
    let known = known(&[&picture], &networks);
    let sound = desk.sound("ada.wav", &samples("ada-1"));
    for (path, why) in [
        (&sound, "no reference has sound"),
        (&picture, "there is no sound"),
    ] {
        let report = scan_with(path, &known, &networks).unwrap();
        let said = voice(&report);
        assert!(said.sentence.contains(why), "{said:?}");
    }
}

#[test]
fn what_holds_neither_picture_nor_sound_is_refused() {
    let (desk, networks) = (Desk::new(), networks());
    let text = desk.0.path().join("notes.wav");
    fs::write(&text, "no sound").unwrap();
    let cut = desk.sound("cut.wav", &samples("ada-1"));
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    for path in [text, cut] {
        let refused = scan_with(&path, &References::default(), &networks).unwrap_err();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(refused.to_string().contains(&name), "{refused}");
    }
}
