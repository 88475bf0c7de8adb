//! A bank of matched filters: each is the direction in which one kind of maker's fakes leave their
//! originals, seen against how real faces differ among themselves (Fisher's discriminant).
//!
//! `recipes traces` makes them. A filter's score is how many deviations of real clips a face lies in
//! that direction.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;

use crate::error::Result;
use crate::tensors::values;
use crate::weights::Weights;

/// The filters.
#[derive(Clone, Debug)]
pub struct TraceBank {
    n_filters: usize,
    /// `[feature][filter]`
    weights: Vec<f32>,
    biases: Vec<f32>,
}

/// The same, as it lies in the file: a layer whose weights are `[features, filters]`.
#[derive(Module, Debug)]
pub struct TraceBankFile {
    filters: Linear,
}

impl TraceBankFile {
    /// Makes a bank of `biases.len()` filters; weights are `[feature][filter]`.
    pub fn new(weights: Vec<f32>, biases: Vec<f32>, device: &Device) -> Self {
        let n_filters = biases.len();
        let n_features = weights.len() / n_filters;
        let mut file = Self::fresh(n_features, n_filters, device);
        let weights = TensorData::new(weights, [n_features, n_filters]);
        file.filters.weight = burn::module::Param::from_data(weights, device);
        let biases = TensorData::new(biases, [n_filters]);
        file.filters.bias = Some(burn::module::Param::from_data(biases, device));
        file
    }

    fn fresh(n_features: usize, n_filters: usize, device: &Device) -> Self {
        Self {
            filters: LinearConfig::new(n_features, n_filters).init(device),
        }
    }
}

impl TraceBank {
    /// Loads the bank from `weights`.
    ///
    /// # Errors
    /// When its file is missing, damaged or another bank's.
    pub fn load(
        weights: &Weights,
        n_features: usize,
        n_filters: usize,
        device: &Device,
    ) -> Result<Self> {
        let fresh = TraceBankFile::fresh(n_features, n_filters, device);
        Ok(Self::of(&weights.fill("traces", fresh)?))
    }

    /// Takes the filters out of a file.
    pub fn of(file: &TraceBankFile) -> Self {
        let biases = file.filters.bias.as_ref();
        let biases = biases.map_or_else(Vec::new, |biases| values(biases.val()));
        Self {
            n_filters: biases.len(),
            weights: values(file.filters.weight.val()),
            biases,
        }
    }

    /// Gives each filter's score of the features of a face in one frame.
    pub fn score(&self, features: &[f32]) -> Vec<f32> {
        assert_eq!(features.len() * self.n_filters, self.weights.len());
        let mut scores = self.biases.clone();
        for (feature, weights) in features
            .iter()
            .zip(self.weights.chunks_exact(self.n_filters))
        {
            for (score, weight) in scores.iter_mut().zip(weights) {
                *score += feature * weight;
            }
        }
        scores
    }

    /// Gives what a feature adds to a filter's score for each that it grows.
    pub fn weight(&self, feature: usize, filter: usize) -> f32 {
        self.weights[feature * self.n_filters + filter]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_a_weighted_sum_and_a_bias() {
        let weights = vec![1.0, 0.0, 2.0, -1.0, 0.5, 3.0];
        let file = TraceBankFile::new(weights, vec![0.25, 10.0], &Device::flex());
        let bank = TraceBank::of(&file);
        let scores = bank.score(&[1.0, 2.0, 4.0]);
        assert_eq!(scores, [0.25 + 1.0 + 4.0 + 2.0, 10.0 - 2.0 + 12.0]);
        assert_eq!((bank.weight(2, 1), bank.weight(1, 0)), (3.0, 2.0));
    }
}
