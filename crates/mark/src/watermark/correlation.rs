//! Where the known signs of the mark fit a window best.
//!
//! For one scaling, turn and mirroring, a transform gives the correlation at every shift at once.
//! The best of them is a place of the grid, from which the real one is found by climbing.

use std::sync::Arc;

use rustfft::{Fft, FftPlanner};

use crate::watermark::place::{Linear, Place};
use crate::watermark::spectrum::{Complex, SIDE};
use crate::watermark::spread_spectrum::Pattern;
use crate::watermark::window_spectrum::WindowSpectrum;

/// Shifts are tried two pattern pixels apart: the shortest wave has 7.5.
const SHIFTS: usize = SIDE / 2;
/// Entries of the grid of shifts that waves reach: the shortest have 34 periods.
const REACH: usize = 35;

/// Correlates windows with the waves of known sign.
pub(super) struct Correlator {
    known: Vec<KnownWave>,
    inverse: Arc<dyn Fft<f32>>,
}

/// The waves of known sign of one frequency, added up.
struct KnownWave {
    /// Periods in the pattern.
    k: [f32; 2],
    phase: Complex,
    /// Where it is in the grid of shifts, and where the wave that runs the other way is.
    entry: usize,
    opposite: usize,
}

impl Correlator {
    pub(super) fn new(pattern: &Pattern) -> Self {
        let mut waves: Vec<_> = pattern.sync.iter().collect();
        waves.sort_by_key(|wave| (wave.ky, wave.kx));
        let entry = |kx: i32, ky: i32| {
            let wrap = |k: i32| k.rem_euclid(SHIFTS as i32) as usize;
            wrap(ky) * SHIFTS + wrap(kx)
        };
        let of_one_frequency = waves.chunk_by(|a, b| (a.kx, a.ky) == (b.kx, b.ky));
        let known = of_one_frequency.map(|waves| KnownWave {
            k: [waves[0].kx as f32, waves[0].ky as f32],
            phase: waves.iter().map(|wave| wave.phase).sum(),
            entry: entry(waves[0].kx, waves[0].ky),
            opposite: entry(-waves[0].kx, -waves[0].ky),
        });
        Self {
            known: known.collect(),
            inverse: FftPlanner::new().plan_fft_inverse(SHIFTS),
        }
    }

    /// The best shift of each scaling, turn and mirroring.
    pub(super) fn places(&self, spectrum: &WindowSpectrum, guesses: &[Linear]) -> Vec<Place> {
        let mut grid = ShiftGrid::new(self.inverse.as_ref());
        let pairs = guesses.chunks(2);
        pairs
            .flat_map(|pair| self.places_of_two(spectrum, pair, &mut grid))
            .collect()
    }

    /// Two guesses are as quick as one: as real and imaginary part of the correlation.
    fn places_of_two(
        &self,
        spectrum: &WindowSpectrum,
        guesses: &[Linear],
        grid: &mut ShiftGrid<'_>,
    ) -> Vec<Place> {
        grid.clear();
        let mut deviations = [0.0; 2];
        let parts = [Complex::new(1.0, 0.0), Complex::i()];
        for ((guess, part), deviation) in guesses.iter().zip(parts).zip(&mut deviations) {
            let mut power = 0.0;
            for known in &self.known {
                let seen = spectrum.at(guess.frequency(known.k)).conj() * known.phase;
                power += 0.5 * seen.norm_sqr();
                // Half at each of two opposite entries: their sum is real.
                grid.waves[known.entry] += seen * part * 0.5;
                grid.waves[known.opposite] += seen.conj() * part * 0.5;
            }
            *deviation = power.sqrt().max(f32::MIN_POSITIVE);
        }
        let sums = grid.sum();
        let best = [largest(sums, |sum| sum.re), largest(sums, |sum| sum.im)];
        let found = guesses.iter().zip(best).zip(deviations);
        let place = |((guess, (entry, sum)), deviation): ((&Linear, (usize, f32)), f32)| Place {
            pattern_from_plane: *guess,
            shift: [entry / SHIFTS, entry % SHIFTS].map(|n| (n * SIDE / SHIFTS) as f32),
            score: sum / deviation,
        };
        found.map(place).collect()
    }

    fn score(&self, spectrum: &WindowSpectrum, place: &Place) -> f32 {
        let (mut sum, mut power) = (0.0, 0.0);
        for known in &self.known {
            let frequency = place.pattern_from_plane.frequency(known.k);
            let seen = spectrum.at(frequency).conj() * known.phase;
            power += 0.5 * seen.norm_sqr();
            sum += (seen * place.phase(known.k)).re;
        }
        sum / power.sqrt().max(f32::MIN_POSITIVE)
    }

