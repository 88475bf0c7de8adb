//! MediaPipe's attention mesh, from the package `mediapipe` (Apache-2.0).
//!
//! Its graph is followed from the picture on: a block is a convolution within channels, one across
//! them, a sum and a ReLU, wherever its operations stand in the file. What each part then must be,
//! the network that the weights are for says: names and shapes are compared when it is loaded.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use burn::tensor::f16;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::Args;
use super::package::{Format, Package};
use super::tflite::{Constant, Kind, Network, Operation};

const PACKAGE: Package = Package {
    name: "mediapipe",
    version: "0.10.14",
    sha256: "a807328339e7356fda0bb14df12fedbf1d33bdf81649c5f8666b0026b1cc30b4",
    format: Format::Wheel {
        python: "3.11",
        platform: "manylinux2014_x86_64",
    },
};
const MODEL: &str = "mediapipe/modules/face_landmark/face_landmark_with_attention.tflite";
const FILE: &str = "mesher.safetensors";

/// Fetches, checks and converts the mesh network, and prints the entry for the table of weights.
pub(super) fn import(args: &Args) -> Result<()> {
    PACKAGE.convert(args, MODEL, FILE, convert)
}

/// Blocks of each part of the network.
const N_EARLY: usize = 3;
const N_WHOLE: usize = 14;
const N_PART: usize = 6;
const N_PART_HEAD: usize = 5;

fn convert(model: &[u8]) -> Result<Vec<u8>> {
    let network = Network::read(model)?;
    let mut tensors = Tensors::default();
    let input = *network.inputs.first().context("it takes no picture")?;
    let walk = Walk { network: &network };
    let x = walk.layer(input, "stem", &mut tensors)?;
    let map = walk.blocks(x, N_EARLY, "early", &mut tensors)?;
    let whole = walk.blocks(map, N_WHOLE, "whole.blocks", &mut tensors)?;
    let x = walk.end(whole, "whole", &mut tensors)?;
    // Presence is the shorter of the two outputs.
    let mut outputs = walk.convolutions(x, Kind::Conv)?;
    outputs.sort_by_key(|(_, weights)| weights.shape[0]);
    let [(presence, _), (points, _)] = &outputs[..] else {
        anyhow::bail!("it gives {} outputs", outputs.len());
    };
    walk.linear(presence, "to_presence", &mut tensors)?;
    walk.linear(points, "whole.to_values", &mut tensors)?;
    // What is cut out of the map: lips, the right eye, the left one.
    let cuts = walk
        .users(map)
        .filter(|operation| operation.kind == Kind::Other && operation.inputs.len() == 2);
    let cuts: Vec<usize> = cuts.map(|operation| operation.output).collect();
    let names = ["lips", "eyes.0", "eyes.1"];
    ensure!(
        cuts.len() == names.len(),
        "it looks {} times closer",
        cuts.len()
    );
    for (&cut, name) in cuts.iter().zip(names) {
        walk.part(cut, name, &mut tensors)?;
    }
    tensors.to_safetensors()
}

/// The tensors of our network, by name.
#[derive(Default)]
struct Tensors(BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>);

impl Tensors {
    fn insert(&mut self, name: String, shape: Vec<usize>, values: &[f32]) {
        let half = |&value: &f32| f16::from_f32(value).to_le_bytes();
        let bytes = values.iter().flat_map(half).collect();
        self.0.insert(name, (Dtype::F16, shape, bytes));
    }

    /// Slopes stay in single precision: burn widens the parameters of its own layers only.
    fn insert_slopes(&mut self, name: String, slopes: &[f32]) {
        let bytes = slopes
            .iter()
            .flat_map(|slope| slope.to_le_bytes())
            .collect();
        self.0.insert(name, (Dtype::F32, vec![slopes.len()], bytes));
    }

    fn to_safetensors(&self) -> Result<Vec<u8>> {
        let views = self.0.iter().map(|(name, (kind, shape, bytes))| {
            let view = TensorView::new(*kind, shape.clone(), bytes)?;
            Ok((name.clone(), view))
        });
        let views = views.collect::<Result<Vec<_>>>()?;
        Ok(safetensors::serialize(views, None)?)
    }
}

/// Follows the graph; each step takes a tensor and gives the one that comes out.
struct Walk<'a> {
    network: &'a Network<'a>,
}

