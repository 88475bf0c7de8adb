//! Frames of footage, and the faces followed in them: the only place that sets up a tracker and
//! passes frames through it.
//!
//! Following runs on a thread of its own, a few frames ahead of whatever is done with them.
//! [`Follower`] takes frames from anywhere; [`Clips`] are files, read one after the other.

use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::thread;

use effigy_face::{Face, TrackSettings, Tracker};
use effigy_frame::{Frame, Rational};
use effigy_media::{Limits, VideoReader};

use crate::error::{Error, Result};
use crate::steps::damage::{Damage, DamagedPlace, DamagedPlaces};
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;

/// A frame with its faces, in the order of their tracks.
#[derive(Clone, Debug)]
pub struct Followed {
    /// The frame as it was read.
    pub frame: Frame,
    /// The faces followed in it.
    pub faces: Vec<Face>,
}

/// Follows faces through frames from anywhere.
#[derive(Debug)]
pub struct Follower {
    tracker: Tracker,
}

/// Frames that wait to be taken; bounds memory.
const FRAMES_AHEAD: usize = 3;

impl Follower {
    /// Makes a follower that has seen nothing.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub fn new(networks: &Networks, settings: TrackSettings) -> Result<Self> {
        let (search, face_mesh) = (networks.search.clone(), networks.face_mesh.clone());
        Ok(Self {
            tracker: Tracker::new(search, face_mesh, settings)?,
        })
    }

    /// Gives the faces in the next frame, at once: for whoever cannot wait for a few more.
    pub(crate) fn follow_now(&mut self, frame: &Frame) -> Vec<Face> {
        self.tracker.follow(&frame.picture, frame.time.secs())
    }

    /// Gives each of `frames` with its faces to `each`, in their order, until that fails.
    ///
    /// The frames are those of one video or picture: tracks of earlier ones end, and their numbers
    /// are not used again. A frame that cannot be read is given to `each` as the error it is.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn follow(
        &mut self,
        frames: impl Iterator<Item = effigy_media::Result<Frame>> + Send,
        each: &mut dyn FnMut(effigy_media::Result<Followed>) -> Result<()>,
    ) -> Result<()> {
        let tracker = &mut self.tracker;
        tracker.start_afresh();
        thread::scope(|scope| {
            let (send, followed) = sync_channel(FRAMES_AHEAD);
            scope.spawn(move || {
                for frame in frames {
                    let item = frame.map(|frame| Followed {
                        faces: tracker.follow(&frame.picture, frame.time.secs()),
                        frame,
                    });
                    // The receiver is gone when `each` has failed.
                    if send.send(item).is_err() {
                        return;
                    }
                }
            });
            followed.into_iter().try_for_each(each)
        })
    }
}

/// Clips to follow faces in, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Clips {
    /// Videos, pictures and sequences of pictures.
    pub(crate) paths: Vec<PathBuf>,
    /// Start of the part of each clip that is read, in seconds.
    pub(crate) from_secs: f64,
    /// End of that part; `None` is the end of the clip.
    pub(crate) to_secs: Option<f64>,
    /// Most frames of each clip that are read.
    pub(crate) most_frames: usize,
    /// Pictures a second of sequences of pictures.
    pub(crate) rate: Rational,
    /// How faces are found and followed.
    pub(crate) tracking: TrackSettings,
    /// How much a file may ask of us.
    pub(crate) limits: Limits,
    /// What to do with a clip that cannot be read to its end.
    pub(crate) at_damage: AtDamage,
}

/// What to do with a clip that cannot be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtDamage {
    /// End the job.
    Ends,
    /// Say so, keep what was read, and go on with the next clip.
    IsNoted,
    /// Go on behind the damage.
    IsSkipped,
}

impl From<Damage> for AtDamage {
    fn from(damage: Damage) -> Self {
        match damage {
            Damage::Ends => Self::Ends,
            Damage::IsSkipped => Self::IsSkipped,
        }
    }
}

