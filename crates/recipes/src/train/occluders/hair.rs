//! Hair before a face: fringes, curtains at the sides, locks across.

use effigy_face::landmarks::{FACE_RIM, between_eyes};
use effigy_frame::Point2;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::layer::{Layer, Material};
use super::{Scene, any_colour};
use crate::train::augment::normal;

/// Draws strands of one colour, dense or sparse.
pub(super) fn draw(layer: &mut Layer, scene: &Scene<'_>, random: &mut ChaCha8Rng) {
    const COLOURS: [[f32; 3]; 6] = [
        [22.0, 17.0, 15.0],
        [50.0, 35.0, 26.0],
        [95.0, 65.0, 42.0],
        [175.0, 140.0, 95.0],
        [135.0, 60.0, 35.0],
        [170.0, 168.0, 165.0],
    ];
    let colour = if random.random_bool(0.95) {
        COLOURS[random.random_range(0..COLOURS.len())]
    } else {
        any_colour(random)
    };
    let unit = scene.eye_distance;
    let eyes = between_eyes(&scene.points);
    let top = scene.points[FACE_RIM[0]];
    let down = ((eyes.x - top.x), (eyes.y - top.y));
    let high = down.0.hypot(down.1).max(1.0);
    let down = Point2::new(down.0 / high, down.1 / high);
    let across = Point2::new(down.y, -down.x);
    let style = Style::any(random);
    let n = random.random_range(25..170);
    for _ in 0..n {
        let (from, reach) = style.strand(random);
        let gain = (0.22 * normal(random)).exp();
        let strand = Material {
            colour: colour.map(|level| level * gain),
            gloss: random.random_range(0.0..60.0),
            ..Material::plain(colour, random)
        };
        let root = Point2::new(
            top.x + unit * (across.x * from - 0.25 * down.x),
            top.y + unit * (across.y * from - 0.25 * down.y),
        );
        let width = unit * random.random_range(0.008..0.035);
        let (swing, curl) = (style.swing + 0.15 * normal(random), 0.25 * normal(random));
        let mut at = root;
        const PARTS: usize = 6;
        for part in 0..PARTS {
            let t = part as f32 / PARTS as f32;
            let aside = swing + curl * t;
            let step = unit * reach / PARTS as f32;
            let to = Point2::new(
                at.x + step * (down.x + aside * across.x),
                at.y + step * (down.y + aside * across.y),
            );
            layer.rod(
                [at, to],
                [width * (1.0 - 0.5 * t), width * (0.9 - 0.5 * t)],
                &strand,
            );
            at = to;
        }
    }
}

/// Where strands begin, in eye distances from the middle of the hairline, and how long they are.
struct Style {
    middle: f32,
    wide: f32,
    reach: f32,
    swing: f32,
}

impl Style {
    fn any(random: &mut ChaCha8Rng) -> Self {
        match random.random_range(0..4) {
            // A fringe.
            0 | 1 => Self {
                middle: 0.1 * normal(random),
                wide: random.random_range(0.3..0.75),
                reach: random.random_range(0.35..0.9),
                swing: 0.25 * normal(random),
            },
            // A curtain at one side.
            2 => {
                let side = if random.random_bool(0.5) { 1.0 } else { -1.0 };
                Self {
                    middle: side * random.random_range(0.35..0.7),
                    wide: random.random_range(0.08..0.25),
                    reach: random.random_range(1.0..2.6),
                    swing: 0.12 * normal(random),
                }
            }
            // A lock across the face.
            _ => Self {
                middle: 0.4 * normal(random),
                wide: random.random_range(0.02..0.12),
                reach: random.random_range(0.8..2.2),
                swing: 0.4 * normal(random),
            },
        }
    }

    fn strand(&self, random: &mut ChaCha8Rng) -> (f32, f32) {
        let from = self.middle + self.wide * random.random_range(-1.0..1.0_f32);
        (from, self.reach * random.random_range(0.75..1.1_f32))
    }
}
