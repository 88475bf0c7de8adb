//! Fewer triangles for nearly the same head: edges are collapsed onto one of their ends.
//!
//! What a collapse costs is told by quadrics (Garland and Heckbert, "Surface simplification using
//! quadric error metrics", SIGGRAPH 1997), added up over several poses of the mesh, so that lids and
//! lips keep the vertices by which they move. As vertices only vanish and never move, every shape of
//! the head is that of the vertices that are left.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

/// A triangle, and where each corner lies in the texture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facet<P> {
    pub(super) corners: [u32; 3],
    pub(super) uv: [[f32; 2]; 3],
    /// What it shows.
    pub(super) part: P,
}

/// How much a boundary resists against how much a surface does.
const RIM: f64 = 20.0;
/// Triangles may not turn further than this, as the cosine.
const LEAST_COSINE: f64 = 0.3;

type Point = [f64; 3];

/// Collapses edges until `n_wanted` vertices are in use.
///
/// `poses` are places of all vertices, pose by pose; `importance` is one number a vertex.
pub(super) fn decimate<P: Copy>(
    facets: &[Facet<P>],
    poses: &[Vec<[f32; 3]>],
    importance: &[f32],
    n_wanted: usize,
) -> Vec<Facet<P>> {
    let mut mesh = Mesh::new(facets, poses, importance);
    let mut left = mesh.around.iter().filter(|of| !of.is_empty()).count();
    let mut queue = BinaryHeap::new();
    for v in 0..mesh.around.len() as u32 {
        mesh.offer(v, &mut queue);
    }
    while left > n_wanted
        && let Some(next) = queue.pop()
    {
        let is_stale = mesh.age[next.from as usize] != next.ages[0]
            || mesh.age[next.onto as usize] != next.ages[1];
        if is_stale || !mesh.may_collapse(next.from, next.onto) {
            continue;
        }
        mesh.collapse(next.from, next.onto);
        left -= 1;
        for v in mesh.neighbours(next.onto) {
            mesh.age[v as usize] += 1;
        }
        mesh.age[next.onto as usize] += 1;
        let again = mesh.neighbours(next.onto);
        mesh.offer(next.onto, &mut queue);
        again.into_iter().for_each(|v| mesh.offer(v, &mut queue));
    }
    let kept = mesh.facets.iter().zip(&mesh.is_alive);
    kept.filter(|(_, alive)| **alive).map(|(f, _)| *f).collect()
}

struct Mesh<P> {
    facets: Vec<Facet<P>>,
    is_alive: Vec<bool>,
    /// Of each vertex: the facets that use it.
    around: Vec<Vec<u32>>,
    poses: Vec<Vec<Point>>,
    /// Of each vertex, pose by pose.
    quadrics: Vec<Vec<Quadric>>,
    /// Counts up when what a vertex costs has changed.
    age: Vec<u32>,
}

impl<P: Copy> Mesh<P> {
    fn new(facets: &[Facet<P>], poses: &[Vec<[f32; 3]>], importance: &[f32]) -> Self {
        let n = poses[0].len();
        let mut around = vec![Vec::new(); n];
        for (i, facet) in facets.iter().enumerate() {
            for &c in &facet.corners {
                around[c as usize].push(i as u32);
            }
        }
        let wide = |pose: &Vec<[f32; 3]>| pose.iter().map(|p| p.map(f64::from)).collect();
        let mut mesh = Self {
            facets: facets.to_vec(),
            is_alive: vec![true; facets.len()],
            around,
            poses: poses.iter().map(wide).collect(),
            quadrics: vec![vec![Quadric::default(); poses.len()]; n],
            age: vec![0; n],
        };
        mesh.measure(importance);
        mesh
    }

    fn measure(&mut self, importance: &[f32]) {
        for facet in self.facets.clone() {
            for k in 0..self.poses.len() {
                let [a, b, c] = facet.corners.map(|i| self.poses[k][i as usize]);
                let normal = cross(minus(b, a), minus(c, a));
                let area = length(normal);
                if area <= 0.0 {
                    continue;
                }
                let unit = normal.map(|x| x / area);
                for v in facet.corners {
                    let weight = area * f64::from(importance[v as usize]);
                    self.quadrics[v as usize][k].add_plane(unit, a, weight);
                }
                for j in 0..3 {
                    let (v, w) = (facet.corners[j], facet.corners[(j + 1) % 3]);
                    if self.edge(v, w).len() > 1 {
                        continue;
                    }
                    let [p, q] = [v, w].map(|i| self.poses[k][i as usize]);
                    let side = cross(minus(q, p), unit);
                    let long = length(side).max(1e-12);
                    let across = side.map(|x| x / long);
                    for end in [v, w] {
                        let weight = RIM * long * long * f64::from(importance[end as usize]);
                        self.quadrics[end as usize][k].add_plane(across, p, weight);
                    }
                }
            }
        }
    }