impl Clips {
    /// The whole of some clips, with the usual settings; damage ends the job.
    pub(crate) fn whole(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            from_secs: 0.0,
            to_secs: None,
            most_frames: usize::MAX,
            rate: Rational::new(25, 1),
            tracking: TrackSettings::default(),
            limits: Limits::default(),
            at_damage: AtDamage::Ends,
        }
    }

    /// Gives each frame with its faces to `each`, with the index of its clip; returns what was
    /// damaged and left out.
    pub(crate) fn follow(
        &self,
        networks: &Networks,
        progress: &mut dyn Progress,
        each: &mut dyn FnMut(usize, Followed) -> Result<()>,
    ) -> Result<Vec<DamagedPlace>> {
        let mut follower = Follower::new(networks, self.tracking)?;
        let mut damaged = DamagedPlaces::default();
        for clip in 0..self.paths.len() {
            damaged.begin_clip(self.told_frames(clip));
            if let Some(frames) = self.open(clip, progress)? {
                follower.follow(frames, &mut |followed| {
                    if let Ok(Followed { frame, .. }) = &followed {
                        damaged.read(frame.index, frame.time.secs());
                    }
                    self.pass_on(clip, followed, (&mut *progress, &mut damaged), each)
                })?;
            }
        }
        Ok(damaged.into_places())
    }

    /// Gives each frame to `each`, with the index of its clip; faces are not followed. Returns what
    /// was damaged and left out.
    pub(crate) fn read(
        &self,
        progress: &mut dyn Progress,
        each: &mut dyn FnMut(usize, Frame) -> Result<()>,
    ) -> Result<Vec<DamagedPlace>> {
        let mut damaged = DamagedPlaces::default();
        for clip in 0..self.paths.len() {
            damaged.begin_clip(self.told_frames(clip));
            if let Some(mut frames) = self.open(clip, progress)? {
                frames.try_for_each(|frame| {
                    if let Ok(frame) = &frame {
                        damaged.read(frame.index, frame.time.secs());
                    }
                    self.pass_on(clip, frame, (&mut *progress, &mut damaged), each)
                })?;
            }
        }
        Ok(damaged.into_places())
    }

    /// How many frames there are, where all clips are read whole and say.
    pub(crate) fn n_frames(&self) -> Option<u64> {
        if 0.0 < self.from_secs {
            return None;
        }
        (0..self.paths.len()).map(|clip| self.frames_of(clip)).sum()
    }

    /// How many frames a clip says to have, where it is read to its end.
    fn frames_of(&self, clip: usize) -> Option<u64> {
        if self.to_secs.is_some() {
            return None;
        }
        let info = effigy_media::probe(&self.paths[clip], &self.limits).ok()?;
        info.video?.frames
    }

    /// As [`Clips::frames_of`], where it is said of damage.
    fn told_frames(&self, clip: usize) -> Option<u64> {
        let is_told = self.at_damage == AtDamage::IsSkipped;
        is_told.then(|| self.frames_of(clip)).flatten()
    }

    /// The wanted frames of a clip, up to the first that cannot be read; `None` where the clip
    /// cannot be opened and that is only noted.
    fn open(
        &self,
        clip: usize,
        progress: &mut dyn Progress,
    ) -> Result<Option<impl Iterator<Item = effigy_media::Result<Frame>> + Send + use<>>> {
        let mut reader = match VideoReader::open_at_rate(&self.paths[clip], self.rate, &self.limits)
        {
            Ok(reader) if self.at_damage == AtDamage::IsSkipped => reader.skip_damaged(),
            Ok(reader) => reader,
            Err(error) if self.at_damage == AtDamage::IsNoted => {
                progress.note(&format!("left out: {error}"));
                return Ok(None);
            }
            Err(error) => return Err(Error::at(&self.paths[clip])(error)),
        };
        if 0.0 < self.from_secs {
            reader
                .seek(self.from_secs)
                .map_err(Error::at(&self.paths[clip]))?;
        }
        let (to_secs, mut is_over) = (self.to_secs, false);
        let is_skipped = self.at_damage == AtDamage::IsSkipped;
        Ok(Some(reader.take(self.most_frames).map_while(
            move |frame| {
                let is_past_the_end =
                    |frame: &Frame| to_secs.is_some_and(|to| to <= frame.time.secs());
                if is_over || frame.as_ref().is_ok_and(is_past_the_end) {
                    return None;
                }
                is_over = frame.is_err() && !is_skipped;
                Some(frame)
            },
        )))
    }

    /// Passes on what was read of a clip, or deals with the damage.
    fn pass_on<T>(
        &self,
        clip: usize,
        read: effigy_media::Result<T>,
        (progress, damaged): (&mut dyn Progress, &mut DamagedPlaces),
        each: &mut dyn FnMut(usize, T) -> Result<()>,
    ) -> Result<()> {
        match read {
            Ok(read) => each(clip, read)?,
            Err(error) if self.at_damage == AtDamage::IsSkipped => {
                damaged
                    .note(&self.paths[clip], error)
                    .map_err(Error::at(&self.paths[clip]))?;
            }
            Err(error) if self.at_damage == AtDamage::IsNoted => {
                let path = &self.paths[clip];
                progress.note(&format!("the rest of {path:?} is left out: {error}"));
                return Ok(());
            }
            Err(error) => return Err(Error::at(&self.paths[clip])(error)),
        }
        if progress.step().is_break() {
            return Err(Error::Cancelled);
        }
        Ok(())
    }
}
