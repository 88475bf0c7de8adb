//! Noise and sharpness: a face that was put in is softer along its edge than the face and its
//! surroundings are, and carries another noise than the camera left around it.
//!
//! Noise that differs between regions is the trace of Mahdian and Saic, "Using noise
//! inconsistencies for blind image forensics", Image and Vision Computing 2009; the soft edge is
//! what Li et al., "Face X-ray for more general face forgery detection", CVPR 2020, learn from.
//! Here both are ratios of detail in bands ([`effigy_face::patch`]), so that brightness and contrast
//! cancel out.

use effigy_face::Observation;
use effigy_face::patch::{Part, Patch};
use effigy_frame::Plane;

use crate::cue::interface::{Cadence, Context, Cue, EvidenceMap, Models};
use crate::kind::CueKind;
use crate::measurement::{self, Measure, Measurement, Skipped, median};

/// What is measured, in this order.
pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "soft-edge",
        high: "The face is softer along its edge than inside and around it, as if blended in",
        usual: "The edge of the face is as sharp as the face and its surroundings",
    },
    Measure {
        name: "soft-lips",
        high: "The mouth is drawn softer than the surroundings of the face",
        usual: "The mouth is as sharp as the surroundings of the face",
    },
    Measure {
        name: "flat-colour",
        high: "The skin lacks the colour noise that is around the face",
        usual: "The skin has the colour noise that is around the face",
    },
    Measure {
        name: "smooth-skin",
        high: "The skin lacks the fine grain that is around the face",
        usual: "The skin has the fine grain that is around the face",
    },
];

/// What was measured so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noise {
    moments: Vec<(f64, Vec<f32>)>,
}

impl Cue for Noise {
    fn kind(&self) -> CueKind {
        CueKind::Noise
    }

    fn measures(&self) -> &'static [Measure] {
        MEASURES
    }

    fn cadence(&self) -> Cadence {
        Cadence::CloseLooks
    }

    fn look(&mut self, face: &Observation<'_>, _models: &Models) -> Option<Vec<f32>> {
        self.take(face.patch()?, face.time_secs())
    }

    fn evidence(&mut self, face: &Observation<'_>) -> Option<EvidenceMap> {
        let patch = face.patch()?;
        Some(EvidenceMap::of_patch(face, patch, softness_map(patch)))
    }

    fn finish(self: Box<Self>, _context: &Context<'_>) -> measurement::Result {
        if self.moments.is_empty() {
            return Err(Skipped::new(
                CueKind::Noise,
                "too little around the face is in the picture",
            ));
        }
        let moments = self.moments;
        Ok(Measurement::of_moments(CueKind::Noise, MEASURES, moments))
    }
}

impl Noise {
    fn take(&mut self, patch: &Patch, time_secs: f64) -> Option<Vec<f32>> {
        let values = measure(patch)?;
        self.moments.push((time_secs, values.clone()));
        Some(values)
    }
}

fn measure(patch: &Patch) -> Option<Vec<f32>> {
    let [fine, middle, coarse] = &patch.bands;
    let sharpness = |part| {
        let (middle, coarse) = (patch.strength(middle, part)?, patch.strength(coarse, part)?);
        Some((middle / coarse).ln())
    };
    let [inner, edge, around] = [
        sharpness(Part::Inner)?,
        sharpness(Part::Edge)?,
        sharpness(Part::Around)?,
    ];
    let lips = sharpness(Part::Lips).unwrap_or(around);
    let lacks = |plane: &[f32]| {
        let around = patch.median_strength(plane, Part::Around)?;
        Some((around / patch.median_strength(plane, Part::Inner)?).ln())
    };
    let [blue, red] = &patch.colour;
    Some(vec![
        0.5 * (inner + around) - edge,
        around - lips,
        0.5 * (lacks(blue)? + lacks(red)?),
        lacks(fine)?,
    ])
}

/// Shows where a face is softer than the middle of the patch's detail, `0..=1`.
fn softness_map(patch: &Patch) -> Plane {
    let (columns, rows) = (patch.width / CELL_PX, patch.height / CELL_PX);
    let mut map = Plane::filled(columns.max(1), rows.max(1), 0.0);
    let mut sharpness: Vec<Option<f32>> = Vec::with_capacity(columns * rows);
    for cell_y in 0..rows {
        for cell_x in 0..columns {
            sharpness.push(cell_sharpness(patch, cell_x, cell_y));
        }
    }
    let median_sharpness = median(sharpness.iter().flatten().copied().collect());
    for (cell, sharpness) in map.values_mut().iter_mut().zip(&sharpness) {
        *cell = sharpness.map_or(0.0, |s| ((median_sharpness - s) / SOFTEST).clamp(0.0, 1.0));
    }
    map
}

/// Side of a cell of the map, in pixels of the patch.
const CELL_PX: usize = 12;
/// A cell whose sharpness is lower by this is shown at full strength.
const SOFTEST: f32 = 0.8;

/// How sharp one cell is; `None` where it shows no face or no detail at all.
fn cell_sharpness(patch: &Patch, cell_x: usize, cell_y: usize) -> Option<f32> {
    let (mut middle, mut coarse, mut n) = (0.0_f32, 0.0_f32, 0_usize);
    for y in cell_y * CELL_PX..(cell_y + 1) * CELL_PX {
        for x in cell_x * CELL_PX..(cell_x + 1) * CELL_PX {
            let i = y * patch.width + x;
            middle += patch.bands[1][i].powi(2);
            coarse += patch.bands[2][i].powi(2);
            let of_face = !matches!(patch.parts[i], Part::None | Part::Around);
            n += usize::from(of_face);
        }
    }
    let pixels = (CELL_PX * CELL_PX) as f32;
    let has_detail = LEAST_DETAIL < coarse / pixels;
    (CELL_PX * CELL_PX <= 2 * n && has_detail).then(|| 0.5 * ((middle + 0.01) / coarse).ln())
}

/// Mean square of the coarse band, in levels squared, under which a cell is flat.
const LEAST_DETAIL: f32 = 0.5;

#[cfg(test)]
mod tests {
    use super::*;

    /// A patch of noise: rows of four parts, `edge` softer than the rest by `softness`.
    fn patch(softness: f32) -> Patch {
        let (width, height) = (64, 64);
        let mut state = 5_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        let parts: Vec<Part> = (0..width * height)
            .map(|i| [Part::Inner, Part::Edge, Part::Around, Part::Lips][i / (16 * width)])
            .collect();
        let mut plane = |scale: f32| -> Vec<f32> {
            let scale = |part: &Part| if *part == Part::Edge { scale } else { 1.0 };
            parts
                .iter()
                .map(|part| 8.0 * noise() * scale(part))
                .collect()
        };
        let bands = [plane(softness), plane(softness), plane(1.0)];
        let colour = [plane(1.0), plane(1.0)];
        Patch {
            width,
            height,
            origin: (0, 0),
            factor: 1,
            bands,
            colour,
            parts,
        }
    }

    #[test]
    fn a_soft_edge_is_measured_as_such() {
        let mut noise = Noise::default();
        let even = noise.take(&patch(1.0), 0.0).unwrap();
        let soft = noise.take(&patch(0.5), 1.0).unwrap();
        assert!(even[0].abs() < 0.1, "{even:?}"); // 1024 samples a part
        assert!((soft[0] - 2.0_f32.ln()).abs() < 0.1, "{soft:?}");
        assert!((soft[1] - even[1]).abs() < 0.1, "the lips did not change");
    }
}
