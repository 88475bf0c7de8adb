//! What is written is read again: sizes, counts, times, colours, rotation.

use effigy_frame::Rational;
use effigy_media::{
    Codec, Effort, Limits, Matrix, Orientation, PacketKind, Range, VideoReader, VideoWriter,
    WriteSettings, available_codecs, packets, probe,
};

use crate::clips::{Folder, difference, frame_at, patch, quick, read_all, scene, write_clip};

#[test]
fn every_codec_gives_back_what_was_written() {
    let folder = Folder::new();
    let available = available_codecs();
    assert!(!available.is_empty(), "libav has no encoder at all");
    for codec in available {
        let path = folder.path("clip.mp4");
        let settings = WriteSettings {
            codec,
            ..quick(96, 64)
        };
        write_clip(&path, &settings, 12);
        let frames = read_all(&path).unwrap();
        assert_eq!(frames.len(), 12, "{codec}");
        for (i, frame) in frames.iter().enumerate() {
            assert_eq!(frame.index, i as u64, "{codec}");
            assert!(
                (frame.time.secs() - i as f64 / 25.0).abs() < 1e-9,
                "{codec}"
            );
            let gap = difference(&frame.picture, &scene(96, 64, i as u32));
            // Chroma at half resolution blurs the block's edges; a wrong frame is over 5 off.
            assert!(gap < 3.0, "{codec} frame {i}: {gap}");
        }
    }
}

#[test]
fn a_wrong_frame_would_be_noticed() {
    assert!(difference(&scene(96, 64, 3), &scene(96, 64, 4)) > 5.0);
}

#[test]
fn every_container_holds_a_video() {
    let folder = Folder::new();
    for (name, codec) in [
        ("a.mp4", Codec::H264),
        ("a.MOV", Codec::H264),
        ("a.mkv", Codec::H264),
        ("a.webm", Codec::Vp9),
    ] {
        if !available_codecs().contains(&codec) {
            eprintln!("skipped: {name} needs an encoder for {codec}");
            continue;
        }
        let path = folder.path(name);
        let settings = WriteSettings {
            codec,
            ..quick(64, 48)
        };
        write_clip(&path, &settings, 5);
        assert_eq!(read_all(&path).unwrap().len(), 5, "{name}");
    }
}

#[test]
fn a_variable_rate_stays_variable() {
    let folder = Folder::new();
    let path = folder.path("vfr.mp4");
    let base = Rational::new(1, 15_360);
    let ticks = [0, 512, 1024, 5000, 5001, 20_000, 20_777, 31_000];
    let settings = WriteSettings {
        time_base: base,
        ..quick(64, 48)
    };
    let mut writer = VideoWriter::create(&path, &settings).unwrap();
    for (i, t) in ticks.iter().enumerate() {
        let picture = scene(64, 48, i as u32);
        writer
            .write(&frame_at(i as u64, *t, base, picture))
            .unwrap();
    }
    writer.finish().unwrap();
    let read: Vec<f64> = read_all(&path)
        .unwrap()
        .iter()
        .map(|f| f.time.secs())
        .collect();
    let written: Vec<f64> = ticks.iter().map(|t| *t as f64 / 15_360.0).collect();
    assert_eq!(read.len(), written.len());
    for (r, w) in read.iter().zip(&written) {
        assert!((r - w).abs() < 1e-9, "{read:?} is not {written:?}");
    }
}

#[test]
fn odd_rates_are_exact() {
    let folder = Folder::new();
    for (num, den) in [(30_000, 1001), (1350, 61), (24, 1)] {
        let path = folder.path("rate.mp4");
        let rate = Rational::new(num, den);
        let settings = WriteSettings {
            frame_rate: rate,
            ..WriteSettings::new(64, 48, rate)
        };
        write_clip(&path, &settings, 10);
        let video = probe(&path, &Limits::default()).unwrap().video.unwrap();
        let wanted = f64::from(num) / f64::from(den);
        assert!(
            (video.frame_rate.to_f64() - wanted).abs() < 1e-6,
            "{:?}",
            video.frame_rate
        );
        assert_eq!(video.frames, Some(10));
    }
}

