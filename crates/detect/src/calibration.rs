//! From numbers to scores to a probability: two layers of logistic regression, small enough to
//! read.
//!
//! A cue's score is `sigmoid(bias + Σ weight · z)`, where `z` says by how many standard deviations
//! a measure is above the mean of real faces. The probability is `sigmoid(bias + Σ weight · logit(score))`
//! over the cues that could judge; a cue that could not adds nothing. No weight is negative: more
//! suspicion never lowers the probability. The numbers stand in `weights/fuse.toml`, made by
//! `recipes fuse`.

use effigy_model::Weights;
use serde::{Deserialize, Serialize};

use crate::kind::CueKind;
use crate::measurement::Measurement;

/// The weights of this version.
pub const FUSE: &str = include_str!("../weights/fuse.toml");

/// Everything that was calibrated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The share of manipulated faces that probabilities assume.
    pub prevalence: f32,
    /// From this probability on: signs of manipulation.
    pub signs_from: f32,
    /// Up to this probability: no signs.
    pub no_signs_to: f32,
    /// Added before the cues.
    pub bias: f32,
    /// What it was made from.
    pub made_from: String,
    /// The cues that count.
    pub cue: Vec<CueCalibration>,
}

/// How one cue's numbers become its score, and how much that counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CueCalibration {
    /// The cue's name.
    pub name: String,
    /// Of its logit in the probability.
    pub weight: f32,
    /// Added before the measures.
    pub bias: f32,
    /// SHA-256 of the weights of the network that it asks, if it asks one: other weights give
    /// other numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_sha256: Option<String>,
    /// How its measures make one score.
    #[serde(default)]
    pub takes: Takes,
    /// In the cue's order.
    pub measure: Vec<MeasureCalibration>,
}

/// How measures make one score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Takes {
    /// Each adds to it.
    #[default]
    Sum,
    /// The one that speaks loudest is it: what one maker leaves says nothing of another.
    Loudest,
}

/// How a measure is distributed over real faces, and how much it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasureCalibration {
    /// The measure's name.
    pub name: String,
    /// Mean of real faces.
    pub mean: f32,
    /// Standard deviation of real faces.
    pub std: f32,
    /// Of its z-score in the cue's score.
    pub weight: f32,
}

impl Calibration {
    /// The calibration of this version, without cues whose network has other `weights` by now.
    pub fn built_in(weights: &Weights) -> Self {
        let read: Result<Self, _> = toml::from_str(FUSE);
        let Ok(mut read) = read else {
            unreachable!("the calibration inside the program is damaged")
        };
        let hashes = weights.hashes();
        let is_inside = |sha256: &String| hashes.iter().any(|(_, inside)| inside == sha256);
        read.cue
            .retain(|known| known.network_sha256.as_ref().is_none_or(is_inside));
        read
    }

    /// What is known of `cue`.
    pub fn cue(&self, cue: CueKind) -> Option<&CueCalibration> {
        self.cue.iter().find(|known| known.name == cue.name())
    }

    /// How the measures of `measurement` become a score. `None` when they are not what was
    /// calibrated.
    pub(crate) fn of(&self, measurement: &Measurement) -> Option<&CueCalibration> {
        let known = self.cue(measurement.cue)?;
        let names = known.measure.iter().map(|m| m.name.as_str());
        names
            .eq(measurement.measures.iter().map(|m| m.name))
            .then_some(known)
    }

    /// Whether the verdict depends on `cue`.
    pub fn counts(&self, cue: CueKind) -> bool {
        self.cue(cue).is_some_and(|known| 0.0 < known.weight)
    }

    /// The probability from each judging cue's logit.
    pub fn probability<'a>(&self, logits: impl IntoIterator<Item = (&'a str, f32)>) -> f32 {
        let weight = |name: &str| {
            let known = self.cue.iter().find(|known| known.name == name);
            known.map_or(0.0, |known| known.weight)
        };
        let sum: f32 = logits.into_iter().map(|(n, logit)| weight(n) * logit).sum();
        sigmoid(self.bias + sum)
    }
}

impl CueCalibration {
    /// The score's logit, within what a few dozen clips can support.
    pub fn logit(&self, values: &[f32]) -> f32 {
        let pulls = (0..self.measure.len().min(values.len())).map(|k| self.pull(values, k));
        let taken = match self.takes {
            Takes::Sum => pulls.sum(),
            Takes::Loudest => pulls.reduce(f32::max).unwrap_or(0.0),
        };
        (self.bias + taken).clamp(-MOST_LOGIT, MOST_LOGIT)
    }

