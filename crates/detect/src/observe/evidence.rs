//! Small pictures of the worst frames, with a map of what is suspicious: for the eye to check.

use std::collections::BTreeMap;

use effigy_face::Observation;
use effigy_frame::{Picture, Plane};

use crate::cue::interface::EvidenceMap;
use crate::kind::CueKind;

/// One frame's face, and where it looks wrong.
#[derive(Clone, Debug)]
pub struct EvidenceFrame {
    /// Which cue finds it odd.
    pub cue: CueKind,
    /// How wrong, `0..=1`.
    pub score: f32,
    /// When.
    pub time_secs: f64,
    /// Which frame.
    pub frame_index: u64,
    /// The face with its surroundings.
    pub picture: Picture,
    /// How wrong each place is, `0..=1`; stretched over `picture`.
    pub map: Plane,
}

impl EvidenceFrame {
    /// Shows what `cue` saw in a face.
    pub(crate) fn new(
        cue: CueKind,
        face: &Observation<'_>,
        score: f32,
        shown: EvidenceMap,
    ) -> Self {
        Self {
            cue,
            score,
            time_secs: face.time_secs(),
            frame_index: face.frame.index,
            picture: shown.picture,
            map: shown.map,
        }
    }
}

/// The worst frames of each face, and of all faces so many that memory stays bounded.
#[derive(Debug, Default)]
pub(crate) struct EvidenceFrames {
    by_track: BTreeMap<u32, Vec<EvidenceFrame>>,
}

const MOST_OF_ONE_FACE: usize = 3;
const MOST_FACES: usize = 24;
/// Frames of one face lie this far apart: neighbouring frames look the same.
const LEAST_GAP_SECS: f64 = 0.9;

impl EvidenceFrames {
    /// Keeps the frame that `make` makes, if it makes one, if it is among the worst of its face.
    pub(crate) fn offer(
        &mut self,
        track: u32,
        score: f32,
        make: impl FnOnce() -> Option<EvidenceFrame>,
    ) {
        if !self.by_track.contains_key(&track) && MOST_FACES <= self.by_track.len() {
            self.drop_mildest();
        }
        let kept = self.by_track.entry(track).or_default();
        let full = MOST_OF_ONE_FACE <= kept.len();
        if full && kept.last().is_some_and(|mildest| score <= mildest.score) {
            return;
        }
        let Some(frame) = make() else { return };
        let near = kept
            .iter()
            .position(|k| (k.time_secs - frame.time_secs).abs() < LEAST_GAP_SECS);
        match near {
            Some(i) if frame.score <= kept[i].score => return,
            Some(i) => kept[i] = frame,
            None => kept.push(frame),
        }
        kept.sort_by(|a, b| b.score.total_cmp(&a.score));
        kept.truncate(MOST_OF_ONE_FACE);
    }

    /// Gives away what is kept of one face, the worst first.
    pub(crate) fn take(&mut self, track: u32) -> Vec<EvidenceFrame> {
        self.by_track.remove(&track).unwrap_or_default()
    }

    fn drop_mildest(&mut self) {
        let worst = |kept: &[EvidenceFrame]| kept.first().map_or(0.0, |e| e.score);
        let mildest = self
            .by_track
            .iter()
            .min_by(|a, b| worst(a.1).total_cmp(&worst(b.1)))
            .map(|(track, _)| *track);
        if let Some(track) = mildest {
            self.by_track.remove(&track);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(score: f32, time_secs: f64) -> EvidenceFrame {
        EvidenceFrame {
            cue: CueKind::Noise,
            score,
            time_secs,
            frame_index: 0,
            picture: Picture::filled(2, 2, [0; 3]),
            map: Plane::filled(1, 1, score),
        }
    }

    #[test]
    fn the_worst_frames_are_kept_apart_in_time() {
        let mut frames = EvidenceFrames::default();
        for (score, time) in [(0.1, 0.0), (0.9, 5.0), (0.8, 5.3), (0.5, 9.0), (0.6, 12.0)] {
            frames.offer(7, score, || Some(frame(score, time)));
        }
        let kept: Vec<f64> = frames.take(7).iter().map(|e| e.time_secs).collect();
        assert_eq!(kept, [5.0, 12.0, 9.0]);
    }

    #[test]
    fn a_crowd_does_not_fill_the_memory() {
        let mut frames = EvidenceFrames::default();
        for track in 0..1000 {
            frames.offer(track, track as f32 / 1000.0, || Some(frame(0.5, 0.0)));
        }
        assert!(frames.by_track.len() <= MOST_FACES);
    }
}
