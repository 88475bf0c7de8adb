//! Power spectra of small windows.

use std::f32::consts::PI;

use effigy_frame::Picture;
use effigy_frame::colour::luma;

/// Pixels a side of a window; a power of two.
pub const SIDE_PX: usize = 32;

/// The mean logarithm of the power of windows, by frequency: `[row * SIDE_PX + column]` steps of
/// `1 / SIDE_PX` cycles a pixel, those above half being negative.
#[derive(Clone, Debug)]
pub struct Spectrum(Vec<f32>);

impl Spectrum {
    /// Takes the spectrum of the windows whose first pixels lie at `places` of `picture`.
    ///
    /// # Panics
    /// If there are none.
    pub fn of(picture: &Picture, places: &[(u32, u32)]) -> Self {
        assert!(!places.is_empty(), "a spectrum needs windows");
        let taper: [f32; SIDE_PX] = std::array::from_fn(|i| {
            0.5 - 0.5 * (2.0 * PI * (i as f32 + 0.5) / SIDE_PX as f32).cos()
        });
        let turns = turns();
        let mut mean = vec![0.0_f32; SIDE_PX * SIDE_PX];
        for place in places {
            let power = power(&tapered(picture, *place, &taper), &turns);
            for (mean, power) in mean.iter_mut().zip(power) {
                // One level squared is what rounding leaves anyway.
                *mean += (power + 1.0).ln() / places.len() as f32;
            }
        }
        Self(mean)
    }

    /// The mean over the frequencies whose steps along and across `wanted` takes, `0..=SIDE_PX/2`.
    pub fn mean(&self, wanted: impl Fn(usize, usize) -> bool) -> f32 {
        let folded = |i: usize| i.min(SIDE_PX - i);
        let chosen = (0..self.0.len())
            .filter(|i| wanted(folded(i % SIDE_PX), folded(i / SIDE_PX)))
            .map(|i| self.0[i]);
        let (sum, n) = chosen.fold((0.0, 0), |(sum, n), v| (sum + v, n + 1));
        sum / n.max(1) as f32
    }
}

/// One window without its mean, faded out towards its edges.
fn tapered(picture: &Picture, (x, y): (u32, u32), taper: &[f32; SIDE_PX]) -> Vec<f32> {
    let at = |i: usize| luma(picture.get(x + (i % SIDE_PX) as u32, y + (i / SIDE_PX) as u32));
    let pixels: Vec<f32> = (0..SIDE_PX * SIDE_PX).map(at).collect();
    let rows = pixels.chunks_exact(SIDE_PX);
    let mean = rows.map(|row| row.iter().sum::<f32>()).sum::<f32>() / pixels.len() as f32;
    let fade = |(i, v): (usize, f32)| (v - mean) * taper[i % SIDE_PX] * taper[i / SIDE_PX];
    pixels.into_iter().enumerate().map(fade).collect()
}

type Complex = (f32, f32);

fn turns() -> [Complex; SIDE_PX / 2] {
    std::array::from_fn(|k| {
        let angle = -2.0 * PI * k as f32 / SIDE_PX as f32;
        (angle.cos(), angle.sin())
    })
}

fn power(window: &[f32], turns: &[Complex; SIDE_PX / 2]) -> Vec<f32> {
    let mut grid: Vec<Complex> = window.iter().map(|v| (*v, 0.0)).collect();
    for row in grid.chunks_exact_mut(SIDE_PX) {
        transform(row, turns);
    }
    let mut column = [(0.0, 0.0); SIDE_PX];
    for x in 0..SIDE_PX {
        for (y, v) in column.iter_mut().enumerate() {
            *v = grid[y * SIDE_PX + x];
        }
        transform(&mut column, turns);
        for (y, v) in column.iter().enumerate() {
            grid[y * SIDE_PX + x] = *v;
        }
    }
    grid.iter().map(|(re, im)| re * re + im * im).collect()
}

/// The fast Fourier transform of Cooley and Tukey, in place, of `SIDE_PX` values.
fn transform(values: &mut [Complex], turns: &[Complex; SIDE_PX / 2]) {
    let bits = SIDE_PX.trailing_zeros();
    for i in 0..SIDE_PX {
        let j = i.reverse_bits() >> (usize::BITS - bits);
        if i < j {
            values.swap(i, j);
        }
    }
    let mut length = 2;
    while length <= SIDE_PX {
        for group in values.chunks_exact_mut(length) {
            let (low, high) = group.split_at_mut(length / 2);
            for (k, (a, b)) in low.iter_mut().zip(high).enumerate() {
                let (cos, sin) = turns[k * SIDE_PX / length];
                let turned = (b.0 * cos - b.1 * sin, b.0 * sin + b.1 * cos);
                *b = (a.0 - turned.0, a.1 - turned.1);
                *a = (a.0 + turned.0, a.1 + turned.1);
            }
        }
        length *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_stands_at_its_frequency_alone() {
        let side = SIDE_PX as u32;
        let wave: Vec<u8> = (0..side * side)
            .flat_map(|i| {
                let phase = 2.0 * PI * 8.0 * (i % side) as f32 / side as f32;
                [(128.0 + 100.0 * phase.cos()).round() as u8; 3]
            })
            .collect();
        let spectrum = Spectrum::of(&Picture::new(side, side, wave), &[(0, 0)]);
        let peak = spectrum.mean(|x, y| (x, y) == (8, 0));
        let elsewhere = spectrum.mean(|x, _| 2 < x.abs_diff(8));
        assert!(elsewhere + 5.0 < peak, "{elsewhere} {peak}"); // a hundredfold and more
    }
}
