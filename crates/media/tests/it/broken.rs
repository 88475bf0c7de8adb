//! Damaged and dishonest files: always an error that says what and where, never a quiet end.

use std::path::Path;

use effigy_frame::Frame;
use effigy_media::{Error, Limits, Primaries, Result, VideoReader, probe, read_audio};
use ffmpeg_next::format::Pixel;

use crate::clips::{Folder, Raw, difference, patch, quick, scene, write_clip, write_raw};

/// The good frames and how reading ended.
fn read(path: &Path) -> (Vec<Frame>, Option<Error>) {
    let mut frames = Vec::new();
    let reader = match VideoReader::open(path, &Limits::default()) {
        Ok(reader) => reader,
        Err(err) => return (frames, Some(err)),
    };
    for frame in reader {
        match frame {
            Ok(frame) => frames.push(frame),
            Err(err) => return (frames, Some(err)),
        }
    }
    (frames, None)
}

fn cut(path: &Path, part: f64) {
    let bytes = std::fs::read(path).unwrap();
    let keep = (bytes.len() as f64 * part) as usize;
    std::fs::write(path, &bytes[..keep]).unwrap();
}

#[test]
fn a_cut_mp4_gives_its_good_frames_and_then_says_where_it_stops() {
    let folder = Folder::new();
    for part in [0.5, 0.8, 0.97] {
        let path = folder.path("cut.mp4");
        write_clip(&path, &quick(96, 64), 100);
        cut(&path, part);
        let (frames, err) = read(&path);
        assert!(frames.len() < 100, "{part}");
        for (i, frame) in frames.iter().enumerate() {
            let gap = difference(&frame.picture, &scene(96, 64, i as u32));
            assert!(gap < 3.0, "frame {i} before the cut is not good: {gap}");
        }
        match err {
            Some(Error::Truncated { index, at, .. }) => {
                assert_eq!(index, frames.len() as u64);
                assert!((at.secs() - index as f64 / 25.0).abs() < 1e-6);
            }
            other => panic!("{part}: {other:?}"),
        }
    }
}

#[test]
fn the_last_byte_counts() {
    let folder = Folder::new();
    let path = folder.path("cut.mp4");
    write_clip(&path, &quick(96, 64), 20);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let (_, err) = read(&path);
    assert!(matches!(err, Some(Error::Truncated { .. })), "{err:?}");
}

#[test]
fn a_cut_matroska_is_noticed_too() {
    let folder = Folder::new();
    let path = folder.path("cut.mkv");
    write_clip(&path, &quick(96, 64), 100);
    cut(&path, 0.6);
    let (frames, err) = read(&path);
    assert!(!frames.is_empty() && frames.len() < 100);
    assert!(matches!(err, Some(Error::Truncated { .. })), "{err:?}");
}

#[test]
fn a_cut_mp4_without_its_index_says_that_it_is_cut() {
    let folder = Folder::new();
    let path = folder.path("cut.mp4");
    write_clip(&path, &quick(96, 64), 50);
    // Inside the index, which our files have at the front.
    cut(&path, 0.03);
    let err = probe(&path, &Limits::default()).unwrap_err();
    assert!(
        matches!(
            err,
            Error::CutShort {
                missing_bytes: 1..,
                ..
            }
        ),
        "{err}"
    );
}

#[test]
fn damage_in_the_middle_is_an_error_with_its_place() {
    let folder = Folder::new();
    let path = folder.path("damaged.mp4");
    let settings = effigy_media::WriteSettings {
        crf: Some(5),
        ..quick(160, 120)
    };
    write_clip(&path, &settings, 60);
    spoil(&path, 600);
    let (frames, err) = read(&path);
    assert!(!frames.is_empty() && frames.len() < 60, "{}", frames.len());
    match err {
        Some(Error::Damaged { index, .. }) => assert_eq!(index, frames.len() as u64),
        other => panic!("{other:?}"),
    }
}

/// Overwrites bytes in the middle of what a clip stores.
fn spoil(path: &Path, n_bytes: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    let mdat = bytes.windows(4).position(|w| w == b"mdat").unwrap();
    let middle = mdat + (bytes.len() - mdat) / 2;
    for byte in &mut bytes[middle..middle + n_bytes] {
        *byte = byte.wrapping_mul(31).wrapping_add(7);
    }
    std::fs::write(path, bytes).unwrap();
}

