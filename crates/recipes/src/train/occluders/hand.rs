//! Hands: a palm, fingers of two or three parts, a forearm that comes from beyond the crop.

use effigy_frame::Point2;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::layer::{Layer, Material};
use super::{Scene, any_colour, skin_like};
use crate::train::augment::normal;

/// Draws a hand, or part of one; `random` decides which fingers are seen, and where it lies.
pub(super) fn draw(layer: &mut Layer, scene: &Scene<'_>, random: &mut ChaCha8Rng) {
    let unit = scene.eye_distance;
    let skin = Material {
        colour: skin_like(scene, random),
        grain: [
            random.random_range(0.03..0.14),
            random.random_range(2.0..9.0),
        ],
        gloss: random.random_range(0.0..50.0),
        ..Material::plain([0.0; 3], random)
    };
    // Where the wrist comes from: mostly from below and the sides.
    let from =
        random.random_range(-0.35..3.5_f32) + if random.random_bool(0.1) { 3.0 } else { 0.0 };
    let at = scene.somewhere(random);
    let size = unit * (0.17 * normal(random)).exp();
    let hand = Hand {
        at,
        away: Point2::new(from.cos(), from.sin()),
        size,
        thickness: size * random.random_range(0.085..0.125),
    };
    match random.random_range(0..10) {
        0..=4 => hand.open(layer, &skin, random),
        5 | 6 => hand.pointing(layer, &skin, random),
        7 => hand.fist(layer, &skin, random),
        _ => {
            hand.open(layer, &skin, random);
            let cloth = Material::plain(any_colour(random), random);
            hand.sleeve(layer, &cloth, random);
        }
    }
}

struct Hand {
    /// Where the knuckles' middle lies.
    at: Point2,
    /// Towards the wrist.
    away: Point2,
    /// In eye distances, as pixels.
    size: f32,
    /// Radius of a finger.
    thickness: f32,
}

impl Hand {
    fn place(&self, along: f32, across: f32) -> Point2 {
        Point2::new(
            self.at.x + self.size * (self.away.x * along - self.away.y * across),
            self.at.y + self.size * (self.away.y * along + self.away.x * across),
        )
    }

    fn open(&self, layer: &mut Layer, skin: &Material<'_>, random: &mut ChaCha8Rng) {
        self.forearm(layer, skin, random);
        let wide = random.random_range(0.30..0.40);
        layer.rod(
            [self.place(0.75, 0.0), self.place(0.12, 0.0)],
            [0.85 * wide * self.size, wide * self.size],
            skin,
        );
        let spread = random.random_range(0.0..0.28_f32);
        let n_fingers = random.random_range(2..=4);
        let curl = random.random_range(0.45..1.0_f32);
        let is_back = random.random_bool(0.6);
        if random.random_bool(0.75) {
            let turn = random.random_range(0.5..1.1);
            let side = if random.random_bool(0.5) { 1.0 } else { -1.0 };
            self.finger(
                layer,
                skin,
                Finger {
                    root: [0.5, side * wide],
                    turn: side * turn,
                    length: 0.42,
                    is_back,
                },
                random,
            );
        }
        for k in 0..n_fingers {
            let across =
                (k as f32 - 0.5 * (n_fingers - 1) as f32) * 2.05 * self.thickness / self.size;
            let length =
                [0.55, 0.68, 0.74, 0.66][k % 4] * curl * random.random_range(0.85..1.1_f32);
            let turn = spread * (k as f32 - 0.5 * (n_fingers - 1) as f32) + 0.04 * normal(random);
            let finger = Finger {
                root: [0.0, across],
                turn,
                length,
                is_back,
            };
            self.finger(layer, skin, finger, random);
        }
    }

    fn pointing(&self, layer: &mut Layer, skin: &Material<'_>, random: &mut ChaCha8Rng) {
        let n_fingers = random.random_range(1..=3);
        for k in 0..n_fingers {
            let across = (k as f32 - 0.5) * 2.3 * self.thickness / self.size;
            let turn = 0.12 * normal(random);
            let length = random.random_range(0.5..0.8);
            let finger = Finger {
                root: [0.3, across],
                turn,
                length,
                is_back: random.random_bool(0.5),
            };
            self.finger(layer, skin, finger, random);
        }
        if random.random_bool(0.7) {
            layer.rod(
                [self.place(1.1, 0.0), self.place(0.42, 0.05)],
                [0.34 * self.size, 0.30 * self.size],
                skin,
            );
            self.knuckles(layer, skin, 0.42, random);
        }
    }

