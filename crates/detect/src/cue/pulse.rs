//! The pulse in the skin: the heart's beat colours forehead and cheeks, alike and at one rate.
//!
//! The beat is taken out of the mean colour of three patches of skin by POS (Wang, den Brinker,
//! Stuijk and de Haan, "Algorithmic principles of remote PPG", IEEE TBME 2017) and by CHROM (de
//! Haan and Jeanne, "Robust pulse rate from chrominance-based rPPG", IEEE TBME 2013). Compression
//! takes it away from real clips too, and a swap can carry it over from its original (Seibold et
//! al., "High-quality deepfakes have a heart!", Frontiers in Imaging 2025), so this is noted
//! and does not count in the verdict.

use effigy_face::landmarks::{CHEEK_PATCHES, FOREHEAD_PATCH};
use effigy_face::{Observation, skin};
use effigy_frame::Point2;

use crate::cue::interface::{Cadence, Context, Cue, Models};
use crate::kind::CueKind;
use crate::measurement::{self, Measure, Measurement, Skipped, median};
use crate::signal::series::{MOST_FRAMES, covers, evenly, windows};

/// What is measured, in this order.
pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "no-pulse",
        high: "Less of a beat shows in the skin than in most real clips, which says little",
        usual: "As much of a beat shows in the skin as in real clips, which says little: fakes can carry it over",
    },
    Measure {
        name: "apart",
        high: "Forehead and cheeks beat less together than in most real clips, which says little",
        usual: "Forehead and cheeks beat together as much as in real clips, which says little: fakes can carry it over",
    },
];

/// Forehead, right and left cheek.
const PATCHES: [[usize; 4]; 3] = [FOREHEAD_PATCH, CHEEK_PATCHES[0], CHEEK_PATCHES[1]];
/// Mean colours of the patches, red, green, blue.
type Colours = [[f32; 3]; 3];

/// How the skin was coloured so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulse {
    seen: Vec<(f64, Colours)>,
}

/// A beat needs this long to stand out from noise.
const LEAST_SECS: f64 = 8.0;
/// Frames a second under which beats fall between frames.
const LEAST_RATE: f64 = 12.0;
/// Smaller faces have too few pixels of skin.
const LEAST_SIZE_PX: f32 = 64.0;
/// Turned further, a cheek is hidden.
const MOST_YAW: f32 = 35.0;
/// One spectrum is taken over this long, and the next begins so much later.
const WINDOW_SECS: f64 = 10.0;
const HOP_SECS: f64 = 2.0;
/// Samples a second after resampling.
const RATE_HZ: f64 = 25.0;
/// Hearts beat between 42 and 180 a minute; twice that holds the second harmonic.
const SLOWEST_HZ: f32 = 0.7;
const FASTEST_HZ: f32 = 3.0;
const BAND_END_HZ: f32 = 4.0;
const STEP_HZ: f32 = 0.02;
/// Half the width of a peak.
const PEAK_HZ: f32 = 0.12;
/// POS and CHROM work on stretches of this length.
const STRETCH_SECS: f64 = 1.6;

impl Cue for Pulse {
    fn kind(&self) -> CueKind {
        CueKind::Pulse
    }

    fn measures(&self) -> &'static [Measure] {
        MEASURES
    }

    fn cadence(&self) -> Cadence {
        Cadence::FitFrames
    }

    fn look(&mut self, face: &Observation<'_>, _models: &Models) -> Option<Vec<f32>> {
        let unfit = face.size_px() < LEAST_SIZE_PX || MOST_YAW < face.pose().yaw.abs();
        if unfit || MOST_FRAMES <= self.seen.len() {
            return None;
        }
        let points = face.points;
        let mut colours = [[0.0; 3]; 3];
        for (colour, corners) in colours.iter_mut().zip(PATCHES) {
            let corners = corners.map(|i| points[i].xy());
            *colour = mean_colour(face, &corners)?;
        }
        self.seen.push((face.time_secs(), colours));
        None
    }

    fn finish(self: Box<Self>, _context: &Context<'_>) -> measurement::Result {
        let refuse = |why: &str| Err(Skipped::new(CueKind::Pulse, why));
        let times: Vec<f64> = self.seen.iter().map(|(time, _)| *time).collect();
        if !covers(&times, LEAST_SECS, LEAST_RATE) {
            return refuse(
                "the skin is not seen for long enough without a break, eight seconds at twelve frames a second",
            );
        }
        let values: Vec<[f32; 9]> = self.seen.iter().map(|(_, c)| flat(c)).collect();
        let even = evenly(&times, &values, RATE_HZ);
        let mut moments = Vec::new();
        for (start, window) in windows(&even, RATE_HZ, WINDOW_SECS, HOP_SECS) {
            let time = times[0] + start as f64 / RATE_HZ;
            moments.push((time, measure(window).to_vec()));
        }
        Ok(Measurement::of_moments(CueKind::Pulse, MEASURES, moments))
    }
}