/// A few bytes of one packet, which the decoder makes up without an error. Decoders of many threads
/// forget to mark the frame when another thread is faster.
#[test]
fn what_a_decoder_makes_up_is_told_at_every_reading() {
    const N_BYTES: usize = 40;
    let actor = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors/ben-1.mp4");
    let (whole, _) = read_some(&actor, 120);
    let bytes = std::fs::read(&actor).unwrap();
    let folder = Folder::new();
    let path = folder.path("damaged.mp4");
    for (n, (at, size)) in packets(&actor).into_iter().enumerate() {
        // One that another frame leans on, though that one is shown before, and others.
        if ![18, 38, 41, 49, 77, 85].contains(&n) {
            continue;
        }
        let mut spoilt = bytes.clone();
        for byte in &mut spoilt[at + size / 2..at + size / 2 + N_BYTES] {
            *byte = byte.wrapping_mul(31).wrapping_add(7);
        }
        std::fs::write(&path, spoilt).unwrap();
        let mut ends = Vec::new();
        for _ in 0..3 {
            let (frames, err) = read_some(&path, 120);
            assert!(
                matches!(err, Some(Error::Damaged { .. })),
                "packet {n}: {} frames, {err:?}",
                frames.len()
            );
            for (frame, same) in frames.iter().zip(&whole) {
                assert!(frame.picture == same.picture, "packet {n}");
            }
            ends.push(frames.len());
        }
        assert!((n - 4..=n).contains(&ends[0]), "packet {n}: {ends:?}");
        assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
    }
}

/// The first `n` frames, and what ends them.
fn read_some(path: &Path, n: usize) -> (Vec<Frame>, Option<Error>) {
    let mut frames = Vec::new();
    for frame in VideoReader::open(path, &Limits::default()).unwrap().take(n) {
        match frame {
            Ok(frame) => frames.push(frame),
            Err(err) => return (frames, Some(err)),
        }
    }
    (frames, None)
}

/// Where the packets of the picture lie in a file, and how long they are.
fn packets(path: &Path) -> Vec<(usize, usize)> {
    let mut input = ffmpeg_next::format::input(path).unwrap();
    let mut found = Vec::new();
    loop {
        let mut packet = ffmpeg_next::Packet::empty();
        if packet.read(&mut input).is_err() {
            return found;
        }
        if packet.stream() == 0 {
            found.push((packet.position() as usize, packet.size()));
        }
    }
}

#[test]
fn damage_that_is_left_out_is_told_and_what_is_given_is_whole() {
    let folder = Folder::new();
    let path = folder.path("damaged.mp4");
    let settings = effigy_media::WriteSettings {
        crf: Some(5),
        key_every: Some(10),
        ..quick(160, 120)
    };
    write_clip(&path, &settings, 100);
    let (whole, _) = read(&path);
    spoil(&path, 600);
    let reader = VideoReader::open(&path, &Limits::default()).unwrap();
    let (mut good, mut places) = (Vec::new(), Vec::new());
    for frame in reader.skip_damaged() {
        match frame {
            Ok(frame) => good.push(frame),
            Err(Error::Damaged { index, .. }) => places.push((index, good.len())),
            Err(other) => panic!("{other}"),
        }
    }
    assert!((40..100).contains(&good.len()), "{}", good.len());
    assert!(!places.is_empty(), "frames are missing and nobody said so");
    for (index, n_before) in places {
        assert_eq!(
            good[n_before - 1].index + 1,
            index,
            "the place is where frames end"
        );
    }
    // What is given is what the whole clip shows, at the same place.
    for frame in &good {
        let same = &whole[frame.index as usize];
        assert_eq!(frame.time, same.time);
        assert!(frame.picture == same.picture, "frame {}", frame.index);
    }
}

#[test]
fn a_cut_clip_ends_where_it_is_cut_though_damage_is_left_out() {
    let folder = Folder::new();
    let path = folder.path("cut.mp4");
    write_clip(&path, &quick(96, 64), 100);
    cut(&path, 0.5);
    let (frames, _) = read(&path);
    let mut reader = VideoReader::open(&path, &Limits::default())
        .unwrap()
        .skip_damaged();
    let n = reader.by_ref().take_while(Result::is_ok).count();
    assert!((frames.len()..100).contains(&n), "{n}");
    assert!(reader.all(|frame| frame.is_err()), "frames behind the cut");
}

/// After damage a video gives nothing more: what follows would lean on the broken frame.
#[test]
fn after_damage_there_is_nothing() {
    let folder = Folder::new();
    let path = folder.path("cut.mp4");
    write_clip(&path, &quick(96, 64), 50);
    cut(&path, 0.5);
    let mut reader = VideoReader::open(&path, &Limits::default()).unwrap();
    assert!(reader.by_ref().any(|f| f.is_err()));
    assert!(reader.next().is_none());
}

