//! What phones look like on lips, over time.

use std::ops::Range;

use effigy_model::PhoneScorer;
use effigy_model::spoken_face::{N_TAPS, N_VISEMES, TAP_SECS, Visemes, visemes};

use crate::phones::{FIRST_SECS, MOMENT_SECS, Utterance};
use crate::stretch::Stretch;

/// The visemes of a part of what was said.
#[derive(Clone, Debug)]
pub struct SpokenVisemes {
    /// The first moment of the part.
    first: usize,
    sharp: Vec<Visemes>,
    /// Each moment averaged with those beside it.
    soft: Vec<Visemes>,
}

/// A viseme is there when it is likelier than everything else together.
const LEAST_SHARE: f32 = 0.5;
/// Phones begin and end within some moments: shares are averaged with these weights.
const SOFT: [f32; 5] = [0.1, 0.2, 0.4, 0.2, 0.1];

impl SpokenVisemes {
    /// Works out a part.
    pub fn of(utterance: &Utterance, scorer: &PhoneScorer, part: Range<usize>) -> Self {
        let first = part.start;
        let phones = utterance.phones(scorer, part);
        let sharp: Vec<Visemes> = phones.iter().map(visemes).collect();
        Self {
            first,
            soft: soft(&sharp),
            sharp,
        }
    }

    /// Which moments these are.
    pub fn part(&self) -> Range<usize> {
        self.first..self.first + self.sharp.len()
    }

    /// Gives the visemes around a time, as [`effigy_model::SpokenFace::shapes`] takes them. Beyond the part are its
    /// first and last.
    pub fn around(&self, secs: f64) -> [Visemes; N_TAPS] {
        std::array::from_fn(|tap| {
            let by = (tap as f64 - (N_TAPS / 2) as f64) * TAP_SECS;
            self.at(secs + by)
        })
    }

    /// Gives when a viseme is there, from the middle of the first moment to that of the last.
    pub fn when(&self, viseme: usize) -> Vec<Stretch> {
        let is_there = |moment: &usize| LEAST_SHARE <= self.sharp[*moment][viseme];
        let moments: Vec<usize> = (0..self.sharp.len()).filter(is_there).collect();
        let runs = moments.chunk_by(|a, b| a + 1 == *b);
        let secs = |moment: usize| FIRST_SECS + (self.first + moment) as f64 * MOMENT_SECS;
        let stretch = |run: &[usize]| Stretch {
            from_secs: secs(run[0]),
            to_secs: secs(run[run.len() - 1]),
        };
        runs.map(stretch).collect()
    }

    fn at(&self, secs: f64) -> Visemes {
        let last = self.soft.len().saturating_sub(1) as f64;
        let at = (secs - FIRST_SECS) / MOMENT_SECS - self.first as f64;
        let at = at.clamp(0.0, last);
        let (before, share) = (at as usize, at.fract() as f32);
        let Some(a) = self.soft.get(before) else {
            return std::array::from_fn(|viseme| if viseme == 0 { 1.0 } else { 0.0 });
        };
        let b = self.soft.get(before + 1).unwrap_or(a);
        std::array::from_fn(|v| a[v] + share * (b[v] - a[v]))
    }
}

fn soft(sharp: &[Visemes]) -> Vec<Visemes> {
    let last = sharp.len().saturating_sub(1);
    let moment = |moment: usize| -> Visemes {
        let mut sum = [0.0; N_VISEMES];
        for (k, weight) in SOFT.iter().enumerate() {
            let near = (moment + k).saturating_sub(SOFT.len() / 2).min(last);
            for (sum, share) in sum.iter_mut().zip(&sharp[near]) {
                *sum += weight * share;
            }
        }
        sum
    };
    (0..sharp.len()).map(moment).collect()
}
