//! Reading the watermark from pictures that may have been scaled, cropped and compressed.

use effigy_frame::Picture;

use crate::watermark::carrier::Carriers;
use crate::watermark::code::{self, CHECK_BITS, CODED_BITS};
use crate::watermark::field::{self, Field, canonical_luma, fold, texture};
use crate::watermark::spectrum::{Complex, Fourier, SIDE};

/// A watermark that was read.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Found {
    /// The identifier.
    #[serde(serialize_with = "as_hex")]
    pub identifier: u64,
    /// How well what was seen fits the identifier's own mark: 1 is perfectly.
    pub confidence: f32,
    /// Bound on the probability that a picture without a mark reads as some identifier.
    pub false_alarm: f64,
}

/// Looks at pictures of one source, then says what mark they carry together.
pub struct Detector {
    fourier: Fourier,
    carriers: Carriers,
    seen: Option<Field>,
}

/// Where the mark may lie.
#[derive(Clone, Copy, Debug)]
struct Place {
    scale: f32,
    shift: (f32, f32),
    /// Strength of the known signs, in standard deviations.
    score: f32,
}

/// Each scale is tried: from a picture of which half the area is left to one that got a border.
const SMALLEST_SCALE: f32 = 0.69;
const LARGEST_SCALE: f32 = 1.12;
/// At the far corner of a picture half a step shifts the mark by a quarter of its shortest wave.
const SCALE_STEP: f32 = 1.005;
/// Likely places that are decoded. With 28 check bits a word passes by chance at most once in
/// 2^28 / 56 tries: under one in four million.
const MOST_TRIES: usize = 48;
/// Places below this are not worth a try.
const LEAST_SCORE: f32 = 4.2;
/// Best shifts of one scale that are remembered.
const PEAKS: usize = 2;

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

impl Detector {
    /// Prepares to look.
    pub fn new() -> Self {
        Self {
            fourier: Fourier::new(),
            carriers: Carriers::new(),
            seen: None,
        }
    }

    /// Takes a picture into account. All pictures must have one size; others are passed over.
    pub fn look(&mut self, picture: &Picture) {
        let luma = canonical_luma(picture);
        let seen = self
            .seen
            .get_or_insert_with(|| Field::zeros(luma.width, luma.height));
        if (seen.width, seen.height) != (luma.width, luma.height) {
            return;
        }
        let texture = texture(luma);
        let places = texture.detail.values.iter().zip(&texture.power.values);
        for (sum, (detail, power)) in seen.values.iter_mut().zip(places) {
            *sum += detail * field::weight(*power);
        }
    }

    /// Reads the mark of pictures that were not cropped. Far quicker than [`Detector::finish`],
    /// which goes on to search where else the mark may lie.
    pub fn finish_uncut(&self) -> Option<Found> {
        let whole = Place {
            scale: 1.0,
            shift: (0.0, 0.0),
            score: f32::INFINITY,
        };
        self.read(self.seen.as_ref()?, whole, &mut 0)
    }

    /// Reads the mark.
    pub fn finish(&self) -> Option<Found> {
        let seen = self.seen.as_ref()?;
        self.finish_uncut().or_else(|| {
            let mut tries = 1;
            let places = self.likely_places(seen);
            let mut found = None;
            for place in places {
                if tries >= MOST_TRIES || found.is_some() {
                    break;
                }
                found = self.read(seen, self.refined(seen, place), &mut tries);
            }
            found
        })
    }

    fn read(&self, seen: &Field, place: Place, tries: &mut usize) -> Option<Found> {
        *tries += 1;
        let spectrum = self.fourier.forward(&fold(seen, place.scale));
        let mut soft = vec![0.0_f32; CODED_BITS];
        for (i, carrier) in self.carriers.data.iter().enumerate() {
            soft[i % CODED_BITS] += carrier.strength(&spectrum, place.shift);
        }
        let identifier = code::decode(&soft)?;
        let word = code::encode(identifier);
        let fit: f32 = soft.iter().zip(&word).map(|(seen, sign)| seen * sign).sum();
        let power: f32 = soft.iter().map(|seen| seen * seen).sum();
        let confidence = fit / (power * CODED_BITS as f32).sqrt();
        let false_alarm = *tries as f64 / f64::from(1_u32 << CHECK_BITS);
        Some(Found {
            identifier,
            confidence: confidence.clamp(0.0, 1.0),
            false_alarm,
        })
    }

