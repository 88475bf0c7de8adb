//! Drawing the watermark into pictures.

use effigy_frame::Picture;

use crate::watermark::carrier::{Carrier, Carriers};
use crate::watermark::code::{self, CODED_BITS};
use crate::watermark::field::{self, Field, canonical_luma, fold};
use crate::watermark::forgiven::{FLAT, FORGIVEN, WASTED, even_out, forgiven, kept};
use crate::watermark::pen::Pen;
use crate::watermark::spectrum::{Complex, Fourier, SIDE};

/// Draws one identifier into pictures.
pub struct Embedder {
    fourier: Fourier,
    /// Every carrier with its sign, and the group that it belongs to.
    carriers: Vec<(Carrier, usize)>,
    /// How many carriers each group has.
    counts: Vec<f32>,
    pen: Pen,
}

/// Mean square of the change at full strength, in levels: 42.1 dB.
const MOST_POWER: f32 = 4.0;
/// At least this much even where little would do: 47 dB.
const LEAST_POWER: f32 = 1.3;
/// At least this much where nothing hides the mark, as in a clear sky: 53 dB.
const LEAST_POWER_ON_FLAT: f32 = 0.35;
/// What some texture adds to what an even picture forgives: even blurred walls have it.
const SOME_TEXTURE: f32 = 0.25;
/// Strength of a carrier that is enough, in units of the noise among the coded bits.
const ENOUGH: f32 = 3.5;
/// Groups of carriers with a known sign: each is strengthened as if it were one coded bit.
const SYNC_GROUPS: usize = 64;
const GROUPS: usize = CODED_BITS + SYNC_GROUPS;
/// Pictures of which nearly all is texture drown what is drawn into it: from the first share of the
/// full strength that would be enough the mark moves to where they are flat, up to the second.
const DROWNING: [f32; 2] = [0.8, 1.3];
/// No carrier is drawn stronger than this many times the average one.
const STRONGEST: f32 = 3.0;

impl Embedder {
    /// Prepares to draw `identifier`.
    pub fn new(identifier: u64) -> Self {
        let Carriers { sync, data } = Carriers::new();
        let coded = code::encode(identifier);
        let known = sync
            .into_iter()
            .enumerate()
            .map(|(i, c)| (c, CODED_BITS + i % SYNC_GROUPS));
        let carrying = data.into_iter().enumerate().map(|(i, mut carrier)| {
            let bit = i % CODED_BITS;
            carrier.phase *= coded[bit];
            (carrier, bit)
        });
        let carriers: Vec<(Carrier, usize)> = known.chain(carrying).collect();
        let mut counts = vec![0.0; GROUPS];
        carriers.iter().for_each(|(_, group)| counts[*group] += 1.0);
        Self {
            fourier: Fourier::new(),
            carriers,
            counts,
            pen: Pen::new(),
        }
    }

    /// Draws the watermark into a picture.
    pub fn embed(&self, picture: &mut Picture) {
        let luma = canonical_luma(picture);
        let detail = field::detail(luma.clone());
        // How much is forgiven takes as long as all the rest: the second core does that.
        let others = || (kept(&luma), field::power(&detail));
        let ((kept, power), mut mask) = std::thread::scope(|scope| {
            let beside = scope.spawn(others);
            let mask = forgiven(&detail);
            // The other thread does plain sums; if it panicked, so does this one.
            (beside.join().unwrap_or_else(|_| others()), mask)
        });
        mask.values
            .iter_mut()
            .zip(&kept)
            .for_each(|(m, kept)| *m *= kept);
        // Where much may be cut off, what is left must be enough alone.
        let lost = kept.iter().map(|kept| 1.0 - kept).sum::<f32>() / kept.len() as f32;
        let wasted = (2.0 * lost / WASTED).min(1.0);
        let mut seen = detail;
        let mut cost = weighted(&mut seen, &power, &mask);
        let own = self.own(&fold(&seen, 1.0));
        let needed = ENOUGH * noise(&own) / (cost.gain * self.average(MOST_POWER, &cost));
        let drowned = ((needed - DROWNING[0]) / (DROWNING[1] - DROWNING[0])).clamp(0.0, 1.0);
        if 0.0 < drowned {
            even_out(&mut mask, &kept, drowned);
            cost = Cost::of(&power, &mask);
        }
        let pixels = picture.width() as usize * picture.height() as usize;
        // Few pixels carry few repetitions: small pictures get all that is allowed.
        let is_small = pixels < mask.values.len();
        let least = if is_small {
            MOST_POWER
        } else {
            let wanted = LEAST_POWER + wasted * (MOST_POWER - LEAST_POWER);
            LEAST_POWER_ON_FLAT + cost.hidden() * (wanted - LEAST_POWER_ON_FLAT)
        };
        let strengths = self.strengths(&own, &cost, least);
        let pattern = self.pattern(&strengths);
        let mut change = mask;
        for (y, row) in change.values.chunks_exact_mut(change.width).enumerate() {
            let line = &pattern[y % SIDE * SIDE..][..SIDE];
            for part in row.chunks_mut(SIDE) {
                part.iter_mut()
                    .zip(line)
                    .for_each(|(value, wave)| *value *= wave);
            }
        }
        self.pen.add(picture, &change);
    }

