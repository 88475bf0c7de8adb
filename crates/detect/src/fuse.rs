//! From what the cues measured in one face to a verdict.

use crate::calibration::{Calibration, CueCalibration, Takes, sigmoid};
use crate::kind::CueKind;
use crate::measurement::{self, Measurement, Moment, Span};
use crate::note::{Note, Role, thinned};
use crate::verdict::Verdict;

/// A verdict on one face, with all that led to it.
#[derive(Clone, Debug)]
pub(crate) struct Fused {
    /// All in all.
    pub(crate) verdict: Verdict,
    /// Probability of being manipulated; `None` when not judged.
    pub(crate) probability: Option<f32>,
    /// The probability over time.
    pub(crate) timeline: Vec<Moment>,
    /// What each cue says, in the order of [`CueKind::ALL`].
    pub(crate) notes: Vec<Note>,
    /// Sentences of the cues that speak loudest for the verdict, the loudest first.
    pub(crate) reasons: Vec<String>,
}

/// The cue that looks at the pixels of the face against those around it. Without it a face is not
/// judged: that it moves and talks as usual says too little.
pub(crate) const REQUIRED_CUE: CueKind = CueKind::Noise;

/// Weighs what was measured in one face.
pub(crate) fn fuse(results: &[measurement::Result], calibration: &Calibration) -> Fused {
    let mut sorted: Vec<&measurement::Result> = results.iter().collect();
    sorted.sort_by_key(|result| match result {
        Ok(measurement) => measurement.cue,
        Err(skipped) => skipped.cue,
    });
    let notes: Vec<Note> = sorted.iter().map(|r| note(r, calibration)).collect();
    let weighed: Vec<Weighed> = results
        .iter()
        .flatten()
        .filter_map(|measurement| Weighed::of(measurement, calibration))
        .collect();
    if weighed.iter().all(|w| w.cue != REQUIRED_CUE) {
        return Fused {
            verdict: Verdict::NotJudged,
            probability: None,
            timeline: Vec::new(),
            notes,
            reasons: Vec::new(),
        };
    }
    let logits = weighed.iter().map(|w| (w.cue.name(), w.logit));
    let probability = calibration.probability(logits);
    let verdict = verdict(probability, calibration);
    Fused {
        verdict,
        probability: Some(probability),
        timeline: timeline(&weighed, calibration),
        reasons: reasons(verdict, weighed, &notes),
        notes,
    }
}

fn verdict(probability: f32, calibration: &Calibration) -> Verdict {
    if calibration.signs_from <= probability {
        Verdict::Signs
    } else if probability <= calibration.no_signs_to {
        Verdict::NoSigns
    } else {
        Verdict::Inconclusive
    }
}

/// A measurement on which the verdict depends.
struct Weighed {
    cue: CueKind,
    logit: f32,
    /// How far it moves the probability's logit.
    pull: f32,
    /// Logits by second.
    seconds: Vec<(i64, f32)>,
}

impl Weighed {
    /// `None` for what is not calibrated or has no weight: it is noted, and no reason for anything.
    fn of(measurement: &Measurement, calibration: &Calibration) -> Option<Self> {
        let known = calibration.of(measurement)?;
        let logit = known.logit(&measurement.overall);
        (0.0 < known.weight).then(|| Self {
            cue: measurement.cue,
            logit,
            pull: known.weight * logit,
            seconds: by_second(measurement, |values| known.logit(values)),
        })
    }
}

/// Means of the moments' logits over each second that has any.
fn by_second(measurement: &Measurement, logit: impl Fn(&[f32]) -> f32) -> Vec<(i64, f32)> {
    let mut seconds: Vec<(i64, f32, u32)> = Vec::new();
    for (time, values) in &measurement.moments {
        let second = time.floor() as i64;
        match seconds.last_mut() {
            Some((last, sum, n)) if *last == second => {
                *sum += logit(values);
                *n += 1;
            }
            _ => seconds.push((second, logit(values), 1)),
        }
    }
    let mean = |(second, sum, n): (i64, f32, u32)| (second, sum / n as f32);
    seconds.into_iter().map(mean).collect()
}

