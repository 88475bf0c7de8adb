//! What a face does when it does nothing: a low quantile of each weight over a clip.

use super::names::{EXPRESSIONS, N_EXPRESSIONS};

/// Counts how often each weight had which value, and tells its low quantile.
///
/// A driver who starts with an open mouth, or smiles for a while, is not at rest then; the value
/// that a weight hardly ever falls below is what it has at rest. Fed frame by frame it is a running
/// quantile.
#[derive(Clone, Debug)]
pub struct Rest {
    counts: Vec<[u32; BINS]>,
    n: u32,
}

const BINS: usize = 100;
/// The share of frames in which a weight lies below what it has at rest.
const LOW: f32 = 0.1;
/// More than this is never rest: a mouth that stays open for a whole clip is open.
const MOST: f32 = 0.35;

impl Default for Rest {
    fn default() -> Self {
        Self {
            counts: vec![[0; BINS]; N_EXPRESSIONS],
            n: 0,
        }
    }
}

impl Rest {
    /// Takes in the weights of a frame.
    pub fn add(&mut self, weights: &[f32; N_EXPRESSIONS]) {
        for (count, weight) in self.counts.iter_mut().zip(weights) {
            let bin = (weight * BINS as f32).clamp(0.0, BINS as f32 - 1.0) as usize;
            count[bin] += 1;
        }
        self.n += 1;
    }

    /// The weights at rest.
    pub fn weights(&self) -> [f32; N_EXPRESSIONS] {
        let below = (LOW * self.n as f32) as u32;
        std::array::from_fn(|k| {
            // Lids follow the eyes; where they look is no expression.
            if self.n == 0 || EXPRESSIONS[k].starts_with("eyeLook") {
                return 0.0;
            }
            let mut seen = 0;
            let bin = self.counts[k].iter().position(|count| {
                seen += count;
                seen > below
            });
            (bin.unwrap_or(0) as f32 / BINS as f32).min(MOST)
        })
    }
}

/// Gives weights as they differ from those at rest: 0 at rest, 1 still 1.
pub fn relative(
    weights: &[f32; N_EXPRESSIONS],
    at_rest: &[f32; N_EXPRESSIONS],
) -> [f32; N_EXPRESSIONS] {
    std::array::from_fn(|k| ((weights[k] - at_rest[k]) / (1.0 - at_rest[k])).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::expression;

    #[test]
    fn a_mouth_that_starts_open_is_not_at_rest() {
        let jaw = expression("jawOpen");
        let mut rest = Rest::default();
        for n in 0..100 {
            let mut weights = [0.0; N_EXPRESSIONS];
            weights[jaw] = if n < 60 { 0.8 } else { 0.05 };
            rest.add(&weights);
        }
        assert!((rest.weights()[jaw] - 0.05).abs() < 0.02);
        let mut open = [0.0; N_EXPRESSIONS];
        open[jaw] = 1.0;
        assert!((relative(&open, &rest.weights())[jaw] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn before_any_frame_everything_is_an_expression() {
        let weights = [0.3; N_EXPRESSIONS];
        assert_eq!(relative(&weights, &Rest::default().weights()), weights);
    }
}
