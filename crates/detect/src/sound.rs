//! How loud a file's sound is over time.

use crate::signal::series::smoothed;

/// How loud a file's sound is over time.
#[derive(Clone, Debug, PartialEq)]
pub enum Sound {
    /// Levels from the start of the file's clock, `LEVELS_PER_SEC` a second.
    Levels(Vec<f32>),
    /// There is nothing to compare with, and why: the end of a sentence.
    Unusable(String),
}

/// Levels a second.
pub const LEVELS_PER_SEC: u32 = 100;

impl Sound {
    /// Takes the loudness of mono samples, in powers of ten.
    pub fn of_samples(samples: &[f32], rate_hz: u32) -> Self {
        let together = (rate_hz / LEVELS_PER_SEC).max(1) as usize;
        let power = |block: &[f32]| block.iter().map(|v| v * v).sum::<f32>() / block.len() as f32;
        let powers: Vec<f32> = samples.chunks(together).map(power).collect();
        let levels: Vec<f32> = smoothed(&powers, SMOOTH_LEVELS)
            .iter()
            .map(|p| (p + SILENCE).log10())
            .collect();
        let low = levels.iter().copied().fold(f32::INFINITY, f32::min);
        let high = levels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if high - low < LEAST_RANGE {
            return Self::Unusable("the sound is silent, or always as loud".to_owned());
        }
        Self::Levels(levels)
    }
}

/// Power under which there is nothing to hear.
const SILENCE: f32 = 1e-7;
/// Loudest against quietest, in powers of ten, under which there is no speech.
const LEAST_RANGE: f32 = 1.0;
/// Levels on either side that are averaged: syllables last a fifth of a second.
const SMOOTH_LEVELS: usize = 5;