    /// What measure `k` adds to the logit.
    fn pull(&self, values: &[f32], k: usize) -> f32 {
        let known = &self.measure[k];
        known.weight
            * self
                .z_score(values, k)
                .clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS)
    }

    /// By how many standard deviations of real faces measure `k` is above their mean.
    pub fn z_score(&self, values: &[f32], k: usize) -> f32 {
        let known = &self.measure[k];
        (values[k] - known.mean) / known.std.max(1e-6)
    }

    /// Which measure speaks loudest for manipulation.
    pub(crate) fn loudest(&self, values: &[f32]) -> usize {
        (0..self.measure.len().min(values.len()))
            .max_by(|&a, &b| self.pull(values, a).total_cmp(&self.pull(values, b)))
            .unwrap_or(0)
    }

    /// Which measure speaks loudest against manipulation.
    pub(crate) fn quietest(&self, values: &[f32]) -> usize {
        (0..self.measure.len().min(values.len()))
            .min_by(|&a, &b| self.pull(values, a).total_cmp(&self.pull(values, b)))
            .unwrap_or(0)
    }
}

/// A cue alone is never surer than 98 %.
const MOST_LOGIT: f32 = 4.0;
/// A measure further out says no more.
const MOST_DEVIATIONS: f32 = 4.0;

/// Turns a logit into a probability.
pub fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// A calibration of the cue *noise* alone, for tests.
#[cfg(test)]
pub(crate) fn of_noise(measure: Vec<MeasureCalibration>) -> Calibration {
    Calibration {
        prevalence: 0.5,
        signs_from: 0.8,
        no_signs_to: 0.4,
        bias: 0.0,
        made_from: String::new(),
        cue: vec![CueCalibration {
            name: "noise".to_owned(),
            weight: 1.0,
            bias: -1.0,
            network_sha256: None,
            takes: Takes::Sum,
            measure,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_cue() -> Calibration {
        of_noise(vec![MeasureCalibration {
            name: "a".to_owned(),
            mean: 2.0,
            std: 0.5,
            weight: 1.0,
        }])
    }

    #[test]
    fn two_deviations_above_the_mean_raise_the_score() {
        let cue = &one_cue().cue[0];
        assert!((cue.logit(&[2.0]) + 1.0).abs() < 1e-6);
        assert!((cue.logit(&[3.0]) - 1.0).abs() < 1e-6);
        assert!((cue.logit(&[1e9]) - 3.0).abs() < 1e-6, "bounded");
    }

    #[test]
    fn where_the_loudest_decides_the_others_change_nothing() {
        let mut cue = one_cue().cue.remove(0);
        cue.measure.push(cue.measure[0].clone());
        cue.takes = Takes::Loudest;
        let alone = cue.logit(&[3.0, 0.0]);
        assert!((alone - 1.0).abs() < 1e-6);
        assert!((cue.logit(&[3.0, 2.9]) - alone).abs() < 1e-6);
        assert!((cue.logit(&[0.0, 3.0]) - alone).abs() < 1e-6);
        assert_eq!((cue.loudest(&[3.0, 0.0]), cue.loudest(&[0.0, 3.0])), (0, 1));
    }

    #[test]
    fn a_cue_that_did_not_judge_adds_nothing() {
        let calibration = one_cue();
        assert!((calibration.probability([]) - 0.5).abs() < 1e-6);
        assert!(calibration.probability([("noise", 2.0)]) > 0.8);
        assert!((calibration.probability([("unheard-of", 2.0)]) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn the_committed_weights_fit_the_cues_and_none_is_negative() {
        let committed = Calibration::built_in(&Weights::from_source_tree().unwrap());
        assert!(committed.no_signs_to < committed.signs_from);
        for known in &committed.cue {
            let cue = CueKind::ALL.iter().find(|cue| cue.name() == known.name);
            let measures = crate::observe::measures(*cue.unwrap());
            let names: Vec<&str> = known.measure.iter().map(|m| m.name.as_str()).collect();
            let wanted: Vec<&str> = measures.iter().map(|m| m.name).collect();
            assert_eq!(names, wanted, "{}", known.name);
            let weights = known.measure.iter().map(|m| m.weight);
            assert!(weights.chain([known.weight]).all(|w| 0.0 <= w));
            assert!(known.measure.iter().all(|m| 0.0 < m.std));
        }
    }
}
