//! Resemblyzer's encoder of voices, from its package (Apache-2.0).

use anyhow::Result;

use super::Args;
use super::package::{Format, Package};
use super::tensors::{Checkpoint, Tensors, sum};

const PACKAGE: Package = Package {
    name: "Resemblyzer",
    version: "0.1.4",
    sha256: "8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f",
    format: Format::Wheel {
        python: "3.11",
        platform: "any",
    },
};
const MODEL: &str = "resemblyzer/pretrained.pt";
const FILE: &str = "speaker.safetensors";
/// LSTMs, one upon the other.
const N_LAYERS: usize = 3;

/// Fetches, checks and converts the network, and prints the entry for the table of weights.
pub(super) fn import(args: &Args) -> Result<()> {
    PACKAGE.convert(args, MODEL, FILE, convert)
}

fn convert(model: &[u8]) -> Result<Vec<u8>> {
    let model = Checkpoint::read(model, Some("model_state"))?;
    let mut tensors = Tensors::default();
    let mut take = |theirs: &str, ours: &str| {
        let (shape, values) = model.values(theirs)?;
        tensors.keep(ours, &shape, &values);
        Ok::<_, anyhow::Error>(())
    };
    for i in 0..N_LAYERS {
        take(
            &format!("lstm.weight_ih_l{i}"),
            &format!("lstms.{i}.inputs"),
        )?;
        take(&format!("lstm.weight_hh_l{i}"), &format!("lstms.{i}.state"))?;
    }
    take("linear.weight", "to_voice.weight")?;
    take("linear.bias", "to_voice.bias")?;
    for i in 0..N_LAYERS {
        // Two biases that are only ever added.
        let (shape, biases) = model.values(&format!("lstm.bias_ih_l{i}"))?;
        let (_, more) = model.values(&format!("lstm.bias_hh_l{i}"))?;
        tensors.keep(&format!("lstms.{i}.bias"), &shape, &sum(&biases, &more)?);
    }
    tensors.to_file()
}
