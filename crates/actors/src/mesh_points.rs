//! Where the 478 points of our mesh lie on the head, and what is true of each frame.
//!
//! The mean mesh is bent onto the head by the landmarks that both have (thin-plate spline), each
//! point then goes to the nearest place of the skin; irises are put on the eyeballs.

use effigy_face::ibug68::IBUG_68;
use effigy_face::landmarks::{LEFT_EYE, LOWER_LIP, N_SKIN_POINTS, RIGHT_EYE, UPPER_LIP};
use effigy_frame::Point3;
use effigy_model::mean_mesh;

use super::canvas::Camera;
use super::head::{Head, Material, Triangle};
use super::person::{Person, Posed};
use super::space::{V3, v3};

/// A place on a triangle.
#[derive(Clone, Copy, Debug)]
pub struct Anchor {
    /// Vertices of the triangle.
    pub corners: [u32; 3],
    /// How much each counts; together 1.
    pub weights: [f32; 3],
}

/// Where the points of the mesh lie on the head.
pub(crate) struct Anchors {
    skin: Vec<Anchor>,
}

impl Anchors {
    /// Lays the mean mesh on the head.
    pub(crate) fn lay(head: &Head) -> Self {
        let (from, to) = pairs(head);
        let bend = Spline::fit(&from, &to);
        let skin: Vec<&Triangle> = head
            .triangles
            .iter()
            .filter(|t| t.material == Material::Face && is_outside(head, t))
            .collect();
        let jaw = head.expression("jawOpen").map(|i| head.drop_of(i));
        let jaw = jaw.unwrap_or_else(|| vec![0.0; head.neutral.len()]);
        let upper = jaw[head.landmarks[62] as usize];
        let lower = jaw[head.landmarks[66] as usize];
        let between = 0.5 * (upper + lower);
        let anchor = |i: usize| {
            if let Some(k) = IBUG_68.iter().position(|&p| p == i).filter(|k| *k > 16) {
                let corner = head.landmarks[k];
                return Anchor {
                    corners: [corner; 3],
                    weights: [1.0, 0.0, 0.0],
                };
            }
            let wanted = bend.apply(flipped(mean_mesh()[i]));
            // Closed lips touch: the nearest triangle may be on the wrong one, which the jaw tells.
            let fits = |t: &&&Triangle| {
                let moves = jaw[t.corners[0] as usize];
                let is_upper = UPPER_LIP.contains(&i);
                let is_lower = LOWER_LIP.contains(&i);
                (!is_upper || moves < between) && (!is_lower || moves >= between)
            };
            nearest(head, skin.iter().filter(fits), wanted)
        };
        Self {
            skin: (0..N_SKIN_POINTS).map(anchor).collect(),
        }
    }

    /// Gives the triangles on which the 468 points of the skin lie.
    pub(crate) fn places_on_head(self) -> Vec<Anchor> {
        self.skin
    }

    /// Gives the places of the 478 points in the room.
    pub(crate) fn places(&self, person: &Person, posed: &Posed) -> Vec<V3> {
        let mut places: Vec<V3> = self.skin.iter().map(|a| a.on(&posed.vertices)).collect();
        for (k, eye) in person.eyes.iter().enumerate() {
            let (turn, middle) = (&posed.eye_turns[k], posed.eye_middles[k]);
            for (x, y, z) in IRIS {
                places.push(middle + turn.apply(v3(x, y, z)) * eye.radius);
            }
        }
        places
    }
}

/// Middle, then right, upper, left and lower edge of an iris as MediaPipe counts them, on an
/// eyeball of radius 1.
const IRIS: [(f32, f32, f32); 5] = [
    (0.0, 0.0, 1.1),
    (0.405, 0.0, 0.99),
    (0.0, 0.405, 0.99),
    (-0.405, 0.0, 0.99),
    (0.0, -0.405, 0.99),
];

impl Anchor {
    fn on(&self, vertices: &[V3]) -> V3 {
        let parts = self.corners.iter().zip(self.weights);
        parts.fold(V3::ZERO, |sum, (&c, w)| sum + vertices[c as usize] * w)
    }
}

