//! Layers of the mesh network and of others: 1 × 1 convolutions over a row of cells, and separable blocks, which
//! are a 3 × 3 convolution within each channel, one across channels, and what went in added.
//!
//! A block that keeps the size works in place: two rows of the inner convolution are kept, so that
//! a row is overwritten only when no later one reads it.

use burn::module::Param;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::prelude::*;
use effigy_frame::Picture;
use pulp::{Simd, WithSimd};

use super::kernel::{chunk, vectors};
use super::{Aligned, CHUNK, Map};
use crate::tensors::values;

/// Outputs that are computed together; every layer's number of outputs is a multiple.
const OUTPUTS: usize = 16;

/// A 1 × 1 convolution and a ReLU with a slope for each channel.
#[derive(Debug)]
pub(crate) struct Pointwise {
    n_inputs: usize,
    n_outputs: usize,
    /// `[outputs / 16][input][16]`
    weights: Aligned,
    biases: Vec<f32>,
    slopes: Vec<f32>,
}

/// A separable block.
#[derive(Debug)]
pub(crate) struct Separable {
    stride: usize,
    /// `[tap][channel]`
    taps: Aligned,
    biases: Vec<f32>,
    across: Pointwise,
}

/// A 3 × 3 convolution of a picture that halves its size, and a ReLU with a slope for each channel.
#[derive(Debug)]
pub(crate) struct Stem {
    across: Pointwise,
    /// Pixels beyond the upper and the left edge, 0 or 1.
    before: usize,
    /// The colour of what lies beyond the picture.
    beyond: [f32; 3],
}

impl Pointwise {
    /// Packs a convolution of `[output, input, 1, 1]`.
    pub(crate) fn new(conv: &Conv2d, slopes: &Param<Tensor<1>>) -> Self {
        let [n_outputs, n_inputs, ..] = conv.weight.dims();
        let raw = values(conv.weight.val());
        let weight = |output: usize, input: usize| raw[output * n_inputs + input];
        Self::packed(
            n_inputs,
            weight,
            biases(conv, n_outputs),
            values(slopes.val()),
        )
    }

    /// Packs a convolution of `[output, input, 1, 1]` without a ReLU.
    pub(crate) fn linear(conv: &Conv2d) -> Self {
        Self::padded(conv, 1.0)
    }

    /// Packs a convolution of `[output, input, 1, 1]` with a plain ReLU.
    pub(crate) fn relu(conv: &Conv2d) -> Self {
        Self::padded(conv, 0.0)
    }

    /// Packs a convolution of `[output, input, 1, 1]` with our leaky ReLU.
    pub(crate) fn leaky(conv: &Conv2d) -> Self {
        Self::padded(conv, super::SLOPE)
    }

    /// Packs a convolution of `[output, input, 1, 1]` with one slope for all; channels that do not
    /// fill a block are zeros.
    pub(super) fn padded(conv: &Conv2d, slope: f32) -> Self {
        let [n_outputs, n_inputs, ..] = conv.weight.dims();
        let raw = values(conv.weight.val());
        let weight = |output: usize, input: usize| {
            let is_there = output < n_outputs && input < n_inputs;
            if is_there {
                raw[output * n_inputs + input]
            } else {
                0.0
            }
        };
        let mut biases = biases(conv, n_outputs);
        biases.resize(n_outputs.next_multiple_of(OUTPUTS), 0.0);
        let slopes = vec![slope; biases.len()];
        Self::packed(n_inputs.next_multiple_of(CHUNK), weight, biases, slopes)
    }

    /// Outputs, with those that fill the last block.
    pub(super) fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// As many outputs as there are biases.
    fn packed(
        n_inputs: usize,
        weight: impl Fn(usize, usize) -> f32,
        biases: Vec<f32>,
        slopes: Vec<f32>,
    ) -> Self {
        let n_outputs = biases.len();
        assert!(
            n_outputs.is_multiple_of(OUTPUTS) && n_inputs.is_multiple_of(CHUNK),
            "{n_inputs} inputs and {n_outputs} outputs do not fill whole blocks"
        );
        let mut weights = Aligned::zeros(n_outputs * n_inputs);
        for (i, packed) in weights.values_mut().iter_mut().enumerate() {
            let (block, lane) = (i / (OUTPUTS * n_inputs), i % OUTPUTS);
            *packed = weight(block * OUTPUTS + lane, i / OUTPUTS % n_inputs);
        }
        Self {
            n_inputs,
            n_outputs,
            weights,
            biases,
            slopes,
        }
    }

