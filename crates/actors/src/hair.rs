//! Hair of the scalp, strand by strand.

use super::cast::{Costume, HairStyle};
use super::head::{Head, Material, Triangle};
use super::noise::{bumps, chance};
use super::space::{V3, mix, mix3, smooth, v3};

/// Points of a strand of the scalp.
pub(crate) const N_POINTS: usize = 12;

/// Hair of the scalp: it keeps its shape and moves with the head.
pub(crate) struct Hair {
    /// [`N_POINTS`] of each strand in turn, on the head at rest.
    pub(crate) points: Vec<V3>,
    /// Outwards from the skull, one for each point.
    pub(crate) normals: Vec<V3>,
    /// Colour of each strand.
    pub(crate) colours: Vec<V3>,
}

/// Says how deep inside the hairline a place of the template head lies: above 0 grows hair.
pub(crate) fn scalp(p: V3) -> f32 {
    let (x, y) = (p.x.abs(), p.y);
    let wave = 0.35 * bumps(p * 0.7, 3) + 0.25 * bumps(p * 2.2, 4);
    if y > 3.2 {
        // The edge runs up the temple, back a little at the corner, and over the forehead.
        let edge = if y < 7.8 {
            mix(3.7, 4.0, (y - 3.2) / 4.6)
        } else {
            4.0 + 4.9 * smooth(7.8, 11.0, y) - 0.10 * (x - 3.0).max(0.0) * (11.0 - y).max(0.0)
        };
        let beyond = if y > 10.8 { 8.0 * (y - 10.8) } else { 0.0 };
        return 0.8 * (edge + beyond + wave - p.z);
    }
    let sideburn = (1.0 - (p.z - 2.9).abs() * 1.2).min(y - 0.4) + wave;
    let nape = (-2.6 - p.z + wave).min(0.7 * (y + 7.5 + wave));
    nape.max(if x > 6.3 { sideburn.min(0.9) } else { -1.0 })
}

/// Grows the hair of a costume on a person at rest.
pub(crate) fn grow(head: &Head, rest: &[V3], costume: &Costume) -> Hair {
    let skull = Skull::of(head, rest);
    let n_strands = match costume.hair {
        HairStyle::Short => 17_000,
        HairStyle::Back => 15_000,
        HairStyle::Long => 13_000,
    };
    let fits = |t: &Triangle| matches!(t.material, Material::Face | Material::Back);
    let roots = scatter(head, costume.seed, n_strands, fits, |p| {
        smooth(-0.1, 0.9, scalp(p))
    });
    let mut hair = Hair {
        points: Vec::with_capacity(roots.len() * N_POINTS),
        normals: Vec::with_capacity(roots.len() * N_POINTS),
        colours: Vec::with_capacity(roots.len()),
    };
    for (i, root) in roots.iter().enumerate() {
        let strand = Strand {
            style: costume.hair,
            seed: costume.seed,
            number: i as u32,
            root: root.on(rest),
            template: root.on(&head.neutral),
        };
        let points = strand.grow(&skull);
        for (j, &p) in points.iter().enumerate() {
            hair.points.push(p);
            hair.normals.push(strand.normal(&points, j));
        }
        let of_strand = 0.72 + 0.56 * chance(i as u32, costume.seed + 3);
        let of_lock = 1.0 + 0.25 * bumps(root.on(&head.neutral) * 1.1, costume.seed + 4);
        hair.colours
            .push(costume.hair_colour * (of_strand * of_lock));
    }
    hair
}

/// A place on a triangle of the mesh.
pub(crate) struct Root {
    pub(crate) corners: [u32; 3],
    pub(crate) weights: [f32; 3],
}

impl Root {
    pub(crate) fn on(&self, vertices: &[V3]) -> V3 {
        let parts = self.corners.iter().zip(self.weights);
        parts.fold(V3::ZERO, |sum, (&c, w)| sum + vertices[c as usize] * w)
    }
}

