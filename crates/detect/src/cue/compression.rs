//! Compression: a face that was put in had another life before, and is compressed otherwise than
//! its surroundings.
//!
//! *Ghosts* after Farid, "Exposing digital forgeries from JPEG ghosts", IEEE TIFS 2009: compressed
//! once more at a quality that it had before, a region changes less than at those around it.
//! *Error level*: how much of its detail a region loses when it is compressed coarsely. Both
//! compare the face with its own surroundings in the same frame, so that size, codec and quality
//! of the file cancel out as far as they can.

use effigy_face::Observation;
use effigy_face::patch::Part;
use effigy_frame::Plane;

use crate::cue::interface::{Cadence, Context, Cue, EvidenceMap, Models};
use crate::kind::CueKind;
use crate::measurement::{self, Measure, Measurement, Skipped};
use crate::signal::blocks::{Block, Blocks, N_PIXELS, table};

/// What is measured, in this order.
pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "ghost",
        high: "The face shows an earlier compression that its surroundings lack",
        usual: "The face shows no earlier compression that its surroundings lack",
    },
    Measure {
        name: "edge-error",
        high: "Compressed once more, the edge of the face changes less than the face and its \
               surroundings",
        usual: "Compressed once more, the edge of the face changes as much as its surroundings",
    },
];

/// Qualities at which blocks are compressed once more.
const QUALITIES: [u16; 12] = [40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95];
/// Which of them the error level is taken at.
const COARSE: usize = 2;
/// Blocks with less energy than this, in levels squared, are too flat to change.
const LEAST_ENERGY: f32 = 128.0;

/// What was measured so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compression {
    moments: Vec<(f64, Vec<f32>)>,
    /// Where the last frame showed an earlier compression.
    last: Option<Plane>,
}

/// What one frame shows.
#[derive(Clone, Debug)]
struct Ghost {
    /// The measures.
    values: Vec<f32>,
    /// Where the face shows an earlier compression that its surroundings lack, `0..=1`, by block.
    map: Plane,
}

impl Cue for Compression {
    fn kind(&self) -> CueKind {
        CueKind::Compression
    }

    fn measures(&self) -> &'static [Measure] {
        MEASURES
    }

    fn cadence(&self) -> Cadence {
        Cadence::CloseLooks
    }

    /// Measures nothing where too little of the face or of its surroundings has detail.
    fn look(&mut self, face: &Observation<'_>, _models: &Models) -> Option<Vec<f32>> {
        let blocks = Blocks::of(&face.frame.picture, face.patch()?);
        self.take(&blocks, face.time_secs())
    }

    fn evidence(&mut self, face: &Observation<'_>) -> Option<EvidenceMap> {
        let map = self.last.take()?;
        Some(EvidenceMap::of_patch(face, face.patch()?, map))
    }

    fn finish(self: Box<Self>, _context: &Context<'_>) -> measurement::Result {
        if self.moments.is_empty() {
            return Err(Skipped::new(
                CueKind::Compression,
                "too little around the face has detail",
            ));
        }
        let moments = self.moments;
        Ok(Measurement::of_moments(
            CueKind::Compression,
            MEASURES,
            moments,
        ))
    }
}

impl Compression {
    fn take(&mut self, blocks: &Blocks, time_secs: f64) -> Option<Vec<f32>> {
        let Ghost { values, map } = measure(blocks)?;
        self.moments.push((time_secs, values.clone()));
        self.last = Some(map);
        Some(values)
    }
}

/// What one block loses at each quality.
struct Loss {
    /// Squared error, from the least (0) to the most (1) over the qualities.
    relative: [f32; QUALITIES.len()],
    /// The root of the share of its energy that is lost at the coarse quality.
    coarse: f32,
}

fn measure(blocks: &Blocks) -> Option<Ghost> {
    let tables = QUALITIES.map(table);
    let losses: Vec<Option<Loss>> = blocks
        .blocks
        .iter()
        .map(|block| Loss::of(block, &tables))
        .collect();
    let lossy = |part: Part| -> Vec<&Loss> {
        let of_part = blocks.blocks.iter().zip(&losses);
        let of_part = of_part.filter(|(block, _)| block.part == part);
        of_part.filter_map(|(_, loss)| loss.as_ref()).collect()
    };
    let [inner, edge, around] = [Part::Inner, Part::Edge, Part::Around].map(lossy);
    if [&inner, &edge, &around]
        .iter()
        .any(|part| part.len() < LEAST_BLOCKS)
    {
        return None;
    }
    let mean = |part: &[&Loss], of: &dyn Fn(&Loss) -> f32| {
        part.iter().map(|loss| of(loss)).sum::<f32>() / part.len() as f32
    };
    // How much less the face changes than its surroundings at one quality: a ghost.
    let ghost_at = |q: usize| {
        let relative = |loss: &Loss| loss.relative[q];
        mean(&around, &relative) - mean(&inner, &relative)
    };
    let loudest = (0..QUALITIES.len()).max_by(|a, b| ghost_at(*a).total_cmp(&ghost_at(*b)))?;
    let level = |part: &[&Loss]| mean(part, &|loss| loss.coarse).max(1e-4).ln();
    let mean_around = mean(&around, &|loss| loss.relative[loudest]);
    Some(Ghost {
        values: vec![
            ghost_at(loudest),
            0.5 * (level(&inner) + level(&around)) - level(&edge),
        ],
        map: map(blocks, &losses, |loss| mean_around - loss.relative[loudest]),
    })
}

