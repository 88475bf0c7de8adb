//! Reads networks of TensorFlow Lite: which operation works on which tensors, and their values.
//!
//! The numbers of fields, types and operations are those of the format's published schema.

use anyhow::{Context as _, Result, bail, ensure};
use burn::tensor::f16;

use super::flatbuffer::Table;

/// What an operation does, as far as we read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Add,
    Conv,
    ConvWithin,
    SlopedRelu,
    /// Known from its weights being read through it: half precision becomes single.
    Widened,
    /// Another one.
    Other,
}

/// One operation.
pub(super) struct Operation {
    pub(super) kind: Kind,
    pub(super) inputs: Vec<usize>,
    pub(super) output: usize,
    /// Cells from one output to the next, for convolutions.
    pub(super) stride: i32,
}

/// A tensor with values.
pub(super) struct Constant {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// A network: its operations in the order in which they are worked out.
pub(super) struct Network<'a> {
    pub(super) operations: Vec<Operation>,
    pub(super) inputs: Vec<usize>,
    tensors: Vec<Table<'a>>,
    buffers: Vec<Table<'a>>,
}

impl<'a> Network<'a> {
    /// Reads the only network of a file.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self> {
        ensure!(
            bytes.get(4..8) == Some(b"TFL3".as_slice()),
            "it is no network of TensorFlow Lite"
        );
        let model = Table::root(bytes)?;
        let kinds = model.tables(1)?.into_iter().map(kind);
        let kinds = kinds.collect::<Result<Vec<Kind>>>()?;
        let graphs = model.tables(2)?;
        let [graph] = graphs[..] else {
            bail!("it holds {} networks", graphs.len());
        };
        let operations = graph.tables(3)?.into_iter();
        Ok(Self {
            operations: operations
                .map(|operation| read_operation(operation, &kinds))
                .collect::<Result<_>>()?,
            inputs: indices(&graph.integers(1)?)?,
            tensors: graph.tables(0)?,
            buffers: model.tables(4)?,
        })
    }

    /// The values of a tensor, which may be kept in half precision.
    pub(super) fn constant(&self, tensor: usize) -> Result<Constant> {
        let widened =
            |operation: &&Operation| operation.kind == Kind::Widened && operation.output == tensor;
        let kept = self.operations.iter().find(widened);
        let tensor = kept.map_or(tensor, |operation| operation.inputs[0]);
        let tensor = self.tensors.get(tensor).context("no such tensor")?;
        let shape = indices(&tensor.integers(0)?)?;
        let buffer = usize::try_from(tensor.integer(2)?)?;
        let bytes = self.buffers.get(buffer).context("no such buffer")?;
        let bytes = bytes.bytes(0)?;
        const SINGLE: u8 = 0;
        const HALF: u8 = 1;
        let values: Vec<f32> = match tensor.byte(1)? {
            SINGLE => bytes
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect(),
            HALF => bytes
                .chunks_exact(2)
                .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32())
                .collect(),
            other => bail!("values of type {other}"),
        };
        let n = shape
            .iter()
            .try_fold(1_usize, |n, &side| n.checked_mul(side));
        ensure!(n == Some(values.len()), "a tensor without all its values");
        Ok(Constant { shape, values })
    }
}

fn kind(code: Table<'_>) -> Result<Kind> {
    // Numbers below 127 stand in a byte, for older readers.
    let number = code.integer(3)?.max(i32::from(code.byte(0)?));
    Ok(match number {
        0 => Kind::Add,
        3 => Kind::Conv,
        4 => Kind::ConvWithin,
        6 => Kind::Widened,
        54 => Kind::SlopedRelu,
        _ => Kind::Other,
    })
}

fn read_operation(operation: Table<'_>, kinds: &[Kind]) -> Result<Operation> {
    let code = usize::try_from(operation.integer(0)?)?;
    let kind = *kinds.get(code).context("no such operation")?;
    let outputs = indices(&operation.integers(2)?)?;
    let inputs = indices(&operation.integers(1)?)?;
    ensure!(!inputs.is_empty(), "an operation without an input");
    let stride = match kind {
        Kind::Conv | Kind::ConvWithin => operation.table(4)?.integer(2)?,
        _ => 1,
    };
    Ok(Operation {
        kind,
        inputs,
        output: *outputs.first().context("an operation without an output")?,
        stride,
    })
}

fn indices(values: &[i32]) -> Result<Vec<usize>> {
    let index = |&value: &i32| usize::try_from(value).context("a tensor is left out");
    values.iter().map(index).collect()
}
