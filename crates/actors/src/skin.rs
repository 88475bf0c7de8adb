//! Skin, painted procedurally on the head at rest: tone, blotches, freckles, lips, stubble, pores.
//!
//! Everything is a function of the place on the template head, so that it sits on the same feature
//! of every actor.

use super::cast::{Costume, Looks};
use super::hair;
use super::head::{Head, Material};
use super::noise::{bumps, cloud, nearest_spot};
use super::space::{V3, mix, mix3, smooth, v3};

/// One texel.
#[derive(Clone, Copy, Default)]
pub(crate) struct Texel {
    /// Square roots of the reflected share of red, green and blue.
    colour: [u8; 3],
    /// Strength of the highlight, 128 is ordinary.
    gloss: u8,
    /// Slope of the surface's relief.
    slope: [i8; 4],
}

impl Texel {
    pub(crate) fn colour(&self) -> V3 {
        let part = |c: u8| (f32::from(c) / 255.0).powi(2);
        v3(
            part(self.colour[0]),
            part(self.colour[1]),
            part(self.colour[2]),
        )
    }

    pub(crate) fn gloss(&self) -> f32 {
        f32::from(self.gloss) / 128.0
    }

    pub(crate) fn slope(&self) -> V3 {
        let part = |s: i8| f32::from(s) / 127.0;
        v3(
            part(self.slope[0]),
            part(self.slope[1]),
            part(self.slope[2]),
        )
    }
}

/// A painted sheet: the face fills `0..1` of u, the back of the head `1..2`.
pub(crate) struct Skin {
    face: Vec<Texel>,
    back: Vec<Texel>,
}

const FACE: Sheet = Sheet {
    material: Material::Face,
    first_u: 0.0,
    side: 768,
};
const BACK: Sheet = Sheet {
    material: Material::Back,
    first_u: 1.0,
    side: 256,
};

impl Skin {
    /// Gives the texel at a place of the sheet.
    pub(crate) fn at(&self, [u, v]: [f32; 2]) -> &Texel {
        let (sheet, side, u) = if u < 1.0 {
            (&self.face, FACE.side, u)
        } else {
            (&self.back, BACK.side, u - BACK.first_u)
        };
        let last = side - 1;
        let column = ((u * side as f32) as usize).min(last);
        let row = ((v * side as f32) as usize).min(last);
        &sheet[row * side + column]
    }

    /// Paints the skin of an actor; the scalp takes the tone of the hair it is under.
    pub(crate) fn paint(head: &Head, looks: &Looks, costume: &Costume) -> Self {
        let painter = Painter::new(head, looks, costume);
        Self {
            face: FACE.paint(head, &painter),
            back: BACK.paint(head, &painter),
        }
    }
}

/// A square part of the head's texture.
struct Sheet {
    material: Material,
    /// Where it begins along u; it is one wide.
    first_u: f32,
    /// In texels.
    side: usize,
}

impl Sheet {
    fn paint(&self, head: &Head, painter: &Painter<'_>) -> Vec<Texel> {
        let &Self {
            material,
            first_u,
            side,
        } = self;
        let mut texels = vec![Texel::default(); side * side];
        for t in head.triangles.iter().filter(|t| t.material == material) {
            let at =
                t.uv.map(|[u, v]| [(u - first_u) * side as f32, v * side as f32]);
            let p = t.corners.map(|c| head.neutral[c as usize]);
            let [a, b, c] = at;
            let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
            let range = |k: usize| {
                let low = a[k].min(b[k]).min(c[k]).floor().max(0.0) as usize;
                let high = a[k].max(b[k]).max(c[k]).ceil().max(0.0) as usize;
                low..high.min(side)
            };
            for row in range(1) {
                for column in range(0) {
                    let (x, y) = (column as f32 + 0.5, row as f32 + 0.5);
                    let wa = ((b[1] - c[1]) * (x - b[0]) + (c[0] - b[0]) * (y - b[1])) / area;
                    let wb = ((c[1] - a[1]) * (x - c[0]) + (a[0] - c[0]) * (y - c[1])) / area;
                    let wc = 1.0 - wa - wb;
                    // A little more than the triangle, so that no texel between two stays bare.
                    let is_inside = wa.min(wb).min(wc) > -0.3;
                    let texel = &mut texels[row * side + column];
                    let is_bare = texel.gloss == 0;
                    if is_inside && (is_bare || wa.min(wb).min(wc) >= 0.0) {
                        *texel = painter.texel(p[0] * wa + p[1] * wb + p[2] * wc);
                    }
                }
            }
        }
        texels
    }
}

