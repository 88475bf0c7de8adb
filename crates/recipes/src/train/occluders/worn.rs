//! What is worn before a face: dark glasses, masks, scarves.

use effigy_face::landmarks::{
    EARS, EYES, FACE_RIM, LEFT_EYE, MOUTH_LEFT, NOSE_BRIDGE, NOSE_TIP, RIGHT_EYE,
};
use effigy_frame::Point2;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::layer::{Layer, Material};
use super::parts::print_of;
use super::{SIDE, Scene, any_colour};
use crate::train::augment::normal;

/// How glasses are built: half width and half height of a lens, the roundness of its outline.
pub(super) struct Frame {
    wide: f32,
    high: f32,
    /// From a rounded box to an ellipse.
    power: f32,
    drop: f32,
    thickness: f32,
}

impl Frame {
    pub(super) fn any(unit: f32, random: &mut ChaCha8Rng) -> Self {
        Self {
            wide: unit * random.random_range(0.20..0.30),
            high: unit * random.random_range(0.13..0.25),
            power: random.random_range(1.8..5.0),
            drop: unit * random.random_range(-0.02..0.08),
            thickness: unit * random.random_range(0.008..0.035),
        }
    }

    /// The outline of the lens before an eye.
    pub(super) fn lens(&self, scene: &Scene<'_>, eye: usize) -> Vec<Point2> {
        let (centre, turn) = (EYES[eye].centre(&scene.points), turn_of(scene));
        let (sin, cos) = turn.sin_cos();
        let corner = |k: usize| {
            let angle = std::f32::consts::TAU * k as f32 / 28.0;
            let round = |v: f32| v.signum() * v.abs().powf(2.0 / self.power);
            let (x, y) = (
                self.wide * round(angle.cos()),
                self.high * round(angle.sin()) + self.drop,
            );
            Point2::new(centre.x + x * cos - y * sin, centre.y + x * sin + y * cos)
        };
        (0..28).map(corner).collect()
    }

    /// The rims of both lenses, the bridge and the temples.
    pub(super) fn wires(&self, layer: &mut Layer, scene: &Scene<'_>, material: &Material<'_>) {
        for eye in [0, 1] {
            let outline = self.lens(scene, eye);
            for k in 0..outline.len() {
                let ends = [outline[k], outline[(k + 1) % outline.len()]];
                layer.rod(ends, [self.thickness.max(0.5); 2], material);
            }
            let outer = [RIGHT_EYE, LEFT_EYE][eye].outer;
            let from = nearest(&outline, scene.points[outer]);
            layer.rod(
                [from, scene.points[EARS[eye]]],
                [self.thickness.max(0.5); 2],
                material,
            );
        }
        let bridge = scene.points[NOSE_BRIDGE];
        let ends = [0, 1].map(|eye| nearest(&self.lens(scene, eye), bridge));
        layer.rod(ends, [self.thickness.max(0.6); 2], material);
    }
}

/// Lenses that hide the eyes, in a frame.
pub(super) fn dark_glasses(layer: &mut Layer, scene: &Scene<'_>, random: &mut ChaCha8Rng) {
    let frame = Frame::any(scene.eye_distance, random);
    let tint = if random.random_bool(0.75) {
        [random.random_range(2.0..45.0); 3]
    } else {
        any_colour(random).map(|v| 0.5 * v)
    };
    let lens = Material {
        gloss: random.random_range(0.0..120.0),
        opacity: random.random_range(0.82..1.0),
        print: random
            .random_bool(0.15)
            .then(|| print_of(scene.other, random)),
        ..Material::plain(tint, random)
    };
    let bulge = random.random_range(0.0..0.8);
    for eye in [0, 1] {
        layer.polygon(&frame.lens(scene, eye), bulge, &lens);
    }
    if random.random_bool(0.3) {
        // A streak of light.
        let light = Material {
            opacity: random.random_range(0.1..0.6),
            ..Material::plain([240.0; 3], random)
        };
        let at = scene.points[EYES[random.random_range(0..2)].iris];
        let to = Point2::new(
            at.x + 0.2 * scene.eye_distance * normal(random),
            at.y + 0.1 * scene.eye_distance,
        );
        layer.rod([at, to], [0.03 * scene.eye_distance; 2], &light);
    }
    let wire = Material {
        gloss: 60.0,
        ..Material::plain(any_colour(random).map(|v| 0.5 * v), random)
    };
    frame.wires(layer, scene, &wire);
}

