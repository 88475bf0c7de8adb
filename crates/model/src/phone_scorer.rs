//! How well a moment of sound fits each phone of English.
//!
//! The context-independent part of pocketsphinx's acoustic model of US English (Carnegie Mellon University and
//! Alpha Cephei, BSD), which `recipes import phones` converts: each phone has a codebook of 128 Gaussians for
//! each of three streams (the cepstrum, how fast it changes, and how that changes), and three states that weigh
//! them. Scores are sums over all Gaussians; the original adds the best four.

use std::sync::Arc;

use crate::error::Result;
use crate::weights::{Tensors, Weights};

/// Phones, those of silence and noise among them.
pub const N_PHONES: usize = 42;
/// States of a phone: how it begins, is, and ends.
pub const N_STATES: usize = 3;
/// Numbers of a stream.
pub const N_STREAM: usize = 13;
/// What a moment is judged by: a cepstrum without the mean of all, how it changes over 40 ms, and how that changes
/// over 20 ms.
pub type Streams = [[f32; N_STREAM]; N_STREAMS];

/// The phones in the order of their scores: those of the Carnegie Mellon dictionary, behind noise.
pub const PHONES: [&str; N_PHONES] = [
    "+NSN+", "+SPN+", "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY",
    "F", "G", "HH", "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH",
    "SIL", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
];

const N_STREAMS: usize = 3;
const N_GAUSSIANS: usize = 128;

/// The model, cheap to clone.
#[derive(Clone, Debug)]
pub struct PhoneScorer(Arc<Vec<Codebook>>);

/// One stream of one phone.
#[derive(Debug)]
struct Codebook {
    /// Logarithm of each Gaussian at the origin.
    constants: Vec<f32>,
    /// What a number adds to it, and its square: `[number][Gaussian]`.
    linear: Vec<[f32; N_GAUSSIANS]>,
    square: Vec<[f32; N_GAUSSIANS]>,
    /// `[state][Gaussian]`
    weights: Vec<[f32; N_GAUSSIANS]>,
}

impl PhoneScorer {
    /// Loads the model from `weights`.
    ///
    /// # Errors
    /// When its file is missing, damaged or something else.
    pub fn load(weights: &Weights) -> Result<Self> {
        weights.read("phones", Self::read)
    }

    fn read(tensors: &Tensors<'_>) -> std::result::Result<Self, String> {
        let shape = [N_PHONES, N_STREAMS, N_GAUSSIANS, N_STREAM];
        let means = tensors.values("means", &shape)?;
        let variances = tensors.values("variances", &shape)?;
        if variances.iter().any(|&v| v.is_nan() || v <= 0.0) {
            return Err("a variance is not positive".to_owned());
        }
        let shape = [N_PHONES, N_STREAMS, N_STATES, N_GAUSSIANS];
        let weights = tensors.values("weights", &shape)?;
        let codebooks = means
            .chunks_exact(N_GAUSSIANS * N_STREAM)
            .zip(variances.chunks_exact(N_GAUSSIANS * N_STREAM))
            .zip(weights.chunks_exact(N_STATES * N_GAUSSIANS));
        let codebooks = codebooks.map(|((m, v), w)| Codebook::new(m, v, w));
        Ok(Self(Arc::new(codebooks.collect())))
    }

    /// Gives the logarithm of how likely a moment is in each state of each phone.
    pub fn score(&self, streams: &Streams) -> [[f32; N_STATES]; N_PHONES] {
        let mut scores = [[0.0; N_STATES]; N_PHONES];
        for (scores, codebooks) in scores.iter_mut().zip(self.0.chunks_exact(N_STREAMS)) {
            for (codebook, stream) in codebooks.iter().zip(streams) {
                for (score, more) in scores.iter_mut().zip(codebook.score(stream)) {
                    *score += more;
                }
            }
        }
        scores
    }
}

impl Codebook {
    fn new(means: &[f32], variances: &[f32], log_weights: &[f32]) -> Self {
        let by_number = |value: &dyn Fn(usize) -> f32| -> Vec<[f32; N_GAUSSIANS]> {
            let of = |k: usize| std::array::from_fn(|g| value(g * N_STREAM + k));
            (0..N_STREAM).map(of).collect()
        };
        let constant = |g: usize| -> f32 {
            let all = g * N_STREAM..(g + 1) * N_STREAM;
            let part = |i: usize| {
                let width = (2.0 * std::f32::consts::PI * variances[i]).ln();
                -0.5 * (width + means[i] * means[i] / variances[i])
            };
            all.map(part).sum()
        };
        let (states, _) = log_weights.as_chunks::<N_GAUSSIANS>();
        Self {
            constants: (0..N_GAUSSIANS).map(constant).collect(),
            linear: by_number(&|i| means[i] / variances[i]),
            square: by_number(&|i| -0.5 / variances[i]),
            weights: states.iter().map(|state| state.map(f32::exp)).collect(),
        }
    }

    fn score(&self, stream: &[f32; N_STREAM]) -> [f32; N_STATES] {
        let mut logs = [0.0; N_GAUSSIANS];
        logs.copy_from_slice(&self.constants);
        for ((&x, linear), square) in stream.iter().zip(&self.linear).zip(&self.square) {
            for (log, (l, s)) in logs.iter_mut().zip(linear.iter().zip(square)) {
                *log += x * (l + x * s);
            }
        }
        let best = logs.iter().copied().fold(f32::MIN, f32::max);
        let shares = logs.map(|log| (log - best).exp());
        std::array::from_fn(|state| {
            let weighed = shares.iter().zip(&self.weights[state]);
            let sum: f32 = weighed.map(|(s, w)| s * w).sum();
            best + sum.max(f32::MIN_POSITIVE).ln()
        })
    }
}
