//! Whether the drawn face does what the source's does: mouth, eyes and pose, by the mesh.
//!
//! Both meshes are laid on each other by points that move with the head alone. Two people's mouths
//! and eyes lie in different places even at rest; that usual gap is their shape and no mistake, so
//! what counts is how far each moment strays from it. The same is done with two looks at the
//! source alone, a little apart: that is the mesh's own noise, below which nothing can be told.

use effigy_face::align::mesh_view;
use effigy_face::landmarks::{EXPRESSION_POINTS, STABLE_POINTS, eye_distance};
use effigy_face::pose::pose;
use effigy_frame::{Picture, Point2, Point3, Similarity, resample};
use effigy_model::FaceMesh;

use super::{BeforeAfter, Mean};

/// How many of [`EXPRESSION_POINTS`] are of the mouth.
const N_MOUTH: usize = 12;
/// A second look at the same face, a little aside.
const ASIDE: Similarity = Similarity {
    a: 1.02,
    b: 0.01,
    tx: -1.0,
    ty: 1.5,
};
/// More moments are not kept.
const MOST_MOMENTS: usize = 20_000;

/// How far each point lies from where it should, in shares of the distance between the eyes.
type Gaps = [Point2; EXPRESSION_POINTS.len()];

/// Gathers the gaps of all moments.
#[derive(Default)]
pub(super) struct Expression {
    drawn: Vec<Gaps>,
    again: Vec<Gaps>,
    pose: Mean,
    pose_noise: Mean,
}

/// What was found, in % of the distance between the eyes and in degrees.
pub(super) struct Found {
    /// Mouth and eyes: the drawn face, and the mesh's own noise.
    pub(super) both: [Option<f64>; 2],
    pub(super) mouth: Option<f64>,
    pub(super) eyes: Option<f64>,
    /// The usual gap included.
    pub(super) shape: Option<f64>,
    /// The drawn face, and the mesh's own noise.
    pub(super) pose: [Option<f64>; 2],
}

impl Expression {
    /// Looks at one face before and after; gives how far mouth and eyes are off, in % of the
    /// distance between the eyes, their usual gap included.
    pub(super) fn take(
        &mut self,
        face_mesh: &FaceMesh,
        both: BeforeAfter<'_>,
        points: &[Point3],
    ) -> Option<f64> {
        let side = FaceMesh::SIDE_PX;
        let view = mesh_view(points, side)?;
        let look = |picture: &Picture, view: Similarity| {
            let mesh = face_mesh.fit(&resample::crop(picture, view, side));
            let points = mesh.points.iter().map(|&point| view.apply3(point));
            points.collect::<Vec<Point3>>()
        };
        let seen = look(both.before, view);
        let again = look(both.before, view.of(ASIDE));
        let drawn = look(both.after, view);
        self.pose.add(Some(turn_between(&seen, &drawn)));
        self.pose_noise.add(Some(turn_between(&seen, &again)));
        let (drawn, again) = (gaps(&seen, &drawn)?, gaps(&seen, &again)?);
        if self.drawn.len() < MOST_MOMENTS {
            self.drawn.push(drawn);
            self.again.push(again);
        }
        Some(100.0 * length(&drawn))
    }

    pub(super) fn finish(&self) -> Found {
        let (drawn, again) = (strays(&self.drawn), strays(&self.again));
        let mut shape = Mean::default();
        self.drawn
            .iter()
            .for_each(|gaps| shape.add(Some(100.0 * length(gaps))));
        let mean = |strays: &[f64]| {
            let n = strays.len() as f64;
            (!strays.is_empty()).then(|| 100.0 * strays.iter().sum::<f64>() / n)
        };
        let part = |strays: &[f64], from: usize, to: usize| strays.get(from..to).and_then(mean);
        Found {
            both: [mean(&drawn), mean(&again)],
            mouth: part(&drawn, 0, N_MOUTH),
            eyes: part(&drawn, N_MOUTH, EXPRESSION_POINTS.len()),
            shape: shape.get(),
            pose: [self.pose.get(), self.pose_noise.get()],
        }
    }
}

