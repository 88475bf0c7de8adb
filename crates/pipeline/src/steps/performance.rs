//! What a driver does in a clip, frame by frame, as the rig tells it.

use effigy_face::rig::{Acquaintance, Pose, Rig, Solver, SolverSettings};
use effigy_frame::{Point3, Timestamp};

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
    /// What the face does; `None` where it is not seen.
    pub(crate) pose: Option<Pose>,
}

/// Solves what `chosen` does in `clips`, which must be those that they were chosen in.
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
    let mut times = Vec::new();
    progress.begin("following the driver's face", clips.n_frames());
    chosen.again(clips, networks, progress, &mut |_, frame, faces| {
        let points = theirs(&faces, chosen);
        if let Some(points) = points {
            known.add(points);
        }
        times.push(frame.time);
        spool.add(frame.time.secs(), points)
    })?;
    let no_face = || Error::NoFace {
        path: clips.paths[0].clone(),
    };
    let person = known.person(rig).ok_or_else(no_face)?;
    let mut solver = Solver::new(SolverSettings::default());
    let mut times = times.into_iter();
    let mut moments = Vec::new();
    spool.read(&mut |secs, points| {
        let pose = points.map(|points| solver.solve(rig, &person, points, secs));
        moments.extend(times.next().map(|time| Moment { time, pose }));
    })?;
    Ok(moments)
}

/// The mesh of the person chosen, where they are seen.
pub(crate) fn theirs<'f>(faces: &'f [FacePoints], chosen: &Chosen) -> Option<&'f [Point3]> {
    let face = faces
        .iter()
        .find(|face| chosen.tracks.contains(&face.track))?;
    Some(&face.points)
}
