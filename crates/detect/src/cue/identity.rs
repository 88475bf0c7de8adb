//! Identity drift: within one track a face stays the same person's.
//!
//! A swap that fails for a while, or a face that a generator redraws as it goes, moves in the
//! identity network's space more than lights and poses move a real one (the idea of Huang et al.,
//! "Implicit identity driven deepfake face swapping detection", CVPR 2023, turned on time). Each
//! second's mean is compared with the track's.

use effigy_face::Observation;
use effigy_face::align::identity_crop;
use effigy_model::Identity;

use crate::cue::interface::{Cadence, Context, Cue, Facts, Models};
use crate::kind::CueKind;
use crate::measurement::{self, Measure, Measurement, Skipped};

/// What is measured, in this order.
pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "drift",
        high: "At times the face looks like someone else's",
        usual: "The face stays the same person's",
    },
    Measure {
        name: "flicker",
        high: "Who the face looks like changes from one moment to the next",
        usual: "Who the face looks like stays steady from one moment to the next",
    },
];

/// Who the face looked like so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drift {
    looks: Vec<(f64, Identity)>,
    is_left_out: bool,
}

/// Looks kept at most: of longer tracks every other is dropped again and again.
const MOST_LOOKS: usize = 1024;
/// Looks needed: fewer say nothing of drift.
const LEAST_LOOKS: usize = 6;
/// Looks averaged into one mean, about a second.
const TOGETHER: usize = 3;

impl Cue for Drift {
    fn kind(&self) -> CueKind {
        CueKind::Identity
    }

    fn measures(&self) -> &'static [Measure] {
        MEASURES
    }

    fn cadence(&self) -> Cadence {
        Cadence::CloseLooks
    }

    fn look(&mut self, face: &Observation<'_>, models: &Models) -> Option<Vec<f32>> {
        let Some(face_embedder) = &models.face_embedder else {
            self.is_left_out = true;
            return None;
        };
        let crop = identity_crop(&face.frame.picture, face.points)?;
        if let Some(identity) = face_embedder.embed(&[crop]).pop() {
            self.looks.push((face.time_secs(), identity));
        }
        if MOST_LOOKS < self.looks.len() {
            let mut keep = false;
            self.looks.retain(|_| {
                keep = !keep;
                keep
            });
        }
        None
    }

    fn add_facts(&self, facts: &mut Facts) {
        facts.identity = self.mean();
    }

    fn finish(self: Box<Self>, _context: &Context<'_>) -> measurement::Result {
        if self.is_left_out {
            return Err(Skipped::new(
                CueKind::Identity,
                "this version does not know how much it says",
            ));
        }
        let mean = self.mean().filter(|_| LEAST_LOOKS <= self.looks.len());
        let Some(mean) = mean else {
            return Err(Skipped::new(
                CueKind::Identity,
                "the face is not seen well for long enough, two seconds",
            ));
        };
        let mut moments = Vec::new();
        for together in self.looks.chunks(TOGETHER) {
            let here = Identity::mean(together.iter().map(|(_, identity)| identity));
            let (Some(here), Some((time, _))) = (here, together.first()) else {
                continue;
            };
            let steps = together.windows(2);
            let flicker: f32 = steps.map(|w| 1.0 - w[0].1.similarity(&w[1].1)).sum();
            let n_steps = (together.len() - 1).max(1) as f32;
            moments.push((*time, vec![1.0 - here.similarity(&mean), flicker / n_steps]));
        }
        let mut measurement = Measurement::of_moments(CueKind::Identity, MEASURES, moments);
        // Someone else's face for a tenth of the time is enough, and the median would not see it.
        let mut drifts: Vec<f32> = measurement.moments.iter().map(|(_, v)| v[0]).collect();
        drifts.sort_by(f32::total_cmp);
        measurement.overall[0] = drifts[(drifts.len() * 9 / 10).min(drifts.len() - 1)];
        Ok(measurement)
    }
}

impl Drift {
    /// Who it was on the whole; `None` when it was never seen well.
    fn mean(&self) -> Option<Identity> {
        Identity::mean(self.looks.iter().map(|(_, identity)| identity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cue::interface::testing::finished;

    fn along(axis: usize) -> Identity {
        let mut values = [0.02; 128];
        values[axis] = 1.0;
        Identity::from_values(values).unwrap()
    }

    fn drift(axes: &[usize]) -> measurement::Result {
        let looks = axes.iter().enumerate();
        let looks = looks
            .map(|(i, &axis)| (i as f64 / 3.0, along(axis)))
            .collect();
        finished(Drift {
            looks,
            is_left_out: false,
        })
    }

    #[test]
    fn another_face_for_a_while_is_drift_and_the_same_face_is_not() {
        let steady = drift(&[0; 30]).unwrap();
        assert!(steady.overall[0].abs() < 1e-5);
        let mut axes = [0; 30];
        axes[12..18].fill(1);
        let changed = drift(&axes).unwrap();
        assert!(changed.overall[0] > 0.3, "{:?}", changed.overall);
    }

    #[test]
    fn without_a_network_the_cue_says_why_it_does_not_judge() {
        let left_out = Drift {
            is_left_out: true,
            ..Drift::default()
        };
        let skipped = finished(left_out).unwrap_err();
        assert!(skipped.why.contains("does not know"), "{skipped:?}");
    }

    #[test]
    fn a_face_seen_shortly_is_not_judged() {
        assert_eq!(drift(&[0; 3]).unwrap_err().cue, CueKind::Identity);
    }
}
