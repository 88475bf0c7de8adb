//! The network that knows voices: a vector for 1.6 s of speech.
//!
//! Wan et al., "Generalized End-to-End Loss for Speaker Verification", ICASSP 2018, as trained for
//! Resemblyzer (Resemble AI, Apache-2.0); `recipes import speaker` converts the weights. Three LSTMs, one
//! upon the other, read 160 frames of 40 mel bands; what the last remembers becomes the vector. It
//! runs on the processor alone, and costs least for many windows at a time.

use std::sync::Arc;

use crate::cpu::{Dense, Lstm, LstmWeights, Memory};
use crate::error::Result;
use crate::weights::{Tensors, Weights};

/// How many numbers a voice has.
pub const N_VOICE: usize = 256;

/// Whose voice speaks: a vector of length one; of several windows, the mean of their vectors, scaled.
#[derive(Clone, Debug, PartialEq)]
pub struct Voice([f32; N_VOICE]);

/// The network, cheap to clone.
#[derive(Clone, Debug)]
pub struct SpeakerEncoder(Arc<Layers>);

#[derive(Debug)]
struct Layers {
    lstms: Vec<Lstm>,
    to_voice: Dense,
}

/// LSTMs, one upon the other, and what each remembers.
const N_LAYERS: usize = 3;
const N_HIDDEN: usize = 256;

impl SpeakerEncoder {
    /// Samples a second of the sound that mel bands are taken of.
    pub const RATE_HZ: u32 = 16_000;
    /// Mel bands of a frame.
    pub const N_BANDS: usize = 40;
    /// Frames of a window, a hundredth of a second from one to the next.
    pub const N_FRAMES: usize = 160;
    /// Windows that are worked on together: as many as make good use of the weights in the cache.
    pub const N_TOGETHER: usize = 32;

    /// Loads the network from `weights`.
    ///
    /// # Errors
    /// When its file is missing, damaged or another network's.
    pub fn load(weights: &Weights) -> Result<Self> {
        let layers = weights.read("speaker", Layers::read)?;
        Ok(Self(Arc::new(layers)))
    }

    /// Gives the voice of each window, `[frame][band]` of power; `None` of one that has no voice, as
    /// where a number is none.
    ///
    /// # Panics
    /// If a window has another number of frames or bands: the caller's mistake.
    pub fn embed(&self, windows: &[&[f32]]) -> Vec<Option<Voice>> {
        let n = Self::N_FRAMES * Self::N_BANDS;
        assert!(windows.iter().all(|window| window.len() == n));
        let together = windows.chunks(Self::N_TOGETHER);
        together.flat_map(|windows| self.0.embed(windows)).collect()
    }
}

impl Layers {
    fn read(tensors: &Tensors<'_>) -> std::result::Result<Self, String> {
        let lstm = |i: usize| {
            let n_inputs = if i == 0 {
                SpeakerEncoder::N_BANDS
            } else {
                N_HIDDEN
            };
            let values =
                |part: &str, shape: &[usize]| tensors.values(&format!("lstms.{i}.{part}"), shape);
            Ok(Lstm::new(&LstmWeights {
                inputs: values("inputs", &[4 * N_HIDDEN, n_inputs])?,
                state: values("state", &[4 * N_HIDDEN, N_HIDDEN])?,
                biases: values("bias", &[4 * N_HIDDEN])?,
            }))
        };
        let lstms = (0..N_LAYERS).map(lstm);
        let to_voice = tensors.values("to_voice.weight", &[N_VOICE, N_HIDDEN])?;
        let biases = tensors.values("to_voice.bias", &[N_VOICE])?;
        Ok(Self {
            lstms: lstms.collect::<std::result::Result<_, String>>()?,
            to_voice: Dense::of_rows(&to_voice, biases),
        })
    }

    fn embed(&self, windows: &[&[f32]]) -> Vec<Option<Voice>> {
        const N_BANDS: usize = SpeakerEncoder::N_BANDS;
        let memories = self.lstms.iter().map(|lstm| lstm.memory(windows.len()));
        let mut memories: Vec<Memory> = memories.collect();
        for frame in 0..SpeakerEncoder::N_FRAMES {
            let bands = windows
                .iter()
                .flat_map(|window| &window[frame * N_BANDS..(frame + 1) * N_BANDS]);
            let mut inputs: Vec<f32> = bands.copied().collect();
            for (lstm, memory) in self.lstms.iter().zip(&mut memories) {
                lstm.step(&inputs, memory);
                inputs.clone_from(&memory.hidden);
            }
        }
        let last = memories.last().map_or(&[][..], |memory| &memory.hidden);
        let voice = |hidden: &[f32]| {
            let values = self.to_voice.run(hidden);
            Voice::from_values(std::array::from_fn(|i| values[i].max(0.0)))
        };
        last.chunks_exact(N_HIDDEN).map(voice).collect()
    }
}

impl Voice {
    /// Scales `values` to length one; `None` when they are all zero or not finite.
    pub fn from_values(values: [f32; N_VOICE]) -> Option<Self> {
        let length = values.iter().map(|v| v * v).sum::<f32>().sqrt();
        (length.is_finite() && length > 0.0).then(|| Self(values.map(|v| v / length)))
    }

    /// Gives the vector.
    pub fn values(&self) -> &[f32; N_VOICE] {
        &self.0
    }

    /// Says how alike two voices are, up to 1: the cosine of the angle between their vectors.
    pub fn similarity(&self, other: &Self) -> f32 {
        let both = self.0.iter().zip(&other.0);
        both.map(|(a, b)| a * b).sum::<f32>().min(1.0)
    }

    /// Averages windows of one voice; `None` when there are none.
    pub fn mean<'a>(voices: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut sum = [0.0; N_VOICE];
        for voice in voices {
            for (sum, value) in sum.iter_mut().zip(&voice.0) {
                *sum += value;
            }
        }
        Self::from_values(sum)
    }
}

#[cfg(test)]
mod tests;