    /// The layer alone.
    pub(crate) fn run(&self, input: &Map) -> Map {
        let mut output = Map::new(input.rows, input.columns, self.n_outputs);
        vectorized(Rows {
            layer: self,
            input,
            output: &mut output,
        });
        output
    }
}

impl Separable {
    pub(crate) fn new(within: &Conv2d, across: &Conv2d, slopes: &Param<Tensor<1>>) -> Self {
        let [n_channels, ..] = within.weight.dims();
        let raw = values(within.weight.val()); // [channel][tap]
        let mut taps = Aligned::zeros(9 * n_channels);
        for (i, packed) in taps.values_mut().iter_mut().enumerate() {
            *packed = raw[i % n_channels * 9 + i / n_channels];
        }
        Self {
            stride: within.stride[0],
            taps,
            biases: biases(within, n_channels),
            across: Pointwise::new(across, slopes),
        }
    }

    /// The block; what goes in is used up.
    pub(crate) fn run(&self, mut input: Map) -> Map {
        if self.stride == 1 {
            vectorized(InPlace {
                block: self,
                map: &mut input,
            });
            return input;
        }
        let mut output = input.max_halved(self.across.n_outputs);
        vectorized(Halving {
            block: self,
            input: &input,
            output: &mut output,
        });
        output
    }
}

impl Stem {
    pub(crate) fn new(conv: &Conv2d, slopes: &Param<Tensor<1>>) -> Self {
        Self::packed(conv, values(slopes.val()), [0.0; 3], [1.0; 3])
    }

    /// Packs a convolution with a plain ReLU of colours that are first brought to a mean of 0 and a
    /// deviation of 1.
    pub(crate) fn of_standardized(conv: &Conv2d, mean: [f32; 3], deviation: [f32; 3]) -> Self {
        let [n_outputs, ..] = conv.weight.dims();
        Self::packed(conv, vec![0.0; n_outputs], mean, deviation)
    }

    fn packed(conv: &Conv2d, slopes: Vec<f32>, mean: [f32; 3], deviation: [f32; 3]) -> Self {
        let [n_outputs, n_colours, side, _] = conv.weight.dims();
        let raw = values(conv.weight.val()); // [output][colour][row][column]
        let n_taps = side * side * n_colours;
        let weight = |output: usize, input: usize| {
            if input >= n_taps {
                return 0.0;
            }
            let (tap, colour) = (input / n_colours, input % n_colours);
            raw[(output * n_colours + colour) * side * side + tap] / deviation[colour]
        };
        // A mean is taken off by the biases, and lies beyond the picture, where it becomes zero.
        let mut biases = biases(conv, n_outputs);
        for (output, bias) in biases.iter_mut().enumerate() {
            let of_mean = (0..n_taps).map(|i| weight(output, i) * mean[i % n_colours]);
            *bias -= of_mean.sum::<f32>();
        }
        let n_inputs = n_taps.next_multiple_of(CHUNK);
        Self {
            across: Pointwise::packed(n_inputs, weight, biases, slopes),
            before: padding_before(conv),
            beyond: mean,
        }
    }

    /// The layer, on a picture with even sides; colours become `0..=1`.
    pub(crate) fn run(&self, picture: &Picture) -> Map {
        let (rows, columns) = (picture.height() as usize / 2, picture.width() as usize / 2);
        let mut output = Map::new(rows, columns, self.across.n_outputs);
        vectorized(Windows {
            stem: self,
            picture,
            output: &mut output,
        });
        output
    }
}

/// Cells that a convolution reads beyond the upper and the left edge.
pub(super) fn padding_before(conv: &Conv2d) -> usize {
    match conv.padding {
        PaddingConfig2d::Explicit(top, ..) => top,
        PaddingConfig2d::Same => (conv.kernel_size[0] - conv.stride[0]) / 2,
        PaddingConfig2d::Valid => 0,
    }
}

