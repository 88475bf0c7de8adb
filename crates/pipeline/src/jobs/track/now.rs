//! What a face does at this moment, of which nothing is known but what was seen before.
//!
//! Who it is and what they do at rest is learned while they are seen: from the first frame, and anew,
//! beside the following, as more are known. Rest is a running low quantile in between.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use effigy_face::rig::{Acquaintance, Person, Rest, Rig, Solver, SolverSettings};
use effigy_frame::Point3;

use super::take::Moved;

/// Somebody who is getting known.
pub(super) struct Now {
    rig: Arc<Rig>,
    known: Acquaintance,
    learned: Option<Learned>,
    /// The next, on a thread of its own.
    learning: Option<JoinHandle<Option<Learned>>>,
    solver: Solver,
    n_seen: u32,
    size: [f32; 2],
    last: Option<Moved>,
    residuals: f64,
}

struct Learned {
    person: Person,
    rest: Rest,
}

/// After so many frames it is learned anew who it is.
const LEARN_AT: [u32; 5] = [10, 30, 100, 300, 1000];

impl Now {
    /// Somebody who was not seen yet, in frames of so many columns and rows.
    pub(super) fn new(rig: Arc<Rig>, size: [f32; 2]) -> Self {
        Self {
            rig,
            known: Acquaintance::default(),
            learned: None,
            learning: None,
            solver: Solver::new(SolverSettings::default()),
            n_seen: 0,
            size,
            last: None,
            residuals: 0.0,
        }
    }

    /// Gives what the face with these points does; without points, what it did last. `None` before it was
    /// seen.
    pub(super) fn moved(&mut self, time_secs: f64, points: Option<&[Point3]>) -> Option<&Moved> {
        if let Some(points) = points {
            self.last = self.seen(time_secs, points).or(self.last.take());
        }
        if let Some(last) = &mut self.last {
            last.time_secs = time_secs;
            last.is_seen = points.is_some();
        }
        self.last.as_ref()
    }

    fn seen(&mut self, time_secs: f64, points: &[Point3]) -> Option<Moved> {
        self.known.add(points);
        self.n_seen += 1;
        self.learn();
        let Learned { person, rest } = self.learned.as_mut()?;
        let pose = self.solver.solve(&self.rig, person, points, time_secs);
        rest.add(&pose.weights);
        self.residuals += f64::from(pose.residual);
        Some(Moved::new(time_secs, &pose, &rest.weights(), self.size))
    }

    fn learn(&mut self) {
        if self.learned.is_none() {
            self.learned = learned(&self.rig, &self.known);
        }
        if let Some(thread) = self.learning.take_if(|thread| thread.is_finished()) {
            match thread.join() {
                Ok(Some(new)) => self.learned = Some(new),
                Ok(None) => {}
                Err(cause) => std::panic::resume_unwind(cause),
            }
        }
        if self.learning.is_none() && LEARN_AT.contains(&self.n_seen) {
            let (rig, known) = (Arc::clone(&self.rig), self.known.clone());
            self.learning = Some(thread::spawn(move || learned(&rig, &known)));
        }
    }

    /// In how many frames the face was seen.
    pub(super) fn n_seen(&self) -> u32 {
        self.n_seen
    }

    /// Mean distance of the points from the head's, as a share of that between the eyes.
    pub(super) fn residual(&self) -> f32 {
        (self.residuals / f64::from(self.n_seen.max(1))) as f32
    }
}

fn learned(rig: &Rig, known: &Acquaintance) -> Option<Learned> {
    let person = known.person(rig)?;
    let rest = known.rest(rig, &person);
    Some(Learned { person, rest })
}

#[cfg(test)]
mod tests {
    use effigy_face::rig::{ARKIT, N_EXPRESSIONS, Placement, expression};
    use effigy_model::Weights;

    use super::*;

    /// Points of the mean face with its mouth open so far, in a frame of 640 × 360.
    fn points(rig: &Rig, jaw: f32) -> Vec<Point3> {
        let person = Person::mean(rig);
        let head = Placement {
            scale: 20.0,
            shift: [320.0, 180.0, 0.0],
            ..Placement::default()
        };
        let mut weights = [0.0; N_EXPRESSIONS];
        weights[expression("jawOpen")] = jaw;
        let point = |place: [f32; 3]| {
            let [x, y, z] = head.apply(place);
            Point3::new(x, y, z)
        };
        let skin = rig.skin_points(&person, &weights);
        let mut points: Vec<Point3> = skin.into_iter().map(point).collect();
        for eye in person.eyes() {
            let [x, y, z] = eye.middle;
            points.extend([point([x, y, z - 1.1 * eye.radius]); 5]);
        }
        points
    }

    /// How far the mouth is said to be open, frame by frame.
    fn told(jaws: impl Iterator<Item = f32>) -> Vec<f32> {
        let rig = Rig::load(&Weights::from_source_tree().unwrap()).unwrap();
        let rig = Arc::new(rig.for_true_points());
        let at = ARKIT.iter().position(|name| *name == "jawOpen").unwrap();
        let mut now = Now::new(Arc::clone(&rig), [640.0, 360.0]);
        let told = jaws.enumerate().map(|(n, jaw)| {
            let moved = now.moved(n as f64 / 25.0, Some(&points(&rig, jaw)));
            let told = moved.unwrap().weights[at];
            // What is learned beside is waited for, so that the test always sees the same.
            while now
                .learning
                .as_ref()
                .is_some_and(|thread| !thread.is_finished())
            {
                thread::yield_now();
            }
            told
        });
        told.collect()
    }

    /// Two seconds with an open mouth first, or a closed one: later the same movement is told the same.
    #[test]
    fn who_begins_with_an_open_mouth_is_told_right_later() {
        let later = || (0..50).map(|n| if n % 25 < 15 { 0.0 } else { 0.6 });
        let [open, closed] = [0.6, 0.0].map(|first| {
            let told = told(std::iter::repeat_n(first, 50).chain(later()));
            told[75..].to_vec()
        });
        let off = open.iter().zip(&closed).map(|(a, b)| (a - b).abs());
        let off = off.fold(0.0, f32::max);
        assert!(off < 0.15, "{off}: {open:?} {closed:?}");
        assert!(
            closed.iter().copied().fold(0.0, f32::max) > 0.4,
            "{closed:?}"
        );
    }

    #[test]
    fn a_face_that_is_gone_keeps_what_it_did() {
        let rig = Rig::load(&Weights::from_source_tree().unwrap()).unwrap();
        let rig = Arc::new(rig.for_true_points());
        let mut now = Now::new(Arc::clone(&rig), [640.0, 360.0]);
        assert!(now.moved(0.0, None).is_none());
        let seen = now.moved(0.04, Some(&points(&rig, 0.0))).unwrap().clone();
        let gone = now.moved(0.08, None).unwrap();
        assert!(seen.is_seen && !gone.is_seen);
        assert_eq!((gone.weights, gone.time_secs), (seen.weights, 0.08));
        assert_eq!(now.n_seen(), 1);
    }
}
