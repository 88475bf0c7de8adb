//! Where a head is in the picture.

use effigy_frame::Point3;

use super::Vec3;
use crate::landmarks::RIGID_POINTS;
use crate::pose::{self, Rotation, times, turn_by};

/// Carries places on the head into the picture: turned, scaled and shifted (weak perspective).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// How the head is turned.
    pub rotation: Rotation,
    /// Pixels a centimetre.
    pub scale: f32,
    /// Where the head's origin is: x, y and depth in pixels.
    pub shift: Vec3,
}

impl Default for Placement {
    /// A head that looks straight ahead, a pixel a centimetre.
    fn default() -> Self {
        Self {
            rotation: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            scale: 1.0,
            shift: [0.0; 3],
        }
    }
}

impl Placement {
    /// Carries a place on the head into the picture.
    pub fn apply(&self, p: Vec3) -> Vec3 {
        let turned = turn(&self.rotation, p);
        [0, 1, 2].map(|i| self.scale * turned[i] + self.shift[i])
    }

    /// Carries a place in the picture back onto the head.
    pub fn back(&self, p: Vec3) -> Vec3 {
        let flat = [0, 1, 2].map(|i| (p[i] - self.shift[i]) / self.scale);
        turn_back(&self.rotation, flat)
    }

    /// Where the head is turned, in degrees.
    pub fn angles(&self) -> pose::Pose {
        pose::angles(&self.rotation)
    }

    /// Lays places on the head on the points of a face, roughly.
    pub(crate) fn roughly(places: &[f32], points: &[Point3]) -> Self {
        let rotation = pose::rotation(points);
        let pair = |&i: &usize| {
            let place = turn(&rotation, at(places, i));
            let point = points[i];
            ([place[0], place[1], place[2]], [point.x, point.y, point.z])
        };
        let pairs: Vec<(Vec3, Vec3)> = RIGID_POINTS.iter().map(pair).collect();
        let n = pairs.len() as f32;
        let mean = |pick: &dyn Fn(&(Vec3, Vec3)) -> Vec3| {
            let sum = pairs.iter().map(pick).fold([0.0; 3], |sum: Vec3, p| {
                [sum[0] + p[0], sum[1] + p[1], sum[2] + p[2]]
            });
            sum.map(|s| s / n)
        };
        let (from, to) = (mean(&|p| p.0), mean(&|p| p.1));
        let (mut along, mut square) = (0.0, 0.0);
        for (place, point) in &pairs {
            for i in 0..2 {
                along += (place[i] - from[i]) * (point[i] - to[i]);
                square += (place[i] - from[i]) * (place[i] - from[i]);
            }
        }
        let scale = (along / square.max(1e-6)).max(1e-3);
        Self {
            rotation,
            scale,
            shift: [0, 1, 2].map(|i| to[i] - scale * from[i]),
        }
    }

    /// Turns by a small angle (radians about each axis of the head), grows and shifts, all as seen
    /// from the head.
    pub(crate) fn nudge(&mut self, by: [f32; 7]) {
        let [a, b, c, grow, x, y, z] = by;
        let moved = turn(&self.rotation, [x, y, z]);
        self.shift = [0, 1, 2].map(|i| self.shift[i] + self.scale * moved[i]);
        self.scale *= grow.clamp(-0.5, 0.5).exp();
        self.rotation = times(&self.rotation, &turn_by([a, b, c]));
    }
}

pub(crate) fn at(places: &[f32], i: usize) -> Vec3 {
    [places[3 * i], places[3 * i + 1], places[3 * i + 2]]
}

pub(crate) fn turn(r: &Rotation, p: Vec3) -> Vec3 {
    [0, 1, 2].map(|i| r[i][0] * p[0] + r[i][1] * p[1] + r[i][2] * p[2])
}

pub(crate) fn turn_back(r: &Rotation, p: Vec3) -> Vec3 {
    [0, 1, 2].map(|i| r[0][i] * p[0] + r[1][i] * p[1] + r[2][i] * p[2])
}
