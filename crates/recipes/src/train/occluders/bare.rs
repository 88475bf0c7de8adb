//! What a face may have without being covered: shadows, lights, a beard, make-up, clear glasses.

use effigy_face::landmarks::{EYES, JAW, LOWER_LIP, UPPER_LIP};
use effigy_face::mask::hull_mask;
use effigy_frame::{Picture, Point2};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::layer::{Layer, Material, noise};
use super::worn::Frame;
use super::{SIDE, Scene, any_colour, darken, lay_over};
use crate::train::augment::normal;

/// Changes a face by what must not count as an occluder.
pub(super) fn alter(scene: &mut Scene<'_>, random: &mut ChaCha8Rng) {
    if random.random_bool(0.25) {
        shadow(&mut scene.crop, random);
    }
    if random.random_bool(0.08) {
        light(scene, random);
    }
    if random.random_bool(0.08) {
        beard(scene, random);
    }
    if random.random_bool(0.12) {
        paint(scene, random);
    }
    if random.random_bool(0.1) {
        clear_glasses(scene, random);
    }
}

/// A shadow with a hard or a soft edge, as a hat, a blind or leaves throw it.
fn shadow(crop: &mut Picture, random: &mut ChaCha8Rng) {
    let angle = random.random_range(0.0..std::f32::consts::TAU);
    let side = SIDE as f32;
    let offset = side * random.random_range(-0.3..0.3);
    let soft = random.random_range(1.0..25.0_f32);
    let (wave, size) = (
        random.random_range(0.0..20.0),
        random.random_range(8.0..50.0),
    );
    let seed = random.random();
    let stripes = random
        .random_bool(0.15)
        .then(|| random.random_range(8.0..30.0_f32));
    let share = |i: usize| {
        let (x, y) = ((i % SIDE as usize) as f32, (i / SIDE as usize) as f32);
        let along = (x - 0.5 * side) * angle.cos() + (y - 0.5 * side) * angle.sin() + offset;
        let along = along + wave * (noise(x / size, y / size, seed) - 0.5) * 2.0;
        match stripes {
            Some(period) => 0.5 + 0.5 * (along / period * std::f32::consts::TAU).sin(),
            None => (0.5 + along / soft).clamp(0.0, 1.0),
        }
    };
    let shares: Vec<f32> = (0..(SIDE * SIDE) as usize).map(share).collect();
    darken(crop, &shares, random.random_range(0.2..0.8));
}

/// A spot of light, white or coloured.
fn light(scene: &mut Scene<'_>, random: &mut ChaCha8Rng) {
    let at = scene.somewhere(random);
    let reach = scene.eye_distance * random.random_range(0.1..0.7);
    let colour = if random.random_bool(0.5) {
        [255.0; 3]
    } else {
        any_colour(random)
    };
    let strength = random.random_range(0.2..0.8);
    for (i, rgb) in scene.crop.pixels_mut().chunks_exact_mut(3).enumerate() {
        let (x, y) = ((i % SIDE as usize) as f32, (i / SIDE as usize) as f32);
        let out = Point2::new(x, y).distance(at) / reach;
        let share = strength * (-out * out).exp();
        for (level, add) in rgb.iter_mut().zip(colour) {
            *level = (f32::from(*level) + share * add).min(255.0) as u8;
        }
    }
}

/// Bristles on jaw and lip.
fn beard(scene: &mut Scene<'_>, random: &mut ChaCha8Rng) {
    let unit = scene.eye_distance;
    let mut layer = Layer::new(random);
    let dark = random.random_range(15.0..110.0);
    let base = [dark, 0.8 * dark, 0.7 * dark];
    let n = random.random_range(150..500);
    for _ in 0..n {
        let anchor = scene.points[JAW[random.random_range(0..JAW.len())]];
        let at = Point2::new(
            anchor.x + 0.16 * unit * normal(random),
            anchor.y + 0.10 * unit * normal(random) + 0.08 * unit,
        );
        let to = Point2::new(at.x + 0.03 * unit * normal(random), at.y + 0.09 * unit);
        let bristle = Material {
            opacity: random.random_range(0.2..0.8),
            ..Material::plain(base.map(|v| v * (0.2 * normal(random)).exp()), random)
        };
        layer.rod([at, to], [0.6; 2], &bristle);
    }
    let mut not_counted = effigy_frame::Plane::filled(SIDE as usize, SIDE as usize, 0.0);
    lay_over(&mut scene.crop, &layer, &mut not_counted);
}

/// Lips, lids or cheeks in another colour.
fn paint(scene: &mut Scene<'_>, random: &mut ChaCha8Rng) {
    let unit = scene.eye_distance;
    let side = SIDE as usize;
    let of =
        |points: &[usize]| -> Vec<Point2> { points.iter().map(|&i| scene.points[i]).collect() };
    let colour = any_colour(random);
    let strength = random.random_range(0.2..0.7);
    let mut shares = vec![0.0_f32; side * side];
    let mut add = |corners: &[Point2]| {
        for (share, value) in shares
            .iter_mut()
            .zip(hull_mask(corners, side, side).values())
        {
            *share = share.max(*value);
        }
    };
    if random.random_bool(0.6) {
        add(&of(&UPPER_LIP));
        add(&of(&LOWER_LIP));
    } else {
        for eye in EYES {
            let lid = scene.points[eye.upper_lid];
            let around = |k: usize| {
                let angle = k as f32 / 12.0 * std::f32::consts::TAU;
                Point2::new(
                    lid.x + 0.2 * unit * angle.cos(),
                    lid.y + unit * (0.09 * angle.sin() - 0.05),
                )
            };
            let corners: Vec<Point2> = (0..12).map(around).collect();
            add(&corners);
        }
    }
    for (rgb, share) in scene.crop.pixels_mut().chunks_exact_mut(3).zip(&shares) {
        let luma = effigy_frame::colour::luma([rgb[0], rgb[1], rgb[2]]) / 160.0;
        for (level, paint) in rgb.iter_mut().zip(colour) {
            let share = strength * share;
            *level = (f32::from(*level) * (1.0 - share) + (paint * luma).min(255.0) * share) as u8;
        }
    }
}

/// Wires around the eyes, and a little light on the glass: the eyes are seen, so nothing hides them.
fn clear_glasses(scene: &mut Scene<'_>, random: &mut ChaCha8Rng) {
    let frame = Frame::any(scene.eye_distance, random);
    let mut layer = Layer::new(random);
    let wire = Material {
        gloss: 80.0,
        ..Material::plain(any_colour(random).map(|v| 0.7 * v), random)
    };
    frame.wires(&mut layer, scene, &wire);
    if random.random_bool(0.3) {
        let glass = Material {
            opacity: random.random_range(0.05..0.25),
            ..Material::plain([230.0; 3], random)
        };
        for eye in [0, 1] {
            layer.polygon(&frame.lens(scene, eye), 0.0, &glass);
        }
    }
    let mut not_counted = effigy_frame::Plane::filled(SIDE as usize, SIDE as usize, 0.0);
    lay_over(&mut scene.crop, &layer, &mut not_counted);
}
