use std::io::Cursor;

use effigy_frame::Picture;

use super::*;
use crate::signal::blocks::{Cosines, brightness};

/// A JPEG's header with one table, and nothing behind it.
fn header(steps: &[u16; N_PIXELS]) -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xDB, 0, 67, 0];
    bytes.extend(ZIGZAG.map(|place| steps[place] as u8));
    bytes.extend([0xFF, 0xDA, 0, 2]);
    bytes
}

#[test]
fn tables_of_the_common_library_are_known_and_others_are_not() {
    let known = jpeg(&header(&table(83)));
    assert!(
        known.sentences[0].contains("quality 83"),
        "{:?}",
        known.sentences
    );
    assert_eq!(known.steps, Some(table(83)));
    let mut own = table(83);
    own[20] += 1;
    let unknown = jpeg(&header(&own));
    assert!(unknown.sentences[0].contains("none of the common library's"));
}

#[test]
fn a_header_that_lies_or_ends_early_is_noted_and_harmless() {
    let whole = header(&table(75));
    let table_end = whole.len() - 4;
    for n in 2..table_end {
        assert_eq!(steps(&whole[..n]), None, "{n} bytes");
    }
    for place in 2..whole.len() {
        for value in [0, 1, 0x7F, 0xFF] {
            let mut hostile = whole.clone();
            hostile[place] = value;
            let _sentence = jpeg(&hostile).in_words();
        }
    }
    let endless = [&[0xFF, 0xD8][..], &[0xFF; 4096]].concat();
    assert!(jpeg(&endless).sentences[0].contains("damaged"));
}

fn names(bytes: &[u8]) -> Vec<String> {
    let length = bytes.len() as u64;
    box_names(&mut Cursor::new(bytes), length).unwrap()
}

fn atom(size: u32, name: &[u8; 4]) -> Vec<u8> {
    let mut bytes = size.to_be_bytes().to_vec();
    bytes.extend(name);
    bytes.resize(size.clamp(8, 64) as usize, 0);
    bytes
}

#[test]
fn boxes_are_listed_in_order_and_lying_sizes_end_them() {
    let whole = [atom(16, b"ftyp"), atom(24, b"mdat"), atom(8, b"moov")].concat();
    assert_eq!(names(&whole), ["ftyp", "mdat", "moov"]);
    assert!(boxes(&names(&whole)).contains("behind its pictures"));
    for size in [0, 2, 7, u32::MAX] {
        let lying = [atom(16, b"ftyp"), atom(size, b"mdat"), atom(8, b"moov")].concat();
        assert_eq!(names(&lying), ["ftyp", "mdat"], "size {size}");
    }
    let many: Vec<u8> = (0..1000).flat_map(|_| atom(8, b"free")).collect();
    assert_eq!(names(&many).len(), MOST_BOXES);
    assert!(names(&whole[..7]).is_empty());
}

/// A grey picture of soft noise, compressed at each quality in turn.
fn saved(qualities: &[u16]) -> Picture {
    const SIDE: u32 = 512;
    let mut state = 11_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    let cosines = Cosines::new();
    let mut picture = Picture::filled(SIDE, SIDE, [128; 3]);
    let block = |at: u32| (at % (SIDE / 8) * 8, at / (SIDE / 8) * 8);
    for (x, y) in (0..SIDE * SIDE / 64).map(block) {
        // Weaker towards fine detail, as pictures are.
        let mut values: [f32; N_PIXELS] = std::array::from_fn(|i| {
            let fineness = (i / 8 + i % 8) as f32;
            (noise() + noise() + noise()) * 200.0 / (1.0 + fineness * fineness)
        });
        for quality in qualities {
            for (v, step) in values.iter_mut().zip(table(*quality)) {
                *v = (*v / f32::from(step)).round() * f32::from(step);
            }
            put(&mut picture, (x, y), &values);
            values = cosines.transform(&brightness(&picture, (x as usize, y as usize)));
        }
    }
    picture
}

/// Draws a block from its coefficients.
fn put(picture: &mut Picture, (x, y): (u32, u32), values: &[f32; N_PIXELS]) {
    let wave = |k: usize, n: usize| {
        let scale = if k == 0 { 0.125_f32.sqrt() } else { 0.5 };
        scale * ((2 * n + 1) as f32 * k as f32 * std::f32::consts::PI / 16.0).cos()
    };
    for i in 0..N_PIXELS {
        let (column, row) = (i % 8, i / 8);
        let terms = values.iter().enumerate();
        let value: f32 = terms
            .map(|(k, v)| v * wave(k / 8, row) * wave(k % 8, column))
            .sum();
        let value = (128.0 + value).round().clamp(0.0, 255.0) as u8;
        picture.set(x + column as u32, y + row as u32, [value; 3]);
    }
}

#[test]
fn a_jpeg_that_was_saved_before_is_told_from_one_that_was_not() {
    let told = |qualities: &[u16]| {
        let last = qualities.last().copied().unwrap();
        let mut container = jpeg(&header(&table(last)));
        container.look_for_earlier_save(&saved(qualities));
        container.sentences.len() == 2
    };
    assert!(told(&[60, 90]) && told(&[70, 92]));
    assert!(!told(&[90]) && !told(&[75]) && !told(&[95]));
}
