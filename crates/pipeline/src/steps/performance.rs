//! What a driver does in a clip, frame by frame, as the rig tells it.

use effigy_face::rig::{Acquaintance, Pose, Rig, Solver, SolverSettings};
use effigy_frame::{Point3, Rational, Timestamp};

use crate::error::{Error, Result};
use crate::steps::footage::Clips;
use crate::steps::networks::Networks;
use crate::steps::people::{Chosen, FacePoints};
use crate::steps::progress::Progress;
use crate::steps::spool::Spool;

/// One frame of a performance.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) time: Timestamp,
    /// Number of the clip it is filmed in.
    pub(crate) clip: usize,
    /// What the face does; `None` where it is not seen.
    pub(crate) pose: Option<Pose>,
}

/// Solves what `chosen` does in `clips`, one after the other, which must be those that they were chosen in.
///
/// The clip is read once more, for the times of its frames; the points wait in a temporary file until it is
/// known how the face is built.
///
/// # Errors
/// When the clip cannot be read, the face is in none of its frames, or there is no room for a temporary
/// file.
pub(crate) fn performance(
    rig: &Rig,
    clips: &Clips,
    chosen: &Chosen,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<Vec<Moment>> {
    let mut known = Acquaintance::default();
    let mut spool = Spool::create()?;
    let mut joint = JointTime::default();
    let mut frames = Vec::new();
    progress.begin("following the driver's face", clips.n_frames());
    chosen.again(clips, networks, progress, &mut |clip, frame, faces| {
        let points = theirs(&faces, chosen);
        if let Some(points) = points {
            known.add(points);
        }
        frames.push((clip, joint.of(clip, frame.time)));
        spool.add(frame.time.secs(), points)
    })?;
    let no_face = || Error::NoFace {
        path: clips.paths[0].clone(),
    };
    let person = known.person(rig).ok_or_else(no_face)?;
    let mut solver = Solver::new(SolverSettings::default());
    let mut frames = frames.into_iter();
    let (mut moments, mut last_clip) = (Vec::new(), 0);
    spool.read(&mut |secs, points| {
        let Some((clip, time)) = frames.next() else {
            return;
        };
        if clip != last_clip {
            // What a face did before a cut says nothing of what it does behind it.
            solver.start_afresh();
            last_clip = clip;
        }
        let pose = points.map(|points| solver.solve(rig, &person, points, secs));
        moments.push(Moment { time, clip, pose });
    })?;
    Ok(moments)
}

/// Times of clips that follow one another, counted from the start of the first.
#[derive(Default)]
struct JointTime {
    clip: usize,
    begins_secs: f64,
    first_secs: f64,
    last_secs: f64,
    step_secs: f64,
}

impl JointTime {
    /// Ticks of a second behind the first clip: whole frames of every usual rate.
    const TICKS: i32 = 90_000;

    /// The time of the next frame, of this or the next clip. Those of the first stay as they are.
    fn of(&mut self, clip: usize, time: Timestamp) -> Timestamp {
        let secs = time.secs();
        if clip != self.clip {
            self.begins_secs += self.last_secs - self.first_secs + self.step_secs;
            (self.clip, self.first_secs, self.last_secs) = (clip, secs, secs);
        }
        if self.last_secs < secs {
            self.step_secs = secs - self.last_secs;
        }
        self.last_secs = secs;
        if clip == 0 {
            return time;
        }
        let joint_secs = self.begins_secs + secs - self.first_secs;
        let ticks = (joint_secs * f64::from(Self::TICKS)).round() as i64;
        Timestamp::new(ticks, Rational::new(1, Self::TICKS))
    }
}

/// The mesh of the person chosen, where they are seen.
pub(crate) fn theirs<'f>(faces: &'f [FacePoints], chosen: &Chosen) -> Option<&'f [Point3]> {
    let face = faces
        .iter()
        .find(|face| chosen.tracks.contains(&face.track))?;
    Some(&face.points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_follow_one_another_without_a_gap() {
        let mut joint = JointTime::default();
        let frames = (0..3).flat_map(|clip| (5..8).map(move |frame| (clip, frame)));
        let found: Vec<f64> = frames
            .map(|(clip, frame)| {
                let time = Timestamp::new(frame, Rational::new(1, 25));
                joint.of(clip, time).secs()
            })
            .collect();
        // The first begins where it begins, at a fifth of a second.
        let expected: Vec<f64> = (5..8)
            .chain(8..11)
            .chain(11..14)
            .map(|n| n as f64 / 25.0)
            .collect();
        assert!(
            found
                .iter()
                .zip(&expected)
                .all(|(a, b)| (a - b).abs() < 1e-5),
            "{found:?}"
        );
    }
}