/// The probability by second; a cue that says nothing of a second counts with its overall score.
fn timeline(weighed: &[Weighed], calibration: &Calibration) -> Vec<Moment> {
    let mut seconds: Vec<i64> = weighed
        .iter()
        .flat_map(|c| c.seconds.iter().map(|(second, _)| *second))
        .collect();
    seconds.sort_unstable();
    seconds.dedup();
    let at = |second: i64| {
        let logits = weighed.iter().map(|c| {
            let here = c.seconds.binary_search_by_key(&second, |(s, _)| *s);
            (c.cue.name(), here.map_or(c.logit, |i| c.seconds[i].1))
        });
        Moment {
            time_secs: second as f64,
            score: calibration.probability(logits),
        }
    };
    seconds.into_iter().map(at).collect()
}

/// What to tell first: the cues that pull towards the verdict.
fn reasons(verdict: Verdict, mut weighed: Vec<Weighed>, notes: &[Note]) -> Vec<String> {
    weighed.sort_by(|a, b| b.pull.total_cmp(&a.pull));
    if verdict == Verdict::NoSigns {
        weighed.reverse();
    }
    let wanted = |c: &&Weighed| match verdict {
        Verdict::Signs => 0.0 < c.pull,
        Verdict::NoSigns => c.pull < 0.0,
        Verdict::Inconclusive | Verdict::NotJudged => true,
    };
    let sentence = |c: &Weighed| {
        let note = notes.iter().find(|note| note.name == c.cue.name())?;
        Some(note.sentence.clone())
    };
    weighed.iter().filter(wanted).filter_map(sentence).collect()
}

/// Says what one cue measured.
fn note(result: &measurement::Result, calibration: &Calibration) -> Note {
    let measurement = match result {
        Ok(measurement) => measurement,
        Err(skipped) => return Note::not_judged(skipped.cue, &skipped.why),
    };
    let names = measurement.measures.iter().map(|m| m.name);
    let measures = names.zip(measurement.overall.iter().copied()).collect();
    let Some(known) = calibration.of(measurement) else {
        return Note {
            measures,
            ..Note::not_judged(measurement.cue, "this version is not calibrated for it")
        };
    };
    let role = if 0.0 < known.weight {
        Role::Counts
    } else {
        Role::Noted
    };
    let moment = |(time_secs, values): &(f64, Vec<f32>)| Moment {
        time_secs: *time_secs,
        score: sigmoid(known.logit(values)),
    };
    let timeline: Vec<Moment> = measurement.moments.iter().map(moment).collect();
    let spans = spans(&timeline).into_iter();
    Note {
        score: Some(sigmoid(known.logit(&measurement.overall))),
        when: spans.map(|s| [s.from_secs, s.to_secs]).collect(),
        timeline: thinned(&timeline),
        measures,
        ..Note::words(measurement.cue, role, sentence(measurement, known))
    }
}

/// Says what the measure means that speaks loudest.
fn sentence(measurement: &Measurement, known: &CueCalibration) -> String {
    let values = &measurement.overall;
    // A low score is explained by what speaks for the face, even where something else is odd.
    let k = if known.takes == Takes::Loudest || 0.5 <= sigmoid(known.logit(values)) {
        known.loudest(values)
    } else {
        known.quietest(values)
    };
    let (measure, calibrated) = (measurement.measures[k], &known.measure[k]);
    let clearly_above = match known.takes {
        Takes::Sum => CLEARLY_ABOVE,
        Takes::Loudest => CLEARLY_LOUDEST,
    };
    let words = if clearly_above <= known.z_score(values, k) {
        measure.high
    } else {
        measure.usual
    };
    format!(
        "{words} ({} {:.2}, real faces {:.2} ± {:.2}).",
        measure.name, values[k], calibrated.mean, calibrated.std
    )
}

/// Deviations above real faces from which a measure is called high.
const CLEARLY_ABOVE: f32 = 1.0;
/// The loudest of several lies one above real faces by chance.
const CLEARLY_LOUDEST: f32 = 2.5;