fn biases(conv: &Conv2d, n: usize) -> Vec<f32> {
    let biases = conv.bias.as_ref().map(|bias| values(bias.val()));
    biases.unwrap_or_else(|| vec![0.0; n])
}

/// Runs with the widest vectors that the processor has.
pub(super) fn vectorized(work: impl WithSimd<Output = ()>) {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V4::try_new() {
        return Simd::vectorize(simd, work);
    } else if let Some(simd) = pulp::x86::V3::try_new() {
        return Simd::vectorize(simd, work);
    }
    pulp::Arch::new().dispatch(work);
}

struct Rows<'a> {
    layer: &'a Pointwise,
    input: &'a Map,
    output: &'a mut Map,
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for row in 0..self.input.rows {
            let cells = self.input.row(row);
            add_across(simd, self.layer, cells, self.output.row_mut(row));
        }
    }
}

struct InPlace<'a> {
    block: &'a Separable,
    map: &'a mut Map,
}

impl WithSimd for InPlace<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { block, map } = self;
        let n = map.columns * map.channels;
        let (mut here, mut below) = (vec![0.0; n], vec![0.0; n]);
        convolve_row(simd, block, map, 0, &mut here);
        for row in 0..map.rows {
            if row + 1 < map.rows {
                convolve_row(simd, block, map, row + 1, &mut below);
            }
            add_across(simd, &block.across, &here, map.row_mut(row));
            std::mem::swap(&mut here, &mut below);
        }
    }
}

struct Halving<'a> {
    block: &'a Separable,
    input: &'a Map,
    output: &'a mut Map,
}

impl WithSimd for Halving<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            block,
            input,
            output,
        } = self;
        let mut cells = vec![0.0; output.columns * input.channels];
        for row in 0..output.rows {
            convolve_row(simd, block, input, row, &mut cells);
            add_across(simd, &block.across, &cells, output.row_mut(row));
        }
    }
}

struct Windows<'a> {
    stem: &'a Stem,
    picture: &'a Picture,
    output: &'a mut Map,
}

impl WithSimd for Windows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        const COLOURS: usize = 3;
        let width = self.picture.width() as usize * COLOURS;
        // Beyond two of the edges lies a line of one colour.
        let span = width + COLOURS;
        let n_lines = self.picture.height() as usize + 1;
        let mut lines = self.stem.beyond.repeat(span / COLOURS * n_lines);
        let (above, left) = (self.stem.before, self.stem.before * COLOURS);
        let pixels = self.picture.pixels().chunks_exact(width);
        for (line, pixels) in lines.chunks_exact_mut(span).skip(above).zip(pixels) {
            for (value, &pixel) in line[left..].iter_mut().zip(pixels) {
                *value = f32::from(pixel) * (1.0 / 255.0);
            }
        }
        let n_inputs = self.stem.across.n_inputs;
        let mut cells = vec![0.0; self.output.columns * n_inputs];
        for row in 0..self.output.rows {
            for (column, cell) in cells.chunks_exact_mut(n_inputs).enumerate() {
                let from = 2 * row * span + 2 * column * COLOURS;
                for (k, taps) in cell.chunks_exact_mut(3 * COLOURS).enumerate() {
                    let from = from + k * span;
                    taps.copy_from_slice(&lines[from..from + 3 * COLOURS]);
                }
            }
            add_across(simd, &self.stem.across, &cells, self.output.row_mut(row));
        }
    }
}

