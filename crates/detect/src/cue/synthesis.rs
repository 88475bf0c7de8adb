//! Synthesis: traces that a generator leaves in what it draws.
//!
//! *Lattice*: enlarging by whole factors leaves peaks at the highest frequencies (Durall, Keuper
//! and Keuper, "Watch your up-convolution", CVPR 2020; Frank et al., "Leveraging frequency
//! analysis for deep fake image recognition", ICML 2020). *Spiky detail*: a camera's noise is
//! everywhere and evenly spread, a drawn face has crisp lines on skin without grain, which shows
//! in how neighbouring pixels differ (after the neighbouring-pixel relations of Tan et al.,
//! "Rethinking the up-sampling operations in CNN-based generative networks", CVPR 2024). Both are
//! contrasts of the face with its surroundings: taken alone they tell sizes and file formats
//! apart rather than drawn faces from real ones.

use effigy_face::Observation;
use effigy_face::patch::{Part, Patch};
use effigy_frame::Picture;

use crate::cue::interface::{Cadence, Context, Cue, Models};
use crate::kind::CueKind;
use crate::measurement::{self, Measure, Measurement, Skipped};
use crate::signal::spectrum::{SIDE_PX, Spectrum};

/// What is measured, in this order.
pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "lattice",
        high: "The finest detail of the face repeats from pixel to pixel, as if it was enlarged",
        usual: "The finest detail of the face repeats no more than that around it",
    },
    Measure {
        name: "spiky-detail",
        high: "The face has crisp lines on skin without grain, as if it was drawn",
        usual: "The detail of the face is as evenly spread as that around it",
    },
];

/// What was measured so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Synthesis {
    moments: Vec<(f64, Vec<f32>)>,
}

impl Cue for Synthesis {
    fn kind(&self) -> CueKind {
        CueKind::Synthesis
    }

    fn measures(&self) -> &'static [Measure] {
        MEASURES
    }

    fn cadence(&self) -> Cadence {
        Cadence::CloseLooks
    }

    fn look(&mut self, face: &Observation<'_>, _models: &Models) -> Option<Vec<f32>> {
        self.take(&face.frame.picture, face.patch()?, face.time_secs());
        None
    }

    fn finish(self: Box<Self>, _context: &Context<'_>) -> measurement::Result {
        if self.moments.is_empty() {
            return Err(Skipped::new(
                CueKind::Synthesis,
                "the face or what is around it is too small in the picture",
            ));
        }
        let moments = self.moments;
        Ok(Measurement::of_moments(
            CueKind::Synthesis,
            MEASURES,
            moments,
        ))
    }
}

impl Synthesis {
    /// Measures one face where it is large enough.
    fn take(&mut self, picture: &Picture, patch: &Patch, time_secs: f64) {
        let values = lattice(picture, patch).zip(spiky_detail(patch));
        let moment = values.map(|(lattice, spiky)| (time_secs, vec![lattice, spiky]));
        self.moments.extend(moment);
    }
}

/// How far power at half a cycle a pixel stands out of what is next to it, in the face more than
/// around it; natural logarithm.
fn lattice(picture: &Picture, patch: &Patch) -> Option<f32> {
    let inner = windows(patch, |part| {
        matches!(part, Part::Inner | Part::Eyes | Part::Lips)
    });
    let around = windows(patch, |part| part == Part::Around);
    if inner.len() < LEAST_WINDOWS || around.len() < LEAST_WINDOWS {
        return None;
    }
    let peak = |places: &[(u32, u32)]| {
        let spectrum = Spectrum::of(picture, places);
        let half = SIDE_PX / 2;
        let at = |wanted: &dyn Fn(usize) -> bool| {
            spectrum.mean(|x, y| (wanted(x) && y < SLOW) || (wanted(y) && x < SLOW))
        };
        at(&|step| step == half) - at(&|step| (half - 4..half - 1).contains(&step))
    };
    Some(peak(&inner) - peak(&around))
}

/// Steps of frequency that count as none.
const SLOW: usize = 4;
const LEAST_WINDOWS: usize = 2;
const MOST_WINDOWS: usize = 48;
/// Pixels from window to window.
const STEP_PX: usize = 8;
/// So many of sixteen places of a window must be of the part: what is around a face is narrow.
const MOSTLY: usize = 12;