    /// All scales, the best shifts of each, best first.
    fn likely_places(&self, seen: &Field) -> Vec<Place> {
        let mut scales = Vec::new();
        let mut scale = SMALLEST_SCALE;
        while scale <= LARGEST_SCALE {
            scales.push(scale);
            scale *= SCALE_STEP;
        }
        let (some, others) = scales.split_at(scales.len() / 2);
        let look = |scales: &[f32]| -> Vec<Place> {
            let pairs = scales.chunks(2);
            pairs.flat_map(|pair| self.peaks_of(seen, pair)).collect()
        };
        let mut places = std::thread::scope(|scope| {
            let beside = scope.spawn(|| look(others));
            let mut places = look(some);
            // The other thread does the same sums; if it panicked, so would this one.
            places.extend(beside.join().unwrap_or_default());
            places
        });
        places.retain(|place| place.score >= LEAST_SCORE);
        places.sort_by(|a, b| b.score.total_cmp(&a.score));
        places
    }

    /// The shifts at which the known signs fit best, at one scale or two.
    fn peaks_of(&self, seen: &Field, scales: &[f32]) -> Vec<Place> {
        let (first, second) = (scales[0], scales[scales.len() - 1]);
        let spectra = self
            .fourier
            .forward_two(&fold(seen, first), &fold(seen, second));
        let [a, b] = spectra.map(|spectrum| self.matched(&spectrum));
        let [scores_a, scores_b] = self.fourier.inverse_two(&a.0, &b.0);
        let mut places = peaks(&scores_a, first, a.1);
        if 1 < scales.len() {
            places.extend(peaks(&scores_b, second, b.1));
        }
        places
    }

    /// The waves of known sign, each turned back by its phase, and the deviation of their sum
    /// where there is no mark.
    fn matched(&self, spectrum: &[Complex]) -> (Vec<Complex>, f32) {
        let mut matched = vec![Complex::default(); SIDE * SIDE];
        let mut power = 0.0_f32;
        for carrier in &self.carriers.sync {
            let entry = carrier.entry();
            let value = spectrum[entry];
            power += 0.5 * value.norm_sqr();
            matched[entry] += value * carrier.phase.conj();
        }
        (matched, power.sqrt().max(f32::MIN_POSITIVE))
    }

    /// Tries scales and shifts between those that were searched.
    fn refined(&self, seen: &Field, place: Place) -> Place {
        let mut best = place;
        for step in [-0.0017_f32, 0.0, 0.0017] {
            let scale = place.scale * (1.0 + step);
            let spectrum = self.fourier.forward(&fold(seen, scale));
            let fits = |shift: (f32, f32)| {
                let values = self
                    .carriers
                    .sync
                    .iter()
                    .map(|c| c.strength(&spectrum, shift));
                let (sum, squares) =
                    values.fold((0.0, 0.0), |(sum, squares), v| (sum + v, squares + v * v));
                sum / f32::sqrt(squares).max(f32::MIN_POSITIVE)
            };
            for dy in -2..=2_i8 {
                for dx in -2..=2_i8 {
                    let offset = |d: i8| 0.6 * f32::from(d);
                    let shift = (place.shift.0 + offset(dx), place.shift.1 + offset(dy));
                    let score = fits(shift);
                    if best.score < score {
                        best = Place {
                            scale,
                            shift,
                            score,
                        };
                    }
                }
            }
        }
        best
    }
}

/// The best shifts of one scale, those beside a better one left out.
fn peaks(scores: &[f32], scale: f32, deviation: f32) -> Vec<Place> {
    let mut best: Vec<(f32, usize)> = Vec::with_capacity(PEAKS + 1);
    for (at, &score) in scores.iter().enumerate() {
        if best.len() < PEAKS || best[best.len() - 1].0 < score {
            let near = |other: usize| {
                (at % SIDE).abs_diff(other % SIDE) < 4 && (at / SIDE).abs_diff(other / SIDE) < 4
            };
            match best.iter_mut().find(|(_, other)| near(*other)) {
                Some(same) if same.0 < score => *same = (score, at),
                Some(_) => {}
                None => best.push((score, at)),
            }
            best.sort_by(|a, b| b.0.total_cmp(&a.0));
            best.truncate(PEAKS);
        }
    }
    let place = |(score, at): (f32, usize)| Place {
        scale,
        shift: ((at % SIDE) as f32, (at / SIDE) as f32),
        score: score / deviation,
    };
    best.into_iter().map(place).collect()
}

fn as_hex<S: serde::Serializer>(identifier: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{identifier:016x}"))
}
