//! Small pictures of the worst frames, with a map of what is suspicious: for the eye to check.

use std::collections::BTreeMap;

use effigy_face::Observation;
use effigy_face::patch::Patch;
use effigy_frame::{Picture, Plane, Point2, Similarity, resample};

use crate::finding::Cue;

/// One frame's face, and where it looks wrong.
#[derive(Clone, Debug)]
pub struct Exhibit {
    /// Which cue finds it odd.
    pub cue: Cue,
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

/// Longer side of an exhibit's picture.
const SIDE_PX: f32 = 240.0;

impl Exhibit {
    /// Shows what a patch shows; `map` is stretched over the patch.
    pub fn of_patch(
        cue: Cue,
        face: &Observation<'_>,
        patch: &Patch,
        score: f32,
        map: Plane,
    ) -> Self {
        let (width, height) = (
            patch.width as f32 * patch.factor as f32,
            patch.height as f32 * patch.factor as f32,
        );
        let scale = width.max(height) / SIDE_PX;
        let (left, top) = (patch.origin.0 as f32, patch.origin.1 as f32);
        let view = Similarity::about(Point2::default(), Point2::new(left, top), scale, 0.0);
        let side = |px: f32| (px / scale).round().max(1.0) as u32;
        Self {
            cue,
            score,
            time_secs: face.time_secs(),
            frame_index: face.frame.index,
            picture: resample::warp(&face.frame.picture, view, side(width), side(height)),
            map,
        }
    }
}

/// The worst frames of each face, and of all faces so many that memory stays bounded.
#[derive(Clone, Debug, Default)]
pub struct Exhibits {
    by_track: BTreeMap<u32, Vec<Exhibit>>,
}

const MOST_OF_ONE_FACE: usize = 3;
const MOST_FACES: usize = 24;
/// Exhibits of one face lie this far apart: neighbouring frames look the same.
const LEAST_GAP_SECS: f64 = 0.9;

impl Exhibits {
    /// Keeps the exhibit that `make` makes if it is among the worst of its face.
    pub fn offer(&mut self, track: u32, score: f32, make: impl FnOnce() -> Exhibit) {
        if !self.by_track.contains_key(&track) && MOST_FACES <= self.by_track.len() {
            self.drop_mildest();
        }
        let kept = self.by_track.entry(track).or_default();
        let full = MOST_OF_ONE_FACE <= kept.len();
        if full && kept.last().is_some_and(|mildest| score <= mildest.score) {
            return;
        }
        let exhibit = make();
        let near = kept
            .iter()
            .position(|k| (k.time_secs - exhibit.time_secs).abs() < LEAST_GAP_SECS);
        match near {
            Some(i) if exhibit.score <= kept[i].score => return,
            Some(i) => kept[i] = exhibit,
            None => kept.push(exhibit),
        }
        kept.sort_by(|a, b| b.score.total_cmp(&a.score));
        kept.truncate(MOST_OF_ONE_FACE);
    }

    /// Gives away what is kept of one face, the worst first.
    pub fn take(&mut self, track: u32) -> Vec<Exhibit> {
        self.by_track.remove(&track).unwrap_or_default()
    }

    fn drop_mildest(&mut self) {
        let worst = |kept: &[Exhibit]| kept.first().map_or(0.0, |e| e.score);
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

    fn exhibit(score: f32, time_secs: f64) -> Exhibit {
        Exhibit {
            cue: Cue::Noise,
            score,
            time_secs,
            frame_index: 0,
            picture: Picture::filled(2, 2, [0; 3]),
            map: Plane::filled(1, 1, score),
        }
    }

    #[test]
    fn the_worst_frames_are_kept_apart_in_time() {
        let mut exhibits = Exhibits::default();
        for (score, time) in [(0.1, 0.0), (0.9, 5.0), (0.8, 5.3), (0.5, 9.0), (0.6, 12.0)] {
            exhibits.offer(7, score, || exhibit(score, time));
        }
        let kept: Vec<f64> = exhibits.take(7).iter().map(|e| e.time_secs).collect();
        assert_eq!(kept, [5.0, 12.0, 9.0]);
    }

    #[test]
    fn a_crowd_does_not_fill_the_memory() {
        let mut exhibits = Exhibits::default();
        for track in 0..1000 {
            exhibits.offer(track, track as f32 / 1000.0, || exhibit(0.5, 0.0));
        }
        assert!(exhibits.by_track.len() <= MOST_FACES);
    }
}