/// Where windows of mostly wanted parts begin, in pixels of the frame.
fn windows(patch: &Patch, wanted: impl Fn(Part) -> bool) -> Vec<(u32, u32)> {
    let side = SIDE_PX as u32;
    let (width, height) = (
        patch.width as u32 * patch.factor,
        patch.height as u32 * patch.factor,
    );
    let is_filled = |&(x, y): &(u32, u32)| {
        let places = (0..16).map(|i| (x + i % 4 * 9 + 2, y + i / 4 * 9 + 2));
        MOSTLY
            <= places
                .filter(|(x, y)| wanted(patch.part_at(*x, *y)))
                .count()
    };
    let rows = (0..height.saturating_sub(side)).step_by(STEP_PX);
    let places = rows.flat_map(|y| {
        let columns = (0..width.saturating_sub(side)).step_by(STEP_PX);
        columns.map(move |x| (patch.origin.0 + x, patch.origin.1 + y))
    });
    let filled: Vec<(u32, u32)> = places.filter(is_filled).collect();
    let every = filled.len().div_ceil(MOST_WINDOWS).max(1);
    filled.into_iter().step_by(every).collect()
}

/// The mean square of the finest detail against the square of its mean size, in the face more
/// than around it; natural logarithm. Of even noise it is ln(π / 2).
fn spiky_detail(patch: &Patch) -> Option<f32> {
    let spikiness = |part: Part| {
        let (mut squares, mut sizes, mut n) = (0.0_f64, 0.0_f64, 0_u32);
        for (v, p) in patch.bands[0].iter().zip(&patch.parts) {
            if *p == part {
                squares += f64::from(v * v);
                sizes += f64::from(v.abs());
                n += 1;
            }
        }
        // A hundredth of a level keeps a flat part from being infinitely spiky.
        let mean = sizes / f64::from(n.max(1)) + 0.01;
        (LEAST_PIXELS <= n).then(|| ((squares / f64::from(n) + 1e-4) / (mean * mean)).ln() as f32)
    };
    Some(spikiness(Part::Inner)? - spikiness(Part::Around)?)
}

const LEAST_PIXELS: u32 = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cue::interface::testing::finished;

    const SIDE: u32 = 256;

    /// Even noise; in the middle, with `enlarged`, each pixel is drawn twice along and across.
    fn picture(enlarged: bool) -> Picture {
        let mut state = 3_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 / 4 + 96
        };
        let mut picture = Picture::filled(SIDE, SIDE, [0; 3]);
        for y in 0..SIDE {
            for x in 0..SIDE {
                let drawn = enlarged && is_inner(x, y);
                let value = if drawn && (x % 2 == 1 || y % 2 == 1) {
                    picture.get(x - x % 2, y - y % 2)
                } else {
                    [noise(); 3]
                };
                picture.set(x, y, value);
            }
        }
        picture
    }

    fn is_inner(x: u32, y: u32) -> bool {
        (64..192).contains(&x) && (64..192).contains(&y)
    }

    fn patch(detail: impl Fn(usize) -> f32) -> Patch {
        let side = SIDE as usize;
        let part = |i: usize| {
            if is_inner((i % side) as u32, (i / side) as u32) {
                Part::Inner
            } else {
                Part::Around
            }
        };
        let flat = vec![0.0; side * side];
        Patch {
            width: side,
            height: side,
            origin: (0, 0),
            factor: 1,
            bands: [
                (0..side * side).map(detail).collect(),
                flat.clone(),
                flat.clone(),
            ],
            colour: [flat.clone(), flat],
            parts: (0..side * side).map(part).collect(),
        }
    }

    #[test]
    fn an_enlarged_face_has_a_lattice_and_an_untouched_one_has_none() {
        let patch = patch(|_| 1.0);
        let even = lattice(&picture(false), &patch).unwrap();
        let enlarged = lattice(&picture(true), &patch).unwrap();
        assert!(even.abs() < 0.2, "{even}"); // the spread of 26 windows' means
        // Doubled pixels have next to no power at half a cycle: a hole where others have none.
        assert!(0.5 < enlarged.abs(), "{enlarged}");
    }

    #[test]
    fn few_lines_on_flat_skin_are_spikier_than_grain() {
        let drawn = patch(|i| {
            let (x, y) = ((i % 256) as u32, (i / 256) as u32);
            let grain = if (x + y) % 2 == 0 { 1.0 } else { -1.0 };
            match is_inner(x, y) {
                true if x % 16 == 0 => 8.0,
                true => 0.1 * grain,
                false => grain,
            }
        });
        assert!(1.0 < spiky_detail(&drawn).unwrap());
    }

    #[test]
    fn a_face_without_surroundings_is_not_judged() {
        let mut patch = patch(|_| 1.0);
        patch.parts.fill(Part::Inner);
        let mut synthesis = Synthesis::default();
        synthesis.take(&picture(false), &patch, 0.0);
        assert!(finished(synthesis).is_err());
    }
}
