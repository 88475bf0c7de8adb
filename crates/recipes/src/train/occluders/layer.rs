//! A layer that occluders are drawn on: colours, and how much of each pixel they cover.
//!
//! Shapes are round: each gives how far a pixel lies inside and which way its surface looks, so
//! that everything has the light of one lamp.

use effigy_frame::{Picture, Point2, Similarity};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::SIDE;
use crate::train::augment::normal;

/// What is drawn in front of a face, in levels and shares of pixels; `SIDE` pixels a side.
pub(super) struct Layer {
    pub(super) colours: Vec<[f32; 3]>,
    pub(super) cover: Vec<f32>,
    lamp: [f32; 3],
}

/// What a surface looks like.
#[derive(Clone, Copy)]
pub(super) struct Material<'a> {
    /// In levels.
    pub(super) colour: [f32; 3],
    /// Part of a picture instead of the one colour, and where it lies.
    pub(super) print: Option<(&'a Picture, Similarity)>,
    /// How strong its own pattern is, as a share of the colour, and its size in pixels.
    pub(super) grain: [f32; 2],
    /// Levels that a lamp adds where it is mirrored.
    pub(super) gloss: f32,
    /// How much of what lies behind it hides, `0..=1`.
    pub(super) opacity: f32,
    pub(super) seed: u32,
}

/// A point of a shape: how much of the pixel it covers, and its normal towards the camera.
pub(super) struct Surface {
    pub(super) cover: f32,
    pub(super) normal: [f32; 2],
}

impl Material<'_> {
    /// A dull surface of one colour.
    pub(super) fn plain(colour: [f32; 3], random: &mut ChaCha8Rng) -> Self {
        Self {
            colour,
            print: None,
            grain: [
                random.random_range(0.0..0.12),
                random.random_range(1.5..12.0),
            ],
            gloss: 0.0,
            opacity: 1.0,
            seed: random.random(),
        }
    }

    fn at(&self, x: f32, y: f32) -> [f32; 3] {
        let [strength, size] = self.grain;
        let grain = 1.0 + strength * (noise(x / size, y / size, self.seed) - 0.5) * 2.0;
        let colour = match self.print {
            Some((picture, picture_from_layer)) => {
                let at = picture_from_layer.apply(Point2::new(x, y));
                let clamp = |v: f32, side: u32| (v.max(0.0) as u32).min(side - 1);
                let rgb = picture.get(clamp(at.x, picture.width()), clamp(at.y, picture.height()));
                rgb.map(f32::from)
            }
            None => self.colour,
        };
        colour.map(|level| level * grain)
    }
}

impl Layer {
    pub(super) fn new(random: &mut ChaCha8Rng) -> Self {
        let pixels = (SIDE * SIDE) as usize;
        let lamp = [0.5 * normal(random), -0.4 + 0.4 * normal(random), 1.0];
        let length = lamp.iter().map(|v| v * v).sum::<f32>().sqrt();
        Self {
            colours: vec![[0.0; 3]; pixels],
            cover: vec![0.0; pixels],
            lamp: lamp.map(|v| v / length),
        }
    }

    /// Draws what `shape` gives within a box around `middle`.
    pub(super) fn fill(
        &mut self,
        middle: Point2,
        reach: f32,
        material: &Material<'_>,
        shape: impl Fn(Point2) -> Option<Surface>,
    ) {
        let span = |at: f32| {
            let from = (at - reach).clamp(0.0, SIDE as f32) as u32;
            from..(at + reach + 1.0).clamp(0.0, SIDE as f32) as u32
        };
        for y in span(middle.y) {
            for x in span(middle.x) {
                let at = Point2::new(x as f32 + 0.5, y as f32 + 0.5);
                if let Some(surface) = shape(at) {
                    self.put(at, (y * SIDE + x) as usize, material, &surface);
                }
            }
        }
    }

    fn put(&mut self, at: Point2, i: usize, material: &Material<'_>, surface: &Surface) {
        let [x, y] = surface.normal;
        let z = (1.0 - x * x - y * y).max(0.0).sqrt();
        let lit = x * self.lamp[0] + y * self.lamp[1] + z * self.lamp[2];
        let light = (0.45 + 0.6 * lit.max(0.0)) * (0.7 + 0.3 * z);
        let shine = material.gloss * lit.max(0.0).powi(12);
        let share = (surface.cover * material.opacity).clamp(0.0, 1.0);
        let kept = self.cover[i] * (1.0 - share);
        let all = kept + share;
        let colour = material.at(at.x, at.y);
        for (to, from) in self.colours[i].iter_mut().zip(colour) {
            *to = (*to * kept + (from * light + shine).min(255.0) * share) / all.max(1e-6);
        }
        self.cover[i] = all;
    }

    /// A rod with round ends, of another thickness at each.
    pub(super) fn rod(
        &mut self,
        [a, b]: [Point2; 2],
        [from, to]: [f32; 2],
        material: &Material<'_>,
    ) {
        let middle = a.midpoint(b);
        let reach = 0.5 * a.distance(b) + from.max(to) + 1.0;
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        let length = (dx * dx + dy * dy).max(1e-6);
        self.fill(middle, reach, material, |p| {
            let share = (((p.x - a.x) * dx + (p.y - a.y) * dy) / length).clamp(0.0, 1.0);
            let radius = from + share * (to - from);
            let (x, y) = (p.x - a.x - share * dx, p.y - a.y - share * dy);
            round(x, y, radius)
        });
    }