/// Scatters about `n` places over the triangles that fit, as densely as `density` says.
pub(crate) fn scatter(
    head: &Head,
    seed: u32,
    n: usize,
    fits: impl Fn(&Triangle) -> bool,
    density: impl Fn(V3) -> f32,
) -> Vec<Root> {
    let corners = |t: &Triangle| t.corners.map(|c| head.neutral[c as usize]);
    let area = |t: &Triangle| {
        let [a, b, c] = corners(t);
        let at_middle = density((a + b + c) * (1.0 / 3.0));
        0.5 * (b - a).cross(c - a).length() * at_middle
    };
    let areas: Vec<f32> = head
        .triangles
        .iter()
        .map(|t| if fits(t) { area(t) } else { 0.0 })
        .collect();
    let per_area = n as f32 / areas.iter().sum::<f32>().max(1e-6);
    let mut roots = Vec::with_capacity(n);
    let mut owed = 0.0;
    for (t, area) in head.triangles.iter().zip(areas) {
        owed += area * per_area;
        while owed >= 1.0 {
            owed -= 1.0;
            let counter = 2 * roots.len() as u32;
            let (u, v) = (chance(counter, seed), chance(counter + 1, seed));
            let (u, v) = if u + v > 1.0 {
                (1.0 - u, 1.0 - v)
            } else {
                (u, v)
            };
            roots.push(Root {
                corners: t.corners,
                weights: [1.0 - u - v, u, v],
            });
        }
    }
    roots
}

/// How far the head reaches from its middle in each direction.
struct Skull {
    reach: Vec<f32>,
}

const MIDDLE: V3 = v3(0.0, 4.5, 0.5);
const ROWS: usize = 24;
const COLUMNS: usize = 48;

impl Skull {
    fn of(head: &Head, rest: &[V3]) -> Self {
        let mut reach = vec![0.0_f32; ROWS * COLUMNS];
        for (p, at_rest) in rest[..head.n_skin].iter().zip(&head.neutral) {
            if at_rest.x.abs() < 7.9 && at_rest.y > -9.0 {
                let i = Self::cell(*p - MIDDLE);
                reach[i] = reach[i].max((*p - MIDDLE).length());
            }
        }
        for _ in 0..12 {
            let old = reach.clone();
            for i in 0..reach.len() {
                if old[i] <= 0.0 {
                    let (row, column) = (i / COLUMNS, i % COLUMNS);
                    let around = [
                        old[row * COLUMNS + (column + 1) % COLUMNS],
                        old[row * COLUMNS + (column + COLUMNS - 1) % COLUMNS],
                        old[row.saturating_sub(1) * COLUMNS + column],
                        old[(row + 1).min(ROWS - 1) * COLUMNS + column],
                    ];
                    reach[i] = around.into_iter().fold(0.0, f32::max);
                }
            }
        }
        Self { reach }
    }

    fn place(d: V3) -> (f32, f32) {
        let d = d.unit();
        let row = (1.0 - d.y.clamp(-1.0, 1.0).acos() / std::f32::consts::PI) * ROWS as f32;
        let turn = d.x.atan2(d.z) / std::f32::consts::TAU + 0.5;
        (row, turn * COLUMNS as f32)
    }

    fn cell(d: V3) -> usize {
        let (row, column) = Self::place(d);
        (row as usize).min(ROWS - 1) * COLUMNS + (column as usize) % COLUMNS
    }

    /// Distance to the surface in the direction `d`, between the cells around.
    fn reach(&self, d: V3) -> f32 {
        let (row, column) = Self::place(d);
        let (row, column) = (row - 0.5, column - 0.5 + COLUMNS as f32);
        let (fr, fc) = (row - row.floor(), column - column.floor());
        let at = |r: f32, c: f32| {
            let r = (r.max(0.0) as usize).min(ROWS - 1);
            self.reach[r * COLUMNS + c as usize % COLUMNS]
        };
        let (r, c) = (row.floor(), column.floor());
        let upper = mix(at(r, c), at(r, c + 1.0), fc);
        let lower = mix(at(r + 1.0, c), at(r + 1.0, c + 1.0), fc);
        mix(upper, lower, fr)
    }
}

struct Strand {
    style: HairStyle,
    seed: u32,
    number: u32,
    root: V3,
    /// The root on the template head.
    template: V3,
}

impl Strand {
    fn chance(&self, what: u32) -> f32 {
        chance(self.number, self.seed.wrapping_add(100 * what))
    }

    /// How much of the hair's top this is: 1 on the crown, 0 at the sides.
    fn top(&self) -> f32 {
        smooth(8.5, 11.8, self.template.y)
    }

    fn length(&self) -> f32 {
        let own = 0.75 + 0.4 * self.chance(1);
        let lock = 1.0 + 0.25 * bumps(self.template * 0.9, self.seed + 8);
        let hem = smooth(-0.2, 1.2, scalp(self.template));
        match self.style {
            HairStyle::Short => {
                let sides = mix(0.7, 1.9, smooth(2.0, 9.0, self.template.y));
                mix(sides, 5.0, self.top()) * own * lock * mix(0.5, 1.0, hem)
            }
            HairStyle::Long => {
                // All end at about the same height, whatever their way there.
                let way = 12.0 + 1.0 * (self.template.y + 2.0).max(0.0);
                if scalp(self.template) < 0.5 && self.chance(8) < 0.45 {
                    return 1.2 + 3.5 * self.chance(10); // Young hair along the hairline.
                }
                way * (0.86 + 0.2 * self.chance(1)) * lock.clamp(0.9, 1.1)
            }
            HairStyle::Back => 9.0 * own,
        }
    }

