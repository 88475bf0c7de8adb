//! Parts of other pictures before a face: somebody's head, patches, what is laid over by software.

use effigy_face::landmarks::{FACE_RIM, between_eyes};
use effigy_frame::{Picture, Point2, Similarity};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::layer::{Layer, Material, Surface, noise};
use super::{Face, SIDE, Scene, any_colour};
use crate::train::augment::normal;

/// Some part of a face's picture, to cover a thing with.
pub(super) fn print_of<'a>(face: &'a Face, random: &mut ChaCha8Rng) -> (&'a Picture, Similarity) {
    let picture = &face.picture;
    let to = Point2::new(
        picture.width() as f32 * random.random_range(0.1..0.9),
        picture.height() as f32 * random.random_range(0.1..0.9),
    );
    let middle = Point2::new(0.5 * SIDE as f32, 0.5 * SIDE as f32);
    let scale = random.random_range(0.3..1.3);
    let turn = random.random_range(0.0..std::f32::consts::TAU);
    (picture, Similarity::about(middle, to, scale, turn))
}

/// Another person's head, which comes in from the side.
pub(super) fn head(layer: &mut Layer, scene: &Scene<'_>, random: &mut ChaCha8Rng) {
    let other = scene.other;
    let eyes = between_eyes(&other.points);
    let [theirs, ours] = [
        effigy_face::landmarks::eye_distance(&other.points),
        scene.eye_distance,
    ];
    let scale = ours / theirs.max(1.0) * random.random_range(0.8..1.6);
    let side = if random.random_bool(0.5) { 1.0 } else { -1.0 };
    let away = ours * random.random_range(0.6..1.5);
    let middle = between_eyes(&scene.points);
    let to = Point2::new(
        middle.x + side * away,
        middle.y + ours * (0.25 + 0.5 * normal(random)),
    );
    let layer_from_other = Similarity::about(eyes, to, scale, 0.25 * normal(random));
    let Some(other_from_layer) = layer_from_other.inverse() else {
        return;
    };
    // The mesh ends below the hair: the head goes on above, and at the sides.
    let grown = |&i: &usize| {
        let p = other.points[i].xy();
        let above = p.y < eyes.y;
        let (wide, high) = (
            1.12,
            if above {
                height_above(theirs, eyes, p)
            } else {
                1.03
            },
        );
        layer_from_other.apply(Point2::new(
            eyes.x + wide * (p.x - eyes.x),
            eyes.y + high * (p.y - eyes.y),
        ))
    };
    let outline: Vec<Point2> = FACE_RIM.iter().map(grown).collect();
    let material = Material {
        grain: [0.0, 1.0],
        print: Some((&other.picture, other_from_layer)),
        ..Material::plain([0.0; 3], random)
    };
    layer.polygon(&outline, 0.0, &material);
}

/// How much further up than the mesh a head goes: most in its middle.
fn height_above(eye_distance: f32, eyes: Point2, p: Point2) -> f32 {
    1.45 - 0.3 * ((p.x - eyes.x) / eye_distance).abs().min(1.0)
}

/// Letters, bars and discs that were laid over the picture.
pub(super) fn graphic(layer: &mut Layer, scene: &Scene<'_>, random: &mut ChaCha8Rng) {
    let unit = scene.eye_distance;
    let at = scene.somewhere(random);
    let flat = |random: &mut ChaCha8Rng| Material {
        colour: any_colour(random),
        grain: [0.0, 1.0],
        opacity: random.random_range(0.7..1.0),
        ..Material::plain([0.0; 3], random)
    };
    match random.random_range(0..3) {
        0 => {
            // A bar across, with letters on it.
            let high = unit * random.random_range(0.1..0.35);
            let side = SIDE as f32;
            let bar = [(0.0, -high), (side, -high), (side, high), (0.0, high)];
            let corners = bar.map(|(x, y)| Point2::new(x, at.y + y));
            layer.polygon(&corners, 0.0, &flat(random));
            let ink = flat(random);
            letters(layer, Point2::new(10.0, at.y), 1.2 * high, &ink, random);
        }
        1 => {
            let ink = Material {
                opacity: 1.0,
                ..flat(random)
            };
            let size = unit * random.random_range(0.2..0.5);
            letters(layer, Point2::new(at.x - unit, at.y), size, &ink, random);
        }
        _ => {
            let radius = unit * random.random_range(0.15..0.6);
            layer.ellipse(at, [radius; 2], 0.0, &flat(random));
            let ink = flat(random);
            layer.ellipse(
                at,
                [0.6 * radius, 0.3 * radius],
                random.random_range(0.0..3.0),
                &ink,
            );
        }
    }
}

/// Signs of a few strokes each.
fn letters(
    layer: &mut Layer,
    first: Point2,
    size: f32,
    ink: &Material<'_>,
    random: &mut ChaCha8Rng,
) {
    let thick = (0.09 * size).max(0.8);
    for k in 0..random.random_range(3..12) {
        let left = first.x + 0.75 * size * k as f32;
        for _ in 0..random.random_range(2..4) {
            let end = |random: &mut ChaCha8Rng| {
                let (x, y) = (random.random_range(0..2), random.random_range(0..3));
                Point2::new(
                    left + 0.5 * size * x as f32,
                    first.y + 0.5 * size * (y as f32 - 1.0),
                )
            };
            let ends = [end(random), end(random)];
            layer.rod(ends, [thick; 2], ink);
        }
    }
}

/// A lump with the pattern of another picture.
pub(super) fn patch(layer: &mut Layer, scene: &Scene<'_>, random: &mut ChaCha8Rng) {
    let at = scene.somewhere(random);
    let reach = scene.eye_distance * random.random_range(0.2..0.8);
    let mut material = Material::plain(any_colour(random), random);
    if random.random_bool(0.8) {
        material.print = Some(print_of(scene.other, random));
        material.grain = [0.0, 1.0];
    }
    let (seed, rough): (u32, f32) = (random.random(), random.random_range(0.2..0.9));
    let edge = random.random_range(1.0..4.0_f32);
    let bulge = random.random_range(0.0..0.9);
    let size = reach * random.random_range(0.4..1.2);
    layer.fill(at, 1.6 * reach, &material, |p| {
        let (x, y) = ((p.x - at.x) / reach, (p.y - at.y) / reach);
        let out = x.hypot(y) + rough * 2.0 * (noise(p.x / size, p.y / size, seed) - 0.5);
        let cover = ((1.0 - out) * reach / edge + 0.5).clamp(0.0, 1.0);
        let scale = bulge / x.hypot(y).max(1.0);
        (0.0 < cover).then_some(Surface {
            cover,
            normal: [x * scale, y * scale],
        })
    });
}
