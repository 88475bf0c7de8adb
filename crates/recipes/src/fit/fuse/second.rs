//! The second layer: from the cues' scores to a probability, and where the verdicts begin.

use effigy_detect::calibration::{Calibration, CueCalibration};

use super::fit::fit_towards;
use super::{ClipMeasures, Truth, examples, is_judged, probability};

/// A cue counts from this area under the curve on, on the half of the groups that it was not fitted
/// to, either way round. Those that do not reach it are told.
const LEAST_WORTH: f64 = 0.55;
/// Pulls weights towards those of the best single cue alone: there are a few hundred clips.
const RIDGE: f32 = 0.1;
/// Real footage that never shows signs is not proof that none will: signs begin so far above the
/// highest probability that any has.
const MARGIN: f32 = 0.01;
/// Share of fakes that may be said to show no signs.
const MOST_MISSED: f32 = 0.1;
/// No signs are claimed up to this probability at most.
const MOST_FOR_NO_SIGNS: f32 = 0.4;
/// Signs are claimed from this probability on at least.
const LEAST_FOR_SIGNS: f32 = 0.7;
/// And at most.
const MOST_FOR_SIGNS: f32 = 0.99;

/// Fits the weights of the cues, of which each has shown its worth, and sets where the verdicts begin.
pub(super) fn fuse(
    mut cues: Vec<CueCalibration>,
    worth: &[f64],
    readings: &[&ClipMeasures],
) -> Calibration {
    let counts: Vec<bool> = worth.iter().map(|worth| LEAST_WORTH <= *worth).collect();
    let best = (0..cues.len()).max_by(|&a, &b| worth[a].total_cmp(&worth[b]));
    let alone = |k: usize| f32::from(u8::from(Some(k) == best && counts[k]));
    let prior: Vec<f32> = (0..cues.len()).map(alone).collect();
    let logits = |r: &ClipMeasures| -> Vec<f32> {
        let known = cues.iter().zip(&counts);
        let logit = |(known, counts): (&CueCalibration, &bool)| {
            let values = r.measures.get(&known.name).filter(|_| *counts);
            values.map_or(0.0, |values| known.logit(values))
        };
        known.map(logit).collect()
    };
    let judged: Vec<&ClipMeasures> = readings.iter().filter(|r| is_judged(r)).copied().collect();
    let fitted = fit_towards(&examples(&judged, &logits), RIDGE, &prior);
    let bias = fitted.as_ref().map_or(0.0, |f| f.bias);
    let weights = fitted.into_iter().flat_map(|fitted| fitted.weights);
    for ((known, weight), counts) in cues.iter_mut().zip(weights).zip(&counts) {
        known.weight = if *counts { weight } else { 0.0 };
    }
    let mut calibration = Calibration {
        prevalence: 0.5,
        signs_from: 1.0,
        no_signs_to: 0.5,
        bias,
        made_from: "clips of ../shared/data: dfl-pairs, fakes-many and fakes-dev against their \
                    originals and real footage, video, people"
            .to_owned(),
        cue: cues,
    };
    let sorted = |is_real: bool| {
        let chosen = readings
            .iter()
            .filter(|r| (r.truth == Truth::Real) == is_real);
        let found = chosen.filter_map(|r| probability(&calibration, r));
        let mut found: Vec<f32> = found.collect();
        found.sort_by(f32::total_cmp);
        found
    };
    let (real, fakes) = (sorted(true), sorted(false));
    let missed = (fakes.len() as f32 * MOST_MISSED) as usize;
    let signs_from = real.last().map_or(1.0, |highest| highest + MARGIN);
    let no_signs_to = fakes.get(missed).copied().unwrap_or(0.0);
    calibration.signs_from = signs_from.clamp(LEAST_FOR_SIGNS, MOST_FOR_SIGNS);
    calibration.no_signs_to = no_signs_to.min(MOST_FOR_NO_SIGNS);
    calibration
}