    /// What the picture itself says along the carriers of each group, on average.
    fn own(&self, square: &[f32]) -> Vec<f32> {
        let spectrum = self.fourier.forward(square);
        let mut sums = vec![0.0_f32; GROUPS];
        for (carrier, group) in &self.carriers {
            sums[*group] += carrier.strength(&spectrum, (0.0, 0.0));
        }
        sums.iter().zip(&self.counts).map(|(s, n)| s / n).collect()
    }

    /// The strength of each carrier that costs so much power, if all are drawn alike.
    fn average(&self, power: f32, cost: &Cost) -> f32 {
        // A wave of strength 1 has power 1/2.
        (2.0 * power / cost.mask_power / self.carriers.len() as f32).sqrt()
    }

    /// How strong each group of carriers is drawn, with at least the power `least`.
    ///
    /// What the picture itself says along a group's carriers is known here: where it agrees with
    /// the mark, little is added; where it contradicts, more. The level that all groups reach is
    /// the highest that the allowed power pays for.
    fn strengths(&self, own: &[f32], cost: &Cost, least: f32) -> Vec<f32> {
        let own: Vec<f32> = own.iter().map(|own| own / cost.gain).collect();
        let n = self.carriers.len() as f32;
        let enough = ENOUGH * noise(&own);
        let most = self.average(MOST_POWER, cost);
        let average = enough.clamp(self.average(least, cost), most);
        let paid = |level: f32| -> Vec<f32> {
            own.iter()
                .map(|own| (level - own).clamp(0.0, STRONGEST * average))
                .collect()
        };
        let power = |strengths: &[f32]| -> f32 {
            let squares = strengths.iter().zip(&self.counts).map(|(s, n)| n * s * s);
            squares.sum::<f32>() / n
        };
        let reach = own.iter().fold(average, |reach, own| reach.max(own.abs()));
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

    fn pattern(&self, strengths: &[f32]) -> Vec<f32> {
        let mut spectrum = vec![Complex::default(); SIDE * SIDE];
        for (carrier, group) in &self.carriers {
            let entry = &mut spectrum[carrier.entry()];
            entry.re += strengths[*group] * carrier.phase.re;
            entry.im += strengths[*group] * carrier.phase.im;
        }
        self.fourier.inverse(&spectrum)
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
    fn new(gain: f64, mask_power: f64, mask: &Field) -> Self {
        Self {
            gain: (gain / 2.0) as f32,
            mask_power: (mask_power / mask.values.len() as f64) as f32,
        }
    }

    /// How well the picture hides a mark: 0 where all of it is flat, 1 from some texture on.
    fn hidden(&self) -> f32 {
        let of_flat = FLAT.powf(2.0 * FORGIVEN);
        ((self.mask_power / of_flat - 1.0) / SOME_TEXTURE).clamp(0.0, 1.0)
    }

    fn of(power: &Field, mask: &Field) -> Self {
        let places = power.values.iter().zip(&mask.values);
        let sums = places.fold((0.0, 0.0), |(gain, square), (power, mask)| {
            let of_place = f64::from(field::weight(*power) * mask);
            (gain + of_place, square + f64::from(mask * mask))
        });
        Self::new(sums.0, sums.1, mask)
    }
}

/// Root of the mean square of what a picture says along the carriers.
fn noise(own: &[f32]) -> f32 {
    (own.iter().map(|v| v * v).sum::<f32>() / own.len() as f32).sqrt()
}

/// Weighs what is seen as the detector will.
fn weighted(seen: &mut Field, power: &Field, mask: &Field) -> Cost {
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

/// Weighs a row; gives the sums of weight times mask and of the mask's square.
fn weighted_row(seen: &mut [f32], power: &[f32], mask: &[f32]) -> (f32, f32) {
    let (mut gains, mut squares) = ([0.0_f32; LANES], [0.0_f32; LANES]);
    let parts = seen.chunks_mut(LANES).zip(power.chunks(LANES));
    for ((seen, power), mask) in parts.zip(mask.chunks(LANES)) {
        let sums = gains.iter_mut().zip(&mut squares);
        for (((seen, power), mask), (gain, square)) in
            seen.iter_mut().zip(power).zip(mask).zip(sums)
        {
            let weight = field::weight(*power);
            *seen *= weight;
            *gain += weight * mask;
            *square += mask * mask;
        }
    }
    (gains.iter().sum(), squares.iter().sum())
}

/// Sums that grow side by side.
const LANES: usize = 8;
