//! Read sentences of a hundred people, and what telephones, rooms and noise do to them.
//!
//! Degraded sound is simulated: there is no encoder of sound here. Whoever has a number that is a multiple of five is for reporting only.

use std::f32::consts::PI;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use effigy_media::{Limits, read_audio};
use effigy_sound::RATE_HZ;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

/// A person with one sentence.
pub(crate) struct Reader {
    pub(crate) number: u32,
    pub(crate) samples: Vec<f32>,
}

impl Reader {
    /// Whether nothing may be chosen or fitted on this person.
    pub(crate) fn is_for_reporting(&self) -> bool {
        self.number.is_multiple_of(5)
    }

    /// Two cuts of the sentence: its halves.
    pub(crate) fn halves(&self) -> [&[f32]; 2] {
        let (a, b) = self.samples.split_at(self.samples.len() / 2);
        [a, b]
    }
}

/// All readers, by number.
pub(crate) fn readers(data: &Path) -> Result<Vec<Reader>> {
    let folder = data.join("speech");
    let mut readers = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot list {folder:?}"))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let number = name.split('-').next().unwrap_or_default().parse();
        readers.push(Reader {
            number: number.with_context(|| format!("no reader's number: {path:?}"))?,
            samples: read_audio(&path, RATE_HZ, &Limits::default())?,
        });
    }
    readers.sort_by_key(|reader| reader.number);
    ensure!(!readers.is_empty(), "nobody reads in {folder:?}");
    Ok(readers)
}

/// What happened to a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Clean,
    /// 300 to 3400 Hz, and eight bits by the μ-law.
    Telephone,
    /// White noise, 10 dB below the voice.
    Noise,
    /// A room that takes 0.5 s to fall silent.
    Room,
    /// Eight times as loud as the scale has room for.
    Clipped,
    /// What a transform coder at a low rate does: coarse steps, nothing above 5.5 kHz. Nothing is
    /// fitted on it.
    Coder,
    /// Noise that falls with frequency, 10 dB below the voice. Nothing is fitted on it.
    BrownNoise,
    /// Mains hum of 50 Hz, as loud as the voice, and direct current. Nothing is fitted on it.
    Hum,
}

impl Condition {
    pub(crate) const ALL: [Self; 8] = [
        Self::Clean,
        Self::Telephone,
        Self::Noise,
        Self::Room,
        Self::Clipped,
        Self::Coder,
        Self::BrownNoise,
        Self::Hum,
    ];
    /// Those that voices are fitted on.
    pub(crate) const FITTED: [Self; 5] = [
        Self::Clean,
        Self::Telephone,
        Self::Noise,
        Self::Room,
        Self::Clipped,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Telephone => "telephone",
            Self::Noise => "white noise 10 dB",
            Self::Room => "room",
            Self::Clipped => "clipped",
            Self::Coder => "low-rate coder",
            Self::BrownNoise => "brown noise 10 dB",
            Self::Hum => "hum and direct current",
        }
    }

    /// What becomes of samples; `seed` is for what is random.
    pub(crate) fn of(self, samples: &[f32], seed: u64) -> Vec<f32> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        match self {
            Self::Clean => samples.to_vec(),
            Self::Telephone => telephone(samples),
            Self::Noise => {
                let noise = samples.iter().map(|_| random.random::<f32>() - 0.5);
                with_noise(samples, &noise.collect::<Vec<_>>())
            }
            Self::BrownNoise => {
                let mut level = 0.0;
                let noise = samples.iter().map(|_| {
                    level = 0.98 * level + random.random::<f32>() - 0.5;
                    level
                });
                with_noise(samples, &noise.collect::<Vec<_>>())
            }
            Self::Room => room(samples, &mut random),
            Self::Clipped => {
                let peak = samples.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
                let gain = 8.0 / peak.max(f32::MIN_POSITIVE);
                samples
                    .iter()
                    .map(|s| (gain * s).clamp(-1.0, 1.0))
                    .collect()
            }
            Self::Coder => coded(samples),
            Self::Hum => {
                let level = level(samples);
                let hum = |i: usize| (2.0 * PI * 50.0 * i as f32 / RATE_HZ as f32).sin();
                let samples = samples.iter().enumerate();
                samples
                    .map(|(i, s)| s + level * (2_f32.sqrt() * hum(i) + 1.0))
                    .collect()
            }
        }
    }
}

fn level(samples: &[f32]) -> f32 {
    let power = samples.iter().map(|&s| f64::from(s * s)).sum::<f64>();
    (power / samples.len().max(1) as f64).sqrt() as f32
}

fn with_noise(samples: &[f32], noise: &[f32]) -> Vec<f32> {
    const TEN_DB: f32 = 0.316_227_77;
    let gain = TEN_DB * level(samples) / level(noise).max(f32::MIN_POSITIVE);
    let both = samples.iter().zip(noise);
    both.map(|(sample, noise)| sample + gain * noise).collect()
}

/// Multiplies the spectrum by `gain` of each frequency in Hz.
fn filtered(samples: &[f32], gain: impl Fn(f32) -> f32) -> Vec<f32> {
    let n = samples.len();
    let mut spectrum: Vec<Complex<f32>> = samples.iter().map(Complex::from).collect();
    let mut planner = FftPlanner::new();
    planner.plan_fft_forward(n).process(&mut spectrum);
    for (k, value) in spectrum.iter_mut().enumerate() {
        *value *= gain(k.min(n - k) as f32 * RATE_HZ as f32 / n as f32) / n as f32;
    }
    planner.plan_fft_inverse(n).process(&mut spectrum);
    spectrum.iter().map(|value| value.re).collect()
}

