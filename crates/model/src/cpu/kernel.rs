//! The inner loop of all layers: sums of products, a few cells and a block of outputs at a time.

use pulp::{Simd, WithSimd};

use super::{BLOCK, CHUNK, Packed};

/// Where a cell's sum begins to read, and where it is written.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) from: usize,
    pub(super) to: usize,
}

/// One layer to compute.
pub(super) struct Layer<'a> {
    pub(super) packed: &'a Packed,
    pub(super) input: &'a [f32],
    /// How far behind a cell's first input each tap reads.
    pub(super) shifts: &'a [usize],
    pub(super) places: &'a [Place],
    /// What is added before the activation, laid out as the output.
    pub(super) add: Option<&'a [f32]>,
    /// Slope of the leaky ReLU for negative sums; `None` leaves sums as they are.
    pub(super) slope: Option<f32>,
    pub(super) output: &'a mut [f32],
}

/// Computes a layer.
pub(super) fn run(layer: Layer<'_>) {
    dispatch(layer);
}

/// Does `work` with the widest vectors that the processor has.
pub(super) fn dispatch<W: WithSimd<Output = ()>>(work: W) {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V4::try_new() {
        return Simd::vectorize(simd, work);
    } else if let Some(simd) = pulp::x86::V3::try_new() {
        return Simd::vectorize(simd, work);
    }
    pulp::Arch::new().dispatch(work);
}

impl WithSimd for Layer<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Vectors of a block, and cells, whose sums stay in registers with what is multiplied: of 32
        // registers, or 16. One sum more, and it waits for memory at every step.
        match (S::F32_LANES, self.places.len()) {
            (16, 1) => blocks::<S, 2, 1>(simd, self),
            (16, _) => blocks::<S, 2, 8>(simd, self),
            (8, 1) => blocks::<S, 4, 1>(simd, self),
            (8, _) => blocks::<S, 2, 6>(simd, self),
            (4, _) => blocks::<S, 8, 1>(simd, self),
            _ => blocks::<S, BLOCK, 1>(simd, self),
        }
    }
}

#[inline(always)]
fn blocks<S: Simd, const VECTORS: usize, const CELLS: usize>(simd: S, mut layer: Layer<'_>) {
    let part = VECTORS * S::F32_LANES;
    assert_eq!(BLOCK % part, 0, "a block is whole parts");
    for first in (0..layer.packed.n_padded()).step_by(part) {
        let biases = vectors::<S, VECTORS>(&layer.packed.biases[first..first + part]);
        let (weights, _) = S::as_simd_f32s(layer.packed.block(first / BLOCK));
        let weights = Weights {
            of_block: weights,
            from: first % BLOCK / S::F32_LANES,
        };
        for cells in layer.places.chunks(CELLS) {
            // A short last group repeats its first cell.
            let at: [Place; CELLS] = std::array::from_fn(|i| *cells.get(i).unwrap_or(&cells[0]));
            let sums = sums(simd, &layer, weights, &at, biases);
            for (place, sums) in at.iter().zip(sums) {
                finish(simd, &mut layer, place.to + first, sums);
            }
        }
    }
}

/// A block's weights, of which those of some outputs are used.
#[derive(Clone, Copy)]
struct Weights<'a, S: Simd> {
    of_block: &'a [S::f32s],
    /// The first vector that is used of each input's.
    from: usize,
}

/// Adds up the products of a few cells' inputs with weights.
#[inline(always)]
fn sums<S: Simd, const VECTORS: usize, const CELLS: usize>(
    simd: S,
    layer: &Layer<'_>,
    weights: Weights<'_, S>,
    at: &[Place; CELLS],
    biases: [S::f32s; VECTORS],
) -> [[S::f32s; VECTORS]; CELLS] {
    let n_inputs = layer.packed.n_inputs;
    let mut sums = [biases; CELLS];
    let a_block = BLOCK / S::F32_LANES;
    let taps = weights.of_block.chunks_exact(n_inputs * a_block);
    for (&shift, of_tap) in layer.shifts.iter().zip(taps) {
        let inputs = at
            .each_ref()
            .map(|place| &layer.input[place.from + shift..][..n_inputs]);
        for (i, of_chunk) in of_tap.chunks_exact(CHUNK * a_block).enumerate() {
            let inputs = inputs.map(|inputs| chunk(inputs, i));
            for k in 0..CHUNK {
                let first = k * a_block + weights.from;
                let weights: [S::f32s; VECTORS] = std::array::from_fn(|v| of_chunk[first + v]);
                for (inputs, sums) in inputs.iter().zip(&mut sums) {
                    let input = simd.splat_f32s(inputs[k]);
                    for (sum, &weight) in sums.iter_mut().zip(&weights) {
                        *sum = simd.mul_add_e_f32s(input, weight, *sum);
                    }
                }
            }
        }
    }
    sums
}

#[inline(always)]
fn finish<S: Simd, const VECTORS: usize>(
    simd: S,
    layer: &mut Layer<'_>,
    to: usize,
    mut sums: [S::f32s; VECTORS],
) {
    if let Some(add) = layer.add {
        let add = vectors::<S, VECTORS>(&add[to..to + VECTORS * S::F32_LANES]);
        for (sum, add) in sums.iter_mut().zip(add) {
            *sum = simd.add_f32s(*sum, add);
        }
    }
    if let Some(slope) = layer.slope {
        let slope = simd.splat_f32s(slope);
        for sum in &mut sums {
            *sum = simd.max_f32s(*sum, simd.mul_f32s(*sum, slope));
        }
    }
    let part = VECTORS * S::F32_LANES;
    let (output, _) = S::as_mut_simd_f32s(&mut layer.output[to..to + part]);
    output.copy_from_slice(&sums);
}

#[inline(always)]
pub(super) fn vectors<S: Simd, const VECTORS: usize>(values: &[f32]) -> [S::f32s; VECTORS] {
    let (values, _) = S::as_simd_f32s(values);
    std::array::from_fn(|v| values[v])
}

#[inline(always)]
pub(super) fn chunk(values: &[f32], i: usize) -> &[f32; CHUNK] {
    match values[i * CHUNK..].first_chunk() {
        Some(chunk) => chunk,
        None => unreachable!("inputs come in whole chunks"),
    }
}
