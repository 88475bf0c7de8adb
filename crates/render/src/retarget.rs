//! A driver's movement, put onto another face.

use effigy_face::pose::{Rotation, axis_of, reversed, times, turn_by};
use effigy_face::rig::{EXPRESSIONS, Gaze, N_EXPRESSIONS, Placement, Pose};

use crate::portrait::Movement;

/// How much of each movement is taken over: 0 none of it, 1 as the driver does it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gains {
    /// Lids and gaze.
    pub eyes: f32,
    /// Lips, jaw, cheeks, nose and tongue.
    pub mouth: f32,
    /// Brows.
    pub brows: f32,
    /// Turning and moving the head.
    pub head: f32,
}

impl Default for Gains {
    /// As the driver does it, the head a little less: a portrait does not show what a turn uncovers.
    fn default() -> Self {
        Self {
            eyes: 1.0,
            mouth: 1.0,
            brows: 1.0,
            head: 0.8,
        }
    }
}

/// The head turns no further than this from where it is in the portrait, in degrees.
const FURTHEST_TURN_DEGREES: f32 = 35.0;
/// It moves no further, in centimetres, and no less where it has no room.
const FURTHEST_CM: [f32; 2] = [0.5, 8.0];
/// It grows and shrinks no more.
const SCALES: [f32; 2] = [0.8, 1.25];
/// Eyes turn no further from where they look in the portrait, in degrees.
const FURTHEST_GAZE_DEGREES: f32 = 30.0;
/// The driver's own range of a weight or a gaze lies between these quantiles of all frames.
const RANGE: [f32; 2] = [0.1, 0.95];
/// A lid of the driver that is so much further down than at home begins to count as shut, and does: the mesh network
/// draws some blinks less than whole, and eyes that are almost shut look open.
const SHUT: [f32; 2] = [0.55, 0.8];
/// What tells how well a frame of the driver matches the portrait: degrees of turn that count as much
/// as a whole expression, and centimetres from where the driver mostly is.
const ALIKE_DEGREES: f32 = 5.0;
const ALIKE_CM: f32 = 4.0;

/// How what a driver does is put onto another face.
///
/// The driver is at *home* where they are most like the portrait, and the portrait is moved by how the
/// driver differs from that. Of each expression home is the value in the driver's own range that is
/// nearest to the portrait's: so a driver who starts with an open mouth is no different from one who
/// does not, a smile that only the portrait has stays, and a person who drives their own portrait is
/// followed closely.
#[derive(Clone, Debug)]
pub struct Retargeting {
    gains: Gains,
    weights: [f32; N_EXPRESSIONS],
    head: Placement,
    gaze: [Gaze; 2],
    /// What the face in the portrait does.
    portrait: [f32; N_EXPRESSIONS],
    /// How far the head goes left and right, up and down, in centimetres.
    furthest: [[f32; 2]; 2],
}

impl Retargeting {
    /// Learns from all that the driver does where they are most like the face in the portrait. `None`
    /// where nothing was seen.
    pub fn of(poses: &[&Pose], portrait: &Pose, gains: Gains) -> Option<Self> {
        let nearest = |wanted: f32, value: &dyn Fn(&Pose) -> f32| {
            let values = sorted(poses, value);
            let [least, most] = RANGE.map(|share| quantile(&values, share));
            wanted.clamp(least, most)
        };
        let weights: [f32; N_EXPRESSIONS] =
            std::array::from_fn(|i| nearest(portrait.weights[i], &|pose| pose.weights[i]));
        let gaze = std::array::from_fn(|eye| Gaze {
            yaw: nearest(portrait.gaze[eye].yaw, &|pose| pose.gaze[eye].yaw),
            pitch: nearest(portrait.gaze[eye].pitch, &|pose| pose.gaze[eye].pitch),
        });
        Some(Self {
            gains,
            weights,
            head: most_alike(poses, portrait)?.head,
            gaze,
            portrait: portrait.weights,
            furthest: [[FURTHEST_CM[1]; 2]; 2],
        })
    }

    /// The same for a portrait whose head has only so much `room` left and right, up and down, in centimetres: it
    /// stays in the picture.
    #[must_use]
    pub fn within(self, room: [[f32; 2]; 2]) -> Self {
        let [least, most] = FURTHEST_CM;
        Self {
            furthest: room.map(|way| way.map(|cm| cm.clamp(least, most))),
            ..self
        }
    }