/// H.264 cannot store odd sides of 4:2:0: a copy of the edge is added.
#[test]
fn odd_sizes_gain_a_copy_of_their_edge() {
    let folder = Folder::new();
    let path = folder.path("odd.mp4");
    write_clip(&path, &quick(101, 75), 4);
    let frames = read_all(&path).unwrap();
    assert_eq!(
        (frames[0].picture.width(), frames[0].picture.height()),
        (102, 76)
    );
    let wanted = scene(101, 75, 0);
    for y in [0, 30, 74] {
        let (got, edge) = (frames[0].picture.get(101, y), wanted.get(100, y));
        let gap = got
            .iter()
            .zip(edge)
            .map(|(a, b)| a.abs_diff(b))
            .max()
            .unwrap();
        assert!(gap < 12, "row {y}: {got:?} {edge:?}");
    }
}

/// Odd pictures from codecs that store them come out whole: libav's fast conversions write
/// blocks, and the last columns must not be lost.
#[test]
fn odd_sizes_are_read_to_the_last_column() {
    if !available_codecs().contains(&Codec::Vp9) {
        eprintln!("skipped: odd_sizes_are_read_to_the_last_column needs an encoder for VP9");
        return;
    }
    let folder = Folder::new();
    for (w, h) in [(67, 35), (33, 34), (18, 50)] {
        let path = folder.path("odd.webm");
        let settings = WriteSettings {
            codec: Codec::Vp9,
            ..quick(w, h)
        };
        write_clip(&path, &settings, 2);
        let frame = &read_all(&path).unwrap()[1];
        let gap = difference(&frame.picture, &scene(w, h, 1));
        assert!(gap < 4.0, "{w}x{h}: {gap}");
        let (got, wanted) = (
            frame.picture.get(w - 1, h - 1),
            scene(w, h, 1).get(w - 1, h - 1),
        );
        let worst = got
            .iter()
            .zip(wanted)
            .map(|(a, b)| a.abs_diff(b))
            .max()
            .unwrap();
        assert!(worst < 16, "{w}x{h}: {got:?} {wanted:?}");
    }
}

#[test]
fn a_phone_held_upright_gives_upright_frames() {
    let folder = Folder::new();
    let path = folder.path("phone.mp4");
    write_clip(&path, &quick(96, 64), 3);
    // The track header's matrix follows its layer, group, volume and two reserved bytes: turn the
    // identity into a quarter turn, as phones write it.
    let identity = matrix_bytes([1, 0, 0, 1]);
    let tkhd = std::fs::read(&path).unwrap();
    let kind = tkhd.windows(4).position(|w| w == b"tkhd").unwrap();
    let at = tkhd[kind..]
        .windows(36)
        .position(|w| w == identity)
        .unwrap();
    patch(&path, b"tkhd", at, &matrix_bytes([0, 1, -1, 0]));

    let info = probe(&path, &Limits::default()).unwrap().video.unwrap();
    assert_eq!((info.width, info.height), (64, 96));
    let turned = Orientation {
        quarter_turns: 1,
        mirrored: false,
    };
    assert_eq!(info.orientation, turned);
    let frames = read_all(&path).unwrap();
    assert_eq!(frames.len(), 3);
    let wanted = scene(96, 64, 2).turned(1);
    assert!(difference(&frames[2].picture, &wanted) < 3.0);
}

fn matrix_bytes([a, b, c, d]: [i32; 4]) -> Vec<u8> {
    let one = 1 << 16;
    let values = [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30];
    values.iter().flat_map(|v: &i32| v.to_be_bytes()).collect()
}

