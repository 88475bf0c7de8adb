//! Where a training starts: drawn weights, and the average face as each decoder's first drawing.

use effigy_model::face_model::weights::Weight;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::faces::FaceSet;
use crate::normal::normal;

/// Fills `weights` for a training on `sets`, reproducibly.
///
/// Kernels are drawn after He et al., "Delving deep into rectifiers", ICCV 2015; the last layer
/// nearly zero, so that the first drawing is the person's average face.
pub(crate) fn start(weights: &mut [Weight], sets: &[FaceSet], seed: u64) {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    for weight in weights {
        let is_last = weight.name.contains("to_pixels");
        if let Some(person) = mean_of(&weight.name) {
            weight.values = sets[person].mean().into_iter().map(logit).collect();
        } else if weight.shape.len() < 2 {
            weight.values.fill(0.0);
        } else {
            let spread = if is_last { 1e-3 } else { spread(weight) };
            weight.values.fill_with(|| normal(&mut generator) * spread);
        }
    }
}

/// Whose average face a weight is, if it is one.
fn mean_of(name: &str) -> Option<usize> {
    name.strip_prefix("decoders.")?
        .strip_suffix(".mean")?
        .parse()
        .ok()
}

/// He's spread: kernels are `[to, from, 3, 3]`, matrices `[from, to]`.
fn spread(weight: &Weight) -> f32 {
    let n_inputs: usize = match weight.shape[..] {
        [from, _to] => from,
        _ => weight.shape[1..].iter().product(),
    };
    (2.0 / n_inputs as f32).sqrt()
}

fn logit(share: f32) -> f32 {
    let share = share.clamp(0.01, 0.99);
    (share / (1.0 - share)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::synthetic_set;
    use burn::prelude::Device;
    use effigy_model::face_model::{Shape, weights::weights_of};

    #[test]
    fn first_drawing_is_the_average_face() {
        let net = Shape {
            side: 32,
            channels: 4,
            latent: 8,
        }
        .init(2, &Device::flex());
        let mut weights = weights_of(&net);
        let sets = [
            synthetic_set("ada", 32, 30, 1),
            synthetic_set("ben", 32, 30, 2),
        ];
        start(&mut weights, &sets, 1);
        let mean = weights
            .iter()
            .find(|weight| weight.name == "decoders.1.mean")
            .unwrap();
        let share = 1.0 / (1.0 + (-mean.values[500]).exp());
        assert!(
            (share - sets[1].mean()[500].clamp(0.01, 0.99)).abs() < 1e-5,
            "{share}"
        );
        let mut again = weights.clone();
        start(&mut again, &sets, 1);
        assert_eq!(again, weights);
    }
}
