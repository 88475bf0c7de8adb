//! From what the cues took of one face to a verdict.

use crate::calibration::{Calibration, sigmoid};
use crate::finding::{Cue, Evidence, Finding, Moment, Span};
use crate::reading::{Reading, Taken};
use crate::report::Verdict;

/// A verdict on one face, with all that led to it.
#[derive(Clone, Debug)]
pub struct Fused {
    /// All in all.
    pub verdict: Verdict,
    /// Probability of being manipulated; `None` when not judged.
    pub probability: Option<f32>,
    /// The probability over time.
    pub timeline: Vec<Moment>,
    /// What each cue says, in the order of [`Cue::ALL`].
    pub findings: Vec<Finding>,
    /// Sentences of the cues that speak loudest for the verdict, the loudest first.
    pub reasons: Vec<String>,
}

/// The cue that looks at what a face is made of. Without it a face is not judged: that it moves
/// and talks as usual says too little.
pub(crate) const ESSENTIAL: Cue = Cue::Noise;

/// Weighs what was taken of one face.
pub fn fuse(taken: &[Taken], calibration: &Calibration) -> Fused {
    let mut findings: Vec<Finding> = taken.iter().map(|t| finding(t, calibration)).collect();
    findings.sort_by_key(|finding| finding.cue);
    let counted: Vec<Counted<'_>> = taken
        .iter()
        .flatten()
        .filter_map(|reading| Counted::of(reading, calibration))
        .collect();
    if counted.iter().all(|c| c.reading.cue != ESSENTIAL) {
        return Fused {
            verdict: Verdict::NotJudged,
            probability: None,
            timeline: Vec::new(),
            findings,
            reasons: Vec::new(),
        };
    }
    let logits = counted.iter().map(|c| (c.name, c.logit));
    let probability = calibration.probability(logits);
    let verdict = verdict(probability, calibration);
    Fused {
        verdict,
        probability: Some(probability),
        timeline: timeline(&counted, calibration),
        reasons: reasons(verdict, counted, &findings),
        findings,
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

/// A reading that counts, with its logit.
struct Counted<'a> {
    reading: &'a Reading,
    name: &'static str,
    logit: f32,
    /// How far it moves the probability's logit.
    pull: f32,
    /// By second.
    seconds: Vec<(i64, f32)>,
}

impl<'a> Counted<'a> {
    fn of(reading: &'a Reading, calibration: &Calibration) -> Option<Self> {
        let known = calibration.of(reading)?;
        let logit = known.logit(&reading.overall);
        // What has no weight is told by its finding, and is no reason for anything.
        (0.0 < known.weight).then(|| Self {
            reading,
            name: reading.cue.name(),
            logit,
            pull: known.weight * logit,
            seconds: by_second(reading, |values| known.logit(values)),
        })
    }
}

/// Means of the moments' logits over each second that has any.
fn by_second(reading: &Reading, logit: impl Fn(&[f32]) -> f32) -> Vec<(i64, f32)> {
    let mut seconds: Vec<(i64, f32, u32)> = Vec::new();
    for (time, values) in &reading.moments {
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
fn timeline(counted: &[Counted<'_>], calibration: &Calibration) -> Vec<Moment> {
    let mut seconds: Vec<i64> = counted
        .iter()
        .flat_map(|c| c.seconds.iter().map(|(second, _)| *second))
        .collect();
    seconds.sort_unstable();
    seconds.dedup();
    let at = |second: i64| {
        let logits = counted.iter().map(|c| {
            let here = c.seconds.binary_search_by_key(&second, |(s, _)| *s);
            (c.name, here.map_or(c.logit, |i| c.seconds[i].1))
        });
        Moment {
            time_secs: second as f64,
            score: calibration.probability(logits),
        }
    };
    seconds.into_iter().map(at).collect()
}

/// What to tell first: the cues that pull towards the verdict.
fn reasons(verdict: Verdict, mut counted: Vec<Counted<'_>>, findings: &[Finding]) -> Vec<String> {
    counted.sort_by(|a, b| b.pull.total_cmp(&a.pull));
    if verdict == Verdict::NoSigns {
        counted.reverse();
    }
    let wanted = |c: &&Counted<'_>| match verdict {
        Verdict::Signs => 0.0 < c.pull,
        Verdict::NoSigns => c.pull < 0.0,
        Verdict::Inconclusive | Verdict::NotJudged => true,
    };
    let sentence = |c: &Counted<'_>| {
        let finding = findings.iter().find(|f| f.cue == c.reading.cue)?;
        match &finding.outcome {
            crate::finding::Outcome::Judged(evidence) => Some(evidence.sentence.clone()),
            crate::finding::Outcome::NotJudged(_) => None,
        }
    };
    counted.iter().filter(wanted).filter_map(sentence).collect()
}

/// Says what one cue took.
pub fn finding(taken: &Taken, calibration: &Calibration) -> Finding {
    let reading = match taken {
        Ok(reading) => reading,
        Err(not) => return Finding::not_judged(not.cue, &not.why),
    };
    let Some(known) = calibration.of(reading) else {
        return Finding::not_judged(reading.cue, "this version is not calibrated for it");
    };
    let score = sigmoid(known.logit(&reading.overall));
    // A low score is told by what speaks for the face, even where something else is odd.
    let told = if 0.5 <= score {
        known.loudest(&reading.overall)
    } else {
        known.quietest(&reading.overall)
    };
    let (measure, value) = (reading.measures[told], reading.overall[told]);
    let calibrated = &known.measure[told];
    let words = if CLEARLY_ABOVE <= known.deviations(&reading.overall, told) {
        measure.high
    } else {
        measure.usual
    };
    let sentence = format!(
        "{words} ({} {value:.2}, real faces {:.2} ± {:.2}).",
        measure.name, calibrated.usual, calibrated.deviation
    );
    let moments = reading.moments.iter();
    let timeline: Vec<Moment> = moments
        .map(|(time_secs, values)| Moment {
            time_secs: *time_secs,
            score: sigmoid(known.logit(values)),
        })
        .collect();
    Finding::judged(
        reading.cue,
        Evidence {
            score,
            sentence,
            when: spans(&timeline),
            timeline,
            places: Vec::new(),
        },
    )
}

/// Deviations above real faces from which a measure is called high.
const CLEARLY_ABOVE: f32 = 1.0;

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
    use crate::finding::Outcome;
    use crate::reading::NotTaken;

    fn calibration() -> Calibration {
        let measure = |m: &crate::reading::Measure| MeasureCalibration {
            name: m.name.to_owned(),
            usual: 0.0,
            deviation: 1.0,
            weight: 1.0,
        };
        of_noise(noise::MEASURES.iter().map(measure).collect())
    }

    fn noise(value: f32) -> Taken {
        let moments = (0..6).map(|i| (f64::from(i) / 2.0, vec![value, 0.0, 0.0, 0.0]));
        let moments = moments.collect();
        Ok(Reading::of_moments(Cue::Noise, noise::MEASURES, moments))
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
        let Outcome::Judged(evidence) = &fused.findings[0].outcome else {
            panic!("the cue judged");
        };
        let whole = Span {
            from_secs: 0.0,
            to_secs: 2.5,
        };
        assert_eq!(evidence.when, [whole]);
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
            let reading = Reading::of_moments(Cue::Noise, noise::MEASURES, moments);
            let Outcome::Judged(evidence) = finding(&Ok(reading), &calibration()).outcome else {
                panic!("the cue judged");
            };
            evidence.sentence
        };
        // Odd colour, but everything else speaks so strongly for the face that the score is low.
        let low = said([-3.0, -2.0, 2.5, -2.0]);
        assert!(low.starts_with("The edge of the face is as sharp"), "{low}");
        let high = said([0.0, 0.0, 3.0, 0.0]);
        assert!(high.starts_with("The skin lacks the colour"), "{high}");
    }

    #[test]
    fn a_cue_without_weight_is_told_and_gives_no_reason() {
        let mut calibration = calibration();
        calibration.cue.push(crate::calibration::CueCalibration {
            name: "identity".to_owned(),
            weight: 0.0,
            bias: 0.0,
            network_sha256: None,
            measure: crate::cue::measures(Cue::Identity)
                .iter()
                .map(|m| MeasureCalibration {
                    name: m.name.to_owned(),
                    usual: 0.0,
                    deviation: 1.0,
                    weight: 1.0,
                })
                .collect(),
        });
        let moments = vec![(0.0, vec![3.0; 2])];
        let drift =
            Reading::of_moments(Cue::Identity, crate::cue::measures(Cue::Identity), moments);
        let fused = fuse(&[noise(1.5), Ok(drift)], &calibration);
        assert_eq!((fused.reasons.len(), fused.findings.len()), (1, 2));
        assert!(fused.findings.iter().all(|f| f.score().is_some()));
    }

    #[test]
    fn a_face_without_its_pixels_is_not_judged() {
        let why = NotTaken::new(Cue::Noise, "the face is too small");
        let fused = fuse(&[Err(why)], &calibration());
        assert_eq!(
            (fused.verdict, fused.probability),
            (Verdict::NotJudged, None)
        );
        assert!(
            matches!(&fused.findings[0].outcome, Outcome::NotJudged(why) if why.contains("small"))
        );
    }
}
