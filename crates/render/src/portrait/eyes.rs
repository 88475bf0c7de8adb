//! The openings of both eyes in a portrait: where the colours of an eyeball are to be had.

use effigy_face::landmarks::{EYES, eye_distance};
use effigy_frame::Point2;

use crate::interior::{LIDS, height_at};

/// How far inside the lids' edges the eyeball's colours are taken, in eye distances: on the edges
/// themselves are lashes.
const INSIDE: f32 = 0.012;

/// Both openings.
#[derive(Clone, Debug)]
pub(super) struct Openings {
    /// Edges of the upper and lower lid of the right and the left eye, from left to right, upright.
    edges: [[Vec<Point2>; 2]; 2],
    margin: f32,
    upright: Upright,
}

/// Turns a picture about its corner so that a line in it is level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upright {
    sin: f32,
    cos: f32,
}

impl Upright {
    /// Levels the line from one place to another, which then leads to the right.
    pub(super) fn along(from: Point2, to: Point2) -> Self {
        let length = from.distance(to).max(1e-6);
        Self {
            sin: (to.y - from.y) / length,
            cos: (to.x - from.x) / length,
        }
    }

    pub(super) fn level(self, p: Point2) -> Point2 {
        let Self { sin, cos } = self;
        Point2::new(cos * p.x + sin * p.y, cos * p.y - sin * p.x)
    }

    pub(super) fn back(self, p: Point2) -> Point2 {
        let Self { sin, cos } = self;
        Point2::new(cos * p.x - sin * p.y, cos * p.y + sin * p.x)
    }
}

impl Openings {
    pub(super) fn of(points: &[Point2]) -> Self {
        let [right, left] = EYES;
        let upright = Upright::along(points[right.outer], points[left.outer]);
        let edge = |numbers: &[usize]| {
            let level = |&i: &usize| upright.level(points[i]);
            let mut edge: Vec<Point2> = numbers.iter().map(level).collect();
            edge.sort_by(|a, b| a.x.total_cmp(&b.x));
            edge
        };
        Self {
            edges: LIDS.map(|lids| lids.map(edge)),
            margin: INSIDE * eye_distance(points),
            upright,
        }
    }

    /// The place nearest to `at`, up or down the face, that lies within the opening of an eye.
    pub(super) fn within(&self, eye: usize, at: Point2) -> Point2 {
        let [upper, lower] = &self.edges[eye];
        let level = self.upright.level(at);
        let (Some(first), Some(last)) = (upper.first(), upper.last()) else {
            return at;
        };
        let x = level.x.clamp(first.x.min(last.x), first.x.max(last.x));
        let (top, bottom) = (height_at(upper, x), height_at(lower, x));
        let (top, bottom) = (top + self.margin, bottom - self.margin);
        let y = if bottom <= top {
            0.5 * (top + bottom)
        } else {
            level.y.clamp(top, bottom)
        };
        self.upright.back(Point2::new(x, y))
    }
}
