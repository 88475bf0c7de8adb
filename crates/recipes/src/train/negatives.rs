//! Pictures without a face, drawn at random: what a network must not take for one.
//!
//! Overlapping shapes of textured material stand for natural scenes (dead leaves; Baradad et al.,
//! "Learning to see by looking at noise", NeurIPS 2021, section 3.1); wheels, rings, lettering,
//! lattices, animals' heads and shuffled faces are what finders are known to mistake for faces.

use effigy_frame::resample::{crop, resize};
use effigy_frame::{Picture, Point2, Rect, Similarity};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::data::people::Sample;
use crate::train::augment::normal;

type Random = ChaCha8Rng;

/// Draws a picture of `side` pixels a side.
pub(crate) fn negative(samples: &[Sample], side: u32, random: &mut Random) -> Picture {
    let sample = &samples[random.random_range(0..samples.len())];
    match random.random_range(0..12) {
        0 => blotches(side, random),
        1 => Picture::filled(side, side, random.random()),
        2 => surroundings(sample, side, random),
        3 => shuffled(sample, side, random),
        4 => lettering(samples, side, random),
        5 => lattice(side, random),
        6 | 7 => animal(samples, side, random),
        8 => wheels(samples, side, random),
        _ => leaves(samples, side, random),
    }
}

/// Noise of some size.
pub(crate) fn blotches(side: u32, random: &mut Random) -> Picture {
    let (columns, rows) = (
        1 << random.random_range(0..7),
        1 << random.random_range(0..7),
    );
    let base: [f32; 3] = std::array::from_fn(|_| random.random_range(0.0..255.0));
    let grey = random.random_bool(0.4);
    let strength: f32 = random.random_range(2.0..90.0);
    let mut pixels = Vec::with_capacity((columns * rows * 3) as usize);
    for _ in 0..columns * rows {
        let shared = strength * normal(random);
        for c in 0..3 {
            let base = if grey { base[0] } else { base[c] };
            let own = if grey {
                0.0
            } else {
                0.3 * strength * normal(random)
            };
            pixels.push((base + shared + own).clamp(0.0, 255.0) as u8);
        }
    }
    resize(&Picture::new(columns, rows, pixels), side, side)
}

/// The strip above, below or beside the face, enlarged: hair, clothes, wall.
pub(crate) fn surroundings(sample: &Sample, side: u32, random: &mut Random) -> Picture {
    let Some(face) = Rect::around(sample.points.iter().map(|p| p.xy())) else {
        return blotches(side, random);
    };
    let (width, height) = (
        sample.picture.width() as f32,
        sample.picture.height() as f32,
    );
    let (right, below) = (face.x + face.width, face.y + face.height);
    let (x, y, width, height) = [
        (0.0, 0.0, width, face.y),
        (0.0, below, width, height - below),
        (0.0, 0.0, face.x, height),
        (right, 0.0, width - right, height),
    ][random.random_range(0..4)];
    if width < 8.0 || height < 8.0 {
        return blotches(side, random);
    }
    let mut pixels = Vec::new();
    for row in 0..height as u32 {
        for column in 0..width as u32 {
            pixels.extend(sample.picture.get(x as u32 + column, y as u32 + row));
        }
    }
    let strip = Picture::new(width as u32, height as u32, pixels);
    resize(&strip.turned(random.random_range(0..4)), side, side)
}

/// A face in tiles that have changed places.
fn shuffled(sample: &Sample, side: u32, random: &mut Random) -> Picture {
    let Some(face) = Rect::around(sample.points.iter().map(|p| p.xy())) else {
        return blotches(side, random);
    };
    let size = face.width.max(face.height);
    let n = random.random_range(3..7_u32);
    let tile = side.div_ceil(n);
    let mut canvas = Picture::filled(side, side, random.random());
    for i in 0..n * n {
        let at = Point2::new(
            face.x + face.width * random.random_range(0.0..1.0),
            face.y + face.height * random.random_range(0.0..1.0),
        );
        let middle = Point2::new(0.5 * tile as f32, 0.5 * tile as f32);
        let zoom = size / (n * tile) as f32 * random.random_range(0.6..1.2);
        let turn = random.random_range(-3.1..3.1);
        let patch = crop(
            &sample.picture,
            Similarity::about(middle, at, zoom, turn),
            tile,
        );
        lay(&mut canvas, &patch, i % n * tile, i / n * tile);
    }
    canvas
}

fn lay(canvas: &mut Picture, patch: &Picture, left: u32, top: u32) {
    for y in 0..patch.height().min(canvas.height().saturating_sub(top)) {
        for x in 0..patch.width().min(canvas.width().saturating_sub(left)) {
            canvas.set(left + x, top + y, patch.get(x, y));
        }
    }
}

/// What a shape is filled with.
enum Material {
    Plain([u8; 3]),
    /// A texture, and where it begins.
    Cloth(Picture, u32, u32),
}

