//! Inverted residual blocks: Sandler et al., "MobileNetV2: Inverted Residuals and Linear
//! Bottlenecks", CVPR 2018.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::prelude::*;

use crate::cpu;

/// An inverted residual block: more channels, a convolution within each, and fewer channels again, to
/// which what went in is added where the sizes agree.
#[derive(Module, Debug)]
pub(crate) struct Inverted {
    /// None where the input is wide enough.
    widen: Option<Conv2d>,
    within: Conv2d,
    narrow: Conv2d,
}

/// Channels that a block takes, has inside and gives, side of its inner convolution, its stride.
pub(crate) struct InvertedSize {
    pub(crate) n_inputs: usize,
    pub(crate) n_wide: usize,
    pub(crate) n_outputs: usize,
    pub(crate) side: usize,
    pub(crate) stride: usize,
}

impl Inverted {
    /// Makes a block with fresh weights; `padding` gives the cells that the inner convolution reads
    /// before and after the map.
    pub(crate) fn new(size: &InvertedSize, padding: [usize; 2], device: &Device) -> Self {
        let &InvertedSize {
            n_inputs,
            n_wide,
            n_outputs,
            side,
            stride,
        } = size;
        let pointwise = |channels: [usize; 2]| Conv2dConfig::new(channels, [1, 1]).init(device);
        let [before, after] = padding;
        let within = Conv2dConfig::new([n_wide, n_wide], [side, side])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(before, before, after, after))
            .with_groups(n_wide);
        Self {
            widen: (n_inputs < n_wide).then(|| pointwise([n_inputs, n_wide])),
            within: within.init(device),
            narrow: pointwise([n_wide, n_outputs]),
        }
    }

    /// `[n, c, h, w]` → `[n, c', h', w']`, with `activation` after the first two convolutions
    pub(crate) fn forward(
        &self,
        x: Tensor<4>,
        activation: impl Fn(Tensor<4>) -> Tensor<4>,
    ) -> Tensor<4> {
        let wide = match &self.widen {
            Some(widen) => activation(widen.forward(x.clone())),
            None => x.clone(),
        };
        let narrow = self.narrow.forward(activation(self.within.forward(wide)));
        if narrow.dims() == x.dims() {
            narrow + x
        } else {
            narrow
        }
    }

    /// The block for the processor, with ReLUs that end at `ceiling`.
    pub(crate) fn packed(&self, ceiling: f32) -> cpu::Inverted {
        cpu::Inverted::new(self.widen.as_ref(), &self.within, &self.narrow, ceiling)
    }
}
