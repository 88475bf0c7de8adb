//! The opening of a mouth, as it is drawn.

use effigy_face::landmarks::{LOWER_LIP_INNER_EDGE, MOUTH_LEFT, MOUTH_RIGHT, UPPER_LIP_INNER_EDGE};
use effigy_frame::Point2;

use super::eyes::Upright;
use super::{Movement, Portrait, smooth_step};
use crate::interior::height_at;

/// The opening of the mouth, as drawn.
#[derive(Clone, Debug)]
pub(super) struct Lips {
    /// Share in which the inside of the mouth shows, `0..=1`.
    pub(super) open: f32,
    /// Inner edges of the upper and lower lip, from left to right, in pixels, upright.
    pub(super) edges: [Vec<Point2>; 2],
    /// Pixels a centimetre.
    scale: f32,
    upright: Upright,
}

impl Lips {
    pub(super) fn of(portrait: &Portrait<'_>, movement: &Movement) -> Self {
        let weights = portrait.weights(movement);
        let head = portrait.head(movement);
        let points = portrait.rig.skin_points(&portrait.person, &weights);
        let pairs = UPPER_LIP_INNER_EDGE.iter().zip(&LOWER_LIP_INNER_EDGE);
        let gap = pairs
            .map(|(&upper, &lower)| points[lower][1] - points[upper][1])
            .fold(0.0, f32::max);
        let flat = |i: usize| {
            let [x, y, _] = head.apply(points[i]);
            Point2::new(x, y)
        };
        let upright = Upright::along(flat(MOUTH_RIGHT), flat(MOUTH_LEFT));
        let edge = |numbers: &[usize]| {
            let mut edge: Vec<Point2> = numbers.iter().map(|&i| upright.level(flat(i))).collect();
            edge.sort_by(|a, b| a.x.total_cmp(&b.x));
            edge
        };
        Self {
            open: smooth_step((gap - OPEN_CM[0]) / (OPEN_CM[1] - OPEN_CM[0])),
            edges: [&UPPER_LIP_INNER_EDGE, &LOWER_LIP_INNER_EDGE].map(|e| edge(e)),
            scale: head.scale,
            upright,
        }
    }

    /// How far down a place lies from the upper lip to the lower, `0..=1`; `None` where it does not lie
    /// between them.
    pub(super) fn between(&self, at: Point2) -> Option<f32> {
        let at = self.upright.level(at);
        let [upper, lower] = &self.edges;
        if at.x <= upper.first()?.x || upper.last()?.x <= at.x {
            return None;
        }
        let (top, bottom) = (height_at(upper, at.x), height_at(lower, at.x));
        (top < at.y && at.y < bottom).then(|| (at.y - top) / (bottom - top))
    }

    /// How much light falls on a place between the lips, `0..=1`: the upper lip and the corners
    /// shade it.
    pub(super) fn light(&self, at: Point2) -> f32 {
        let at = self.upright.level(at);
        let [upper, lower] = &self.edges;
        let (Some(first), Some(last)) = (upper.first(), upper.last()) else {
            return 1.0;
        };
        let below = (at.y - height_at(upper, at.x)) / self.scale;
        let above = (height_at(lower, at.x) - at.y) / self.scale;
        let aside = (at.x - first.x).min(last.x - at.x) / self.scale;
        let share = |cm: f32, [reach_cm, least]: [f32; 2]| {
            least + (1.0 - least) * smooth_step(cm / reach_cm)
        };
        share(below, UPPER_LIP) * share(above, LOWER_LIP) * share(aside, CORNERS)
    }
}

/// How far what shades a mouth reaches, in centimetres, and the least light that it leaves.
const UPPER_LIP: [f32; 2] = [0.45, 0.5];
const LOWER_LIP: [f32; 2] = [0.25, 0.7];
const CORNERS: [f32; 2] = [1.3, 0.35];

/// From which gap between the lips on the inside of the mouth is drawn, and from which on wholly, in
/// centimetres.
const OPEN_CM: [f32; 2] = [0.06, 0.2];
