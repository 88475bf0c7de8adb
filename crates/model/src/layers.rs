//! The building blocks the networks share: dense 3 × 3 convolutions without normalisation.
//!
//! Chosen for what the CPU backend does fast, see `docs/decisions/010-network-blocks.md`. Without
//! normalisation a residual branch starts at zero, so that depth does not blow up the signal
//! (Zhang et al., "Fixup initialization", ICLR 2019, section 3).

use burn::module::Initializer;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::prelude::*;
use burn::tensor::activation;

/// Slope for negative inputs.
pub(crate) const SLOPE: f64 = 0.1;

/// Makes a 3 × 3 convolution that keeps the size: `[n, from, h, w]` → `[n, to, h, w]`.
pub(crate) fn conv3(from: usize, to: usize, device: &Device) -> Conv2d {
    conv(from, to, 1, he(from * 9), device)
}

/// Makes a 3 × 3 convolution that halves the size: `[n, from, h, w]` → `[n, to, h/2, w/2]`.
pub(crate) fn downsample(from: usize, to: usize, device: &Device) -> Conv2d {
    conv(from, to, 2, he(from * 9), device)
}

/// Makes a 3 × 3 convolution that starts near zero, for the end of a head or of a branch.
pub(crate) fn quiet_conv3(from: usize, to: usize, device: &Device) -> Conv2d {
    conv(
        from,
        to,
        1,
        Initializer::Normal {
            mean: 0.0,
            std: 1e-3,
        },
        device,
    )
}

/// Leaky ReLU with this project's slope.
pub(crate) fn leaky_relu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activation::leaky_relu(x, SLOPE)
}

/// Two convolutions whose result is added to their input.
#[derive(Module, Debug)]
pub(crate) struct Residual {
    first: Conv2d,
    second: Conv2d,
}

impl Residual {
    /// Makes a block for `channels`.
    pub(crate) fn new(channels: usize, device: &Device) -> Self {
        Self {
            first: conv3(channels, channels, device),
            second: quiet_conv3(channels, channels, device),
        }
    }

    /// Its two convolutions, in order.
    pub(crate) fn convolutions(&self) -> (&Conv2d, &Conv2d) {
        (&self.first, &self.second)
    }

    /// `[n, c, h, w]` → `[n, c, h, w]`
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let branch = self
            .second
            .forward(leaky_relu(self.first.forward(x.clone())));
        leaky_relu(x + branch)
    }
}

fn conv(
    from: usize,
    to: usize,
    stride: usize,
    initializer: Initializer,
    device: &Device,
) -> Conv2d {
    Conv2dConfig::new([from, to], [3, 3])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .with_initializer(initializer)
        .init(device)
}

/// He et al., "Delving deep into rectifiers", ICCV 2015, equation 10.
fn he(fan_in: usize) -> Initializer {
    Initializer::Normal {
        mean: 0.0,
        std: (2.0 / fan_in as f64).sqrt(),
    }
}
