//! A two-dimensional Fourier transform of one fixed size.

use std::sync::Arc;

use rustfft::{Fft, FftPlanner};

/// Side of the square that the watermark repeats, in canonical pixels.
pub(super) const SIDE: usize = 256;

pub(super) type Complex = rustfft::num_complex::Complex<f32>;

/// Transforms of [`SIDE`] × [`SIDE`] values.
pub(super) struct Fourier {
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
}

impl Fourier {
    pub(super) fn new() -> Self {
        let mut planner = FftPlanner::new();
        Self {
            forward: planner.plan_fft_forward(SIDE),
            inverse: planner.plan_fft_inverse(SIDE),
        }
    }

    /// Transforms a square of real values; the entry of the wave `(kx, ky)` is at
    /// `ky * SIDE + kx`, both taken modulo [`SIDE`].
    pub(super) fn forward(&self, values: &[f32]) -> Vec<Complex> {
        let grid = values.iter().map(|&re| Complex { re, im: 0.0 }).collect();
        transform(self.forward.as_ref(), grid)
    }

    /// Transforms two squares at the cost of one, as real and imaginary part of a third.
    pub(super) fn forward_two(&self, a: &[f32], b: &[f32]) -> [Vec<Complex>; 2] {
        let grid = a.iter().zip(b).map(|(&re, &im)| Complex { re, im });
        let both = transform(self.forward.as_ref(), grid.collect());
        // What is even in the real part and odd in the imaginary one came from `a`, the rest from
        // `b`.
        let pairs = || (0..SIDE * SIDE).map(|at| (both[at], both[opposite(at)].conj()));
        let of_a = pairs().map(|(here, there)| (here + there) * 0.5);
        let of_b = pairs().map(|(here, there)| (here - there) * Complex { re: 0.0, im: -0.5 });
        [of_a.collect(), of_b.collect()]
    }

    /// Sums the waves of `spectrum` and gives the real part, without dividing by their number.
    pub(super) fn inverse(&self, spectrum: &[Complex]) -> Vec<f32> {
        let sums = transform(self.inverse.as_ref(), spectrum.to_vec());
        sums.into_iter().map(|sum| sum.re).collect()
    }

    /// As [`Fourier::inverse`], for two spectra at the cost of one.
    pub(super) fn inverse_two(&self, a: &[Complex], b: &[Complex]) -> [Vec<f32>; 2] {
        // Only what is even in the real part and odd in the imaginary one has a real sum.
        let real = |of: &[Complex], at: usize| (of[at] + of[opposite(at)].conj()) * 0.5;
        let both = |at| real(a, at) + real(b, at) * Complex::i();
        let sums = transform(self.inverse.as_ref(), (0..SIDE * SIDE).map(both).collect());
        let (of_a, of_b) = sums.into_iter().map(|sum| (sum.re, sum.im)).unzip();
        [of_a, of_b]
    }
}

/// Transforms along the rows, then along the columns.
fn transform(plan: &dyn Fft<f32>, mut grid: Vec<Complex>) -> Vec<Complex> {
    assert_eq!(grid.len(), SIDE * SIDE, "the transform has one size");
    plan.process(&mut grid);
    let mut turned = transposed(&grid);
    plan.process(&mut turned);
    transposed(&turned)
}

/// Where the wave that runs the other way is.
fn opposite(entry: usize) -> usize {
    let (x, y) = (entry % SIDE, entry / SIDE);
    (SIDE - y) % SIDE * SIDE + (SIDE - x) % SIDE
}

/// Side of the blocks that are transposed at once, so that both ways stay in the cache.
const BLOCK: usize = 16;

fn transposed(grid: &[Complex]) -> Vec<Complex> {
    let mut out = vec![Complex::default(); SIDE * SIDE];
    for top in (0..SIDE).step_by(BLOCK) {
        for left in (0..SIDE).step_by(BLOCK) {
            for y in top..top + BLOCK {
                let line = &mut out[y * SIDE + left..][..BLOCK];
                for (x, value) in line.iter_mut().enumerate() {
                    *value = grid[(left + x) * SIDE + y];
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn noise() -> Vec<f32> {
        (0..SIDE * SIDE)
            .map(|i| ((i * i * 31 + i * 17) % 101) as f32 - 50.0)
            .collect()
    }

    #[test]
    fn one_wave_lands_in_its_entry() {
        let wave = |i: usize| {
            let (x, y) = ((i % SIDE) as f32, (i / SIDE) as f32);
            (TAU * (3.0 * x + 5.0 * y) / SIDE as f32).cos()
        };
        let spectrum = Fourier::new().forward(&(0..SIDE * SIDE).map(wave).collect::<Vec<_>>());
        let half = (SIDE * SIDE / 2) as f32;
        assert!((spectrum[5 * SIDE + 3].re - half).abs() < 1.0);
        assert!(spectrum[5 * SIDE + 4].re.abs() < 1.0);
    }

    #[test]
    fn two_at_once_are_as_one_by_one() {
        let fourier = Fourier::new();
        let (a, mut b) = (noise(), noise());
        b.rotate_left(777);
        let [of_a, of_b] = fourier.forward_two(&a, &b);
        for (pair, alone) in [(&of_a, fourier.forward(&a)), (&of_b, fourier.forward(&b))] {
            for (x, y) in pair.iter().zip(&alone) {
                // Sums of 65,536 values up to 50 in f32.
                assert!((x.re - y.re).hypot(x.im - y.im) < 1.0, "{x:?} {y:?}");
            }
        }
        let [back_a, back_b] = fourier.inverse_two(&of_a, &of_b);
        for (back, alone) in [(back_a, &of_a), (back_b, &of_b)] {
            for (x, y) in back.iter().zip(fourier.inverse(alone)) {
                assert!((x - y).abs() < 1e-2 * (SIDE * SIDE) as f32, "{x} {y}");
            }
        }
    }

    #[test]
    fn half_a_spectrum_sums_to_its_real_part() {
        let fourier = Fourier::new();
        let mut half = vec![Complex::default(); SIDE * SIDE];
        half[5 * SIDE + 3] = Complex { re: 2.0, im: -1.0 };
        half[9 * SIDE + 250] = Complex { re: 0.5, im: 4.0 };
        let [one, other] = fourier.inverse_two(&half, &half);
        for ((x, y), z) in one.iter().zip(fourier.inverse(&half)).zip(other) {
            assert!((x - y).abs() < 1e-3 && (x - z).abs() < 1e-3, "{x} {y} {z}");
        }
    }

    #[test]
    fn inverse_leads_back() {
        let values = noise();
        let fourier = Fourier::new();
        let back = fourier.inverse(&fourier.forward(&values));
        for (value, again) in values.iter().zip(&back) {
            let again = again / (SIDE * SIDE) as f32;
            assert!((value - again).abs() < 1e-2, "{value} {again}"); // f32 over 65,536 sums
        }
    }
}
