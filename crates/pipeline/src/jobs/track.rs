//! The job `track`: what a face does, frame by frame, as numbers for games, VR and animators.
//!
//! Whoever is before a camera is reported at once (`live.rs`). A clip is read once. The mesh points of the face that is followed go into a temporary file, then
//! it is known who it is, and each frame is solved; what the face does at rest is known when all
//! frames are, so that a clip may begin in the middle of a word.

mod bvh;
mod csv;
mod facs;
mod following;
mod glb;
mod ifacialmocap;
mod lines;
mod live;
mod live_link;
mod now;
mod osc;
mod receiver;
mod take;
mod vmc;

use std::path::{Path, PathBuf};

use effigy_face::TrackSettings;
use effigy_face::rig::{Acquaintance, N_EXPRESSIONS, Pose, Rest, Rig, Solver, SolverSettings};
use effigy_files::{Destination, Existing, check_destinations};
use effigy_frame::Point3;
use effigy_media::{Limits, probe};

use crate::error::{Error, Result};
use crate::steps::atomic::AtomicFile;
use crate::steps::footage::{AtDamage, Clips, Followed};
use crate::steps::inputs;
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;
use crate::steps::spool::Spool;
pub(in crate::jobs) use csv::ANGLES;
use following::Following;
pub use live::{Live, is_camera};
use receiver::Receiver;
pub use receiver::{Listener, Protocol, Sent};
pub use take::{Moved, Take};

/// A clip or a camera to track, and where the movement goes.
#[derive(Clone, Debug)]
pub struct TrackJob {
    /// The clip, or the device of a camera.
    pub input: PathBuf,
    /// Files to write; the ending says what each becomes.
    pub outputs: Vec<PathBuf>,
    /// What becomes of files that are where results go.
    pub existing: Existing,
    /// Who receives the movement as it is played, or as it happens before a camera.
    pub listeners: Vec<Listener>,
    /// How faces are found and followed.
    pub tracking: TrackSettings,
    /// How much a file may ask of us.
    pub limits: Limits,
}

/// What movement is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One row a frame, in the columns of Live Link Face.
    Csv,
    /// One JSON object a frame.
    Lines,
    /// A head with morph targets and one animation.
    Glb,
    /// A skeleton of head and eyes.
    Bvh,
}

impl Format {
    /// The format that a file's ending asks for.
    ///
    /// # Errors
    /// When it asks for none of them.
    pub fn of(path: &Path) -> Result<Self> {
        match effigy_files::extension(path).as_str() {
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::Lines),
            "glb" => Ok(Self::Glb),
            "bvh" => Ok(Self::Bvh),
            _ => Err(Error::NoMovementFormat {
                path: path.to_owned(),
            }),
        }
    }
}

impl TrackJob {
    /// Tracks a clip with the usual settings, and writes nothing.
    pub fn new(input: PathBuf) -> Self {
        Self {
            input,
            outputs: Vec::new(),
            existing: Existing::Kept,
            listeners: Vec::new(),
            tracking: TrackSettings::default(),
            limits: Limits::default(),
        }
    }

    /// Checks that the results may go where they are to. [`track`] begins with it.
    ///
    /// # Errors
    /// When they may not, or have endings that mean nothing.
    pub fn check(&self) -> Result<()> {
        for path in &self.outputs {
            Format::of(path)?;
        }
        let originals = if is_camera(&self.input) {
            Vec::new()
        } else {
            let read = inputs::one(&self.input);
            inputs::originals(std::slice::from_ref(&self.input), &[read])
        };
        let destinations: Vec<Destination> = self
            .outputs
            .iter()
            .cloned()
            .map(Destination::File)
            .collect();
        Ok(check_destinations(
            &destinations,
            &originals,
            self.existing,
        )?)
    }
}

/// What was tracked.
#[derive(Debug)]
pub struct TrackReport {
    /// All frames; none where what a camera sees is not written down.
    pub take: Take,
    /// How many frames were looked at.
    pub n_frames: u64,
    /// Frames a second, on average.
    pub fps: f64,
    /// Frames in which the face was not seen.
    pub n_unseen: usize,
    /// Other faces that were seen and not tracked.
    pub n_others: usize,
    /// When the face was lost and one was taken up anew: the same person, or somebody else. The first few.
    pub taken_up_secs: Vec<f64>,
    /// Mean distance of the mesh points from the head's, as a share of that between the eyes.
    pub residual: f32,
    /// Packets that went to receivers, and those that were refused.
    pub sent: Sent,
    /// What is to be said of a camera.
    pub live: Option<Live>,
}