/// The 3 × 3 convolution within each channel, of one row of outputs.
#[inline(always)]
fn convolve_row<S: Simd>(simd: S, block: &Separable, input: &Map, row: usize, output: &mut [f32]) {
    let channels = input.channels;
    let span = (input.columns + 2) * channels;
    // Where it halves, the first window lies inside the border.
    let inset = (block.stride - 1) * (span + channels);
    let first = inset + block.stride * row * span;
    let (taps, _) = S::as_simd_f32s(block.taps.values());
    let (biases, _) = S::as_simd_f32s(&block.biases);
    let n_vectors = channels / S::F32_LANES;
    for v in 0..n_vectors {
        let taps: [S::f32s; 9] = std::array::from_fn(|tap| taps[tap * n_vectors + v]);
        let from = first + v * S::F32_LANES;
        let lines: [&[f32]; 3] = std::array::from_fn(|k| &input.values[from + k * span..]);
        for (column, cell) in output.chunks_exact_mut(channels).enumerate() {
            let mut sum = biases[v];
            for (line, taps) in lines.iter().zip(taps.chunks_exact(3)) {
                for (k, &tap) in taps.iter().enumerate() {
                    let at = (block.stride * column + k) * channels;
                    let (value, _) = S::as_simd_f32s(&line[at..at + S::F32_LANES]);
                    sum = simd.mul_add_e_f32s(value[0], tap, sum);
                }
            }
            let (to, _) = S::as_mut_simd_f32s(&mut cell[v * S::F32_LANES..]);
            to[0] = sum;
        }
    }
}

/// Adds the 1 × 1 convolution of a row of cells to what `output` holds, and takes the ReLU.
#[inline(always)]
pub(super) fn add_across<S: Simd>(simd: S, layer: &Pointwise, cells: &[f32], output: &mut [f32]) {
    // Vectors that make up a block, and as many cells as leave the sums in registers.
    match S::F32_LANES {
        16 => add_blocks::<S, 1, 8>(simd, layer, cells, output),
        8 => add_blocks::<S, 2, 6>(simd, layer, cells, output),
        4 => add_blocks::<S, 4, 3>(simd, layer, cells, output),
        _ => add_blocks::<S, OUTPUTS, 1>(simd, layer, cells, output),
    }
}

#[inline(always)]
fn add_blocks<S: Simd, const VECTORS: usize, const CELLS: usize>(
    simd: S,
    layer: &Pointwise,
    cells: &[f32],
    output: &mut [f32],
) {
    assert_eq!(VECTORS * S::F32_LANES, OUTPUTS, "a block is whole vectors");
    let (n_inputs, n_outputs) = (layer.n_inputs, layer.n_outputs);
    let n_cells = cells.len() / n_inputs;
    for block in 0..n_outputs / OUTPUTS {
        let of_block = block * OUTPUTS..(block + 1) * OUTPUTS;
        let biases = vectors::<S, VECTORS>(&layer.biases[of_block.clone()]);
        let slopes = vectors::<S, VECTORS>(&layer.slopes[of_block.clone()]);
        let weights = &layer.weights.values()[block * OUTPUTS * n_inputs..][..OUTPUTS * n_inputs];
        let (weights, _) = S::as_simd_f32s(weights);
        for first in (0..n_cells).step_by(CELLS) {
            // A short last group repeats the last cell.
            let inputs: [&[f32]; CELLS] = std::array::from_fn(|i| {
                &cells[(first + i).min(n_cells - 1) * n_inputs..][..n_inputs]
            });
            let mut sums = [biases; CELLS];
            for (i, weights) in weights.chunks_exact(CHUNK * VECTORS).enumerate() {
                let inputs = inputs.map(|inputs| chunk(inputs, i));
                for k in 0..CHUNK {
                    let weights: [S::f32s; VECTORS] =
                        std::array::from_fn(|v| weights[k * VECTORS + v]);
                    for (inputs, sums) in inputs.iter().zip(&mut sums) {
                        let input = simd.splat_f32s(inputs[k]);
                        for (sum, &weight) in sums.iter_mut().zip(&weights) {
                            *sum = simd.mul_add_e_f32s(input, weight, *sum);
                        }
                    }
                }
            }
            for (cell, sums) in (first..n_cells).zip(sums) {
                let to = cell * n_outputs + block * OUTPUTS;
                let (to, _) = S::as_mut_simd_f32s(&mut output[to..to + OUTPUTS]);
                for ((to, sum), slope) in to.iter_mut().zip(sums).zip(slopes) {
                    let sum = simd.add_f32s(*to, sum);
                    let zero = simd.splat_f32s(0.0);
                    let below = simd.min_f32s(sum, zero);
                    *to = simd.mul_add_e_f32s(below, slope, simd.max_f32s(sum, zero));
                }
            }
        }
    }
}