fn telephone(samples: &[f32]) -> Vec<f32> {
    const MU: f32 = 255.0;
    // As steep as a filter of the fourth order.
    let band = |hertz: f32| {
        let (low, high) = ((300.0 / hertz.max(1.0)).powi(8), (hertz / 3400.0).powi(8));
        1.0 / ((1.0 + low) * (1.0 + high)).sqrt()
    };
    let heard = filtered(samples, band);
    let peak = heard.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
    let gain = 0.5 / peak.max(f32::MIN_POSITIVE);
    let eight_bits = |sample: &f32| {
        let curved = (MU * (gain * sample).abs()).ln_1p() / MU.ln_1p();
        let rounded = (127.0 * curved).round() / 127.0;
        ((rounded * MU.ln_1p()).exp_m1() / MU).copysign(*sample)
    };
    heard.iter().map(eight_bits).collect()
}

/// Sound and its echoes: noise that falls by 60 dB in half a second, as loud as the sound itself.
fn room(samples: &[f32], random: &mut ChaCha8Rng) -> Vec<f32> {
    const FALL_SECS: f32 = 0.5;
    let n_echo = (FALL_SECS * RATE_HZ as f32) as usize;
    let echo = (0..n_echo).map(|i| {
        let fallen = (-6.9 * i as f32 / n_echo as f32).exp();
        fallen * (random.random::<f32>() - 0.5)
    });
    let echo: Vec<f32> = echo.collect();
    let loudness = echo.iter().map(|e| e * e).sum::<f32>().sqrt();
    let n = samples.len() + n_echo;
    let mut planner = FftPlanner::new();
    let spectrum = |values: &mut dyn Iterator<Item = f32>| {
        let mut padded: Vec<Complex<f32>> = values.map(Complex::from).collect();
        padded.resize(n, Complex::default());
        FftPlanner::new().plan_fft_forward(n).process(&mut padded);
        padded
    };
    let mut sound = spectrum(&mut samples.iter().copied());
    let echo = spectrum(&mut echo.iter().map(|e| e / loudness));
    for (value, echo) in sound.iter_mut().zip(echo) {
        *value *= (echo + 1.0) / n as f32;
    }
    planner.plan_fft_inverse(n).process(&mut sound);
    sound[..samples.len()]
        .iter()
        .map(|value| value.re)
        .collect()
}

/// Frames that overlap by half, whose parts are rounded to steps as coarse as their neighbours are
/// loud.
fn coded(samples: &[f32]) -> Vec<f32> {
    const N_FRAME: usize = 512;
    const N_BAND: usize = 8;
    const STEP: f32 = 1.0;
    let highest = (N_FRAME as f32 * 5500.0 / RATE_HZ as f32) as usize;
    let mut planner = FftPlanner::new();
    let (there, back) = (
        planner.plan_fft_forward(N_FRAME),
        planner.plan_fft_inverse(N_FRAME),
    );
    let taper = |i: usize| (PI * (i as f32 + 0.5) / N_FRAME as f32).sin();
    let mut output = vec![0.0; samples.len()];
    for from in (0..samples.len().saturating_sub(N_FRAME)).step_by(N_FRAME / 2) {
        let tapered = (0..N_FRAME).map(|i| Complex::from(taper(i) * samples[from + i]));
        let mut frame: Vec<Complex<f32>> = tapered.collect();
        there.process(&mut frame);
        for band in (0..=N_FRAME / 2).step_by(N_BAND) {
            let band = band..(band + N_BAND).min(N_FRAME / 2 + 1);
            let power = frame[band.clone()]
                .iter()
                .map(Complex::norm_sqr)
                .sum::<f32>();
            let step = STEP * (power / N_BAND as f32).sqrt().max(1e-6);
            for k in band {
                let rounded = |part: f32| (part / step).round() * step;
                frame[k] = if k <= highest {
                    Complex::new(rounded(frame[k].re), rounded(frame[k].im))
                } else {
                    Complex::default()
                };
                if 0 < k {
                    frame[N_FRAME - k] = frame[k].conj();
                }
            }
        }
        back.process(&mut frame);
        for (i, value) in frame.iter().enumerate() {
            output[from + i] += taper(i) * value.re / N_FRAME as f32;
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_sound::testing::vowels;

    #[test]
    fn conditions_leave_the_level_and_no_more() {
        let sound = vowels(2.0);
        for condition in Condition::ALL {
            let degraded = condition.of(&sound, 1);
            assert_eq!(degraded.len(), sound.len());
            assert!(degraded.iter().all(|s| s.is_finite()));
            let both = sound.iter().zip(&degraded).map(|(a, b)| a * b).sum::<f32>();
            let alike = both / level(&sound) / level(&degraded) / sound.len() as f32;
            let name = condition.name();
            assert!((0.3..1.0001).contains(&alike), "{name}: {alike}");
            assert_eq!(
                alike > 0.9999,
                condition == Condition::Clean,
                "{name}: {alike}"
            );
        }
    }
}
