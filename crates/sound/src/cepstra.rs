//! Cepstra of speech: thirteen numbers a hundredth of a second that say which way the mouth resonates.
//!
//! As pocketsphinx (Carnegie Mellon University, BSD) has them for its acoustic model of US English: 25 mel bands
//! from 130 to 6800 Hz, noise tracked and taken away in each, logarithms, a cosine transform, liftered.
//! Samples of full scale are 32,768 there.

use std::f32::consts::PI;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use crate::listen::RATE_HZ;

/// Numbers of a cepstrum.
pub const N_CEPSTRUM: usize = 13;
/// The numbers, of which the first says how loud it is.
pub type Cepstrum = [f32; N_CEPSTRUM];
/// Samples from one cepstrum to the next.
pub const N_STEP: usize = 160;

/// Samples that a cepstrum sees.
const N_FRAME: usize = 410;
const N_FFT: usize = 512;
const N_BANDS: usize = 25;
/// Where the lowest band begins and the highest ends.
const EDGES_HZ: [f64; 2] = [130.0, 6800.0];
const FULL_SCALE: f32 = 32_768.0;
/// How much of the sample before is taken away from each.
const PRE_EMPHASIS: f32 = 0.97;
/// Half of it is the most by which a middle number is made larger.
const LIFTER: f32 = 22.0;
/// Power at which logarithms end.
const LEAST_POWER: f32 = 1e-4;

type Bands = [f32; N_BANDS];

/// Takes the cepstra of sound that comes bit by bit.
pub struct Cepstra {
    plan: Arc<dyn Fft<f32>>,
    taper: Vec<f32>,
    /// Of each band, the first frequency and weights.
    bands: Vec<(usize, Vec<f32>)>,
    /// What becomes of the logarithms of the bands.
    transform: [Bands; N_CEPSTRUM],
    /// Emphasised samples from the next cepstrum's first on.
    ahead: Vec<f32>,
    last: f32,
    noise: Option<Noise>,
}

impl Default for Cepstra {
    fn default() -> Self {
        let taper = |i: usize| 0.54 - 0.46 * (2.0 * PI * i as f32 / (N_FRAME - 1) as f32).cos();
        let transform = |k: usize, j: usize| {
            let wave = (PI * k as f32 * (j as f32 + 0.5) / N_BANDS as f32).cos();
            let length = (if k == 0 { 1.0 } else { 2.0 } / N_BANDS as f32).sqrt();
            let lift = 1.0 + 0.5 * LIFTER * (PI * k as f32 / LIFTER).sin();
            lift * length * wave
        };
        Self {
            plan: FftPlanner::new().plan_fft_forward(N_FFT),
            taper: (0..N_FRAME).map(taper).collect(),
            bands: bands(),
            transform: std::array::from_fn(|k| std::array::from_fn(|j| transform(k, j))),
            ahead: Vec::new(),
            last: 0.0,
            noise: None,
        }
    }
}

impl Cepstra {
    /// Takes more samples, and gives the cepstra that they complete. The first is of the first 410 samples.
    pub fn take(&mut self, samples: &[f32]) -> Vec<Cepstrum> {
        for &sample in samples {
            let sample = FULL_SCALE * sample;
            self.ahead.push(sample - PRE_EMPHASIS * self.last);
            self.last = sample;
        }
        let n = (self.ahead.len() + N_STEP).saturating_sub(N_FRAME) / N_STEP;
        let ahead = std::mem::take(&mut self.ahead);
        let cepstra = (0..n).map(|i| self.cepstrum(&ahead[i * N_STEP..][..N_FRAME]));
        let cepstra = cepstra.collect();
        self.ahead = ahead[n * N_STEP..].to_vec();
        cepstra
    }

    fn cepstrum(&mut self, samples: &[f32]) -> Cepstrum {
        let mut spectrum = vec![Complex::default(); N_FFT];
        for (value, (sample, taper)) in spectrum.iter_mut().zip(samples.iter().zip(&self.taper)) {
            *value = Complex::from(sample * taper);
        }
        self.plan.process(&mut spectrum);
        let mut power: Bands = std::array::from_fn(|i| {
            let (first, weights) = &self.bands[i];
            let powers = spectrum[*first..].iter().map(Complex::norm_sqr);
            weights.iter().zip(powers).map(|(w, p)| w * p).sum()
        });
        let noise = self.noise.get_or_insert_with(|| Noise::new(&power));
        noise.take_away(&mut power);
        let logarithms = power.map(|p| (p + LEAST_POWER).ln());
        self.transform
            .map(|row| row.iter().zip(&logarithms).map(|(t, l)| t * l).sum())
    }
}

