//! The spread-spectrum pattern: the waves that carry the watermark, drawn once from a fixed seed.
//!
//! Each wave has a whole number of periods in a square of [`SIDE`] canonical pixels, and a phase.
//! Some have a known sign, by which the detector finds scale and place; the others carry the coded
//! bits, each bit spread over several waves.

use std::f32::consts::{FRAC_PI_2, TAU};

use effigy_frame::Point2;

use crate::watermark::code::CODED_BITS;
use crate::watermark::spectrum::{Complex, SIDE};

/// Longest wave in canonical pixels: longer ones drown in what the picture shows.
const LONGEST_PX: f32 = 28.0;
/// Shortest wave: shorter ones fall to compression.
const SHORTEST_PX: f32 = 7.5;
/// Share of the waves that have a known sign.
const SYNC_SHARE: f32 = 0.15;
/// Waves along the axes resemble edges of windows and letters: left out up to this.
const AXIS: i32 = 2;
/// Changing it makes another watermark, which this detector cannot read.
const SEED: u64 = 0x6566_6669_6779_0001;

/// One wave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wave {
    /// Periods in the square, to the right.
    pub(super) kx: i32,
    /// Periods in the square, downwards.
    pub(super) ky: i32,
    /// `e^(iφ)` of its phase, turned by half where its sign is inverted.
    pub(super) phase: Complex,
}

/// All waves.
pub(super) struct Pattern {
    /// Those of a known sign.
    pub(super) sync: Vec<Wave>,
    /// Wave `i` carries coded bit `i % CODED_BITS`.
    pub(super) data: Vec<Wave>,
}

impl Wave {
    /// Where the wave is in a spectrum.
    pub(super) fn entry(&self) -> usize {
        let wrap = |k: i32| k.rem_euclid(SIDE as i32) as usize;
        wrap(self.ky) * SIDE + wrap(self.kx)
    }

    /// Strength of the wave in the spectrum of a square that begins at `origin` of the pattern.
    pub(super) fn strength(&self, spectrum: &[Complex], origin: Point2) -> f32 {
        // A shift of the square turns the phase of each wave, which is turned back here.
        let angle = TAU * (self.kx as f32 * origin.x + self.ky as f32 * origin.y) / SIDE as f32;
        (spectrum[self.entry()] * self.phase.conj() * Complex::cis(angle)).re
    }
}

impl Pattern {
    pub(super) fn new() -> Self {
        let mut random = Random(SEED);
        let mut waves = Vec::new();
        let reach = (SIDE as f32 / SHORTEST_PX).ceil() as i32;
        for ky in AXIS..=reach {
            for kx in -reach..=reach {
                let radius = (kx as f32).hypot(ky as f32);
                let length = SIDE as f32 / radius;
                if kx.abs() < AXIS || !(SHORTEST_PX..=LONGEST_PX).contains(&length) {
                    continue;
                }
                let angle = random.unit() * TAU;
                for quarter in [0.0, FRAC_PI_2] {
                    let phase = Complex::cis(angle + quarter);
                    waves.push(Wave { kx, ky, phase });
                }
            }
        }
        // Fisher and Yates: neighbours in frequency must not carry the same bit.
        for i in (1..waves.len()).rev() {
            let j = (random.next() % (i as u64 + 1)) as usize;
            waves.swap(i, j);
        }
        let n_sync = (waves.len() as f32 * SYNC_SHARE) as usize;
        let mut data = waves.split_off(n_sync);
        // Random signs, so that even a word of equal bits gives a pattern like noise.
        for wave in &mut data {
            if random.next() & 1 == 1 {
                wave.phase = Complex {
                    re: -wave.phase.re,
                    im: -wave.phase.im,
                };
            }
        }
        assert!(data.len() >= CODED_BITS, "each coded bit has a wave");
        Self { sync: waves, data }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same waves on every machine.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..1`.
    pub(super) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }
}
