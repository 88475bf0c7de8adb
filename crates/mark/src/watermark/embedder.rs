//! Embedding the watermark into pictures.
//!
//! The embedder knows the picture, and so what the detector would read from it without a mark. It
//! makes each group of waves just as strong as it must be to be read, within bounds of how much the
//! picture may change.

use effigy_frame::{Picture, Point2};

use crate::watermark::canonical_luma::{
    band_pass, canonical_luma, detector_weight, fold, local_power,
};
use crate::watermark::code::{self, CODED_BITS};
use crate::watermark::dither::Dither;
use crate::watermark::perceptual_mask::{
    CLIPPED_SHARE, FLAT, MASKING_EXPONENT, even_out, headroom, perceptual_mask,
};
use crate::watermark::plane::CanonicalPlane;
use crate::watermark::spectrum::{Complex, Fourier, SIDE};
use crate::watermark::spread_spectrum::{Pattern, Wave};

/// Embeds one identifier into pictures.
pub struct Embedder {
    fourier: Fourier,
    waves: Vec<SignedWave>,
    /// How many waves each group has.
    counts: Vec<f32>,
    dither: Dither,
}

/// A wave with its sign.
struct SignedWave {
    wave: Wave,
    /// The waves of one coded bit are a group, strengthened together.
    group: usize,
}

/// Mean square of the change at full strength, in levels: 42.1 dB.
const MOST_POWER: f32 = 4.0;
/// At least this much even where little would do: 47 dB.
const LEAST_POWER: f32 = 1.3;
/// At least this much where nothing hides the mark, as in a clear sky: 53 dB.
const LEAST_POWER_ON_FLAT: f32 = 0.35;
/// What some texture adds to what an even picture hides: even blurred walls have it.
const SOME_TEXTURE: f32 = 0.25;
/// Strength of a wave that is enough, in units of the noise among the coded bits.
const ENOUGH: f32 = 3.5;
/// Groups of waves with a known sign: each is strengthened as if it were one coded bit.
const SYNC_GROUPS: usize = 64;
const GROUPS: usize = CODED_BITS + SYNC_GROUPS;
/// Pictures that are nearly all texture drown the mark. From the first share of the full strength
/// that would be enough, up to the second, the mark moves to where they are flat.
const DROWNING: [f32; 2] = [0.8, 1.3];
/// No wave is drawn stronger than this many times the average one.
const STRONGEST: f32 = 3.0;

impl Embedder {
    /// Prepares to embed `identifier`.
    pub fn new(identifier: u64) -> Self {
        let Pattern { sync, data } = Pattern::new();
        let coded = code::encode(identifier);
        let known = sync.into_iter().enumerate().map(|(i, wave)| SignedWave {
            wave,
            group: CODED_BITS + i % SYNC_GROUPS,
        });
        let carrying = data.into_iter().enumerate().map(|(i, mut wave)| {
            let group = i % CODED_BITS;
            wave.phase *= coded[group];
            SignedWave { wave, group }
        });
        let waves: Vec<SignedWave> = known.chain(carrying).collect();
        let mut counts = vec![0.0; GROUPS];
        waves.iter().for_each(|wave| counts[wave.group] += 1.0);
        Self {
            fourier: Fourier::new(),
            waves,
            counts,
            dither: Dither::new(),
        }
    }

    /// Embeds the watermark into a picture.
    pub fn embed(&self, picture: &mut Picture) {
        let Analysis {
            mut detail,
            power,
            headroom,
            mut mask,
        } = analyse(picture);
        // A change that may be clipped is worth less, so that the mark moves to darker places.
        let masked = mask.values.iter_mut().zip(&headroom);
        masked.for_each(|(mask, headroom)| *mask *= headroom);
        let mut cost = weigh_as_detector(&mut detail, &power, &mask);
        let host = self.host_strengths(&fold(&detail));
        // In a picture that drowns the mark even at full strength, what texture hides better does
        // not count any more: the mark goes where the detector sees it.
        let needed = ENOUGH * noise(&host) / (cost.gain * self.average(MOST_POWER, &cost));
        let drowned = ((needed - DROWNING[0]) / (DROWNING[1] - DROWNING[0])).clamp(0.0, 1.0);
        if 0.0 < drowned {
            even_out(&mut mask, &headroom, drowned);
            cost = Cost::of(&power, &mask);
        }
        let n_pixels = picture.width() as usize * picture.height() as usize;
        let least = least_power(n_pixels, &headroom, &cost);
        let pattern = self.pattern(&self.strengths(&host, &cost, least));
        let mut change = mask;
        multiply_tiled(&mut change, &pattern);
        self.dither.add(picture, &change);
    }

