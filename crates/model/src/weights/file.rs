//! Files of weights: half-precision safetensors, worked with in single precision.

use burn::module::Module;
use burn::store::{HalfPrecisionAdapter, ModuleSnapshot, SafetensorsStore, bridge};
use burn::tensor::{TensorData, f16};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::error::{Error, Result};

/// Fills `network` from the bytes of a safetensors file.
///
/// # Errors
/// When the bytes are damaged, or names or shapes differ from the network's.
pub fn from_bytes<M: Module + ModuleSnapshot>(
    name: &'static str,
    bytes: Vec<u8>,
    network: M,
) -> Result<M> {
    fill(&bytes, network).map_err(|reason| Error::Weights {
        network: name,
        reason,
    })
}

/// As [`from_bytes`], with the reason in words where the bytes do not fit.
pub(super) fn fill<M: Module + ModuleSnapshot>(
    bytes: &[u8],
    mut network: M,
) -> std::result::Result<M, String> {
    // burn's own store reads the list of all tensors again for each of them.
    let file = SafeTensors::deserialize(bytes).map_err(|err| err.to_string())?;
    let tensors = file.iter().map(|(name, view)| {
        let values = widened(&view).ok_or_else(|| format!("{name} is no floating point"))?;
        let data = TensorData::new(values, view.shape());
        Ok(bridge::from_data(data, name.to_owned(), None))
    });
    let tensors = tensors.collect::<std::result::Result<Vec<_>, String>>()?;
    let applied = network.apply(tensors, None, None, false);
    let problem = applied
        .missing
        .first()
        .map(|missing| format!("{missing:?} is missing"));
    let problem = problem.or_else(|| applied.errors.first().map(|err| format!("{err:?}")));
    problem.map_or(Ok(network), Err)
}

/// The tensors of a file, for networks that run on the processor alone.
pub(crate) struct Tensors<'a>(SafeTensors<'a>);

impl<'a> Tensors<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> std::result::Result<Self, String> {
        let file = SafeTensors::deserialize(bytes).map_err(|err| err.to_string())?;
        Ok(Self(file))
    }

    /// Gives the values of the tensor of this name, which must have this shape.
    pub(crate) fn values(
        &self,
        name: &str,
        shape: &[usize],
    ) -> std::result::Result<Vec<f32>, String> {
        let view = self.0.tensor(name).map_err(|err| err.to_string())?;
        if view.shape() != shape {
            return Err(format!("{name} is {:?}, not {shape:?}", view.shape()));
        }
        widened(&view).ok_or_else(|| format!("{name} is no floating point"))
    }
}

/// A tensor's values in single precision.
fn widened(view: &TensorView<'_>) -> Option<Vec<f32>> {
    match view.dtype() {
        Dtype::F16 => {
            let (numbers, _) = view.data().as_chunks();
            let values = numbers
                .iter()
                .map(|bytes| f16::from_le_bytes(*bytes).to_f32());
            Some(values.collect())
        }
        Dtype::F32 => {
            let (numbers, _) = view.data().as_chunks();
            let values = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes));
            Some(values.collect())
        }
        _ => None,
    }
}

/// Gives the bytes of a safetensors file that holds `network` in half precision.
///
/// # Errors
/// When a tensor can't be read back from its device.
pub fn to_bytes<M: ModuleSnapshot>(name: &'static str, network: &M) -> Result<Vec<u8>> {
    let refused = |reason: String| Error::Weights {
        network: name,
        reason,
    };
    let mut store = SafetensorsStore::from_bytes(None).with_to_adapter(HalfPrecisionAdapter::new());
    network
        .save_into(&mut store)
        .map_err(|err| refused(format!("{err}")))?;
    store.get_bytes().map_err(|err| refused(format!("{err}")))
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;

    use super::*;
    use crate::face_mesh::FaceMesh;
    use crate::tensors::values;

    #[test]
    fn weights_come_back_as_they_were_saved() {
        let device = Device::flex();
        let saved = FaceMesh::new(&device);
        let bytes = to_bytes("mesher", &saved).unwrap();
        let loaded = from_bytes("mesher", bytes, FaceMesh::new(&device)).unwrap();
        let input = Tensor::<4>::ones([1, 3, 192, 192], &device);
        let before = values(saved.forward(input.clone()).points);
        let after = values(loaded.forward(input).points);
        let gap = before
            .iter()
            .zip(&after)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(gap < 0.02, "{gap}"); // half precision keeps three digits
    }

    #[test]
    fn damaged_weights_are_refused() {
        let device = Device::flex();
        let mut bytes = to_bytes("mesher", &FaceMesh::new(&device)).unwrap();
        bytes.truncate(bytes.len() / 2);
        assert!(from_bytes("mesher", bytes, FaceMesh::new(&device)).is_err());
        assert!(from_bytes("mesher", b"no weights".to_vec(), FaceMesh::new(&device)).is_err());
    }
}