impl Material {
    fn draw(samples: &[Sample], random: &mut Random) -> Self {
        if random.random_bool(0.4) {
            return Self::Plain(random.random());
        }
        let texture = match random.random_range(0..3) {
            0 => blotches(64, random),
            1 => lattice(64, random),
            _ => surroundings(&samples[random.random_range(0..samples.len())], 64, random),
        };
        Self::Cloth(
            texture,
            random.random_range(0..64),
            random.random_range(0..64),
        )
    }

    fn at(&self, x: u32, y: u32) -> [u8; 3] {
        match self {
            Self::Plain(rgb) => *rgb,
            Self::Cloth(texture, left, top) => texture.get((x + left) % 64, (y + top) % 64),
        }
    }
}

/// Where a shape lies: `u` and `v` are its own coordinates, about −1..1 inside.
#[derive(Clone, Copy)]
struct Place {
    centre: Point2,
    reach: f32,
    squash: f32,
    turn: f32,
}

impl Place {
    fn draw(side: u32, reach: f32, random: &mut Random) -> Self {
        let side = side as f32;
        Self {
            centre: Point2::new(
                random.random_range(0.0..side),
                random.random_range(0.0..side),
            ),
            reach,
            squash: random.random_range(0.4..1.0),
            turn: random.random_range(0.0..std::f32::consts::TAU),
        }
    }

    /// Fills the pixels for which `inside(u, v)` holds, darker towards one side.
    fn fill(&self, canvas: &mut Picture, material: &Material, inside: impl Fn(f32, f32) -> bool) {
        let (sin, cos) = self.turn.sin_cos();
        let span = |middle: f32, side: u32| {
            let least = (middle - 1.5 * self.reach).max(0.0) as u32;
            least..((middle + 1.5 * self.reach).max(0.0) as u32).min(side)
        };
        for y in span(self.centre.y, canvas.height()) {
            for x in span(self.centre.x, canvas.width()) {
                let (dx, dy) = (x as f32 - self.centre.x, y as f32 - self.centre.y);
                let u = (dx * cos + dy * sin) / self.reach;
                let v = (dy * cos - dx * sin) / (self.reach * self.squash);
                if inside(u, v) {
                    let shade = 1.0 + 0.15 * u;
                    let rgb = material.at(x, y);
                    canvas.set(x, y, rgb.map(|c| (f32::from(c) * shade).min(255.0) as u8));
                }
            }
        }
    }
}

/// Shapes of all sizes over one another, large ones first.
fn leaves(samples: &[Sample], side: u32, random: &mut Random) -> Picture {
    let mut canvas = blotches(side, random);
    let n = random.random_range(4..30);
    let materials: Vec<Material> = (0..6).map(|_| Material::draw(samples, random)).collect();
    for i in 0..n {
        let share = 1.0 - i as f32 / n as f32;
        let reach = side as f32 * (0.02 + 0.4 * share * share * random.random::<f32>());
        let place = Place::draw(side, reach, random);
        let material = &materials[random.random_range(0..materials.len())];
        let corners = random.random_range(0..7_u32);
        let waves = random.random_range(0.0..0.3_f32);
        place.fill(&mut canvas, material, |u, v| match corners {
            0 | 1 => u * u + v * v < 1.0,
            2 => u.abs().max(v.abs()) < 0.9,
            n => {
                let edge = 0.8 + waves * (n as f32 * v.atan2(u)).cos();
                u.hypot(v) < edge
            }
        });
    }
    canvas
}

/// Rings, hubs and spokes.
fn wheels(samples: &[Sample], side: u32, random: &mut Random) -> Picture {
    let mut canvas = leaves(samples, side, random);
    for _ in 0..random.random_range(1..4) {
        let reach = side as f32 * random.random_range(0.08..0.45);
        let place = Place {
            squash: random.random_range(0.6..1.0),
            ..Place::draw(side, reach, random)
        };
        let spokes = random.random_range(0..9) as f32;
        for ring in 0..random.random_range(2..6) {
            let outer = 1.0 - 0.18 * ring as f32 - 0.1 * random.random::<f32>();
            let material = Material::draw(samples, random);
            let is_spoked = ring > 0 && spokes > 2.0 && random.random_bool(0.5);
            place.fill(&mut canvas, &material, |u, v| {
                let gap = is_spoked && (spokes * v.atan2(u)).cos() > 0.3;
                u.hypot(v) < outer && !gap
            });
        }
    }
    canvas
}

/// Strokes in rows, as of letters and figures.
fn lettering(samples: &[Sample], side: u32, random: &mut Random) -> Picture {
    let mut canvas = if random.random_bool(0.5) {
        Picture::filled(side, side, random.random())
    } else {
        leaves(samples, side, random)
    };
    let height = side as f32 * random.random_range(0.04..0.3);
    let ink = Material::draw(samples, random);
    let mut y = height;
    while y < side as f32 {
        let mut x = height * 0.5;
        while x < side as f32 {
            for _ in 0..random.random_range(1..4) {
                let centre = Point2::new(
                    x + height * random.random_range(-0.2..0.2),
                    y + height * random.random_range(-0.3..0.3),
                );
                let place = Place {
                    centre,
                    reach: height * random.random_range(0.2..0.5),
                    squash: random.random_range(0.15..0.4),
                    turn: [0.0, 1.57, 0.8, 2.3][random.random_range(0..4)],
                };
                let is_bow = random.random_bool(0.3);
                place.fill(&mut canvas, &ink, |u, v| {
                    let bow = is_bow && u.hypot(v) < 0.6;
                    u.abs().max(v.abs()) < 1.0 && !bow
                });
            }
            x += height * random.random_range(0.7..1.0);
        }
        y += height * random.random_range(1.2..2.0);
    }
    canvas
}

