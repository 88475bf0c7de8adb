//! Motion signatures: how head, face and mouth of a person move together.
//!
//! People combine gestures in ways of their own: a signature is the pairwise Pearson correlations
//! of pose, mouth, jaw, brows and eyes within short windows, after Agarwal, Farid, Gu, He, Nagano
//! and Li, "Protecting world leaders against deep fakes", CVPR 2019 workshops. What a clip has in
//! common with the reference beyond what all people share is its likeness, a cosine. The numbers
//! of strangers and of the same person stand in `weights/motion.toml`.

use effigy_face::Observation;
use effigy_face::landmarks::{
    CHIN, LEFT_BROW_MIDDLE, LOWER_LIP_INNER, MOUTH_LEFT, MOUTH_RIGHT, NOSE_BASE, RIGHT_BROW_MIDDLE,
    RIGID_POINTS, UPPER_LIP_INNER, UPPER_LIP_OUTER,
};
use effigy_face::pose::Rotation;
use effigy_frame::Point3;
use effigy_model::mean_mesh;
use serde::{Deserialize, Serialize};

use crate::signal::series::{MOST_FRAMES, correlation, covers, unbroken};

/// The numbers of this version.
pub const MOTION: &str = include_str!("../weights/motion.toml");

/// Gestures of one frame: three of the head, eleven of the face.
const N_GESTURES: usize = 14;
/// Pairs of them.
pub const N_PAIRS: usize = N_GESTURES * (N_GESTURES - 1) / 2;

/// The gestures of a face so far.
#[derive(Clone, Debug, Default)]
pub struct MotionTrace {
    seen: Vec<(f64, [f32; N_GESTURES])>,
}

/// How the gestures go together within a few seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// When it begins.
    pub from_secs: f64,
    /// Fisher's z of each pair's correlation, [`N_PAIRS`] of them.
    pub correlations: Vec<f32>,
}

/// Seconds of a window, and from one to the next.
pub const WINDOW_SECS: f64 = 3.0;
const HOP_SECS: f64 = 0.5;
/// Windows that a signature needs.
pub(crate) const LEAST_WINDOWS: usize = 3;
const LEAST_RATE: f64 = 12.0;
/// Turned further, one side of the face is a guess.
const MOST_YAW: f32 = 60.0;
/// Correlations nearer to one say no more.
const MOST_CORRELATION: f32 = 0.98;

impl MotionTrace {
    /// Looks at one face.
    pub fn look(&mut self, face: &Observation<'_>) {
        if MOST_YAW < face.pose().yaw.abs() || MOST_FRAMES <= self.seen.len() {
            return;
        }
        let pose = face.pose();
        let Some(eyes) = face.eye_darkness() else {
            return;
        };
        let mut gestures = [0.0; N_GESTURES];
        gestures[..3].copy_from_slice(&[pose.yaw, pose.pitch, pose.roll]);
        gestures[3..13].copy_from_slice(&face_gestures(face.points, face.rotation()));
        gestures[13] = eyes;
        self.seen.push((face.time_secs(), gestures));
    }

    /// Gives the windows, in order; none of a face that is seen too shortly.
    pub fn windows(&self) -> Vec<Window> {
        let seen = unbroken(&self.seen);
        let (Some((first, _)), Some((last, _))) = (seen.first(), seen.last()) else {
            return Vec::new();
        };
        let n = ((last - first + 1e-3 - WINDOW_SECS) / HOP_SECS).floor();
        let window = |i: i64| {
            let from = first + i as f64 * HOP_SECS;
            let start = seen.partition_point(|(time, _)| *time < from);
            let end = seen.partition_point(|(time, _)| *time <= from + WINDOW_SECS);
            let part = &seen[start..end];
            let times: Vec<f64> = part.iter().map(|(time, _)| *time).collect();
            let dense = covers(&times, 0.9 * WINDOW_SECS, LEAST_RATE);
            dense.then(|| Window {
                from_secs: from,
                correlations: correlations(part),
            })
        };
        (0..=n as i64).filter_map(window).collect()
    }
}

/// How the face moves on the head: its points without the head's turn, in the mean mesh's unit.
fn face_gestures(points: &[Point3], turned: &Rotation) -> [f32; 10] {
    let mean = mean_mesh();
    let middle = |of: &[Point3]| {
        let sum = RIGID_POINTS.iter().fold([0.0_f32; 3], |s, &i| {
            [s[0] + of[i].x, s[1] + of[i].y, s[2] + of[i].z]
        });
        sum.map(|v| v / RIGID_POINTS.len() as f32)
    };
    let [cx, cy, cz] = middle(points);
    let [mx, my, mz] = middle(mean);
    let spread = |of: &[Point3], [cx, cy, cz]: [f32; 3]| -> f32 {
        let away = |&i: &usize| Point3::new(of[i].x - cx, of[i].y - cy, of[i].z - cz);
        let length = |p: Point3| (p.x * p.x + p.y * p.y + p.z * p.z).sqrt();
        RIGID_POINTS.iter().map(|i| length(away(i))).sum()
    };
    let scale = spread(mean, [mx, my, mz]) / spread(points, [cx, cy, cz]).max(1e-3);
    let at = |i: usize| {
        let v = [points[i].x - cx, points[i].y - cy, points[i].z - cz];
        let back = |k: usize| scale * (0..3).map(|row| turned[row][k] * v[row]).sum::<f32>();
        [back(0), back(1), back(2)]
    };
    let apart = |a: usize, b: usize| {
        let (a, b) = (at(a), at(b));
        (0..3).map(|k| (a[k] - b[k]).powi(2)).sum::<f32>().sqrt()
    };
    [
        apart(UPPER_LIP_INNER, LOWER_LIP_INNER),
        apart(MOUTH_RIGHT, MOUTH_LEFT),
        at(MOUTH_RIGHT)[1] - at(UPPER_LIP_OUTER)[1],
        at(MOUTH_LEFT)[1] - at(UPPER_LIP_OUTER)[1],
        apart(NOSE_BASE, UPPER_LIP_OUTER),
        at(CHIN)[1],
        at(CHIN)[0],
        at(RIGHT_BROW_MIDDLE)[1],
        at(LEFT_BROW_MIDDLE)[1],
        at(UPPER_LIP_OUTER)[2] - at(NOSE_BASE)[2],
    ]
}

