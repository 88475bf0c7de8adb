//! Faces turned further than their picture shows them.
//!
//! The portraits are mostly frontal. The picture is laid on the face's own mesh (the irises only
//! move along), with two rings around it for the head and the background, and the mesh is turned
//! in space (after Zhu et al., "Face alignment across large poses: a 3D solution", CVPR 2016,
//! section 4).

use anyhow::{Result, ensure};
use effigy_face::landmarks::N_SKIN_POINTS;
use effigy_frame::{Picture, Point2, Point3, Rect};
use effigy_model::mean_mesh;

/// Rings around the outline: how far out in outlines, how deep in widths of the face, and how
/// much of the turn they follow.
const RINGS: [(f32, f32, f32); 2] = [(1.3, 0.45, 0.6), (2.2, 0.6, 0.0)];
/// Where the head turns, in widths of the face behind the middle of its points.
const AXIS_DEPTH: f32 = 0.45;

/// How the picture is cut into triangles.
pub(crate) struct Surface {
    triangles: Vec<[usize; 3]>,
    outline: Vec<usize>,
}

/// How far to turn, in radians.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// Positive towards the subject's left.
    pub(crate) yaw: f32,
    /// Positive upwards.
    pub(crate) pitch: f32,
}

impl Surface {
    /// Cuts the mean face and its rings into triangles.
    pub(crate) fn new() -> Result<Self> {
        let mean: Vec<Point2> = mean_mesh()[..N_SKIN_POINTS]
            .iter()
            .map(|p| p.xy())
            .collect();
        let outline = hull(&mean);
        let flat = with_rings(mean_mesh(), &outline);
        let mut places: Vec<Point2> = mean;
        places.extend(flat.iter().map(|p| p.at.xy()));
        let triangles = delaunay(&places);
        ensure!(
            triangles.len() > N_SKIN_POINTS,
            "the mean mesh has collapsed"
        );
        Ok(Self { triangles, outline })
    }

    /// Turns a face: gives the picture and the 478 points, both in pixels of the picture.
    pub(crate) fn turn(
        &self,
        picture: &Picture,
        points: &[Point3],
        turn: Turn,
    ) -> (Picture, Vec<Point3>) {
        let rings = with_rings(points, &self.outline);
        let head = Head::of(points, turn);
        let turned: Vec<Point3> = points.iter().map(|&p| head.turned(p, 1.0)).collect();
        let mut from: Vec<Point2> = points[..N_SKIN_POINTS].iter().map(|p| p.xy()).collect();
        let mut to: Vec<Point3> = turned[..N_SKIN_POINTS].to_vec();
        for ring in rings {
            from.push(ring.at.xy());
            to.push(head.turned(ring.at, ring.follows));
        }
        let mut canvas = Canvas::new(picture);
        for triangle in &self.triangles {
            canvas.lay(picture, triangle.map(|i| to[i]), triangle.map(|i| from[i]));
        }
        (canvas.picture, turned)
    }
}

/// A point of a ring.
struct RingPoint {
    at: Point3,
    follows: f32,
}

fn with_rings(points: &[Point3], outline: &[usize]) -> Vec<RingPoint> {
    let (centre, width) = middle(points);
    let ring = |&(out, deep, follows): &(f32, f32, f32)| {
        let around = outline.iter().step_by(2).map(move |&i| RingPoint {
            at: Point3 {
                x: centre.x + out * (points[i].x - centre.x),
                y: centre.y + out * (points[i].y - centre.y),
                z: centre.z + deep * width,
            },
            follows,
        });
        around.collect::<Vec<_>>()
    };
    RINGS.iter().flat_map(ring).collect()
}

/// The middle of the points and the width of the face.
fn middle(points: &[Point3]) -> (Point3, f32) {
    let n = N_SKIN_POINTS as f32;
    let sum = points[..N_SKIN_POINTS]
        .iter()
        .fold([0.0; 3], |s, p| [s[0] + p.x, s[1] + p.y, s[2] + p.z]);
    let rect = Rect::around(points[..N_SKIN_POINTS].iter().map(|p| p.xy())).unwrap_or_default();
    (Point3::new(sum[0] / n, sum[1] / n, sum[2] / n), rect.width)
}

