//! What a face does in one frame: weights, gaze and placement, by damped Gauss–Newton.

use effigy_frame::Point3;

use super::equations::{Equations, Prior};
use super::eyes::gaze;
use super::names::{EXPRESSIONS, N_EXPRESSIONS, expression};
use super::placement::at;
use super::{Gaze, Person, Placement, Rig};
use crate::landmarks::{EYES, N_SKIN_POINTS, eye_distance};
use crate::smooth::{Smoothing, ValueSmoother};

/// What a face does in a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Pose {
    /// Weight of each expression, `0..=1`, in the order of [`EXPRESSIONS`].
    pub weights: [f32; N_EXPRESSIONS],
    /// Where the eyes look, the right one first.
    pub gaze: [Gaze; 2],
    /// Where the head is.
    pub head: Placement,
    /// How far the points are off the head's, as root mean square in the picture and a share of the
    /// distance between the eyes.
    pub residual: f32,
}

/// How a face is solved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SolverSettings {
    /// How strongly weights are drawn to 0.
    pub pull: f32,
    /// What each weight costs: few expressions explain a face better than many.
    pub cost: f32,
    /// How strongly weights are drawn to those of the frame before.
    pub steady: f32,
    /// Steps for a face of which nothing is known.
    pub steps_at_first: u32,
    /// Steps from the frame before.
    pub steps: u32,
    /// How weights and gaze are smoothed over time; speeds are full weights a second.
    pub smoothing: Smoothing,
}

impl Default for SolverSettings {
    fn default() -> Self {
        Self {
            pull: 0.6,
            cost: 0.08,
            steady: 0.5,
            steps_at_first: 8,
            steps: 2,
            smoothing: Smoothing {
                still_cutoff_hz: 2.0,
                cutoff_per_speed: 8.0,
                speed_cutoff_hz: 3.0,
            },
        }
    }
}

/// Solves one face frame by frame.
#[derive(Clone, Debug)]
pub struct Solver {
    settings: SolverSettings,
    last: Option<(f64, Pose)>,
    smoother: ValueSmoother,
}

/// The expressions that shut the lids.
const LIDS: [&str; 2] = ["eyeBlink_L", "eyeBlink_R"];
/// A face that was not seen for this long is looked at anew, in seconds.
const LONGEST_GAP_SECS: f64 = 0.5;

impl Solver {
    /// Makes a solver that has seen nothing.
    pub fn new(settings: SolverSettings) -> Self {
        Self {
            smoother: ValueSmoother::new(settings.smoothing),
            settings,
            last: None,
        }
    }

    /// Forgets the frames before.
    pub fn start_afresh(&mut self) {
        *self = Self::new(self.settings);
    }

    /// Gives what the face with these mesh points does.
    ///
    /// Frames come in order; a jump in time starts afresh.
    ///
    /// # Panics
    /// If `points` is not a whole mesh.
    pub fn solve(&mut self, rig: &Rig, person: &Person, points: &[Point3], time_secs: f64) -> Pose {
        let follows = |before: f64| (0.0..LONGEST_GAP_SECS).contains(&(time_secs - before));
        if !self
            .last
            .as_ref()
            .is_some_and(|(before, _)| follows(*before))
        {
            self.start_afresh();
        }
        let last = self.last.take().map(|(_, pose)| pose);
        let pose = solve(rig, person, points, last.as_ref(), &self.settings);
        self.last = Some((time_secs, pose.clone()));
        let mut smooth = self.smoothed(pose, time_secs);
        for lid in LIDS.map(expression) {
            smooth.weights[lid] = rig.eyes.lid(smooth.weights[lid]);
        }
        smooth
    }

    fn smoothed(&mut self, mut pose: Pose, time_secs: f64) -> Pose {
        let angles = pose.gaze.map(|g| [g.yaw, g.pitch]);
        let angles = angles.iter().flatten().map(|a| a / FULL_TURN);
        let values: Vec<f32> = pose.weights.iter().copied().chain(angles).collect();
        let smooth = self.smoother.smooth(&values, time_secs, 1.0);
        pose.weights.copy_from_slice(&smooth[..N_EXPRESSIONS]);
        for (eye, gaze) in pose.gaze.iter_mut().enumerate() {
            let at = N_EXPRESSIONS + 2 * eye;
            gaze.yaw = FULL_TURN * smooth[at];
            gaze.pitch = FULL_TURN * smooth[at + 1];
        }
        pose
    }
}

/// Degrees that count as a full weight where gaze is smoothed.
const FULL_TURN: f32 = 30.0;

/// Places a person who does a known thing on the mesh points of their face.
///
/// # Panics
/// If `points` is not a whole mesh.
pub fn place(
    rig: &Rig,
    person: &Person,
    weights: &[f32; N_EXPRESSIONS],
    points: &[Point3],
) -> Placement {
    const STEPS: usize = 6;
    let mut prior = prior(&SolverSettings::default(), None);
    prior.bounds = weights.map(|w| [f64::from(w); 2]);
    let mut places = person.points.clone();
    rig.points.express(&mut places, weights);
    let mut head = Placement::roughly(&person.points, points);
    for _step in 0..STEPS {
        let equations = Equations::new(&rig.gram, &rig.points, &places, &head, points);
        head.nudge(equations.solve(weights, &prior).1);
    }
    head
}

