//! Mouth and sound: lips open when there is speech.
//!
//! The opening of the lips is laid against the loudness of the sound; where the two belong
//! together they rise and fall together within a sixth of a second (the observation that Chung
//! and Zisserman, "Out of time: automated lip sync in the wild", ACCV 2016 workshops, learn from).
//! A dubbed real clip is no manipulated face, so this is told and does not count in the verdict.

use effigy_face::Observation;
use effigy_face::landmarks::mouth_openness;

use crate::finding::Cue;
use crate::reading::{Measure, NotTaken, Reading, Taken};
use crate::series::MOST_FRAMES;

/// What is measured, in this order.
pub const MEASURES: &[Measure] = &[Measure {
    name: "out-of-step",
    high: "The lips do not open and close with the sound",
    usual: "The lips open and close with the sound",
}];

/// How loud a file's sound is over time.
#[derive(Clone, Debug, PartialEq)]
pub enum Sound {
    /// Levels from the start of the file's clock, `LEVELS_PER_SEC` a second.
    Levels(Vec<f32>),
    /// There is nothing to compare with, and why: the end of a sentence.
    Unusable(String),
}

/// Levels a second.
pub const LEVELS_PER_SEC: u32 = 100;

impl Sound {
    /// Takes the loudness of mono samples, in powers of ten.
    pub fn of_samples(samples: &[f32], rate_hz: u32) -> Self {
        let together = (rate_hz / LEVELS_PER_SEC).max(1) as usize;
        let power = |block: &[f32]| block.iter().map(|v| v * v).sum::<f32>() / block.len() as f32;
        let powers: Vec<f32> = samples.chunks(together).map(power).collect();
        let levels: Vec<f32> = smoothed(&powers, SMOOTH_LEVELS)
            .iter()
            .map(|p| (p + SILENCE).log10())
            .collect();
        let low = levels.iter().copied().fold(f32::INFINITY, f32::min);
        let high = levels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if high - low < LEAST_RANGE {
            return Self::Unusable("the sound is silent, or always as loud".to_owned());
        }
        Self::Levels(levels)
    }
}

/// Power under which there is nothing to hear.
const SILENCE: f32 = 1e-7;
/// Loudest against quietest, in powers of ten, under which nobody speaks.
const LEAST_RANGE: f32 = 1.0;
/// Levels on either side that are averaged: syllables last a fifth of a second.
const SMOOTH_LEVELS: usize = 5;

/// How the lips moved so far.
#[derive(Clone, Debug, Default)]
pub struct Speech {
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

impl Speech {
    /// Looks at one face.
    pub fn look(&mut self, face: &Observation<'_>) {
        if MOST_YAW < face.pose().yaw.abs() || MOST_FRAMES <= self.openings.len() {
            return;
        }
        let opening = mouth_openness(face.points);
        self.openings.push((face.time_secs(), opening));
    }

    /// Gives the reading.
    pub fn finish(self, sound: &Sound) -> Taken {
        let refuse = |why: &str| Err(NotTaken::new(Cue::Speech, why));
        let levels = match sound {
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
        Ok(Reading {
            cue: Cue::Speech,
            measures: MEASURES,
            overall: vec![1.0 - best],
            moments: Vec::new(),
        })
    }

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

/// Means over `reach` neighbours on either side.
fn smoothed(values: &[f32], reach: usize) -> Vec<f32> {
    let mut sums = Vec::with_capacity(values.len() + 1);
    let mut sum = 0.0_f64;
    sums.push(sum);
    for v in values {
        sum += f64::from(*v);
        sums.push(sum);
    }
    let mean = |i: usize| {
        let (from, to) = (i.saturating_sub(reach), (i + reach + 1).min(values.len()));
        ((sums[to] - sums[from]) / (to - from) as f64) as f32
    };
    (0..values.len()).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: u32 = 8000;

    /// Whether somebody speaks: syllables of uneven length.
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
        let step = |late| lips(late, 8.0).finish(&sound()).unwrap().overall[0];
        assert!(step(0.0) < 0.3, "{}", step(0.0));
        assert!(step(0.1) < 0.3, "a broadcast's lag: {}", step(0.1));
        assert!(0.6 < step(1.0), "{}", step(1.0));
    }

    #[test]
    fn silence_and_short_clips_are_not_judged() {
        let silent = Sound::of_samples(&vec![0.0; 16_000], RATE_HZ);
        let refused = lips(0.0, 8.0).finish(&silent).unwrap_err();
        assert!(refused.why.contains("silent"), "{}", refused.why);
        assert!(lips(0.0, 1.0).finish(&sound()).is_err());
    }
}