fn mean_colour(face: &Observation<'_>, corners: &[Point2; 4]) -> Option<[f32; 3]> {
    skin::mean_colour(&face.frame.picture, corners).filter(|c| c.iter().all(|v| 1.0 < *v))
}

fn flat(colours: &Colours) -> [f32; 9] {
    std::array::from_fn(|i| colours[i / 3][i % 3])
}

/// Gives the measures of one stretch of evenly spaced colours.
fn measure(window: &[[f32; 9]]) -> [f32; 2] {
    let of_patch = |k: usize| -> Vec<[f32; 3]> {
        let pick = |v: &[f32; 9]| [v[3 * k], v[3 * k + 1], v[3 * k + 2]];
        window.iter().map(pick).collect()
    };
    let patches = [of_patch(0), of_patch(1), of_patch(2)];
    let together: Vec<[f32; 3]> = (0..window.len())
        .map(|i| std::array::from_fn(|c| patches.iter().map(|p| p[i][c]).sum::<f32>() / 3.0))
        .collect();
    let noise_db = |beat: fn(&[[f32; 3]]) -> Vec<f32>| -signal_to_noise_db(&beat(&together)).0;
    let spectra = patches.each_ref().map(|patch| spectrum(&pos(patch)));
    let pairs = [(0, 1), (0, 2), (1, 2)];
    let apart = pairs.map(|(a, b)| 1.0 - coherence(&spectra[a], &spectra[b]));
    [
        0.5 * (noise_db(pos) + noise_db(chrom)),
        median(apart.to_vec()),
    ]
}

/// POS: projects colours onto the plane orthogonal to the skin's tone.
fn pos(colours: &[[f32; 3]]) -> Vec<f32> {
    overlapped(colours, |[r, g, b]| (g - b, -2.0 * r + g + b), 1.0)
}

/// CHROM: the difference of two chrominances.
fn chrom(colours: &[[f32; 3]]) -> Vec<f32> {
    let two = |[r, g, b]: [f32; 3]| (3.0 * r - 2.0 * g, 1.5 * r + g - 1.5 * b);
    overlapped(colours, two, -1.0)
}

/// Adds up `first + sign · σ(first) / σ(second) · second` of short stretches of relative colours.
fn overlapped(colours: &[[f32; 3]], two: impl Fn([f32; 3]) -> (f32, f32), sign: f32) -> Vec<f32> {
    let length = (STRETCH_SECS * RATE_HZ).round() as usize;
    let mut beat = vec![0.0; colours.len()];
    for start in 0..=colours.len().saturating_sub(length) {
        let stretch = &colours[start..colours.len().min(start + length)];
        let n = stretch.len() as f32;
        let mean: [f32; 3] = std::array::from_fn(|c| stretch.iter().map(|v| v[c]).sum::<f32>() / n);
        let relative = |v: &[f32; 3]| two(std::array::from_fn(|c| v[c] / mean[c].max(1.0)));
        let (first, second): (Vec<f32>, Vec<f32>) = stretch.iter().map(relative).unzip();
        let alpha = sign * standard_deviation(&first) / standard_deviation(&second).max(1e-9);
        let mixed: Vec<f32> = first
            .iter()
            .zip(&second)
            .map(|(a, b)| a + alpha * b)
            .collect();
        let middle = mixed.iter().sum::<f32>() / n;
        for (sum, v) in beat[start..].iter_mut().zip(&mixed) {
            *sum += v - middle;
        }
    }
    beat
}

fn standard_deviation(values: &[f32]) -> f32 {
    let n = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / n;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n).sqrt()
}

/// Real and imaginary part at each frequency of the band, through a Hann window.
fn spectrum(beat: &[f32]) -> Vec<(f32, f32)> {
    let n = beat.len() as f32;
    let mean = beat.iter().sum::<f32>() / n.max(1.0);
    let n_steps = ((BAND_END_HZ - SLOWEST_HZ) / STEP_HZ) as usize;
    let at = |step: usize| {
        let turn = std::f32::consts::TAU * frequency(step) / RATE_HZ as f32;
        let (mut re, mut im) = (0.0, 0.0);
        for (i, v) in beat.iter().enumerate() {
            let hann = 0.5 - 0.5 * (std::f32::consts::TAU * (i as f32 + 0.5) / n).cos();
            let (sin, cos) = (turn * i as f32).sin_cos();
            re += (v - mean) * hann * cos;
            im += (v - mean) * hann * sin;
        }
        (re, im)
    };
    (0..n_steps).map(at).collect()
}

