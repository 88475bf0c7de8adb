//! Where the mark may lie in a picture that was cropped, turned, mirrored or put into another.
//!
//! What people do to pictures is tried view by view, the likeliest first: as a whole at about its
//! size, stretched, between bars, and in a window of a screen. Each view guesses scales, turns and
//! mirrorings on a grid that is just fine enough for a mark to show; the places that show best are
//! refined.

use std::ops::Range;
use std::panic::resume_unwind;

use effigy_frame::Picture;

use crate::watermark::canonical_luma::{AREA, add_weighted, luma, magnified_size};
use crate::watermark::correlation::Correlator;
use crate::watermark::place::{Linear, MIRRORED, ORIENTATIONS, Place, UPRIGHT};
use crate::watermark::plane::CanonicalPlane;
use crate::watermark::window_spectrum::{Window, WindowSpectrum};

/// One way of looking for the mark.
pub(super) struct View {
    /// How much larger than the canonical plane the picture is looked at.
    magnification: f64,
    windows: Windows,
    /// From pixels of the plane to those of the pattern.
    guesses: Vec<Linear>,
}

/// Which parts of a plane are looked at, each for itself.
#[derive(Clone, Copy)]
enum Windows {
    Whole,
    /// What surrounds a small marked part would drown it.
    Parts,
}

/// A place, and the spectrum in which it was found.
pub(super) struct Candidate<'a> {
    pub(super) place: Place,
    pub(super) spectrum: &'a WindowSpectrum,
}

/// Half a step of the scale moves the border of a canonical plane by an eighth of its shortest
/// wave or a sixteenth of a long one.
const SCALE_STEP: f32 = 1.016;
/// As far as a step of the scale does.
const TURN_STEP_DEGREES: f32 = 1.1;
/// Turns up to 4.4° both ways are tried, so that 4.9° are found.
const TURN_STEPS: i8 = 4;
/// From a picture of which a side of 57 % is left to one that got a border.
const NEAR_SCALES: Range<f32> = 0.57..1.3;
/// Between bars: 16:9 in 9:16 has 1.78.
const FAR_SCALES: Range<f32> = 1.27..2.2;
const FAR_MAGNIFICATION: f64 = 1.9;
/// In a window of a screen.
const FARTHEST_SCALES: Range<f32> = 2.1..4.6;
pub(super) const FARTHEST_MAGNIFICATION: f64 = 3.4;
/// How much wider and lower a picture may be made: 4:3 to 16:9 is 15 %.
const STRETCHES: Range<f32> = 0.8..1.25;
/// Enlarging a picture more than this shows nothing new.
const MOST_ENLARGED: f64 = 2.0;
/// A view at hardly another size than the one before is left out.
const LEAST_GAIN: f64 = 1.12;
/// Pixels of a window along each side; neighbours overlap by at least half.
const WINDOW_PX: usize = 512;

/// The places of a view that are refined.
const MOST_CANDIDATES: usize = 30;
/// Refined places that score less are noise, in which nothing can be read.
const LEAST_SCORE: f32 = 4.6;

impl View {
    /// Upright and at about the canonical size: cropped or with a narrow border. Quickly looked at.
    pub(super) fn upright() -> Self {
        Self {
            magnification: 1.0,
            windows: Windows::Whole,
            guesses: guesses(NEAR_SCALES, &[0.0], &[UPRIGHT]),
        }
    }

    /// All views of a picture of this size.
    pub(super) fn all(width: u32, height: u32) -> Vec<Self> {
        let near = |guesses| Self {
            magnification: 1.0,
            windows: Windows::Whole,
            guesses,
        };
        let mut views = vec![near(reposted(NEAR_SCALES)), near(stretched())];
        let native = f64::from(width) * f64::from(height);
        let most = MOST_ENLARGED * (native / AREA).sqrt();
        let far = FAR_MAGNIFICATION.min(most);
        if LEAST_GAIN <= far {
            let scales = part(FAR_SCALES, far);
            let far = |windows, guesses| Self {
                magnification: far,
                windows,
                guesses,
            };
            views.extend([
                far(Windows::Whole, reposted(scales.clone())),
                far(Windows::Parts, guesses(scales, &[0.0], &HELD_LEVEL)),
            ]);
        }
        let farthest = FARTHEST_MAGNIFICATION.min(most);
        if LEAST_GAIN * far <= farthest {
            views.push(Self {
                magnification: farthest,
                windows: Windows::Parts,
                guesses: guesses(part(FARTHEST_SCALES, farthest), &[0.0], &HELD_LEVEL),
            });
        }
        views
    }

    /// The weighted detail of some pictures, added up at the size of the view. `None` where that is
    /// the canonical size.
    pub(super) fn plane(&self, pictures: &[Picture]) -> Option<CanonicalPlane> {
        let first = pictures.first().filter(|_| 1.0 < self.magnification)?;
        let size = magnified_size(first.width(), first.height(), self.magnification);
        let planes = in_two(pictures, |pictures| {
            let mut sum = CanonicalPlane::zeros(size.0, size.1);
            for picture in pictures {
                add_weighted(&mut sum, luma(picture, size));
            }
            vec![sum]
        });
        planes.into_iter().reduce(|mut sum, other| {
            let values = sum.values.iter_mut().zip(&other.values);
            values.for_each(|(sum, value)| *sum += value);
            sum
        })
    }

