//! Logistic regression with weights that are never negative.

/// One face: numbers in, fake or not.
pub(super) struct Example {
    pub(super) inputs: Vec<f32>,
    pub(super) is_fake: bool,
}

/// What was fitted.
pub(super) struct Fitted {
    pub(super) bias: f32,
    pub(super) weights: Vec<f32>,
}

const STEPS: usize = 4000;
const RATE: f64 = 0.2;

/// Fits by gradient descent, real and fake counting alike however many there are of each.
///
/// After each step a weight under zero is set to zero; `ridge` pulls weights there. `None` when
/// one of the classes is empty.
pub(super) fn fit(examples: &[Example], ridge: f32) -> Option<Fitted> {
    let n_fakes = examples.iter().filter(|e| e.is_fake).count();
    let n_inputs = examples.first()?.inputs.len();
    if n_fakes == 0 || n_fakes == examples.len() {
        return None;
    }
    let share = |is_fake: bool| {
        let n = if is_fake {
            n_fakes
        } else {
            examples.len() - n_fakes
        };
        0.5 / n as f64
    };
    let (mut bias, mut weights) = (0.0_f64, vec![0.0_f64; n_inputs]);
    for _ in 0..STEPS {
        let mut bias_slope = 0.0;
        let mut slopes: Vec<f64> = weights.iter().map(|w| f64::from(ridge) * w).collect();
        for example in examples {
            let inputs = || example.inputs.iter().map(|v| f64::from(*v));
            let logit = bias + inputs().zip(&weights).map(|(v, w)| v * w).sum::<f64>();
            let wanted = f64::from(u8::from(example.is_fake));
            let gap = (1.0 / (1.0 + (-logit).exp()) - wanted) * share(example.is_fake);
            bias_slope += gap;
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
        weights: weights.iter().map(|w| *w as f32).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(inputs: [f32; 2], is_fake: bool) -> Example {
        Example {
            inputs: inputs.to_vec(),
            is_fake,
        }
    }

    #[test]
    fn a_telling_input_gets_weight_and_one_that_tells_the_opposite_none() {
        let examples = [
            example([1.0, -1.0], true),
            example([2.0, 0.0], true),
            example([-1.0, 1.0], false),
            example([-1.5, 0.5], false),
            example([0.2, 0.4], false),
        ];
        let fitted = fit(&examples, 0.01).unwrap();
        assert!(0.5 < fitted.weights[0]);
        assert!(fitted.weights[1].abs() < 1e-9);
    }

    #[test]
    fn one_class_alone_is_not_fitted() {
        assert!(fit(&[example([1.0, 1.0], true)], 0.1).is_none());
    }
}