    /// Facets that have both vertices.
    fn edge(&self, a: u32, b: u32) -> Vec<u32> {
        let of = self.around[a as usize].iter().copied();
        of.filter(|&f| self.facets[f as usize].corners.contains(&b))
            .collect()
    }

    fn neighbours(&self, v: u32) -> Vec<u32> {
        let of = self.around[v as usize].iter();
        let mut all: Vec<u32> = of.flat_map(|&f| self.facets[f as usize].corners).collect();
        all.sort_unstable();
        all.dedup();
        all.retain(|&other| other != v);
        all
    }

    fn is_on_rim(&self, v: u32) -> bool {
        let mut ends = self.neighbours(v).into_iter();
        ends.any(|other| self.edge(v, other).len() == 1)
    }

    fn offer(&self, from: u32, queue: &mut BinaryHeap<Collapse>) {
        for onto in self.neighbours(from) {
            let cost = (0..self.poses.len()).map(|k| {
                let place = self.poses[k][onto as usize];
                self.quadrics[from as usize][k].at(place)
            });
            queue.push(Collapse {
                cost: cost.sum(),
                from,
                onto,
                ages: [from, onto].map(|v| self.age[v as usize]),
            });
        }
    }

    fn may_collapse(&self, from: u32, onto: u32) -> bool {
        let shared = self.edge(from, onto);
        if shared.is_empty() || shared.len() > 2 {
            return false;
        }
        if self.is_on_rim(from) && shared.len() == 2 {
            return false;
        }
        let (of, other) = (self.neighbours(from), self.neighbours(onto));
        let common = of.iter().filter(|v| other.contains(v)).count();
        common == shared.len() && self.texture_follows(from, onto) && self.nothing_flips(from, onto)
    }

    /// Where the texture of `from` goes when it becomes `onto`, by the facets that have both.
    fn texture_map(&self, from: u32, onto: u32) -> Vec<([f32; 2], [f32; 2])> {
        let uv_of = |f: u32, v: u32| {
            let facet = &self.facets[f as usize];
            let corner = facet.corners.iter().position(|&c| c == v).unwrap_or(0);
            facet.uv[corner]
        };
        let shared = self.edge(from, onto).into_iter();
        shared.map(|f| (uv_of(f, from), uv_of(f, onto))).collect()
    }

    fn texture_follows(&self, from: u32, onto: u32) -> bool {
        let map = self.texture_map(from, onto);
        let mut around = self.around[from as usize].iter();
        around.all(|&f| {
            let facet = &self.facets[f as usize];
            let mut corners = facet.corners.iter().zip(&facet.uv);
            corners.all(|(&c, uv)| c != from || map.iter().any(|(a, _)| a == uv))
        })
    }

    fn nothing_flips(&self, from: u32, onto: u32) -> bool {
        let mut around = self.around[from as usize].iter();
        around.all(|&f| {
            let corners = self.facets[f as usize].corners;
            if corners.contains(&onto) {
                return true;
            }
            let moved = corners.map(|c| if c == from { onto } else { c });
            (0..self.poses.len()).all(|k| {
                let [before, after] = [corners, moved].map(|t| {
                    let [a, b, c] = t.map(|i| self.poses[k][i as usize]);
                    cross(minus(b, a), minus(c, a))
                });
                dot(before, after) >= LEAST_COSINE * length(before) * length(after)
            })
        })
    }

    fn collapse(&mut self, from: u32, onto: u32) {
        let map = self.texture_map(from, onto);
        for f in std::mem::take(&mut self.around[from as usize]) {
            let facet = &mut self.facets[f as usize];
            if facet.corners.contains(&onto) {
                self.is_alive[f as usize] = false;
                for c in facet.corners {
                    self.around[c as usize].retain(|&other| other != f);
                }
                continue;
            }
            for (corner, uv) in facet.corners.iter_mut().zip(&mut facet.uv) {
                if *corner == from {
                    *corner = onto;
                    let found = map.iter().find(|(a, _)| a == uv);
                    *uv = found.map_or(*uv, |(_, b)| *b);
                }
            }
            self.around[onto as usize].push(f);
        }
        let gone = std::mem::take(&mut self.quadrics[from as usize]);
        for (kept, gone) in self.quadrics[onto as usize].iter_mut().zip(gone) {
            kept.add(&gone);
        }
    }
}

/// A collapse that may be made.
struct Collapse {
    cost: f64,
    from: u32,
    onto: u32,
    ages: [u32; 2],
}

impl Ord for Collapse {
    /// The cheapest comes first, then the one with lower numbers.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_cost = other.cost.total_cmp(&self.cost);
        by_cost.then_with(|| (other.from, other.onto).cmp(&(self.from, self.onto)))
    }
}

