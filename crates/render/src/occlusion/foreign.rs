//! What differs from the drawing of the performer and comes in over the face's rim.

use effigy_model::face_model::Drawn;

use super::{INSIDE, Scene, share_in};
use crate::cells::{
    CELLS, cells_of, cells_of_plane, closed, drop_small, middle, neighbours, spread,
};

/// Weights of luma and of the colour differences.
const WEIGHTS: [f32; 3] = [0.6, 1.6, 1.6];
/// A difference that begins an occluder: at least the first, in levels, plus the mean difference of
/// its cell times the second, plus the median over the face times the third. Where all of a face is
/// drawn badly, a difference means little.
const BEGINS: [f32; 3] = [22.0, 1.2, 1.5];
/// Share of that at which a neighbouring cell still belongs to the occluder.
const CONTINUES: f32 = 0.6;
/// Mean difference before anything was seen, in levels.
const FIRST_MEAN: f32 = 8.0;
/// Time constant of the mean difference, in seconds.
const MEAN_SECS: f32 = 2.0;

/// What is known of the drawings of one followed face.
#[derive(Clone, Debug)]
pub(super) struct Foreign {
    /// The mean difference of each cell between the frame and the performer as drawn.
    mean: Vec<f32>,
}

impl Default for Foreign {
    fn default() -> Self {
        Self {
            mean: vec![FIRST_MEAN; CELLS * CELLS],
        }
    }
}

impl Foreign {
    /// Cells that differ from the drawing of the performer and are connected to the rim.
    pub(super) fn find(
        &mut self,
        colours: &[[f32; 3]],
        performer: &Drawn,
        scene: &Scene<'_>,
        secs: f32,
    ) -> Vec<bool> {
        let drawn = cells_of(&performer.picture);
        let inside: Vec<bool> = scene
            .mesh
            .iter()
            .zip(cells_of_plane(&performer.mask))
            .map(|(outline, drawn)| INSIDE < outline.min(drawn))
            .collect();
        let difference = differences(colours, &drawn, &inside);
        let mut all: Vec<f32> = (0..difference.len())
            .filter(|&i| inside[i])
            .map(|i| difference[i])
            .collect();
        let median = middle(&mut all);
        let begins = |i: usize| BEGINS[0] + BEGINS[1] * self.mean[i] + BEGINS[2] * median;
        let is_foreign = |i: usize, share: f32| inside[i] && share * begins(i) < difference[i];
        let is_rim = |i: usize| neighbours(i).any(|i| neighbours(i).any(|i| !inside[i]));
        let first: Vec<usize> = (0..difference.len())
            .filter(|&i| is_foreign(i, 1.0) && is_rim(i))
            .collect();
        // Two thresholds: what begins clearly at the rim is followed to where it still shows.
        let mut foreign = spread(first, |i| is_foreign(i, CONTINUES));
        drop_small(&mut foreign);
        let foreign = closed(&foreign, &inside);
        // The mean learns from the bare face alone, or an occluder that stays would become normal.
        let share = share_in(secs, MEAN_SECS);
        for (i, mean) in self.mean.iter_mut().enumerate() {
            if inside[i] && !foreign[i] {
                *mean += (difference[i] - *mean) * share;
            }
        }
        foreign
    }
}

/// How much each cell differs from the most similar one around it in the drawing, once both have the
/// same light.
fn differences(seen: &[[f32; 3]], drawn: &[[f32; 3]], inside: &[bool]) -> Vec<f32> {
    // The median over the face: an occluder that covers less than half does not count as light.
    let light: [f32; 3] = std::array::from_fn(|c| {
        let both = seen.iter().zip(drawn).zip(inside);
        let mut differences: Vec<f32> = both
            .filter(|(_, inside)| **inside)
            .map(|((seen, drawn), _)| seen[c] - drawn[c])
            .collect();
        middle(&mut differences)
    });
    let squared_distance = |i: usize, j: usize| {
        let square = |c: usize| {
            let difference = seen[i][c] - drawn[j][c] - light[c];
            WEIGHTS[c] * difference * difference
        };
        square(0) + square(1) + square(2)
    };
    // A drawing may lie a cell aside; its edges must not look like occluders.
    let least = |i: usize| {
        if !inside[i] {
            return 0.0;
        }
        let around = std::iter::once(i).chain(neighbours(i));
        let least = around
            .map(|j| squared_distance(i, j))
            .fold(f32::INFINITY, f32::min);
        least.sqrt()
    };
    (0..seen.len()).map(least).collect()
}