fn correlations(seen: &[(f64, [f32; N_GESTURES])]) -> Vec<f32> {
    let trace = |k: usize| seen.iter().map(move |(_, gestures)| gestures[k]);
    let mut pairs = Vec::with_capacity(N_PAIRS);
    for a in 0..N_GESTURES {
        for b in a + 1..N_GESTURES {
            let r = correlation(trace(a), trace(b));
            pairs.push(r.clamp(-MOST_CORRELATION, MOST_CORRELATION).atanh());
        }
    }
    pairs
}

/// Gives the signature of a face: the mean over its windows. `None` for too few of them.
pub fn signature(windows: &[Window]) -> Option<Vec<f32>> {
    if windows.len() < LEAST_WINDOWS {
        return None;
    }
    let n = windows.len() as f32;
    let mean = |k: usize| {
        windows
            .iter()
            .map(|window| window.correlations[k])
            .sum::<f32>()
            / n
    };
    Some((0..N_PAIRS).map(mean).collect())
}

/// How alike signatures are: made by `recipes eval motion-signature`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MotionStatistics {
    /// What it was made from.
    pub made_from: String,
    /// Mean and standard deviation of the likeness of two clips of the same person.
    pub same: [f32; 2],
    /// The same of two people.
    pub strangers: [f32; 2],
    /// What all people share: the mean over people of each pair's Fisher's z.
    pub mean: Vec<f32>,
}

impl MotionStatistics {
    /// The numbers of this version.
    pub fn built_in() -> Self {
        let read: Result<Self, _> = toml::from_str(MOTION);
        let Ok(read) = read else {
            unreachable!("the motion statistics inside the program are damaged")
        };
        read
    }

    /// How alike two signatures are beyond what all people share, `-1..=1`.
    pub fn likeness(&self, a: &[f32], b: &[f32]) -> f32 {
        // What all people share says nothing about who a person is: only what is left is compared.
        let without_mean = |of: &[f32]| -> Vec<f32> {
            let pairs = of.iter().zip(&self.mean);
            pairs.map(|(v, mean)| v - mean).collect()
        };
        let (a, b) = (without_mean(a), without_mean(b));
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt().max(1e-12)
    }

    /// The likeness that lies between the same person's and strangers', each in deviations.
    pub fn middle(&self) -> f32 {
        let [[same, same_by], [strangers, strangers_by]] = [self.same, self.strangers];
        (same * strangers_by + strangers * same_by) / (same_by + strangers_by).max(1e-6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_face::pose::rotation;

    /// A person whose gestures `a` and `b` go together, all others going their own ways.
    fn person(a: usize, b: usize, begin: usize) -> MotionTrace {
        let frame = |i: usize| {
            let time = (begin + i) as f32 / 25.0;
            let own = |k: usize| (time * (2.0 + 0.61 * k as f32) + k as f32).sin();
            let mut gestures: [f32; N_GESTURES] = std::array::from_fn(own);
            gestures[b] = gestures[a] + 0.1 * gestures[b];
            (f64::from(time), gestures)
        };
        MotionTrace {
            seen: (0..200).map(frame).collect(),
        }
    }

    fn statistics() -> MotionStatistics {
        MotionStatistics {
            made_from: String::new(),
            same: [0.5, 0.2],
            strangers: [0.0, 0.2],
            mean: vec![0.0; N_PAIRS],
        }
    }

    #[test]
    fn same_motion_later_is_more_alike_than_that_of_another() {
        let of = |a, b, begin| signature(&person(a, b, begin).windows()).unwrap();
        let (reference, later, other) = (of(1, 4, 0), of(1, 4, 400), of(2, 9, 400));
        let (same, stranger) = (
            statistics().likeness(&reference, &later),
            statistics().likeness(&reference, &other),
        );
        assert!(stranger + 0.2 < same, "{same} {stranger}");
        assert!((statistics().middle() - 0.25).abs() < 1e-6);
    }

    #[test]
    fn two_seconds_have_no_signature() {
        let mut short = person(1, 4, 0);
        short.seen.truncate(50);
        assert_eq!(signature(&short.windows()), None);
    }

    #[test]
    fn a_nod_is_no_gesture_of_the_face() {
        let points = mean_mesh();
        let (sin, cos) = 0.3_f32.sin_cos();
        let nod = |p: &Point3| Point3::new(p.x, p.y * cos + p.z * sin, p.z * cos - p.y * sin);
        let nodded: Vec<Point3> = points.iter().map(nod).collect();
        let gestures = |points: &[Point3]| face_gestures(points, &rotation(points));
        for (a, b) in gestures(points).iter().zip(gestures(&nodded)) {
            assert!((a - b).abs() < 1e-4, "{a} {b}"); // f32
        }
    }

    #[test]
    fn the_committed_numbers_fit() {
        let statistics = MotionStatistics::built_in();
        assert_eq!(statistics.mean.len(), N_PAIRS);
        assert!(statistics.strangers[0] < statistics.same[0]);
    }
}