    /// The same for some of all that the driver does, filmed by itself: where the head is, and how large, counts
    /// from where it is most like the portrait there. What the face does, and how the head is turned, counts as
    /// before, so that a clip that is all smile is one.
    #[must_use]
    pub fn filmed_apart(&self, poses: &[&Pose], portrait: &Pose) -> Self {
        let head = most_alike(poses, portrait).map_or(self.head, |alike| Placement {
            rotation: self.head.rotation,
            ..alike.head
        });
        Self {
            head,
            ..self.clone()
        }
    }

    /// The same where 0 is rest and 1 the whole expression, as it is written down: what is asked is added to what
    /// the portrait does, and the head turns from straight ahead. Where the head is still counts from where
    /// the movement is most like the portrait.
    #[must_use]
    pub fn from_rest(self) -> Self {
        Self {
            weights: [0.0; N_EXPRESSIONS],
            gaze: [Gaze::default(); 2],
            head: Placement {
                rotation: Placement::default().rotation,
                ..self.head
            },
            ..self
        }
    }

    /// What a portrait is to do when the driver does this.
    pub fn movement(&self, pose: &Pose) -> Movement {
        let Gains {
            eyes,
            mouth,
            brows,
            head,
        } = self.gains;
        let weights: [f32; N_EXPRESSIONS] = std::array::from_fn(|i| {
            let further = pose.weights[i] - self.weights[i];
            let gain = match EXPRESSIONS[i] {
                name if name.starts_with("eyeBlink") => return self.lid(i, further),
                name if name.starts_with("brow") => brows,
                name if name.starts_with("eye") || name.starts_with("Pupil") => eyes,
                _ => mouth,
            };
            gain * further
        });
        let gaze = std::array::from_fn(|eye| {
            let further = |now: f32, rest: f32| soft(eyes * (now - rest), FURTHEST_GAZE_DEGREES);
            Gaze {
                yaw: further(pose.gaze[eye].yaw, self.gaze[eye].yaw),
                pitch: further(pose.gaze[eye].pitch, self.gaze[eye].pitch),
            }
        });
        let shift = [0, 1].map(|i| {
            let by = (pose.head.shift[i] - self.head.shift[i]) / self.head.scale;
            let way = usize::from(0.0 < by);
            soft(head * by, self.furthest[i][way])
        });
        let nearer = (pose.head.scale / self.head.scale).powf(head);
        Movement {
            weights,
            gaze,
            turn: partly(
                &relative_turn(&pose.head.rotation, &self.head.rotation),
                head,
            ),
            shift,
            scale: nearer.clamp(SCALES[0], SCALES[1]),
        }
    }
}

impl Retargeting {
    /// How far a lid of the portrait goes when the driver's is so much `further` down than at home: all the way
    /// where that is shut.
    fn lid(&self, i: usize, further: f32) -> f32 {
        let gain = self.gains.eyes;
        let [least, most] = SHUT;
        let shut = gain.min(1.0) * ((further - least) / (most - least)).clamp(0.0, 1.0);
        let open = gain * further;
        open + shut * (1.0 - self.portrait[i] - open)
    }
}

/// The pose that is most like the portrait's.
fn most_alike<'p>(poses: &[&'p Pose], portrait: &Pose) -> Option<&'p Pose> {
    let mostly = [0, 1].map(|i| quantile(&sorted(poses, &|pose| pose.head.shift[i]), 0.5));
    let unlike = |pose: &Pose| {
        let turn = relative_turn(&pose.head.rotation, &portrait.head.rotation);
        let turn = length(axis_of(&turn));
        let square = |(a, b): (&f32, &f32)| (a - b) * (a - b);
        let expression = pose.weights.iter().zip(&portrait.weights).map(square);
        let away = [0, 1].map(|i| (pose.head.shift[i] - mostly[i]) / pose.head.scale);
        turn.to_degrees() / ALIKE_DEGREES
            + expression.sum::<f32>().sqrt()
            + away[0].hypot(away[1]) / ALIKE_CM
    };
    let all = poses.iter().copied();
    all.min_by(|a, b| unlike(a).total_cmp(&unlike(b)))
}

fn sorted(poses: &[&Pose], value: &dyn Fn(&Pose) -> f32) -> Vec<f32> {
    let mut values: Vec<f32> = poses.iter().map(|pose| value(pose)).collect();
    values.sort_by(f32::total_cmp);
    values
}