#[test]
fn seeking_lands_on_the_frame() {
    let folder = Folder::new();
    let path = folder.path("long.mp4");
    write_clip(&path, &quick(64, 48), 300);
    let mut reader = VideoReader::open(&path, &Limits::default()).unwrap();
    for (secs, index) in [(4.0, 100), (4.01, 101), (0.0, 0), (11.96, 299), (7.64, 191)] {
        reader.seek(secs).unwrap();
        let frame = reader.next().unwrap().unwrap();
        assert_eq!(frame.index, index, "{secs}");
        assert!((frame.time.secs() - index as f64 / 25.0).abs() < 1e-9);
        let wanted = scene(64, 48, index as u32);
        assert!(difference(&frame.picture, &wanted) < 3.0, "{secs}");
        // Reading on from there continues the count.
        if let Some(next) = reader.next() {
            assert_eq!(next.unwrap().index, index + 1);
        }
    }
    reader.seek(100.0).unwrap();
    assert!(reader.next().is_none(), "there is nothing behind the end");
}

#[test]
fn the_end_is_none_and_stays_none() {
    let folder = Folder::new();
    let path = folder.path("clip.mp4");
    write_clip(&path, &quick(64, 48), 2);
    let mut reader = VideoReader::open(&path, &Limits::default()).unwrap();
    assert!(reader.next().unwrap().is_ok());
    assert!(reader.next().unwrap().is_ok());
    assert!(reader.next().is_none());
    assert!(reader.next().is_none());
}

#[test]
fn tags_are_written_and_read() {
    let folder = Folder::new();
    let path = folder.path("tags.mp4");
    let mut settings = quick(64, 48);
    settings.pixel_aspect = Rational::new(12, 11);
    write_clip(&path, &settings, 3);
    let info = probe(&path, &Limits::default()).unwrap();
    let video = info.video.unwrap();
    assert_eq!(video.codec, "h264");
    assert_eq!(video.colour, settings.colour);
    assert_eq!(video.colour.matrix, Matrix::Bt709);
    assert_eq!(video.colour.range, Range::Limited);
    assert_eq!(video.pixel_aspect, Rational::new(12, 11));
    assert_eq!(video.bit_depth, 8);
    assert!(!video.alpha);
    assert!(info.audio.is_none());
    assert!((info.duration_secs.unwrap() - 0.12).abs() < 0.002);
    assert!(info.creation_tool.unwrap().starts_with("Lavf"));
}

#[test]
fn standard_definition_keeps_its_matrix_through_a_copy() {
    let folder = Folder::new();
    let first = folder.path("first.mp4");
    let mut settings = quick(64, 48);
    settings.colour.matrix = Matrix::Bt601;
    write_clip(&first, &settings, 3);
    let video = probe(&first, &Limits::default()).unwrap().video.unwrap();
    assert_eq!(WriteSettings::like(&video).colour.matrix, Matrix::Bt601);
    let frames = read_all(&first).unwrap();
    assert!(difference(&frames[1].picture, &scene(64, 48, 1)) < 3.0);
}

#[test]
fn packets_say_which_pictures_stand_by_themselves() {
    let folder = Folder::new();
    let clip = folder.path("keys.mp4");
    let settings = WriteSettings {
        key_every: Some(7),
        effort: Effort::Normal,
        ..quick(64, 48)
    };
    write_clip(&clip, &settings, 30);
    let all = packets(&clip, 1000, &Limits::default()).unwrap();
    let whole: Vec<usize> = (0..all.len())
        .filter(|i| all[*i].kind == PacketKind::Whole)
        .collect();
    assert_eq!((all.len(), whole), (30, vec![0, 7, 14, 21, 28]));
    assert!(all.iter().any(|p| p.kind == PacketKind::Forward));
    assert!(all.iter().any(|p| p.kind == PacketKind::Between));
    let bytes: usize = all.iter().map(|p| p.n_bytes).sum();
    let file = std::fs::metadata(&clip).unwrap().len() as usize;
    assert!(file / 2 < bytes && bytes < file, "{bytes} of {file}");
    assert_eq!(packets(&clip, 4, &Limits::default()).unwrap().len(), 4);
}
