//! Matrix, range, depth, transparency and high dynamic range, against sums done by hand.

use effigy_frame::Picture;
use effigy_media::{Limits, Transfer, probe};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::{color, frame};

use crate::clips::{Folder, Raw, read_all, write_raw};

/// One colour, as stored.
fn fill8(values: [u8; 3]) -> impl Fn(&mut frame::Video) {
    move |picture| {
        for (plane, value) in values.iter().enumerate() {
            picture.data_mut(plane).fill(*value);
        }
    }
}

fn fill16(values: [u16; 3]) -> impl Fn(&mut frame::Video) {
    move |picture| {
        for (plane, value) in values.iter().enumerate() {
            let [low, high] = value.to_le_bytes();
            for pair in picture.data_mut(plane).chunks_exact_mut(2) {
                pair.copy_from_slice(&[low, high]);
            }
        }
    }
}

fn shown(raw: &Raw, fill: impl Fn(&mut frame::Video)) -> Picture {
    let folder = Folder::new();
    let path = folder.path("raw.mkv");
    write_raw(&path, raw, fill);
    let frames = read_all(&path).unwrap();
    assert_eq!(frames.len(), 3);
    frames[2].picture.clone()
}

/// Every pixel must be within `drift` of `wanted`.
#[track_caller]
fn check(picture: &Picture, wanted: [u8; 3], drift: u8) {
    for pixel in picture.pixels().chunks_exact(3) {
        let near = pixel
            .iter()
            .zip(wanted)
            .all(|(a, b)| a.abs_diff(b) <= drift);
        assert!(near, "{pixel:?} is not {wanted:?}");
    }
}

/// R'G'B' from limited-range Y'CbCr with the luma weights of red and blue.
fn by_hand([y, cb, cr]: [f64; 3], kr: f64, kb: f64, full: bool) -> [u8; 3] {
    let (y, cb, cr) = if full {
        (y / 255.0, (cb - 128.0) / 255.0, (cr - 128.0) / 255.0)
    } else {
        (
            (y - 16.0) / 219.0,
            (cb - 128.0) / 224.0,
            (cr - 128.0) / 224.0,
        )
    };
    let r = y + 2.0 * (1.0 - kr) * cr;
    let b = y + 2.0 * (1.0 - kb) * cb;
    let g = (y - kr * r - kb * b) / (1.0 - kr - kb);
    [r, g, b].map(|v| (v * 255.0).round().clamp(0.0, 255.0) as u8)
}

const STORED: [u8; 3] = [120, 100, 170];

#[test]
fn matrix_and_range_are_honoured() {
    use color::{Range, Space};
    for (matrix, range, kr, kb) in [
        (Space::BT709, Range::MPEG, 0.2126, 0.0722),
        (Space::BT709, Range::JPEG, 0.2126, 0.0722),
        (Space::SMPTE170M, Range::MPEG, 0.299, 0.114),
        (Space::SMPTE170M, Range::JPEG, 0.299, 0.114),
        (Space::BT2020NCL, Range::MPEG, 0.2627, 0.0593),
    ] {
        for size in [(64, 48), (30, 22), (33, 27)] {
            let raw = Raw {
                matrix,
                range,
                ..Raw::new(Pixel::YUV420P, size.0, size.1)
            };
            let wanted = by_hand(STORED.map(f64::from), kr, kb, range == Range::JPEG);
            // libav's fast conversion works with integers: 2 levels.
            check(&shown(&raw, fill8(STORED)), wanted, 2);
        }
    }
}

#[test]
fn matrices_differ_enough_for_the_test_above() {
    let sd = by_hand(STORED.map(f64::from), 0.299, 0.114, false);
    let hd = by_hand(STORED.map(f64::from), 0.2126, 0.0722, false);
    assert!(
        sd.iter().zip(hd).any(|(a, b)| a.abs_diff(b) > 6),
        "{sd:?} {hd:?}"
    );
}

#[test]
fn untagged_video_is_read_by_its_size() {
    let small = shown(&Raw::new(Pixel::YUV420P, 64, 48), fill8(STORED));
    check(
        &small,
        by_hand(STORED.map(f64::from), 0.299, 0.114, false),
        2,
    );
    let large = shown(&Raw::new(Pixel::YUV420P, 64, 720), fill8(STORED));
    check(
        &large,
        by_hand(STORED.map(f64::from), 0.2126, 0.0722, false),
        2,
    );
}

#[test]
fn ten_bits_give_the_same_colours() {
    let raw = Raw {
        matrix: color::Space::BT709,
        range: color::Range::MPEG,
        ..Raw::new(Pixel::YUV420P10LE, 64, 48)
    };
    let stored = STORED.map(|v| u16::from(v) * 4);
    let picture = shown(&raw, fill16(stored));
    check(
        &picture,
        by_hand(STORED.map(f64::from), 0.2126, 0.0722, false),
        2,
    );
}

#[test]
fn transparent_pixels_are_shown_over_black() {
    let raw = Raw::new(Pixel::BGRA, 64, 48);
    let half = |picture: &mut frame::Video| {
        for pixel in picture.data_mut(0).chunks_exact_mut(4) {
            pixel.copy_from_slice(&[40, 100, 200, 128]);
        }
    };
    check(&shown(&raw, half), [100, 50, 20], 1);
}

#[test]
fn high_dynamic_range_is_said_and_mapped() {
    let folder = Folder::new();
    for (transfer, said) in [
        (color::TransferCharacteristic::SMPTE2084, Transfer::Pq),
        (color::TransferCharacteristic::ARIB_STD_B67, Transfer::Hlg),
    ] {
        let raw = Raw {
            matrix: color::Space::BT2020NCL,
            range: color::Range::MPEG,
            primaries: color::Primaries::BT2020,
            transfer,
            ..Raw::new(Pixel::YUV420P10LE, 64, 48)
        };
        let path = folder.path("hdr.mkv");
        // 38 % of both curves is an 18 % grey card (ITU-R BT.2408): 64 + 0.38 * 876.
        write_raw(&path, &raw, fill16([397, 512, 512]));
        let video = probe(&path, &Limits::default()).unwrap().video.unwrap();
        assert_eq!(video.colour.transfer, said);
        assert!(video.colour.transfer.is_hdr());
        assert_eq!(video.bit_depth, 10);
        let grey = read_all(&path).unwrap()[0].picture.get(20, 20);
        assert!(
            grey.iter().all(|v| (88..=114).contains(v)),
            "{said:?}: {grey:?}"
        );
        let copied = effigy_media::WriteSettings::like(&video);
        assert!(
            !copied.colour.transfer.is_hdr(),
            "what is mapped must not say HDR"
        );
    }
}
