//! The weights of a network as plain lists, and as the bytes of a safetensors file.
//!
//! The order is that of the network's fields, always the same, so that an optimizer can keep its
//! own lists beside them. A file is untrusted: names, shapes and lengths must match exactly.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::prelude::*;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::error::{Error, Result};
use crate::tensors::values;

/// One tensor of weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// Where it sits in the network, as `decoders.0.refine.bias`.
    pub name: String,
    /// Its size along each axis.
    pub shape: Vec<usize>,
    /// Its values, last axis fastest.
    pub values: Vec<f32>,
}

/// Lists the weights of `net` in field order.
pub fn weights_of<M: Module>(net: &M) -> Vec<Weight> {
    let mut reader = Reader {
        path: Vec::new(),
        found: Vec::new(),
    };
    net.visit(&mut reader);
    reader.found
}

/// Puts `weights`, in field order, into `net`.
///
/// # Panics
/// If number or shapes differ from [`weights_of`] the same network: files are checked by
/// [`weights_from_bytes`] before they come here.
pub fn with_weights<M: Module>(net: M, weights: &[Weight]) -> M {
    let mut writer = Writer {
        left: weights.iter(),
    };
    let net = net.map(&mut writer);
    assert!(
        writer.left.next().is_none(),
        "more weights than the network holds"
    );
    net
}

/// Writes `weights` as the bytes of a safetensors file.
///
/// # Errors
/// If a shape does not match its number of values.
pub fn bytes_from_weights(weights: &[Weight]) -> Result<Vec<u8>> {
    bytes_with_header(weights, None)
}

/// The same, with what its header says besides. More than one entry has no order of its own.
pub(super) fn bytes_with_header(
    weights: &[Weight],
    header: Option<HashMap<String, String>>,
) -> Result<Vec<u8>> {
    let bytes: Vec<Vec<u8>> = weights
        .iter()
        .map(|weight| {
            weight
                .values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        })
        .collect();
    let views = weights
        .iter()
        .zip(&bytes)
        .map(|(weight, bytes)| as_view(weight, bytes));
    let views = views.collect::<Result<Vec<_>>>()?;
    safetensors::tensor::serialize(views, header).map_err(|error| refused(error.to_string()))
}

/// Reads weights that must match `wanted` in names and shapes; gives them in that order.
///
/// # Errors
/// If the bytes are no safetensors file, or hold other tensors than the network needs.
pub fn weights_from_bytes(bytes: &[u8], wanted: &[Weight]) -> Result<Vec<Weight>> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| refused(error.to_string()))?;
    if file.len() != wanted.len() {
        return Err(refused(format!(
            "{} tensors instead of {}",
            file.len(),
            wanted.len()
        )));
    }
    wanted
        .iter()
        .map(|wanted| read_one(&file, wanted))
        .collect()
}

fn read_one(file: &SafeTensors<'_>, wanted: &Weight) -> Result<Weight> {
    let name = &wanted.name;
    let found = file
        .tensor(name)
        .map_err(|error| refused(format!("{name}: {error}")))?;
    if found.dtype() != Dtype::F32 || found.shape() != wanted.shape {
        let (dtype, shape) = (found.dtype(), found.shape());
        return Err(refused(format!(
            "{name} is {dtype:?} {shape:?}, not F32 {:?}",
            wanted.shape
        )));
    }
    let values = found
        .data()
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let values: Vec<f32> = values.collect();
    if values.iter().any(|value| !value.is_finite()) {
        return Err(refused(format!("{name} holds values that are not numbers")));
    }
    Ok(Weight {
        name: name.clone(),
        shape: wanted.shape.clone(),
        values,
    })
}

fn as_view<'a>(weight: &'a Weight, bytes: &'a [u8]) -> Result<(&'a str, TensorView<'a>)> {
    let view = TensorView::new(Dtype::F32, weight.shape.clone(), bytes)
        .map_err(|error| refused(format!("{}: {error}", weight.name)))?;
    Ok((&weight.name, view))
}

fn refused(reason: String) -> Error {
    Error::Weights {
        network: "face model",
        reason,
    }
}

struct Reader {
    path: Vec<String>,
    found: Vec<Weight>,
}

impl ModuleVisitor for Reader {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let (name, shape) = (self.path.join("."), tensor.dims().to_vec());
        self.found.push(Weight {
            name,
            shape,
            values: values(tensor),
        });
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }
}

struct Writer<'a> {
    left: std::slice::Iter<'a, Weight>,
}

impl ModuleMapper for Writer<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let weight = self.left.next();
        assert!(weight.is_some(), "fewer weights than the network holds");
        let Some(weight) = weight else { return param };
        let is_learned = param.is_require_grad();
        param.map(|old| {
            assert_eq!(
                weight.shape,
                old.dims().to_vec(),
                "{} has another shape",
                weight.name
            );
            let data = TensorData::new(weight.values.clone(), weight.shape.clone());
            Tensor::from_data(data, &old.device()).set_require_grad(is_learned)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face_model::Shape;

    fn filled() -> Vec<Weight> {
        let net = Shape {
            side: 16,
            channels: 2,
            latent: 3,
        }
        .init(2, &Device::flex());
        let mut weights = weights_of(&net);
        for (number, weight) in weights.iter_mut().enumerate() {
            for (place, value) in weight.values.iter_mut().enumerate() {
                *value = number as f32 + place as f32 * 0.001;
            }
        }
        weights
    }

    #[test]
    fn weights_come_back_from_a_network_and_from_a_file() {
        let weights = filled();
        let net = Shape {
            side: 16,
            channels: 2,
            latent: 3,
        }
        .init(2, &Device::flex());
        assert_eq!(weights_of(&with_weights(net, &weights)), weights);
        let bytes = bytes_from_weights(&weights).unwrap();
        assert_eq!(weights_from_bytes(&bytes, &weights).unwrap(), weights);
    }

    #[test]
    fn names_are_the_path_of_the_field() {
        let names: Vec<String> = filled().into_iter().map(|weight| weight.name).collect();
        assert_eq!(names[0], "encoder.halving1.weight");
        // Saved models and the base have these names.
        let encoder = ["halving1", "halving2", "to_latent"].map(|l| format!("encoder.{l}"));
        let decoder = |person: usize| {
            let layers = [
                "from_latent",
                "doubling1",
                "doubling2",
                "refine",
                "to_pixels",
            ];
            layers.map(|l| format!("decoders.{person}.{l}"))
        };
        let layers = encoder.into_iter().chain(decoder(0)).chain(decoder(1));
        let mut wanted: Vec<String> = layers
            .flat_map(|layer| [format!("{layer}.weight"), format!("{layer}.bias")])
            .chain([0, 1].map(|person| format!("decoders.{person}.mean")))
            .collect();
        wanted.sort();
        let mut names = names;
        names.sort();
        assert_eq!(names, wanted);
    }

    #[test]
    fn foreign_weights_are_refused() {
        let weights = filled();
        let mut other = weights.clone();
        other[0].name.push('x');
        assert!(weights_from_bytes(&bytes_from_weights(&other).unwrap(), &weights).is_err());
        let bytes = bytes_from_weights(&weights).unwrap();
        assert!(weights_from_bytes(&bytes[..bytes.len() - 5], &weights).is_err());
        let mut broken = weights.clone();
        broken[1].values[0] = f32::NAN;
        assert!(weights_from_bytes(&bytes_from_weights(&broken).unwrap(), &weights).is_err());
    }
}
