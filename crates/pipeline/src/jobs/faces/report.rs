//! The summary of the job `faces`.

use std::fmt;
use std::path::PathBuf;

use effigy_face::people::Person;

use super::angles::{AngleCounts, AngleRange};
use super::gather::TrackRecord;
use crate::steps::damage::DamagedPlace;

/// What was found.
#[derive(Clone, Debug)]
pub struct FacesReport {
    /// Videos and pictures that were read, failed ones included.
    pub inputs: Vec<PathBuf>,
    /// Frames and pictures that were read.
    pub n_frames: u64,
    /// How long it took from opening the first input to the last output, in seconds.
    pub took_secs: f64,
    /// Inputs that could not be read to their end, and why.
    pub failed: Vec<FailedInput>,
    /// Frames that could not be read and were left out, where that was asked for.
    pub damaged: Vec<DamagedPlace>,
    /// Who was seen, the most seen first; the first is person 1.
    pub people: Vec<PersonReport>,
    /// Faces too small or unclear to identify, all together.
    pub strangers: Option<PersonReport>,
    /// People whose crops were asked for, by number, and who were not seen.
    pub unseen: Vec<u32>,
}

/// An input that was given up.
#[derive(Clone, Debug)]
pub struct FailedInput {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

impl fmt::Display for FailedInput {
    /// Names the file once: many reasons do already.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reason.contains(&format!("{:?}", self.path)) {
            f.write_str(&self.reason)
        } else {
            write!(f, "{}: {}", self.path.display(), self.reason)
        }
    }
}

/// One person over all inputs.
#[derive(Clone, Debug)]
pub struct PersonReport {
    /// How many tracks show them.
    pub n_tracks: usize,
    /// In which videos and pictures they appear: places in [`FacesReport::inputs`].
    pub inputs: Vec<usize>,
    /// Frames and pictures that show them.
    pub n_frames: u64,
    /// Time on screen in videos, in seconds.
    pub secs: f64,
    /// When they first appear, in seconds from the start of that input.
    pub first_secs: f64,
    /// How far they turn right and left, in degrees.
    pub yaw: AngleRange,
    /// How far they look up and down, in degrees.
    pub pitch: AngleRange,
    /// Mean sharpness, `0..=1`.
    pub sharpness: f32,
    /// Mean of the longer side of the face's box, in pixels.
    pub size_px: f32,
}

/// Sums up the tracks of each person.
pub(crate) fn people(people: &[Person], records: &[TrackRecord]) -> Vec<PersonReport> {
    let of = |person: &Person| {
        let theirs = records
            .iter()
            .filter(|r| person.tracks.binary_search(&r.number).is_ok());
        sum_up(theirs)
    };
    people.iter().filter_map(of).collect()
}

/// Sums up the tracks that could not be identified.
pub(crate) fn strangers(records: &[TrackRecord]) -> Option<PersonReport> {
    sum_up(records.iter().filter(|r| r.identity.is_none()))
}

fn sum_up<'a>(records: impl Iterator<Item = &'a TrackRecord>) -> Option<PersonReport> {
    let records: Vec<&TrackRecord> = records.collect();
    let first = records.first()?;
    let (mut yaw, mut pitch) = (AngleCounts::new(), AngleCounts::new());
    for record in &records {
        yaw.add_all(&record.yaw);
        pitch.add_all(&record.pitch);
    }
    let n_frames = records.iter().map(|r| r.n_frames).sum::<u64>();
    let mean = |sum: f64| (sum / n_frames.max(1) as f64) as f32;
    // Inputs are counted from 1.
    let mut inputs: Vec<usize> = records.iter().map(|r| r.input_index - 1).collect();
    inputs.sort_unstable();
    inputs.dedup();
    Some(PersonReport {
        n_tracks: records.len(),
        inputs,
        n_frames,
        secs: records.iter().map(|r| r.secs).sum(),
        first_secs: first.first_secs,
        yaw: yaw.range(),
        pitch: pitch.range(),
        sharpness: mean(records.iter().map(|r| r.sharpness_sum).sum()),
        size_px: mean(records.iter().map(|r| r.size_sum).sum()),
    })
}
