//! Reads networks of ONNX: which operation works on which constants, and their values.
//!
//! Fields and their numbers are those of the format's published schema.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use prost::Message;

/// A constant: shape and values.
pub(super) type Constant = (Vec<usize>, Vec<f32>);

/// One operation, with those of its inputs that are constants, in order.
pub(super) struct Operation {
    pub(super) kind: String,
    pub(super) constants: Vec<Constant>,
}

/// Gives the operations of a network in the order in which they are worked out.
pub(super) fn operations(bytes: &[u8]) -> Result<Vec<Operation>> {
    let model = Model::decode(bytes).context("it is no network of ONNX")?;
    let graph = model.graph.context("it holds no network")?;
    let tensors = graph.initializers.iter();
    let tensors: BTreeMap<&str, &Tensor> = tensors.map(|t| (t.name.as_str(), t)).collect();
    let operations = graph.nodes.iter().map(|node| {
        let constants = node.inputs.iter().filter_map(|name| tensors.get(&**name));
        Ok(Operation {
            kind: node.kind.clone(),
            constants: constants.map(|t| t.constant()).collect::<Result<_>>()?,
        })
    });
    operations.collect()
}

#[derive(Clone, PartialEq, Message)]
struct Model {
    #[prost(message, tag = "7")]
    graph: Option<Graph>,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    #[prost(message, repeated, tag = "1")]
    nodes: Vec<Node>,
    #[prost(message, repeated, tag = "5")]
    initializers: Vec<Tensor>,
}

#[derive(Clone, PartialEq, Message)]
struct Node {
    #[prost(string, repeated, tag = "1")]
    inputs: Vec<String>,
    #[prost(string, tag = "4")]
    kind: String,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int64, repeated, tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    data_type: i32,
    #[prost(float, repeated, tag = "4")]
    floats: Vec<f32>,
    #[prost(string, tag = "8")]
    name: String,
    #[prost(bytes = "vec", tag = "9")]
    raw: Vec<u8>,
}

impl Tensor {
    fn constant(&self) -> Result<Constant> {
        const FLOAT: i32 = 1;
        let name = &self.name;
        ensure!(self.data_type == FLOAT, "{name} is no f32");
        let shape = self.dims.iter().map(|&n| usize::try_from(n));
        let shape = shape.collect::<std::result::Result<Vec<_>, _>>();
        let shape = shape.with_context(|| format!("{name} has a side below zero"))?;
        let (numbers, rest) = self.raw.as_chunks();
        let mut values = self.floats.clone();
        values.extend(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)));
        ensure!(
            rest.is_empty() && shape.iter().product::<usize>() == values.len(),
            "{name} is not {shape:?} numbers"
        );
        Ok((shape, values))
    }
}