/// Gives the mesh in the picture: pixels, depth relative to the middle of the eyes at the
/// picture's scale.
pub(crate) fn in_picture(camera: &Camera, places: &[V3]) -> Vec<Point3> {
    let middle = (places[RIGHT_EYE.outer] + places[LEFT_EYE.outer]) * 0.5;
    let pixels_per_cm = camera.focal * camera.side as f32 * camera.project(middle)[2];
    let point = |&p: &V3| {
        let [x, y, _] = camera.project(p);
        Point3::new(x, y, (middle.z - p.z) * pixels_per_cm)
    };
    places.iter().map(point).collect()
}

/// Mesh coordinates have y down and z away.
fn flipped(p: Point3) -> V3 {
    v3(p.x, -p.y, -p.z)
}

/// Landmarks that mean the same on both; of the jaw only the chin, the rest slides.
fn pairs(head: &Head) -> (Vec<V3>, Vec<V3>) {
    let ids = [0, 2, 6, 8, 10, 14, 16].into_iter().chain(17..68);
    ids.map(|k| {
        let on_head = head.neutral[head.landmarks[k] as usize];
        (flipped(mean_mesh()[IBUG_68[k]]), on_head)
    })
    .unzip()
}

fn is_outside(head: &Head, t: &Triangle) -> bool {
    let [a, b, c] = t.corners.map(|c| head.neutral[c as usize]);
    let normal = (b - a).cross(c - a).unit();
    // Not the walls of nostrils and mouth.
    normal.z > -0.25 && a.z > 1.0
}

fn nearest<'a>(
    head: &Head,
    triangles: impl Iterator<Item = &'a &'a Triangle>,
    wanted: V3,
) -> Anchor {
    let mut best = (f32::MAX, [0; 3], [1.0, 0.0, 0.0]);
    for t in triangles {
        let corners = t.corners.map(|c| head.neutral[c as usize]);
        if (corners[0] - wanted).length() > best.0 + 2.5 {
            continue;
        }
        let weights = nearest_on(corners, wanted);
        let place = corners[0] * weights[0] + corners[1] * weights[1] + corners[2] * weights[2];
        let gap = (place - wanted).tint(v3(1.0, 1.0, 0.6)).length();
        if gap < best.0 {
            best = (gap, t.corners, weights);
        }
    }
    Anchor {
        corners: best.1,
        weights: best.2,
    }
}

/// Gives the weights of the place on a triangle that is nearest to a point (Ericson, "Real-Time
/// Collision Detection", 5.1.5).
fn nearest_on([a, b, c]: [V3; 3], p: V3) -> [f32; 3] {
    let (ab, ac, ap) = (b - a, c - a, p - a);
    let (d1, d2) = (ab.dot(ap), ac.dot(ap));
    if d1 <= 0.0 && d2 <= 0.0 {
        return [1.0, 0.0, 0.0];
    }
    let (d3, d4) = (ab.dot(p - b), ac.dot(p - b));
    if d3 >= 0.0 && d4 <= d3 {
        return [0.0, 1.0, 0.0];
    }
    let vc = d1 * d4 - d3 * d2;
    if vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0 {
        let v = d1 / (d1 - d3);
        return [1.0 - v, v, 0.0];
    }
    let (d5, d6) = (ab.dot(p - c), ac.dot(p - c));
    if d6 >= 0.0 && d5 <= d6 {
        return [0.0, 0.0, 1.0];
    }
    let vb = d5 * d2 - d1 * d6;
    if vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0 {
        let w = d2 / (d2 - d6);
        return [1.0 - w, 0.0, w];
    }
    let va = d3 * d6 - d5 * d4;
    if va <= 0.0 && d4 >= d3 && d5 >= d6 {
        let w = (d4 - d3) / ((d4 - d3) + (d5 - d6));
        return [0.0, 1.0 - w, w];
    }
    let sum = va + vb + vc;
    [va / sum, vb / sum, vc / sum]
}