impl PartialOrd for Collapse {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Collapse {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Collapse {}

/// Sum of squared distances to planes: `p·A·p + 2 b·p + c`.
#[derive(Clone, Copy, Debug, Default)]
struct Quadric {
    a: [[f64; 3]; 3],
    b: [f64; 3],
    c: f64,
}

impl Quadric {
    fn add_plane(&mut self, normal: Point, through: Point, weight: f64) {
        let d = -dot(normal, through);
        for i in 0..3 {
            for j in 0..3 {
                self.a[i][j] += weight * normal[i] * normal[j];
            }
            self.b[i] += weight * d * normal[i];
        }
        self.c += weight * d * d;
    }

    fn add(&mut self, other: &Self) {
        for i in 0..3 {
            for j in 0..3 {
                self.a[i][j] += other.a[i][j];
            }
            self.b[i] += other.b[i];
        }
        self.c += other.c;
    }

    fn at(&self, p: Point) -> f64 {
        let turned = self.a.map(|row| dot(row, p));
        dot(turned, p) + 2.0 * dot(self.b, p) + self.c
    }
}

fn minus(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: Point, b: Point) -> Point {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

fn length(a: Point) -> f64 {
    dot(a, a).sqrt()
}

/// Vertices of a mesh whose corners have a texture: each pair of vertex and texture once.
pub(super) struct Wedges<P> {
    /// Of each vertex: which it was before, and where it lies in the texture.
    pub(super) vertices: Vec<(u32, [f32; 2])>,
    pub(super) triangles: Vec<([u32; 3], P)>,
}

/// Gives each pair of vertex and texture a number, in the order in which they are used.
pub(super) fn wedges<P: Copy>(facets: &[Facet<P>]) -> Wedges<P> {
    let mut known = BTreeMap::new();
    let mut vertices = Vec::new();
    let mut number = |v: u32, uv: [f32; 2]| {
        *known.entry((v, uv.map(f32::to_bits))).or_insert_with(|| {
            vertices.push((v, uv));
            vertices.len() as u32 - 1
        })
    };
    let mut triangles = Vec::with_capacity(facets.len());
    for facet in facets {
        let corner = |j: usize, number: &mut dyn FnMut(u32, [f32; 2]) -> u32| {
            number(facet.corners[j], facet.uv[j])
        };
        let corners = [0, 1, 2].map(|j| corner(j, &mut number));
        triangles.push((corners, facet.part));
    }
    Wedges {
        vertices,
        triangles,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square of `n` by `n` cells; `height` gives the third coordinate.
    fn sheet(n: u32, height: impl Fn(f32, f32) -> f32) -> (Vec<Facet<u8>>, Vec<[f32; 3]>) {
        let at = |x: u32, y: u32| y * (n + 1) + x;
        let mut places = Vec::new();
        for y in 0..=n {
            for x in 0..=n {
                let (x, y) = (x as f32 / n as f32, y as f32 / n as f32);
                places.push([x, y, height(x, y)]);
            }
        }
        let mut facets = Vec::new();
        for y in 0..n {
            for x in 0..n {
                let [a, b, c, d] = [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1)];
                for corners in [[a, b, c], [a, c, d]] {
                    let uv = corners.map(|i| {
                        let [u, v, _] = places[i as usize];
                        [u, v]
                    });
                    facets.push(Facet {
                        corners,
                        uv,
                        part: 0,
                    });
                }
            }
        }
        (facets, places)
    }

    fn area(facets: &[Facet<u8>], places: &[[f32; 3]]) -> f64 {
        let of = |f: &Facet<u8>| {
            let [a, b, c] = f.corners.map(|i| places[i as usize].map(f64::from));
            0.5 * length(cross(minus(b, a), minus(c, a)))
        };
        facets.iter().map(of).sum()
    }

    #[test]
    fn a_flat_sheet_keeps_its_outline_with_few_vertices() {
        let (facets, places) = sheet(8, |_, _| 0.0);
        let fewer = decimate(&facets, std::slice::from_ref(&places), &[1.0; 81], 6);
        let used = wedges(&fewer).vertices.len();
        assert!(used <= 6, "{used}");
        assert!((area(&fewer, &places) - 1.0).abs() < 1e-6);
        for facet in &fewer {
            for (&c, uv) in facet.corners.iter().zip(facet.uv) {
                assert_eq!(uv, [places[c as usize][0], places[c as usize][1]]);
            }
        }
    }

    #[test]
    fn vertices_stay_where_another_pose_bends_the_sheet() {
        let (facets, flat) = sheet(8, |_, _| 0.0);
        let (_, bent) = sheet(8, |x, _| if x > 0.45 && x < 0.55 { 0.5 } else { 0.0 });
        let fewer = decimate(&facets, &[flat.clone(), bent], &[1.0; 81], 16);
        let kept = wedges(&fewer).vertices;
        let on_ridge = |v: &(u32, [f32; 2])| (flat[v.0 as usize][0] - 0.5).abs() < 0.01;
        assert!(kept.iter().any(on_ridge));
    }
}
