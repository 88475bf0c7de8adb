use effigy_frame::{Picture, Plane};

use super::*;
use crate::signal::blocks::{Cosines, N_PIXELS, brightness, table};
use effigy_face::patch::Part;

const SIDE: usize = 384;

/// Soft noise, as skin and walls have it.
fn texture(seed: u32) -> Picture {
    let mut state = seed;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    let mut plane = Plane::filled(SIDE, SIDE, 0.0);
    plane.values_mut().fill_with(|| 300.0 * noise());
    let at = |x: usize, y: usize| plane.get(x.min(SIDE - 1), y.min(SIDE - 1));
    let soft = |i: usize| {
        let (x, y) = (i % SIDE, i / SIDE);
        let near = (0..16).map(|k| at(x + k % 4, y + k / 4)).sum::<f32>() / 16.0;
        [(128.0 + near).round().clamp(0.0, 255.0) as u8; 3]
    };
    Picture::new(
        SIDE as u32,
        SIDE as u32,
        (0..SIDE * SIDE).flat_map(soft).collect(),
    )
}

/// What JPEG does to a grey picture whose grid begins at `origin`.
fn compressed(picture: &Picture, (left, top): (usize, usize), quality: u16) -> Picture {
    let cosines = Cosines::new();
    let basis: Vec<[f32; N_PIXELS]> = (0..N_PIXELS)
        .map(|i| {
            let mut pixels = [0.0; N_PIXELS];
            pixels[i] = 1.0;
            cosines.transform(&pixels)
        })
        .collect();
    let mut result = picture.clone();
    for y in (top..SIDE - 7).step_by(8) {
        for x in (left..SIDE - 7).step_by(8) {
            let mut block = cosines.transform(&brightness(picture, (x, y)));
            for (v, step) in block.iter_mut().zip(table(quality)) {
                *v = (*v / f32::from(step)).round() * f32::from(step);
            }
            for (i, waves) in basis.iter().enumerate() {
                let value: f32 = block.iter().zip(waves).map(|(a, b)| a * b).sum();
                let value = value.round().clamp(0.0, 255.0) as u8;
                result.set((x + i % 8) as u32, (y + i / 8) as u32, [value; 3]);
            }
        }
    }
    result
}

/// The face is the square in the middle.
fn is_face(x: usize, y: usize) -> bool {
    (112..272).contains(&x) && (112..272).contains(&y)
}

fn patch() -> Patch {
    let flat = vec![0.0; SIDE * SIDE];
    let part = |i: usize| match is_face(i % SIDE, i / SIDE) {
        true => Part::Inner,
        false => Part::Around,
    };
    Patch {
        width: SIDE,
        height: SIDE,
        origin: (0, 0),
        factor: 1,
        bands: [flat.clone(), flat.clone(), flat.clone()],
        colour: [flat.clone(), flat],
        parts: (0..SIDE * SIDE).map(part).collect(),
    }
}

/// `over` inside the face, `under` elsewhere.
fn pasted(over: &Picture, under: &Picture) -> Picture {
    let mut both = under.clone();
    for i in 0..SIDE * SIDE {
        let (x, y) = (i % SIDE, i / SIDE);
        if is_face(x, y) {
            both.set(x as u32, y as u32, over.get(x as u32, y as u32));
        }
    }
    both
}

#[test]
fn a_face_from_another_jpeg_is_found_where_it_is() {
    let over = compressed(&texture(1), (3, 5), 75);
    let under = compressed(&texture(2), (0, 0), 85);
    let splice = look(&pasted(&over, &under), &patch()).unwrap();
    assert!(
        splice.sentence.contains("begins at 3, 5 instead of 0, 0"),
        "{}",
        splice.sentence
    );
    let map = &splice.map;
    assert!(0.5 < map.get(map.width() / 2, map.height() / 2));
    assert!(map.get(1, 1) < 0.1);
}

#[test]
fn a_paste_that_was_saved_again_gently_is_still_found() {
    let over = compressed(&texture(1), (3, 5), 50);
    let under = compressed(&texture(2), (0, 0), 85);
    let saved = compressed(&pasted(&over, &under), (0, 0), 100);
    assert!(look(&saved, &patch()).is_some());
}

#[test]
fn untouched_pictures_show_nothing() {
    for seed in 3..8 {
        let raw = texture(seed);
        assert!(look(&raw, &patch()).is_none(), "never compressed");
        for quality in [50, 75, 90] {
            let once = compressed(&raw, (0, 0), quality);
            assert!(look(&once, &patch()).is_none(), "quality {quality}");
        }
    }
}

#[test]
fn a_face_that_stands_twice_is_found_with_its_offset() {
    let mut picture = texture(9);
    for y in 120..200 {
        for x in 120..200 {
            let pixel = picture.get(x, y);
            picture.set(x + 170, y - 101, pixel);
        }
    }
    let copied = compressed(&picture, (0, 0), 95);
    let splice = look(&copied, &patch()).unwrap();
    assert!(
        splice.sentence.contains("170 pixels across and -101 down"),
        "{}",
        splice.sentence
    );
}

/// What a camera makes of the scene: green is measured on every other pixel, as on a chessboard
/// that begins at `origin`, and filled in between.
fn filmed(scene: &Picture, origin: u32) -> Picture {
    let mut filmed = scene.clone();
    let side = SIDE as u32;
    for y in 1..side - 1 {
        for x in (1..side - 1).filter(|x| (x + y + origin) % 2 == 1) {
            let green = |x: u32, y: u32| u16::from(scene.get(x, y)[1]);
            let near = green(x - 1, y) + green(x + 1, y) + green(x, y - 1) + green(x, y + 1);
            filmed.set(x, y, [(near / 4) as u8; 3]);
        }
    }
    filmed
}

#[test]
fn a_face_with_another_mosaic_counts_and_one_without_is_told() {
    let (scene, other) = (texture(1), texture(2));
    let around = filmed(&scene, 0);
    assert!(look(&around, &patch()).is_none(), "one camera, one picture");
    let shifted = look(&pasted(&filmed(&other, 1), &around), &patch()).unwrap();
    assert!(shifted.counts, "{}", shifted.sentence);
    assert!(shifted.sentence.contains("on other pixels"));
    let drawn = look(&pasted(&other, &around), &patch()).unwrap();
    assert!(!drawn.counts, "{}", drawn.sentence);
    assert!(drawn.sentence.contains("lacks the mosaic"));
    let alike = look(&pasted(&filmed(&other, 0), &around), &patch());
    assert!(alike.is_none(), "half of all places keep the chequer");
}

#[test]
fn a_flat_face_says_nothing_of_its_mosaic() {
    let flat = Picture::filled(SIDE as u32, SIDE as u32, [150; 3]);
    let spliced = pasted(&flat, &filmed(&texture(1), 0));
    assert!(look(&spliced, &patch()).is_none());
}
