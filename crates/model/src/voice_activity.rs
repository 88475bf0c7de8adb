//! The network that hears whether somebody speaks.
//!
//! Silero VAD (Silero Team, MIT), whose half for 16,000 samples a second `recipes import activity`
//! converts: a spectrum, four convolutions over its four frames, and an LSTM that remembers what came
//! before. It runs on the processor alone, in a small share of the time that the sound lasts.

use std::sync::Arc;

use crate::cpu::{Conv1d, Dense, Frames, Lstm, LstmWeights, Memory, sigmoid};
use crate::error::Result;
use crate::weights::{Tensors, Weights};

/// The network, cheap to clone.
#[derive(Clone, Debug)]
pub struct VoiceActivity(Arc<Layers>);

/// What the network remembers of the sound so far.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The last samples of the block before.
    context: [f32; N_CONTEXT],
    memory: Memory,
}

#[derive(Debug)]
struct Layers {
    spectrum: Conv1d,
    convs: [Conv1d; 4],
    lstm: Lstm,
    to_speech: Dense,
}

/// Samples of the block before that are looked at again.
const N_CONTEXT: usize = 64;
/// Samples that are mirrored at the end.
const N_MIRRORED: usize = 64;
/// A frame of the spectrum, and from one to the next, in samples.
const N_FRAME: usize = 256;
const N_STEP: usize = 128;
/// Frequencies of the spectrum, of which each has a real and an imaginary part.
const N_FREQUENCIES: usize = 129;
/// Channels given and stride of each convolution.
const CONVS: [[usize; 2]; 4] = [[128, 1], [64, 2], [64, 2], [128, 1]];
/// What the LSTM remembers.
const N_HIDDEN: usize = 128;

impl VoiceActivity {
    /// Samples a second that the network knows.
    pub const RATE_HZ: u32 = 16_000;
    /// Samples of a block.
    pub const N_BLOCK: usize = 512;

    /// Loads the network from `weights`.
    ///
    /// # Errors
    /// When its file is missing, damaged or another network's.
    pub fn load(weights: &Weights) -> Result<Self> {
        let layers = weights.read("activity", Layers::read)?;
        Ok(Self(Arc::new(layers)))
    }

    /// Begins to listen: nothing was heard yet.
    pub fn begin(&self) -> Heard {
        Heard {
            context: [0.0; N_CONTEXT],
            memory: self.0.lstm.memory(1),
        }
    }

    /// Gives the probability that somebody speaks in the block that follows on what was `heard`.
    pub fn hear(&self, block: &[f32; Self::N_BLOCK], heard: &mut Heard) -> f32 {
        let mut samples = Vec::with_capacity(N_CONTEXT + Self::N_BLOCK + N_MIRRORED);
        samples.extend_from_slice(&heard.context);
        samples.extend_from_slice(block);
        // The last sample itself is not repeated.
        samples.extend(block.iter().rev().skip(1).take(N_MIRRORED));
        heard
            .context
            .copy_from_slice(&block[Self::N_BLOCK - N_CONTEXT..]);
        self.0.speech(&samples, &mut heard.memory)
    }
}

impl Layers {
    fn read(tensors: &Tensors<'_>) -> std::result::Result<Self, String> {
        let filters = tensors.values("spectrum.weight", &[2 * N_FREQUENCIES, 1, N_FRAME])?;
        let inputs = std::iter::once(N_FREQUENCIES).chain(CONVS.iter().map(|&[n, _]| n));
        let conv = |(i, (n_inputs, [n, stride])): (usize, (usize, [usize; 2]))| {
            let weights = tensors.values(&format!("convs.{i}.weight"), &[n, n_inputs, 3])?;
            let biases = tensors.values(&format!("convs.{i}.bias"), &[n])?;
            Ok(Conv1d::new(&weights, biases, stride))
        };
        let convs = inputs.zip(CONVS).enumerate().map(conv);
        let convs: Vec<Conv1d> = convs.collect::<std::result::Result<_, String>>()?;
        let to_speech = tensors.values("to_speech.weight", &[1, N_HIDDEN, 1])?;
        Ok(Self {
            spectrum: Conv1d::of_samples(&filters, N_FRAME, N_STEP),
            convs: convs
                .try_into()
                .map_err(|convs: Vec<Conv1d>| format!("{} convolutions", convs.len()))?,
            lstm: Lstm::new(&LstmWeights {
                inputs: tensors.values("lstm.inputs", &[4 * N_HIDDEN, N_HIDDEN])?,
                state: tensors.values("lstm.state", &[4 * N_HIDDEN, N_HIDDEN])?,
                biases: tensors.values("lstm.bias", &[4 * N_HIDDEN])?,
            }),
            to_speech: Dense::of_rows(&to_speech, tensors.values("to_speech.bias", &[1])?),
        })
    }

    fn speech(&self, samples: &[f32], memory: &mut Memory) -> f32 {
        let parts = self.spectrum.run_on_samples(samples);
        let mut frames = Frames::new(parts.n, N_FREQUENCIES.next_multiple_of(16));
        for i in 0..parts.n {
            let (real, rest) = parts.frame(i).split_at(N_FREQUENCIES);
            let lengths = real.iter().zip(rest).map(|(re, im)| re.hypot(*im));
            for (value, length) in frames.frame_mut(i).iter_mut().zip(lengths) {
                *value = length;
            }
        }
        // 129 × 4 frames → 128 × 4 → 64 × 2 → 64 × 1 → 128 × 1
        let features = self
            .convs
            .iter()
            .fold(frames, |frames, conv| conv.run_relu(&frames));
        self.lstm.step(features.frame(0), memory);
        let felt: Vec<f32> = memory.hidden.iter().map(|h| h.max(0.0)).collect();
        sigmoid(self.to_speech.run(&felt)[0])
    }
}

#[cfg(test)]
mod tests;
