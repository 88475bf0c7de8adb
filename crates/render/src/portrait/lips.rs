//! The opening of a mouth: between the inner edges of the lips, as curves.

use effigy_face::landmarks::{LOWER_LIP_INNER_EDGE, MOUTH_LEFT, MOUTH_RIGHT, UPPER_LIP_INNER_EDGE};
use effigy_frame::{Point2, Rect};

use super::eyes::Upright;
use super::smooth_step;

/// The opening of a mouth in a picture.
#[derive(Clone, Debug)]
pub(super) struct Lips {
    /// Inner edges of the upper and lower lip, from left to right, in pixels, upright.
    edges: [Vec<Point2>; 2],
    /// Pixels a centimetre.
    scale: f32,
    upright: Upright,
}

/// A place in the row of an opening, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Between {
    /// The place, upright.
    pub(super) level: Point2,
    /// How far below the upper lip it lies, and above the lower.
    pub(super) below: f32,
    pub(super) above: f32,
    /// How far it lies inside the nearer corner.
    aside: f32,
    /// The place from corner to corner, `-1..=1`.
    pub(super) across: f32,
}

impl Between {
    /// How far down the place lies from the upper lip to the lower, `0..=1`.
    pub(super) fn down(&self) -> f32 {
        (self.below / (self.below + self.above).max(1e-3)).clamp(0.0, 1.0)
    }

    /// Pixels to the edge of the opening; less than 0 outside.
    pub(super) fn inside(&self) -> f32 {
        self.below.min(self.above).min(self.aside)
    }
}

impl Lips {
    /// Takes the 468 skin points of a face where they are in a picture of `scale` pixels a centimetre.
    pub(super) fn of(point: impl Fn(usize) -> Point2, scale: f32) -> Self {
        let upright = Upright::along(point(MOUTH_RIGHT), point(MOUTH_LEFT));
        let edge = |numbers: &[usize]| {
            let mut edge: Vec<Point2> = numbers.iter().map(|&i| upright.level(point(i))).collect();
            edge.sort_by(|a, b| a.x.total_cmp(&b.x));
            edge
        };
        Self {
            edges: [&UPPER_LIP_INNER_EDGE, &LOWER_LIP_INNER_EDGE].map(|e| edge(e)),
            scale,
            upright,
        }
    }

    /// Turns a place as the mouth is turned.
    pub(super) fn level(&self, at: Point2) -> Point2 {
        self.upright.level(at)
    }

    /// Pixels a centimetre.
    pub(super) fn scale(&self) -> f32 {
        self.scale
    }

    /// The widest gap between the lips, in centimetres.
    pub(super) fn gap_cm(&self) -> f32 {
        let [upper, lower] = &self.edges;
        let gaps = upper.iter().map(|p| curve_at(lower, p.x) - p.y);
        gaps.fold(0.0, f32::max) / self.scale
    }

    /// The box around the opening, in the picture.
    pub(super) fn bounds(&self) -> Option<Rect> {
        let all = self.edges.iter().flatten();
        Rect::around(all.map(|&p| self.upright.back(p)))
    }

    /// The place in the picture so far `across` from corner to corner, `-1..=1`, and so far `down` from
    /// the upper lip to the lower, `0..=1`.
    pub(super) fn place(&self, across: f32, down: f32) -> Point2 {
        let [upper, lower] = &self.edges;
        let (Some(first), Some(last)) = (upper.first(), upper.last()) else {
            return Point2::new(0.0, 0.0);
        };
        let x = first.x + 0.5 * (1.0 + across) * (last.x - first.x);
        let (top, bottom) = (curve_at(upper, x), curve_at(lower, x));
        self.upright
            .back(Point2::new(x, top + down * (bottom - top)))
    }

    /// Where a place lies between the lips.
    pub(super) fn between(&self, at: Point2) -> Between {
        let level = self.level(at);
        let [upper, lower] = &self.edges;
        let (first, last) = match (upper.first(), upper.last()) {
            (Some(first), Some(last)) => (first.x, last.x),
            _ => (level.x, level.x),
        };
        let half = (0.5 * (last - first)).max(1e-3);
        Between {
            level,
            below: level.y - curve_at(upper, level.x),
            above: curve_at(lower, level.x) - level.y,
            aside: (level.x - first).min(last - level.x),
            across: ((level.x - first) / half - 1.0).clamp(-1.0, 1.0),
        }
    }

    /// How much light falls on a place between the lips, `0..=1`: both lips and the corners shade it.
    pub(super) fn light(&self, at: &Between) -> f32 {
        let share = |px: f32, [reach_cm, least]: [f32; 2]| {
            least + (1.0 - least) * smooth_step(px / self.scale / reach_cm)
        };
        share(at.below, UPPER_LIP) * share(at.above, LOWER_LIP) * share(at.aside, CORNERS)
    }
}

/// How far what shades a mouth reaches, in centimetres, and the least light that it leaves.
const UPPER_LIP: [f32; 2] = [0.3, 0.65];
const LOWER_LIP: [f32; 2] = [0.25, 0.7];
const CORNERS: [f32; 2] = [1.0, 0.35];

/// The height of an edge at `x`: a smooth curve through its points, which are sorted; level beyond
/// its ends (Catmull and Rom, 1974, with the points' own distances).
pub(super) fn curve_at(points: &[Point2], x: f32) -> f32 {
    let [first, .., last] = points else {
        return points.first().map_or(0.0, |p| p.y);
    };
    if x <= first.x {
        return first.y;
    }
    if last.x <= x {
        return last.y;
    }
    let next = points
        .partition_point(|p| p.x <= x)
        .clamp(1, points.len() - 1);
    let (a, b) = (points[next - 1], points[next]);
    let slope = |p: Point2, q: Point2| (q.y - p.y) / (q.x - p.x).max(0.5);
    let at_a = next
        .checked_sub(2)
        .map_or(slope(a, b), |before| slope(points[before], b));
    let at_b = points
        .get(next + 1)
        .map_or(slope(a, b), |&after| slope(a, after));
    let width = (b.x - a.x).max(1e-3);
    let t = (x - a.x) / width;
    let (t2, t3) = (t * t, t * t * t);
    (2.0 * t3 - 3.0 * t2 + 1.0) * a.y
        + (t3 - 2.0 * t2 + t) * width * at_a
        + (3.0 * t2 - 2.0 * t3) * b.y
        + (t3 - t2) * width * at_b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_through_its_points_and_bends_between_them() {
        let points: Vec<Point2> = [(0.0, 0.0), (2.0, 4.0), (4.0, 5.0), (6.0, 4.0), (8.0, 0.0)]
            .map(|(x, y)| Point2::new(x, y))
            .to_vec();
        for p in &points {
            assert!((curve_at(&points, p.x) - p.y).abs() < 1e-5);
        }
        // Above the straight lines between the points.
        assert!(4.5 < curve_at(&points, 3.0) && 4.5 < curve_at(&points, 5.0));
        assert!((curve_at(&points, -3.0) - 0.0).abs() < 1e-6);
    }
}