/// Solves a face by itself, from what was known of it a frame ago where that is given.
pub(crate) fn solve(
    rig: &Rig,
    person: &Person,
    points: &[Point3],
    last: Option<&Pose>,
    settings: &SolverSettings,
) -> Pose {
    assert!(points.len() > N_SKIN_POINTS, "not a whole mesh");
    let mut head = last.map_or_else(|| Placement::roughly(&person.points, points), |l| l.head);
    let mut weights = last.map_or([0.0; N_EXPRESSIONS], |l| l.weights);
    let mut prior = prior(settings, last);
    let steps = match last {
        None => settings.steps_at_first,
        Some(_) => settings.steps,
    };
    let mut places = person.points.clone();
    for _step in 0..steps {
        follow_eyes(&mut prior, looks(rig, person, points, &head, last));
        places.copy_from_slice(&person.points);
        rig.points.express(&mut places, &weights);
        let equations = Equations::new(&rig.gram, &rig.points, &places, &head, points);
        let (new, nudge) = equations.solve(&weights, &prior);
        weights = new;
        head.nudge(nudge);
    }
    places.copy_from_slice(&person.points);
    rig.points.express(&mut places, &weights);
    Pose {
        gaze: looks(rig, person, points, &head, last),
        residual: residual(&places, &head, points),
        weights,
        head,
    }
}

fn prior(settings: &SolverSettings, last: Option<&Pose>) -> Prior {
    let mut prior = Prior {
        bounds: [[0.0, 1.0]; N_EXPRESSIONS],
        pull: [0.0; N_EXPRESSIONS],
        towards: [0.0; N_EXPRESSIONS],
        cost: [f64::from(settings.cost); N_EXPRESSIONS],
    };
    let steady = last.map_or(0.0, |_| f64::from(settings.steady));
    for (k, name) in EXPRESSIONS.iter().enumerate() {
        // The pupil is not seen, and the cheek raised is the cheek squinted.
        if name.starts_with("Pupil") || name.starts_with("cheekRaiser") {
            prior.bounds[k] = [0.0, 0.0];
        }
        let pull = f64::from(settings.pull);
        let before = last.map_or(0.0, |l| f64::from(l.weights[k]));
        prior.pull[k] = pull + steady;
        prior.towards[k] = steady * before / prior.pull[k].max(1e-9);
    }
    prior
}

/// Of how far the lids are apart at rest: where they are nearer than the first, the iris is not seen, and
/// from the second on it is.
const IRIS_IS_SEEN: [f32; 2] = [0.5, 0.8];

/// Where both eyes look. Behind a closed lid the mesh network's iris sinks with the lid, which would make a look
/// down of every blink: there the eye looks where it did a frame ago, or straight ahead.
fn looks(
    rig: &Rig,
    person: &Person,
    points: &[Point3],
    head: &Placement,
    last: Option<&Pose>,
) -> [Gaze; 2] {
    let [least, most] = IRIS_IS_SEEN;
    let surely = EYES.map(|eye| {
        let [upper, lower] = [eye.upper_lid, eye.lower_lid].map(|lid| at(&person.points, lid));
        let at_rest = (upper[0] - lower[0]).hypot(upper[1] - lower[1]).max(1e-3);
        let apart = eye.lid_distance(points) / (head.scale * at_rest);
        ((apart - least) / (most - least)).clamp(0.0, 1.0)
    });
    let seen = gaze(&rig.eyes, &person.eyes, points, head, surely);
    let before = last.map_or([Gaze::default(); 2], |pose| pose.gaze);
    let share = surely[0].max(surely[1]);
    let between = |before: f32, seen: f32| before + share * (seen - before);
    std::array::from_fn(|eye| Gaze {
        yaw: between(before[eye].yaw, seen[eye].yaw),
        pitch: between(before[eye].pitch, seen[eye].pitch),
    })
}

/// Turns of an eye at which its lids have followed all the way, in degrees.
const FULL_LOOK: [f32; 2] = [30.0, 24.0];

/// The lids follow the eyes by as much as these are turned.
fn follow_eyes(prior: &mut Prior, gaze: [Gaze; 2]) {
    let [right, left] = gaze;
    let mut set = |name: &str, degrees: f32, full: f32| {
        let share = f64::from((degrees / full).clamp(0.0, 1.0));
        prior.bounds[expression(name)] = [share, share];
    };
    let [across, along] = FULL_LOOK;
    set("eyeLookOut_R", -right.yaw, across);
    set("eyeLookIn_R", right.yaw, across);
    set("eyeLookOut_L", left.yaw, across);
    set("eyeLookIn_L", -left.yaw, across);
    for (side, gaze) in [("R", right), ("L", left)] {
        set(&format!("eyeLookUp_{side}"), gaze.pitch, along);
        set(&format!("eyeLookDown_{side}"), -gaze.pitch, along);
    }
}

fn residual(places: &[f32], head: &Placement, points: &[Point3]) -> f32 {
    let off = (0..N_SKIN_POINTS).map(|i| {
        let [x, y, _] = head.apply(at(places, i));
        (x - points[i].x).powi(2) + (y - points[i].y).powi(2)
    });
    let mean = off.sum::<f32>() / N_SKIN_POINTS as f32;
    mean.sqrt() / eye_distance(points).max(1e-3)
}
