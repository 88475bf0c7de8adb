//! Light: a sky of nine spherical-harmonic coefficients a colour, and one area light.
//!
//! The sky is kept as a polynomial of second degree in the direction, which is the same thing and
//! turns easily: radiance = c + a·d + dᵀQd with a traceless Q.

use super::raster::{Ball, DepthMap};
use super::space::{Turn, V3, v3};

/// Radiance from every direction, low frequencies only.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sky {
    constant: V3,
    /// Colours along x, y, z.
    linear: [V3; 3],
    /// Colours of xx, yy, zz, xy, xz, yz.
    square: [V3; 6],
}

/// How much a point sees of each part of the sky: moments of the visible cosine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SkyView([f32; 10]);

impl Sky {
    /// Adds light of a clamped-cosine lobe around a direction.
    pub(crate) fn add(&mut self, towards: V3, colour: V3) {
        let d = towards.unit();
        self.constant += colour * 0.25;
        for (part, along) in self.linear.iter_mut().zip(d.to_array()) {
            *part += colour * (0.5 * along);
        }
        let third = 1.0 / 3.0;
        let parts = [
            d.x * d.x - third,
            d.y * d.y - third,
            d.z * d.z - third,
            2.0 * d.x * d.y,
            2.0 * d.x * d.z,
            2.0 * d.y * d.z,
        ];
        for (part, along) in self.square.iter_mut().zip(parts) {
            *part += colour * (15.0 / 32.0 * along);
        }
    }

    /// Adds the same light from everywhere.
    pub(crate) fn add_everywhere(&mut self, colour: V3) {
        self.constant += colour;
    }

    fn sum(&self, bands: [f32; 3], d: V3) -> V3 {
        let mut sum = self.constant * bands[0];
        for (part, along) in self.linear.iter().zip(d.to_array()) {
            sum += *part * (bands[1] * along);
        }
        for (part, along) in self.square.iter().zip(squares(d)) {
            sum += *part * (bands[2] * along);
        }
        sum.map(|c| c.max(0.0))
    }

    /// Gives the light that comes from a direction.
    pub(crate) fn radiance(&self, from: V3) -> V3 {
        self.sum([1.0; 3], from)
    }

    /// Gives the light on a surface that sees the whole half of the sky, over π.
    pub(crate) fn irradiance(&self, normal: V3) -> V3 {
        self.sum([1.0, 2.0 / 3.0, 0.25], normal)
    }

    /// Gives the light on a point that sees a part of the sky, over π.
    pub(crate) fn onto(&self, view: &SkyView) -> V3 {
        let t = &view.0;
        let mut sum = self.constant * t[0];
        for (part, t) in self.linear.iter().zip(&t[1..4]) {
            sum += *part * *t;
        }
        for (part, t) in self.square.iter().zip(&t[4..]) {
            sum += *part * *t;
        }
        sum.map(|c| c.max(0.0))
    }

    /// Gives the same sky in the axes of something that was turned.
    pub(crate) fn seen_from(&self, turn: &Turn) -> Self {
        let axes = [v3(1.0, 0.0, 0.0), v3(0.0, 1.0, 0.0), v3(0.0, 0.0, 1.0)]
            .map(|axis| turn.apply(axis).to_array());
        let q = |i: usize, j: usize| {
            const PLACE: [[usize; 3]; 3] = [[0, 3, 4], [3, 1, 5], [4, 5, 2]];
            let half = if i == j { 1.0 } else { 0.5 };
            self.square[PLACE[i][j]] * half
        };
        let turned = |a: usize, b: usize| {
            let mut sum = V3::ZERO;
            for i in 0..3 {
                for j in 0..3 {
                    sum += q(i, j) * (axes[a][i] * axes[b][j]);
                }
            }
            sum
        };
        let linear = axes.map(|axis| {
            let parts = self.linear.iter().zip(axis);
            parts.fold(V3::ZERO, |sum, (part, along)| sum + *part * along)
        });
        let off = |a, b| turned(a, b) * 2.0;
        Self {
            constant: self.constant,
            linear,
            square: [
                turned(0, 0),
                turned(1, 1),
                turned(2, 2),
                off(0, 1),
                off(0, 2),
                off(1, 2),
            ],
        }
    }

    /// Gives the nine real spherical-harmonic coefficients of each colour, in the usual order.
    pub(crate) fn coefficients(&self) -> [[f32; 9]; 3] {
        let of = |pick: fn(V3) -> f32| {
            let l = self.linear.map(pick);
            let s = self.square.map(pick);
            [
                pick(self.constant) / 0.282_095,
                l[1] / 0.488_603,
                l[2] / 0.488_603,
                l[0] / 0.488_603,
                s[3] / 1.092_548,
                s[5] / 1.092_548,
                0.5 * s[2] / 0.315_392,
                s[4] / 1.092_548,
                0.5 * (s[0] - s[1]) / 0.546_274,
            ]
        };
        [of(|c| c.x), of(|c| c.y), of(|c| c.z)]
    }
}

