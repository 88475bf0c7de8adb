//! All faces of one file, each with its own analysis.

use std::collections::BTreeMap;

use effigy_face::{Face, Observation};
use effigy_frame::Frame;

use super::evidence::{EvidenceFrame, EvidenceFrames};
use super::track::{AnalysedTrack, Judging, TrackAnalysis};
use crate::calibration::Calibration;
use crate::cue::interface::{Context, EvidenceMap, Models};
use crate::cue::splice;
use crate::kind::CueKind;
use crate::note::Note;
use crate::sound::Sound;

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScanSettings {
    /// Frames a second whose pixels are looked at closely. A face that appears, or appears again
    /// after a cut, is looked at at once.
    pub samples_per_sec: f32,
    /// Whether networks are asked too that count in no verdict, as calibrating them needs.
    pub asks_all: bool,
}

impl Default for ScanSettings {
    fn default() -> Self {
        Self {
            samples_per_sec: 3.0,
            asks_all: false,
        }
    }
}

/// Analyses all faces of one file.
///
/// Memory is bounded by a few numbers a second and face, and a few small pictures.
#[derive(Debug)]
pub struct Scanner {
    settings: ScanSettings,
    judging: Judging,
    tracks: BTreeMap<u32, TrackAnalysis>,
    evidence: EvidenceFrames,
    n_frames: u64,
    /// The first frame with its faces, until there is a second: some traces are those of single
    /// pictures.
    only: Option<(Frame, Vec<Face>)>,
}

impl Scanner {
    /// Begins with a new file.
    pub fn new(settings: ScanSettings, models: Models, calibration: Calibration) -> Self {
        Self {
            settings,
            judging: Judging {
                models,
                calibration,
            },
            tracks: BTreeMap::new(),
            evidence: EvidenceFrames::default(),
            n_frames: 0,
            only: None,
        }
    }

    /// Takes in the next frame with its faces.
    pub fn look(&mut self, frame: &Frame, faces: &[Face]) {
        self.n_frames += 1;
        self.only = (self.n_frames == 1).then(|| (frame.clone(), faces.to_vec()));
        let time_secs = frame.time.secs();
        for face in faces {
            let track = self
                .tracks
                .entry(face.track)
                .or_insert_with(|| TrackAnalysis::new(face.track, time_secs));
            let closeness = track.closeness_at(time_secs, self.settings.samples_per_sec);
            let face = Observation::new(frame, face);
            track.look(&face, closeness, &self.judging, &mut self.evidence);
        }
    }

    /// Frames seen so far.
    pub fn n_frames(&self) -> u64 {
        self.n_frames
    }

    /// Gives what was seen of each face, in the order of their tracks. `sound` is the file's.
    pub fn finish(self, sound: &Sound) -> Vec<AnalysedTrack> {
        let mut evidence = self.evidence;
        let mut splices: BTreeMap<u32, Note> = BTreeMap::new();
        if let Some((frame, faces)) = &self.only {
            for face in faces {
                // The face was observed once when its frame came; that observation borrowed the
                // frame and is gone, and only now is it known that no second frame follows.
                let face = Observation::new(frame, face);
                let note = look_for_splice(&face, &mut evidence);
                splices.extend(note.map(|note| (face.track, note)));
            }
        }
        let finish = |(number, track): (u32, TrackAnalysis)| AnalysedTrack {
            splice: splices.remove(&number),
            evidence: evidence.take(number),
            ..track.finish(&Context { sound })
        };
        self.tracks.into_iter().map(finish).collect()
    }
}

/// Says whether something was put into the only picture or copied in it; `None` where the face is
/// too small to tell.
fn look_for_splice(face: &Observation<'_>, evidence: &mut EvidenceFrames) -> Option<Note> {
    let patch = face.patch()?;
    let found = splice::look(&face.frame.picture, patch);
    let note = splice::note(found.as_ref());
    if let Some(found) = found.filter(|_| note.is_sign()) {
        evidence.offer(face.track, 1.0, || {
            let shown = EvidenceMap::of_patch(face, patch, found.map);
            Some(EvidenceFrame::new(CueKind::Splice, face, 1.0, shown))
        });
    }
    Some(note)
}