    /// Climbs from a place of the grid to the best one nearby, in ever smaller steps.
    pub(super) fn refined(&self, spectrum: &WindowSpectrum, place: Place) -> Place {
        let mut best = Place {
            score: self.score(spectrum, &place),
            ..place
        };
        let mut step = 1.0;
        while SMALLEST_STEP < step {
            let before = best.score;
            for way in WAYS {
                let tried = [-step, step].map(|step| {
                    let moved = way.from(best, step);
                    let score = self.score(spectrum, &moved);
                    Place { score, ..moved }
                });
                let better = tried.into_iter().find(|other| best.score < other.score);
                best = better.unwrap_or(best);
            }
            let climbed = before < best.score;
            if !climbed {
                step *= 0.5;
            }
        }
        best
    }
}

/// Steps shorter than this share of the first change nothing that matters.
const SMALLEST_STEP: f32 = 0.1;
/// The first step of a scale or turn: it moves the border of a window by one and a half pixels.
const LINEAR_STEP: f32 = 0.006;

/// What changes from one place to the next.
#[derive(Clone, Copy)]
enum Way {
    Right,
    Down,
    Larger,
    Turned,
    /// Wider by as much as lower: pictures are scaled to whole pixels, each side for itself.
    Wider,
}

const WAYS: [Way; 5] = [Way::Right, Way::Down, Way::Larger, Way::Turned, Way::Wider];

impl Way {
    fn from(self, place: Place, step: f32) -> Place {
        let Place { shift: [x, y], .. } = place;
        let shifted = |shift| Place { shift, ..place };
        let changed = |change| Place {
            pattern_from_plane: place.pattern_from_plane.of(change),
            ..place
        };
        let (linear, one) = (LINEAR_STEP * step, 1.0);
        match self {
            Self::Right => shifted([x + step, y]),
            Self::Down => shifted([x, y + step]),
            Self::Larger => changed(Linear::stretch(one + linear, one + linear)),
            Self::Turned => changed(Linear::turn(linear)),
            Self::Wider => changed(Linear::stretch(one + linear, one - linear)),
        }
    }
}

/// The correlation at every shift, as it is made.
struct ShiftGrid<'a> {
    inverse: &'a dyn Fft<f32>,
    waves: Vec<Complex>,
    /// Transposed: one column of shifts after the other.
    sums: Vec<Complex>,
    scratch: Vec<Complex>,
}

/// Columns that are transposed at once, so that both ways stay in the cache.
const BLOCK: usize = 8;

/// Rows of the grid that hold waves.
fn held() -> impl Iterator<Item = usize> {
    (0..REACH).chain(SHIFTS - REACH + 1..SHIFTS)
}

impl<'a> ShiftGrid<'a> {
    fn new(inverse: &'a dyn Fft<f32>) -> Self {
        let empty = vec![Complex::default(); SHIFTS * SHIFTS];
        Self {
            inverse,
            waves: empty.clone(),
            sums: empty,
            scratch: vec![Complex::default(); inverse.get_inplace_scratch_len()],
        }
    }

    fn clear(&mut self) {
        for y in held() {
            self.waves[y * SHIFTS..][..SHIFTS].fill(Complex::default());
        }
    }

    /// Sums the waves at every shift.
    fn sum(&mut self) -> &[Complex] {
        for y in held() {
            let row = &mut self.waves[y * SHIFTS..][..SHIFTS];
            self.inverse.process_with_scratch(row, &mut self.scratch);
        }
        for (left, columns) in self.sums.chunks_exact_mut(BLOCK * SHIFTS).enumerate() {
            for column in columns.chunks_exact_mut(SHIFTS) {
                column[REACH..=SHIFTS - REACH].fill(Complex::default());
            }
            for y in held() {
                let row = &self.waves[y * SHIFTS + left * BLOCK..][..BLOCK];
                let places = row.iter().enumerate();
                places.for_each(|(x, wave)| columns[x * SHIFTS + y] = *wave);
            }
        }
        self.inverse
            .process_with_scratch(&mut self.sums, &mut self.scratch);
        &self.sums
    }
}

/// The entry of the largest sum, and the sum.
fn largest(sums: &[Complex], part: impl Fn(&Complex) -> f32) -> (usize, f32) {
    // The largest of each column first, eight at a time; only the best column is searched.
    let columns = sums.chunks_exact(SHIFTS).map(|column| {
        let mut largest = [f32::NEG_INFINITY; LANES];
        for sums in column.chunks_exact(LANES) {
            for (largest, sum) in largest.iter_mut().zip(sums) {
                let sum = part(sum);
                *largest = if *largest < sum { sum } else { *largest };
            }
        }
        largest.into_iter().fold(f32::NEG_INFINITY, f32::max)
    });
    let (x, best) = columns
        .enumerate()
        .fold((0, f32::NEG_INFINITY), |best, column| {
            if best.1 < column.1 { column } else { best }
        });
    let column = &sums[x * SHIFTS..][..SHIFTS];
    let y = column.iter().position(|sum| part(sum) >= best);
    (x * SHIFTS + y.unwrap_or(0), best)
}

/// How many sums are compared side by side.
const LANES: usize = 8;