fn quantile(sorted: &[f32], share: f32) -> f32 {
    let at = share * sorted.len().saturating_sub(1) as f32;
    sorted.get(at.round() as usize).copied().unwrap_or_default()
}

/// Leaves a value as it is up to half the limit, and bends it smoothly so that it never passes the
/// limit.
fn soft(value: f32, limit: f32) -> f32 {
    let half = 0.5 * limit;
    if value.abs() <= half {
        return value;
    }
    (half + half * ((value.abs() - half) / half).tanh()).copysign(value)
}

/// The turn that leads from `home` to `now`, as the camera sees it.
fn relative_turn(now: &Rotation, home: &Rotation) -> Rotation {
    times(now, &reversed(home))
}

fn length(axis: [f32; 3]) -> f32 {
    axis.iter().map(|a| a * a).sum::<f32>().sqrt()
}

/// A share of a turn about the same axis, no further than [`FURTHEST_TURN_DEGREES`].
fn partly(turn: &Rotation, share: f32) -> Rotation {
    let axis = axis_of(turn);
    let angle = length(axis);
    let wanted = soft(share * angle, FURTHEST_TURN_DEGREES.to_radians());
    turn_by(axis.map(|a| a * wanted / angle.max(1e-9)))
}

#[cfg(test)]
mod tests {
    use effigy_face::rig::expression;

    use super::*;

    fn pose(jaw: f32, yaw_degrees: f32) -> Pose {
        let mut weights = [0.0; N_EXPRESSIONS];
        weights[expression("jawOpen")] = jaw;
        let (sin, cos) = yaw_degrees.to_radians().sin_cos();
        Pose {
            weights,
            gaze: [Gaze::default(); 2],
            head: Placement {
                rotation: [[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]],
                scale: 10.0,
                shift: [100.0, 80.0, 0.0],
            },
            residual: 0.0,
        }
    }

    fn retargeting(poses: &[Pose], portrait: &Pose, gains: Gains) -> Retargeting {
        let poses: Vec<&Pose> = poses.iter().collect();
        Retargeting::of(&poses, portrait, gains).unwrap()
    }

    /// The driver sat elsewhere, nearer and with an open mouth, in the second clip.
    #[test]
    fn clips_that_were_filmed_apart_begin_in_one_place() {
        let first = [pose(0.0, 0.0), pose(0.1, 0.0)];
        let mut second = [pose(0.6, 0.0), pose(0.7, 20.0)];
        for pose in &mut second {
            (pose.head.shift, pose.head.scale) = ([300.0, 40.0, 0.0], 15.0);
        }
        let all: Vec<&Pose> = first.iter().chain(&second).collect();
        let gains = Gains {
            head: 1.0,
            ..Gains::default()
        };
        let portrait = pose(0.0, 0.0);
        let over_all = Retargeting::of(&all, &portrait, gains).unwrap();
        let theirs: Vec<&Pose> = second.iter().collect();
        let apart = over_all.filmed_apart(&theirs, &portrait);
        let moved = apart.movement(&second[0]);
        assert_eq!((moved.shift, moved.scale), ([0.0, 0.0], 1.0));
        // With one place for both, one of them begins elsewhere.
        let off = [&first[0], &second[0]].map(|pose| over_all.movement(pose).shift[0].abs());
        assert!(off[0] + off[1] > 4.0, "{off:?}");
        // An open mouth is open all the same, and a turned head turned.
        assert!(moved.weights[expression("jawOpen")] > 0.5);
        assert!(length(axis_of(&apart.movement(&second[1]).turn)).to_degrees() > 15.0);
    }

    #[test]
    fn a_driver_who_starts_with_an_open_mouth_is_no_different() {
        let jaw = expression("jawOpen");
        let opened = |i: usize| pose(if i < 20 { 0.7 } else { 0.1 }, 0.0);
        let late: Vec<Pose> = (0..100).map(opened).collect();
        let retargeting = retargeting(&late, &pose(0.0, 0.0), Gains::default());
        assert!(retargeting.movement(&late[50]).weights[jaw].abs() < 0.02);
        let open = retargeting.movement(&late[0]).weights[jaw];
        assert!((open - 0.6).abs() < 0.02, "{open}");
    }

