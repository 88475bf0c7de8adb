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
///
/// The real and the imaginary parts lie apart, and each butterfly takes whole rows, so that the
/// processor works on several values at once.
pub(super) struct Fourier {
    /// `e^(-iτk/SIDE)` for the forward transform.
    turns: Vec<Complex>,
    reversed: Vec<usize>,
}

/// Values in two planes.
struct Grid {
    re: Vec<f32>,
    im: Vec<f32>,
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
        let grid = self.transform(Grid {
            re: values.to_vec(),
            im: vec![0.0; values.len()],
        });
        let both = grid.re.iter().zip(&grid.im);
        both.map(|(&re, &im)| Complex { re, im }).collect()
    }

    /// Transforms two squares at the cost of one, as real and imaginary part of a third.
    pub(super) fn forward_two(&self, a: &[f32], b: &[f32]) -> [Vec<Complex>; 2] {
        let grid = self.transform(Grid {
            re: a.to_vec(),
            im: b.to_vec(),
        });
        // What is even in the real part and odd in the imaginary one came from `a`, the rest from
        // `b`.
        let part = |of_b: bool| {
            let entry = |at: usize| {
                let (re, im) = (grid.re[at], grid.im[at]);
                let (other_re, other_im) = (grid.re[opposite(at)], grid.im[opposite(at)]);
                let (sum, difference) = if of_b {
                    (im + other_im, other_re - re)
                } else {
                    (re + other_re, im - other_im)
                };
                Complex {
                    re: 0.5 * sum,
                    im: 0.5 * difference,
                }
            };
            (0..SIDE * SIDE).map(entry).collect()
        };
        [part(false), part(true)]
    }

    /// Sums the waves of `spectrum` and gives the real part, without dividing by their number.
    pub(super) fn inverse(&self, spectrum: &[Complex]) -> Vec<f32> {
        // The inverse is the forward transform of the conjugate, conjugated.
        let grid = self.transform(Grid {
            re: spectrum.iter().map(|wave| wave.re).collect(),
            im: spectrum.iter().map(|wave| -wave.im).collect(),
        });
        grid.re
    }

    /// As [`Fourier::inverse`], for two spectra at the cost of one.
    pub(super) fn inverse_two(&self, a: &[Complex], b: &[Complex]) -> [Vec<f32>; 2] {
        let mut grid = Grid {
            re: Vec::with_capacity(SIDE * SIDE),
            im: Vec::with_capacity(SIDE * SIDE),
        };
        for (at, (a_here, b_here)) in a.iter().zip(b).enumerate() {
            // Only what is even in the real part and odd in the imaginary one has a real sum.
            let (a_there, b_there) = (a[opposite(at)], b[opposite(at)]);
            let (a_re, a_im) = (a_here.re + a_there.re, a_here.im - a_there.im);
            let (b_re, b_im) = (b_here.re + b_there.re, b_here.im - b_there.im);
            grid.re.push(0.5 * (a_re - b_im));
            grid.im.push(-0.5 * (a_im + b_re));
        }
        let mut grid = self.transform(grid);
        grid.im.iter_mut().for_each(|value| *value = -*value);
        [grid.re, grid.im]
    }

    fn transform(&self, mut grid: Grid) -> Grid {
        assert_eq!(grid.re.len(), SIDE * SIDE, "the transform has one size");
        for plane in [&mut grid.re, &mut grid.im] {
            self.reverse_rows(plane);
        }
        self.columns(&mut grid);
        let mut turned = Grid {
            re: self.transposed(&grid.re),
            im: self.transposed(&grid.im),
        };
        self.columns(&mut turned);
        Grid {
            re: transposed(&turned.re, |row| row),
            im: transposed(&turned.im, |row| row),
        }
    }

    fn reverse_rows(&self, plane: &mut [f32]) {
        for (i, &j) in self.reversed.iter().enumerate() {
            if i < j {
                let (low, high) = plane.split_at_mut(j * SIDE);
                low[i * SIDE..(i + 1) * SIDE].swap_with_slice(&mut high[..SIDE]);
            }
        }
    }

    /// Transposes, with the new rows already in the order that [`Fourier::columns`] asks for.
    fn transposed(&self, plane: &[f32]) -> Vec<f32> {
        transposed(plane, |row| self.reversed[row])
    }

    /// Cooley and Tukey along the columns, in place, by halves. The rows come in reversed order.
    fn columns(&self, grid: &mut Grid) {
        let mut half = 1;
        while half < SIDE {
            let stride = SIDE / (2 * half);
            let block = 2 * half * SIDE;
            let blocks = grid.re.chunks_exact_mut(block);
            for (re, im) in blocks.zip(grid.im.chunks_exact_mut(block)) {
                let (re_low, re_high) = re.split_at_mut(half * SIDE);
                let (im_low, im_high) = im.split_at_mut(half * SIDE);
                for k in 0..half {
                    let row = k * SIDE..(k + 1) * SIDE;
                    butterflies(
                        self.turns[k * stride],
                        (&mut re_low[row.clone()], &mut im_low[row.clone()]),
                        (&mut re_high[row.clone()], &mut im_high[row]),
                    );
                }
            }
            half *= 2;
        }
    }
}

type Row<'a> = (&'a mut [f32], &'a mut [f32]);

fn butterflies(turn: Complex, (low_re, low_im): Row<'_>, (high_re, high_im): Row<'_>) {
    let low = low_re.iter_mut().zip(low_im);
    let high = high_re.iter_mut().zip(high_im);
    for ((a_re, a_im), (b_re, b_im)) in low.zip(high) {
        let re = *b_re * turn.re - *b_im * turn.im;
        let im = *b_re * turn.im + *b_im * turn.re;
        (*a_re, *b_re) = (*a_re + re, *a_re - re);
        (*a_im, *b_im) = (*a_im + im, *a_im - im);
    }
}

/// Where the wave that runs the other way is.
fn opposite(entry: usize) -> usize {
    let (x, y) = (entry % SIDE, entry / SIDE);
    (SIDE - y) % SIDE * SIDE + (SIDE - x) % SIDE
}

/// Side of the blocks that are transposed at once, so that both ways stay in the cache.
const BLOCK: usize = 16;

/// Rows become columns; the row `y` of the result is the column `column(y)` of `plane`.
fn transposed(plane: &[f32], column: impl Fn(usize) -> usize) -> Vec<f32> {
    let mut out = vec![0.0; SIDE * SIDE];
    for top in (0..SIDE).step_by(BLOCK) {
        for left in (0..SIDE).step_by(BLOCK) {
            for y in top..top + BLOCK {
                let from = column(y);
                let line = &mut out[y * SIDE + left..][..BLOCK];
                for (x, value) in line.iter_mut().enumerate() {
                    *value = plane[(left + x) * SIDE + from];
                }
            }
        }
    }
    out
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
