//! The mark survives what pictures go through, and is not seen where it is not.

use effigy_frame::{Picture, resample};

use super::{Detector, Embedder, Found};
use crate::watermark::spread_spectrum::Random;

const IDENTIFIER: u64 = 0x0123_4567_89ab_cdef;

/// A picture with flat parts, edges, a gradient and texture, as photographs have.
fn scene(width: u32, height: u32, seed: u64) -> Picture {
    let mut random = Random(seed);
    let grain: Vec<f32> = (0..4096).map(|_| 6.0 * (random.unit() - 0.5)).collect();
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
            let sky = 190.0 - 60.0 * v;
            let face = (u - 0.5).hypot(1.4 * (v - 0.5)) < 0.22;
            let texture = 30.0 * (40.0 * u).sin() * (55.0 * v).cos();
            let level = if face {
                150.0 + 30.0 * (u - 0.5)
            } else if v > 0.75 {
                90.0 + texture
            } else {
                sky
            };
            let level = level + grain[(x * 31 + y * 97) as usize % 4096];
            let rgb = [level + 8.0, level, level - 10.0];
            pixels.extend(rgb.map(|value| value.clamp(0.0, 255.0) as u8));
        }
    }
    Picture::new(width, height, pixels)
}

fn marked(picture: &Picture) -> Picture {
    let mut marked = picture.clone();
    Embedder::new(IDENTIFIER).embed(&mut marked);
    marked
}

fn read(picture: &Picture) -> Option<Found> {
    let mut detector = Detector::new();
    detector.look(picture);
    detector.finish()
}

#[track_caller]
fn check(name: &str, changed: &Picture) {
    let found = read(changed).map(|found| found.identifier);
    assert_eq!(found, Some(IDENTIFIER), "{name}");
}

/// A part of a picture, in whole pixels.
struct Part {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

fn crop(picture: &Picture, part: &Part) -> Picture {
    let columns = move |row| (0..part.width).map(move |column| (column, row));
    let places = (0..part.height).flat_map(columns);
    let pixels = places
        .flat_map(|(column, row)| picture.get(part.x + column, part.y + row))
        .collect();
    Picture::new(part.width, part.height, pixels)
}

fn levels(picture: &Picture, change: impl Fn(f32) -> f32) -> Picture {
    let pixels = picture
        .pixels()
        .iter()
        .map(|&value| change(f32::from(value)) as u8)
        .collect();
    Picture::new(picture.width(), picture.height(), pixels)
}

#[test]
fn mark_is_read_back_at_any_size() {
    for (width, height) in [(240, 240), (640, 360), (360, 640), (1280, 720)] {
        check("unchanged", &marked(&scene(width, height, 1)));
    }
}

#[test]
fn mark_survives_scaling() {
    let marked = marked(&scene(640, 480, 2));
    for percent in [50, 75, 150] {
        let scaled = resample::resize(&marked, 640 * percent / 100, 480 * percent / 100);
        check("scaled", &scaled);
    }
}

#[test]
fn mark_survives_cropping_off_centre() {
    let marked = marked(&scene(640, 480, 3));
    let corner = Part {
        x: 60,
        y: 11,
        width: 572,
        height: 429,
    };
    check("corner", &crop(&marked, &corner));
    let other_aspect = Part {
        x: 17,
        y: 40,
        width: 600,
        height: 410,
    };
    check("other aspect", &crop(&marked, &other_aspect));
}

#[test]
fn mark_survives_brightness_contrast_and_gamma() {
    let marked = marked(&scene(640, 480, 4));
    check("brighter", &levels(&marked, |v| (v * 1.2).min(255.0)));
    check("darker", &levels(&marked, |v| v * 0.8));
    check("flatter", &levels(&marked, |v| (v - 128.0) * 0.8 + 128.0));
    check("gamma", &levels(&marked, |v| 255.0 * (v / 255.0).powf(1.2)));
}

/// Mean square of the change, in levels.
fn power_of_change(plain: &Picture, marked: &Picture) -> f64 {
    let change = plain.pixels().iter().zip(marked.pixels());
    let square = |(&a, &b): (&u8, &u8)| (f64::from(a) - f64::from(b)).powi(2);
    change.map(square).sum::<f64>() / plain.pixels().len() as f64
}

#[test]
fn change_is_as_small_as_promised() {
    for (width, height) in [(240, 240), (640, 480)] {
        let plain = scene(width, height, 5);
        let marked = marked(&plain);
        let decibels = 10.0 * (255.0 * 255.0 / power_of_change(&plain, &marked)).log10();
        assert!(decibels >= 42.0, "{width}x{height}: {decibels:.2} dB");
    }
}

#[test]
fn unmarked_pictures_read_as_nothing() {
    for seed in 0..6 {
        assert_eq!(read(&scene(400, 300, seed)), None);
    }
    assert_eq!(read(&Picture::filled(320, 240, [128; 3])), None);
    assert_eq!(read(&Picture::filled(1, 1, [128; 3])), None);
    assert_eq!(Detector::new().finish(), None);
}

#[test]
fn mark_of_another_identifier_reads_as_that_one() {
    let mut picture = scene(400, 300, 7);
    Embedder::new(7).embed(&mut picture);
    assert_eq!(read(&picture).unwrap().identifier, 7);
}

#[test]
fn frames_help_each_other() {
    // Noise that hides the mark in one frame averages out over many.
    let noisy = |seed: u64| {
        let mut random = Random(seed);
        levels(&marked(&scene(320, 240, 8)), |v| v)
            .pixels()
            .iter()
            .fold(Vec::new(), |mut p, &v| {
                let noise: f32 = (0..4).map(|_| random.unit() - 0.5).sum::<f32>() * 130.0;
                p.push((f32::from(v) + noise).clamp(0.0, 255.0) as u8);
                p
            })
    };
    let mut detector = Detector::new();
    for seed in 0..24 {
        detector.look(&Picture::new(320, 240, noisy(seed)));
    }
    assert_eq!(read(&Picture::new(320, 240, noisy(0))), None);
    assert_eq!(detector.finish().unwrap().identifier, IDENTIFIER);
}

#[test]
fn the_eye_is_spared_on_flat_ground() {
    let plain = Picture::filled(640, 480, [180, 200, 220]);
    let marked = marked(&plain);
    let gaps = plain
        .pixels()
        .iter()
        .zip(marked.pixels())
        .map(|(a, b)| a.abs_diff(*b));
    assert!(gaps.max().unwrap() <= 7); // levels; the mean change is under two
}

#[test]
fn clear_sky_is_hardly_touched_and_still_read() {
    let column = |y: u32| [188 - (y / 12) as u8, 216 - (y / 16) as u8, 240];
    let pixels = (0..1280 * 720_u32).flat_map(|i| column(i / 1280));
    let sky = Picture::new(1280, 720, pixels.collect());
    let marked = marked(&sky);
    let power = power_of_change(&sky, &marked);
    // Rounding at random to whole levels adds about a quarter to what is drawn.
    assert!(power < 0.75, "mean square of the change: {power}");
    check("sky", &marked);
    check("smaller sky", &resample::resize(&marked, 860, 484));
}
