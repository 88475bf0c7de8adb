//! What makes the copy differ from the original: colour, light, sharpness, place.

use effigy_frame::resample::{crop, resize};
use effigy_frame::{Picture, Point2, Similarity};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::train::augment::{add_noise, normal, recolour, shade};

/// Gives the picture below and the picture laid over it; one of them is changed.
pub(super) fn changed(picture: &Picture, random: &mut ChaCha8Rng) -> (Picture, Picture) {
    let mut copy = picture.clone();
    let mut n_changes = 0;
    if random.random_bool(0.5) {
        recolour(&mut copy, random.random_range(0.15..0.7), random);
        n_changes += 1;
    }
    if random.random_bool(0.3) {
        shade(&mut copy, random.random_range(0.08..0.35), random);
        n_changes += 1;
    }
    if n_changes == 0 || random.random_bool(0.8) {
        resharpen(&mut copy, random);
    }
    // Footage around a swap is seldom the changed part.
    if random.random_bool(0.3) {
        (copy, picture.clone())
    } else {
        (picture.clone(), copy)
    }
}

/// What makers of swaps do to a drawing so that it looks less drawn.
pub(super) fn finish_drawing(picture: &mut Picture, random: &mut ChaCha8Rng) {
    if random.random_bool(0.5) {
        sharpen(picture, random.random_range(0.3..2.0));
    }
    if random.random_bool(0.3) {
        add_noise(picture, random.random_range(0.5..3.0), random);
    }
    if random.random_bool(0.3) {
        recolour(picture, random.random_range(0.1..0.4), random);
    }
}

/// Moves and scales the copy a little, and its features against each other.
pub(super) fn moved(picture: &Picture, random: &mut ChaCha8Rng) -> Picture {
    let side = picture.width() as f32;
    let middle = Point2::new(0.5 * side, 0.5 * side);
    let mut shift = || side * 0.016 * normal(random).clamp(-2.5, 2.5);
    let to = Point2::new(middle.x + shift(), middle.y + shift());
    let scale = random.random_range(0.95..1.05);
    let turn = 0.02 * normal(random);
    let view = Similarity::about(middle, to, scale, turn);
    let moved = crop(picture, view, picture.width());
    if random.random_bool(0.6) {
        stretched(&moved, random)
    } else {
        moved
    }
}

/// Detail lost as in a face model's drawing, or sharpened to hide that.
fn resharpen(picture: &mut Picture, random: &mut ChaCha8Rng) {
    let side = picture.width();
    match random.random_range(0..10) {
        0..=5 => {
            let share = random.random_range(0.25..0.75_f32);
            let less = (side as f32 * share) as u32;
            *picture = resize(&resize(picture, less, less), side, side);
            if random.random_bool(0.3) {
                sharpen(picture, random.random_range(0.5..1.5));
            }
        }
        6 | 7 => sharpen(picture, random.random_range(0.3..1.2)),
        8 => {
            let strength = random.random_range(2.0..7.0);
            add_noise(picture, strength, random);
        }
        _ => {
            // Smooth skin with its edges kept: half of the way to a blur where little changes.
            let less = (side / 3).max(8);
            let blurred = resize(&resize(picture, less, less), side, side);
            let strength = random.random_range(0.6..1.0);
            for (value, &smooth) in picture.pixels_mut().iter_mut().zip(blurred.pixels()) {
                let gap = f32::from(smooth) - f32::from(*value);
                let keep = (-gap * gap / 200.0).exp();
                *value = (f32::from(*value) + strength * keep * gap).round() as u8;
            }
        }
    }
}

/// Adds what a slight blur takes away.
fn sharpen(picture: &mut Picture, strength: f32) {
    let side = picture.width();
    let less = (side as f32 * 0.6) as u32;
    let blurred = resize(&resize(picture, less, less), side, side);
    for (value, &smooth) in picture.pixels_mut().iter_mut().zip(blurred.pixels()) {
        let (sharp, smooth) = (f32::from(*value), f32::from(smooth));
        *value = (sharp + strength * (sharp - smooth))
            .clamp(0.0, 255.0)
            .round() as u8;
    }
}

/// Shifts parts of the picture by up to a few pixels, smoothly.
fn stretched(picture: &Picture, random: &mut ChaCha8Rng) -> Picture {
    let (side, n) = (picture.width(), picture.width() as usize);
    let waves: [f32; 4] = std::array::from_fn(|_| random.random_range(1.0..2.5_f32));
    let phases: [f32; 4] = std::array::from_fn(|_| random.random_range(0.0..6.3_f32));
    let reach = side as f32 * random.random_range(0.004..0.02);
    let turn = std::f32::consts::TAU / side as f32;
    let wave = |i: usize, v: u32| (waves[i] * turn * v as f32 + phases[i]).sin();
    let mut pixels = Vec::with_capacity(n * n * 3);
    for y in 0..side {
        for x in 0..side {
            let at = (
                (x as f32 + reach * wave(0, x) * wave(1, y)).clamp(0.0, (side - 1) as f32),
                (y as f32 + reach * wave(2, x) * wave(3, y)).clamp(0.0, (side - 1) as f32),
            );
            pixels.extend(between(picture, at));
        }
    }
    Picture::new(side, side, pixels)
}

fn between(picture: &Picture, (x, y): (f32, f32)) -> [u8; 3] {
    let last = picture.width() - 1;
    let (x0, y0) = (x as u32, y as u32);
    let (x1, y1) = ((x0 + 1).min(last), (y0 + 1).min(last));
    let (u, v) = (x - x0 as f32, y - y0 as f32);
    let corners = [(x0, y0), (x1, y0), (x0, y1), (x1, y1)].map(|(x, y)| picture.get(x, y));
    let weights = [(1.0 - u) * (1.0 - v), u * (1.0 - v), (1.0 - u) * v, u * v];
    std::array::from_fn(|c| {
        let sum = |(w, rgb): (&f32, &[u8; 3])| w * f32::from(rgb[c]);
        weights.iter().zip(&corners).map(sum).sum::<f32>().round() as u8
    })
}
