//! Reading the watermark from pictures that may have been scaled, cropped and compressed.

use effigy_frame::{Picture, Point2};

use crate::watermark::canonical_luma::{canonical_luma, detector_weight, fold, texture};
use crate::watermark::code::{self, CHECK_BITS, CODED_BITS};
use crate::watermark::plane::CanonicalPlane;
use crate::watermark::spectrum::{Complex, Fourier, SIDE};
use crate::watermark::spread_spectrum::Pattern;

/// A watermark that was read.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Found {
    /// The identifier.
    #[serde(serialize_with = "as_hex", deserialize_with = "from_hex")]
    pub identifier: u64,
    /// How well what was seen fits the identifier's own mark: 1 is perfectly.
    pub confidence: f32,
    /// Bound on the probability that a picture without a mark reads as some identifier.
    pub false_alarm: f64,
}

/// Looks at pictures of one source, then says what mark they carry together.
pub struct Detector {
    fourier: Fourier,
    pattern: Pattern,
    /// Weighted detail of all pictures so far, added up.
    seen: Option<CanonicalPlane>,
}

/// Where the mark may lie.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Canonical pixels of the picture to one of the pattern.
    scale: f32,
    /// Where the pattern's square begins.
    shift: Point2,
    /// Strength of the known signs, in standard stds.
    score: f32,
}

/// Each scale is tried: from a picture of which half the area is left to one that got a border.
const SMALLEST_SCALE: f32 = 0.69;
const LARGEST_SCALE: f32 = 1.12;
/// At the far corner of a picture half a step shifts the mark by a quarter of its shortest wave.
const SCALE_STEP: f32 = 1.005;
/// Likely places that are decoded. With 28 check bits a wrong word passes at most once in
/// 2^28 / 48 pictures: under one in five million.
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
            pattern: Pattern::new(),
            seen: None,
        }
    }

    /// Takes a picture into account. All pictures must have one size; others are ignored.
    pub fn look(&mut self, picture: &Picture) {
        let luma = canonical_luma(picture);
        let seen = self
            .seen
            .get_or_insert_with(|| CanonicalPlane::zeros(luma.width, luma.height));
        if (seen.width, seen.height) != (luma.width, luma.height) {
            return;
        }
        let texture = texture(luma);
        let places = texture.detail.values.iter().zip(&texture.power.values);
        for (sum, (detail, power)) in seen.values.iter_mut().zip(places) {
            *sum += detail * detector_weight(*power);
        }
    }

    /// Reads the mark of pictures that were not cropped. Far quicker than [`Detector::finish`],
    /// which then searches where else the mark may lie.
    pub(crate) fn finish_uncut(&self) -> Option<Found> {
        let whole = Place {
            scale: 1.0,
            shift: Point2::default(),
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

    fn read(&self, seen: &CanonicalPlane, place: Place, tries: &mut usize) -> Option<Found> {
        *tries += 1;
        let spectrum = self.fourier.forward(&fold(seen, place.scale));
        let mut soft = vec![0.0_f32; CODED_BITS];
        for (i, wave) in self.pattern.data.iter().enumerate() {
            soft[i % CODED_BITS] += wave.strength(&spectrum, place.shift);
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
    fn likely_places(&self, seen: &CanonicalPlane) -> Vec<Place> {
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
    fn peaks_of(&self, seen: &CanonicalPlane, scales: &[f32]) -> Vec<Place> {
        let (first, second) = (scales[0], scales[scales.len() - 1]);
        let spectra = self
            .fourier
            .forward_two(&fold(seen, first), &fold(seen, second));
        let [a, b] = spectra.map(|spectrum| self.matched(&spectrum));
        let [scores_a, scores_b] = self.fourier.inverse_two(&a.spectrum, &b.spectrum);
        let mut places = peaks(&scores_a, first, a.std);
        if 1 < scales.len() {
            places.extend(peaks(&scores_b, second, b.std));
        }
        places
    }

    /// Matches a spectrum with the waves of known sign. The inverse transform of what is given is
    /// then the correlation with the pattern at every shift at once.
    fn matched(&self, spectrum: &[Complex]) -> Matched {
        let mut matched = vec![Complex::default(); SIDE * SIDE];
        let mut power = 0.0_f32;
        for wave in &self.pattern.sync {
            let entry = wave.entry();
            let value = spectrum[entry];
            power += 0.5 * value.norm_sqr();
            matched[entry] += value * wave.phase.conj();
        }
        Matched {
            spectrum: matched,
            std: power.sqrt().max(f32::MIN_POSITIVE),
        }
    }

    /// Tries scales and shifts between those that were searched.
    fn refined(&self, seen: &CanonicalPlane, place: Place) -> Place {
        let mut best = place;
        for step in [-0.0017_f32, 0.0, 0.0017] {
            let scale = place.scale * (1.0 + step);
            let spectrum = self.fourier.forward(&fold(seen, scale));
            let score_at = |shift: Point2| {
                let waves = self.pattern.sync.iter();
                let values = waves.map(|wave| wave.strength(&spectrum, shift));
                let (sum, squares) =
                    values.fold((0.0, 0.0), |(sum, squares), v| (sum + v, squares + v * v));
                sum / f32::sqrt(squares).max(f32::MIN_POSITIVE)
            };
            for dy in -2..=2_i8 {
                for dx in -2..=2_i8 {
                    let offset = |d: i8| 0.6 * f32::from(d);
                    let (x, y) = (place.shift.x + offset(dx), place.shift.y + offset(dy));
                    let shift = Point2::new(x, y);
                    let score = score_at(shift);
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

/// A spectrum matched with the waves of known sign.
struct Matched {
    /// Each wave turned back by its phase; zero where there is none.
    spectrum: Vec<Complex>,
    /// Standard deviation of the sum of the waves where there is no mark.
    std: f32,
}

/// A shift at which the known signs fit well.
#[derive(Clone, Copy)]
struct Peak {
    score: f32,
    /// Its entry in the square of all shifts.
    entry: usize,
}

impl Peak {
    /// Whether two peaks are slopes of the same hill.
    fn is_beside(self, other: Self) -> bool {
        let (a, b) = (self.entry, other.entry);
        (a % SIDE).abs_diff(b % SIDE) < 4 && (a / SIDE).abs_diff(b / SIDE) < 4
    }
}

/// The best shifts of one scale, those beside a better one left out.
fn peaks(scores: &[f32], scale: f32, std: f32) -> Vec<Place> {
    let mut best: Vec<Peak> = Vec::with_capacity(PEAKS + 1);
    for (entry, &score) in scores.iter().enumerate() {
        if best.len() < PEAKS || best[best.len() - 1].score < score {
            let peak = Peak { score, entry };
            match best.iter_mut().find(|other| peak.is_beside(**other)) {
                Some(same) if same.score < score => *same = peak,
                Some(_) => {}
                None => best.push(peak),
            }
            best.sort_by(|a, b| b.score.total_cmp(&a.score));
            best.truncate(PEAKS);
        }
    }
    let place = |peak: Peak| Place {
        scale,
        shift: Point2::new((peak.entry % SIDE) as f32, (peak.entry / SIDE) as f32),
        score: peak.score / std,
    };
    best.into_iter().map(place).collect()
}

fn as_hex<S: serde::Serializer>(identifier: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{identifier:016x}"))
}

fn from_hex<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text: String = serde::Deserialize::deserialize(deserializer)?;
    u64::from_str_radix(&text, 16).map_err(serde::de::Error::custom)
}