    #[test]
    fn who_drives_their_own_portrait_is_followed() {
        let jaw = expression("jawOpen");
        let poses: Vec<Pose> = (0..50)
            .map(|i| pose(0.01 * i as f32, 0.4 * i as f32 - 10.0))
            .collect();
        let portrait = &poses[20];
        let gains = Gains {
            head: 1.0,
            ..Gains::default()
        };
        let retargeting = retargeting(&poses, portrait, gains);
        assert_eq!(retargeting.movement(portrait).weights, [0.0; N_EXPRESSIONS]);
        let movement = retargeting.movement(&poses[40]);
        assert!((movement.weights[jaw] - 0.2).abs() < 1e-5);
        assert!((yaw_of(&movement) - 8.0).abs() < 0.1);
    }

    #[test]
    fn a_smile_that_only_the_portrait_has_stays() {
        let smile = expression("mouthSmile_L");
        let poses: Vec<Pose> = (0..50).map(|_| pose(0.1, 0.0)).collect();
        let mut portrait = pose(0.0, 0.0);
        portrait.weights[smile] = 0.8;
        let retargeting = retargeting(&poses, &portrait, Gains::default());
        assert!(retargeting.movement(&poses[0]).weights[smile].abs() < 1e-6);
    }

    #[test]
    fn lids_that_are_shut_shut_lids() {
        let lid = expression("eyeBlink_L");
        let at = |weight: f32| {
            let mut pose = pose(0.0, 0.0);
            pose.weights[lid] = weight;
            pose
        };
        let blinks: Vec<Pose> = (0..50)
            .map(|i| at(if i == 30 { 0.95 } else { 0.1 }))
            .collect();
        let shut = |eyes: f32| {
            let gains = Gains {
                eyes,
                ..Gains::default()
            };
            let retargeting = retargeting(&blinks, &at(0.2), gains);
            let weight = |pose: &Pose| 0.2 + retargeting.movement(pose).weights[lid];
            [weight(&blinks[0]), weight(&blinks[30])]
        };
        let [open, closed] = shut(1.0);
        assert!(
            (open - 0.2).abs() < 1e-5 && (closed - 1.0).abs() < 1e-5,
            "{open}, {closed}"
        );
        // Who asked for no movement of the eyes sees none.
        assert_eq!(shut(0.0), [0.2; 2]);
    }

    fn yaw_of(movement: &Movement) -> f32 {
        let turn = movement.turn;
        turn[0][2].atan2(turn[0][0]).to_degrees()
    }

    #[test]
    fn the_head_turns_as_far_as_it_is_asked_to_and_no_further() {
        let poses = [-4.0, 0.0, 4.0].map(|yaw| pose(0.0, yaw));
        let turn = |head: f32, yaw: f32| {
            let gains = Gains {
                head,
                ..Gains::default()
            };
            let retargeting = retargeting(&poses, &pose(0.0, 0.0), gains);
            yaw_of(&retargeting.movement(&pose(0.0, yaw)))
        };
        assert!((turn(1.0, 5.0) - 5.0).abs() < 0.1);
        assert!((turn(0.5, 10.0) - 5.0).abs() < 0.1);
        assert!(turn(0.0, 10.0).abs() < 1e-3);
        assert!(turn(1.0, 80.0) <= FURTHEST_TURN_DEGREES);
    }

    #[test]
    fn what_is_written_down_is_asked_for_however_long() {
        let jaw = expression("jawOpen");
        let open: Vec<Pose> = (0..50).map(|_| pose(0.9, 0.0)).collect();
        let retargeting = retargeting(&open, &pose(0.0, 0.0), Gains::default());
        assert!(retargeting.movement(&open[0]).weights[jaw] < 1e-6);
        let written = retargeting.from_rest();
        assert!((written.movement(&open[0]).weights[jaw] - 0.9).abs() < 1e-6);
    }

    #[test]
    fn a_head_stays_in_its_picture() {
        let mut poses = vec![pose(0.0, 0.0); 9];
        poses.push(pose(0.0, 0.0));
        poses[9].head.shift = [180.0, 20.0, 0.0];
        let moved = |room: [[f32; 2]; 2]| {
            let gains = Gains {
                head: 1.0,
                ..Gains::default()
            };
            let retargeting = retargeting(&poses, &pose(0.0, 0.0), gains).within(room);
            retargeting.movement(&poses[9]).shift
        };
        let [right, up] = moved([[0.0, 2.0], [20.0, 0.0]]);
        assert!(1.5 < right && right <= 2.0, "{right}");
        assert!((-8.0..-5.5).contains(&up), "{up}");
    }

    #[test]
    fn nobody_seen_drives_nobody() {
        assert!(Retargeting::of(&[], &pose(0.0, 0.0), Gains::default()).is_none());
    }
}
