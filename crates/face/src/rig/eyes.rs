//! Where the eyes look, by the irises in their eyeballs.

use effigy_frame::Point3;

use super::placement::{turn, turn_back};
use super::{N_MODES, Placement, Vec3};
use crate::landmarks::EYES;
use crate::pose::turn_by;

/// Where an eye looks in its head, in degrees; zero is straight ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gaze {
    /// Positive towards the picture's right (the person's left).
    pub yaw: f32,
    /// Positive upwards.
    pub pitch: f32,
}

/// An eyeball on the head, in centimetres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Eyeball {
    /// Its middle.
    pub middle: Vec3,
    /// Its radius.
    pub radius: f32,
}

/// The middle of the iris lies this many radii before the middle of the eyeball, the cornea being
/// bulged.
const IRIS_RADII: f32 = 1.1;
/// Eyes turn no further, in degrees.
const FURTHEST: f32 = 45.0;

impl Eyeball {
    /// Where a place of the eyeball at rest goes when the eye turns.
    pub(crate) fn turned(&self, place: Vec3, gaze: Gaze) -> Vec3 {
        let (yaw, pitch) = (gaze.yaw.to_radians(), gaze.pitch.to_radians());
        let from = [0, 1, 2].map(|i| place[i] - self.middle[i]);
        // A turn about x lowers what lies before it, and one about y carries it to the left.
        let up = turn(&turn_by([-pitch, 0.0, 0.0]), from);
        let turned = turn(&turn_by([0.0, -yaw, 0.0]), up);
        [0, 1, 2].map(|i| self.middle[i] + turned[i])
    }

    /// Where the eye looks when the middle of its iris is at `iris` in the picture.
    pub(crate) fn gaze(&self, iris: Point3, head: &Placement) -> Gaze {
        let middle = head.apply(self.middle);
        let reach = head.scale * self.radius * IRIS_RADII;
        let (mut x, mut y) = ((iris.x - middle[0]) / reach, (iris.y - middle[1]) / reach);
        let long = x.hypot(y);
        if long > 0.95 {
            (x, y) = (0.95 * x / long, 0.95 * y / long);
        }
        let seen = [x, y, -(1.0 - x * x - y * y).max(0.0).sqrt()];
        let [x, y, z] = turn_back(&head.rotation, seen);
        let limit = |degrees: f32| degrees.clamp(-FURTHEST, FURTHEST);
        Gaze {
            yaw: limit(x.atan2(-z).to_degrees()),
            pitch: limit((-y).clamp(-1.0, 1.0).asin().to_degrees()),
        }
    }
}

/// Both eyeballs and how the modes of identity change them: x, y, z of the middle, and the radius.
#[derive(Clone, Debug)]
pub(crate) struct EyeShapes {
    pub(crate) neutral: [[f32; 4]; 2],
    pub(crate) identity: Vec<[[f32; 4]; 2]>,
    /// Yaw and pitch of the eyes by a constant and by what the irises tell.
    pub(crate) seen: [[f32; 2]; 2],
    /// How far lids are down by a constant and by what their points tell.
    pub(crate) lids: [f32; 2],
}

/// The mesh network draws lids that are shut half open, and open ones not quite: the former are taken for a weight of
/// 0.4 to 0.8, the latter for up to 0.2. Chosen on the clips of one actor.
pub(crate) const LIDS_AS_FOUND: [f32; 2] = [-0.2, 2.0];
/// Lids are down by what their points tell.
pub(crate) const LIDS_AT_THEIR_WORD: [f32; 2] = [0.0, 1.0];

/// What an eye does is what its iris tells.
pub(crate) const IRISES_AT_THEIR_WORD: [[f32; 2]; 2] = [[0.0, 1.0]; 2];

impl EyeShapes {
    /// How far a lid is down when its points tell this.
    pub(crate) fn lid(&self, told: f32) -> f32 {
        let [at_0, slope] = self.lids;
        (at_0 + slope * told).clamp(0.0, 1.0)
    }

    /// The eyeballs of a person, moved along with the corners of the eyes.
    pub(crate) fn of(&self, identity: &[f32; N_MODES], offsets: &[Vec3]) -> [Eyeball; 2] {
        std::array::from_fn(|eye| {
            let mut ball = self.neutral[eye];
            for (mode, &weight) in self.identity.iter().zip(identity) {
                for (value, change) in ball.iter_mut().zip(mode[eye]) {
                    *value += weight * change;
                }
            }
            let [x, y, z, radius] = ball;
            let corners = [EYES[eye].outer, EYES[eye].inner].map(|i| offsets[i]);
            let moved = [0, 1, 2].map(|i| 0.5 * (corners[0][i] + corners[1][i]));
            Eyeball {
                middle: [x + moved[0], y + moved[1], z + moved[2]],
                radius,
            }
        })
    }
}

/// How strongly what both eyes do counts against what one does: eyes turn together.
const TOGETHER: f32 = 0.7;

/// Where both eyes look, the right one first. `surely` says how well the iris of each is seen, `0..=1`: what the
/// other does counts for an eye whose iris is not.
pub(crate) fn gaze(
    shapes: &EyeShapes,
    eyes: &[Eyeball; 2],
    points: &[Point3],
    head: &Placement,
    surely: [f32; 2],
) -> [Gaze; 2] {
    let alone: [Gaze; 2] = std::array::from_fn(|eye| eyes[eye].gaze(points[EYES[eye].iris], head));
    let both = (surely[0] + surely[1]).max(1e-6);
    let mean =
        |pick: fn(Gaze) -> f32| (surely[0] * pick(alone[0]) + surely[1] * pick(alone[1])) / both;
    let (yaw, pitch) = (mean(|g| g.yaw), mean(|g| g.pitch));
    let truly =
        |[at_0, slope]: [f32; 2], told: f32| (at_0 + slope * told).clamp(-FURTHEST, FURTHEST);
    let [by_yaw, by_pitch] = shapes.seen;
    let (true_yaw, true_pitch) = (truly(by_yaw, yaw), truly(by_pitch, pitch));
    std::array::from_fn(|eye| {
        let apart = (1.0 - TOGETHER) * surely[eye];
        Gaze {
            yaw: true_yaw + apart * (alone[eye].yaw - yaw),
            pitch: true_pitch + apart * (alone[eye].pitch - pitch),
        }
    })
}