/// Stripes, checks or dots.
fn lattice(side: u32, random: &mut Random) -> Picture {
    let (one, other): ([u8; 3], [u8; 3]) = (random.random(), random.random());
    let step = random.random_range(3.0..40.0_f32);
    let (sin, cos) = random.random_range(0.0..3.1_f32).sin_cos();
    let kind = random.random_range(0..3);
    let sharp = random.random_range(1.0..8.0_f32);
    let mut pixels = Vec::with_capacity((side * side * 3) as usize);
    for y in 0..side {
        for x in 0..side {
            let (x, y) = (x as f32, y as f32);
            let a = ((x * cos + y * sin) * std::f32::consts::TAU / step).sin();
            let b = ((y * cos - x * sin) * std::f32::consts::TAU / step).sin();
            let wave = match kind {
                0 => a,
                1 => a * b,
                _ => a + b - 0.8,
            };
            let share = (0.5 + 0.5 * sharp * wave).clamp(0.0, 1.0);
            let mix = |c: usize| f32::from(one[c]) * share + f32::from(other[c]) * (1.0 - share);
            pixels.extend([0, 1, 2].map(|c| mix(c) as u8));
        }
    }
    Picture::new(side, side, pixels)
}

/// A furred head with eyes to the sides, ears and a long snout.
fn animal(samples: &[Sample], side: u32, random: &mut Random) -> Picture {
    let mut canvas = leaves(samples, side, random);
    let size = side as f32 * random.random_range(0.12..0.45);
    let head = Place {
        squash: random.random_range(0.8..1.3),
        turn: random.random_range(-0.4..0.4),
        ..Place::draw(side, size, random)
    };
    let warm = random.random_range(20.0..240.0_f32);
    let coat = Material::Cloth(fur(warm, random), 0, 0);
    let dark = Material::Plain([random.random_range(0..50); 3]);
    let part = |u: f32, v: f32, reach: f32, squash: f32| Place {
        centre: Point2::new(
            head.centre.x + size * (u * head.turn.cos() - v * head.turn.sin()),
            head.centre.y + size * (u * head.turn.sin() + v * head.turn.cos()),
        ),
        reach: size * reach,
        squash,
        turn: head.turn,
    };
    let disc = |u: f32, v: f32| u * u + v * v < 1.0;
    let (ear, pointed) = (random.random_range(0.3..0.5), random.random_bool(0.5));
    for way in [-1.0, 1.0] {
        part(0.75 * way, -0.8, ear, 1.2).fill(&mut canvas, &coat, |u, v| {
            if pointed {
                u.abs() < 0.5 * (v + 1.0) && v < 1.0
            } else {
                disc(u, v)
            }
        });
    }
    head.fill(&mut canvas, &coat, disc);
    let (apart, high) = (
        random.random_range(0.35..0.7),
        random.random_range(-0.5..0.0),
    );
    let eye = random.random_range(0.06..0.14);
    let iris = Material::Plain(random.random());
    for way in [-1.0, 1.0] {
        part(apart * way, high, 1.5 * eye, 0.8).fill(&mut canvas, &iris, disc);
        part(apart * way, high, eye, 1.0).fill(&mut canvas, &dark, disc);
    }
    let snout = Material::Cloth(
        fur((warm + 60.0 * normal(random)).clamp(10.0, 250.0), random),
        0,
        0,
    );
    let down = random.random_range(0.3..0.6);
    let wide = random.random_range(0.25..0.55);
    part(0.0, down, wide, random.random_range(0.7..1.4)).fill(&mut canvas, &snout, disc);
    part(0.0, down - 0.1, wide * 0.45, 0.7).fill(&mut canvas, &dark, disc);
    part(0.0, down + 0.25, wide * 0.6, 0.12).fill(&mut canvas, &dark, disc);
    canvas
}

/// Short strokes of about one colour.
fn fur(base: f32, random: &mut Random) -> Picture {
    let (columns, rows) = (64, random.random_range(4..20));
    let tint: [f32; 3] = [
        1.0,
        random.random_range(0.7..1.0),
        random.random_range(0.4..1.0),
    ];
    let mut pixels = Vec::new();
    for _ in 0..columns * rows {
        let level = base + 25.0 * normal(random);
        pixels.extend(tint.map(|t| (level * t).clamp(0.0, 255.0) as u8));
    }
    resize(&Picture::new(columns, rows, pixels), 64, 64)
}