/// A thin-plate spline in space: an affine map and a pull of |r| towards each pair.
struct Spline {
    centres: Vec<V3>,
    pulls: Vec<V3>,
    affine: [V3; 4],
}

impl Spline {
    fn fit(from: &[V3], to: &[V3]) -> Self {
        let n = from.len();
        let mut rows: Vec<Vec<f64>> = vec![vec![0.0; n + 4 + 3]; n + 4];
        for i in 0..n {
            for j in 0..n {
                rows[i][j] = f64::from((from[i] - from[j]).length());
            }
            let line = [1.0, from[i].x, from[i].y, from[i].z].map(f64::from);
            for (k, value) in line.into_iter().enumerate() {
                rows[i][n + k] = value;
                rows[n + k][i] = value;
            }
            for (k, value) in to[i].to_array().into_iter().enumerate() {
                rows[i][n + 4 + k] = f64::from(value);
            }
        }
        let solved = solve(rows);
        let at = |i: usize| {
            v3(
                solved[i][0] as f32,
                solved[i][1] as f32,
                solved[i][2] as f32,
            )
        };
        Self {
            centres: from.to_vec(),
            pulls: (0..n).map(at).collect(),
            affine: [at(n), at(n + 1), at(n + 2), at(n + 3)],
        }
    }

    fn apply(&self, p: V3) -> V3 {
        let [c, x, y, z] = self.affine;
        let affine = c + x * p.x + y * p.y + z * p.z;
        let pulls = self.centres.iter().zip(&self.pulls);
        pulls.fold(affine, |sum, (c, pull)| sum + *pull * (p - *c).length())
    }
}

/// Solves equations by elimination; each row ends with three right-hand sides.
fn solve(mut rows: Vec<Vec<f64>>) -> Vec<[f64; 3]> {
    let n = rows.len();
    for column in 0..n {
        let best = (column..n).max_by(|&a, &b| {
            let size = |i: usize| rows[i][column].abs();
            size(a).total_cmp(&size(b))
        });
        rows.swap(column, best.unwrap_or(column));
        let pivot = rows[column].clone();
        for (i, row) in rows.iter_mut().enumerate() {
            if i != column && row[column].abs() > 0.0 {
                let share = row[column] / pivot[column];
                for (value, p) in row.iter_mut().zip(&pivot).skip(column) {
                    *value -= share * p;
                }
            }
        }
    }
    let side = |i: usize, k: usize| rows[i][n + k] / rows[i][i];
    (0..n).map(|i| [0, 1, 2].map(|k| side(i, k))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spline_meets_its_pairs() {
        let from: Vec<V3> = (0..8)
            .map(|i| {
                v3(
                    (i & 1) as f32,
                    (i >> 1 & 1) as f32,
                    (i >> 2) as f32 + 0.1 * (i & 1) as f32,
                )
            })
            .collect();
        let to: Vec<V3> = from
            .iter()
            .map(|p| v3(p.x * 2.0 + p.y * p.z, p.y, p.z - p.x))
            .collect();
        let spline = Spline::fit(&from, &to);
        for (f, t) in from.iter().zip(&to) {
            assert!((spline.apply(*f) - *t).length() < 1e-3);
        }
    }

    #[test]
    fn the_nearest_place_on_a_triangle_is_inside_it() {
        let triangle = [v3(0.0, 0.0, 0.0), v3(1.0, 0.0, 0.0), v3(0.0, 1.0, 0.0)];
        let inside = nearest_on(triangle, v3(0.25, 0.25, 3.0));
        assert!((inside[1] - 0.25).abs() < 1e-6 && (inside[2] - 0.25).abs() < 1e-6);
        assert_eq!(nearest_on(triangle, v3(-1.0, -1.0, 0.0)), [1.0, 0.0, 0.0]);
        assert_eq!(nearest_on(triangle, v3(0.5, -1.0, 0.0)), [0.5, 0.5, 0.0]);
    }
}
