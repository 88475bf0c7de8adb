//! Drawing the watermark into pictures.

use effigy_frame::Picture;

use crate::watermark::carrier::{Carrier, Carriers, Random};
use crate::watermark::code::{self, CODED_BITS};
use crate::watermark::field::{self, Field, canonical_luma, fold};
use crate::watermark::spectrum::{Complex, Fourier, SIDE};

/// Draws one identifier into pictures.
pub struct Embedder {
    fourier: Fourier,
    /// Every carrier with its sign, and the group that it belongs to.
    carriers: Vec<(Carrier, usize)>,
    /// How many carriers each group has.
    counts: Vec<f32>,
    dither: Vec<f32>,
}

/// Mean square of the change at full strength, in levels: 42.1 dB.
const MOST_POWER: f32 = 4.0;
/// At least this much even where little would do: 47 dB.
const LEAST_POWER: f32 = 1.3;
/// At least this much where nothing hides the mark, as in a clear sky: 53 dB.
const LEAST_POWER_ON_FLAT: f32 = 0.35;
/// Strength of a carrier that is enough, in units of the noise among the coded bits.
const ENOUGH: f32 = 3.5;
/// Groups of carriers with a known sign: each is strengthened as if it were one coded bit.
const SYNC_GROUPS: usize = 64;
const GROUPS: usize = CODED_BITS + SYNC_GROUPS;
/// The eye forgives change in texture: the mark grows with its strength to this power.
const FORGIVEN: f32 = 0.35;
/// Pictures of which nearly all is texture drown what is drawn into it: from the first share of the
/// full strength that would be enough the mark moves to where they are flat, up to the second.
const DROWNING: [f32; 2] = [0.8, 1.3];
/// Bounds of what is forgiven, in levels of texture.
const FLAT: f32 = 0.6;
const ROUGH: f32 = 14.0;
/// How finely what is forgiven follows the texture.
const STEPS_PER_LEVEL: f32 = 64.0;
/// No carrier is drawn stronger than this many times the average one.
const STRONGEST: f32 = 3.0;
const DITHER_SIDE: usize = 64;

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
            carrier.phase = carrier.phase.times(Complex {
                re: coded[bit],
                im: 0.0,
            });
            (carrier, bit)
        });
        let carriers: Vec<(Carrier, usize)> = known.chain(carrying).collect();
        let mut counts = vec![0.0; GROUPS];
        carriers.iter().for_each(|(_, group)| counts[*group] += 1.0);
        let mut random = Random(1);
        Self {
            fourier: Fourier::new(),
            carriers,
            counts,
            dither: (0..DITHER_SIDE * DITHER_SIDE)
                .map(|_| random.unit() - 0.5)
                .collect(),
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
        self.add(picture, &change);
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

    /// Adds a canonical change to all three colours alike, so that only luma changes.
    fn add(&self, picture: &mut Picture, change: &Field) {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let columns = Steps::new(width, change.width);
        let rows = Steps::new(height, change.height);
        let half = height.div_ceil(2);
        let (upper, lower) = picture.pixels_mut().split_at_mut(half * width * 3);
        std::thread::scope(|scope| {
            scope.spawn(|| self.add_rows(upper, change, (&columns, &rows), 0));
            self.add_rows(lower, change, (&columns, &rows), half);
        });
    }

    fn add_rows(
        &self,
        pixels: &mut [u8],
        change: &Field,
        (columns, rows): (&Steps, &Steps),
        first: usize,
    ) {
        let width = columns.0.len();
        let mut lines = Lines::new(change, columns);
        for (offset, row) in pixels.chunks_exact_mut(width * 3).enumerate() {
            let y = first + offset;
            let (above, below, share) = rows.0[y];
            let (above, below) = lines.both(above, below);
            let dither = &self.dither[y % DITHER_SIDE * DITHER_SIDE..][..DITHER_SIDE];
            let places = above.chunks(DITHER_SIDE).zip(below.chunks(DITHER_SIDE));
            let pixels = row.chunks_mut(3 * DITHER_SIDE);
            for ((above, below), pixels) in places.zip(pixels) {
                let mut changes = [0_i32; DITHER_SIDE];
                let between = above.iter().zip(below).zip(dither);
                for (change, ((a, b), dither)) in changes.iter_mut().zip(between) {
                    // Rounding at random keeps, on average, what is smaller than one level.
                    *change = nearest(a + share * (b - a) + dither);
                }
                add_changes(pixels, &changes);
            }
        }
    }
}

/// Rounds a number that is far smaller than 2^22: the bits that a large number has no room for
/// are rounded away, and unlike a conversion it is done to several numbers at once.
fn nearest(value: f32) -> i32 {
    const LARGE: f32 = 12_582_912.0; // 1.5 * 2^23
    (value + LARGE).to_bits() as i32 - LARGE.to_bits() as i32
}

