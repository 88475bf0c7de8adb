//! One face while it is followed: what each cue is shown of it, and what they measured.

use std::collections::BTreeMap;

use effigy_face::Observation;
use effigy_frame::Rect;

use super::evidence::{EvidenceFrame, EvidenceFrames};
use super::material::Material;
use super::unfit::Unfit;
use crate::calibration::{Calibration, sigmoid};
use crate::cue::blending::Blending;
use crate::cue::compression::Compression;
use crate::cue::identity::Drift;
use crate::cue::interface::{Cadence, Context, Cue, Facts, Models};
use crate::cue::light::Light;
use crate::cue::movement::Movement;
use crate::cue::noise::Noise;
use crate::cue::pulse::Pulse;
use crate::cue::speech::Speech;
use crate::cue::synthesis::Synthesis;
use crate::cue::traces::Traces;
use crate::kind::CueKind;
use crate::measurement::{self, Measure, Skipped, Span};
use crate::motion::{MotionTrace, Window};
use crate::note::Note;

/// The cues that every face is shown to, in the order of reports.
fn all_cues() -> Vec<Box<dyn Cue>> {
    vec![
        Box::new(Traces::default()),
        Box::new(Blending::default()),
        Box::new(Noise::default()),
        Box::new(Compression::default()),
        Box::new(Synthesis::default()),
        Box::new(Drift::default()),
        Box::new(Movement::default()),
        Box::new(Light::default()),
        Box::new(Pulse::default()),
        Box::new(Speech::default()),
        #[cfg(test)]
        Box::new(crate::cue::dummy::Dummy::default()),
    ]
}

/// What a cue measures; nothing for those that need no calibration.
pub fn measures(cue: CueKind) -> &'static [Measure] {
    let cues = all_cues();
    let wanted = cues.iter().find(|known| known.kind() == cue);
    wanted.map_or(&[], |cue| cue.measures())
}

/// What judges: networks, and what is usual of real faces.
#[derive(Clone, Debug)]
pub(crate) struct Judging {
    pub(crate) models: Models,
    pub(crate) calibration: Calibration,
}

/// One face while it is followed.
#[derive(Debug)]
pub(crate) struct TrackAnalysis {
    track: u32,
    span: Span,
    n_frames: u64,
    next_close_look_secs: f64,
    unfit: BTreeMap<Unfit, u64>,
    n_close_looks: u64,
    largest_px: f32,
    largest: Rect,
    cues: Vec<Box<dyn Cue>>,
    motion: MotionTrace,
}

/// How closely one frame's face is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closeness {
    /// For the cues that take every frame.
    Passing,
    /// Its pixels too, which takes longer.
    Close,
}

/// Times of frames are rounded to ticks.
const ROUNDING_SECS: f64 = 1e-4;
/// One close look in so many must be fit.
const LEAST_FIT_SHARE: u64 = 4;

impl TrackAnalysis {
    pub(crate) fn new(track: u32, time_secs: f64) -> Self {
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
            largest_px: 0.0,
            largest: Rect::default(),
            cues: all_cues(),
            motion: MotionTrace::default(),
        }
    }

    /// How closely to look now; after a close look the next is due a sample later.
    pub(crate) fn closeness_at(&mut self, time_secs: f64, samples_per_sec: f32) -> Closeness {
        if time_secs + ROUNDING_SECS < self.next_close_look_secs {
            return Closeness::Passing;
        }
        self.next_close_look_secs = time_secs + 1.0 / f64::from(samples_per_sec);
        Closeness::Close
    }

    /// Shows the face in one frame to the cues.
    pub(crate) fn look(
        &mut self,
        face: &Observation<'_>,
        closeness: Closeness,
        judging: &Judging,
        evidence: &mut EvidenceFrames,
    ) {
        self.n_frames += 1;
        self.span.to_secs = face.time_secs();
        if self.largest_px < face.size_px() {
            (self.largest_px, self.largest) = (face.size_px(), face.rect);
        }
        self.show(Cadence::EveryFrame, face, judging, evidence);
        let unfit = Unfit::of(face);
        if unfit.is_none() {
            self.show(Cadence::FitFrames, face, judging, evidence);
            self.motion.look(face);
        }
        if closeness == Closeness::Passing {
            return;
        }
        self.n_close_looks += 1;
        if let Some(unfit) = unfit.or_else(|| Material::of(face)?.unfit()) {
            *self.unfit.entry(unfit).or_default() += 1;
            return;
        }
        self.show(Cadence::CloseLooks, face, judging, evidence);
    }

    /// Shows a frame to the cues of one cadence, and offers what counts as evidence.
    fn show(
        &mut self,
        cadence: Cadence,
        face: &Observation<'_>,
        judging: &Judging,
        evidence: &mut EvidenceFrames,
    ) {
        for cue in self.cues.iter_mut().filter(|c| c.cadence() == cadence) {
            let Some(values) = cue.look(face, &judging.models) else {
                continue;
            };
            let known = judging.calibration.cue(cue.kind());
            let Some(known) = known.filter(|known| 0.0 < known.weight) else {
                continue;
            };
            let score = sigmoid(known.logit(&values));
            evidence.offer(face.track, score, || {
                let shown = cue.evidence(face)?;
                Some(EvidenceFrame::new(cue.kind(), face, score, shown))
            });
        }
    }

    /// Gives what was seen; `splice` and `evidence` are the scanner's to add.
    pub(crate) fn finish(self, context: &Context<'_>) -> AnalysedTrack {
        let n_unfit: u64 = self.unfit.values().sum();
        let commonest = self.unfit.iter().max_by_key(|(_, n)| **n);
        let n_fit = self.n_close_looks - n_unfit;
        let is_hidden = n_fit * LEAST_FIT_SHARE < self.n_close_looks;
        let hidden = commonest.map(|(why, _)| *why).filter(|_| is_hidden);
        let mut facts = Facts::default();
        self.cues.iter().for_each(|cue| cue.add_facts(&mut facts));
        // A few lucky frames say little of a face that is mostly hidden.
        let result = |cue: Box<dyn Cue>| match hidden {
            Some(why) => Err(Skipped::new(cue.kind(), why.in_words())),
            None => cue.finish(context),
        };
        AnalysedTrack {
            track: self.track,
            span: self.span,
            n_frames: self.n_frames,
            n_fit_looks: n_fit,
            largest: self.largest,
            facts,
            windows: self.motion.windows(),
            results: self.cues.into_iter().map(result).collect(),
            splice: None,
            evidence: Vec::new(),
        }
    }
}

/// One face after it was followed to its end.
#[derive(Clone, Debug)]
pub struct AnalysedTrack {
    /// Which track of the tracker.
    pub(crate) track: u32,
    /// From when to when it was seen.
    pub(crate) span: Span,
    /// In how many frames.
    pub(crate) n_frames: u64,
    /// How often its pixels were looked at and could be judged.
    pub(crate) n_fit_looks: u64,
    /// Its box where it was largest.
    pub(crate) largest: Rect,
    /// Whose face it is, and how it was lit.
    pub(crate) facts: Facts,
    /// How its gestures go together, window by window.
    pub(crate) windows: Vec<Window>,
    /// What each cue measured.
    pub(crate) results: Vec<measurement::Result>,
    /// Of a single picture: what was put in or copied, or that nothing was found.
    pub(crate) splice: Option<Note>,
    /// Its worst frames, the worst first.
    pub(crate) evidence: Vec<EvidenceFrame>,
}