impl<'a> Walk<'a> {
    fn users(&self, tensor: usize) -> impl Iterator<Item = &'a Operation> {
        let operations = self.network.operations.iter();
        operations.filter(move |operation| operation.inputs.contains(&tensor))
    }

    fn user(&self, tensor: usize, kind: Kind) -> Result<&'a Operation> {
        let mut users = self.users(tensor).filter(|user| user.kind == kind);
        let user = users.next();
        user.with_context(|| format!("no {kind:?} follows tensor {tensor}"))
    }

    /// The convolutions of a tensor, with their weights.
    fn convolutions(&self, tensor: usize, kind: Kind) -> Result<Vec<(&'a Operation, Constant)>> {
        let users = self.users(tensor).filter(|user| user.kind == kind);
        let with_weights = users.map(|user| {
            let [_, weights, _] = user.inputs[..] else {
                anyhow::bail!("a convolution without weights or biases");
            };
            let weights = self.network.constant(weights)?;
            ensure!(weights.shape.len() == 4, "weights of another shape");
            Ok((user, weights))
        });
        with_weights.collect()
    }

    /// A convolution and its ReLU.
    fn layer(&self, x: usize, name: &str, tensors: &mut Tensors) -> Result<usize> {
        let conv = self.user(x, Kind::Conv)?;
        self.conv(conv, &format!("{name}.conv"), tensors)?;
        self.relu(conv.output, name, tensors)
    }

    fn relu(&self, x: usize, name: &str, tensors: &mut Tensors) -> Result<usize> {
        let relu = self.user(x, Kind::SlopedRelu)?;
        let [_, slopes] = relu.inputs[..] else {
            anyhow::bail!("a ReLU without slopes");
        };
        let slopes = self.network.constant(slopes)?.values;
        tensors.insert_slopes(format!("{name}.slopes"), &slopes);
        Ok(relu.output)
    }

    fn blocks(&self, x: usize, n: usize, name: &str, tensors: &mut Tensors) -> Result<usize> {
        (0..n).try_fold(x, |x, i| {
            let within = self.user(x, Kind::ConvWithin)?;
            self.block(within, &format!("{name}.{i}"), tensors)
        })
    }

    /// The block that begins with a convolution within channels.
    fn block(&self, within: &Operation, name: &str, tensors: &mut Tensors) -> Result<usize> {
        self.conv(within, &format!("{name}.within"), tensors)?;
        let across = self.user(within.output, Kind::Conv)?;
        self.conv(across, &format!("{name}.across"), tensors)?;
        let sum = self.user(across.output, Kind::Add)?;
        self.relu(sum.output, name, tensors)
    }

    /// The last two layers before the values.
    fn end(&self, x: usize, name: &str, tensors: &mut Tensors) -> Result<usize> {
        let x = self.layer(x, &format!("{name}.narrow"), tensors)?;
        let within = self.user(x, Kind::ConvWithin)?;
        self.block(within, &format!("{name}.last"), tensors)
    }

    /// A closer look: blocks, then one head for the outline and one for an iris.
    fn part(&self, view: usize, name: &str, tensors: &mut Tensors) -> Result<()> {
        let x = self.blocks(view, N_PART, &format!("{name}.blocks"), tensors)?;
        let mut heads = Vec::new();
        for within in self.users(x).filter(|user| user.kind == Kind::ConvWithin) {
            let mut own = Tensors::default();
            let x = self.block(within, "blocks.0", &mut own)?;
            let rest = (1..N_PART_HEAD).try_fold(x, |x, i| {
                let within = self.user(x, Kind::ConvWithin)?;
                self.block(within, &format!("blocks.{i}"), &mut own)
            })?;
            let x = self.end(rest, "", &mut own)?;
            let to_values = self.user(x, Kind::Conv)?;
            let n_values = self.linear(to_values, "to_values", &mut own)?;
            heads.push((n_values, own));
        }
        heads.sort_by_key(|&(n_values, _)| std::cmp::Reverse(n_values));
        for (i, (_, own)) in heads.into_iter().enumerate() {
            for (layer, tensor) in own.0 {
                let layer = layer.trim_start_matches('.');
                tensors
                    .0
                    .insert(format!("{name}.heads.{i}.{layer}"), tensor);
            }
        }
        Ok(())
    }

    /// A convolution: theirs is `[output, row, column, input]`, within channels
    /// `[1, row, column, channel]`, ours `[output, input, row, column]`.
    fn conv(&self, operation: &Operation, name: &str, tensors: &mut Tensors) -> Result<()> {
        let [_, weights, biases] = operation.inputs[..] else {
            anyhow::bail!("a convolution without weights or biases");
        };
        ensure!((1..=2).contains(&operation.stride), "a wider stride");
        let weights = self.network.constant(weights)?;
        let [a, rows, columns, b] = weights.shape[..] else {
            anyhow::bail!("weights of another shape");
        };
        let (n_outputs, n_inputs) = match operation.kind {
            Kind::ConvWithin => (b, a),
            _ => (a, b),
        };
        let mut ours = Vec::with_capacity(weights.values.len());
        for (output, input) in (0..n_outputs).flat_map(|o| (0..n_inputs).map(move |i| (o, i))) {
            for tap in 0..rows * columns {
                let at = match operation.kind {
                    Kind::ConvWithin => tap * b + output,
                    _ => (output * rows * columns + tap) * b + input,
                };
                ours.push(weights.values[at]);
            }
        }
        let shape = vec![n_outputs, n_inputs, rows, columns];
        tensors.insert(format!("{name}.weight"), shape, &ours);
        let biases = self.network.constant(biases)?.values;
        tensors.insert(format!("{name}.bias"), vec![biases.len()], &biases);
        Ok(())
    }

    /// A convolution that takes all cells at once: ours is a linear layer, `[input, output]`, its
    /// inputs by channel, row and column. Gives how many values it has.
    fn linear(&self, operation: &Operation, name: &str, tensors: &mut Tensors) -> Result<usize> {
        let [_, weights, biases] = operation.inputs[..] else {
            anyhow::bail!("a convolution without weights or biases");
        };
        let weights = self.network.constant(weights)?;
        let [n_outputs, rows, columns, n_channels] = weights.shape[..] else {
            anyhow::bail!("weights of another shape");
        };
        let n_cells = rows * columns;
        let mut ours = Vec::with_capacity(weights.values.len());
        for (channel, cell) in (0..n_channels).flat_map(|c| (0..n_cells).map(move |k| (c, k))) {
            for output in 0..n_outputs {
                ours.push(weights.values[(output * n_cells + cell) * n_channels + channel]);
            }
        }
        let shape = vec![n_channels * n_cells, n_outputs];
        tensors.insert(format!("{name}.weight"), shape, &ours);
        let biases = self.network.constant(biases)?.values;
        tensors.insert(format!("{name}.bias"), vec![biases.len()], &biases);
        Ok(n_outputs)
    }
}
