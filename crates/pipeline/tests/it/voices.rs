//! `match --voice` on the actors, and on sound that is hardly any.

use std::path::{Path, PathBuf};

use effigy_pipeline::sound::testing::vowels;
use effigy_pipeline::sound::{self, Networks};
use effigy_pipeline::voices::TooLittleSpeech;
use effigy_pipeline::{
    Error, MatchVerdict, Quiet, Result, VoiceMatchJob, VoiceMatchReport, Weights, match_voices,
};

use crate::proof;

fn compare(a: &Path, b: &Path) -> Result<VoiceMatchReport> {
    let weights = Weights::from_source_tree().unwrap();
    let networks = Networks::load(&weights).unwrap();
    let job = VoiceMatchJob::new(a.to_owned(), b.to_owned());
    match_voices(&job, &networks, &weights.voice_scale(), &mut Quiet)
}

pub(crate) fn actor(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    folder.join(name).with_extension("mp4")
}

fn verdict(report: &VoiceMatchReport) -> MatchVerdict {
    report
        .likeness
        .map_or(MatchVerdict::TooLittle, |l| l.verdict)
}

/// A WAV file of 32-bit floats, or of bytes.
pub(crate) fn write_wav(path: &Path, rate_hz: u32, n_channels: u16, samples: &Samples<'_>) {
    let (format, bits, data): (u16, u16, Vec<u8>) = match samples {
        Samples::Floats(samples) => {
            let bytes = samples.iter().flat_map(|sample| sample.to_le_bytes());
            (3, 32, bytes.collect())
        }
        Samples::Bytes(bytes) => (1, 8, bytes.to_vec()),
    };
    let frame_bytes = n_channels * bits / 8;
    let n_bytes = u32::try_from(data.len()).unwrap();
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + n_bytes).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    wav.extend(format.to_le_bytes());
    wav.extend(n_channels.to_le_bytes());
    wav.extend(rate_hz.to_le_bytes());
    wav.extend((rate_hz * u32::from(frame_bytes)).to_le_bytes());
    wav.extend(frame_bytes.to_le_bytes());
    wav.extend(bits.to_le_bytes());
    wav.extend(b"data");
    wav.extend(n_bytes.to_le_bytes());
    wav.extend(data);
    std::fs::write(path, wav).unwrap();
}