/// A mask over mouth and nose, or cloth up to some height.
pub(super) fn cloth(layer: &mut Layer, scene: &Scene<'_>, random: &mut ChaCha8Rng) {
    const COLOURS: [[f32; 3]; 4] = [
        [165.0, 205.0, 225.0],
        [235.0, 238.0, 240.0],
        [25.0, 25.0, 28.0],
        [130.0, 180.0, 175.0],
    ];
    let is_surgical = random.random_bool(0.55);
    let colour = if is_surgical && random.random_bool(0.8) {
        COLOURS[random.random_range(0..COLOURS.len())]
    } else {
        any_colour(random)
    };
    let mut material = Material::plain(colour, random);
    if random.random_bool(if is_surgical { 0.1 } else { 0.35 }) {
        material.print = Some(print_of(scene.other, random));
    }
    let corners = if is_surgical {
        mask_outline(scene, random)
    } else {
        scarf_outline(scene, random)
    };
    layer.polygon(&corners, 0.6, &material);
    if is_surgical {
        let pleat = Material {
            opacity: 0.35,
            print: None,
            ..Material {
                colour: colour.map(|v| 0.6 * v),
                ..material
            }
        };
        let (left, right) = (corners[corners.len() / 4], corners[corners.len() * 3 / 4]);
        for k in 1..random.random_range(1..5) {
            let down = 0.12 * k as f32 * scene.eye_distance;
            let shifted = |p: Point2| {
                Point2::new(
                    0.5 * (p.x + left.midpoint(right).x),
                    p.y + down - 0.2 * scene.eye_distance,
                )
            };
            layer.rod([shifted(left), shifted(right)], [0.7; 2], &pleat);
        }
        for ear in EARS {
            let ear = scene.points[ear];
            layer.rod([nearest(&corners, ear), ear], [0.8; 2], &material);
        }
    }
}

/// From one side of the jaw below the chin to the other, then over the nose.
fn mask_outline(scene: &Scene<'_>, random: &mut ChaCha8Rng) -> Vec<Point2> {
    let top = scene.points[NOSE_BRIDGE];
    let tip = scene.points[NOSE_TIP];
    // Some let the nose out.
    let rises = if random.random_bool(0.15) {
        random.random_range(-0.35..0.1)
    } else {
        random.random_range(0.2..0.75)
    };
    let upper = Point2::new(
        tip.x + rises * (top.x - tip.x),
        tip.y + rises * (top.y - tip.y),
    );
    let swell = random.random_range(1.0..1.1);
    let side = scene.points[MOUTH_LEFT].y - random.random_range(0.1..0.5) * scene.eye_distance;
    let rim: Vec<Point2> = jaw(scene)
        .filter(|p| side < p.y)
        .map(|p| Point2::new(tip.x + swell * (p.x - tip.x), tip.y + swell * (p.y - tip.y)))
        .collect();
    if rim.len() < 4 {
        return vec![
            upper,
            scene.points[EARS[0]],
            scene.points[FACE_RIM[18]],
            scene.points[EARS[1]],
        ];
    }
    let mut corners = rim;
    let (first, last) = (corners[0], corners[corners.len() - 1]);
    let bow = |p: Point2, share: f32| {
        let x = upper.x + share * (p.x - upper.x);
        let y = upper.y + share * share * (p.y - upper.y);
        Point2::new(x, y)
    };
    corners.extend([
        bow(last, 0.6),
        bow(last, 0.3),
        upper,
        bow(first, 0.3),
        bow(first, 0.6),
    ]);
    corners
}

/// Everything below a wavy edge.
fn scarf_outline(scene: &Scene<'_>, random: &mut ChaCha8Rng) -> Vec<Point2> {
    let height = scene.points[NOSE_TIP].y + scene.eye_distance * random.random_range(-0.3..0.6);
    let (slope, wave) = (0.15 * normal(random), 0.06 * scene.eye_distance);
    let side = SIDE as f32;
    let phase = random.random_range(0.0..6.0);
    let mut corners: Vec<Point2> = (0..=12)
        .map(|k| {
            let x = side * k as f32 / 12.0;
            Point2::new(
                x,
                height + slope * (x - 0.5 * side) + wave * (phase + 0.9 * k as f32).sin(),
            )
        })
        .collect();
    corners.extend([Point2::new(side, 1.3 * side), Point2::new(0.0, 1.3 * side)]);
    corners
}

/// The rim of the face from the picture's right around the chin.
fn jaw<'a>(scene: &'a Scene<'_>) -> impl Iterator<Item = Point2> + 'a {
    FACE_RIM[8..29].iter().map(|&i| scene.points[i])
}

fn turn_of(scene: &Scene<'_>) -> f32 {
    let [right, left] = EYES.map(|eye| eye.centre(&scene.points));
    (left.y - right.y).atan2(left.x - right.x)
}

fn nearest(outline: &[Point2], to: Point2) -> Point2 {
    let nearer = |a: Point2, b: Point2| {
        if b.distance(to) < a.distance(to) {
            b
        } else {
            a
        }
    };
    outline.iter().copied().fold(outline[0], nearer)
}
