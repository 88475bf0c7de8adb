//! Takes away what lies below all voices: direct current, mains hum, handling noise. It would count as loudness,
//! and strangers' recordings with the same hum would sound alike.
//!
//! A Butterworth high-pass of the eighth order, as four sections of the second (bilinear transform): of the fourth, hum
//! as loud as the voice still brought strangers nearer.

use std::f64::consts::PI;

use effigy_model::VoiceActivity;

const RATE_HZ: u32 = VoiceActivity::RATE_HZ;
/// Half of the power is left here; the lowest voices begin at about 80 Hz.
const EDGE_HZ: f64 = 80.0;
/// Quality of the sections of a Butterworth filter.
const QUALITIES: [f64; 4] = [0.509_795_6, 0.601_344_9, 0.899_976_2, 2.562_915_4];

/// The filter, with what it remembers.
pub(crate) struct HighPass {
    sections: [Section; 4],
}

struct Section {
    forward: [f64; 3],
    back: [f64; 2],
    state: [f64; 2],
}

impl HighPass {
    pub(crate) fn new() -> Self {
        Self {
            sections: QUALITIES.map(Section::new),
        }
    }

    /// Filters samples that follow those before.
    pub(crate) fn take(&mut self, samples: &[f32]) -> Vec<f32> {
        let filtered = samples.iter().map(|&sample| {
            let sections = self.sections.iter_mut();
            sections.fold(f64::from(sample), |value, section| section.take(value)) as f32
        });
        filtered.collect()
    }
}

impl Section {
    fn new(quality: f64) -> Self {
        let turn = 2.0 * PI * EDGE_HZ / f64::from(RATE_HZ);
        let width = turn.sin() / (2.0 * quality);
        let (scale, high) = (1.0 / (1.0 + width), 0.5 * (1.0 + turn.cos()));
        Self {
            forward: [high, -2.0 * high, high].map(|weight| scale * weight),
            back: [-2.0 * turn.cos(), 1.0 - width].map(|weight| scale * weight),
            state: [0.0; 2],
        }
    }

    /// Transposed direct form II.
    fn take(&mut self, input: f64) -> f64 {
        let output = self.forward[0] * input + self.state[0];
        self.state = [
            self.forward[1] * input - self.back[0] * output + self.state[1],
            self.forward[2] * input - self.back[1] * output,
        ];
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How loud a tone is behind the filter, of one before.
    fn left(hertz: f64) -> f64 {
        let sample = |i: usize| (2.0 * PI * hertz * i as f64 / f64::from(RATE_HZ)).cos() as f32;
        let samples: Vec<f32> = (0..2 * RATE_HZ as usize).map(sample).collect();
        let mut filter = HighPass::new();
        let (first, last) = samples.split_at(RATE_HZ as usize);
        filter.take(first);
        let power = |samples: &[f32]| samples.iter().map(|&s| f64::from(s * s)).sum::<f64>();
        (power(&filter.take(last)) / power(last)).sqrt()
    }

    #[test]
    fn what_is_below_voices_goes_and_they_stay() {
        assert!(left(0.0) < 1e-4);
        assert!(left(50.0) < 0.03, "{}", left(50.0));
        assert!((left(80.0) - 0.5_f64.sqrt()).abs() < 0.01);
        assert!(0.95 < left(150.0) && (left(1000.0) - 1.0).abs() < 1e-3);
    }
}