pub(crate) enum Samples<'a> {
    Floats(&'a [f32]),
    Bytes(&'a [u8]),
}

/// A folder with files that are written into it.
pub(crate) struct Desk(pub(crate) tempfile::TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn sound(&self, name: &str, samples: &[f32]) -> PathBuf {
        let path = self.0.path().join(name);
        write_wav(&path, sound::RATE_HZ, 1, &Samples::Floats(samples));
        path
    }
}

#[test]
fn actors_are_known_by_their_voices() {
    let same = compare(&actor("ada-1"), &actor("ada-2")).unwrap();
    assert_eq!(verdict(&same), MatchVerdict::Same);
    for (a, b) in [("ada-1", "ben-2"), ("ada-2", "ben-1")] {
        let different = compare(&actor(a), &actor(b)).unwrap();
        assert_eq!(verdict(&different), MatchVerdict::Different, "{a}, {b}");
    }
    let times = &same.compared[0];
    assert!((6.0..8.1).contains(&times.speech_secs()) && times.others.is_empty());
}

#[test]
fn the_same_file_twice_is_the_same_voice() {
    let report = compare(&actor("ben-1"), &actor("ben-1")).unwrap();
    assert_eq!(verdict(&report), MatchVerdict::Same);
    assert!(report.likeness.unwrap().similarity > 0.9999);
}

#[test]
fn what_says_too_little_is_not_judged() {
    let desk = Desk::new();
    let long = desk.sound("long.wav", &vowels(8.0));
    let silence = desk.sound("silence.wav", &[0.0; 48_000]);
    let empty = desk.sound("empty.wav", &[]);
    let short = desk.sound("short.wav", &vowels(1.0));
    for (path, is_short) in [(&silence, false), (&short, true)] {
        let report = compare(&long, path).unwrap();
        assert_eq!(verdict(&report), MatchVerdict::TooLittle, "{path:?}");
        let why = report.compared[1].too_little.unwrap();
        let said_short = matches!(why, TooLittleSpeech::Short { secs } if secs < 1.1);
        assert_eq!(said_short, is_short, "{why}");
        assert_eq!(report.compared[0].too_little, None);
    }
    match compare(&long, &empty) {
        Ok(report) => assert_eq!(verdict(&report), MatchVerdict::TooLittle),
        Err(error) => assert!(error.to_string().contains("empty.wav"), "{error}"),
    }
}

#[test]
fn low_rates_and_uneven_channels_do_not_matter() {
    let desk = Desk::new();
    let vowels = vowels(8.0);
    let usual = desk.sound("usual.wav", &vowels);
    let low = desk.0.path().join("low.wav");
    let halved: Vec<f32> = vowels
        .chunks(2)
        .map(|two| 0.5 * (two[0] + two[1]))
        .collect();
    write_wav(&low, 8000, 1, &Samples::Floats(&halved));
    let left = desk.0.path().join("left.wav");
    let stereo: Vec<f32> = vowels.iter().flat_map(|&sample| [sample, 0.0]).collect();
    write_wav(&left, sound::RATE_HZ, 2, &Samples::Floats(&stereo));
    for other in [&low, &left] {
        let report = compare(&usual, other).unwrap();
        assert_eq!(verdict(&report), MatchVerdict::Same, "{other:?}");
    }
}

#[test]
fn clipped_sound_is_said() {
    let desk = Desk::new();
    let vowels = vowels(6.0);
    let loud: Vec<f32> = vowels.iter().map(|s| (6.0 * s).clamp(-1.0, 1.0)).collect();
    let report = compare(&desk.sound("a.wav", &vowels), &desk.sound("b.wav", &loud)).unwrap();
    assert_eq!(
        report.compared.each_ref().map(|voice| voice.is_clipped),
        [false, true]
    );
}

#[test]
fn samples_that_are_no_numbers_are_refused() {
    let desk = Desk::new();
    let mut sound = vowels(3.0);
    sound[20_000] = f32::NAN;
    let path = desk.sound("broken.wav", &sound);
    let refused = compare(&path, &path).unwrap_err();
    assert!(matches!(refused, Error::Sound { .. }), "{refused}");
    assert!(refused.to_string().ends_with("broken.wav\""), "{refused}");
}

#[test]
fn what_holds_no_sound_is_refused() {
    let desk = Desk::new();
    let cut = desk.0.path().join("cut.mp4");
    let bytes = std::fs::read(actor("ada-1")).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/actors.jpg");
    let text = desk.0.path().join("notes.wav");
    std::fs::write(&text, "no sound").unwrap();
    for path in [&cut, &picture, &text] {
        let refused = compare(path, &actor("ada-1")).unwrap_err();
        assert!(
            matches!(refused, Error::Media(_) | Error::MediaAt { .. }),
            "{refused}"
        );
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(refused.to_string().contains(&name), "{refused}");
    }
    let refused = compare(&picture, &picture).unwrap_err().to_string();
    assert!(refused.starts_with("there is no sound in"), "{refused}");
}

#[test]
fn a_voice_is_found_in_a_long_recording() {
    let desk = Desk::new();
    let n_minutes = proof::amount(10, 180);
    // Eight bits, 8000 a second: silence, and a voice in the middle.
    let mut bytes = vec![128_u8; n_minutes * 60 * 8000];
    let middle = bytes.len() / 2;
    let spoken = vowels(8.0).chunks(2).map(|two| two[0]).collect::<Vec<_>>();
    for (byte, sample) in bytes[middle..].iter_mut().zip(spoken) {
        *byte = (128.0 + 120.0 * sample.clamp(-1.0, 1.0)) as u8;
    }
    let long = desk.0.path().join("long.wav");
    write_wav(&long, 8000, 1, &Samples::Bytes(&bytes));
    let report = compare(&long, &desk.sound("short.wav", &vowels(8.0))).unwrap();
    assert_eq!(verdict(&report), MatchVerdict::Same);
    let middle_secs = n_minutes as f64 * 30.0;
    let from = report.compared[0].stretches[0].from_secs;
    assert!((from - middle_secs).abs() < 1.0, "{from}");
}