struct Painter<'a> {
    looks: &'a Looks,
    hair: V3,
    tone: V3,
    lips: Vec<[f32; 2]>,
    inner: Vec<[f32; 2]>,
}

impl<'a> Painter<'a> {
    fn new(head: &Head, looks: &'a Looks, costume: &Costume) -> Self {
        let ring = |range: std::ops::Range<usize>| {
            let at = |i: usize| head.neutral[head.landmarks[i] as usize];
            range.map(|i| [at(i).x, at(i).y]).collect()
        };
        Self {
            looks,
            hair: costume.hair_colour,
            tone: tone(looks.melanin, looks.redness),
            lips: ring(48..60),
            inner: ring(60..68),
        }
    }

    fn texel(&self, p: V3) -> Texel {
        let lip = smooth(0.16, -0.10, outside(&self.lips, p)) * smooth(8.9, 9.6, p.z);
        let mut colour = self.blotched(p);
        colour = self.with_lines(colour, p);
        colour = self.freckled(colour, p);
        colour = self.stubbled(colour, p);
        colour = mix3(colour, self.lip_colour(p), lip);
        colour = self.made_up(colour, p);
        let inside = smooth(9.6, 8.6, p.z) * smooth(0.05, -0.25, outside(&self.inner, p));
        colour = mix3(colour, v3(0.22, 0.06, 0.05), inside);
        let under_hair = hair::scalp(p);
        let scalp = mix3(colour, self.hair, 0.72);
        colour = mix3(colour, scalp, smooth(0.0, 0.6, under_hair));
        let gloss = self.gloss(p, lip) * (1.0 - 0.7 * under_hair.clamp(0.0, 1.0));
        let slope = self.slope(p, lip);
        let byte = |c: f32| (c.clamp(0.0, 1.0).sqrt() * 255.0 + 0.5) as u8;
        let signed = |s: f32| (s.clamp(-1.0, 1.0) * 127.0) as i8;
        Texel {
            colour: [byte(colour.x), byte(colour.y), byte(colour.z)],
            gloss: (gloss * 128.0).clamp(1.0, 255.0) as u8,
            slope: [signed(slope.x), signed(slope.y), signed(slope.z), 0],
        }
    }

    /// The tone of each zone: cheeks, nose and ears are redder, the brow yellower, eyelids darker.
    fn blotched(&self, p: V3) -> V3 {
        let seed = self.looks.seed;
        let closeness = |q: V3, radius: f32| {
            let mirrored = v3(p.x.abs(), p.y, p.z);
            (-((mirrored - q).length() / radius).powi(2)).exp()
        };
        let blood = 0.75 * closeness(v3(4.6, 0.2, 8.6), 2.3)
            + 0.7 * closeness(v3(0.0, 0.2, 12.6), 1.5)
            + 0.45 * closeness(v3(1.2, -0.6, 11.2), 0.8)
            + 0.8 * closeness(v3(8.6, 1.0, 0.0), 2.4)
            + 0.4 * closeness(v3(0.0, -6.6, 10.4), 1.7)
            + 0.45 * closeness(v3(1.7, 3.2, 9.3), 0.55)
            + 0.3 * cloud(p * 0.55, 3, seed)
            + 0.22 * cloud(p * 2.3, 2, seed + 5);
        let shade = 0.55 * closeness(v3(3.2, 2.2, 9.4), 1.1)
            + 0.5 * closeness(v3(3.1, 4.4, 9.5), 0.9)
            + 0.35 * closeness(v3(1.6, 3.7, 9.3), 0.7);
        let fine = 1.0
            + 0.07 * cloud(p * 1.3, 3, seed + 9)
            + 0.085 * bumps(p * 4.5, seed + 17)
            + 0.08 * bumps(p * 10.0, seed + 18);
        let strength = mix(0.20, 0.07, self.looks.melanin) * (0.6 + 0.8 * self.looks.redness);
        let blood = v3(
            1.0 + 0.10 * blood * strength,
            1.0 - 1.35 * blood * strength,
            1.0 - 1.25 * blood * strength,
        );
        let dark = v3(1.0 - 0.16 * shade, 1.0 - 0.22 * shade, 1.0 - 0.19 * shade);
        self.tone.tint(blood).tint(dark) * fine
    }

    fn with_lines(&self, colour: V3, p: V3) -> V3 {
        colour * (1.0 - 0.30 * self.lines(p).clamp(0.0, 1.0))
    }

