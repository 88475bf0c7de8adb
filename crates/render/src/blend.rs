//! Blending by bands: coarse differences fade over a wide rim, fine ones over a narrow one.
//!
//! Burt and Adelson, "A multiresolution spline with application to image mosaics", ACM TOG 1983.
//! The pyramid is linear, so it is enough to take the difference between the two pictures apart:
//! each band of it is weighed by the mask at that band's size, and the sum is what to add.

use crate::grid::Grid;

/// No band is coarser than this many halvings.
const MOST_BANDS: usize = 4;
/// The coarsest band still has this many places along the shorter side: its fade is wider than
/// theirs, and must leave the middle of the face alone.
const FEWEST_PLACES: usize = 20;

/// Weighs each band of `difference` by `mask`; both are of one size.
///
/// Where the mask is 0 nothing but a trace is left of any band, so that cutting it off leaves no
/// edge.
pub(crate) fn blended(difference: Grid<3>, mask: &Grid<1>) -> Grid<3> {
    let mut masks = vec![mask.clone()];
    let mut bands = vec![difference];
    while masks.len() <= MOST_BANDS {
        let last = masks.len() - 1;
        if masks[last].width.min(masks[last].height) < 2 * FEWEST_PLACES {
            break;
        }
        // What the next coarser grid cannot hold stays behind as this band.
        masks.push(masks[last].halved());
        let coarse = bands[last].halved();
        let (width, height) = (bands[last].width, bands[last].height);
        let finer = &mut bands[last];
        finer.join(&coarse.upsampled(width, height), |value, smooth| {
            *value -= smooth
        });
        bands.push(coarse);
    }
    let mut sum: Option<Grid<3>> = None;
    for (level, (mut band, mask)) in bands.into_iter().zip(&masks).enumerate().rev() {
        for (value, &[weight]) in band.values.iter_mut().zip(&mask.values) {
            // The finest mask ends where it should; smoothed ones would reach beyond it.
            let weight = if level == 0 { weight } else { inner(weight) };
            value.iter_mut().for_each(|v| *v *= weight);
        }
        if let Some(coarser) = sum {
            let coarser = coarser.upsampled(band.width, band.height);
            band.join(&coarser, |value, more| *value += more);
        }
        sum = Some(band);
    }
    match sum {
        Some(sum) => sum,
        None => unreachable!("there is always one band"),
    }
}

/// A smoothed mask reaches beyond the mask it came from; half of it stays inside.
fn inner(weight: f32) -> f32 {
    let rest = (2.0 * weight - 1.0).clamp(0.0, 1.0);
    rest * (2.0 - rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(width: usize, height: usize) -> Grid<3> {
        let value = |i: usize| [0, 1, 2].map(|c| ((i * 37 + c * 101) % 97) as f32 - 48.0);
        Grid {
            width,
            height,
            values: (0..width * height).map(value).collect(),
        }
    }

    fn even(width: usize, height: usize, value: f32) -> Grid<1> {
        Grid {
            width,
            height,
            values: vec![[value]; width * height],
        }
    }

    #[test]
    fn full_mask_keeps_the_difference_and_empty_mask_drops_it() {
        for (width, height) in [(64, 48), (51, 97), (7, 5)] {
            let whole = blended(noise(width, height), &even(width, height, 1.0));
            for (got, wanted) in whole.values.iter().zip(noise(width, height).values) {
                assert!((got[1] - wanted[1]).abs() < 1e-3, "{width}x{height}");
            }
            let none = blended(noise(width, height), &even(width, height, 0.0));
            assert!(none.values.iter().flatten().all(|v| v.abs() < 1e-6));
        }
    }

    #[test]
    fn even_difference_fades_wider_than_its_mask() {
        let (width, height) = (96, 96);
        let step = (0..width * height)
            .map(|i| [f32::from(u8::from(i % width < 48))])
            .collect();
        let mask = Grid {
            width,
            height,
            values: step,
        };
        let flat = Grid {
            width,
            height,
            values: vec![[80.0; 3]; width * height],
        };
        let result = blended(flat, &mask);
        let at = |x: usize| result.values[48 * width + x][0];
        assert!(75.0 < at(10) && at(50).abs() < 2.0, "{} {}", at(10), at(50));
        for x in 1..width {
            assert!((at(x) - at(x - 1)).abs() < 32.0, "{x}"); // a hard mask would give 80
        }
    }
}
