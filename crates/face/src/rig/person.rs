//! How a person's face is built: modes of identity, and what they leave over.

use effigy_frame::Point3;

use super::eyes::Eyeball;
use super::names::EXPRESSIONS;
use super::placement::at;
use super::rest::Rest;
use super::solve::{Pose, SolverSettings, solve};
use super::{N_MODES, Rig, Vec3, triples};
use crate::landmarks::N_SKIN_POINTS;

/// How a person's face is built.
#[derive(Clone, Debug)]
pub struct Person {
    /// Weight of each mode of identity, in standard deviations.
    pub identity: [f32; N_MODES],
    /// How far each skin point of the face mesh is off what the modes say, in centimetres on the
    /// head.
    pub offsets: Vec<Vec3>,
    /// Points of the face mesh at rest, as the mesh network sees them.
    pub(crate) points: Vec<f32>,
    /// Vertices of the light head at rest.
    pub(crate) vertices: Vec<f32>,
    /// Right and left.
    pub(crate) eyes: [Eyeball; 2],
}

/// Rounds of finding who it is and what they do.
const ROUNDS: usize = 4;
/// Of many frames, the share that are the calmest; at least one, at most [`MOST_CALM`].
const CALM_SHARE: f32 = 0.25;
const MOST_CALM: usize = 16;
/// How strongly modes are drawn to the mean face.
const PULL: f64 = 2.0;
/// Modes go no further, in standard deviations.
const MOST_SIGMAS: f64 = 3.0;
/// Share of what the modes leave over that is taken for the person's own; depth is a guess.
const KEPT: Vec3 = [0.95, 0.95, 0.6];

impl Person {
    /// The mean face.
    pub fn mean(rig: &Rig) -> Self {
        Self::new(rig, [0.0; N_MODES], vec![[0.0; 3]; N_SKIN_POINTS])
    }

    /// A person by modes and offsets, as they were found before.
    ///
    /// # Panics
    /// If there is not one offset for each of the 468 skin points.
    pub fn new(rig: &Rig, identity: [f32; N_MODES], offsets: Vec<Vec3>) -> Self {
        assert_eq!(offsets.len(), N_SKIN_POINTS, "one offset for each point");
        let mut points = rig.points.at_rest(&identity);
        for (p, offset) in points.iter_mut().zip(offsets.iter().flatten()) {
            *p += offset;
        }
        let mut vertices = rig.mesh.at_rest(&identity);
        for (p, carried) in vertices.iter_mut().zip(rig.carry(&offsets)) {
            *p += carried;
        }
        Self {
            eyes: rig.eyes.of(&identity, &offsets),
            identity,
            offsets,
            points,
            vertices,
        }
    }

    /// Finds who it is from the mesh points of some frames, best 20 to 60 that are spread over a
    /// clip; one is enough for a picture.
    ///
    /// The calmest frames count. What the face does in them all is taken for how it is built.
    ///
    /// # Panics
    /// If `frames` is empty or holds what is not a whole mesh.
    pub fn fit<P: AsRef<[Point3]>>(rig: &Rig, frames: &[P]) -> Self {
        assert!(!frames.is_empty(), "nobody is in no frame");
        let settings = SolverSettings {
            steps_at_first: 4,
            ..SolverSettings::default()
        };
        let mut person = Self::mean(rig);
        let n_calm = ((CALM_SHARE * frames.len() as f32).ceil() as usize).clamp(1, MOST_CALM);
        let mut looked_at: Vec<usize> = (0..frames.len()).collect();
        for round in 0..ROUNDS {
            let mut solved: Vec<(usize, Pose)> = looked_at
                .iter()
                .map(|&i| (i, solve(rig, &person, frames[i].as_ref(), None, &settings)))
                .collect();
            solved.sort_by(|a, b| stir(&a.1).total_cmp(&stir(&b.1)));
            // Who is calm is clear after two rounds.
            let kept = if round == 0 { 3 * n_calm } else { n_calm };
            looked_at = solved.iter().take(kept).map(|(i, _)| *i).collect();
            let calm: Vec<(&[Point3], &Pose)> = solved[..n_calm.min(solved.len())]
                .iter()
                .map(|(i, pose)| (frames[*i].as_ref(), pose))
                .collect();
            person = built(rig, &calm);
        }
        person
    }

    /// The vertices of the light head at rest, in centimetres on the head.
    pub fn at_rest(&self) -> Vec<Vec3> {
        triples(&self.vertices)
    }

    /// The eyeballs, the right one first.
    pub fn eyes(&self) -> &[Eyeball; 2] {
        &self.eyes
    }
}

