//! Pictures that move: every frame is read, and none of them passes for a still.

use std::path::Path;

use effigy_frame::Picture;
use effigy_media::{Error, Limits, VideoReader, is_animation, probe, read_picture, write_picture};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::{Packet, codec, encoder, format, frame};
use image::{ExtendedColorType, ImageEncoder};

use crate::clips::{Folder, read_all, scene};

const N_FRAMES: u32 = 5;

/// Writes frames of the scene, shown for a tenth of a second each and the second for two.
fn webp(path: &Path) {
    let chunk = |kind: &[u8; 4], content: &[u8]| {
        let length = (content.len() as u32).to_le_bytes();
        let padding = &[0][..content.len() % 2];
        [&kind[..], &length, content, padding].concat()
    };
    let three = |n: u32| n.to_le_bytes()[..3].to_vec();
    let (width, height) = (40, 30);
    let mut body = b"WEBP".to_vec();
    let canvas = [vec![0b10, 0, 0, 0], three(width - 1), three(height - 1)].concat();
    body.extend(chunk(b"VP8X", &canvas));
    body.extend(chunk(b"ANIM", &[0; 6]));
    for n in 0..N_FRAMES {
        let mut still = Vec::new();
        let encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut still);
        let picture = scene(width, height, n);
        encoder
            .write_image(picture.pixels(), width, height, ExtendedColorType::Rgb8)
            .unwrap();
        let millis = if n == 1 { 200 } else { 100 };
        let place = [
            three(0),
            three(0),
            three(width - 1),
            three(height - 1),
            three(millis),
        ];
        let content = [place.concat(), vec![0b10], still[12..].to_vec()].concat();
        body.extend(chunk(b"ANMF", &content));
    }
    let length = (body.len() as u32).to_le_bytes();
    std::fs::write(path, [&b"RIFF"[..], &length, &body].concat()).unwrap();
}

/// Writes frames of the scene, ten a second.
fn apng(path: &Path) {
    ffmpeg_next::init().unwrap();
    let found = encoder::find_by_name("apng").unwrap();
    let mut output = format::output_as(path, "apng").unwrap();
    let mut encoder = codec::Context::new_with_codec(found)
        .encoder()
        .video()
        .unwrap();
    encoder.set_width(40);
    encoder.set_height(30);
    encoder.set_format(Pixel::RGB24);
    encoder.set_time_base((1, 10));
    encoder.set_frame_rate(Some((10, 1)));
    encoder.set_flags(codec::Flags::GLOBAL_HEADER);
    let mut encoder = encoder.open_as(found).unwrap();
    output.add_stream_with(&encoder).unwrap();
    output.write_header().unwrap();
    let base = output.stream(0).unwrap().time_base();
    for n in 0..=N_FRAMES {
        if n < N_FRAMES {
            let mut frame = frame::Video::new(Pixel::RGB24, 40, 30);
            let stride = frame.stride(0);
            for (y, row) in scene(40, 30, n).pixels().chunks_exact(120).enumerate() {
                frame.data_mut(0)[y * stride..y * stride + 120].copy_from_slice(row);
            }
            frame.set_pts(Some(n.into()));
            encoder.send_frame(&frame).unwrap();
        } else {
            encoder.send_eof().unwrap();
        }
        let mut packet = Packet::empty();
        while encoder.receive_packet(&mut packet).is_ok() {
            packet.rescale_ts((1, 10), base);
            packet.set_stream(0);
            packet.write_interleaved(&mut output).unwrap();
        }
    }
    output.write_trailer().unwrap();
}

fn scenes() -> Vec<Picture> {
    (0..N_FRAMES).map(|n| scene(40, 30, n)).collect()
}

#[test]
fn every_frame_of_an_animation_is_read() {
    let folder = Folder::new();
    for name in ["a.webp", "b.png"] {
        let path = folder.path(name);
        if name == "a.webp" {
            webp(&path);
        } else {
            apng(&path);
        }
        assert!(is_animation(&path), "{name}");
        let video = probe(&path, &Limits::default()).unwrap().video.unwrap();
        assert_eq!((video.width, video.height), (40, 30), "{name}");
        let frames = read_all(&path).unwrap();
        let pictures: Vec<Picture> = frames.iter().map(|f| f.picture.clone()).collect();
        assert_eq!(pictures, scenes(), "{name}");
        let refused = read_picture(&path, &Limits::default());
        assert!(matches!(refused, Err(Error::BadPicture { .. })), "{name}");
    }
    let times = read_all(&folder.path("a.webp")).unwrap();
    let millis: Vec<i64> = times.iter().map(|f| f.time.ticks).collect();
    assert_eq!(millis, [0, 100, 300, 400, 500]);
}

#[test]
fn an_animation_can_be_sought() {
    let folder = Folder::new();
    let path = folder.path("a.webp");
    webp(&path);
    let mut reader = VideoReader::open(&path, &Limits::default()).unwrap();
    reader.seek(0.25).unwrap();
    let frame = reader.next().unwrap().unwrap();
    assert_eq!((frame.index, frame.time.ticks), (2, 300));
    assert_eq!(frame.picture, scene(40, 30, 2));
    assert_eq!(reader.count(), 2);
}

#[test]
fn stills_are_no_animations() {
    let folder = Folder::new();
    for name in ["a.webp", "b.png", "c.jpg"] {
        let path = folder.path(name);
        write_picture(&path, &scene(40, 30, 0)).unwrap();
        assert!(!is_animation(&path), "{name}");
    }
    assert!(!is_animation(&folder.path("nothing")));
}

#[test]
fn a_cut_animation_is_damage_where_it_is_cut() {
    let folder = Folder::new();
    let path = folder.path("a.webp");
    webp(&path);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let read = VideoReader::open(&path, &Limits::default());
    let is_told = read.is_err() || read.is_ok_and(|mut frames| frames.any(|f| f.is_err()));
    assert!(is_told);
}