/// Where the points of `other` lie from those of `seen`, once both heads lie on each other.
fn gaps(seen: &[Point3], other: &[Point3]) -> Option<Gaps> {
    let stable = |points: &[Point3]| STABLE_POINTS.map(|i| points[i].xy());
    let seen_from_other = Similarity::fit(&stable(other), &stable(seen))?;
    let eyes = eye_distance(seen).max(1.0);
    Some(EXPRESSION_POINTS.map(|i| {
        let (a, b) = (seen[i].xy(), seen_from_other.apply(other[i].xy()));
        Point2::new((b.x - a.x) / eyes, (b.y - a.y) / eyes)
    }))
}

/// Mean length.
fn length(gaps: &Gaps) -> f64 {
    let sum: f64 = gaps.iter().map(|gap| f64::from(gap.x.hypot(gap.y))).sum();
    sum / gaps.len() as f64
}

/// For each point, how far its gap is from its usual one, on average; empty without moments.
fn strays(moments: &[Gaps]) -> Vec<f64> {
    if moments.is_empty() {
        return Vec::new();
    }
    let n = moments.len() as f64;
    let stray = |i: usize| {
        let mean = |of: fn(&Point2) -> f32| {
            moments
                .iter()
                .map(|gaps| f64::from(of(&gaps[i])))
                .sum::<f64>()
                / n
        };
        let (x, y) = (mean(|gap| gap.x), mean(|gap| gap.y));
        let strayed = |gaps: &Gaps| (f64::from(gaps[i].x) - x).hypot(f64::from(gaps[i].y) - y);
        moments.iter().map(strayed).sum::<f64>() / n
    };
    (0..EXPRESSION_POINTS.len()).map(stray).collect()
}

/// Angle between two head poses, in degrees.
fn turn_between(a: &[Point3], b: &[Point3]) -> f64 {
    let (from, to) = (pose(a), pose(b));
    let angles = [
        from.yaw - to.yaw,
        from.pitch - to.pitch,
        from.roll - to.roll,
    ];
    f64::from(angles.iter().map(|a| a * a).sum::<f32>().sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_face::landmarks::{LOWER_LIP_INNER, LOWER_LIP_OUTER};
    use effigy_model::mean_mesh;

    /// The mean face, its mouth opened by `open` distances between the eyes.
    fn face(open: f32) -> Vec<Point3> {
        let mut points = mean_mesh().to_vec();
        for i in [LOWER_LIP_INNER, LOWER_LIP_OUTER, 84, 314] {
            points[i].y += open;
        }
        points
            .iter()
            .map(|p| Point3::new(100.0 * p.x, 100.0 * p.y, 100.0 * p.z))
            .collect()
    }

    fn moments(pairs: &[(f32, f32)]) -> Vec<Gaps> {
        let gap = |&(a, b): &(f32, f32)| gaps(&face(a), &face(b)).unwrap();
        pairs.iter().map(gap).collect()
    }

    #[test]
    fn face_of_another_shape_that_moves_alike_is_no_mistake() {
        let alike = moments(&[(0.0, 0.1), (0.2, 0.3), (0.1, 0.2)]);
        assert!(strays(&alike).iter().all(|&stray| stray < 1e-3));
        assert!(0.01 < length(&alike[0])); // 4 of 24 points lie 0.1 away
    }

    #[test]
    fn mouth_that_stays_shut_is_a_mistake() {
        let shut = strays(&moments(&[(0.0, 0.0), (0.2, 0.0)]));
        let lower_lip = EXPRESSION_POINTS
            .iter()
            .position(|&i| i == LOWER_LIP_INNER)
            .unwrap();
        assert!((shut[lower_lip] - 0.1).abs() < 0.01, "{shut:?}");
        assert!(shut[N_MOUTH..].iter().all(|&stray| stray < 1e-3));
    }

    #[test]
    fn moved_and_scaled_head_has_no_gap() {
        let moved: Vec<Point3> = face(0.0)
            .iter()
            .map(|p| Point3::new(1.1 * p.x + 9.0, 1.1 * p.y - 4.0, p.z))
            .collect();
        assert!(length(&gaps(&face(0.0), &moved).unwrap()) < 1e-4);
    }
}