/// How much a face does, and how far it is turned away.
fn stir(pose: &Pose) -> f32 {
    let moved = EXPRESSIONS.iter().zip(pose.weights);
    let moved = moved.filter(|(name, _)| !name.starts_with("eyeLook"));
    let angles = pose.head.angles();
    let away = angles.yaw.to_radians().powi(2) + angles.pitch.to_radians().powi(2);
    moved.map(|(_, w)| w * w).sum::<f32>() + 2.0 * away
}

/// Explains the mean of calm faces by modes, and keeps what these leave over.
fn built(rig: &Rig, calm: &[(&[Point3], &Pose)]) -> Person {
    let mean = mean_at_rest(rig, calm);
    let off: Vec<f32> = mean
        .iter()
        .zip(&rig.points.neutral)
        .map(|(m, n)| m - n)
        .collect();
    let identity = modes(rig, &off);
    let built = rig.points.at_rest(&identity);
    let offsets = (0..N_SKIN_POINTS).map(|i| {
        let (wanted, built) = (at(&mean, i), at(&built, i));
        [0, 1, 2].map(|k| KEPT[k] * (wanted[k] - built[k]))
    });
    Person::new(rig, identity, offsets.collect())
}

/// The points as seen, carried back onto the head and without what the face does.
fn mean_at_rest(rig: &Rig, calm: &[(&[Point3], &Pose)]) -> Vec<f32> {
    let mut mean = vec![0.0; 3 * N_SKIN_POINTS];
    let share = 1.0 / calm.len() as f32;
    for (points, pose) in calm {
        let mut done = vec![0.0; 3 * N_SKIN_POINTS];
        rig.points.express(&mut done, &pose.weights);
        for (i, p) in points.iter().take(N_SKIN_POINTS).enumerate() {
            let back = pose.head.back([p.x, p.y, p.z]);
            for k in 0..3 {
                mean[3 * i + k] += share * (back[k] - done[3 * i + k]);
            }
        }
    }
    mean
}

/// The modes of identity that explain how far the points are off the mean face.
fn modes(rig: &Rig, off: &[f32]) -> [f32; N_MODES] {
    const COUNTS: [f64; 3] = [1.0, 1.0, 0.3];
    let counts = rig.gram.counts();
    let sum = |a: &[f32], b: &[f32]| -> f64 {
        let products = a.iter().zip(b).enumerate();
        products
            .map(|(i, (x, y))| f64::from(counts[i / 3]).min(1.0) * COUNTS[i % 3] * f64::from(x * y))
            .sum()
    };
    let modes = &rig.points.identity;
    let matrix: [[f64; N_MODES]; N_MODES] = std::array::from_fn(|k| {
        std::array::from_fn(|l| {
            let own = if k == l { PULL } else { 0.0 };
            own + sum(&modes[k], &modes[l])
        })
    });
    let wanted: [f64; N_MODES] = std::array::from_fn(|k| sum(&modes[k], off));
    let inverse = super::equations::inverse(&matrix);
    std::array::from_fn(|k| {
        let weight: f64 = (0..N_MODES).map(|l| inverse[k][l] * wanted[l]).sum();
        weight.clamp(-MOST_SIGMAS, MOST_SIGMAS) as f32
    })
}

/// Keeps the mesh points of a few dozen frames, spread over a clip however long it is.
#[derive(Clone, Debug, Default)]
pub struct Acquaintance {
    frames: Vec<Vec<Point3>>,
    every: usize,
    n_seen: usize,
}

/// Most frames that are kept.
const MOST_KEPT: usize = 60;

impl Acquaintance {
    /// Takes in a frame.
    pub fn add(&mut self, points: &[Point3]) {
        let every = self.every.max(1);
        if self.n_seen.is_multiple_of(every) {
            self.frames.push(points.to_vec());
        }
        self.n_seen += 1;
        if self.frames.len() > MOST_KEPT {
            // Every other frame goes, and half as many come from now on.
            let mut keep = false;
            self.frames.retain(|_| {
                keep = !keep;
                keep
            });
            self.every = 2 * every;
        }
    }

    #[cfg(test)]
    pub(super) fn n_kept(&self) -> usize {
        self.frames.len()
    }

    /// Finds who it is; `None` before the first frame.
    pub fn person(&self, rig: &Rig) -> Option<Person> {
        (!self.frames.is_empty()).then(|| Person::fit(rig, &self.frames))
    }

    /// Tells what they do at rest, by the frames that are kept.
    pub fn rest(&self, rig: &Rig, person: &Person) -> Rest {
        let mut rest = Rest::default();
        for points in &self.frames {
            let pose = solve(rig, person, points, None, &SolverSettings::default());
            rest.add(&pose.weights);
        }
        rest
    }
}
