//! Reading the watermark from pictures that may have been changed on their way.
//!
//! First where it was drawn, then wherever else it may lie (`search`). Only what fits the checksum
//! of the code counts, so that each place that is tried is one more chance to be wrong.

use effigy_frame::{Picture, Point2, resample};

use crate::watermark::canonical_luma::{add_weighted, canonical_luma, fold, magnified_size};
use crate::watermark::code::{self, CHECK_BITS, CODED_BITS};
use crate::watermark::correlation::Correlator;
use crate::watermark::plane::CanonicalPlane;
use crate::watermark::search::{Candidate, FARTHEST_MAGNIFICATION, View};
use crate::watermark::spectrum::Fourier;
use crate::watermark::spread_spectrum::{Pattern, Wave};

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

/// A place at which the mark was tried to be read, and what its checksum said.
#[derive(Clone, Copy, Debug)]
pub struct Try {
    /// Strength of the known signs, in standard deviations of what there is without a mark.
    /// Infinite where the mark was drawn: there it is always tried.
    pub score: f32,
    /// How many bits of the checksum fit, from the first on; all 28 where a mark was read.
    pub fitting_bits: u32,
}

/// Looks at pictures of one source, then says what mark they carry together.
pub struct Detector {
    fourier: Fourier,
    pattern: Pattern,
    correlator: Correlator,
    /// Weighted detail of all pictures so far, added up.
    seen: Option<CanonicalPlane>,
    n_seen: usize,
    /// Some of the pictures, for views that show more of them.
    kept: Vec<Picture>,
    tries: Vec<Try>,
}

/// The first of so many pictures is kept.
const KEPT_OF: usize = 15;
/// At most so many are kept.
const MOST_KEPT: usize = 3;

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

impl Detector {
    /// Prepares to look.
    pub fn new() -> Self {
        let pattern = Pattern::new();
        Self {
            fourier: Fourier::new(),
            correlator: Correlator::new(&pattern),
            pattern,
            seen: None,
            n_seen: 0,
            kept: Vec::new(),
            tries: Vec::new(),
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
        add_weighted(seen, luma);
        if self.n_seen.is_multiple_of(KEPT_OF) && self.kept.len() < MOST_KEPT {
            self.kept.push(at_most_farthest(picture));
        }
        self.n_seen += 1;
    }

    /// Reads the mark of pictures that were not cropped. Far quicker than [`Detector::finish`],
    /// which then searches where else the mark may lie.
    pub(crate) fn finish_uncut(&mut self) -> Option<Found> {
        let spectrum = self.fourier.forward(&fold(self.seen.as_ref()?));
        let soft = self.soft(|wave| wave.strength(&spectrum, Point2::default()));
        self.read(&soft, f32::INFINITY)
    }

    /// Reads the mark of pictures that are upright and the larger part of what was marked.
    pub(crate) fn finish_upright(&mut self) -> Option<Found> {
        self.finish_uncut().or_else(|| self.search(View::upright()))
    }

    /// Reads the mark, wherever it lies.
    pub fn finish(&mut self) -> Option<Found> {
        self.finish_upright().or_else(|| self.finish_anywhere())
    }

    /// Reads the mark where [`Detector::finish_upright`] does not.
    pub(crate) fn finish_anywhere(&mut self) -> Option<Found> {
        let first = self.kept.first()?;
        let mut views = View::all(first.width(), first.height()).into_iter();
        views.find_map(|view| self.search(view))
    }

    /// Takes into account what another detector has looked at, and how often it tried.
    pub(crate) fn join(&mut self, other: Self) {
        self.tries.extend(other.tries);
        if let (Some(seen), Some(others)) = (&mut self.seen, &other.seen)
            && (seen.width, seen.height) == (others.width, others.height)
        {
            let values = seen.values.iter_mut().zip(&others.values);
            values.for_each(|(sum, value)| *sum += value);
            self.kept.extend(other.kept);
        }
    }

    /// Every place that was tried so far.
    pub fn tries(&self) -> &[Try] {
        &self.tries
    }

    fn search(&mut self, view: View) -> Option<Found> {
        let larger = view.plane(&self.kept);
        let plane = larger.as_ref().or(self.seen.as_ref())?;
        let spectra = view.spectra(plane);
        let candidates = view.candidates(&self.correlator, &spectra);
        candidates.iter().find_map(|candidate| {
            let Candidate { place, spectrum } = candidate;
            let soft = self.soft(|wave| {
                let k = [wave.kx as f32, wave.ky as f32];
                let seen = spectrum.at(place.pattern_from_plane.frequency(k));
                (seen.conj() * wave.phase * place.phase(k)).re
            });
            self.read(&soft, place.score)
        })
    }

    /// What is seen of each coded bit.
    fn soft(&self, strength: impl Fn(&Wave) -> f32) -> Vec<f32> {
        let mut soft = vec![0.0_f32; CODED_BITS];
        for (i, wave) in self.pattern.data.iter().enumerate() {
            soft[i % CODED_BITS] += strength(wave);
        }
        soft
    }

    fn read(&mut self, soft: &[f32], score: f32) -> Option<Found> {
        let word = code::most_likely(soft);
        self.tries.push(Try {
            score,
            fitting_bits: word.fitting_bits(),
        });
        let identifier = word.identifier()?;
        let word = code::encode(identifier);
        let fit: f32 = soft.iter().zip(&word).map(|(seen, sign)| seen * sign).sum();
        let power: f32 = soft.iter().map(|seen| seen * seen).sum();
        let confidence = fit / (power * CODED_BITS as f32).sqrt();
        Some(Found {
            identifier,
            confidence: confidence.clamp(0.0, 1.0),
            false_alarm: self.tries.len() as f64 / f64::from(1_u32 << CHECK_BITS),
        })
    }
}

/// Large pictures are kept no larger than any view shows them.
fn at_most_farthest(picture: &Picture) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    let (across, down) = magnified_size(width, height, FARTHEST_MAGNIFICATION);
    if width as usize <= across {
        return picture.clone();
    }
    resample::resize(picture, across as u32, down as u32)
}

fn as_hex<S: serde::Serializer>(identifier: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{identifier:016x}"))
}

fn from_hex<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text: String = serde::Deserialize::deserialize(deserializer)?;
    u64::from_str_radix(&text, 16).map_err(serde::de::Error::custom)
}