    /// Creases: from the nose to the mouth, under the eyes, across the brow, beside the eyes.
    fn lines(&self, p: V3) -> f32 {
        let (x, y, age) = (p.x.abs(), p.y, self.looks.lines);
        let wobble = 0.12 * bumps(p * 1.1, self.looks.seed + 31);
        let fold = {
            let t = ((-0.3 - y) / 3.0).clamp(0.0, 1.0);
            let at = 1.75 + 1.35 * t.powf(1.3) + wobble;
            smooth(0.28, 0.0, (x - at).abs()) * smooth(0.0, -0.6, y) * smooth(-3.9, -2.7, y)
        };
        let bag = {
            let at = 2.15 - 0.32 * (1.0 - ((x - 3.2) / 1.7).powi(2)) + wobble;
            smooth(0.2, 0.0, (y - at).abs()) * smooth(1.6, 2.2, x) * smooth(5.0, 4.0, x)
        };
        let brow: f32 = [7.6, 8.7, 9.8]
            .iter()
            .map(|at| {
                let at = at + 0.25 * bumps(v3(p.x * 0.5, *at, 0.0), self.looks.seed) + wobble;
                smooth(0.16, 0.0, (y - at).abs()) * smooth(4.6, 2.0, x)
            })
            .sum();
        let front = smooth(6.0, 8.0, p.z);
        front * ((0.25 + 0.6 * age) * fold + (0.2 + 0.5 * age) * bag + 0.5 * age * brow)
    }

    fn freckled(&self, colour: V3, p: V3) -> V3 {
        let seed = self.looks.seed;
        let on_face = smooth(3.0, 7.0, p.z) * smooth(-8.5, -5.0, p.y);
        let middle = (-((p.y - 1.5) / 3.5).powi(2)).exp();
        let spot = nearest_spot(p * 2.6, seed + 40);
        let size = 0.14 + 0.16 * (spot.number * 7.0).fract();
        let freckle = smooth(size, 0.3 * size, spot.distance)
            * smooth(1.0 - 0.75 * self.looks.freckles * middle, 1.0, spot.number);
        let mole = nearest_spot(p * 0.42, seed + 41);
        let is_mole = if mole.number > 0.86 { 1.0 } else { 0.0 };
        let mole = is_mole * smooth(0.055, 0.03, mole.distance);
        let red = nearest_spot(p * 0.8, seed + 42);
        let red = smooth(0.2, 0.0, red.distance) * smooth(0.8, 1.0, red.number);
        colour
            .tint(mix3(V3::all(1.0), v3(0.74, 0.60, 0.50), freckle * on_face))
            .tint(mix3(V3::all(1.0), v3(0.42, 0.30, 0.26), mole))
            .tint(mix3(V3::all(1.0), v3(1.0, 0.86, 0.86), red * on_face))
    }

    /// Where a beard grows, `0..=1`.
    fn beard(&self, p: V3) -> f32 {
        let (x, y) = (p.x.abs(), p.y);
        let wobble =
            0.5 * bumps(p * 0.8, self.looks.seed + 50) + 0.3 * bumps(p * 2.0, self.looks.seed + 53);
        let jaw = smooth(-0.6, -2.6, y + wobble - 0.42 * (x - 3.4).max(0.0))
            * smooth(2.6, 4.4, x + wobble + 0.5 * (-y - 3.0).max(0.0));
        let lip = smooth(3.3, 1.9, x + 0.6 * wobble) * smooth(-0.9, -1.9, y + 0.3 * wobble);
        let chin = smooth(4.2, 2.2, x) * smooth(-3.9, -5.6, y + wobble);
        let neck = smooth(-12.0, -9.5, y);
        let side = smooth(1.6, 2.6, p.z);
        (jaw.max(lip).max(chin) * neck * side).clamp(0.0, 1.0)
    }

    fn stubbled(&self, colour: V3, p: V3) -> V3 {
        let beard = self.beard(p) * self.looks.stubble;
        if beard <= 0.0 {
            return colour;
        }
        let grain = nearest_spot(p * 9.0, self.looks.seed + 51);
        let dot = smooth(0.6, 0.15, grain.distance) * (0.4 + 0.6 * grain.number);
        let patch = 0.75 + 0.4 * bumps(p * 1.7, self.looks.seed + 52);
        let shadow = v3(0.70, 0.75, 0.80).tint(colour);
        let shaded = mix3(colour, shadow, (0.8 * beard * patch).clamp(0.0, 1.0));
        mix3(
            shaded,
            self.looks.brow,
            (0.75 * beard * patch * dot).clamp(0.0, 1.0),
        )
    }

