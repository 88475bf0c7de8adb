//! Sound: read as mono samples, and carried over untouched.

use std::path::Path;

use effigy_media::{Error, Limits, VideoReader, WriteSettings, probe, read_audio};
use ffmpeg_next::{Packet, format, media};

use crate::clips::{Folder, quick, tone, write_clip, write_tone};

#[test]
fn a_tone_is_read_at_any_rate() {
    let folder = Folder::new();
    let path = folder.path("tone.wav");
    for (from_hz, channels, to_hz) in [(48_000, 2, 16_000), (16_000, 1, 16_000), (8000, 2, 44_100)]
    {
        write_tone(&path, from_hz, channels, 0.5);
        let samples = read_audio(&path, to_hz, &Limits::default()).unwrap();
        let wanted = to_hz as usize / 2;
        assert!(
            samples.len().abs_diff(wanted) <= 2,
            "{} for {wanted}",
            samples.len()
        );
        // The filter rings at the ends; in the middle it must be the tone itself, at its time.
        let middle = samples.iter().enumerate().skip(wanted / 4).take(wanted / 2);
        for (n, sample) in middle {
            let gap = f64::from(*sample) - tone(n as f64 / f64::from(to_hz));
            assert!(
                gap.abs() < 0.02,
                "{from_hz}x{channels} to {to_hz}: {gap} at {n}"
            );
        }
    }
}

#[test]
fn sound_is_carried_over_to_the_byte() {
    let folder = Folder::new();
    let (wav, with_sound) = (folder.path("tone.wav"), folder.path("with.mkv"));
    write_tone(&wav, 16_000, 2, 1.0);
    let settings = WriteSettings {
        audio_from: Some(wav.clone()),
        ..quick(64, 48)
    };
    write_clip(&with_sound, &settings, 25);
    assert_eq!(bytes_of_sound(&with_sound), bytes_of_sound(&wav));
    let info = probe(&with_sound, &Limits::default()).unwrap();
    let audio = info.audio.unwrap();
    assert_eq!((audio.sample_rate_hz, audio.channels), (16_000, 2));

    // And once more from video to video, with the picture read and written again.
    let again = folder.path("again.mkv");
    let settings = WriteSettings {
        audio_from: Some(with_sound.clone()),
        ..quick(64, 48)
    };
    let reader = VideoReader::open(&with_sound, &Limits::default()).unwrap();
    let mut writer = effigy_media::VideoWriter::create(&again, &settings).unwrap();
    for frame in reader {
        writer.write(&frame.unwrap()).unwrap();
    }
    writer.finish().unwrap();
    assert_eq!(bytes_of_sound(&again), bytes_of_sound(&wav));
    let samples = read_audio(&again, 16_000, &Limits::default()).unwrap();
    assert!((f64::from(samples[4000]) - tone(0.25)).abs() < 0.001);
}

#[test]
fn sound_that_the_container_cannot_hold_is_refused_in_words() {
    let folder = Folder::new();
    let wav = folder.path("tone.wav");
    write_tone(&wav, 16_000, 1, 0.2);
    let settings = WriteSettings {
        audio_from: Some(wav),
        ..quick(64, 48)
    };
    let result = effigy_media::VideoWriter::create(&folder.path("a.webm"), &settings);
    let err = result.err().unwrap();
    assert!(matches!(err, Error::BadSettings { .. }), "{err}");
    assert!(err.to_string().contains(".mkv"));
    assert_eq!(folder.names(), ["tone.wav"]);
}

#[test]
fn a_source_without_sound_gives_a_video_without_sound() {
    let folder = Folder::new();
    let (mute, copy) = (folder.path("mute.mp4"), folder.path("copy.mp4"));
    write_clip(&mute, &quick(64, 48), 3);
    let settings = WriteSettings {
        audio_from: Some(mute),
        ..quick(64, 48)
    };
    write_clip(&copy, &settings, 3);
    assert!(probe(&copy, &Limits::default()).unwrap().audio.is_none());
}

#[test]
fn cut_sound_is_damage() {
    let folder = Folder::new();
    let wav = folder.path("tone.wav");
    write_tone(&wav, 16_000, 1, 1.0);
    let bytes = std::fs::read(&wav).unwrap();
    std::fs::write(&wav, &bytes[..bytes.len() / 2]).unwrap();
    let err = read_audio(&wav, 16_000, &Limits::default()).unwrap_err();
    assert!(matches!(err, Error::DamagedAudio { .. }), "{err}");
    let settings = WriteSettings {
        audio_from: Some(wav),
        ..quick(64, 48)
    };
    let mut writer = effigy_media::VideoWriter::create(&folder.path("a.mkv"), &settings).unwrap();
    let base = effigy_frame::Rational::new(1, 25);
    let picture = crate::clips::scene(64, 48, 0);
    writer
        .write(&crate::clips::frame_at(0, 0, base, picture))
        .unwrap();
    assert!(matches!(writer.finish(), Err(Error::DamagedAudio { .. })));
    assert_eq!(folder.names(), ["tone.wav"]);
}

#[test]
fn a_long_claim_needs_no_memory() {
    let folder = Folder::new();
    let wav = folder.path("tone.wav");
    write_tone(&wav, 16_000, 1, 2.0);
    let limits = Limits {
        max_memory_bytes: 16_000,
        ..Limits::default()
    };
    let err = read_audio(&wav, 16_000, &limits).unwrap_err();
    assert!(matches!(err, Error::TooMuch { .. }), "{err}");
}

/// All packets of the first sound, one behind the other.
fn bytes_of_sound(path: &Path) -> Vec<u8> {
    let mut input = format::input(path).unwrap();
    let stream = input.streams().best(media::Type::Audio).unwrap().index();
    let mut bytes = Vec::new();
    let mut packet = Packet::empty();
    while packet.read(&mut input).is_ok() {
        if packet.stream() == stream {
            bytes.extend_from_slice(packet.data().unwrap_or_default());
        }
        packet = Packet::empty();
    }
    bytes
}
