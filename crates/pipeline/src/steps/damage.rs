//! What is damaged in a clip: the end of the job, or left out and told.

use std::fmt;
use std::path::{Path, PathBuf};

use effigy_media::Error as MediaError;

/// What a job does about frames that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Damage {
    /// The clip counts as unreadable.
    #[default]
    Ends,
    /// They are left out, and told.
    IsSkipped,
}

/// Frames that could not be read and were left out.
#[derive(Clone, Debug, PartialEq)]
pub struct DamagedPlace {
    /// The clip.
    pub path: PathBuf,
    /// The first frame that is missing, from 0.
    pub frame: u64,
    /// When it would have been shown.
    pub from_secs: f64,
    /// The next frame that could be read, and when it is shown; `None` where the clip ends before.
    pub until: Option<(u64, f64)>,
    /// How many frames are missing: the damaged one and those that lean on it. `None` where the clip
    /// does not say how many it has.
    pub n_frames: Option<u64>,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for DamagedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, from, why) = (self.path.display(), self.from_secs, &self.why);
        let counted = match self.n_frames {
            Some(1) => format!("frame {}", self.frame),
            Some(n) => format!("{n} frames from {}", self.frame),
            None => format!("from frame {}", self.frame),
        };
        match self.until {
            Some((_, secs)) => write!(f, "{path}: {from:.2} to {secs:.2} s ({counted}): {why}"),
            None => write!(f, "{path}: from {from:.2} s to the end ({counted}): {why}"),
        }
    }
}

/// The damaged places of some clips, as they are met.
#[derive(Clone, Debug, Default)]
pub(crate) struct DamagedPlaces {
    places: Vec<DamagedPlace>,
    /// The frame after the last one that was read.
    next_frame: u64,
    next_secs: f64,
    is_open: bool,
    /// Frames of the clip.
    n_frames: Option<u64>,
}

impl DamagedPlaces {
    /// Begins the next clip, which says that it has `n_frames`.
    pub(crate) fn begin_clip(&mut self, n_frames: Option<u64>) {
        (self.next_frame, self.next_secs, self.is_open) = (0, 0.0, false);
        self.n_frames = n_frames;
    }

    /// Notes that a frame was read.
    pub(crate) fn read(&mut self, frame: u64, secs: f64) {
        if std::mem::take(&mut self.is_open)
            && let Some(place) = self.places.last_mut()
        {
            place.until = Some((frame, secs));
            place.n_frames = Some(frame.saturating_sub(place.frame).max(1));
        }
        (self.next_frame, self.next_secs) = (frame + 1, secs);
    }

    /// Notes damage; gives `error` back where it is something else.
    pub(crate) fn note(&mut self, path: &Path, error: MediaError) -> Result<(), MediaError> {
        let (frame, from_secs, why) = match &error {
            MediaError::Damaged { why, index, at } | MediaError::Truncated { why, index, at } => {
                (*index, at.secs(), why.clone())
            }
            MediaError::BadPicture { .. } | MediaError::Open { .. } => {
                (self.next_frame, self.next_secs, error.to_string())
            }
            _ => return Err(error),
        };
        // What follows at once is one place.
        if !self.is_open {
            self.places.push(DamagedPlace {
                path: path.to_owned(),
                frame,
                from_secs,
                until: None,
                n_frames: self.n_frames.map(|all| all.saturating_sub(frame).max(1)),
                why,
            });
        }
        self.is_open = true;
        Ok(())
    }

    pub(crate) fn into_places(self) -> Vec<DamagedPlace> {
        self.places
    }
}

/// What to do about damage.
pub const REMEDY: &str = "--skip-damaged leaves out what is damaged";

/// What is said of an error, with what to do where it is damage.
pub(crate) fn with_remedy(error: &crate::Error) -> String {
    if error.is_damage() {
        format!("{error}; {REMEDY}")
    } else {
        error.to_string()
    }
}

#[cfg(test)]
mod tests {
    use effigy_frame::{Rational, Timestamp};

    use super::*;

    fn damaged(index: u64) -> MediaError {
        MediaError::Damaged {
            why: "broken".to_owned(),
            index,
            at: Timestamp::new(index as i64, Rational::new(1, 25)),
        }
    }

    #[test]
    fn places_tell_which_frames_are_missing() {
        let mut met = DamagedPlaces::default();
        let path = Path::new("a.mp4");
        met.begin_clip(Some(40));
        met.read(0, 0.0);
        met.note(path, damaged(1)).unwrap();
        met.note(path, damaged(1)).unwrap();
        met.read(25, 1.0);
        met.note(path, damaged(26)).unwrap();
        met.begin_clip(None);
        met.read(0, 0.0);
        met.note(path, damaged(1)).unwrap();
        let told: Vec<String> = met.into_places().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "a.mp4: 0.04 to 1.00 s (24 frames from 1): broken",
                "a.mp4: from 1.04 s to the end (14 frames from 26): broken",
                "a.mp4: from 0.04 s to the end (from frame 1): broken"
            ]
        );
    }

    #[test]
    fn what_is_no_damage_is_given_back() {
        let limit = MediaError::TooLong {
            secs: 2.0,
            limit_secs: 1.0,
        };
        let path = Path::new("a.mp4");
        assert!(DamagedPlaces::default().note(path, limit).is_err());
    }
}