    /// The spectra in which places are looked for.
    pub(super) fn spectra(&self, plane: &CanonicalPlane) -> Vec<WindowSpectrum> {
        let windows = match self.windows {
            Windows::Whole => vec![Window::whole(plane)],
            Windows::Parts => parts(plane),
        };
        // The finest wave of the pattern, at the largest of the scales.
        let reach = [[FINEST, 0.0], [0.0, FINEST]];
        let finest = self.guesses.iter().map(|guess| {
            let [a, b] = reach.map(|k| guess.frequency(k)[0]);
            a.hypot(b)
        });
        let finest = finest.fold(0.0, f32::max);
        in_two(&windows, |windows| {
            let spectrum = |window| WindowSpectrum::new(plane, window, finest);
            windows.iter().map(spectrum).collect()
        })
    }

    /// The likeliest places, best first.
    pub(super) fn candidates<'a>(
        &self,
        correlator: &Correlator,
        spectra: &'a [WindowSpectrum],
    ) -> Vec<Candidate<'a>> {
        const AT_ONCE: usize = 32;
        let tasks: Vec<_> = spectra
            .iter()
            .flat_map(|spectrum| {
                let some = self.guesses.chunks(AT_ONCE);
                some.map(move |guesses| (spectrum, guesses))
            })
            .collect();
        let mut candidates = in_two(&tasks, |tasks| {
            let found = tasks.iter().flat_map(|&(spectrum, guesses)| {
                let places = correlator.places(spectrum, guesses);
                places
                    .into_iter()
                    .map(move |place| Candidate { place, spectrum })
            });
            best(found.collect())
        });
        candidates = best(candidates);
        let refined = in_two(&candidates, |candidates| {
            let refined = candidates
                .iter()
                .map(|&Candidate { place, spectrum }| Candidate {
                    place: correlator.refined(spectrum, place),
                    spectrum,
                });
            refined.collect()
        });
        let mut refined = best(refined);
        refined.retain(|candidate| LEAST_SCORE <= candidate.place.score);
        refined
    }
}

/// Not turned by quarters.
const HELD_LEVEL: [Linear; 2] = [UPRIGHT, MIRRORED];
/// Periods of the pattern's finest wave, and a little more for what is refined.
const FINEST: f32 = 35.0;

/// The scales that are left where the plane is magnified.
fn part(scales: Range<f32>, magnification: f64) -> Range<f32> {
    scales.start / magnification as f32..scales.end / magnification as f32
}

/// Whole pictures as they are reposted: slightly tilted or turned by quarters, but not both.
fn reposted(scales: Range<f32>) -> Vec<Linear> {
    let turn = |n: i8| (f32::from(n) * TURN_STEP_DEGREES).to_radians();
    let tilts: Vec<f32> = (-TURN_STEPS..=TURN_STEPS).map(turn).collect();
    let mut all = guesses(scales.clone(), &tilts, &HELD_LEVEL);
    let turned = ORIENTATIONS.into_iter();
    let turned: Vec<_> = turned.filter(|one| !HELD_LEVEL.contains(one)).collect();
    all.extend(guesses(scales, &[0.0], &turned));
    all
}

/// All combinations.
fn guesses(scales: Range<f32>, turns: &[f32], orientations: &[Linear]) -> Vec<Linear> {
    let mut guesses = Vec::new();
    for scale in steps(scales) {
        for &turn in turns {
            let scaled = Linear::stretch(scale, scale).of(Linear::turn(turn));
            let oriented = orientations.iter();
            guesses.extend(oriented.map(|&orientation| scaled.of(orientation)));
        }
    }
    guesses
}

/// Whole pictures at another aspect ratio.
fn stretched() -> Vec<Linear> {
    let stretch = |wider: f32| Linear::stretch(wider, 1.0 / wider);
    let both = |wider| [UPRIGHT, MIRRORED].map(|orientation| stretch(wider).of(orientation));
    steps(STRETCHES).flat_map(both).collect()
}

fn steps(range: Range<f32>) -> impl Iterator<Item = f32> {
    let steps = std::iter::successors(Some(range.start), |scale| Some(scale * SCALE_STEP));
    steps.take_while(move |scale| *scale < range.end * SCALE_STEP)
}

/// Overlapping windows that cover a plane.
fn parts(plane: &CanonicalPlane) -> Vec<Window> {
    let spans = |length: usize| {
        let rest = length.saturating_sub(WINDOW_PX);
        let n = rest.div_ceil(WINDOW_PX / 2);
        let start = move |i: usize| i * rest / n.max(1);
        (0..=n).map(move |i| start(i)..length.min(start(i) + WINDOW_PX))
    };
    let mut windows = Vec::new();
    for rows in spans(plane.height) {
        windows.extend(spans(plane.width).map(|columns| Window {
            columns,
            rows: rows.clone(),
        }));
    }
    windows
}

/// The best few, best first.
fn best(mut candidates: Vec<Candidate<'_>>) -> Vec<Candidate<'_>> {
    candidates.sort_by(|a, b| b.place.score.total_cmp(&a.place.score));
    candidates.truncate(MOST_CANDIDATES);
    candidates
}

/// Works on both halves of a list at the same time.
fn in_two<T: Sync, R: Send>(items: &[T], work: impl Fn(&[T]) -> Vec<R> + Sync) -> Vec<R> {
    let (some, others) = items.split_at(items.len().div_ceil(2));
    if others.is_empty() {
        return work(some);
    }
    std::thread::scope(|scope| {
        let beside = scope.spawn(|| work(others));
        let mut done = work(some);
        done.extend(beside.join().unwrap_or_else(|panic| resume_unwind(panic)));
        done
    })
}
