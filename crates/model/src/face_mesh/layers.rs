//! The layers of the mesh network in burn.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::prelude::*;
use burn::tensor::activation::relu;
use burn::tensor::ops::PadMode;

/// A convolution and a ReLU with a slope for each channel.
#[derive(Module, Debug)]
pub(super) struct Layer {
    pub(super) conv: Conv2d,
    pub(super) slopes: Param<Tensor<1>>,
}

impl Layer {
    /// A 1 × 1 convolution.
    fn across(from: usize, to: usize, device: &Device) -> Self {
        Self {
            conv: Conv2dConfig::new([from, to], [1, 1]).init(device),
            slopes: slopes(to, device),
        }
    }

    /// The 3 × 3 convolution of a picture, which halves its size.
    pub(super) fn stem(to: usize, device: &Device) -> Self {
        let conv = Conv2dConfig::new([3, to], [3, 3]).with_stride([2, 2]);
        Self {
            conv: conv.with_padding(padding(2)).init(device),
            slopes: slopes(to, device),
        }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        sloped(self.conv.forward(x), &self.slopes)
    }
}

/// A convolution within each channel, one across them, and what went in added, halved by its
/// largest values where the block halves, zero in channels it does not have.
#[derive(Module, Debug)]
pub(super) struct Block {
    pub(super) within: Conv2d,
    pub(super) across: Conv2d,
    pub(super) slopes: Param<Tensor<1>>,
}

/// Channels that a block gives, and its stride: 2 where it halves the size.
pub(super) type BlockSize = (usize, usize);

impl Block {
    fn new(from: usize, (to, stride): BlockSize, device: &Device) -> Self {
        let within = Conv2dConfig::new([from, from], [3, 3]).with_groups(from);
        let within = within.with_stride([stride, stride]);
        Self {
            within: within.with_padding(padding(stride)).init(device),
            across: Conv2dConfig::new([from, to], [1, 1]).init(device),
            slopes: slopes(to, device),
        }
    }

    /// Some blocks in a row.
    pub(super) fn row(from: usize, sizes: &[BlockSize], device: &Device) -> Vec<Self> {
        let inputs = std::iter::once(from).chain(sizes.iter().map(|&(to, _)| to));
        let blocks = inputs.zip(sizes);
        blocks
            .map(|(from, &size)| Self::new(from, size, device))
            .collect()
    }

    /// `[n, c, h, w]` → `[n, c', h', w']`
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let branch = self.across.forward(self.within.forward(x.clone()));
        let kept = if self.within.stride == [1, 1] {
            x
        } else {
            let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
            let missing = branch.dims()[1] - x.dims()[1];
            pool.forward(x).pad(
                [(0, 0), (0, missing), (0, 0), (0, 0)],
                PadMode::Constant(0.0),
            )
        };
        sloped(branch + kept, &self.slopes)
    }
}

/// Blocks, and a linear layer on fewer channels of what they give.
#[derive(Module, Debug)]
pub(super) struct Head {
    pub(super) blocks: Vec<Block>,
    pub(super) narrow: Layer,
    pub(super) last: Block,
    pub(super) to_values: Linear,
}

/// Channels of a head's last block.
const N_NARROW: usize = 32;

impl Head {
    /// `n_cells` is how many cells the blocks leave.
    pub(super) fn new(
        from: usize,
        sizes: &[BlockSize],
        n_cells: usize,
        n_values: usize,
        device: &Device,
    ) -> Self {
        let widest = sizes.last().map_or(from, |&(to, _)| to);
        Self {
            blocks: Block::row(from, sizes, device),
            narrow: Layer::across(widest, N_NARROW, device),
            last: Block::new(N_NARROW, (N_NARROW, 1), device),
            to_values: LinearConfig::new(N_NARROW * n_cells, n_values).init(device),
        }
    }

    /// `[n, c, h, w]` → `[n, 32 · cells]`
    pub(super) fn features(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        self.last.forward(self.narrow.forward(x)).flatten::<2>(1, 3)
    }

    /// `[n, c, h, w]` → `[n, values]`
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        self.to_values.forward(self.features(x))
    }
}

/// One more cell all around, or, where a layer halves, to the right and below.
fn padding(stride: usize) -> PaddingConfig2d {
    let before = 2 - stride;
    PaddingConfig2d::Explicit(before, before, 1, 1)
}

fn slopes(n: usize, device: &Device) -> Param<Tensor<1>> {
    Param::from_tensor(Tensor::full([n], 0.25, device))
}

fn sloped(x: Tensor<4>, slopes: &Param<Tensor<1>>) -> Tensor<4> {
    let [n] = slopes.val().dims();
    let slopes = slopes.val().reshape([1, n, 1, 1]);
    relu(x.clone()) - relu(-x) * slopes
}
