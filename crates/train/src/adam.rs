//! One step of Adam, clipping and averaging of the weights, in one pass over memory.
//!
//! Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1. Weights
//! are plain lists here: that is exact to save and to resume, and on the CPU several times faster
//! than a chain of tensor operations, each of which would walk through all the memory.

use effigy_model::face_model::weights::Weight;

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;
/// Gradients longer than this are shortened to it.
const LONGEST_GRADIENT: f64 = 1.0;
/// How slowly the averaged weights follow, once there is something to average.
const SLOWNESS: f32 = 0.998;

/// Everything that learning changes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    /// Steps done.
    pub(crate) step: u64,
    /// The weights that are learned.
    pub(crate) weights: Vec<Weight>,
    /// Their running average, which is what is used.
    pub(crate) averaged: Vec<Weight>,
    /// Running mean of the gradients.
    pub(crate) first: Vec<Weight>,
    /// Running mean of their squares.
    pub(crate) second: Vec<Weight>,
}

impl State {
    /// Starts from `weights`.
    pub(crate) fn new(weights: Vec<Weight>) -> Self {
        let zero = |weight: &Weight| Weight {
            values: vec![0.0; weight.values.len()],
            ..weight.clone()
        };
        let zeros: Vec<Weight> = weights.iter().map(zero).collect();
        Self {
            step: 0,
            averaged: weights.clone(),
            first: zeros.clone(),
            second: zeros,
            weights,
        }
    }

    /// Takes one step down `gradients`, one list for each weight.
    ///
    /// Gives the length of the gradient before clipping. When that is not a number, nothing is
    /// changed: the caller goes back to a moment when it was.
    ///
    /// # Panics
    /// If the lists differ in length.
    pub(crate) fn descend(&mut self, gradients: &[Vec<f32>], rate: f64) -> f64 {
        assert_eq!(
            gradients.len(),
            self.weights.len(),
            "one gradient for each weight"
        );
        let length = length(gradients);
        if !length.is_finite() {
            return length;
        }
        self.step += 1;
        let step = i32::try_from(self.step).unwrap_or(i32::MAX);
        let pass = Pass {
            shrink: (LONGEST_GRADIENT / length.max(LONGEST_GRADIENT)) as f32,
            rate: (rate / (1.0 - f64::from(BETA1).powi(step))) as f32,
            unbias: (1.0 / (1.0 - f64::from(BETA2).powi(step))).sqrt() as f32,
            slowness: SLOWNESS.min(self.step as f32 / (self.step as f32 + 10.0)),
        };
        for (i, gradient) in gradients.iter().enumerate() {
            assert_eq!(gradient.len(), self.weights[i].values.len());
            let moments = self.first[i]
                .values
                .iter_mut()
                .zip(&mut self.second[i].values);
            let values = self.weights[i]
                .values
                .iter_mut()
                .zip(&mut self.averaged[i].values);
            for ((&gradient, moments), values) in gradient.iter().zip(moments).zip(values) {
                let (first, second) = moments;
                let (weight, averaged) = values;
                pass.apply(
                    gradient,
                    Entry {
                        weight,
                        averaged,
                        first,
                        second,
                    },
                );
            }
        }
        length
    }
}

/// One number of each of the four lists.
struct Entry<'a> {
    weight: &'a mut f32,
    averaged: &'a mut f32,
    /// Running mean of the gradient, its first moment.
    first: &'a mut f32,
    /// Running mean of its square, the second moment.
    second: &'a mut f32,
}

/// The factors of one step.
struct Pass {
    shrink: f32,
    rate: f32,
    unbias: f32,
    slowness: f32,
}

impl Pass {
    #[inline]
    fn apply(&self, gradient: f32, entry: Entry<'_>) {
        let Entry {
            weight,
            averaged,
            first,
            second,
        } = entry;
        let gradient = gradient * self.shrink;
        *first = BETA1 * *first + (1.0 - BETA1) * gradient;
        *second = BETA2 * *second + (1.0 - BETA2) * gradient * gradient;
        *weight -= self.rate * *first / (second.sqrt() * self.unbias + EPSILON);
        *averaged = self.slowness * *averaged + (1.0 - self.slowness) * *weight;
    }
}

/// The Euclidean length of all gradients together, added up in `f64`.
fn length(gradients: &[Vec<f32>]) -> f64 {
    let square = |list: &Vec<f32>| {
        list.iter()
            .map(|&v| f64::from(v) * f64::from(v))
            .sum::<f64>()
    };
    gradients.iter().map(square).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(values: Vec<f32>) -> State {
        State::new(vec![Weight {
            name: "w".into(),
            shape: vec![values.len()],
            values,
        }])
    }

    #[test]
    fn steps_match_the_paper() {
        let mut state = state(vec![1.0]);
        let (mut first, mut second, mut weight) = (0.0_f64, 0.0_f64, 1.0_f64);
        for (t, gradient) in [0.5, -0.2, 0.9].into_iter().enumerate() {
            state.descend(&[vec![gradient as f32]], 0.1);
            first = 0.9 * first + 0.1 * gradient;
            second = 0.999 * second + 0.001 * gradient * gradient;
            let t = t as i32 + 1;
            let (m, v) = (
                first / (1.0 - 0.9_f64.powi(t)),
                second / (1.0 - 0.999_f64.powi(t)),
            );
            weight -= 0.1 * m / (v.sqrt() + 1e-8);
        }
        let got = f64::from(state.weights[0].values[0]);
        assert!((got - weight).abs() < 1e-5, "{got} {weight}");
    }

    #[test]
    fn long_gradients_are_shortened_and_bad_ones_refused() {
        let mut short = state(vec![0.0, 0.0]);
        let mut long = short.clone();
        short.descend(&[vec![0.6, 0.8]], 0.1);
        assert_eq!(long.descend(&[vec![600.0, 800.0]], 0.1), 1000.0);
        let gap = (long.first[0].values[0] - short.first[0].values[0]).abs();
        assert!(gap < 1e-7, "{gap}");

        let before = long.clone();
        assert!(!long.descend(&[vec![f32::NAN, 0.0]], 0.1).is_finite());
        assert_eq!(long, before);
    }
}
