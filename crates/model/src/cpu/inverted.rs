//! Inverted residual blocks: a 1 × 1 convolution to more channels, one within each of them, and a
//! 1 × 1 convolution to few again, to which what went in is added where the sizes agree. The first
//! two end in a ReLU, which may have a ceiling.
//!
//! Wide rows are made when the first window needs them and kept as long as one reads them, so that a
//! block never holds more than a few.

use burn::nn::conv::Conv2d;
use pulp::{Simd, WithSimd};

use super::separable::{Pointwise, add_across, padding_before, vectorized};
use super::{Aligned, CHUNK, Map};
use crate::tensors::values;

/// An inverted residual block.
#[derive(Debug)]
pub(crate) struct Inverted {
    widen: Option<Pointwise>,
    within: Within,
    narrow: Pointwise,
    is_residual: bool,
    /// Where ReLUs end.
    ceiling: f32,
}

/// A convolution within each channel.
#[derive(Debug)]
struct Within {
    n_channels: usize,
    side: usize,
    stride: usize,
    /// Cells beyond the upper and the left edge.
    before: usize,
    /// `[tap][channel]`
    taps: Aligned,
    biases: Vec<f32>,
}

impl Inverted {
    /// Packs a block's convolutions, whose ReLUs end at `ceiling`; without the first, the input is wide
    /// already.
    pub(crate) fn new(
        widen: Option<&Conv2d>,
        within: &Conv2d,
        narrow: &Conv2d,
        ceiling: f32,
    ) -> Self {
        let n_inputs = widen.unwrap_or(within).weight.dims()[usize::from(widen.is_some())];
        let is_residual = within.stride[0] == 1 && narrow.weight.dims()[0] == n_inputs;
        Self {
            widen: widen.map(|widen| Pointwise::padded(widen, 0.0)),
            within: Within::new(within),
            narrow: Pointwise::padded(narrow, 1.0),
            is_residual,
            ceiling,
        }
    }

    /// The block; in both maps, channels that do not fill a block are zeros.
    pub(crate) fn run(&self, input: &Map) -> Map {
        let (rows, columns) = (
            input.rows / self.within.stride,
            input.columns / self.within.stride,
        );
        let mut output = if self.is_residual {
            input.clone()
        } else {
            Map::new(rows, columns, self.narrow.n_outputs())
        };
        vectorized(Run {
            block: self,
            input,
            output: &mut output,
        });
        output
    }
}

impl Within {
    fn new(conv: &Conv2d) -> Self {
        let [n, _, side, _] = conv.weight.dims();
        assert!(
            n.is_multiple_of(CHUNK),
            "{n} channels do not fill whole chunks"
        );
        let raw = values(conv.weight.val()); // [channel][tap]
        let mut taps = Aligned::zeros(side * side * n);
        for (i, packed) in taps.values_mut().iter_mut().enumerate() {
            *packed = raw[i % n * side * side + i / n];
        }
        let biases = conv.bias.as_ref().map(|bias| values(bias.val()));
        Self {
            n_channels: n,
            side,
            stride: conv.stride[0],
            before: padding_before(conv),
            taps,
            biases: biases.unwrap_or_else(|| vec![0.0; n]),
        }
    }
}

struct Run<'a> {
    block: &'a Inverted,
    input: &'a Map,
    output: &'a mut Map,
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            block,
            input,
            output,
        } = self;
        let within = &block.within;
        let n = within.n_channels;
        // A row of windows reads `side` wide rows; they lie in a ring, with cells of zeros around.
        let span = (input.columns + within.side - within.stride) * n;
        let mut ring = vec![0.0; within.side * span];
        let mut n_made = 0;
        let mut cells = vec![0.0; output.columns * n];
        for row in 0..output.rows {
            // Wide rows are counted with those beyond the upper edge.
            let last = row * within.stride + within.side;
            while n_made < last {
                let wide = &mut ring[n_made % within.side * span..][..span];
                let from = n_made.checked_sub(within.before);
                match from.filter(|&from| from < input.rows) {
                    Some(from) => {
                        let left = within.before * n;
                        let wide = &mut wide[left..left + input.columns * n];
                        widen(simd, block, input.row(from), wide);
                    }
                    None => wide.fill(0.0),
                }
                n_made += 1;
            }
            let first = row * within.stride;
            let line = |k: usize| &ring[(first + k) % within.side * span..][..span];
            match within.side {
                3 => convolve::<S, 3>(simd, block, std::array::from_fn(line), &mut cells),
                5 => convolve::<S, 5>(simd, block, std::array::from_fn(line), &mut cells),
                side => unreachable!("a block's convolution is {side} cells wide"),
            }
            add_across(simd, &block.narrow, &cells, output.row_mut(row));
        }
    }
}

/// A row of cells with more channels, and the ReLU.
#[inline(always)]
fn widen<S: Simd>(simd: S, block: &Inverted, cells: &[f32], wide: &mut [f32]) {
    let Some(layer) = &block.widen else {
        return wide.copy_from_slice(cells);
    };
    wide.fill(0.0);
    add_across(simd, layer, cells, wide);
    limit(simd, block.ceiling, wide);
}

/// Ends a ReLU that has begun.
#[inline(always)]
fn limit<S: Simd>(simd: S, ceiling: f32, values: &mut [f32]) {
    let ceilings = simd.splat_f32s(ceiling);
    let (vectors, rest) = S::as_mut_simd_f32s(values);
    for vector in vectors {
        *vector = simd.min_f32s(*vector, ceilings);
    }
    rest.iter_mut()
        .for_each(|value| *value = value.min(ceiling));
}

/// The convolution within each channel of one row of windows, and the ReLU.
#[inline(always)]
fn convolve<S: Simd, const SIDE: usize>(
    simd: S,
    block: &Inverted,
    lines: [&[f32]; SIDE],
    output: &mut [f32],
) {
    let within = &block.within;
    let n = within.n_channels;
    let n_vectors = n / S::F32_LANES;
    let (taps, _) = S::as_simd_f32s(within.taps.values());
    let (biases, _) = S::as_simd_f32s(&within.biases);
    let (zero, ceiling) = (simd.splat_f32s(0.0), simd.splat_f32s(block.ceiling));
    for v in 0..n_vectors {
        let taps: [[S::f32s; SIDE]; SIDE] =
            std::array::from_fn(|y| std::array::from_fn(|x| taps[(y * SIDE + x) * n_vectors + v]));
        for (column, cell) in output.chunks_exact_mut(n).enumerate() {
            let from = column * within.stride * n + v * S::F32_LANES;
            let mut sum = biases[v];
            for (line, taps) in lines.iter().zip(&taps) {
                for (k, &tap) in taps.iter().enumerate() {
                    let at = from + k * n;
                    let (value, _) = S::as_simd_f32s(&line[at..at + S::F32_LANES]);
                    sum = simd.mul_add_e_f32s(value[0], tap, sum);
                }
            }
            let (to, _) = S::as_mut_simd_f32s(&mut cell[v * S::F32_LANES..]);
            to[0] = simd.min_f32s(simd.max_f32s(sum, zero), ceiling);
        }
    }
}
