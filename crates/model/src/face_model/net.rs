//! One encoder for all people, one decoder per person.
//!
//! The encoder keeps what people have in common (pose, expression, light) in a short latent; each
//! decoder draws one person from it: colour and a soft mask. All convolutions are dense 3×3 on at
//! least 48 channels at a quarter of the crop's side or less, which is what the CPU backend does
//! well (`docs/decisions/010-network-blocks.md`); the crop enters as patches and leaves by
//! depth-to-space.
//!
//! Shapes are `[n, channel, y, x]`: `n` faces, `s` side in pixels, `c` = `config.channels`,
//! `z` = `config.latent`. Colour is sRGB scaled to `0..=1`.

use burn::module::Param;
use burn::nn::conv::Conv2d;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::sigmoid;
use serde::{Deserialize, Serialize};

use crate::layers::{conv3, downsample, leaky_relu, quiet_conv3};
use crate::tensors::{PATCH, PATCH_CHANNELS};

/// How large a face network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Side of the square face crop, in pixels. A multiple of 16.
    pub side: usize,
    /// Channels at a quarter of the side; each halving of the side doubles them.
    pub channels: usize,
    /// Numbers in the latent.
    pub latent: usize,
}

/// The shared encoder and one decoder for each person.
#[derive(Module, Debug)]
pub struct FaceNet {
    encoder: Encoder,
    decoders: Vec<Decoder>,
}

impl Shape {
    /// Builds a network for `n_people` with fresh weights.
    ///
    /// # Panics
    /// If `side` is not a multiple of 16: a mistake in the configuration, not in the data.
    pub fn init(&self, n_people: usize, device: &Device) -> FaceNet {
        assert!(
            self.side.is_multiple_of(16),
            "side {} is not a multiple of 16",
            self.side
        );
        FaceNet {
            encoder: Encoder::new(*self, device),
            decoders: (0..n_people).map(|_| Decoder::new(*self, device)).collect(),
        }
    }
}

impl FaceNet {
    /// Writes the latent of faces laid out as blocks: `[n, 48, s/4, s/4]` → `[n, z]`.
    pub fn encode(&self, blocks: Tensor<4>) -> Tensor<2> {
        self.encoder.forward(blocks)
    }

    /// Draws `person` from the latent: `[n, z]` → `[n, 4, s, s]`, red, green, blue and mask.
    pub fn decode(&self, latent: Tensor<2>, person: usize) -> Tensor<4> {
        self.decoders[person].forward(latent)
    }

    /// What draws `person`.
    pub fn decoder(&self, person: usize) -> &Decoder {
        &self.decoders[person]
    }

    /// How many people the network can draw.
    pub fn n_people(&self) -> usize {
        self.decoders.len()
    }
}

// Fields are named as the tensors in saved face models are.
#[derive(Module, Debug)]
struct Encoder {
    halving1: Conv2d,
    halving2: Conv2d,
    to_latent: Linear,
}

impl Encoder {
    fn new(shape: Shape, device: &Device) -> Self {
        let c = shape.channels;
        let corner = shape.side / 16;
        Self {
            halving1: downsample(PATCH_CHANNELS, 2 * c, device),
            halving2: downsample(2 * c, 4 * c, device),
            to_latent: LinearConfig::new(4 * c * corner * corner, shape.latent).init(device),
        }
    }

    /// `[n, 48, s/4, s/4]` → `[n, z]`
    fn forward(&self, blocks: Tensor<4>) -> Tensor<2> {
        let x = leaky_relu(self.halving1.forward(blocks)); // [n, 2c, s/8, s/8]
        let x = leaky_relu(self.halving2.forward(x)); // [n, 4c, s/16, s/16]
        self.to_latent.forward(x.flatten(1, 3))
    }
}

/// Draws one person.
#[derive(Module, Debug)]
pub struct Decoder {
    from_latent: Linear,
    doubling1: Conv2d,
    doubling2: Conv2d,
    refine: Conv2d,
    to_pixels: Conv2d,
    /// What is drawn before anything is learned, before the sigmoid: `[4, s, s]`.
    mean: Param<Tensor<3>>,
    #[module(skip)]
    corner: usize,
}

impl Decoder {
    /// Builds a decoder with fresh weights.
    pub fn new(shape: Shape, device: &Device) -> Self {
        let c = shape.channels;
        let corner = shape.side / 16;
        Self {
            from_latent: LinearConfig::new(shape.latent, 4 * c * corner * corner).init(device),
            doubling1: conv3(4 * c, 4 * 2 * c, device),
            doubling2: conv3(2 * c, 4 * c, device),
            refine: conv3(c, c + c / 2, device),
            to_pixels: quiet_conv3(c + c / 2, 4 * PATCH * PATCH, device),
            mean: Initializer::Zeros.init([4, shape.side, shape.side], device),
            corner,
        }
    }

    /// `[n, z]` → `[n, 4, s, s]`, red, green, blue and mask
    pub fn forward(&self, latent: Tensor<2>) -> Tensor<4> {
        let [n, _] = latent.dims();
        let x = leaky_relu(self.from_latent.forward(latent)); // [n, 4c·s/16·s/16]
        let x = x.reshape([n as i32, -1, self.corner as i32, self.corner as i32]); // [n, 4c, s/16, s/16]
        let x = leaky_relu(depth_to_space(self.doubling1.forward(x), 2)); // [n, 2c, s/8, s/8]
        let x = leaky_relu(depth_to_space(self.doubling2.forward(x), 2)); // [n, c, s/4, s/4]
        let x = leaky_relu(self.refine.forward(x)); // [n, 1.5c, s/4, s/4]
        let x = depth_to_space(self.to_pixels.forward(x), PATCH); // [n, 4, s, s]
        sigmoid(x + self.mean.val().unsqueeze::<4>())
    }
}

/// Depth to space: `[n, factor²·c, y, x]` → `[n, c, factor·y, factor·x]`.
fn depth_to_space(x: Tensor<4>, factor: usize) -> Tensor<4> {
    let [n, channels, rows, columns] = x.dims();
    let c = channels / (factor * factor);
    x.reshape([n, c, factor, factor, rows, columns])
        .permute([0, 1, 4, 2, 5, 3])
        .reshape([n, c, rows * factor, columns * factor])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::values;

    const TINY: Shape = Shape {
        side: 32,
        channels: 4,
        latent: 8,
    };

    #[test]
    fn keeps_the_size_of_the_face() {
        let device = Device::flex();
        let net = TINY.init(2, &device);
        let latent = net.encode(Tensor::zeros([3, 48, 8, 8], &device));
        assert_eq!(latent.dims(), [3, 8]);
        assert_eq!(net.decode(latent, 1).dims(), [3, 4, 32, 32]);
    }

    #[test]
    fn depth_becomes_space_in_reading_order() {
        let x = Tensor::<1, Int>::arange(0..8, &Device::flex())
            .float()
            .reshape([1, 4, 1, 2]);
        let spread = values(depth_to_space(x, 2)); // channels 0..4 of two places, side by side
        assert_eq!(spread, [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
    }
}