fn squares(d: V3) -> [f32; 6] {
    [
        d.x * d.x,
        d.y * d.y,
        d.z * d.z,
        d.x * d.y,
        d.x * d.z,
        d.y * d.z,
    ]
}

/// A round lamp or window far away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lamp {
    /// Direction to its middle.
    pub(crate) towards: V3,
    /// Radius as seen, in radians.
    pub(crate) radius: f32,
    /// Light on a surface that faces it, over π.
    pub(crate) colour: V3,
}

impl Lamp {
    /// Gives directions spread over the disc, for soft shadows.
    pub(crate) fn points<const N: usize>(&self) -> [V3; N] {
        let towards = self.towards.unit();
        let right = v3(0.0, 1.0, 0.0).cross(towards).unit();
        let up = towards.cross(right);
        std::array::from_fn(|i| {
            let (sin, cos) = (2.399_963 * i as f32 + 0.7).sin_cos();
            let r = self.radius * ((i as f32 + 0.5) / N as f32).sqrt();
            (towards + right * (r * cos) + up * (r * sin)).unit()
        })
    }
}

/// Directions used to see how much sky each point has.
const N_DIRECTIONS: usize = 80;
const MAP_SIDE: usize = 160;

/// Finds how much of the sky each point sees past `triangles` and `dots`.
pub(crate) fn sky_views(
    points: &[(V3, V3)],
    triangles: &[[V3; 3]],
    dots: &[V3],
    around: Ball,
) -> Vec<SkyView> {
    let mut all = vec![SkyView::default(); points.len()];
    for i in 0..N_DIRECTIONS {
        let towards = spread(i, N_DIRECTIONS);
        let mut map = DepthMap::new(towards, around, MAP_SIDE);
        for triangle in triangles {
            let placed = triangle.map(|p| map.place(p));
            map.triangle(placed);
        }
        for &dot in dots {
            let placed = map.place(dot);
            map.dot(placed);
        }
        let moments = squares(towards);
        for ((p, normal), view) in points.iter().zip(&mut all) {
            let cosine = normal.dot(towards);
            if cosine <= 0.0 {
                continue;
            }
            let lit = map.lit(*p + *normal * 0.25, 0.2);
            let share = 4.0 / N_DIRECTIONS as f32 * cosine * lit;
            view.0[0] += share;
            for (t, d) in view.0[1..4].iter_mut().zip(towards.to_array()) {
                *t += share * d;
            }
            for (t, d) in view.0[4..].iter_mut().zip(moments) {
                *t += share * d;
            }
        }
    }
    all
}

/// Gives the `i`th of `n` directions spread evenly (Fibonacci lattice).
fn spread(i: usize, n: usize) -> V3 {
    let y = 1.0 - 2.0 * (i as f32 + 0.5) / n as f32;
    let (sin, cos) = (2.399_963_2 * i as f32).sin_cos();
    let r = (1.0 - y * y).sqrt();
    v3(r * cos, y, r * sin)
}

impl SkyView {
    /// Says how open the place is, `0..=1`.
    pub(crate) fn openness(&self) -> f32 {
        self.0[0].min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sky() -> Sky {
        let mut sky = Sky::default();
        sky.add(v3(0.3, 0.9, 0.2), v3(1.0, 0.8, 0.6));
        sky.add(v3(-0.8, 0.1, 0.5), v3(0.2, 0.3, 0.6));
        sky.add_everywhere(V3::all(0.3));
        sky
    }

    #[test]
    fn a_point_in_the_open_gets_the_whole_irradiance() {
        let points = [V3::ZERO; 1].map(|p| (p, v3(0.2, 0.7, 0.68).unit()));
        let around = Ball {
            middle: V3::ZERO,
            radius: 10.0,
        };
        let sky_views = sky_views(&points, &[], &[], around);
        let (seen, exact) = (sky().onto(&sky_views[0]), sky().irradiance(points[0].1));
        assert!(
            (seen - exact).length() < 0.03 * exact.length(),
            "{seen:?} {exact:?}"
        );
    }

    #[test]
    fn a_turned_sky_gives_the_same_light_to_what_turns_with_it() {
        let turn = Turn::new(0.5, -0.3, 0.2);
        let d = v3(0.1, 0.5, -0.8).unit();
        let there = sky().seen_from(&turn).radiance(d);
        let here = sky().radiance(turn.apply(d));
        assert!((there - here).length() < 1e-5);
    }

    #[test]
    fn coefficients_reproduce_the_radiance() {
        let d = v3(0.6, -0.2, 0.77).unit();
        let c = sky().coefficients()[1];
        let basis = [
            0.282_095,
            0.488_603 * d.y,
            0.488_603 * d.z,
            0.488_603 * d.x,
            1.092_548 * d.x * d.y,
            1.092_548 * d.y * d.z,
            0.315_392 * (3.0 * d.z * d.z - 1.0),
            1.092_548 * d.x * d.z,
            0.546_274 * (d.x * d.x - d.y * d.y),
        ];
        let sum: f32 = c.iter().zip(basis).map(|(c, b)| c * b).sum();
        assert!((sum - sky().radiance(d).y).abs() < 1e-4);
    }
}
