//! Power spectra of small windows.

use std::f32::consts::PI;

use effigy_frame::Picture;
use effigy_frame::colour::luma;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// Pixels a side of a window.
pub(crate) const SIDE_PX: usize = 32;

/// The mean logarithm of the power of windows, by frequency: `[row * SIDE_PX + column]` steps of
/// `1 / SIDE_PX` cycles a pixel, those above half being negative.
#[derive(Clone, Debug)]
pub(crate) struct Spectrum(Vec<f32>);

impl Spectrum {
    /// Takes the spectrum of the windows whose first pixels lie at `places` of `picture`.
    ///
    /// # Panics
    /// If there are none.
    pub(crate) fn of(picture: &Picture, places: &[(u32, u32)]) -> Self {
        assert!(!places.is_empty(), "a spectrum needs windows");
        let taper: [f32; SIDE_PX] = std::array::from_fn(|i| {
            0.5 - 0.5 * (2.0 * PI * (i as f32 + 0.5) / SIDE_PX as f32).cos()
        });
        let plan = FftPlanner::new().plan_fft_forward(SIDE_PX);
        let mut mean = vec![0.0_f32; SIDE_PX * SIDE_PX];
        for place in places {
            let power = power(&tapered(picture, *place, &taper), plan.as_ref());
            for (mean, power) in mean.iter_mut().zip(power) {
                // One level squared is what rounding leaves anyway.
                *mean += (power + 1.0).ln() / places.len() as f32;
            }
        }
        Self(mean)
    }

    /// The mean over the frequencies whose steps along and across `wanted` takes, `0..=SIDE_PX/2`.
    pub(crate) fn mean(&self, wanted: impl Fn(usize, usize) -> bool) -> f32 {
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

fn power(window: &[f32], plan: &dyn Fft<f32>) -> Vec<f32> {
    let mut grid: Vec<Complex<f32>> = window.iter().map(|v| v.into()).collect();
    plan.process(&mut grid);
    let mut columns: Vec<Complex<f32>> = (0..SIDE_PX)
        .flat_map(|x| grid.iter().skip(x).step_by(SIDE_PX).copied())
        .collect();
    plan.process(&mut columns);
    let turned = (0..SIDE_PX).flat_map(|y| columns.iter().skip(y).step_by(SIDE_PX));
    turned.map(Complex::norm_sqr).collect()
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