/// What the head turns about.
struct Head {
    centre: Point3,
    turn: Turn,
}

impl Head {
    fn of(points: &[Point3], turn: Turn) -> Self {
        let (centre, width) = middle(points);
        let z = centre.z + AXIS_DEPTH * width;
        Self {
            centre: Point3 { z, ..centre },
            turn,
        }
    }

    /// Turns a point by a share of the turn.
    fn turned(&self, p: Point3, share: f32) -> Point3 {
        let (x, y, z) = (
            p.x - self.centre.x,
            p.y - self.centre.y,
            p.z - self.centre.z,
        );
        let (sin, cos) = (share * self.turn.yaw).sin_cos();
        let (x, z) = (x * cos - z * sin, z * cos + x * sin);
        let (sin, cos) = (share * self.turn.pitch).sin_cos();
        let (y, z) = (y * cos + z * sin, z * cos - y * sin);
        Point3::new(x + self.centre.x, y + self.centre.y, z + self.centre.z)
    }
}

/// A picture with the depth of what was laid on it.
struct Canvas {
    picture: Picture,
    depth: Vec<f32>,
}

impl Canvas {
    fn new(picture: &Picture) -> Self {
        Self {
            depth: vec![f32::MAX; picture.width() as usize * picture.height() as usize],
            picture: picture.clone(),
        }
    }

    /// Lays the part of `source` within the corners `from` onto the corners `to`.
    fn lay(&mut self, source: &Picture, to: [Point3; 3], from: [Point2; 3]) {
        let area = cross(to[0].xy(), to[1].xy(), to[2].xy());
        let Some(rect) = Rect::around(to.iter().map(|p| p.xy())) else {
            return;
        };
        if area.abs() < 1e-3 {
            return;
        }
        let (width, height) = (self.picture.width(), self.picture.height());
        let span = |from: f32, length: f32, side: u32| {
            (from.max(0.0) as u32)..((from + length + 1.0).max(0.0) as u32).min(side)
        };
        for y in span(rect.y, rect.height, height) {
            for x in span(rect.x, rect.width, width) {
                let p = Point2::new(x as f32 + 0.5, y as f32 + 0.5);
                let a = cross(to[1].xy(), to[2].xy(), p) / area;
                let b = cross(to[2].xy(), to[0].xy(), p) / area;
                let shares = [a, b, 1.0 - a - b];
                if shares.iter().any(|&s| s < -1e-4) {
                    continue;
                }
                let mix = |values: [f32; 3]| (0..3).map(|i| shares[i] * values[i]).sum::<f32>();
                let z = mix(to.map(|p| p.z));
                let depth = &mut self.depth[(y * width + x) as usize];
                if z < *depth {
                    *depth = z;
                    let at = Point2::new(mix(from.map(|p| p.x)), mix(from.map(|p| p.y)));
                    self.picture.set(x, y, nearest(source, at));
                }
            }
        }
    }
}

fn nearest(picture: &Picture, at: Point2) -> [u8; 3] {
    let clamp = |v: f32, side: u32| (v.max(0.0) as u32).min(side - 1);
    picture.get(clamp(at.x, picture.width()), clamp(at.y, picture.height()))
}

