//! Blending: the seam along which a face was put into a picture, as a network learned to see it.
//!
//! The network ([`BlendJudge`]) was trained on real faces alone, blended onto changed copies of
//! themselves, after Shiohara and Yamasaki, "Detecting deepfakes with self-blended images", CVPR
//! 2022.

use effigy_face::Observation;
use effigy_model::BlendJudge;

use crate::cue::interface::{Cadence, Context, Cue, EvidenceMap, Models};
use crate::kind::CueKind;
use crate::measurement::{self, Measure, Measurement, Skipped};

/// What is measured, in this order.
pub(crate) const MEASURES: &[Measure] = &[Measure {
    name: "seam",
    high: "The face looks blended into the picture",
    usual: "The face looks as much a part of the picture as real ones do",
}];

/// What was measured so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blending {
    moments: Vec<(f64, Vec<f32>)>,
    is_left_out: bool,
    /// What the network was last shown, and where it saw a seam.
    last: Option<EvidenceMap>,
}

/// Moments kept at most: of longer tracks every other is dropped again and again.
const MOST_MOMENTS: usize = 4096;
/// The network is never surer than this, so that a logit stays a number.
const SUREST: f32 = 1e-4;

impl Cue for Blending {
    fn kind(&self) -> CueKind {
        CueKind::Blending
    }

    fn measures(&self) -> &'static [Measure] {
        MEASURES
    }

    fn cadence(&self) -> Cadence {
        Cadence::CloseLooks
    }

    /// Measures the network's logit; nothing when the mesh is squeezed into a point.
    fn look(&mut self, face: &Observation<'_>, models: &Models) -> Option<Vec<f32>> {
        let Some(judge) = &models.blend_judge else {
            self.is_left_out = true;
            return None;
        };
        let (crop, _) = face.aligned(BlendJudge::SIDE_PX, BlendJudge::EXTENT)?;
        let blend = judge.score(&crop);
        let score = blend.score.clamp(SUREST, 1.0 - SUREST);
        let values = vec![(score / (1.0 - score)).ln()];
        self.moments.push((face.time_secs(), values.clone()));
        if MOST_MOMENTS < self.moments.len() {
            let mut keep = false;
            self.moments.retain(|_| {
                keep = !keep;
                keep
            });
        }
        self.last = Some(EvidenceMap {
            picture: crop,
            map: blend.seam,
        });
        Some(values)
    }

    fn evidence(&mut self, _face: &Observation<'_>) -> Option<EvidenceMap> {
        self.last.take()
    }

    fn finish(self: Box<Self>, _context: &Context<'_>) -> measurement::Result {
        let skip = |why: &str| Err(Skipped::new(CueKind::Blending, why));
        if self.is_left_out {
            return skip("its network cannot yet tell other people's swaps from real faces");
        }
        if self.moments.is_empty() {
            return skip("the face is never seen well");
        }
        Ok(Measurement::of_moments(
            CueKind::Blending,
            MEASURES,
            self.moments,
        ))
    }
}
