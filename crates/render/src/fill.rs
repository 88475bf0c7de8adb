//! Pull–push fill: a drawn face extended beyond its own mask, where the network never learned what
//! to draw.
//!
//! After Gortler et al., "The Lumigraph", SIGGRAPH 1996. Pull: what is known is averaged into ever
//! smaller pictures. Push: what is not known is taken from them.

use effigy_frame::{Picture, Plane};

use crate::grid::Grid;
use crate::mask::blur;

/// Smallest picture that is averaged into.
const SMALLEST_SIDE: usize = 4;
/// Near the mask's edge the drawing is half background already; this many pixels are not trusted.
const RIM_PX: usize = 3;

/// Gives `picture` with the colours outside `known` taken from those inside.
pub(crate) fn extended(picture: &Picture, known: &Plane) -> Picture {
    let blurred = blur(known, RIM_PX);
    let pixels = picture.pixels().chunks_exact(3).zip(blurred.values());
    let values = pixels.map(|(rgb, &blurred)| {
        // A blurred mask is one half on its edge: doubling and cutting keeps only what is inside.
        let weight = (2.0 * blurred - 1.0).clamp(0.0, 1.0);
        let [red, green, blue] = [rgb[0], rgb[1], rgb[2]].map(|v| f32::from(v) * weight);
        [red, green, blue, weight]
    });
    let grid = Grid {
        width: known.width(),
        height: known.height(),
        values: values.collect(),
    };
    let filled = pull_push(grid);
    let bytes = filled
        .values
        .iter()
        .flat_map(|[red, green, blue, _]| [red, green, blue].map(|v| (v + 0.5) as u8));
    Picture::new(picture.width(), picture.height(), bytes.collect())
}

/// Fills a grid of three values times their weight, and that weight, so that there are values
/// everywhere.
pub(crate) fn pull_push(mut grid: Grid<4>) -> Grid<4> {
    let is_smallest = grid.width.min(grid.height) < 2 * SMALLEST_SIDE;
    let coarser = if is_smallest {
        None
    } else {
        let mut half = grid.halved();
        for value in &mut half.values {
            // One known pixel in four is enough to know the larger one in full.
            let scale = (4.0 * value[3]).min(1.0) / value[3].max(1e-6);
            value.iter_mut().for_each(|v| *v *= scale);
        }
        Some(pull_push(half).upsampled(grid.width, grid.height))
    };
    for (i, value) in grid.values.iter_mut().enumerate() {
        // At the bottom there is nothing coarser: what little is known counts as everything.
        let behind = match &coarser {
            Some(coarser) => coarser.values[i],
            None => value.map(|v| v / value[3].max(1e-6)),
        };
        let missing = if coarser.is_some() {
            1.0 - value[3]
        } else {
            1.0
        };
        let kept = if coarser.is_some() { 1.0 } else { 0.0 };
        // Values are weighted already, so that only the missing share is taken from behind.
        for (v, behind) in value.iter_mut().zip(behind) {
            *v = kept * *v + missing * behind;
        }
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_stays_and_the_rest_takes_its_colour() {
        let mut picture = Picture::filled(32, 32, [0, 255, 0]);
        let mut known = Plane::filled(32, 32, 0.0);
        for y in 8..24 {
            for x in 8..24 {
                picture.set(x, y, [200, 150, 100 + x as u8]);
                known.values_mut()[(y * 32 + x) as usize] = 1.0;
            }
        }
        let filled = extended(&picture, &known);
        assert_eq!(filled.get(12, 20), picture.get(12, 20));
        for (x, y) in [(0, 0), (31, 16), (16, 30)] {
            let [red, green, blue] = filled.get(x, y);
            assert!(red.abs_diff(200) < 3 && green.abs_diff(150) < 3, "{x} {y}");
            assert!((105..126).contains(&blue), "{blue}");
        }
    }

    #[test]
    fn nothing_known_gives_nothing_wild() {
        let picture = Picture::filled(16, 16, [9, 9, 9]);
        let filled = extended(&picture, &Plane::filled(16, 16, 0.0));
        assert!(filled.pixels().iter().all(|&v| v == 0));
    }
}