    /// What the detector would read from the unmarked picture: the mean strength of each group's
    /// waves in the picture itself, the host of the mark.
    fn host_strengths(&self, square: &[f32]) -> Vec<f32> {
        let spectrum = self.fourier.forward(square);
        let mut sums = vec![0.0_f32; GROUPS];
        for SignedWave { wave, group } in &self.waves {
            sums[*group] += wave.strength(&spectrum, Point2::default());
        }
        sums.iter().zip(&self.counts).map(|(s, n)| s / n).collect()
    }

    /// The strength of each wave that costs so much power, if all are drawn alike.
    fn average(&self, power: f32, cost: &Cost) -> f32 {
        // A wave of strength 1 has power 1/2.
        (2.0 * power / cost.mask_power / self.waves.len() as f32).sqrt()
    }

    /// How strong each group of waves is drawn, with at least the power `least`.
    ///
    /// Where the picture itself agrees with the mark along a group's waves, little is added; where
    /// it contradicts, more. The level that all groups reach is the highest that the allowed power
    /// pays for.
    fn strengths(&self, host: &[f32], cost: &Cost, least: f32) -> Vec<f32> {
        // From what the detector reads to how strong a wave must be drawn to be read so.
        let host: Vec<f32> = host.iter().map(|host| host / cost.gain).collect();
        let n = self.waves.len() as f32;
        let enough = ENOUGH * noise(&host);
        let most = self.average(MOST_POWER, cost);
        let average = enough.clamp(self.average(least, cost), most);
        let paid = |level: f32| -> Vec<f32> {
            host.iter()
                .map(|host| (level - host).clamp(0.0, STRONGEST * average))
                .collect()
        };
        let power = |strengths: &[f32]| -> f32 {
            let squares = strengths.iter().zip(&self.counts).map(|(s, n)| n * s * s);
            squares.sum::<f32>() / n
        };
        let reach = host
            .iter()
            .fold(average, |reach, host| reach.max(host.abs()));
        // Power grows with the level, so that halving finds it; 40 halvings exhaust an f32.
        let (mut low, mut high) = (-2.0 * reach, 4.0 * reach);
        for _ in 0..40 {
            let level = 0.5 * (low + high);
            if power(&paid(level)) > average * average {
                high = level;
            } else {
                low = level;
            }
        }
        paid(low)
    }

    /// Adds up the waves into one square.
    fn pattern(&self, strengths: &[f32]) -> Vec<f32> {
        let mut spectrum = vec![Complex::default(); SIDE * SIDE];
        for SignedWave { wave, group } in &self.waves {
            let entry = &mut spectrum[wave.entry()];
            entry.re += strengths[*group] * wave.phase.re;
            entry.im += strengths[*group] * wave.phase.im;
        }
        self.fourier.inverse(&spectrum)
    }
}

/// What is known of a picture before it is marked, at canonical size.
struct Analysis {
    /// Band-passed luma, which the detector looks at.
    detail: CanonicalPlane,
    /// Local power of the detail.
    power: CanonicalPlane,
    /// What a change is worth at each place, less where it may be clipped.
    headroom: Vec<f32>,
    /// How much change each place hides.
    mask: CanonicalPlane,
}

fn analyse(picture: &Picture) -> Analysis {
    let luma = canonical_luma(picture);
    let detail = band_pass(luma.clone());
    // The mask takes as long as all the rest: the second core does that.
    let others = || (headroom(&luma), local_power(&detail));
    let ((headroom, power), mask) = std::thread::scope(|scope| {
        let beside = scope.spawn(others);
        let mask = perceptual_mask(&detail);
        // The other thread does plain sums; if it panicked, so does this one.
        (beside.join().unwrap_or_else(|_| others()), mask)
    });
    Analysis {
        detail,
        power,
        headroom,
        mask,
    }
}

