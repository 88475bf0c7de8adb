//! CPU inference: the layers of our networks on one core, without tensors. This is what runs when
//! faces are looked for, and voices.
//!
//! A [`Map`] holds its channels side by side and has a border of zeros, so that a 3 × 3
//! convolution is one pass of multiply-adds over contiguous numbers. Weights are packed once for
//! blocks of [`BLOCK`] outputs. The results agree with burn's up to rounding; tests compare both.

mod conv1d;
mod inverted;
mod kernel;
mod lstm;
mod map;
mod separable;

use burn::nn::conv::Conv2d;
use burn::nn::{Linear, PaddingConfig2d};
use effigy_frame::Picture;

use crate::layers::Residual;
use crate::tensors::values;

pub(crate) use conv1d::{Conv1d, Frames};
pub(crate) use inverted::Inverted;
pub(crate) use lstm::{Lstm, LstmWeights, Memory, sigmoid};
pub(crate) use map::Map;
pub(crate) use separable::{Pointwise, Separable, Stem};

/// Outputs that are computed together.
const BLOCK: usize = 32;
/// Inputs that are read together; every layer's number of inputs is a multiple.
const CHUNK: usize = 16;

/// A 3 × 3 convolution with padding 1, or 0.
#[derive(Debug)]
pub(crate) struct Conv {
    stride: usize,
    padding: usize,
    packed: Packed,
}

/// A convolution over the pixels of a picture, without padding; its filters are wider than 3 × 3.
#[derive(Debug)]
pub(crate) struct PictureConv {
    side: usize,
    stride: usize,
    packed: Packed,
}

/// A linear layer.
#[derive(Debug)]
pub(crate) struct Dense {
    packed: Packed,
}

/// Two convolutions whose result is added to their input.
#[derive(Debug)]
pub(crate) struct Pair {
    first: Conv,
    second: Conv,
}

/// Weights by blocks of outputs, then taps, then inputs: `[block][tap][input][BLOCK]`.
#[derive(Debug)]
struct Packed {
    n_inputs: usize,
    n_outputs: usize,
    n_taps: usize,
    weights: Aligned,
    biases: Vec<f32>,
}

/// How large a layer is.
#[derive(Clone, Copy)]
struct Sizes {
    n_outputs: usize,
    /// Cells of the input that an output reads: nine, or one.
    n_taps: usize,
    n_inputs: usize,
}

/// What is done to a layer's sums.
#[derive(Clone, Copy)]
enum Finish<'a> {
    Nothing,
    /// A leaky ReLU with this slope; 0 is the plain one.
    LeakyRelu(f32),
    /// The same after adding a map.
    AddAndLeakyRelu(&'a Map, f32),
}

impl Conv {
    pub(crate) fn new(conv: &Conv2d) -> Self {
        let [n_outputs, n_inputs, _, _] = conv.weight.dims();
        let raw = values(conv.weight.val()); // [output][input][tap]
        let weight = |output: usize, tap: usize, input: usize| {
            let is_there = input < n_inputs; // channels that fill a chunk are zeros
            if is_there {
                raw[(output * n_inputs + input) * 9 + tap]
            } else {
                0.0
            }
        };
        let biases = conv.bias.as_ref().map(|bias| values(bias.val()));
        Self {
            stride: conv.stride[0],
            padding: match &conv.padding {
                PaddingConfig2d::Valid => 0,
                _ => 1,
            },
            packed: Packed::new(
                Sizes {
                    n_outputs,
                    n_taps: 9,
                    n_inputs: n_inputs.next_multiple_of(CHUNK),
                },
                biases,
                weight,
            ),
        }
    }

    /// The convolution alone.
    pub(crate) fn run(&self, input: &Map) -> Map {
        self.finished(input, Finish::Nothing)
    }

    /// The convolution and a leaky ReLU.
    pub(crate) fn run_leaky_relu(&self, input: &Map) -> Map {
        self.finished(input, Finish::LeakyRelu(SLOPE))
    }

    /// The convolution with a plain ReLU.
    pub(crate) fn run_relu(&self, input: &Map) -> Map {
        self.finished(input, Finish::LeakyRelu(0.0))
    }

    /// The convolution and a leaky ReLU after adding a map of its size.
    pub(crate) fn run_adding_leaky_relu(&self, input: &Map, more: &Map) -> Map {
        self.finished(input, Finish::AddAndLeakyRelu(more, SLOPE))
    }

