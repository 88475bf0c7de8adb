//! Faces over time: every track has a watch that shows it to the cues.

use std::collections::BTreeMap;

use effigy_face::Face;
use effigy_frame::{Frame, Rect};
use effigy_model::Identifier;

use crate::finding::{Finding, Span};
use crate::sight::{Sight, Unfit};

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScanSettings {
    /// Frames a second whose pixels are looked at closely. A face that appears, or appears again
    /// after a cut, is looked at at once.
    pub samples_per_sec: f32,
}

impl Default for ScanSettings {
    fn default() -> Self {
        Self {
            samples_per_sec: 3.0,
        }
    }
}

/// The networks that cues ask.
#[derive(Clone, Debug)]
pub struct Judges {
    /// Tells people apart.
    pub identifier: Identifier,
}

/// Watches all faces of one file.
///
/// Memory is bounded by a few numbers a second and face.
#[derive(Debug)]
pub struct Scanner {
    settings: ScanSettings,
    judges: Judges,
    watches: BTreeMap<u32, Watch>,
    n_frames: u64,
}

impl Scanner {
    /// Begins with a new file.
    pub fn new(settings: ScanSettings, judges: Judges) -> Self {
        Self {
            settings,
            judges,
            watches: BTreeMap::new(),
            n_frames: 0,
        }
    }

    /// Takes in the next frame with its faces.
    pub fn look(&mut self, frame: &Frame, faces: &[Face]) {
        self.n_frames += 1;
        let time_secs = frame.time.secs();
        for face in faces {
            let watch = self
                .watches
                .entry(face.track)
                .or_insert_with(|| Watch::new(face.track, time_secs));
            let closely = watch.next_close_look_secs <= time_secs + HALF_A_TICK_SECS;
            if closely {
                let step = 1.0 / f64::from(self.settings.samples_per_sec);
                watch.next_close_look_secs = time_secs + step;
            }
            watch.look(&Sight::new(frame, face, closely), &self.judges);
        }
    }

    /// Frames seen so far.
    pub fn n_frames(&self) -> u64 {
        self.n_frames
    }

    /// Gives what was seen of each face, in the order of their tracks.
    pub fn finish(self) -> Vec<Watched> {
        self.watches.into_values().map(Watch::finish).collect()
    }
}

/// Times of frames are rounded to ticks.
const HALF_A_TICK_SECS: f64 = 1e-4;

/// One face while it is followed.
#[derive(Debug)]
pub struct Watch {
    track: u32,
    span: Span,
    n_frames: u64,
    next_close_look_secs: f64,
    unfit: BTreeMap<Unfit, u64>,
    n_close_looks: u64,
    largest: (f32, Rect),
}

impl Watch {
    fn new(track: u32, time_secs: f64) -> Self {
        Self {
            track,
            span: Span {
                from_secs: time_secs,
                to_secs: time_secs,
            },
            n_frames: 0,
            next_close_look_secs: time_secs,
            unfit: BTreeMap::new(),
            n_close_looks: 0,
            largest: (0.0, Rect::default()),
        }
    }

    fn look(&mut self, sight: &Sight<'_>, _judges: &Judges) {
        self.n_frames += 1;
        self.span.to_secs = sight.time_secs();
        if self.largest.0 < sight.size_px {
            self.largest = (sight.size_px, sight.face.rect);
        }
        if !sight.closely {
            return;
        }
        self.n_close_looks += 1;
        if let Some(unfit) = sight.unfit() {
            *self.unfit.entry(unfit).or_default() += 1;
        }
    }

    fn finish(self) -> Watched {
        let n_unfit: u64 = self.unfit.values().sum();
        let commonest = self.unfit.iter().max_by_key(|(_, n)| **n);
        Watched {
            track: self.track,
            span: self.span,
            n_frames: self.n_frames,
            largest: self.largest.1,
            unfit: commonest
                .filter(|_| n_unfit == self.n_close_looks)
                .map(|(why, _)| *why),
            findings: Vec::new(),
        }
    }
}

/// One face after it was followed to its end.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Which track of the tracker.
    pub track: u32,
    /// From when to when it was seen.
    pub span: Span,
    /// In how many frames.
    pub n_frames: u64,
    /// Its box where it was largest.
    pub largest: Rect,
    /// Why none of its pixels could be judged, if so.
    pub unfit: Option<Unfit>,
    /// What each cue says.
    pub findings: Vec<Finding>,
}
