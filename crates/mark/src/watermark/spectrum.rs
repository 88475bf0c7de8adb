//! A two-dimensional Fourier transform of one fixed size.

use std::f32::consts::TAU;

/// Side of the square that the watermark repeats, in canonical pixels. A power of two.
pub(super) const SIDE: usize = 256;

/// A complex number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Complex {
    pub(super) re: f32,
    pub(super) im: f32,
}

impl Complex {
    pub(super) fn unit(angle: f32) -> Self {
        Self {
            re: angle.cos(),
            im: angle.sin(),
        }
    }

    pub(super) fn times(self, other: Self) -> Self {
        Self {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }

    pub(super) fn conjugate(self) -> Self {
        Self {
            re: self.re,
            im: -self.im,
        }
    }
}

/// Tables for transforms of [`SIDE`] × [`SIDE`] values.
pub(super) struct Fourier {
    /// `e^(-iτk/SIDE)` for the forward transform.
    turns: Vec<Complex>,
    reversed: Vec<usize>,
}

impl Fourier {
    pub(super) fn new() -> Self {
        let turns = (0..SIDE / 2)
            .map(|k| Complex::unit(-TAU * k as f32 / SIDE as f32))
            .collect();
        let bits = SIDE.trailing_zeros();
        let reversed = (0..SIDE)
            .map(|i| i.reverse_bits() >> (usize::BITS - bits))
            .collect();
        Self { turns, reversed }
    }

    /// Transforms a square of real values; the entry of the wave `(kx, ky)` is at
    /// `ky * SIDE + kx`, both taken modulo [`SIDE`].
    pub(super) fn forward(&self, values: &[f32]) -> Vec<Complex> {
        let mut grid: Vec<Complex> = values.iter().map(|&re| Complex { re, im: 0.0 }).collect();
        self.transform(&mut grid);
        grid
    }

    /// Sums the waves of `spectrum` and gives the real part, without dividing by their number.
    pub(super) fn inverse(&self, spectrum: &[Complex]) -> Vec<f32> {
        // The inverse is the forward transform of the conjugate, conjugated.
        let mut grid: Vec<Complex> = spectrum.iter().map(|wave| wave.conjugate()).collect();
        self.transform(&mut grid);
        grid.iter().map(|value| value.re).collect()
    }

    fn transform(&self, grid: &mut [Complex]) {
        assert_eq!(grid.len(), SIDE * SIDE, "the transform has one size");
        for row in grid.chunks_exact_mut(SIDE) {
            self.line(row);
        }
        transpose(grid);
        for row in grid.chunks_exact_mut(SIDE) {
            self.line(row);
        }
        transpose(grid);
    }

    /// Cooley and Tukey, in place, by halves.
    fn line(&self, line: &mut [Complex]) {
        for (i, &j) in self.reversed.iter().enumerate() {
            if i < j {
                line.swap(i, j);
            }
        }
        let mut half = 1;
        while half < SIDE {
            let stride = SIDE / (2 * half);
            for block in line.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for (k, (a, b)) in low.iter_mut().zip(high).enumerate() {
                    let turned = b.times(self.turns[k * stride]);
                    (*a, *b) = (
                        Complex {
                            re: a.re + turned.re,
                            im: a.im + turned.im,
                        },
                        Complex {
                            re: a.re - turned.re,
                            im: a.im - turned.im,
                        },
                    );
                }
            }
            half *= 2;
        }
    }
}

fn transpose(grid: &mut [Complex]) {
    for y in 0..SIDE {
        for x in 0..y {
            grid.swap(y * SIDE + x, x * SIDE + y);
        }
    }
}

#[cfg(test)]
mod tests {
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