/// Adds a change to all three colours of each pixel. What gets lighter and what gets darker are
/// kept apart, so that both are bytes, which saturate sixteen at a time.
fn add_changes(pixels: &mut [u8], changes: &[i32; DITHER_SIDE]) {
    let mut thrice = [0_i8; 3 * DITHER_SIDE];
    for (thrice, &change) in thrice.chunks_exact_mut(3).zip(changes) {
        thrice.fill(change.clamp(-127, 127) as i8);
    }
    for (value, change) in pixels.iter_mut().zip(thrice) {
        let (lighter, darker) = (change.max(0) as u8, change.min(0).unsigned_abs());
        *value = value.saturating_add(lighter).saturating_sub(darker);
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
        (self.mask_power / of_flat - 1.0).clamp(0.0, 1.0)
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

/// For each place along a side: the two canonical places beside it, and the share of the second.
struct Steps(Vec<(usize, usize, f32)>);

impl Steps {
    fn new(to: usize, from: usize) -> Self {
        let ratio = from as f32 / to as f32;
        let step = |i: usize| {
            let at = ((i as f32 + 0.5) * ratio - 0.5).clamp(0.0, from as f32 - 1.0);
            let low = at as usize;
            (low, (low + 1).min(from - 1), at - low as f32)
        };
        Self((0..to).map(step).collect())
    }
}

/// The two canonical rows in use, stretched to the picture's width.
struct Lines<'a> {
    change: &'a Field,
    columns: &'a Steps,
    stretched: [(usize, Vec<f32>); 2],
}

impl<'a> Lines<'a> {
    fn new(change: &'a Field, columns: &'a Steps) -> Self {
        let none = || (usize::MAX, vec![0.0; columns.0.len()]);
        Self {
            change,
            columns,
            stretched: [none(), none()],
        }
    }

    fn both(&mut self, above: usize, below: usize) -> (&[f32], &[f32]) {
        // Rows keep their place by parity, so that each is stretched once.
        for row in [above, below] {
            let (held, line) = &mut self.stretched[row % 2];
            if *held != row {
                *held = row;
                let from = &self.change.values[row * self.change.width..][..self.change.width];
                for (value, &(low, high, share)) in line.iter_mut().zip(&self.columns.0) {
                    *value = from[low] + share * (from[high] - from[low]);
                }
            }
        }
        (&self.stretched[above % 2].1, &self.stretched[below % 2].1)
    }
}

/// How much of a change is left when the picture is made a fifth lighter. What is nearly white is
/// cut off then, so that the mark is worth more elsewhere.
fn kept(luma: &Field) -> Vec<f32> {
    const LIGHT: f32 = 200.0;
    const LOST: f32 = 225.0;
    let share = |luma: &f32| 1.0 - WASTED * ((luma - LIGHT) / (LOST - LIGHT)).clamp(0.0, 1.0);
    luma.values.iter().map(share).collect()
}

/// What is taken from places that are nearly white.
const WASTED: f32 = 0.5;

/// How much change each place forgives.
///
/// The smallest texture nearby decides: on the flat side of an edge the eye sees every change.
fn forgiven(detail: &Field) -> Field {
    let mut scratch = Vec::new();
    let mut mask = Field {
        values: detail.values.iter().map(|value| value.abs()).collect(),
        ..*detail
    };
    field::blur(&mut mask, 1, &mut scratch);
    smallest_nearby(&mut mask, 4);
    field::blur(&mut mask, 2, &mut scratch);
    // A power for every value is slow; the steps are far finer than what the eye forgives.
    let n_steps = (ROUGH * STEPS_PER_LEVEL) as usize;
    let powers: Vec<f32> = (0..=n_steps)
        .map(|step| (step as f32 / STEPS_PER_LEVEL).powf(FORGIVEN))
        .collect();
    for value in &mut mask.values {
        // Mean size against root of the mean square: a factor of 1.25 for bell-shaped detail.
        let texture = (1.25 * *value).clamp(FLAT, ROUGH);
        *value = powers[(texture * STEPS_PER_LEVEL) as usize];
    }
    mask
}

/// Makes flat and rough places more alike; wholly at 1.
fn even_out(mask: &mut Field, kept: &[f32], share: f32) {
    for (value, kept) in mask.values.iter_mut().zip(kept) {
        *value = kept * (*value / kept).powf(1.0 - share);
    }
}

/// Replaces each value by the smallest within a box of `2 * radius + 1`.
fn smallest_nearby(field: &mut Field, radius: usize) {
    let (width, height) = (field.width, field.height);
    let mut window = Window::new(width, (1, radius.min(width - 1)));
    for row in field.values.chunks_exact_mut(width) {
        window.smallest(row);
    }
    // A column is a line whose values lie a row apart.
    Window::new(width * height, (width, radius.min(height - 1))).smallest(&mut field.values);
}

/// Looks for the smallest value within `reach` steps before and after each.
///
/// The smallest of the next 2, 4 … is found from two of the one before; the last step overlaps.
struct Window {
    step: usize,
    reach: usize,
    values: Vec<f32>,
    wider: Vec<f32>,
}

impl Window {
    fn new(length: usize, (step, reach): (usize, usize)) -> Self {
        // What lies outside is larger than anything inside.
        let values = vec![f32::INFINITY; length + 2 * reach * step];
        Self {
            step,
            reach,
            wider: values.clone(),
            values,
        }
    }

    fn smallest(&mut self, line: &mut [f32]) {
        let before = self.reach * self.step;
        self.values.fill(f32::INFINITY);
        self.values[before..before + line.len()].copy_from_slice(line);
        let window = 2 * self.reach + 1;
        let mut covered = 1;
        while covered < window {
            let ahead = covered.min(window - covered);
            let later = &self.values[ahead * self.step..];
            for ((wider, value), later) in self.wider.iter_mut().zip(&self.values).zip(later) {
                // Unlike `f32::min` this need not look out for what is not a number.
                *wider = if later < value { *later } else { *value };
            }
            std::mem::swap(&mut self.values, &mut self.wider);
            covered += ahead;
        }
        line.copy_from_slice(&self.values[..line.len()]);
    }
}