    fn finished(&self, input: &Map, finish: Finish<'_>) -> Map {
        let steps = |n: usize| (n + 2 * self.padding - 3) / self.stride + 1;
        let (rows, columns) = (steps(input.rows), steps(input.columns));
        let mut output = Map::new(rows, columns, self.packed.n_padded());
        let span = (input.columns + 2) * input.channels;
        let step = self.stride * input.channels;
        // Without padding the first filter lies inside the border.
        let inset = (1 - self.padding) * (span + input.channels);
        let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let places = cells
            .map(|(row, column)| kernel::Place {
                from: inset + row * self.stride * span + column * step,
                to: output.place(row, column),
            })
            .collect::<Vec<_>>();
        let shift = |tap: usize| tap / 3 * span + tap % 3 * input.channels;
        let add = match finish {
            Finish::AddAndLeakyRelu(more, _) => Some(more.values.as_slice()),
            Finish::Nothing | Finish::LeakyRelu(_) => None,
        };
        let shape = (output.rows, output.columns, output.channels);
        if let Finish::AddAndLeakyRelu(more, _) = finish {
            assert_eq!((more.rows, more.columns, more.channels), shape);
        }
        kernel::run(kernel::Layer {
            packed: &self.packed,
            input: &input.values,
            shifts: &std::array::from_fn::<usize, 9, _>(shift),
            places: &places,
            add,
            slope: finish.slope(),
            output: &mut output.values,
        });
        output
    }
}

impl Finish<'_> {
    fn slope(self) -> Option<f32> {
        match self {
            Self::Nothing => None,
            Self::LeakyRelu(slope) | Self::AddAndLeakyRelu(_, slope) => Some(slope),
        }
    }
}

impl PictureConv {
    /// Packs a convolution of three colours, `[output, 3, side, side]`.
    pub(crate) fn new(conv: &Conv2d) -> Self {
        let [n_outputs, n_colours, side, _] = conv.weight.dims();
        let raw = values(conv.weight.val());
        // A tap is a row of the filter: its pixels lie side by side in the picture.
        let weight = |output: usize, row: usize, input: usize| {
            let (column, colour) = (input / n_colours, input % n_colours);
            let at = ((output * n_colours + colour) * side + row) * side + column;
            if column < side { raw[at] } else { 0.0 }
        };
        let n_inputs = (side * n_colours).next_multiple_of(CHUNK);
        let biases = conv.bias.as_ref().map(|bias| values(bias.val()));
        Self {
            side,
            stride: conv.stride[0],
            packed: Packed::new(
                Sizes {
                    n_outputs,
                    n_taps: side,
                    n_inputs,
                },
                biases,
                weight,
            ),
        }
    }

    /// The convolution of a picture with a plain ReLU; `scaled` turns a pixel's colours into inputs.
    pub(crate) fn run_relu(&self, picture: &Picture, scaled: fn([u8; 3]) -> [f32; 3]) -> Map {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let pixels = picture.pixels().chunks_exact(3);
        let mut input: Vec<f32> = pixels
            .flat_map(|rgb| scaled([rgb[0], rgb[1], rgb[2]]))
            .collect();
        // The last row of the last filter reads a little on, with weights of zero.
        input.resize(input.len() + self.packed.n_inputs, 0.0);
        let steps = |n: usize| (n - self.side) / self.stride + 1;
        let (rows, columns) = (steps(height), steps(width));
        let mut output = Map::new(rows, columns, self.packed.n_padded());
        let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let places = cells
            .map(|(row, column)| kernel::Place {
                from: 3 * self.stride * (row * width + column),
                to: output.place(row, column),
            })
            .collect::<Vec<_>>();
        let shifts: Vec<usize> = (0..self.side).map(|row| 3 * row * width).collect();
        kernel::run(kernel::Layer {
            packed: &self.packed,
            input: &input,
            shifts: &shifts,
            places: &places,
            add: None,
            slope: Some(0.0),
            output: &mut output.values,
        });
        output
    }
}

impl Pair {
    pub(crate) fn new(residual: &Residual) -> Self {
        let (first, second) = residual.convolutions();
        Self {
            first: Conv::new(first),
            second: Conv::new(second),
        }
    }

    /// Two convolutions with a plain ReLU each.
    pub(crate) fn of_convolutions(first: &Conv2d, second: &Conv2d) -> Self {
        Self {
            first: Conv::new(first),
            second: Conv::new(second),
        }
    }

    pub(crate) fn run(&self, input: &Map) -> Map {
        let branch = self.first.run_leaky_relu(input);
        self.second
            .finished(&branch, Finish::AddAndLeakyRelu(input, SLOPE))
    }

    /// The same with plain ReLUs.
    pub(crate) fn run_relu(&self, input: &Map) -> Map {
        let branch = self.first.run_relu(input);
        self.second
            .finished(&branch, Finish::AddAndLeakyRelu(input, 0.0))
    }

    /// The same where the first convolution halves the size: the input is halved by means, and of
    /// both what is larger in cells or channels decides.
    pub(crate) fn run_halving(&self, input: &Map) -> Map {
        let branch = self.second.run(&self.first.run_relu(input));
        let mut sum = input.mean_pooled((branch.rows, branch.columns), branch.channels);
        sum.add_and_relu(&branch);
        sum
    }
}

