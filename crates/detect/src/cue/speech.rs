//! Mouth and sound: lips open when there is speech.
//!
//! The opening of the lips is compared with the loudness of the sound; where the two belong
//! together they rise and fall together within a sixth of a second (the observation that Chung
//! and Zisserman, "Out of time: automated lip sync in the wild", ACCV 2016 workshops, learn from).
//! A dubbed real clip is no manipulated face, so this is noted and does not count in the verdict.

use effigy_face::Observation;
use effigy_face::landmarks::mouth_openness;

use crate::cue::interface::{Cadence, Context, Cue, Models};
use crate::kind::CueKind;
use crate::measurement::{self, Measure, Measurement, Skipped};
use crate::signal::series::{MOST_FRAMES, smoothed};
use crate::sound::{LEVELS_PER_SEC, Sound};

/// What is measured, in this order.
pub(crate) const MEASURES: &[Measure] = &[Measure {
    name: "out-of-step",
    high: "The lips do not open and close with the sound",
    usual: "The lips open and close with the sound",
}];

/// How the lips moved so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Speech {
    /// Time and opening, in distances between the outer eye corners.
    openings: Vec<(f64, f32)>,
}

/// Seconds of lips that are needed.
const LEAST_SECS: f64 = 2.5;
/// Turned further, the lips hide one another.
const MOST_YAW: f32 = 45.0;
/// Slower changes than this are posture and not speech.
const SLOW_SECS: f64 = 0.8;
/// Sound and lips this far apart still belong together: what a broadcast allows.
const MOST_LAG_STEPS: i32 = 4;
const LAG_STEP_SECS: f64 = 0.04;

impl Cue for Speech {
    fn kind(&self) -> CueKind {
        CueKind::Speech
    }

    fn measures(&self) -> &'static [Measure] {
        MEASURES
    }

    fn cadence(&self) -> Cadence {
        Cadence::EveryFrame
    }

    fn look(&mut self, face: &Observation<'_>, _models: &Models) -> Option<Vec<f32>> {
        if MOST_YAW < face.pose().yaw.abs() || MOST_FRAMES <= self.openings.len() {
            return None;
        }
        let opening = mouth_openness(face.points);
        self.openings.push((face.time_secs(), opening));
        None
    }

    fn finish(self: Box<Self>, context: &Context<'_>) -> measurement::Result {
        let refuse = |why: &str| Err(Skipped::new(CueKind::Speech, why));
        let levels = match context.sound {
            Sound::Levels(levels) => levels,
            Sound::Unusable(why) => return refuse(why),
        };
        let span = |o: &[(f64, f32)]| Some(o.last()?.0 - o.first()?.0);
        let secs = span(&self.openings).unwrap_or(0.0);
        if secs < LEAST_SECS {
            return refuse("the mouth is not seen for long enough, three seconds");
        }
        let rate = self.openings.len() as f64 / secs;
        let slow = (SLOW_SECS * rate).round().max(1.0) as usize;
        let lips: Vec<f32> = self.openings.iter().map(|(_, opening)| *opening).collect();
        let lips = quick_part(&lips, slow);
        let best = (-MOST_LAG_STEPS..=MOST_LAG_STEPS)
            .map(|step| self.fit(levels, &lips, slow, f64::from(step) * LAG_STEP_SECS))
            .fold(-1.0, f32::max);
        Ok(Measurement {
            cue: CueKind::Speech,
            measures: MEASURES,
            overall: vec![1.0 - best],
            moments: Vec::new(),
        })
    }
}

impl Speech {
    /// The correlation of lips and loudness when the sound is `lag_secs` late.
    fn fit(&self, levels: &[f32], lips: &[f32], slow: usize, lag_secs: f64) -> f32 {
        let level_at = |time: f64| {
            let at = (time + lag_secs) * f64::from(LEVELS_PER_SEC);
            let last = levels.len().saturating_sub(1);
            levels[(at.max(0.0) as usize).min(last)]
        };
        let loud: Vec<f32> = self
            .openings
            .iter()
            .map(|(time, _)| level_at(*time))
            .collect();
        let loud = quick_part(&loud, slow);
        let product: f32 = loud.iter().zip(lips).map(|(a, b)| a * b).sum();
        let square = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>();
        product / (square(&loud) * square(lips)).sqrt().max(1e-9)
    }
}

/// What is left of a series without its slow changes.
fn quick_part(values: &[f32], slow: usize) -> Vec<f32> {
    let soft = smoothed(values, slow);
    values.iter().zip(soft).map(|(v, s)| v - s).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: u32 = 8000;

    /// Whether a person speaks: syllables of uneven length.
    fn speaks(secs: f64) -> bool {
        (secs * 7.3).sin() + (secs * 3.1).sin() > 0.3
    }

    fn sound() -> Sound {
        let sample = |i: u32| {
            let secs = f64::from(i) / f64::from(RATE_HZ);
            let tone = (secs * 1300.0).sin() as f32;
            if speaks(secs) {
                0.3 * tone
            } else {
                0.003 * tone
            }
        };
        let samples: Vec<f32> = (0..8 * RATE_HZ).map(sample).collect();
        Sound::of_samples(&samples, RATE_HZ)
    }

    fn heard(lips: Speech, sound: &Sound) -> measurement::Result {
        Box::new(lips).finish(&Context { sound })
    }

    fn lips(late_secs: f64, secs: f64) -> Speech {
        let frame = |i: i32| {
            let time = f64::from(i) / 25.0;
            (time, if speaks(time - late_secs) { 0.2 } else { 0.02 })
        };
        Speech {
            openings: (0..(secs * 25.0) as i32).map(frame).collect(),
        }
    }

    #[test]
    fn lips_that_follow_the_sound_are_in_step_and_late_ones_are_not() {
        let step = |late| heard(lips(late, 8.0), &sound()).unwrap().overall[0];
        assert!(step(0.0) < 0.3, "{}", step(0.0));
        assert!(step(0.1) < 0.3, "a broadcast's lag: {}", step(0.1));
        assert!(0.6 < step(1.0), "{}", step(1.0));
    }

    #[test]
    fn silence_and_short_clips_are_not_judged() {
        let silent = Sound::of_samples(&vec![0.0; 16_000], RATE_HZ);
        let refused = heard(lips(0.0, 8.0), &silent).unwrap_err();
        assert!(refused.why.contains("silent"), "{}", refused.why);
        assert!(heard(lips(0.0, 1.0), &sound()).is_err());
    }
}
