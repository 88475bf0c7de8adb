//! Whether the drawn face does what the target's does: mouth, eyes and pose, by the mesh.
//!
//! Both meshes are aligned by points that move with the head alone. Two people's mouths and eyes lie
//! in different places even at rest; that mean offset is their shape and no error, so what counts is
//! the deviation from it in each frame. The same is done with two fits to the target alone, a
//! little apart: that is the noise of the mesh, below which nothing can be measured.

use effigy_face::align::mesh_view;
use effigy_face::landmarks::{EXPRESSION_POINTS, STABLE_POINTS, eye_distance};
use effigy_face::pose::pose;
use effigy_frame::{Picture, Point2, Point3, Similarity, resample};
use effigy_model::FaceMesh;

use super::{BeforeAfter, Mean};

/// How many of [`EXPRESSION_POINTS`] are of the mouth.
const N_MOUTH: usize = 12;
/// Where the second fit to the same face starts: a little aside.
const ASIDE: Similarity = Similarity {
    a: 1.02,
    b: 0.01,
    tx: -1.5,
    ty: 2.25,
};
/// Most frames that are kept.
const MOST_FRAMES: usize = 20_000;

/// From each point of the target to that of the other mesh, in eye distances.
type Offsets = [Point2; EXPRESSION_POINTS.len()];

/// Gathers the offsets of all frames.
#[derive(Default)]
pub(super) struct Expression {
    drawn: Vec<Offsets>,
    again: Vec<Offsets>,
    pose: Mean,
    pose_noise: Mean,
}

/// What was found, in % of the eye distance and in degrees.
pub(super) struct Found {
    /// Mouth and eyes: the drawn face, and the noise of the mesh.
    pub(super) both: [Option<f64>; 2],
    pub(super) mouth: Option<f64>,
    pub(super) eyes: Option<f64>,
    /// The mean offset included.
    pub(super) shape: Option<f64>,
    /// The drawn face, and the noise of the mesh.
    pub(super) pose: [Option<f64>; 2],
}

impl Expression {
    /// Takes in one face before and after; gives how far mouth and eyes are off, in % of the eye
    /// distance, the mean offset included.
    pub(super) fn take(
        &mut self,
        face_mesh: &FaceMesh,
        both: BeforeAfter<'_>,
        points: &[Point3],
    ) -> Option<f64> {
        let side = FaceMesh::SIDE_PX;
        let view = mesh_view(points, side)?;
        let fit = |picture: &Picture, view: Similarity| {
            let mesh = face_mesh.fit(&resample::crop(picture, view, side));
            let points = mesh.points.iter().map(|&point| view.apply3(point));
            points.collect::<Vec<Point3>>()
        };
        let seen = fit(both.before, view);
        let again = fit(both.before, view.of(ASIDE));
        let drawn = fit(both.after, view);
        self.pose.add(Some(turn_between(&seen, &drawn)));
        self.pose_noise.add(Some(turn_between(&seen, &again)));
        let (drawn, again) = (offsets(&seen, &drawn)?, offsets(&seen, &again)?);
        if self.drawn.len() < MOST_FRAMES {
            self.drawn.push(drawn);
            self.again.push(again);
        }
        Some(100.0 * length(&drawn))
    }

    pub(super) fn finish(&self) -> Found {
        let (drawn, again) = (deviations(&self.drawn), deviations(&self.again));
        let mut shape = Mean::default();
        self.drawn
            .iter()
            .for_each(|offsets| shape.add(Some(100.0 * length(offsets))));
        let mean = |deviations: &[f64]| {
            let n = deviations.len() as f64;
            (!deviations.is_empty()).then(|| 100.0 * deviations.iter().sum::<f64>() / n)
        };
        let part =
            |deviations: &[f64], from: usize, to: usize| deviations.get(from..to).and_then(mean);
        Found {
            both: [mean(&drawn), mean(&again)],
            mouth: part(&drawn, 0, N_MOUTH),
            eyes: part(&drawn, N_MOUTH, EXPRESSION_POINTS.len()),
            shape: shape.get(),
            pose: [self.pose.get(), self.pose_noise.get()],
        }
    }
}

