//! How much of each crop pixel is replaced: inside the mesh's hull and inside the drawn mask, faded
//! out towards both edges.

use effigy_face::mask::hull_mask;
use effigy_frame::{Plane, Point2};

/// Width of the fade as a share of the crop's side.
const FADE: f32 = 0.07;

/// Gives the mask of a crop: 1 replaced, 0 kept, and never more than nothing outside the hull.
///
/// `points` are the mesh in pixels of the crop. `opacity` scales the whole mask.
pub(crate) fn crop_mask(points: &[Point2], drawn: &Plane, opacity: f32) -> Plane {
    let side = drawn.width();
    let hull = hull_mask(points, side, side);
    let both = hull
        .values()
        .iter()
        .zip(drawn.values())
        .map(|(h, d)| h.min(*d))
        .collect();
    let both = Plane::new(side, drawn.height(), both);
    let reach = (FADE * side as f32).round().max(1.0) as usize;
    let blurred = blur(&blur(&both, reach), reach / 2);
    // On a straight edge the blurred mask is one half: everything below lies outside.
    let faded = blurred
        .values()
        .iter()
        .zip(both.values())
        .map(|(&value, &inside)| {
            let inner = (2.0 * value - 1.0).clamp(0.0, 1.0);
            let soft = inner * inner * (3.0 - 2.0 * inner);
            if inside > 0.0 { soft * opacity } else { 0.0 }
        });
    Plane::new(side, drawn.height(), faded.collect())
}

/// Averages over squares of `2·reach + 1` pixels; what lies outside counts as 0.
pub(crate) fn blur(plane: &Plane, reach: usize) -> Plane {
    let across = blur_rows(plane, reach);
    transposed(&blur_rows(&transposed(&across), reach))
}

fn blur_rows(plane: &Plane, reach: usize) -> Plane {
    let width = plane.width();
    let scale = 1.0 / (2 * reach + 1) as f32;
    let mut values = Vec::with_capacity(plane.values().len());
    for row in plane.values().chunks_exact(width) {
        let mut sum: f32 = row.iter().take(reach).sum();
        for x in 0..width {
            sum += row.get(x + reach).copied().unwrap_or(0.0);
            if reach < x {
                sum -= row[x - reach - 1];
            }
            values.push(sum * scale);
        }
    }
    Plane::new(width, plane.height(), values)
}

fn transposed(plane: &Plane) -> Plane {
    let (width, height) = (plane.width(), plane.height());
    let values = (0..width * height)
        .map(|i| plane.get(i / height, i % height))
        .collect();
    Plane::new(height, width, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(low: f32, high: f32) -> Vec<Point2> {
        [(low, low), (high, low), (high, high), (low, high)]
            .map(|(x, y)| Point2::new(x, y))
            .into()
    }

    #[test]
    fn mask_is_full_inside_and_fades_to_nothing_at_the_hull() {
        let mask = crop_mask(&square(10.0, 86.0), &Plane::filled(96, 96, 1.0), 1.0);
        assert!((mask.get(48, 48) - 1.0).abs() < 1e-4);
        assert!(mask.get(9, 48) <= 0.0 && mask.get(10, 48) < 0.1);
        assert!(mask.get(13, 48) < mask.get(16, 48));
    }

    #[test]
    fn drawn_mask_and_opacity_hold_it_back() {
        let mut drawn = Plane::filled(96, 96, 1.0);
        drawn.values_mut()[..96 * 48].fill(0.0);
        let mask = crop_mask(&square(10.0, 86.0), &drawn, 0.5);
        assert!(mask.get(48, 40) <= 0.0);
        assert!((mask.get(48, 66) - 0.5).abs() < 1e-4);
    }

    #[test]
    fn blurring_keeps_the_sum_away_from_the_edge() {
        let mut plane = Plane::filled(20, 30, 0.0);
        plane.values_mut()[15 * 20 + 10] = 1.0;
        let blurred = blur(&plane, 3);
        let sum: f32 = blurred.values().iter().sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
        assert!((blurred.get(13, 12) - 1.0 / 49.0).abs() < 1e-6);
        assert!(blurred.get(14, 15).abs() < 1e-6);
    }
}
