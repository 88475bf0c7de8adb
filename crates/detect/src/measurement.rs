//! What cues measure in footage: a few numbers, each with its meaning, over time and over all.

use crate::kind::CueKind;

/// One number that a cue measures. Cues are made so that high is suspicious.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its name in the weights file.
    pub name: &'static str,
    /// What a high value says, as a sentence without its full stop.
    pub high: &'static str,
    /// What a usual value says, as a sentence without its full stop.
    pub usual: &'static str,
}

/// What one cue measured in one face.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measurement {
    /// Which cue.
    pub(crate) cue: CueKind,
    /// What the numbers are.
    pub(crate) measures: &'static [Measure],
    /// One number per measure, over all.
    pub(crate) overall: Vec<f32>,
    /// The same over time, in order; empty when there is only one time.
    pub(crate) moments: Vec<(f64, Vec<f32>)>,
}

/// A measurement, or why there is none.
pub(crate) type Result = std::result::Result<Measurement, Skipped>;

/// Why a cue could not judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// Which cue.
    pub(crate) cue: CueKind,
    /// The end of a sentence: "the clip has no sound".
    pub(crate) why: String,
}

impl Skipped {
    /// Says why `cue` could not judge.
    pub(crate) fn new(cue: CueKind, why: impl Into<String>) -> Self {
        Self {
            cue,
            why: why.into(),
        }
    }
}

impl Measurement {
    /// Sums up numbers taken at single moments: the median of each.
    ///
    /// # Panics
    /// If there are no moments.
    pub(crate) fn of_moments(
        cue: CueKind,
        measures: &'static [Measure],
        moments: Vec<(f64, Vec<f32>)>,
    ) -> Self {
        assert!(!moments.is_empty(), "a measurement needs moments");
        let column = |k: usize| moments.iter().map(|(_, values)| values[k]).collect();
        let overall = (0..measures.len()).map(|k| median(column(k))).collect();
        Self {
            cue,
            measures,
            overall,
            moments,
        }
    }
}

/// A score at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moment {
    /// When.
    pub(crate) time_secs: f64,
    /// `0..=1`
    pub(crate) score: f32,
}

/// A stretch of time, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    /// From when.
    pub(crate) from_secs: f64,
    /// Until when.
    pub(crate) to_secs: f64,
}

/// Gives the middle value, the mean of the middle two of an even number, 0 of none.
pub(crate) fn median(mut values: Vec<f32>) -> f32 {
    values.sort_by(f32::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => 0.5 * (values[n / 2 - 1] + values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEASURES: &[Measure] = &[Measure {
        name: "a",
        high: "it is high",
        usual: "it is usual",
    }];

    #[test]
    fn one_wild_moment_does_not_move_the_whole() {
        let moments = [0.2, 0.3, 9.0].map(|v| (0.0, vec![v])).to_vec();
        let measurement = Measurement::of_moments(CueKind::Noise, MEASURES, moments);
        assert_eq!(measurement.overall, [0.3]);
    }

    #[test]
    fn median_of_an_even_number_lies_between() {
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(Vec::new()), 0.0);
    }
}