/// The least power of the change, in squared levels.
fn least_power(n_pixels: usize, headroom: &[f32], cost: &Cost) -> f32 {
    // Few pixels hold few repetitions: small pictures get all that is allowed.
    if n_pixels < headroom.len() {
        return MOST_POWER;
    }
    // Where much may be clipped, what is left must be enough alone.
    let lost = headroom.iter().map(|share| 1.0 - share).sum::<f32>() / headroom.len() as f32;
    let clipped = (2.0 * lost / CLIPPED_SHARE).min(1.0);
    let wanted = LEAST_POWER + clipped * (MOST_POWER - LEAST_POWER);
    LEAST_POWER_ON_FLAT + cost.hidden() * (wanted - LEAST_POWER_ON_FLAT)
}

/// Multiplies a plane with a square that is repeated over it.
fn multiply_tiled(plane: &mut CanonicalPlane, square: &[f32]) {
    for (y, row) in plane.values.chunks_exact_mut(plane.width).enumerate() {
        let line = &square[y % SIDE * SIDE..][..SIDE];
        for part in row.chunks_mut(SIDE) {
            let values = part.iter_mut().zip(line);
            values.for_each(|(value, wave)| *value *= wave);
        }
    }
}

/// What a wave of strength 1 brings and costs.
struct Cost {
    /// How strong the detector sees it.
    gain: f32,
    /// Mean square of the mask that it is multiplied with.
    mask_power: f32,
}

impl Cost {
    fn new(gain: f64, mask_power: f64, mask: &CanonicalPlane) -> Self {
        Self {
            gain: (gain / 2.0) as f32,
            mask_power: (mask_power / mask.values.len() as f64) as f32,
        }
    }

    /// How well the picture hides a mark: 0 where all of it is flat, 1 from some texture on.
    fn hidden(&self) -> f32 {
        let of_flat = FLAT.powf(2.0 * MASKING_EXPONENT);
        ((self.mask_power / of_flat - 1.0) / SOME_TEXTURE).clamp(0.0, 1.0)
    }

    fn of(power: &CanonicalPlane, mask: &CanonicalPlane) -> Self {
        let places = power.values.iter().zip(&mask.values);
        let sums = places.fold((0.0, 0.0), |(gain, square), (power, mask)| {
            let of_place = f64::from(detector_weight(*power) * mask);
            (gain + of_place, square + f64::from(mask * mask))
        });
        Self::new(sums.0, sums.1, mask)
    }
}

/// Root of the mean square of what a picture itself has along the waves.
fn noise(host: &[f32]) -> f32 {
    (host.iter().map(|v| v * v).sum::<f32>() / host.len() as f32).sqrt()
}

/// Weighs the detail of a picture as the detector will, and tells what a wave brings and costs.
fn weigh_as_detector(
    seen: &mut CanonicalPlane,
    power: &CanonicalPlane,
    mask: &CanonicalPlane,
) -> Cost {
    let (mut gain, mut mask_power) = (0.0, 0.0);
    let across = seen.width;
    let rows = seen.values.chunks_exact_mut(across);
    let rows = rows.zip(power.values.chunks_exact(across));
    for ((seen, power), mask) in rows.zip(mask.values.chunks_exact(across)) {
        let (of_row, power_of_row) = weighted_row(seen, power, mask);
        gain += f64::from(of_row);
        mask_power += f64::from(power_of_row);
    }
    Cost::new(gain, mask_power, mask)
}

/// Weighs a row; gives the sums of weight times mask and of the mask's square. Several sums grow
/// side by side, since one alone would wait for every addition.
fn weighted_row(seen: &mut [f32], power: &[f32], mask: &[f32]) -> (f32, f32) {
    let (mut gains, mut squares) = ([0.0_f32; LANES], [0.0_f32; LANES]);
    let parts = seen.chunks_mut(LANES).zip(power.chunks(LANES));
    for ((seen, power), mask) in parts.zip(mask.chunks(LANES)) {
        let sums = gains.iter_mut().zip(&mut squares);
        for (((seen, power), mask), (gain, square)) in
            seen.iter_mut().zip(power).zip(mask).zip(sums)
        {
            let weight = detector_weight(*power);
            *seen *= weight;
            *gain += weight * mask;
            *square += mask * mask;
        }
    }
    (gains.iter().sum(), squares.iter().sum())
}

/// How many sums grow side by side.
const LANES: usize = 8;
