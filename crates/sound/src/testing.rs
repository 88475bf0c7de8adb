//! Sound for tests: vowels that nobody said.

use std::f64::consts::TAU;

use crate::listen::RATE_HZ;

/// Gives `secs` of vowels that glide between two mouths, a syllable every half second, by a voice of
/// 120 Hz.
pub fn vowels(secs: f64) -> Vec<f32> {
    let rate_hz = f64::from(RATE_HZ);
    let mut phase = 0.0;
    let sample = |i: usize| {
        let secs = i as f64 / rate_hz;
        let pitch_hz = 120.0 + 15.0 * (TAU * 0.7 * secs).sin();
        phase += TAU * pitch_hz / rate_hz;
        let mix = 0.5 + 0.5 * (TAU * 2.3 * secs).sin();
        // Where the mouth resonates, how widely, and how much.
        let resonances = [
            (300.0 + 450.0 * mix, 90.0, 1.0),
            (2200.0 - 1000.0 * mix, 150.0, 0.5),
            (2800.0 - 200.0 * mix, 250.0, 0.25),
        ];
        let harmonic = |k: i32| {
            let hertz = f64::from(k) * pitch_hz;
            let gain = |&(middle, width, gain): &(f64, f64, f64)| {
                gain * (-((hertz - middle) / (2.0 * width)).powi(2)).exp()
            };
            resonances.iter().map(gain).sum::<f64>() * (f64::from(k) * phase).sin()
        };
        let syllable = (1.3 * (TAU * 2.1 * secs).sin()).clamp(0.0, 1.0);
        (0.1 * syllable * (1..40).map(harmonic).sum::<f64>()) as f32
    };
    (0..(secs * rate_hz) as usize).map(sample).collect()
}
