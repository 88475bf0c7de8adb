//! Light on a portrait: how much brighter a place gets when it turns towards it.

use effigy_face::rig::{Part, Rig, Vec3};
use effigy_frame::Point2;

use super::Shown;

/// Brightness as a linear function of the normal: ambient, and light from one side.
#[derive(Clone, Debug)]
pub(super) struct Light {
    from: [f32; 4],
    /// Brightness of each vertex in the portrait, by that function.
    then: Vec<f32>,
}

/// Turning changes the brightness by no more than this.
const RATIO: [f32; 2] = [0.88, 1.14];
/// How strongly the light is drawn to an even one.
const PULL: f32 = 0.05;
/// No place is darker than this share of the mean.
const DARKEST: f32 = 0.35;

impl Light {
    /// Explains the brightness of the skin that is seen.
    pub(super) fn fit(rig: &Rig, shown: Shown<'_>) -> Self {
        let Shown {
            source,
            raster,
            colours,
        } = shown;
        let normals = normals(rig, source);
        let mut sums = [[0.0_f32; 5]; 4];
        let mut n = 0.0;
        let is_face = face_vertices(rig);
        for (v, (place, normal)) in source.iter().zip(&normals).enumerate() {
            // Nearly from the side, a place of the rig may already be hair or background.
            let is_seen = is_face[v]
                && normal[2] < -0.35
                && raster
                    .at(place[0], place[1])
                    .is_some_and(|(_, depth)| (depth - place[2]).abs() < DEEP_PX);
            if !is_seen {
                continue;
            }
            let [r, g, b, _] = colours.colour_at(Point2::new(place[0], place[1]));
            let bright = 0.3 * r + 0.59 * g + 0.11 * b;
            let basis = [1.0, normal[0], normal[1], normal[2] + 1.0];
            for (i, row) in sums.iter_mut().enumerate() {
                for (k, b) in basis.iter().enumerate() {
                    row[k] += basis[i] * b;
                }
                row[4] += basis[i] * bright;
            }
            n += 1.0;
        }
        for (i, row) in sums.iter_mut().enumerate().skip(1) {
            row[i] += PULL * n;
        }
        let from = if n < 50.0 {
            [1.0, 0.0, 0.0, 0.0]
        } else {
            solved(sums)
        };
        let mut light = Self {
            from,
            then: Vec::new(),
        };
        light.then = normals.iter().map(|n| light.on(*n)).collect();
        light
    }

    fn on(&self, normal: Vec3) -> f32 {
        let [even, x, y, z] = self.from;
        let bright = even + x * normal[0] + y * normal[1] + z * (normal[2] + 1.0);
        bright.max(DARKEST * even.abs()).max(1e-3)
    }

    /// How much brighter each vertex is than in the portrait, now that it has the normal in `normals`.
    pub(super) fn ratios(&self, normals: &[Vec3]) -> Vec<f32> {
        let ratio =
            |(normal, then): (&Vec3, &f32)| (self.on(*normal) / then).clamp(RATIO[0], RATIO[1]);
        normals.iter().zip(&self.then).map(ratio).collect()
    }
}

/// A place that lies further behind what is seen there is hidden, in pixels.
const DEEP_PX: f32 = 4.0;

/// Which vertices are of the face.
pub(super) fn face_vertices(rig: &Rig) -> Vec<bool> {
    let mut is_face = vec![false; rig.n_vertices()];
    for triangle in rig.triangles().iter().filter(|t| t.part == Part::Face) {
        for corner in triangle.corners {
            is_face[usize::from(corner)] = true;
        }
    }
    is_face
}

/// Normals of the vertices, of length 1, away from the head.
pub(super) fn normals(rig: &Rig, vertices: &[Vec3]) -> Vec<Vec3> {
    let mut normals = vec![[0.0_f32; 3]; vertices.len()];
    for triangle in rig.triangles() {
        let [a, b, c] = triangle.corners.map(|c| vertices[usize::from(c)]);
        let (u, v) = (minus(b, a), minus(c, a));
        let cross = [
            u[1] * v[2] - u[2] * v[1],
            u[2] * v[0] - u[0] * v[2],
            u[0] * v[1] - u[1] * v[0],
        ];
        for corner in triangle.corners {
            let normal = &mut normals[usize::from(corner)];
            for (n, d) in normal.iter_mut().zip(cross) {
                *n += d;
            }
        }
    }
    for normal in &mut normals {
        let length = normal.iter().map(|n| n * n).sum::<f32>().sqrt().max(1e-9);
        *normal = normal.map(|n| n / length);
    }
    normals
}

fn minus(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// Solves four equations by elimination; each row ends with its right side.
fn solved(mut rows: [[f32; 5]; 4]) -> [f32; 4] {
    for i in 0..4 {
        let pivot = rows[i][i];
        let pivot = if pivot.abs() < 1e-9 { 1e-9 } else { pivot };
        let row = rows[i].map(|v| v / pivot);
        rows[i] = row;
        for (k, other) in rows.iter_mut().enumerate() {
            if k != i {
                let factor = other[i];
                for (v, r) in other.iter_mut().zip(row) {
                    *v -= factor * r;
                }
            }
        }
    }
    rows.map(|row| row[4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_are_solved() {
        let rows = [
            [2.0, 1.0, 0.0, 0.0, 4.0],
            [1.0, 3.0, 0.0, 0.0, 7.0],
            [0.0, 0.0, 4.0, 0.0, 8.0],
            [0.0, 0.0, 0.0, 1.0, 5.0],
        ];
        for (got, wanted) in solved(rows).into_iter().zip([1.0, 2.0, 2.0, 5.0]) {
            assert!((got - wanted).abs() < 1e-5);
        }
    }
}
