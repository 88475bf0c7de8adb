//! Long short-term memory, for several sequences at a time.
//!
//! Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 1997, with gates in
//! PyTorch's order: input, forget, cell, output.

use super::{CHUNK, Packed, Sizes, kernel};

/// One layer.
#[derive(Debug)]
pub(crate) struct Lstm {
    n_inputs: usize,
    n_hidden: usize,
    packed: Packed,
}

/// The weights of a layer as they lie in a file.
pub(crate) struct LstmWeights {
    /// `[4 · hidden, input]`
    pub(crate) inputs: Vec<f32>,
    /// `[4 · hidden, hidden]`
    pub(crate) state: Vec<f32>,
    /// `[4 · hidden]`
    pub(crate) biases: Vec<f32>,
}

/// What a layer remembers of each sequence: `[sequence][hidden]`.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(crate) hidden: Vec<f32>,
    cells: Vec<f32>,
}

impl Lstm {
    pub(crate) fn new(weights: &LstmWeights) -> Self {
        let n_gates = weights.biases.len();
        let n_hidden = n_gates / 4;
        let n_inputs = weights.inputs.len() / n_gates;
        let n_padded = n_inputs.next_multiple_of(CHUNK);
        let weight = |output: usize, _tap: usize, input: usize| {
            if input < n_inputs {
                weights.inputs[output * n_inputs + input]
            } else if input < n_padded {
                0.0
            } else {
                weights.state[output * n_hidden + input - n_padded]
            }
        };
        let sizes = Sizes {
            n_outputs: n_gates,
            n_taps: 1,
            n_inputs: n_padded + n_hidden,
        };
        Self {
            n_inputs,
            n_hidden,
            packed: Packed::new(sizes, Some(weights.biases.clone()), weight),
        }
    }

    /// Nothing remembered yet of `n` sequences.
    pub(crate) fn memory(&self, n: usize) -> Memory {
        let zeros = vec![0.0; n * self.n_hidden];
        Memory {
            hidden: zeros.clone(),
            cells: zeros,
        }
    }

    /// Takes the next moment of each sequence: `inputs` are `[sequence][input]`.
    pub(crate) fn step(&self, inputs: &[f32], memory: &mut Memory) {
        let n = inputs.len() / self.n_inputs;
        let width = self.packed.n_inputs;
        let mut rows = vec![0.0; n * width];
        let hidden = memory.hidden.chunks_exact(self.n_hidden);
        let moments = inputs.chunks_exact(self.n_inputs).zip(hidden);
        for (row, (input, hidden)) in rows.chunks_exact_mut(width).zip(moments) {
            row[..self.n_inputs].copy_from_slice(input);
            row[width - self.n_hidden..].copy_from_slice(hidden);
        }
        let n_gates = 4 * self.n_hidden;
        let place = |i: usize| kernel::Place {
            from: i * width,
            to: i * n_gates,
        };
        let mut gates = vec![0.0; n * n_gates];
        kernel::run(kernel::Layer {
            packed: &self.packed,
            input: &rows,
            shifts: &[0],
            places: &(0..n).map(place).collect::<Vec<_>>(),
            add: None,
            slope: None,
            output: &mut gates,
        });
        kernel::dispatch(Update {
            gates: &gates,
            n_hidden: self.n_hidden,
            memory,
        });
    }
}

/// What the gates do to the memory.
struct Update<'a> {
    gates: &'a [f32],
    n_hidden: usize,
    memory: &'a mut Memory,
}

impl pulp::WithSimd for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _simd: S) {
        let n = self.n_hidden;
        let hidden = self.memory.hidden.chunks_exact_mut(n);
        let cells = self.memory.cells.chunks_exact_mut(n);
        for ((gates, hidden), cells) in self.gates.chunks_exact(4 * n).zip(hidden).zip(cells) {
            let (input, rest) = gates.split_at(n);
            let (forget, rest) = rest.split_at(n);
            let (cell, output) = rest.split_at(n);
            // By index, so that the compiler makes vectors of it.
            for i in 0..n {
                let kept = sigmoid(forget[i]) * cells[i];
                cells[i] = kept + sigmoid(input[i]) * tanh(cell[i]);
                hidden[i] = sigmoid(output[i]) * tanh(cells[i]);
            }
        }
    }
}

#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    2.0 * sigmoid(2.0 * x) - 1.0
}

/// The exponential to single precision, in steps that make up vectors: a power of two, and a
/// polynomial for what is left (S. L. Moshier's Cephes library).
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Added to a small number, it leaves a whole one in the last bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const COEFFICIENTS: [f32; 6] = [
        1.987_569_1e-4,
        1.398_2e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        0.5,
    ];
    let x = x.clamp(-87.0, 87.0);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let power = shifted - ROUND;
    let rest = power.mul_add(-LN_2[1], power.mul_add(-LN_2[0], x));
    let sum = |sum: f32, &coefficient: &f32| sum.mul_add(rest, coefficient);
    let polynomial = COEFFICIENTS.iter().fold(0.0, sum);
    let small = (polynomial * rest).mul_add(rest, rest) + 1.0;
    const EXPONENT_BITS: u32 = 23;
    let scale = f32::from_bits((shifted.to_bits() << EXPONENT_BITS).wrapping_add(0x3f80_0000));
    small * scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_is_exact_to_single_precision() {
        for i in -8600..8600 {
            let x = i as f32 / 100.0;
            let gap = (exp(x) / x.exp() - 1.0).abs();
            assert!(gap < 3e-7, "{x}: {gap}");
        }
        assert_eq!((sigmoid(-1e9) + 1.0, sigmoid(1e9)), (1.0, 1.0));
        assert!(sigmoid(f32::NAN).is_nan());
    }

    #[test]
    fn remembers_as_the_formula_says() {
        // One number in, sixteen cells that are alike: a gate sees the number and their mean.
        const N_CELLS: usize = 16;
        let lstm = Lstm::new(&LstmWeights {
            inputs: vec![1.0; 4 * N_CELLS],
            state: vec![1.0 / N_CELLS as f32; 4 * N_CELLS * N_CELLS],
            biases: vec![0.0; 4 * N_CELLS],
        });
        let mut memory = lstm.memory(2);
        let (mut hidden, mut cell) = (0.0_f32, 0.0_f32);
        for x in [0.3_f32, -1.2, 2.0] {
            lstm.step(&[x, 0.0], &mut memory);
            let gate = x + hidden;
            let open = 1.0 / (1.0 + (-gate).exp());
            cell = open * cell + open * gate.tanh();
            hidden = open * cell.tanh();
        }
        let (first, second) = memory.hidden.split_at(N_CELLS);
        assert!(first.iter().all(|h| (h - hidden).abs() < 1e-6));
        assert_eq!(second, [0.0; N_CELLS], "sequences do not mix");
    }
}
