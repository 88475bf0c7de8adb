//! Things held before a face: microphones, cups, bottles, telephones, food.

use effigy_frame::Point2;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::layer::{Layer, Material};
use super::parts::print_of;
use super::{Scene, any_colour, hand};
use crate::train::augment::normal;

/// A ball with a handle that comes from beyond the crop.
pub(super) fn microphone(layer: &mut Layer, scene: &Scene<'_>, random: &mut ChaCha8Rng) {
    let unit = scene.eye_distance;
    let at = scene.somewhere(random);
    let radius = unit * random.random_range(0.12..0.30);
    let away = 1.57 + 0.6 * normal(random);
    let along = |reach: f32| Point2::new(at.x + reach * away.cos(), at.y + reach * away.sin());
    let metal = |random: &mut ChaCha8Rng| {
        let dark = random.random_range(10.0..60.0);
        let colour = match random.random_range(0..4) {
            0 => any_colour(random),
            1 => [random.random_range(120.0..210.0); 3],
            _ => [dark; 3],
        };
        Material {
            gloss: random.random_range(0.0..140.0),
            ..Material::plain(colour, random)
        }
    };
    let handle = metal(random);
    let width = random.random_range(0.3..0.75) * radius;
    layer.rod(
        [along(4.0 * unit), along(0.7 * radius)],
        [0.9 * width, width],
        &handle,
    );
    let grille = Material {
        grain: [random.random_range(0.1..0.6), random.random_range(0.8..2.0)],
        ..metal(random)
    };
    let long = radius * random.random_range(1.0..1.5);
    layer.ellipse(at, [long, radius], away, &grille);
    if random.random_bool(0.4) {
        let ring = Material {
            gloss: 120.0,
            ..Material::plain([random.random_range(40.0..200.0); 3], random)
        };
        let across = |side: f32| {
            let base = along(0.9 * long);
            Point2::new(base.x - side * away.sin(), base.y + side * away.cos())
        };
        layer.rod(
            [across(0.9 * width), across(-0.9 * width)],
            [0.2 * radius; 2],
            &ring,
        );
    }
    if random.random_bool(0.25) {
        hand::draw(layer, scene, random);
    }
}

/// A cup, a bottle, a telephone, a book, a stick.
pub(super) fn thing(layer: &mut Layer, scene: &Scene<'_>, random: &mut ChaCha8Rng) {
    let unit = scene.eye_distance;
    let mut material = Material {
        gloss: random.random_range(0.0..120.0),
        ..Material::plain(any_colour(random), random)
    };
    if random.random_bool(0.35) {
        material.print = Some(print_of(scene.other, random));
    }
    let held = Held {
        at: scene.somewhere(random),
        turn: 0.4 * normal(random),
        unit,
        half: [
            random.random_range(0.22..0.6),
            random.random_range(0.3..0.9),
        ],
    };
    match random.random_range(0..4) {
        0 => held.telephone(layer, &material, random),
        1 => {
            held.cup(layer, &material, random);
            if random.random_bool(0.5) {
                hand::draw(layer, scene, random);
            }
        }
        2 => held.bottle(layer, &material),
        _ => {
            // A pen, a straw, a cigarette, a baton.
            let thin = unit * random.random_range(0.02..0.09);
            let (x, y) = (2.5 * normal(random), 1.0 + 2.0 * random.random::<f32>());
            layer.rod(
                [held.place(0.0, 0.0), held.place(x, y)],
                [thin; 2],
                &material,
            );
        }
    }
}

/// Where a thing is held, how it is turned, and its half width and height in eye distances.
struct Held {
    at: Point2,
    turn: f32,
    unit: f32,
    half: [f32; 2],
}

impl Held {
    fn place(&self, x: f32, y: f32) -> Point2 {
        let (sin, cos) = self.turn.sin_cos();
        Point2::new(
            self.at.x + self.unit * (x * cos - y * sin),
            self.at.y + self.unit * (x * sin + y * cos),
        )
    }

    fn corners(&self, from: [f32; 2], to: [f32; 2]) -> [Point2; 4] {
        let ([upper, top], [lower, foot]) = (from, to);
        [(-upper, top), (upper, top), (lower, foot), (-lower, foot)].map(|(x, y)| self.place(x, y))
    }

    /// A telephone or a book.
    fn telephone(&self, layer: &mut Layer, material: &Material<'_>, random: &mut ChaCha8Rng) {
        let [wide, high] = self.half;
        layer.polygon(&self.corners([wide, -high], [wide, high]), 0.2, material);
        let lens = Material::plain([15.0; 3], random);
        let place = self.place(-0.6 * wide, -0.75 * high);
        layer.ellipse(place, [0.08 * self.unit; 2], 0.0, &lens);
    }

    /// A cup or a glass: wider above.
    fn cup(&self, layer: &mut Layer, material: &Material<'_>, random: &mut ChaCha8Rng) {
        let [wide, high] = self.half;
        let foot = wide * random.random_range(0.6..1.0);
        layer.polygon(
            &self.corners([wide, -0.6 * high], [foot, high]),
            0.7,
            material,
        );
        let rim = [wide, 0.25 * wide].map(|half| half * self.unit);
        layer.ellipse(self.place(0.0, -0.6 * high), rim, self.turn, material);
    }

    fn bottle(&self, layer: &mut Layer, material: &Material<'_>) {
        let radius = self.half[0] * self.unit;
        layer.rod(
            [self.place(0.0, 3.0), self.place(0.0, 0.5)],
            [0.9 * radius; 2],
            material,
        );
        let neck = [self.place(0.0, 0.6), self.place(0.0, -0.2)];
        layer.rod(neck, [0.4 * radius, 0.2 * radius], material);
    }
}

/// Lumps in warm colours, some on a stick or a fork.
pub(super) fn food(layer: &mut Layer, scene: &Scene<'_>, random: &mut ChaCha8Rng) {
    const COLOURS: [[f32; 3]; 7] = [
        [190.0, 130.0, 70.0],
        [120.0, 70.0, 40.0],
        [200.0, 40.0, 35.0],
        [230.0, 190.0, 60.0],
        [90.0, 150.0, 50.0],
        [240.0, 225.0, 200.0],
        [235.0, 170.0, 170.0],
    ];
    let unit = scene.eye_distance;
    let mut at = scene.somewhere(random);
    at.y += 0.25 * unit;
    if random.random_bool(0.4) {
        let stick = Material {
            gloss: 80.0,
            ..Material::plain([random.random_range(120.0..220.0); 3], random)
        };
        let to = Point2::new(at.x + unit * normal(random), at.y + 3.0 * unit);
        layer.rod([at, to], [0.06 * unit; 2], &stick);
    }
    for _ in 0..random.random_range(1..7) {
        let colour = COLOURS[random.random_range(0..COLOURS.len())];
        let colour = colour.map(|level| (level * (0.15 * normal(random)).exp()).min(250.0));
        let material = Material {
            colour,
            grain: [
                random.random_range(0.05..0.4),
                random.random_range(1.0..8.0),
            ],
            gloss: random.random_range(0.0..90.0),
            ..Material::plain(colour, random)
        };
        let centre = Point2::new(
            at.x + 0.2 * unit * normal(random),
            at.y + 0.12 * unit * normal(random),
        );
        let half = [0, 1].map(|_| unit * random.random_range(0.08..0.35));
        layer.ellipse(centre, half, random.random_range(0.0..3.0), &material);
    }
    if random.random_bool(0.4) {
        hand::draw(layer, scene, random);
    }
}