impl Dense {
    /// A layer on a plain vector.
    pub(crate) fn new(linear: &Linear) -> Self {
        Self::reordered(linear, |input| input)
    }

    /// A layer on a plain vector, of weights `[output, input]`.
    pub(crate) fn of_rows(weights: &[f32], biases: Vec<f32>) -> Self {
        let n_outputs = biases.len();
        let n_inputs = weights.len() / n_outputs;
        let weight = |output: usize, _tap: usize, input: usize| weights[output * n_inputs + input];
        let sizes = Sizes {
            n_outputs,
            n_taps: 1,
            n_inputs,
        };
        Self {
            packed: Packed::new(sizes, Some(biases), weight),
        }
    }

    /// A layer on a flattened map, whose weights expect the channels outermost.
    pub(crate) fn on_map(linear: &Linear, n_cells: usize) -> Self {
        let channels = linear.weight.dims()[0] / n_cells;
        Self::reordered(linear, |input| {
            input % channels * n_cells + input / channels
        })
    }

    fn reordered(linear: &Linear, theirs: impl Fn(usize) -> usize) -> Self {
        let [n_inputs, n_outputs] = linear.weight.dims();
        let raw = values(linear.weight.val());
        let weight =
            |output: usize, _tap: usize, input: usize| raw[theirs(input) * n_outputs + output];
        let biases = linear.bias.as_ref().map(|bias| values(bias.val()));
        Self {
            packed: Packed::new(
                Sizes {
                    n_outputs,
                    n_taps: 1,
                    n_inputs,
                },
                biases,
                weight,
            ),
        }
    }

    /// The layer alone.
    pub(crate) fn run(&self, input: &[f32]) -> Vec<f32> {
        self.finished(input, false)
    }

    /// The layer and a leaky ReLU.
    pub(crate) fn run_leaky_relu(&self, input: &[f32]) -> Vec<f32> {
        self.finished(input, true)
    }

    fn finished(&self, input: &[f32], leaky_relu: bool) -> Vec<f32> {
        let mut output = vec![0.0; self.packed.n_padded()];
        kernel::run(kernel::Layer {
            packed: &self.packed,
            input,
            shifts: &[0],
            places: &[kernel::Place { from: 0, to: 0 }],
            add: None,
            slope: leaky_relu.then_some(SLOPE),
            output: &mut output,
        });
        output.truncate(self.packed.n_outputs);
        output
    }
}

impl Packed {
    fn new(
        sizes: Sizes,
        biases: Option<Vec<f32>>,
        weight: impl Fn(usize, usize, usize) -> f32,
    ) -> Self {
        let Sizes {
            n_outputs,
            n_taps,
            n_inputs,
        } = sizes;
        assert!(
            n_inputs.is_multiple_of(CHUNK),
            "{n_inputs} inputs do not fill whole chunks"
        );
        let n_padded = n_outputs.next_multiple_of(BLOCK);
        let mut weights = Aligned::zeros(n_padded * n_taps * n_inputs);
        let mut packed = weights.values_mut().chunks_exact_mut(BLOCK);
        for block in 0..n_padded / BLOCK {
            for (tap, input) in (0..n_taps).flat_map(|t| (0..n_inputs).map(move |i| (t, i))) {
                let lanes = packed.next().into_iter().flatten();
                for (output, lane) in (block * BLOCK..n_outputs).zip(lanes) {
                    *lane = weight(output, tap, input);
                }
            }
        }
        let mut biases = biases.unwrap_or_default();
        biases.resize(n_padded, 0.0);
        Self {
            n_inputs,
            n_outputs,
            n_taps,
            weights,
            biases,
        }
    }

    fn n_padded(&self) -> usize {
        self.biases.len()
    }

    fn block(&self, block: usize) -> &[f32] {
        let length = self.n_taps * self.n_inputs * BLOCK;
        &self.weights.values()[block * length..(block + 1) * length]
    }
}

/// Numbers that begin on a cache line: a vector that straddles two costs two loads.
#[derive(Debug)]
struct Aligned {
    values: Vec<f32>,
    first: usize,
    n: usize,
}

impl Aligned {
    fn zeros(n: usize) -> Self {
        const LINE_BYTES: usize = 64;
        let values = vec![0.0; n + LINE_BYTES / size_of::<f32>()];
        let first = values.as_ptr().align_offset(LINE_BYTES);
        Self { values, first, n }
    }

    fn values(&self) -> &[f32] {
        &self.values[self.first..self.first + self.n]
    }

    fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.first..self.first + self.n]
    }
}

fn leaky_relu_of(value: f32) -> f32 {
    value.max(SLOPE * value)
}

const SLOPE: f32 = crate::layers::SLOPE as f32;

#[cfg(test)]
mod tests;