/// Fewer blocks of a part than this say nothing of it.
const LEAST_BLOCKS: usize = 6;

impl Loss {
    fn of(block: &Block, tables: &[[u16; N_PIXELS]; QUALITIES.len()]) -> Option<Self> {
        let energy: f32 = block.coefficients[1..].iter().map(|v| v * v).sum();
        if energy < LEAST_ENERGY {
            return None;
        }
        let errors = tables.map(|table| error(&block.coefficients, &table));
        let least = errors.iter().copied().fold(f32::MAX, f32::min);
        let most = errors.iter().copied().fold(0.0, f32::max);
        Some(Self {
            relative: errors.map(|e| (e - least) / (most - least + 1e-3)),
            coarse: (errors[COARSE] / energy).sqrt(),
        })
    }
}

/// What coefficients lose when they are rounded to whole steps.
fn error(coefficients: &[f32; N_PIXELS], table: &[u16; N_PIXELS]) -> f32 {
    let lost = |(v, step): (&f32, &u16)| {
        let step = f32::from(*step);
        let lost = v - whole(v / step) * step;
        lost * lost
    };
    coefficients.iter().zip(table).skip(1).map(lost).sum()
}

/// Rounds a number under four million: the sum has no room for its fraction. Faster
/// than `round`, and called a million times a second of a clip.
fn whole(v: f32) -> f32 {
    const NO_FRACTION: f32 = 1.5 * (1 << 23) as f32;
    (v + NO_FRACTION) - NO_FRACTION
}

/// Spreads what blocks inside the contour and on it show over a plane; one block is noisy, so
/// each cell is the mean of its neighbourhood.
fn map(blocks: &Blocks, losses: &[Option<Loss>], shown: impl Fn(&Loss) -> f32) -> Plane {
    let (columns, rows) = (blocks.columns.max(1), blocks.rows.max(1));
    let mut sums = vec![(0.0_f32, 0_u32); columns * rows];
    for (block, loss) in blocks.blocks.iter().zip(losses) {
        let Some(loss) = loss.as_ref().filter(|_| block.part != Part::Around) else {
            continue;
        };
        let value = shown(loss);
        for row in block.row.saturating_sub(REACH)..(block.row + REACH + 1).min(rows) {
            for column in
                block.column.saturating_sub(REACH)..(block.column + REACH + 1).min(columns)
            {
                let cell = &mut sums[row * columns + column];
                *cell = (cell.0 + value, cell.1 + 1);
            }
        }
    }
    let shade = |(sum, n): (f32, u32)| (sum / n.max(1) as f32 / LOUDEST).clamp(0.0, 1.0);
    Plane::new(columns, rows, sums.into_iter().map(shade).collect())
}

/// Blocks to each side over which the map is smoothed.
const REACH: usize = 2;
/// A gap that is shown at full strength.
const LOUDEST: f32 = 0.4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cue::interface::testing::finished;
    use crate::signal::blocks::Cosines;

    /// Blocks of noise in three columns of parts; those that `was_compressed` names were
    /// rounded to the table of quality 60 before.
    fn blocks(was_compressed: impl Fn(Part) -> bool) -> Blocks {
        let mut state = 7_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) as f32 / (1 << 24) as f32 - 0.5) * 160.0
        };
        let cosines = Cosines::new();
        let (columns, rows) = (12, 12);
        let mut blocks = Vec::new();
        for i in 0..columns * rows {
            let part = [Part::Inner, Part::Edge, Part::Around][i % columns / 4];
            let pixels: [f32; N_PIXELS] = std::array::from_fn(|_| noise());
            let mut coefficients = cosines.transform(&pixels);
            if was_compressed(part) {
                for (v, step) in coefficients.iter_mut().zip(table(60)) {
                    *v = (*v / f32::from(step)).round() * f32::from(step);
                }
            }
            blocks.push(Block {
                column: i % columns,
                row: i / columns,
                part,
                coefficients,
            });
        }
        Blocks {
            columns,
            rows,
            blocks,
        }
    }

    #[test]
    fn a_face_with_a_ghost_of_its_own_is_found_where_it_is() {
        let mut compression = Compression::default();
        let mut look = |blocks: &Blocks, time_secs: f64| {
            let values = compression.take(blocks, time_secs).unwrap();
            (values, compression.last.take().unwrap())
        };
        let (pasted, map) = look(&blocks(|part| part == Part::Inner), 0.0);
        let (whole, _) = look(&blocks(|_| true), 1.0);
        // At quality 60 the face loses nothing and its surroundings half of what they can.
        assert!(0.2 < pasted[0], "{pasted:?}");
        assert!(whole[0] < 0.05, "{whole:?}");
        assert!(0.3 < map.get(1, 6), "inside the face");
        assert_eq!(map.get(11, 6), 0.0, "around it");
        assert!(finished(compression).is_ok());
    }

    #[test]
    fn flat_surroundings_are_not_judged() {
        let mut flat = blocks(|_| false);
        for block in &mut flat.blocks {
            if block.part == Part::Around {
                block.coefficients = [0.0; N_PIXELS];
            }
        }
        assert!(Compression::default().take(&flat, 0.0).is_none());
        assert!(finished(Compression::default()).is_err());
    }
}
