//! The driver of a face model: from what a face does, as numbers, to the latent that its person is
//! drawn from.
//!
//! A model draws whoever is shown to it; with a driver it also draws what nobody showed: a person who
//! does what the rig measured on somebody else. A driver belongs to one person and to one checkpoint of
//! their model, whose latents it learned, and lies in a file of its own beside it ([`store`]). It brings a
//! decoder of its own, which began as the person's and went on learning on what it is told.
//!
//! Shapes: `n` faces, `m` = [`N_INPUTS`] numbers of each, `z` numbers in the latent.

pub mod store;

use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::TensorData;

use super::weights::Weight;
use super::{Decoder, Drawn, drawn};
use crate::layers::leaky_relu;
use crate::tensors::values;

/// How many numbers tell what a face does: 57 expressions, two gazes, and the head's yaw and pitch.
pub const N_INPUTS: usize = 63;

/// The last of them tell how the head is turned.
const N_TURNS: usize = 2;

/// What a face does, as numbers of about `-1..=1`.
pub type DriverInput = [f32; N_INPUTS];

/// Numbers in each hidden layer.
const WIDTH: usize = 128;

/// Two hidden layers beside a direct way: most of a latent follows expressions in proportion.
#[derive(Module, Debug)]
pub struct DriverNet {
    direct: Linear,
    hidden1: Linear,
    hidden2: Linear,
    to_latent: Linear,
}

impl DriverNet {
    /// Builds a driver for latents of `latent` numbers, with fresh weights.
    pub fn new(latent: usize, device: &Device) -> Self {
        Self {
            direct: LinearConfig::new(N_INPUTS, latent).init(device),
            hidden1: LinearConfig::new(N_INPUTS, WIDTH).init(device),
            hidden2: LinearConfig::new(WIDTH, WIDTH).init(device),
            to_latent: LinearConfig::new(WIDTH, latent).init(device),
        }
    }

    /// `[n, m]` → `[n, z]`
    pub fn forward(&self, movement: Tensor<2>) -> Tensor<2> {
        let x = leaky_relu(self.hidden1.forward(movement.clone())); // [n, 128]
        let x = leaky_relu(self.hidden2.forward(x)); // [n, 128]
        self.to_latent.forward(x) + self.direct.forward(movement)
    }
}

/// Lays movements out for a driver: `[n, m]`.
pub fn as_tensor(movements: &[DriverInput], device: &Device) -> Tensor<2> {
    let numbers = movements.as_flattened().to_vec();
    Tensor::from_data(
        TensorData::new(numbers, [movements.len(), N_INPUTS]),
        device,
    )
}

/// A driver that has learned, and what it has seen.
#[derive(Clone, Debug)]
pub struct FaceDriver {
    net: DriverNet,
    decoder: Decoder,
    range: Range,
    device: Device,
}

/// How far each number went in what a driver learned from: beyond, it was never told what to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// The least.
    pub least: DriverInput,
    /// The most.
    pub most: DriverInput,
}

impl Range {
    /// The nearest movement that lies within.
    pub fn clamp(&self, movement: &DriverInput) -> DriverInput {
        std::array::from_fn(|i| movement[i].clamp(self.least[i], self.most[i]))
    }
}

impl FaceDriver {
    /// Puts networks that have learned and the range of what they were shown together.
    pub fn new(net: DriverNet, decoder: Decoder, range: Range, device: &Device) -> Self {
        Self {
            net,
            decoder,
            range,
            device: device.clone(),
        }
    }

    /// Gives the latent of what a face does, `z` numbers.
    pub fn latent(&self, movement: &DriverInput) -> Vec<f32> {
        let within = self.range.clamp(movement);
        values(self.net.forward(as_tensor(&[within], &self.device)))
    }

    /// How far the head of an input is turned beyond all that was learned from; 0 within.
    pub fn beyond(&self, input: &DriverInput) -> f32 {
        let within = self.range.clamp(input);
        let turns = N_INPUTS - N_TURNS..N_INPUTS;
        turns
            .map(|i| (input[i] - within[i]).abs())
            .fold(0.0, f32::max)
    }

    /// Draws the person from a latent.
    ///
    /// # Panics
    /// If the latent has another length than the model's.
    pub fn draw(&self, latent: &[f32]) -> Drawn {
        let data = TensorData::new(latent.to_vec(), [1, latent.len()]);
        let latent = Tensor::from_data(data, &self.device);
        drawn(self.decoder.forward(latent)).swap_remove(0)
    }

    /// Its weights and its range, as they are kept.
    fn weights(&self) -> Vec<Weight> {
        let mut weights = super::weights::weights_of(&self.net);
        weights.extend(decoder_weights(&self.decoder));
        weights.extend(range_weights(&self.range));
        weights
    }
}

/// The weights of a decoder among those of a file.
fn decoder_weights(decoder: &Decoder) -> Vec<Weight> {
    let mut weights = super::weights::weights_of(decoder);
    for weight in &mut weights {
        weight.name.insert_str(0, "decoder.");
    }
    weights
}

/// A range among the weights of a file.
fn range_weights(range: &Range) -> [Weight; 2] {
    let weight = |name: &str, values: &DriverInput| Weight {
        name: name.to_owned(),
        shape: vec![N_INPUTS],
        values: values.to_vec(),
    };
    [weight("least", &range.least), weight("most", &range.most)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face_model::Shape;

    pub(super) const SHAPE: Shape = Shape {
        side: 32,
        channels: 4,
        latent: 8,
    };

    pub(super) fn driver(seed: f32) -> FaceDriver {
        let device = Device::flex();
        let net = DriverNet::new(8, &device);
        let decoder = Decoder::new(SHAPE, &device);
        let even = |mut weights: Vec<Weight>| {
            weights.iter_mut().for_each(|w| w.values.fill(0.1));
            weights
        };
        let weights = even(super::super::weights::weights_of(&decoder));
        let decoder = super::super::weights::with_weights(decoder, &weights);
        let mut weights = super::super::weights::weights_of(&net);
        for (i, weight) in weights.iter_mut().enumerate() {
            for (k, value) in weight.values.iter_mut().enumerate() {
                *value = ((i * 7 + k) as f32 * 0.37 + seed).sin() * 0.1;
            }
        }
        let net = super::super::weights::with_weights(net, &weights);
        let range = Range {
            least: [0.0; N_INPUTS],
            most: [0.5; N_INPUTS],
        };
        FaceDriver::new(net, decoder, range, &device)
    }

    #[test]
    fn a_latent_has_as_many_numbers_as_the_model_s() {
        let movements = as_tensor(&[[0.1; N_INPUTS]; 3], &Device::flex());
        assert_eq!(movements.dims(), [3, N_INPUTS]);
        assert_eq!(driver(0.0).net.forward(movements).dims(), [3, 8]);
        assert_eq!(driver(0.0).draw(&[0.1; 8]).picture.width(), 32);
    }

    #[test]
    fn what_was_never_learned_is_drawn_as_far_as_it_was() {
        let driver = driver(0.0);
        let far = driver.latent(&[2.0; N_INPUTS]);
        assert_eq!(far, driver.latent(&[0.5; N_INPUTS]));
        assert_ne!(far, driver.latent(&[0.2; N_INPUTS]));
        let mut turned = [0.9; N_INPUTS];
        assert!((driver.beyond(&turned) - 0.4).abs() < 1e-6);
        turned[N_INPUTS - 2..].fill(0.3);
        assert_eq!(driver.beyond(&turned), 0.0);
    }
}
