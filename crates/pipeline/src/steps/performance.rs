//! What a driver does in a clip, frame by frame, as the rig tells it.

use effigy_face::rig::{Acquaintance, Pose, Rig, Solver, SolverSettings};
use effigy_frame::{Point3, Timestamp};

use crate::error::{Error, Result};
use crate::steps::footage::Clips;
use crate::steps::networks::Networks;
use crate::steps::people::{Chosen, FacePoints};
use crate::steps::progress::Progress;

/// One frame of a performance.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) time: Timestamp,
    /// What the face does; `None` where it is not seen.
    pub(crate) pose: Option<Pose>,
}

/// Solves what `chosen` does in `clips`, which must be those that they were chosen in.
///
/// The clip is read twice more: first to learn how the face is built.
///
/// # Errors
/// When the clip cannot be read, or the face is in none of its frames.
pub(crate) fn performance(
    rig: &Rig,
    clips: &Clips,
    chosen: &Chosen,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<Vec<Moment>> {
    let mut acquaintance = Acquaintance::default();
    progress.begin("getting to know the driver's face", clips.n_frames());
    chosen.again(clips, networks, progress, &mut |_, _, faces| {
        if let Some(points) = theirs(&faces, chosen) {
            acquaintance.add(points);
        }
        Ok(())
    })?;
    let no_face = || Error::NoFace {
        path: clips.paths[0].clone(),
    };
    let person = acquaintance.person(rig).ok_or_else(no_face)?;
    let mut solver = Solver::new(SolverSettings::default());
    let mut moments = Vec::new();
    progress.begin("following the driver's face", clips.n_frames());
    chosen.again(clips, networks, progress, &mut |_, frame, faces| {
        let points = theirs(&faces, chosen);
        moments.push(Moment {
            time: frame.time,
            pose: points.map(|p| solver.solve(rig, &person, p, frame.time.secs())),
        });
        Ok(())
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
