//! Traces: what makers of deepfakes leave in the fine structure of a face, known from their own
//! clips beside what they were made of.
//!
//! A network that has seen pictures of everything and never learned of faces ([`effigy_model::PictureNet`]) turns
//! the face and its surroundings into numbers; a bank of filters ([`effigy_model::TraceBank`]) tells how far these
//! lie in the directions in which known makers' fakes leave their originals. A maker whose trace is
//! not in the bank is told only where it resembles one. What it sees is fine detail: strong
//! compression takes it away.

pub mod features;
mod map;

use crate::cue::interface::{Cadence, Context, Cue, EvidenceMap, Models};
use crate::kind::CueKind;
use crate::measurement::{self, Measure, Measurement, Skipped};
use effigy_face::Observation;

/// What is measured, in this order: the filters of the bank, in deviations of real clips.
pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "swap",
        high: "The face carries traces as face swaps leave them",
        usual: "The face carries no clear traces of known face swaps",
    },
    Measure {
        name: "deepfacelab",
        high: "The face carries traces as DeepFaceLab leaves them",
        usual: "The face carries no clear traces of DeepFaceLab",
    },
    Measure {
        name: "lip-sync",
        high: "The mouth carries traces as programs for lip-sync leave them",
        usual: "The mouth carries no clear traces of known programs for lip-sync",
    },
    Measure {
        name: "drawn",
        high: "The face carries traces as generated talking heads do",
        usual: "The face carries no clear traces of known generators of talking heads",
    },
];

/// Filters of the bank, in the order of the cue's measures.
pub const N_FILTERS: usize = MEASURES.len();

/// Chooses frames of footage whose length is not known: evenly spread, and few.
#[derive(Clone, Debug)]
pub struct Spread<T> {
    every: usize,
    n_seen: usize,
    kept: Vec<T>,
}

/// Frames kept at most; at least half as many of a long clip.
const MOST_KEPT: usize = 32;

impl<T> Default for Spread<T> {
    fn default() -> Self {
        Self {
            every: 1,
            n_seen: 0,
            kept: Vec::new(),
        }
    }
}

impl<T> Spread<T> {
    /// Asks for what the next frame shows, if it is one of those wanted.
    pub fn offer(&mut self, look: impl FnOnce() -> Option<T>) -> Option<&T> {
        self.n_seen += 1;
        if !(self.n_seen - 1).is_multiple_of(self.every) {
            return None;
        }
        if self.kept.len() == MOST_KEPT {
            let mut keep = false;
            self.kept.retain(|_| {
                keep = !keep;
                keep
            });
            self.every *= 2;
            // The frame at hand lies between two that are wanted from now on, or is one of them.
            if !(self.n_seen - 1).is_multiple_of(self.every) {
                return None;
            }
        }
        self.kept.push(look()?);
        self.kept.last()
    }

    /// What was kept, in order.
    pub fn into_kept(self) -> Vec<T> {
        self.kept
    }
}

/// What was measured so far.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    moments: Spread<(f64, Vec<f32>)>,
    is_left_out: bool,
    last: Option<EvidenceMap>,
}

impl Cue for Traces {
    fn kind(&self) -> CueKind {
        CueKind::Traces
    }

    fn measures(&self) -> &'static [Measure] {
        MEASURES
    }

    fn cadence(&self) -> Cadence {
        Cadence::FitFrames
    }

    fn look(&mut self, face: &Observation<'_>, models: &Models) -> Option<Vec<f32>> {
        let Some(judge) = &models.trace_judge else {
            self.is_left_out = true;
            return None;
        };
        let last = &mut self.last;
        let look = || {
            let picture = features::view(face)?;
            let maps = judge.network.see(&picture);
            let scores = judge.bank.score(&features::features(&maps));
            let map = map::of_loudest(&maps, &scores, &judge.bank);
            *last = Some(EvidenceMap { picture, map });
            Some((face.time_secs(), scores))
        };
        let (_, scores) = self.moments.offer(look)?;
        Some(scores.clone())
    }

    fn evidence(&mut self, _face: &Observation<'_>) -> Option<EvidenceMap> {
        self.last.take()
    }

    fn finish(self: Box<Self>, _context: &Context<'_>) -> measurement::Result {
        let skip = |why: &str| Err(Skipped::new(CueKind::Traces, why));
        if self.is_left_out {
            return skip("its networks were not loaded");
        }
        let moments = self.moments.into_kept();
        if moments.is_empty() {
            return skip("the face is never seen well");
        }
        let overall = upper_means(moments.iter().map(|(_, scores)| scores.as_slice()));
        Ok(Measurement {
            overall,
            ..Measurement::of_moments(CueKind::Traces, MEASURES, moments)
        })
    }
}

/// Gives, of each filter, the mean of the upper half of its scores: a fake need not show in every
/// frame.
pub fn upper_means<'a>(scores: impl Iterator<Item = &'a [f32]> + Clone) -> Vec<f32> {
    let n_filters = scores.clone().next().map_or(0, <[f32]>::len);
    let of_filter = |k: usize| {
        let mut values: Vec<f32> = scores.clone().map(|scores| scores[k]).collect();
        values.sort_by(f32::total_cmp);
        let upper = &values[values.len() / 2..];
        upper.iter().sum::<f32>() / upper.len() as f32
    };
    (0..n_filters).map(of_filter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_spread_evenly_however_long_the_footage() {
        for n in [1, 31, 32, 33, 500, 10_000] {
            let mut spread = Spread::default();
            let mut n_looks = 0;
            for frame in 0..n {
                spread.offer(|| {
                    n_looks += 1;
                    Some(frame)
                });
            }
            let kept = spread.into_kept();
            let wanted = n.min(MOST_KEPT / 2)..=MOST_KEPT;
            assert!(wanted.contains(&kept.len()), "{} of {n}", kept.len());
            assert!(n_looks <= 16 * (2 + n.ilog2()), "{n_looks} looks at {n}");
            let gaps: Vec<usize> = kept.windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert!(gaps.iter().all(|gap| *gap == gaps[0]), "{kept:?}");
        }
    }

    #[test]
    fn a_trace_in_half_of_the_frames_is_not_averaged_away() {
        let frames = [[0.0], [4.0], [0.0], [4.0]];
        let means = upper_means(frames.iter().map(<[f32; 1]>::as_slice));
        assert_eq!(means, [4.0]);
    }
}