/// Tracks the face that is the largest at first, in a clip or before a camera. A camera is tracked until
/// `progress` asks to stop, or it is lost, which is no error where anything was tracked by then: the report
/// has it.
///
/// # Errors
/// When the clip or the camera cannot be read or shows no face, results cannot be written, nobody listens where
/// the movement is sent, or `progress` asks to stop.
pub fn track(
    job: &TrackJob,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<TrackReport> {
    job.check()?;
    let rig = Rig::load(&networks.weights)?;
    let reached = job
        .listeners
        .iter()
        .map(|&listener| Receiver::reach(listener));
    let mut receivers = reached.collect::<Result<Vec<_>>>()?;
    if is_camera(&job.input) {
        return live::live(job, rig, &mut receivers, networks, progress);
    }
    let mut seen = look(job, networks, progress)?;
    let (take, residual) = solve(job, &rig, &mut seen)?;
    for path in &job.outputs {
        write(path, &rig, &take)?;
    }
    let sent = if receivers.is_empty() {
        Sent::default()
    } else {
        receiver::play(&take, &mut receivers, progress)?
    };
    Ok(TrackReport {
        n_frames: take.frames.len() as u64,
        fps: take.fps,
        n_unseen: take.n_unseen(),
        n_others: seen.following.n_others(),
        taken_up_secs: seen.following.taken_up_secs().to_vec(),
        residual,
        take,
        sent,
        live: None,
    })
}

/// The points of the face that is followed, in a file, and who it is.
struct Looked {
    spool: Spool,
    known: Acquaintance,
    following: Following,
    /// Columns and rows of the picture.
    size: [f32; 2],
}

impl Looked {
    fn new(size: [f32; 2]) -> Result<Self> {
        Ok(Self {
            spool: Spool::create()?,
            known: Acquaintance::default(),
            following: Following::default(),
            size,
        })
    }

    /// Notes what a face shows; `None` where it is not seen.
    fn note(&mut self, time_secs: f64, points: Option<&[Point3]>) -> Result<()> {
        if let Some(points) = points {
            self.known.add(points);
        }
        self.spool.add(time_secs, points)
    }
}

fn look(job: &TrackJob, networks: &Networks, progress: &mut dyn Progress) -> Result<Looked> {
    let mut clips = Clips::whole(vec![job.input.clone()]);
    clips.tracking = job.tracking;
    clips.limits = job.limits;
    clips.at_damage = AtDamage::Ends;
    let info = probe(&job.input, &job.limits)?;
    let size = info
        .video
        .map_or([1.0, 1.0], |v| [v.width as f32, v.height as f32]);
    let mut looked = Looked::new(size)?;
    progress.begin("tracking", clips.n_frames());
    clips.follow(networks, progress, &mut |_clip, followed| {
        let Followed { frame, faces } = followed;
        let secs = frame.time.secs();
        let face = looked.following.choose(&faces, secs);
        looked.note(secs, face.map(|face| &face.points[..]))
    })?;
    Ok(looked)
}

fn solve(job: &TrackJob, rig: &Rig, looked: &mut Looked) -> Result<(Take, f32)> {
    let Some(person) = looked.known.person(rig) else {
        return Err(Error::NoFace {
            path: job.input.clone(),
        });
    };
    let mut solver = Solver::new(SolverSettings::default());
    let mut rest = Rest::default();
    let mut solved: Vec<(f64, Option<Pose>)> = Vec::new();
    looked.spool.read(&mut |time_secs, points| {
        let pose = points.map(|points| solver.solve(rig, &person, points, time_secs));
        if let Some(pose) = &pose {
            rest.add(&pose.weights);
        }
        solved.push((time_secs, pose));
    })?;
    let seen = || solved.iter().filter_map(|(_, pose)| pose.as_ref());
    let residual = seen().map(|pose| pose.residual).sum::<f32>() / seen().count().max(1) as f32;
    let at_rest: [f32; N_EXPRESSIONS] = rest.weights();
    let take = Take::new(solved, &at_rest, looked.size);
    Ok((take, residual))
}

fn write(path: &Path, rig: &Rig, take: &Take) -> Result<()> {
    let bytes = match Format::of(path)? {
        Format::Csv => csv::text(take).into_bytes(),
        Format::Lines => lines::text(take).into_bytes(),
        Format::Glb => glb::bytes(rig, take),
        Format::Bvh => bvh::text(take).into_bytes(),
    };
    let mut file = AtomicFile::create(path)?;
    file.write(&bytes)?;
    file.finish()
}

#[cfg(test)]
pub(in crate::jobs) mod tests {
    //! What is written, for tests of what reads it back.

    use super::{Take, csv, lines, take};

    /// A face that opens its mouth in every other frame.
    pub(in crate::jobs) fn opening_and_closing(n_frames: usize) -> Take {
        take::tests::take(n_frames)
    }

    pub(in crate::jobs) fn csv_text(take: &Take) -> String {
        csv::text(take)
    }

    pub(in crate::jobs) fn lines_text(take: &Take) -> String {
        lines::text(take)
    }
}
