//! Convolutions over time: frames in order, channels side by side.

use super::{CHUNK, Packed, Sizes, kernel};

/// Frames in order, with one of zeros before and one behind.
#[derive(Clone, Debug)]
pub(crate) struct Frames {
    pub(crate) n: usize,
    pub(crate) channels: usize,
    values: Vec<f32>,
}

impl Frames {
    pub(crate) fn new(n: usize, channels: usize) -> Self {
        Self {
            n,
            channels,
            values: vec![0.0; (n + 2) * channels],
        }
    }

    pub(crate) fn frame(&self, i: usize) -> &[f32] {
        &self.values[(i + 1) * self.channels..][..self.channels]
    }

    pub(crate) fn frame_mut(&mut self, i: usize) -> &mut [f32] {
        &mut self.values[(i + 1) * self.channels..][..self.channels]
    }
}

/// A convolution of three frames each, or a filter bank over samples.
#[derive(Debug)]
pub(crate) struct Conv1d {
    stride: usize,
    packed: Packed,
}

impl Conv1d {
    /// Packs a convolution of three frames, `[output, input, 3]`, around which there are zeros.
    pub(crate) fn new(weights: &[f32], biases: Vec<f32>, stride: usize) -> Self {
        const N_TAPS: usize = 3;
        let n_outputs = biases.len();
        let n_inputs = weights.len() / n_outputs / N_TAPS;
        let weight = |output: usize, tap: usize, input: usize| {
            let is_there = input < n_inputs; // channels that fill a chunk are zeros
            if is_there {
                weights[(output * n_inputs + input) * N_TAPS + tap]
            } else {
                0.0
            }
        };
        let sizes = Sizes {
            n_outputs,
            n_taps: N_TAPS,
            n_inputs: n_inputs.next_multiple_of(CHUNK),
        };
        Self {
            stride,
            packed: Packed::new(sizes, Some(biases), weight),
        }
    }

    /// Packs filters over samples, `[output, sample]`.
    pub(crate) fn of_samples(weights: &[f32], n_samples: usize, stride: usize) -> Self {
        let weight =
            |output: usize, _tap: usize, sample: usize| weights[output * n_samples + sample];
        let sizes = Sizes {
            n_outputs: weights.len() / n_samples,
            n_taps: 1,
            n_inputs: n_samples,
        };
        Self {
            stride,
            packed: Packed::new(sizes, None, weight),
        }
    }

    /// The convolution of frames with a plain ReLU.
    pub(crate) fn run_relu(&self, input: &Frames) -> Frames {
        let shifts = [0, input.channels, 2 * input.channels];
        let sums = Sums {
            input: &input.values,
            step: self.stride * input.channels,
            shifts: &shifts,
            n: (input.n - 1) / self.stride + 1,
        };
        self.run(&sums, Some(0.0))
    }

    /// What the filters make of samples.
    pub(crate) fn run_on_samples(&self, samples: &[f32]) -> Frames {
        let sums = Sums {
            input: samples,
            step: self.stride,
            shifts: &[0],
            n: (samples.len() - self.packed.n_inputs) / self.stride + 1,
        };
        self.run(&sums, None)
    }

    fn run(&self, sums: &Sums<'_>, slope: Option<f32>) -> Frames {
        let mut output = Frames::new(sums.n, self.packed.n_padded());
        let place = |i: usize| kernel::Place {
            from: i * sums.step,
            to: (i + 1) * output.channels,
        };
        let places: Vec<kernel::Place> = (0..sums.n).map(place).collect();
        kernel::run(kernel::Layer {
            packed: &self.packed,
            input: sums.input,
            shifts: sums.shifts,
            places: &places,
            add: None,
            slope,
            output: &mut output.values,
        });
        output
    }
}

/// What is summed up for each frame of the output.
struct Sums<'a> {
    input: &'a [f32],
    /// From one frame's first input to the next one's.
    step: usize,
    /// Where each tap's inputs begin behind that.
    shifts: &'a [usize],
    n: usize,
}