fn frequency(step: usize) -> f32 {
    SLOWEST_HZ + step as f32 * STEP_HZ
}

/// Power at the strongest beat and its double against the rest of the band, in decibels, and the
/// beat's frequency (de Haan and Jeanne, section IV).
fn signal_to_noise_db(beat: &[f32]) -> (f32, f32) {
    let powers: Vec<f32> = spectrum(beat)
        .iter()
        .map(|(re, im)| re * re + im * im)
        .collect();
    let among = powers.iter().enumerate();
    let slow = among.filter(|(step, _)| frequency(*step) <= FASTEST_HZ);
    let peak = slow
        .max_by(|a, b| a.1.total_cmp(b.1))
        .map_or(0, |(step, _)| step);
    let peak = frequency(peak);
    let (mut signal, mut noise) = (0.0, 0.0);
    for (step, power) in powers.iter().enumerate() {
        let f = frequency(step);
        if (f - peak).abs() < PEAK_HZ || (f - 2.0 * peak).abs() < PEAK_HZ {
            signal += power;
        } else {
            noise += power;
        }
    }
    (10.0 * ((signal + 1e-20) / (noise + 1e-20)).log10(), peak)
}

/// How far two patches beat alike and at once, `-1..=1`.
fn coherence(a: &[(f32, f32)], b: &[(f32, f32)]) -> f32 {
    let power = |s: &[(f32, f32)]| s.iter().map(|(re, im)| re * re + im * im).sum::<f32>();
    let cross: f32 = a.iter().zip(b).map(|(a, b)| a.0 * b.0 + a.1 * b.1).sum();
    cross / (power(a) * power(b)).sqrt().max(1e-20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cue::interface::testing::finished;

    /// Ten seconds of skin with this much beat at 72 a minute; noise of half a level.
    fn skin(beat: f32) -> Vec<[f32; 9]> {
        let mut state = 9_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        // What blood takes of red, green and blue (de Haan and van Leest, 2014).
        let blood = [0.33, 0.77, 0.53];
        let skin = [180.0, 130.0, 110.0];
        let frame = |i: usize| {
            let now = (std::f32::consts::TAU * 1.2 * i as f32 / RATE_HZ as f32).sin();
            std::array::from_fn(|k| skin[k % 3] * (1.0 + beat * blood[k % 3] * now) + noise())
        };
        (0..(10.0 * RATE_HZ) as usize).map(frame).collect()
    }

    fn watched(skin: Vec<[f32; 9]>, secs: f64) -> measurement::Result {
        let colours = |v: &[f32; 9]| std::array::from_fn(|p| std::array::from_fn(|c| v[3 * p + c]));
        let frame = |(i, v): (usize, &[f32; 9])| (i as f64 / RATE_HZ, colours(v));
        let n = (secs * RATE_HZ) as usize;
        let seen = skin.iter().enumerate().take(n).map(frame).collect();
        finished(Pulse { seen })
    }

    #[test]
    fn seventy_two_beats_a_minute_are_found_and_noise_has_none() {
        let green = |skin: &[[f32; 9]]| -> Vec<[f32; 3]> {
            skin.iter().map(|v| [v[0], v[1], v[2]]).collect()
        };
        let beating = skin(0.01);
        for beat in [pos, chrom] {
            let (db, hz) = signal_to_noise_db(&beat(&green(&beating)));
            assert!((60.0 * hz - 72.0).abs() < 3.0, "{hz}"); // a step and a half of the spectrum
            assert!(3.0 < db, "{db}");
            assert!(signal_to_noise_db(&beat(&green(&skin(0.0)))).0 < 0.0);
        }
        let (alive, noise) = (watched(beating, 10.0), watched(skin(0.0), 10.0));
        let (alive, noise) = (alive.unwrap().overall, noise.unwrap().overall);
        assert!(alive[0] < noise[0] - 3.0, "{alive:?} {noise:?}");
        assert!(alive[1] < 0.4 && 0.6 < noise[1], "{alive:?} {noise:?}");
    }

    #[test]
    fn seven_seconds_are_not_judged() {
        assert!(watched(skin(0.01), 7.0).is_err());
    }
}
