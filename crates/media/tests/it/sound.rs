//! Sound: read as mono samples, and carried over untouched.

use std::path::Path;

use effigy_frame::TimeRange;
use effigy_media::{AudioReader, Error, Limits, VideoReader, WriteSettings, probe, read_audio};
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
        tracks_from: Some(wav.clone()),
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
        tracks_from: Some(with_sound.clone()),
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

/// Writes the frames of `from` that lie in `range` to `to`, with its sound.
fn cut(from: &Path, to: &Path, range: TimeRange) {
    let mut reader = VideoReader::open(from, &Limits::default()).unwrap();
    let settings = WriteSettings {
        tracks_from: Some(from.to_owned()),
        range,
        ..WriteSettings::like(reader.info().video.as_ref().unwrap())
    };
    reader.seek(range.from_secs).unwrap();
    let mut writer = effigy_media::VideoWriter::create(to, &settings).unwrap();
    let end = range.to_secs.unwrap_or(f64::INFINITY);
    let frames = reader.map(Result::unwrap);
    for frame in frames.take_while(|frame| frame.time.secs() < end) {
        writer.write(&frame).unwrap();
    }
    writer.finish().unwrap();
}

const PARTS: [(&str, TimeRange); 3] = [
    (
        "near.mp4",
        TimeRange {
            from_secs: 0.6,
            to_secs: Some(2.0),
        },
    ),
    (
        "far.mp4",
        TimeRange {
            from_secs: 4.1,
            to_secs: Some(5.5),
        },
    ),
    (
        "rest.mkv",
        TimeRange {
            from_secs: 6.0,
            to_secs: None,
        },
    ),
];

#[test]
fn sound_of_a_part_is_in_time_with_its_pictures() {
    let folder = Folder::new();
    let source = actor("ada-1.mp4");
    let rate_hz = 22_050;
    let all = read_audio(&source, rate_hz, &Limits::default()).unwrap();
    for (name, range) in PARTS {
        let path = folder.path(name);
        cut(&source, &path, range);
        let frames: Vec<_> = VideoReader::open(&path, &Limits::default())
            .unwrap()
            .collect();
        let end = range.to_secs.unwrap_or(8.0);
        let n_frames = ((end - range.from_secs) * 25.0).round() as usize;
        assert_eq!(frames.len(), n_frames, "{name}");
        // A frame's time is rounded to what the container counts in.
        let first_secs = (range.from_secs * 25.0).ceil() / 25.0 - range.from_secs;
        let start_secs = frames[0].as_ref().unwrap().time.secs();
        let sound = read_audio(&path, rate_hz, &Limits::default()).unwrap();
        let secs = sound.len() as f64 / f64::from(rate_hz);
        assert!(
            (secs - (end - range.from_secs)).abs() < 0.1,
            "{name}: {secs} s"
        );
        // Both streams may start later by the same, where a container knows no negative times.
        let late = ((start_secs - first_secs) * f64::from(rate_hz)).round() as usize;
        let first = (range.from_secs * f64::from(rate_hz)).round() as usize;
        // The first two packets lean on one that was left out.
        let (ours, theirs) = (&sound[late + 2048..], &all[first + 2048..]);
        let gap = |shift: i32| gap_at(shift, ours, theirs);
        let best = (-50..50).min_by(|a, b| gap(*a).total_cmp(&gap(*b)));
        let best = best.unwrap();
        // The codec fills in noise by chance, which differs from where decoding began.
        assert!(gap(best) < 0.1, "{name}: {} at {best}", gap(best));
        assert!(0.5 < gap(best + 25), "{name}: the sound tells nothing");
        assert!(best.abs() <= 25, "{name}: off by {best} samples");
    }
}

/// How far sound is from another, by its own strength, when moved by `shift` samples.
fn gap_at(shift: i32, ours: &[f32], theirs: &[f32]) -> f64 {
    let ours = &ours[shift.max(0) as usize..];
    let theirs = &theirs[(-shift).max(0) as usize..];
    let energy = |of: &dyn Fn(f32, f32) -> f32| -> f64 {
        let pairs = ours.iter().zip(theirs).take(16_384);
        pairs.map(|(a, b)| f64::from(of(*a, *b)).powi(2)).sum()
    };
    (energy(&|a, b| a - b) / energy(&|_, b| b)).sqrt()
}