    fn lip_colour(&self, p: V3) -> V3 {
        let creases = 1.0 + 0.12 * bumps(v3(p.x * 9.0, p.y * 1.5, p.z), self.looks.seed + 60);
        let natural = self.tone.tint(mix3(
            v3(0.86, 0.52, 0.52),
            v3(0.86, 0.62, 0.66),
            self.looks.melanin,
        ));
        let painted = v3(0.36, 0.075, 0.075) * mix(1.0, 0.45, self.looks.melanin);
        mix3(natural, painted, 0.55 * self.looks.make_up) * creases
    }

    /// Shadow on the lids, a line along the lashes, and colour on the cheeks.
    fn made_up(&self, colour: V3, p: V3) -> V3 {
        let amount = self.looks.make_up;
        let x = p.x.abs();
        let lid =
            smooth(1.15, 0.3, ((x - 3.3) / 1.7).hypot((p.y - 4.15) / 0.75)) * smooth(8.0, 8.7, p.z);
        let cheek = (-(v3(x, p.y, p.z) - v3(5.2, 0.6, 8.0)).length().powi(2) / 3.2).exp();
        colour
            .tint(mix3(V3::all(1.0), v3(0.62, 0.52, 0.52), 0.7 * amount * lid))
            .tint(mix3(
                V3::all(1.0),
                v3(1.0, 0.80, 0.81),
                0.6 * amount * cheek,
            ))
    }

    fn gloss(&self, p: V3, lip: f32) -> f32 {
        let x = p.x.abs();
        let nose =
            (-(x / 1.3).powi(2) - ((p.y - 1.0) / 2.4).powi(2)).exp() * smooth(9.5, 11.0, p.z);
        let brow = (-(x / 3.5).powi(2) - ((p.y - 8.6) / 2.2).powi(2)).exp() * smooth(6.0, 9.0, p.z);
        let cheek = (-(v3(x, p.y, p.z) - v3(4.9, 1.4, 8.4)).length().powi(2) / 2.5).exp();
        let oil = 0.75 + 0.5 * nose + 0.35 * brow + 0.3 * cheek - 0.25 * self.looks.make_up;
        let uneven = 1.0 + 0.35 * cloud(p * 2.0, 3, self.looks.seed + 70);
        mix(oil * uneven, 1.5, lip)
    }

    /// Slope of pores, fine lines and creases, by differences.
    fn slope(&self, p: V3, lip: f32) -> V3 {
        const STEP: f32 = 0.03;
        let height = |q: V3| {
            let pore = 0.010 * bumps(q * 7.0, self.looks.seed + 80)
                + 0.008 * bumps(q * 14.0, self.looks.seed + 81);
            let lip_line = 0.02 * bumps(v3(q.x * 6.0, q.y * 1.2, q.z), self.looks.seed + 60);
            mix(pore, lip_line, lip) - 0.06 * self.lines(q)
        };
        let here = height(p);
        let along = |d: V3| (height(p + d) - here) / STEP;
        v3(
            along(v3(STEP, 0.0, 0.0)),
            along(v3(0.0, STEP, 0.0)),
            along(v3(0.0, 0.0, STEP)),
        )
    }
}

/// Share of red, green and blue that skin reflects.
fn tone(melanin: f32, redness: f32) -> V3 {
    const PALE: V3 = v3(0.62, 0.405, 0.315);
    const DARK: V3 = v3(0.082, 0.042, 0.026);
    let log = |a: f32, b: f32| (mix(a.ln(), b.ln(), melanin)).exp();
    let base = v3(
        log(PALE.x, DARK.x),
        log(PALE.y, DARK.y),
        log(PALE.z, DARK.z),
    );
    base.tint(v3(
        1.0 + 0.02 * redness,
        1.0 - 0.10 * (redness - 0.4),
        1.0 - 0.08 * (redness - 0.4),
    ))
}

/// Gives the distance from a ring in the x-y plane, negative inside.
fn outside(ring: &[[f32; 2]], p: V3) -> f32 {
    let mut nearest = f32::MAX;
    let mut is_inside = false;
    for (i, b) in ring.iter().enumerate() {
        let a = ring[(i + ring.len() - 1) % ring.len()];
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let t = ((p.x - a[0]) * dx + (p.y - a[1]) * dy) / (dx * dx + dy * dy).max(1e-9);
        let t = t.clamp(0.0, 1.0);
        nearest = nearest.min((p.x - a[0] - t * dx).hypot(p.y - a[1] - t * dy));
        if (a[1] > p.y) != (b[1] > p.y) && p.x < a[0] + (p.y - a[1]) / dy * dx {
            is_inside = !is_inside;
        }
    }
    if is_inside { -nearest } else { nearest }
}