/// The offsets of `other` from `seen`, once both heads are aligned.
fn offsets(seen: &[Point3], other: &[Point3]) -> Option<Offsets> {
    let stable = |points: &[Point3]| STABLE_POINTS.map(|i| points[i].xy());
    let seen_from_other = Similarity::fit(&stable(other), &stable(seen))?;
    let eyes = eye_distance(seen).max(1.0);
    Some(EXPRESSION_POINTS.map(|i| {
        let (a, b) = (seen[i].xy(), seen_from_other.apply(other[i].xy()));
        Point2::new((b.x - a.x) / eyes, (b.y - a.y) / eyes)
    }))
}

/// Mean length.
fn length(offsets: &Offsets) -> f64 {
    let sum: f64 = offsets
        .iter()
        .map(|offset| f64::from(offset.x.hypot(offset.y)))
        .sum();
    sum / offsets.len() as f64
}

/// For each point, the mean deviation from its mean offset; empty without several frames, since one
/// alone does not deviate from itself.
fn deviations(frames: &[Offsets]) -> Vec<f64> {
    if frames.len() < 2 {
        return Vec::new();
    }
    let n = frames.len() as f64;
    let deviation = |i: usize| {
        let mean = |of: fn(&Point2) -> f32| {
            frames
                .iter()
                .map(|offsets| f64::from(of(&offsets[i])))
                .sum::<f64>()
                / n
        };
        let (x, y) = (mean(|offset| offset.x), mean(|offset| offset.y));
        let deviated =
            |offsets: &Offsets| (f64::from(offsets[i].x) - x).hypot(f64::from(offsets[i].y) - y);
        frames.iter().map(deviated).sum::<f64>() / n
    };
    (0..EXPRESSION_POINTS.len()).map(deviation).collect()
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

    fn frames(pairs: &[(f32, f32)]) -> Vec<Offsets> {
        let offset = |&(a, b): &(f32, f32)| offsets(&face(a), &face(b)).unwrap();
        pairs.iter().map(offset).collect()
    }

    #[test]
    fn face_of_another_shape_with_the_same_expression_is_no_error() {
        let alike = frames(&[(0.0, 0.1), (0.2, 0.3), (0.1, 0.2)]);
        assert!(deviations(&alike).iter().all(|&deviation| deviation < 1e-3));
        assert!(0.01 < length(&alike[0])); // 4 of 24 points lie 0.1 away
    }

    #[test]
    fn mouth_that_stays_shut_is_an_error() {
        let shut = deviations(&frames(&[(0.0, 0.0), (0.2, 0.0)]));
        let lower_lip = EXPRESSION_POINTS
            .iter()
            .position(|&i| i == LOWER_LIP_INNER)
            .unwrap();
        assert!((shut[lower_lip] - 0.1).abs() < 0.01, "{shut:?}");
        assert!(shut[N_MOUTH..].iter().all(|&deviation| deviation < 1e-3));
    }

    #[test]
    fn a_single_picture_measures_no_expression() {
        let expression = Expression {
            drawn: frames(&[(0.0, 0.2)]),
            again: frames(&[(0.0, 0.0)]),
            ..Expression::default()
        };
        let found = expression.finish();
        assert_eq!(
            (found.both, found.mouth, found.eyes),
            ([None; 2], None, None)
        );
        assert!(found.shape.is_some());
    }

    #[test]
    fn moved_and_scaled_head_has_no_gap() {
        let moved: Vec<Point3> = face(0.0)
            .iter()
            .map(|p| Point3::new(1.1 * p.x + 9.0, 1.1 * p.y - 4.0, p.z))
            .collect();
        assert!(length(&offsets(&face(0.0), &moved).unwrap()) < 1e-4);
    }
}