#[test]
fn an_empty_file_says_so() {
    let folder = Folder::new();
    let path = folder.path("empty.mp4");
    std::fs::write(&path, b"").unwrap();
    let err = probe(&path, &Limits::default()).unwrap_err();
    assert!(matches!(err, Error::Empty { .. }));
    assert!(err.to_string().contains("0 bytes"));
    assert!(matches!(read(&path).1, Some(Error::Empty { .. })));
}

#[test]
fn text_named_mp4_is_no_video() {
    let folder = Folder::new();
    let path = folder.path("text.mp4");
    std::fs::write(
        &path,
        "Dear diary, today I learned about codecs.\n".repeat(50),
    )
    .unwrap();
    let err = probe(&path, &Limits::default()).unwrap_err();
    assert!(matches!(err, Error::NotMedia { .. }), "{err}");
}

/// Playlists could make libav open other files or the network.
#[test]
fn playlists_are_not_followed() {
    let folder = Folder::new();
    let clip = folder.path("clip.mp4");
    write_clip(&clip, &quick(64, 48), 3);
    let list = format!("ffconcat version 1.0\nfile '{}'\n", clip.display());
    std::fs::write(folder.path("list.mp4"), list).unwrap();
    let hls = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n",
        clip.display()
    );
    std::fs::write(folder.path("hls.mp4"), hls).unwrap();
    for name in ["list.mp4", "hls.mp4"] {
        let err = probe(&folder.path(name), &Limits::default()).unwrap_err();
        assert!(matches!(err, Error::NotMedia { .. }), "{name}: {err}");
    }
}

#[test]
fn a_missing_file_and_a_folder_are_told_apart() {
    let folder = Folder::new();
    let err = probe(&folder.path("none.mp4"), &Limits::default()).unwrap_err();
    assert!(matches!(err, Error::Open { .. }));
    assert!(err.to_string().contains("none.mp4"));
}

#[test]
fn a_header_claiming_60000x60000_is_refused() {
    let folder = Folder::new();
    let path = folder.path("huge.mp4");
    write_clip(&path, &quick(64, 48), 5);
    // In the sample entry, width and height are 16 bits each.
    let side = 60_000_u16.to_be_bytes();
    patch(&path, b"stsd", 44, &[side[0], side[1], side[0], side[1]]);
    for err in [probe(&path, &Limits::default()).err(), read(&path).1] {
        assert!(
            matches!(err, Some(Error::TooLarge { width: 60_000, .. })),
            "{err:?}"
        );
    }
}

/// libav passes on colour codes of Matroska as they are; no standard knows 254.
#[test]
fn a_senseless_colour_code_is_another_colour() {
    let folder = Folder::new();
    let path = folder.path("wild.mkv");
    let raw = Raw {
        primaries: ffmpeg_next::color::Primaries::BT709,
        ..Raw::new(Pixel::YUV420P, 64, 48)
    };
    write_raw(&path, &raw, |picture| picture.data_mut(0).fill(90));
    patch(&path, &[0x55, 0xbb, 0x81], 3, &[254]);
    let video = probe(&path, &Limits::default()).unwrap().video.unwrap();
    assert_eq!(video.colour.primaries, Primaries::Other);
    assert_eq!(read(&path).0.len(), 3);
}

#[test]
fn limits_can_be_lowered() {
    let folder = Folder::new();
    let path = folder.path("clip.mp4");
    write_clip(&path, &quick(64, 48), 50);
    let small = Limits {
        max_pixels: 64 * 40,
        ..Limits::default()
    };
    assert!(matches!(probe(&path, &small), Err(Error::TooLarge { .. })));
    let short = Limits {
        max_duration_secs: 1.0,
        ..Limits::default()
    };
    let result: Result<Vec<Frame>> = VideoReader::open(&path, &short).and_then(Iterator::collect);
    assert!(matches!(result, Err(Error::TooLong { .. })));
    let hasty = Limits {
        max_open_secs: 0.0,
        ..Limits::default()
    };
    let refused = probe(&path, &hasty).unwrap_err().to_string();
    assert!(refused.contains("the time to open"), "{refused}");
    // What was opened in time is read in any time.
    assert_eq!(read(&path).0.len(), 50);
}

#[test]
fn sound_alone_is_no_video_and_video_alone_no_sound() {
    let folder = Folder::new();
    let wav = folder.path("tone.wav");
    crate::clips::write_tone(&wav, 8000, 1, 0.2);
    assert!(matches!(read(&wav).1, Some(Error::NoVideo { .. })));
    assert!(probe(&wav, &Limits::default()).unwrap().video.is_none());
    let mute = folder.path("mute.mp4");
    write_clip(&mute, &quick(64, 48), 3);
    let err = read_audio(&mute, 16_000, &Limits::default()).unwrap_err();
    assert!(matches!(err, Error::NoAudio { .. }));
}