fn cross(a: Point2, b: Point2, c: Point2) -> f32 {
    (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

/// The convex hull, by Andrew's monotone chain.
fn hull(points: &[Point2]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&i, &j| {
        points[i]
            .x
            .total_cmp(&points[j].x)
            .then(points[i].y.total_cmp(&points[j].y))
    });
    let half = |order: &mut dyn Iterator<Item = usize>| {
        let mut chain: Vec<usize> = Vec::new();
        for i in order {
            while let [.., a, b] = chain[..] {
                if cross(points[a], points[b], points[i]) > 0.0 {
                    break;
                }
                chain.pop();
            }
            chain.push(i);
        }
        chain.pop();
        chain
    };
    let mut chain = half(&mut order.iter().copied());
    chain.extend(half(&mut order.iter().rev().copied()));
    chain
}

/// The Delaunay triangles, by Bowyer and Watson: each point in turn replaces the triangles whose
/// circle holds it.
fn delaunay(points: &[Point2]) -> Vec<[usize; 3]> {
    let n = points.len();
    let mut places = points.to_vec();
    places.extend([(-90.0, -60.0), (90.0, -60.0), (0.0, 120.0)].map(|(x, y)| Point2::new(x, y)));
    let mut triangles = vec![[n, n + 1, n + 2]];
    for i in 0..n {
        let (hit, mut kept): (Vec<[usize; 3]>, Vec<[usize; 3]>) = triangles
            .iter()
            .partition(|t| circle_holds(&places, **t, places[i]));
        let edges: Vec<[usize; 2]> = hit
            .iter()
            .flat_map(|t| [[t[0], t[1]], [t[1], t[2]], [t[2], t[0]]])
            .collect();
        for &[a, b] in &edges {
            if !edges.contains(&[b, a]) {
                kept.push([a, b, i]);
            }
        }
        triangles = kept;
    }
    triangles.retain(|t| t.iter().all(|&i| i < n));
    triangles
}

/// Whether `p` lies in the circle through three corners that run counter-clockwise.
fn circle_holds(places: &[Point2], triangle: [usize; 3], p: Point2) -> bool {
    let row = |i: usize| {
        let (x, y) = (f64::from(places[i].x - p.x), f64::from(places[i].y - p.y));
        [x, y, x * x + y * y]
    };
    let [a, b, c] = triangle.map(row);
    let minor = |i: usize, j: usize| b[i] * c[j] - b[j] * c[i];
    a[0] * minor(1, 2) - a[1] * minor(0, 2) + a[2] * minor(0, 1) > 0.0
}

#[cfg(test)]
mod tests {
    use effigy_face::landmarks::{LEFT_EYE, NOSE_TIP, RIGHT_EYE};

    use super::*;

    /// The mean face, 100 px between the eyes, in the middle of a picture.
    fn face() -> Vec<Point3> {
        let place = |p: &Point3| Point3::new(160.0 + 100.0 * p.x, 120.0 + 100.0 * p.y, 100.0 * p.z);
        mean_mesh().iter().map(place).collect()
    }

    #[test]
    fn not_turning_changes_nothing() {
        let mut picture = Picture::filled(320, 320, [0; 3]);
        for y in 0..320 {
            for x in 0..320 {
                picture.set(x, y, [(x / 2) as u8, (y / 2) as u8, 0]);
            }
        }
        let still = Turn {
            yaw: 0.0,
            pitch: 0.0,
        };
        let (same, points) = Surface::new().unwrap().turn(&picture, &face(), still);
        let gap = same
            .pixels()
            .iter()
            .zip(picture.pixels())
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(gap <= Some(1), "{gap:?}");
        assert!(
            points
                .iter()
                .zip(&face())
                .all(|(a, b)| a.xy().distance(b.xy()) < 1e-3)
        );
    }

    #[test]
    fn a_turn_hides_one_cheek_and_keeps_all_points() {
        let surface = Surface::new().unwrap();
        let turn = Turn {
            yaw: 0.8,
            pitch: 0.0,
        };
        let (_, points) = surface.turn(&Picture::filled(320, 320, [9; 3]), &face(), turn);
        let across = |from: usize, to: usize| (points[to].x - points[from].x).abs();
        assert_eq!(points.len(), face().len());
        let (right, left) = (
            across(RIGHT_EYE.outer, NOSE_TIP),
            across(NOSE_TIP, LEFT_EYE.outer),
        );
        assert!(right.max(left) > 2.0 * right.min(left), "{right} {left}");
    }
}
