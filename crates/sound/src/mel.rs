//! Mel bands: how much power a short stretch of sound has around each of forty pitches.
//!
//! As librosa has them with its defaults (Slaney's scale and area, a periodic Hann window, frames centred
//! on every 160th sample with silence beyond the ends, power without logarithm), since that is what the
//! network of voices was trained on.

use std::f32::consts::PI;
use std::sync::Arc;

use effigy_model::SpeakerEncoder;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// Bands of a frame.
pub const N_BANDS: usize = SpeakerEncoder::N_BANDS;
/// Samples from one frame to the next.
pub const N_STEP: usize = 160;
/// Samples that a frame sees.
const N_FRAME: usize = 400;
/// Frequencies up to half of the rate.
const N_FREQUENCIES: usize = N_FRAME / 2 + 1;

/// The power in each band.
pub type Frame = [f32; N_BANDS];

/// Takes the bands of sound that comes bit by bit.
pub struct MelBands {
    plan: Arc<dyn Fft<f32>>,
    taper: Vec<f32>,
    bands: Vec<Band>,
    /// Samples from the next frame's first on.
    ahead: Vec<f32>,
    /// Power of all frames so far, and what of it lies above [`HIGH_HZ`].
    power: f64,
    high_power: f64,
}

/// A triangle over some frequencies.
struct Band {
    first: usize,
    weights: Vec<f32>,
}

impl Default for MelBands {
    fn default() -> Self {
        let taper = |i: usize| 0.5 - 0.5 * (2.0 * PI * i as f32 / N_FRAME as f32).cos();
        Self {
            plan: FftPlanner::new().plan_fft_forward(N_FRAME),
            taper: (0..N_FRAME).map(taper).collect(),
            bands: bands(),
            ahead: vec![0.0; N_FRAME / 2],
            power: 0.0,
            high_power: 0.0,
        }
    }
}

/// What telephones leave out begins a little below.
const HIGH_HZ: usize = 4160;
/// The first frequency that is high.
const FIRST_HIGH: usize = HIGH_HZ * N_FRAME / SpeakerEncoder::RATE_HZ as usize;

impl MelBands {
    /// Takes more samples, and gives the frames that they complete.
    pub fn take(&mut self, samples: &[f32]) -> Vec<Frame> {
        self.ahead.extend_from_slice(samples);
        let n = self.ahead.len();
        let n_frames = (n + N_STEP).saturating_sub(N_FRAME) / N_STEP;
        let powers: Vec<Vec<f32>> = (0..n_frames)
            .map(|i| self.powers(&self.ahead[i * N_STEP..][..N_FRAME]))
            .collect();
        self.ahead.drain(..n_frames * N_STEP);
        for powers in &powers {
            let sum = |powers: &[f32]| f64::from(powers.iter().sum::<f32>());
            self.power += sum(powers);
            self.high_power += sum(&powers[FIRST_HIGH..]);
        }
        powers.iter().map(|powers| self.frame(powers)).collect()
    }

    /// Share of the power so far that lies above 4 kHz.
    pub fn high_share(&self) -> f32 {
        (self.high_power / self.power.max(f64::MIN_POSITIVE)) as f32
    }

    /// The power at each frequency.
    fn powers(&self, samples: &[f32]) -> Vec<f32> {
        let tapered = samples.iter().zip(&self.taper).map(|(s, t)| s * t);
        let mut spectrum: Vec<Complex<f32>> = tapered.map(Complex::from).collect();
        self.plan.process(&mut spectrum);
        let powers = spectrum[..N_FREQUENCIES].iter();
        powers.map(Complex::norm_sqr).collect()
    }

    fn frame(&self, powers: &[f32]) -> Frame {
        std::array::from_fn(|i| {
            let band = &self.bands[i];
            let powers = &powers[band.first..];
            band.weights.iter().zip(powers).map(|(w, p)| w * p).sum()
        })
    }
}

fn bands() -> Vec<Band> {
    let highest_mel = mel(0.5 * f64::from(SpeakerEncoder::RATE_HZ));
    let edge = |i: usize| hertz(highest_mel * i as f64 / (N_BANDS + 1) as f64);
    let frequency = |k: usize| k as f64 * f64::from(SpeakerEncoder::RATE_HZ) / N_FRAME as f64;
    let band = |i: usize| {
        let [low, middle, high] = [edge(i), edge(i + 1), edge(i + 2)];
        let weight = |k: usize| {
            let rising = (frequency(k) - low) / (middle - low);
            let falling = (high - frequency(k)) / (high - middle);
            (rising.min(falling).max(0.0) * 2.0 / (high - low)) as f32
        };
        let is_inside = |k: &usize| 0.0 < weight(*k);
        let first = (0..N_FREQUENCIES).find(is_inside).unwrap_or(0);
        let inside = (first..N_FREQUENCIES).take_while(is_inside);
        Band {
            first,
            weights: inside.map(weight).collect(),
        }
    };
    (0..N_BANDS).map(band).collect()
}

/// Slaney's scale: linear up to this frequency, logarithmic above.
const BEND_HZ: f64 = 1000.0;
const HZ_PER_MEL: f64 = 200.0 / 3.0;
const BEND_MEL: f64 = BEND_HZ / HZ_PER_MEL;
/// Steps in which a frequency above becomes 6.4 times as high.
const STEPS: f64 = 27.0;

fn mel(hertz: f64) -> f64 {
    if hertz < BEND_HZ {
        hertz / HZ_PER_MEL
    } else {
        BEND_MEL + (hertz / BEND_HZ).ln() * STEPS / 6.4_f64.ln()
    }
}

fn hertz(mel: f64) -> f64 {
    if mel < BEND_MEL {
        mel * HZ_PER_MEL
    } else {
        BEND_HZ * ((mel - BEND_MEL) * 6.4_f64.ln() / STEPS).exp()
    }
}
