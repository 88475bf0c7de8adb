//! Silero VAD, from the package `silero-vad` (MIT): the half of it that hears 16,000 samples a second.

use anyhow::{Result, ensure};
use safetensors::{Dtype, SafeTensors};

use super::Args;
use super::package::{Format, Package};
use super::tensors::{Tensors, sum};

const PACKAGE: Package = Package {
    name: "silero-vad",
    version: "6.2.3",
    sha256: "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
    format: Format::Wheel {
        python: "3.11",
        platform: "any",
    },
};
const MODEL: &str = "silero_vad/data/silero_vad_16k.safetensors";
const FILE: &str = "activity.safetensors";

/// Fetches, checks and converts the network, and prints the entry for the table of weights.
pub(super) fn import(args: &Args) -> Result<()> {
    PACKAGE.convert(args, MODEL, FILE, convert)
}

fn convert(model: &[u8]) -> Result<Vec<u8>> {
    let model = SafeTensors::deserialize(model)?;
    let values = |name: &str| -> Result<(Vec<usize>, Vec<f32>)> {
        let view = model.tensor(name)?;
        ensure!(view.dtype() == Dtype::F32, "{name} is no f32");
        let (numbers, _) = view.data().as_chunks();
        let values = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes));
        Ok((view.shape().to_vec(), values.collect()))
    };
    let mut tensors = Tensors::default();
    let mut take = |theirs: &str, ours: &str| {
        let (shape, values) = values(theirs)?;
        tensors.keep(ours, &shape, &values);
        Ok::<_, anyhow::Error>(())
    };
    take("stft_conv.weight", "spectrum.weight")?;
    for i in 1..=4 {
        for part in ["weight", "bias"] {
            take(
                &format!("conv{i}.{part}"),
                &format!("convs.{}.{part}", i - 1),
            )?;
        }
    }
    take("lstm_cell.weight_ih", "lstm.inputs")?;
    take("lstm_cell.weight_hh", "lstm.state")?;
    take("final_conv.weight", "to_speech.weight")?;
    take("final_conv.bias", "to_speech.bias")?;
    let (shape, biases) = values("lstm_cell.bias_ih")?;
    let biases = sum(&biases, &values("lstm_cell.bias_hh")?.1)?;
    tensors.keep("lstm.bias", &shape, &biases);
    tensors.to_file()
}