    /// Where the hair is combed at a place, before it is bent to the skull.
    fn combed(&self, p: V3, along: f32) -> V3 {
        let side = if self.root.x > -2.6 { 1.0 } else { -1.0 };
        match self.style {
            HairStyle::Short => {
                let top = v3(0.45, 0.35 * (1.0 - along), 0.75);
                let sides = v3(0.0, -1.0, -0.35);
                mix3(sides, top, self.top())
            }
            HairStyle::Long => {
                // Off the forehead, but for a stray strand here and there.
                let front = if self.chance(9) < 0.02 {
                    0.0
                } else {
                    smooth(3.5, 7.5, p.z)
                };
                let fall = smooth(12.8, 9.5, p.y) * (1.0 - front);
                let away = v3(side, 0.0, -0.55);
                let down = v3(0.06 * side, -1.0, -0.30 + 0.3 * along);
                mix3(away, down, fall)
            }
            HairStyle::Back => v3(0.0, 0.25, -1.0) + v3(0.0, -0.9, 0.0) * smooth(2.0, -6.0, p.z),
        }
    }

    /// How far above the skin the strand lies.
    fn lift(&self, along: f32) -> f32 {
        let layer = self.chance(2);
        match self.style {
            HairStyle::Short => {
                let top = self.top();
                let lock = 0.5 + 0.5 * bumps(self.template * 0.8, self.seed + 9);
                mix(
                    0.12 + 0.5 * layer,
                    0.5 + (1.5 + 0.9 * lock) * (along * 1.8).min(1.0) * (0.4 + 0.6 * layer),
                    top,
                )
            }
            HairStyle::Long => {
                let body = 0.25 + 0.95 * layer;
                body * smooth(0.0, 0.12, along) + 0.8 * along * layer
            }
            HairStyle::Back => 0.15 + 0.75 * layer * smooth(0.0, 0.25, along),
        }
    }

    fn grow(&self, skull: &Skull) -> [V3; N_POINTS] {
        let step = self.length() / (N_POINTS - 1) as f32;
        let mut points = [self.root; N_POINTS];
        let outwards = (self.root - MIDDLE).unit();
        let mut direction = (outwards + self.combed(self.root, 0.0)).unit();
        let lock = self.template * 0.9;
        for j in 1..N_POINTS {
            let along = j as f32 / (N_POINTS - 1) as f32;
            let p = points[j - 1];
            let place = lock + v3(0.0, 0.0, 3.0 * along);
            let stray = v3(
                bumps(place, self.seed + 11),
                0.5 * bumps(place, self.seed + 12),
                bumps(place, self.seed + 13),
            ) * 0.30
                + v3(
                    self.chance(5) - 0.5,
                    self.chance(6) - 0.5,
                    self.chance(7) - 0.5,
                ) * 0.30;
            let mut wanted = self.combed(p, along) + stray;
            if p.y > 1.0 {
                // Combed hair follows the skull; only its lift takes it further out.
                let up = (p - MIDDLE).unit();
                wanted = wanted - up * (0.85 * wanted.dot(up).max(0.0));
            }
            direction = mix3(direction, wanted, 0.6).unit();
            let mut next = p + direction * step;
            let d = next - MIDDLE;
            let floor = skull.reach(d) + self.lift(along);
            let is_near = next.y > -8.0;
            if is_near && d.length() < floor {
                next = MIDDLE + d.unit() * floor;
            } else if is_near && next.y > 0.0 {
                let above = d.length() - floor;
                next = next - d.unit() * (above * 0.6);
            }
            direction = (next - p).unit();
            points[j] = p + direction * step;
        }
        points
    }

    /// Outwards, bent towards what the strand shows from the side.
    fn normal(&self, points: &[V3; N_POINTS], j: usize) -> V3 {
        let p = points[j];
        let axis = v3(MIDDLE.x, p.y.min(MIDDLE.y + 2.0), MIDDLE.z - 1.0);
        let tangent = (points[(j + 1).min(N_POINTS - 1)] - points[j.max(1) - 1]).unit();
        let out = p - axis;
        (out - tangent * out.dot(tangent)).unit()
    }
}
