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

    /// Sums the waves of `spectrum` and gives the real part, without dividing by their number.
    pub(super) fn inverse(&self, spectrum: &[Complex]) -> Vec<f32> {
        let sums = transform(self.inverse.as_ref(), spectrum.to_vec());
        sums.into_iter().map(|sum| sum.re).collect()
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
