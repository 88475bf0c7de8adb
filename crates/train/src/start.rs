//! Where a training starts: the base, or random weights with the average face as each decoder's
//! first drawing.

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

/// Makes `weights` those of the base: its encoder, and its one decoder for every person.
///
/// # Panics
/// If the base is of another size than the network.
pub(crate) fn start_from_base(weights: &mut [Weight], base: &[Weight]) {
    for weight in weights {
        let in_base = name_in_base(&weight.name);
        let found = base.iter().find(|from| from.name == in_base);
        assert!(
            found.is_some_and(|from| from.shape == weight.shape),
            "the base does not fit {}",
            weight.name
        );
        if let Some(found) = found {
            weight.values.clone_from(&found.values);
        }
    }
}

/// `decoders.3.refine.bias` is `decoders.0.refine.bias` in the base.
fn name_in_base(name: &str) -> String {
    match name
        .strip_prefix("decoders.")
        .and_then(|rest| rest.split_once('.'))
    {
        Some((_person, rest)) => format!("decoders.0.{rest}"),
        None => name.to_owned(),
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
    use effigy_model::Weights;
    use effigy_model::face_model::{BASE_SHAPE, base};
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

    #[test]
    fn every_decoder_starts_as_the_base() {
        let net = BASE_SHAPE.init(2, &Device::flex());
        let mut weights = weights_of(&net);
        let base = base(&Weights::from_source_tree().unwrap()).unwrap();
        start_from_base(&mut weights, &base);
        let values = |list: &[Weight], name: &str| {
            let found = list.iter().find(|weight| weight.name == name);
            found.unwrap().values.clone()
        };
        let refine = values(&base, "decoders.0.refine.weight");
        assert_eq!(values(&weights, "decoders.1.refine.weight"), refine);
        let encoder = values(&base, "encoder.to_latent.bias");
        assert_eq!(values(&weights, "encoder.to_latent.bias"), encoder);
    }
}