    /// An ellipsoid, with its half axes along a turned cross.
    pub(super) fn ellipse(
        &mut self,
        centre: Point2,
        [wide, high]: [f32; 2],
        turn: f32,
        material: &Material<'_>,
    ) {
        let (sin, cos) = turn.sin_cos();
        self.fill(centre, wide.max(high) + 1.0, material, |p| {
            let (x, y) = (p.x - centre.x, p.y - centre.y);
            let (u, v) = ((x * cos + y * sin) / wide, (y * cos - x * sin) / high);
            let out = u.hypot(v);
            let cover = (0.5 + (1.0 - out) * wide.min(high)).clamp(0.0, 1.0);
            let (u, v) = (u / out.max(1.0), v / out.max(1.0));
            (0.0 < cover).then_some(Surface {
                cover,
                normal: [u * cos - v * sin, u * sin + v * cos],
            })
        });
    }

    /// A flat or, with `bulge`, a pillow-like shape within corners, given in turn.
    pub(super) fn polygon(&mut self, corners: &[Point2], bulge: f32, material: &Material<'_>) {
        let n = corners.len() as f32;
        let sum = corners
            .iter()
            .fold((0.0, 0.0), |(x, y), p| (x + p.x, y + p.y));
        let middle = Point2::new(sum.0 / n, sum.1 / n);
        let far = |reach: f32, p: &Point2| reach.max(p.distance(middle));
        let reach = corners.iter().fold(1.0, far);
        const PARTS: [f32; 2] = [-0.25, 0.25];
        self.fill(middle, reach, material, |p| {
            let parts = PARTS.into_iter().flat_map(|y| PARTS.map(|x| (x, y)));
            let inside = |&(x, y): &(f32, f32)| holds(corners, Point2::new(p.x + x, p.y + y));
            let cover = parts.filter(inside).count() as f32 / 4.0;
            (0.0 < cover).then(|| Surface {
                cover,
                normal: [(p.x - middle.x), (p.y - middle.y)].map(|v| bulge * v / reach),
            })
        });
    }

    /// Makes everything softer, as what lies out of focus is.
    pub(super) fn soften(&mut self, radius: usize) {
        if radius == 0 {
            return;
        }
        let cells = self.colours.iter().zip(&self.cover);
        let mut premultiplied: Vec<[f32; 4]> = cells
            .map(|([r, g, b], cover)| [r * cover, g * cover, b * cover, *cover])
            .collect();
        for step in [1, SIDE as usize] {
            premultiplied = boxed(&premultiplied, radius, step);
        }
        for (i, [r, g, b, cover]) in premultiplied.into_iter().enumerate() {
            self.cover[i] = cover;
            self.colours[i] = [r, g, b].map(|v| v / cover.max(1e-6));
        }
    }
}

/// A ball or a rod seen across, this far from its middle.
fn round(x: f32, y: f32, radius: f32) -> Option<Surface> {
    let out = x.hypot(y);
    let cover = (0.5 + radius - out).clamp(0.0, 1.0);
    let scale = 1.0 / radius.max(out).max(1e-6);
    (0.0 < cover).then_some(Surface {
        cover,
        normal: [x * scale, y * scale],
    })
}

/// Whether a shape holds a point: the even-odd rule.
fn holds(corners: &[Point2], p: Point2) -> bool {
    let mut inside = false;
    let mut before = corners[corners.len() - 1];
    for &corner in corners {
        if (corner.y > p.y) != (before.y > p.y) {
            let share = (p.y - corner.y) / (before.y - corner.y);
            inside ^= p.x < corner.x + share * (before.x - corner.x);
        }
        before = corner;
    }
    inside
}

/// Means of `2 radius + 1` along rows (`step` 1) or columns.
fn boxed(values: &[[f32; 4]], radius: usize, step: usize) -> Vec<[f32; 4]> {
    let side = SIDE as usize;
    let mut means = vec![[0.0; 4]; values.len()];
    let share = 1.0 / (2 * radius + 1) as f32;
    for line in 0..side {
        let first = if step == 1 { line * side } else { line };
        let at = |i: isize| values[first + i.clamp(0, side as isize - 1) as usize * step];
        let r = radius as isize;
        let mut sum = [0.0; 4];
        for i in -r..=r {
            sum = std::array::from_fn(|k| sum[k] + at(i)[k]);
        }
        for i in 0..side as isize {
            means[first + i as usize * step] = sum.map(|v| v * share);
            let (new, old) = (at(i + r + 1), at(i - r));
            sum = std::array::from_fn(|k| sum[k] + new[k] - old[k]);
        }
    }
    means
}

/// Smooth noise, `0..=1`, that changes over about a unit.
pub(super) fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let corner = |dx: i32, dy: i32| {
        let mut bits = seed
            ^ (left as i32 + dx).cast_unsigned().wrapping_mul(0x9E37_79B1)
            ^ (top as i32 + dy).cast_unsigned().wrapping_mul(0x85EB_CA77);
        bits = (bits ^ (bits >> 15)).wrapping_mul(0x2C1B_3C6D);
        bits = (bits ^ (bits >> 12)).wrapping_mul(0x297A_2D39);
        ((bits ^ (bits >> 15)) >> 8) as f32 / 16_777_216.0
    };
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    let (u, v) = (smooth(x - left), smooth(y - top));
    let row = |dy: i32| corner(0, dy) + u * (corner(1, dy) - corner(0, dy));
    row(0) + v * (row(1) - row(0))
}
