//! A pullover: a collar and a torso, lofted through rings around the body.

use super::noise::{bumps, cloud};
use super::space::{V3, smooth, v3};

/// Points around each ring.
const N_AROUND: usize = 72;
const N_RINGS: usize = 30;

/// The mesh of what an actor wears.
pub(crate) struct Wear {
    pub(crate) vertices: Vec<V3>,
    pub(crate) triangles: Vec<[u32; 3]>,
}

/// A ring around the body: half width, half depth, how far back its middle lies, and its height
/// at the sides, in front and behind.
struct Ring {
    wide: f32,
    deep: f32,
    back: f32,
    side: f32,
    front: f32,
    behind: f32,
}

const fn ring(sizes: [f32; 3], heights: [f32; 3]) -> Ring {
    Ring {
        wide: sizes[0],
        deep: sizes[1],
        back: sizes[2],
        side: heights[0],
        front: heights[1],
        behind: heights[2],
    }
}

const RINGS: [Ring; 8] = [
    ring([6.5, 6.0, -2.3], [-12.9, -16.3, -10.6]),
    ring([7.0, 6.6, -2.2], [-12.2, -15.6, -10.0]),
    ring([7.9, 7.4, -2.2], [-12.9, -16.8, -11.2]),
    ring([12.5, 8.8, -2.6], [-15.0, -20.5, -14.5]),
    ring([17.5, 10.2, -3.0], [-17.0, -25.5, -18.5]),
    ring([20.8, 11.8, -3.2], [-20.6, -31.0, -24.0]),
    ring([22.6, 12.6, -3.2], [-30.0, -40.0, -34.0]),
    ring([23.0, 13.0, -3.2], [-66.0, -66.0, -66.0]),
];

impl Ring {
    fn mix(&self, o: &Self, t: f32) -> Self {
        let m = super::space::mix;
        Self {
            wide: m(self.wide, o.wide, t),
            deep: m(self.deep, o.deep, t),
            back: m(self.back, o.back, t),
            side: m(self.side, o.side, t),
            front: m(self.front, o.front, t),
            behind: m(self.behind, o.behind, t),
        }
    }

    fn at(&self, turn: f32) -> V3 {
        let (sin, cos) = turn.sin_cos();
        // Between an ellipse and a rounded box.
        let round = |x: f32| x.signum() * x.abs().powf(0.86);
        let to_front = if cos > 0.0 { self.front } else { self.behind };
        let height = self.side + (to_front - self.side) * cos * cos;
        v3(
            self.wide * round(sin),
            height,
            self.back + self.deep * round(cos),
        )
    }
}

/// Cuts a pullover; `seed` decides its folds.
pub(crate) fn pullover(seed: u32, fit: &Fit) -> Wear {
    let mut vertices = Vec::with_capacity(N_AROUND * N_RINGS);
    for i in 0..N_RINGS {
        let t = i as f32 / (N_RINGS - 1) as f32;
        let at = t.powf(1.25) * (RINGS.len() - 1) as f32;
        let k = (at as usize).min(RINGS.len() - 2);
        let ring = RINGS[k].mix(&RINGS[k + 1], at - k as f32);
        for j in 0..N_AROUND {
            let p = ring.at(std::f32::consts::TAU * j as f32 / N_AROUND as f32);
            let loose = smooth(-15.0, -24.0, p.y);
            let folds = cloud(v3(p.x * 0.16, p.y * 0.10, p.z * 0.16), 3, seed)
                + 0.5 * bumps(v3(p.x * 0.5 + 0.3 * p.y, p.y * 0.18, p.z * 0.3), seed + 7);
            let out = v3(p.x, 0.0, p.z + 2.0).unit();
            let p = fit.apply(p);
            vertices.push(p + out * (folds * (0.25 + 0.9 * loose)));
        }
    }
    let mut triangles = Vec::new();
    for i in 0..N_RINGS - 1 {
        for j in 0..N_AROUND {
            let next = (j + 1) % N_AROUND;
            let [a, b] = [i * N_AROUND + j, i * N_AROUND + next].map(|v| v as u32);
            let [c, d] = [a + N_AROUND as u32, b + N_AROUND as u32];
            triangles.push([a, c, b]);
            triangles.push([b, c, d]);
        }
    }
    Wear {
        vertices,
        triangles,
    }
}

/// How the body of the person whom the pullover was cut for differs from the template.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    shift: V3,
    wider: f32,
}

impl Fit {
    /// Measures around the neck.
    pub(crate) fn measure(template: &[V3], person: &[V3]) -> Self {
        let is_neck = |p: &V3| (-15.0..-11.0).contains(&p.y) && p.x.abs() < 8.0;
        let neck = || template.iter().zip(person).filter(|(t, _)| is_neck(t));
        let (mut sum, mut n, mut of_template, mut of_person) = (V3::ZERO, 0.0, 0.0, 0.0);
        for (t, p) in neck() {
            sum += *p - *t;
            n += 1.0;
            of_template += t.x.abs();
            of_person += p.x.abs();
        }
        Self {
            shift: v3(0.0, 1.0, 1.0).tint(sum * (1.0 / f32::max(n, 1.0))),
            wider: of_person / f32::max(of_template, 1.0),
        }
    }

    fn apply(&self, p: V3) -> V3 {
        let near_neck = smooth(-26.0, -16.0, p.y);
        let wider = 1.0 + (self.wider - 1.0) * near_neck;
        v3(p.x * wider, p.y, p.z * wider) + self.shift
    }
}

/// How far out a place of the template lies: 1 on the collar.
fn outwards(p: V3) -> f32 {
    let collar = &RINGS[2];
    (p.x / collar.wide).hypot((p.z - collar.back) / collar.deep)
}

/// Says whether skin at a place of the template head lies well under the pullover.
pub(crate) fn covers(p: V3) -> bool {
    p.y < -17.6 || (p.y < -12.5 && outwards(p) > 1.9)
}

/// Tucks skin of the shoulders under the pullover: where it must go from its place on the
/// template.
pub(crate) fn tucked(p: V3) -> V3 {
    let out = outwards(p) - 0.92;
    if out <= 0.0 || p.y > -7.0 || p.z > 5.0 {
        return V3::ZERO;
    }
    let amount = smooth(-7.0, -10.0, p.y);
    let inwards = v3(-p.x, 0.0, RINGS[2].back - p.z) * (out / (out + 0.92));
    (inwards + v3(0.0, -7.0 * out, 0.0)) * amount
}

/// Share of light that the knitted cloth gives back at a place, about 1.
pub(crate) fn knit(p: V3, strength: f32, seed: u32) -> f32 {
    let turn = p.x.atan2(p.z + 2.0) * 9.0;
    let ribs = (turn * 6.5).sin() * (p.y * 5.5 + 0.6 * (turn * 6.5).cos()).sin();
    let yarn = 0.6 * bumps(p * 3.2, seed) + 0.4 * bumps(p * 8.0, seed + 1);
    1.0 + strength * (0.16 * ribs + 0.22 * yarn) + 0.06 * yarn
}
