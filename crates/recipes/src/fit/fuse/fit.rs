//! Logistic regression with weights that are never negative.

/// What is fitted to.
pub(super) struct Example {
    pub(super) inputs: Vec<f32>,
    pub(super) kind: Kind,
}

/// What the inputs of an example are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Those of a real face.
    Real,
    /// Those of a manipulated face.
    Fake,
    /// A fake's less those of its own original, which are alike in all but the manipulation.
    Difference,
}

/// What was fitted.
pub(super) struct Fitted {
    pub(super) bias: f32,
    pub(super) weights: Vec<f32>,
}

const STEPS: usize = 4000;
const RATE: f64 = 0.2;

/// Fits real and fake, which count alike however many there are of each. `None` when one of them
/// is empty.
///
/// Differences, where there are any, make up half of what is fitted: they should be positive. As
/// they say nothing of how sure one may be of a single face, all weights are then scaled together,
/// and the bias set, to suit the faces alone (Platt, 1999).
pub(super) fn fit(examples: &[Example], ridge: f32) -> Option<Fitted> {
    let n = examples.first()?.inputs.len();
    fit_towards(examples, ridge, &vec![0.0; n])
}

/// The same with weights pulled towards `prior`.
pub(super) fn fit_towards(examples: &[Example], ridge: f32, prior: &[f32]) -> Option<Fitted> {
    let fitted = descend(examples, ridge, prior)?;
    if examples.iter().all(|e| e.kind != Kind::Difference) {
        return Some(fitted);
    }
    let sum = |e: &Example| {
        e.inputs
            .iter()
            .zip(&fitted.weights)
            .map(|(v, w)| v * w)
            .sum()
    };
    let faces = examples.iter().filter(|e| e.kind != Kind::Difference);
    let sums = faces.map(|e| Example {
        inputs: vec![sum(e)],
        kind: e.kind,
    });
    let scale = descend(&sums.collect::<Vec<_>>(), SCALE_RIDGE, &[0.0])?;
    Some(Fitted {
        bias: scale.bias,
        weights: fitted
            .weights
            .iter()
            .map(|w| w * scale.weights[0])
            .collect(),
    })
}

/// One number needs next to no holding back.
const SCALE_RIDGE: f32 = 0.001;
/// A smaller weight is none.
const LEAST_WEIGHT: f64 = 1e-4;

/// Gradient descent. After each step a weight under zero is set to zero; `ridge` pulls weights
/// to `prior`.
fn descend(examples: &[Example], ridge: f32, prior: &[f32]) -> Option<Fitted> {
    let n = |kind: Kind| examples.iter().filter(|e| e.kind == kind).count();
    let (n_real, n_fake, n_differences) = (n(Kind::Real), n(Kind::Fake), n(Kind::Difference));
    let n_inputs = examples.first()?.inputs.len();
    if n_real == 0 || n_fake == 0 {
        return None;
    }
    let faces = if n_differences == 0 { 1.0 } else { 0.5 };
    let share = |kind: Kind| match kind {
        Kind::Real => 0.5 * faces / n_real as f64,
        Kind::Fake => 0.5 * faces / n_fake as f64,
        Kind::Difference => (1.0 - faces) / n_differences as f64,
    };
    let (mut bias, mut weights) = (0.0_f64, vec![0.0_f64; n_inputs]);
    for _ in 0..STEPS {
        let mut bias_slope = 0.0;
        let pulls = weights.iter().zip(prior);
        let mut slopes: Vec<f64> = pulls
            .map(|(w, prior)| f64::from(ridge) * (w - f64::from(*prior)))
            .collect();
        for example in examples {
            let inputs = || example.inputs.iter().map(|v| f64::from(*v));
            let is_face = f64::from(u8::from(example.kind != Kind::Difference));
            let sum = inputs().zip(&weights).map(|(v, w)| v * w).sum::<f64>();
            let wanted = f64::from(u8::from(example.kind != Kind::Real));
            let found = 1.0 / (1.0 + (-(is_face * bias + sum)).exp());
            let gap = (found - wanted) * share(example.kind);
            bias_slope += is_face * gap;
            for (slope, v) in slopes.iter_mut().zip(inputs()) {
                *slope += gap * v;
            }
        }
        bias -= RATE * bias_slope;
        for (weight, slope) in weights.iter_mut().zip(slopes) {
            *weight = (*weight - RATE * slope).max(0.0);
        }
    }
    Some(Fitted {
        bias: bias as f32,
        weights: weights
            .iter()
            .map(|w| if *w < LEAST_WEIGHT { 0.0 } else { *w as f32 })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(inputs: [f32; 2], kind: Kind) -> Example {
        Example {
            inputs: inputs.to_vec(),
            kind,
        }
    }

    #[test]
    fn a_telling_input_gets_weight_and_one_that_tells_the_opposite_none() {
        let examples = [
            example([1.0, -1.0], Kind::Fake),
            example([2.0, 0.0], Kind::Fake),
            example([-1.0, 1.0], Kind::Real),
            example([-1.5, 0.5], Kind::Real),
            example([0.2, 0.4], Kind::Real),
        ];
        let fitted = fit(&examples, 0.01).unwrap();
        assert!(0.5 < fitted.weights[0]);
        assert!(fitted.weights[1].abs() < 1e-9);
    }

    #[test]
    fn what_tells_nothing_keeps_the_weights_that_were_expected() {
        let examples = [
            example([0.5, 0.5], Kind::Fake),
            example([0.5, 0.5], Kind::Real),
        ];
        let fitted = fit_towards(&examples, 0.1, &[1.0, 0.0]).unwrap();
        assert!((fitted.weights[0] - 1.0).abs() < 0.05 && fitted.weights[1] < 0.05);
    }

    #[test]
    fn one_class_alone_is_not_fitted() {
        assert!(fit(&[example([1.0, 1.0], Kind::Fake)], 0.1).is_none());
    }

    #[test]
    fn what_differs_within_pairs_counts_though_faces_differ_more() {
        // The second input is higher in every fake than in its own original, and hides behind how
        // much faces differ in it.
        let mut examples = vec![
            example([1.0, 2.4], Kind::Fake),
            example([0.6, -1.6], Kind::Fake),
            example([0.5, 2.0], Kind::Real),
            example([0.1, -2.0], Kind::Real),
        ];
        let share = |examples: &[Example]| {
            let fitted = fit(examples, 0.01).unwrap();
            fitted.weights[1] / fitted.weights[0]
        };
        let of_faces = share(&examples);
        examples.push(example([0.1, 1.0], Kind::Difference));
        examples.push(example([0.0, 1.0], Kind::Difference));
        let with_pairs = share(&examples);
        assert!(1.5 * of_faces < with_pairs, "{of_faces} {with_pairs}");
    }
}