    fn fist(&self, layer: &mut Layer, skin: &Material<'_>, random: &mut ChaCha8Rng) {
        self.forearm(layer, skin, random);
        layer.rod(
            [self.place(0.5, 0.0), self.place(0.15, 0.0)],
            [0.33 * self.size, 0.36 * self.size],
            skin,
        );
        self.knuckles(layer, skin, 0.1, random);
    }

    /// Folded fingers side by side.
    fn knuckles(
        &self,
        layer: &mut Layer,
        skin: &Material<'_>,
        along: f32,
        random: &mut ChaCha8Rng,
    ) {
        for k in 0..4 {
            let across = (k as f32 - 1.5) * 2.0 * self.thickness / self.size;
            let ends = [
                self.place(along + 0.2, across),
                self.place(along - 0.04 * random.random::<f32>(), across),
            ];
            layer.rod(ends, [1.05 * self.thickness; 2], skin);
        }
    }

    fn forearm(&self, layer: &mut Layer, skin: &Material<'_>, random: &mut ChaCha8Rng) {
        let bend = 0.3 * normal(random);
        layer.rod(
            [self.place(3.2, bend), self.place(0.8, 0.0)],
            [0.36 * self.size, 0.27 * self.size],
            skin,
        );
    }

    fn sleeve(&self, layer: &mut Layer, cloth: &Material<'_>, random: &mut ChaCha8Rng) {
        let from = random.random_range(0.75..1.4);
        layer.rod(
            [self.place(3.5, 0.0), self.place(from + 0.4, 0.0)],
            [0.55 * self.size, 0.42 * self.size],
            cloth,
        );
    }

    fn finger(
        &self,
        layer: &mut Layer,
        skin: &Material<'_>,
        finger: Finger,
        random: &mut ChaCha8Rng,
    ) {
        let Finger {
            root: [along, across],
            turn,
            length,
            is_back,
        } = finger;
        let bend = 0.12 * normal(random);
        let (mut at, mut heading) = ([along, across], turn);
        let mut radius = self.thickness * random.random_range(0.9..1.1_f32);
        for part in [0.42, 0.32, 0.26] {
            let to = [
                at[0] - length * part * heading.cos(),
                at[1] + length * part * heading.sin(),
            ];
            let ends = [self.place(at[0], at[1]), self.place(to[0], to[1])];
            layer.rod(ends, [radius, 0.92 * radius], skin);
            if part < 0.4 {
                // The crease of a joint.
                let crease = Material {
                    colour: skin.colour.map(|v| 0.72 * v),
                    opacity: 0.5,
                    ..*skin
                };
                let half = 0.6 * radius / self.size;
                let across = [at[0] + half * heading.sin(), at[1] + half * heading.cos()];
                let other = [at[0] - half * heading.sin(), at[1] - half * heading.cos()];
                layer.rod(
                    [
                        self.place(across[0], across[1]),
                        self.place(other[0], other[1]),
                    ],
                    [0.5; 2],
                    &crease,
                );
            }
            (at, heading, radius) = (to, heading + bend, 0.92 * radius);
        }
        if is_back {
            let nail = Material {
                colour: [1.12, 1.02, 1.03].map(|gain| (gain * skin.colour[0]).min(245.0)),
                gloss: 60.0,
                ..*skin
            };
            let nail = Material {
                colour: [nail.colour[0], nail.colour[1] * 0.85, nail.colour[2] * 0.8],
                ..nail
            };
            let toward = self.away.y.atan2(self.away.x) - heading;
            let place = self.place(at[0] + 0.02, at[1]);
            layer.ellipse(place, [0.8 * radius, 0.6 * radius], toward, &nail);
        }
    }
}

struct Finger {
    /// Along and across the hand.
    root: [f32; 2],
    turn: f32,
    length: f32,
    /// Whether nails are seen.
    is_back: bool,
}
