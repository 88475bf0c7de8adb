//! Clips, read one after the other, and the faces followed in them.

use std::ops::ControlFlow;
use std::path::PathBuf;

use effigy_face::{TrackSettings, Tracker};
use effigy_frame::{Frame, Point3};
use effigy_media::{Limits, VideoReader};

use crate::error::{Error, Result};
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;

/// Clips to follow faces in, in order.
#[derive(Clone, Debug)]
pub(crate) struct Clips {
    pub(crate) paths: Vec<PathBuf>,
    /// From when, in seconds.
    pub(crate) from_secs: f64,
    /// Until when; `None` is the end.
    pub(crate) to_secs: Option<f64>,
    /// Whether a clip that is damaged ends the job or is noted and left.
    pub(crate) damage: Damage,
}

/// What to do with a clip that can't be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// End the job.
    Ends,
    /// Say so, keep what was read, and go on with the next clip.
    IsNoted,
}

/// A followed face in one frame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Posed {
    pub(crate) track: u32,
    /// The mesh, in pixels of the frame.
    pub(crate) points: Vec<Point3>,
}

/// Is given the number of a clip, a frame of it, and the faces in the frame.
pub(crate) type Each<'a> = dyn FnMut(usize, Frame, Vec<Posed>) -> Result<()> + 'a;

/// Follows all faces in `clips` and gives each frame with its faces to `each`.
pub(crate) fn follow(
    clips: &Clips,
    networks: &Networks,
    progress: &mut dyn Progress,
    each: &mut Each<'_>,
) -> Result<()> {
    let (finder, mesher) = (networks.finder.clone(), networks.mesher.clone());
    let mut tracker = Tracker::new(finder, mesher, TrackSettings::default())?;
    let mut current = 0;
    read(clips, progress, &mut |clip, frame| {
        if clip != current {
            tracker.start_afresh();
            current = clip;
        }
        let faces = tracker.follow(&frame.picture, frame.time.secs());
        let posed = faces.into_iter().map(|face| Posed {
            track: face.track,
            points: face.points,
        });
        let posed = posed.collect();
        each(clip, frame, posed)
    })
}

/// Reads `clips` and gives each frame, with the number of its clip, to `each`.
pub(crate) fn read(
    clips: &Clips,
    progress: &mut dyn Progress,
    each: &mut dyn FnMut(usize, Frame) -> Result<()>,
) -> Result<()> {
    for (clip, path) in clips.paths.iter().enumerate() {
        let mut reader = match VideoReader::open(path, &Limits::default()) {
            Ok(reader) => reader,
            Err(error) if clips.damage == Damage::IsNoted => {
                progress.note(&format!("left out: {error}"));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if 0.0 < clips.from_secs {
            reader.seek(clips.from_secs)?;
        }
        for frame in reader {
            let frame = match frame {
                Ok(frame) => frame,
                Err(error) if clips.damage == Damage::IsNoted => {
                    progress.note(&format!("the rest of {path:?} is left out: {error}"));
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            if clips.to_secs.is_some_and(|to| to <= frame.time.secs()) {
                break;
            }
            each(clip, frame)?;
            if let ControlFlow::Break(()) = progress.step() {
                return Err(Error::Cancelled);
            }
        }
    }
    Ok(())
}

/// How many frames `clips` hold, where all of them say.
pub(crate) fn n_frames(clips: &Clips) -> Option<u64> {
    if 0.0 < clips.from_secs || clips.to_secs.is_some() {
        return None;
    }
    let count = |path: &PathBuf| {
        let info = effigy_media::probe(path, &Limits::default()).ok()?;
        info.video?.frames
    };
    clips.paths.iter().map(count).sum()
}
