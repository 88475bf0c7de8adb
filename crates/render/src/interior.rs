//! The interior of the mouth and of the eyes: teeth, tongue and eyeballs.
//!
//! It stays the performer's. The interior of a mouth is what a model draws worst, and where a person
//! looks shows in fewer pixels than a model has for an eye.

use effigy_face::landmarks::{
    LEFT_LOWER_LID, LEFT_UPPER_LID, LOWER_LIP_INNER_EDGE, RIGHT_LOWER_LID, RIGHT_UPPER_LID,
    UPPER_LIP_INNER_EDGE, eye_distance,
};
use effigy_frame::{Point2, Rect};

/// Inner edges of the lips, upper and lower, from the subject's right to their left.
pub(crate) const LIPS: [&[usize]; 2] = [&UPPER_LIP_INNER_EDGE, &LOWER_LIP_INNER_EDGE];
/// Edges of the lids, upper and lower, of the subject's right and left eye.
pub(crate) const LIDS: [[&[usize]; 2]; 2] = [
    [&RIGHT_UPPER_LID, &RIGHT_LOWER_LID],
    [&LEFT_UPPER_LID, &LEFT_LOWER_LID],
];
/// Width of the fade inside the lips, in eye distances.
const LIP_FADE: f32 = 0.02;
/// The same of the lids. Lashes belong to an eye, so its fade lies outside the edge of its lids.
const LID_FADE: f32 = 0.06;

/// An open mouth, or an eye.
#[derive(Clone, Debug)]
pub(crate) struct Interior {
    upper: Vec<Point2>,
    lower: Vec<Point2>,
    bounds: Rect,
    /// How far it reaches beyond its edges.
    beyond: f32,
    fade: f32,
}

/// The mouth and both eyes of a face whose mesh is `points`.
pub(crate) fn interiors(points: &[Point2]) -> Vec<Interior> {
    let unit = eye_distance(points).max(1.0);
    let [right, left] = LIDS;
    let interior = |(edges, [beyond, fade]): ([&[usize]; 2], [f32; 2])| {
        let [upper, lower] = edges.map(|edge| sorted(edge.iter().map(|&i| points[i]).collect()));
        let tight = Rect::around(upper.iter().chain(&lower).copied())?;
        let beyond = beyond * unit;
        Some(Interior {
            upper,
            lower,
            bounds: Rect {
                x: tight.x - beyond,
                y: tight.y - beyond,
                width: tight.width + 2.0 * beyond,
                height: tight.height + 2.0 * beyond,
            },
            beyond,
            fade: fade * unit,
        })
    };
    let lids = [LID_FADE, LID_FADE];
    let all = [(LIPS, [0.0, LIP_FADE]), (right, lids), (left, lids)];
    all.into_iter().filter_map(interior).collect()
}

fn sorted(mut edge: Vec<Point2>) -> Vec<Point2> {
    edge.sort_by(|a, b| a.x.total_cmp(&b.x));
    edge
}

impl Interior {
    /// How much of the place `at` is seen through it, `0..=1`.
    pub(crate) fn share(&self, at: Point2) -> f32 {
        let Rect {
            x,
            y,
            width,
            height,
        } = self.bounds;
        if at.x <= x || x + width <= at.x || at.y <= y || y + height <= at.y {
            return 0.0;
        }
        let (upper, lower) = (height_at(&self.upper, at.x), height_at(&self.lower, at.x));
        // The nearest edge decides: of both lips or lids, and of the box around the corners.
        let to_sides = (at.x - x).min(x + width - at.x);
        let to_edges = (at.y - upper).min(lower - at.y) + self.beyond;
        (to_edges.min(to_sides) / self.fade).clamp(0.0, 1.0)
    }
}

/// The height of an edge, whose points are sorted, at `x`.
pub(crate) fn height_at(edge: &[Point2], x: f32) -> f32 {
    let next = edge.partition_point(|p| p.x <= x).clamp(1, edge.len() - 1);
    let (a, b) = (edge[next - 1], edge[next]);
    a.y + (b.y - a.y) * ((x - a.x) / (b.x - a.x).max(1e-3)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_face::landmarks::{
        EYES, LEFT_BROW_MIDDLE, LOWER_LIP_INNER, MOUTH_LEFT, MOUTH_RIGHT, RIGHT_BROW_MIDDLE,
        UPPER_LIP_INNER, UPPER_LIP_OUTER,
    };
    use effigy_model::mean_mesh;

    /// The mean face, 100 px between the eyes, its lower lip's inner edge `open` px lower.
    fn face(open: f32) -> Vec<Point2> {
        let place = |p: &effigy_frame::Point3| Point2::new(100.0 * p.x, 100.0 * p.y);
        let mut points: Vec<Point2> = mean_mesh().iter().map(place).collect();
        for &i in &LIPS[1][1..10] {
            points[i].y = points[i].y.max(points[UPPER_LIP_INNER].y) + open;
        }
        points
    }

    fn seen(points: &[Point2], at: Point2) -> f32 {
        interiors(points)
            .iter()
            .map(|interior| interior.share(at))
            .sum()
    }

    #[test]
    fn inside_of_an_open_mouth_is_seen_and_lips_are_not() {
        let points = face(20.0);
        let middle = points[UPPER_LIP_INNER].midpoint(points[LOWER_LIP_INNER]);
        assert!((seen(&points, middle) - 1.0).abs() < 1e-6);
        for lip in [
            points[UPPER_LIP_OUTER],
            points[MOUTH_RIGHT],
            points[MOUTH_LEFT],
        ] {
            assert!(seen(&points, lip) <= 0.0, "{lip:?}");
        }
    }

    #[test]
    fn shut_mouth_shows_nothing() {
        let mut points = face(0.0);
        for (&upper, &lower) in LIPS[0].iter().zip(LIPS[1]) {
            points[lower] = points[upper];
        }
        assert!(seen(&points, points[UPPER_LIP_INNER]) <= 0.0);
    }

    #[test]
    fn eyes_are_seen_and_brows_are_not() {
        let points = face(0.0);
        for eye in EYES {
            let eye = points[eye.upper_lid].midpoint(points[eye.lower_lid]);
            assert!((seen(&points, eye) - 1.0).abs() < 1e-6, "{eye:?}");
        }
        assert!(seen(&points, points[RIGHT_BROW_MIDDLE]) <= 0.0);
        assert!(seen(&points, points[LEFT_BROW_MIDDLE]) <= 0.0);
    }
}