#[test]
fn frame_before_the_part_is_refused() {
    let folder = Folder::new();
    let settings = WriteSettings {
        range: TimeRange {
            from_secs: 1.0,
            to_secs: None,
        },
        ..quick(64, 48)
    };
    let mut writer = effigy_media::VideoWriter::create(&folder.path("a.mp4"), &settings).unwrap();
    let base = effigy_frame::Rational::new(1, 25);
    let frame =
        |n: u32| crate::clips::frame_at(n.into(), n.into(), base, crate::clips::scene(64, 48, n));
    assert!(matches!(
        writer.write(&frame(24)),
        Err(Error::BadFrame { .. })
    ));
    writer.write(&frame(25)).unwrap();
    drop(writer);
    let backwards = WriteSettings {
        range: TimeRange {
            from_secs: 2.0,
            to_secs: Some(1.0),
        },
        ..quick(64, 48)
    };
    let refused = effigy_media::VideoWriter::create(&folder.path("a.mp4"), &backwards);
    assert!(matches!(refused.err(), Some(Error::BadSettings { .. })));
}

/// A clip in the repository, with sound.
fn actor(name: &str) -> std::path::PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    root.join(name)
}

#[test]
fn sound_that_the_container_cannot_hold_is_refused_in_words() {
    let folder = Folder::new();
    let wav = folder.path("tone.wav");
    write_tone(&wav, 16_000, 1, 0.2);
    let settings = WriteSettings {
        tracks_from: Some(wav),
        ..quick(64, 48)
    };
    let result = effigy_media::VideoWriter::create(&folder.path("a.webm"), &settings);
    let err = result.err().unwrap();
    assert!(matches!(err, Error::BadSettings { .. }), "{err}");
    assert!(err.to_string().contains("webm cannot hold"));
    assert_eq!(folder.names(), ["tone.wav"]);
}

#[test]
fn a_source_without_sound_gives_a_video_without_sound() {
    let folder = Folder::new();
    let (mute, copy) = (folder.path("mute.mp4"), folder.path("copy.mp4"));
    write_clip(&mute, &quick(64, 48), 3);
    let settings = WriteSettings {
        tracks_from: Some(mute),
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
        tracks_from: Some(wav),
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
fn sound_comes_in_blocks_that_make_up_the_whole() {
    let folder = Folder::new();
    let wav = folder.path("tone.wav");
    write_tone(&wav, 44_100, 2, 9.0);
    let whole = read_audio(&wav, 16_000, &Limits::default()).unwrap();
    let little = Limits {
        max_memory_bytes: 16_000,
        ..Limits::default()
    };
    let reader = AudioReader::open(&wav, 16_000, &little).unwrap();
    let blocks: Vec<Vec<f32>> = reader.map(Result::unwrap).collect();
    assert!(blocks.len() > 3 && blocks.iter().all(|block| block.len() < 1 << 16));
    assert_eq!(blocks.concat(), whole);
}

#[test]
fn sound_at_a_higher_rate_does_not_pile_up() {
    let folder = Folder::new();
    let wav = folder.path("tone.wav");
    write_tone(&wav, 8000, 1, 40.0);
    let reader = AudioReader::open(&wav, 48_000, &Limits::default()).unwrap();
    let sizes: Vec<usize> = reader.map(|block| block.unwrap().len()).collect();
    assert!(sizes.iter().sum::<usize>().abs_diff(40 * 48_000) < 100);
    assert!(sizes.iter().all(|&size| size < 1 << 16), "{sizes:?}");
}

#[test]
fn blocks_end_with_the_damage() {
    let folder = Folder::new();
    let wav = folder.path("tone.wav");
    write_tone(&wav, 16_000, 1, 9.0);
    let bytes = std::fs::read(&wav).unwrap();
    std::fs::write(&wav, &bytes[..bytes.len() / 2]).unwrap();
    let mut reader = AudioReader::open(&wav, 16_000, &Limits::default()).unwrap();
    let last = reader.by_ref().last().unwrap();
    assert!(matches!(last, Err(Error::DamagedAudio { .. })));
    assert!(reader.next().is_none());
    // Nobody waits for one that is dropped.
    drop(AudioReader::open(&wav, 16_000, &Limits::default()).unwrap());
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
