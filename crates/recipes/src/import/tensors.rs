//! Tensors on the way from one file to another: half-precision safetensors, and checkpoints of PyTorch.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};
use burn::tensor::f16;
use pytorch_reader::{DType, PytorchReader};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// Shapes and half-precision bytes, by name.
#[derive(Default)]
pub(super) struct Tensors(BTreeMap<String, (Vec<usize>, Vec<u8>)>);

impl Tensors {
    /// Keeps `values` in half precision.
    pub(super) fn keep(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let half = |&value: &f32| f16::from_f32(value).to_le_bytes();
        let bytes = values.iter().flat_map(half).collect();
        self.0.insert(name.to_owned(), (shape.to_vec(), bytes));
    }

    /// Gives the bytes of a safetensors file.
    pub(super) fn to_file(&self) -> Result<Vec<u8>> {
        let views = self.0.iter().map(|(name, (shape, bytes))| {
            let view = TensorView::new(Dtype::F16, shape.clone(), bytes)?;
            Ok((name.clone(), view))
        });
        let views = views.collect::<Result<Vec<_>>>()?;
        Ok(safetensors::serialize(views, None)?)
    }
}

/// A checkpoint of PyTorch.
pub(super) struct Checkpoint(PytorchReader);

impl Checkpoint {
    /// Reads the list of its tensors; `key` is where they lie, when not at the top.
    pub(super) fn read(bytes: &[u8], key: Option<&str>) -> Result<Self> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(bytes)?;
        Ok(Self(match key {
            Some(key) => PytorchReader::with_top_level_key(file.path(), key)?,
            None => PytorchReader::new(file.path())?,
        }))
    }

    /// Gives shape and values of a tensor.
    pub(super) fn values(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>)> {
        let tensor = self
            .0
            .get(name)
            .with_context(|| format!("it has no {name}"))?;
        ensure!(tensor.dtype() == DType::F32, "{name} is no f32");
        let bytes = tensor.read()?;
        let (numbers, _) = bytes.as_chunks();
        let values = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes));
        Ok((tensor.shape().to_vec(), values.collect()))
    }
}

/// Adds numbers one by one.
pub(super) fn sum(a: &[f32], b: &[f32]) -> Result<Vec<f32>> {
    ensure!(a.len() == b.len(), "{} biases for {}", b.len(), a.len());
    Ok(a.iter().zip(b).map(|(a, b)| a + b).collect())
}