/// The stretches in which the score stays high, at most five, the longest first.
fn spans(timeline: &[Moment]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut open: Option<Span> = None;
    for moment in timeline {
        let is_high = HIGH <= moment.score;
        open = match (open, is_high) {
            (Some(span), true) => Some(Span {
                to_secs: moment.time_secs,
                ..span
            }),
            (None, true) => Some(Span {
                from_secs: moment.time_secs,
                to_secs: moment.time_secs,
            }),
            (Some(span), false) => {
                spans.push(span);
                None
            }
            (None, false) => None,
        };
    }
    spans.extend(open);
    spans.retain(|s| SHORTEST_SECS <= s.to_secs - s.from_secs);
    spans.sort_by(|a, b| (b.to_secs - b.from_secs).total_cmp(&(a.to_secs - a.from_secs)));
    spans.truncate(MOST_SPANS);
    spans
}

/// A moment's score that is worth pointing at.
const HIGH: f32 = 0.7;
const SHORTEST_SECS: f64 = 0.9;
const MOST_SPANS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::{MeasureCalibration, of_noise};
    use crate::cue::noise;
    use crate::measurement::{Measure, Skipped};
    use crate::observe::measures;

    fn calibration() -> Calibration {
        let measure = |m: &Measure| MeasureCalibration {
            name: m.name.to_owned(),
            mean: 0.0,
            std: 1.0,
            weight: 1.0,
        };
        of_noise(noise::MEASURES.iter().map(measure).collect())
    }

    fn noise(value: f32) -> measurement::Result {
        let moments = (0..6).map(|i| (f64::from(i) / 2.0, vec![value, 0.0, 0.0, 0.0]));
        let moments = moments.collect();
        Ok(Measurement::of_moments(
            CueKind::Noise,
            noise::MEASURES,
            moments,
        ))
    }

    #[test]
    fn high_values_are_signs_and_say_which_and_when() {
        let fused = fuse(&[noise(3.5)], &calibration());
        assert_eq!(fused.verdict, Verdict::Signs);
        assert!(
            fused.reasons[0].starts_with("The face is softer"),
            "{:?}",
            fused.reasons
        );
        assert_eq!(fused.notes[0].when, [[0.0, 2.5]]);
        assert_eq!(fused.timeline.len(), 3);
    }

    #[test]
    fn usual_values_are_no_signs_and_those_between_inconclusive() {
        let verdict = |value| fuse(&[noise(value)], &calibration()).verdict;
        assert_eq!(verdict(0.0), Verdict::NoSigns);
        assert_eq!(verdict(1.5), Verdict::Inconclusive);
    }

    #[test]
    fn the_sentence_never_contradicts_its_number() {
        let said = |values: [f32; 4]| {
            let moments = vec![(0.0, values.to_vec())];
            let measurement = Measurement::of_moments(CueKind::Noise, noise::MEASURES, moments);
            note(&Ok(measurement), &calibration()).sentence
        };
        // Odd colour, but everything else speaks so strongly for the face that the score is low.
        let low = said([-3.0, -2.0, 2.5, -2.0]);
        assert!(low.starts_with("The edge of the face is as sharp"), "{low}");
        let high = said([0.0, 0.0, 3.0, 0.0]);
        assert!(high.starts_with("The skin lacks the colour"), "{high}");
    }

    #[test]
    fn a_cue_without_weight_is_noted_and_gives_no_reason() {
        let mut calibration = calibration();
        calibration.cue.push(CueCalibration {
            name: "identity".to_owned(),
            weight: 0.0,
            bias: 0.0,
            network_sha256: None,
            takes: Takes::Sum,
            measure: measures(CueKind::Identity)
                .iter()
                .map(|m| MeasureCalibration {
                    name: m.name.to_owned(),
                    mean: 0.0,
                    std: 1.0,
                    weight: 1.0,
                })
                .collect(),
        });
        let moments = vec![(0.0, vec![3.0; 2])];
        let drift =
            Measurement::of_moments(CueKind::Identity, measures(CueKind::Identity), moments);
        let fused = fuse(&[noise(1.5), Ok(drift)], &calibration);
        assert_eq!((fused.reasons.len(), fused.notes.len()), (1, 2));
        assert!(fused.notes.iter().all(|note| note.score.is_some()));
    }

    #[test]
    fn a_face_without_its_pixels_is_not_judged() {
        let why = Skipped::new(CueKind::Noise, "the face is too small");
        let fused = fuse(&[Err(why)], &calibration());
        assert_eq!(
            (fused.verdict, fused.probability),
            (Verdict::NotJudged, None)
        );
        assert!(fused.notes[0].sentence.contains("small"));
    }
}