fn bands() -> Vec<(usize, Vec<f32>)> {
    let mel = |hertz: f64| 2595.0 * (hertz / 700.0).ln_1p() / 10_f64.ln();
    let hertz = |mel: f64| 700.0 * (mel * 10_f64.ln() / 2595.0).exp_m1();
    let [lowest, highest] = EDGES_HZ.map(mel);
    let step_hz = f64::from(RATE_HZ) / N_FFT as f64;
    // Bands begin and end at frequencies of the spectrum.
    let edge = |i: usize| {
        let share = i as f64 / (N_BANDS + 1) as f64;
        (hertz(lowest + share * (highest - lowest)) / step_hz).round() * step_hz
    };
    let band = |i: usize| {
        let [low, middle, high] = [edge(i), edge(i + 1), edge(i + 2)];
        let weight = |k: usize| {
            let at = k as f64 * step_hz;
            let side = ((at - low) / (middle - low)).min((high - at) / (high - middle));
            (side.max(0.0) * 2.0 / (high - low)) as f32
        };
        let first = (low / step_hz).round() as usize;
        let last = (high / step_hz).round() as usize;
        (first, (first..=last).map(weight).collect())
    };
    (0..N_BANDS).map(band).collect()
}

/// What pocketsphinx knows of the noise in each band, and how it takes it away: it follows the lower envelope of
/// the power, subtracts it, and masks what comes right behind something louder (after Kim and Stern,
/// "Power-Normalized Cepstral Coefficients", ICASSP 2012).
struct Noise {
    power: Bands,
    noise: Bands,
    floor: Bands,
    peak: Bands,
}

/// Share of the power before that is kept.
const POWER_KEPT: f32 = 0.7;
/// How slowly an envelope rises, and how fast it falls.
const RISE_KEPT: f32 = 0.995;
const FALL_KEPT: f32 = 0.5;
/// How fast a peak is forgotten, and what is left of what it masks.
const PEAK_KEPT: f32 = 0.85;
const MASKED: f32 = 0.2;
/// Most by which a band is made quieter or louder.
const MOST_GAIN: f32 = 20.0;
/// Bands on either side over which gains are averaged.
const N_SMOOTH: usize = 4;

impl Noise {
    fn new(power: &Bands) -> Self {
        Self {
            power: *power,
            noise: power.map(|p| p / MOST_GAIN),
            floor: power.map(|p| p / MOST_GAIN),
            peak: [0.0; N_BANDS],
        }
    }

    fn take_away(&mut self, bands: &mut Bands) {
        let gains: Bands = std::array::from_fn(|i| self.gain(i, bands[i]));
        for (i, band) in bands.iter_mut().enumerate() {
            let near = &gains[i.saturating_sub(N_SMOOTH)..(i + N_SMOOTH + 1).min(N_BANDS)];
            *band *= near.iter().sum::<f32>() / near.len() as f32;
        }
    }

    fn gain(&mut self, i: usize, band: f32) -> f32 {
        let power = POWER_KEPT * self.power[i] + (1.0 - POWER_KEPT) * band;
        self.power[i] = power;
        follow(&mut self.noise[i], power);
        let clean = (power - self.noise[i]).max(1.0);
        follow(&mut self.floor[i], clean);
        let peak = PEAK_KEPT * self.peak[i];
        self.peak[i] = peak.max(clean);
        let left = if clean < PEAK_KEPT * peak {
            MASKED * peak
        } else {
            clean
        };
        let gain = left.max(self.floor[i]) / power.max(f32::MIN_POSITIVE);
        gain.clamp(1.0 / MOST_GAIN, MOST_GAIN)
    }
}

/// Moves the lower envelope of a power.
fn follow(envelope: &mut f32, power: f32) {
    let kept = if *envelope <= power {
        RISE_KEPT
    } else {
        FALL_KEPT
    };
    *envelope = kept * *envelope + (1.0 - kept) * power;
}
