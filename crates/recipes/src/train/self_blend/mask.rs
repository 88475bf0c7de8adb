//! Masks of the kinds that face swaps use: hulls of the mesh, warped and feathered.

use effigy_face::mask::hull_mask;
use effigy_frame::{Plane, Point2};
use effigy_model::mean_mesh;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::train::augment::normal;

/// Draws a mask over a face with its mesh at `points`, in a picture of `side` pixels a side.
///
/// `None` when nothing is left of it.
pub(super) fn mask(points: &[Point2], side: u32, random: &mut ChaCha8Rng) -> Option<Plane> {
    let n = side as usize;
    let corners = outline(points, random);
    let warped = warp(&hull_mask(&corners, n, n), random);
    let feathered = feather(&warped, random);
    feathered
        .values()
        .iter()
        .any(|&v| v > 0.5)
        .then_some(feathered)
}

/// A point above the tip of the nose: about the middle of the face.
const FACE_MIDDLE: usize = 4;

/// The points whose hull is covered.
fn outline(points: &[Point2], random: &mut ChaCha8Rng) -> Vec<Point2> {
    let mean = mean_mesh();
    // In the mean mesh the eyes are at 0 and the outer corners one apart.
    let (least_y, most_y, most_x) = match random.random_range(0..12) {
        0..=5 => (-9.0, 9.0, 9.0),                            // the whole face
        6 | 7 => (random.random_range(-0.35..0.0), 9.0, 9.0), // from the brows down
        8 | 9 => (-0.35, 1.0, random.random_range(0.5..0.7)), // the inner face
        10 => (random.random_range(0.3..0.6), 9.0, 9.0),      // mouth and chin
        _ => (-0.3, random.random_range(0.7..1.2), 9.0),      // without the chin
    };
    let inside = |i: &usize| {
        let p = mean[*i];
        p.y > least_y && p.y < most_y && p.x.abs() < most_x
    };
    let swell = 1.0 + 0.05 * normal(random).clamp(-2.0, 2.0);
    let centre = points[FACE_MIDDLE];
    let swollen = |p: Point2| {
        Point2::new(
            centre.x + (p.x - centre.x) * swell,
            centre.y + (p.y - centre.y) * swell,
        )
    };
    (0..points.len().min(mean.len()))
        .filter(inside)
        .map(|i| swollen(points[i]))
        .collect()
}

/// Warps a mask by a smooth random field.
fn warp(mask: &Plane, random: &mut ChaCha8Rng) -> Plane {
    const KNOTS: usize = 6;
    let n = mask.width();
    let reach = n as f32 * random.random_range(0.0..0.03);
    let mut knots = || -> Vec<f32> { (0..KNOTS * KNOTS).map(|_| reach * normal(random)).collect() };
    let (dx, dy) = (knots(), knots());
    let at = |knots: &[f32], x: usize, y: usize| {
        let place = |v: usize| v as f32 / n as f32 * (KNOTS - 1) as f32;
        let (u, v) = (place(x), place(y));
        let (i, j) = ((u as usize).min(KNOTS - 2), (v as usize).min(KNOTS - 2));
        let (fu, fv) = (u - i as f32, v - j as f32);
        let row = |j: usize| knots[j * KNOTS + i] * (1.0 - fu) + knots[j * KNOTS + i + 1] * fu;
        row(j) * (1.0 - fv) + row(j + 1) * fv
    };
    let cells = (0..n * n).map(|i| {
        let (x, y) = (i % n, i / n);
        let from = |v: usize, d: f32| (v as f32 + d).round().clamp(0.0, (n - 1) as f32) as usize;
        mask.get(from(x, at(&dx, x, y)), from(y, at(&dy, x, y)))
    });
    Plane::new(n, n, cells.collect())
}

/// Softens the edge: blurred, cut back to what is fully inside, blurred again.
fn feather(mask: &Plane, random: &mut ChaCha8Rng) -> Plane {
    let n = mask.width() as f32;
    let mut radius = || ((n * random.random_range(0.004..0.045_f32)) as usize).max(1);
    let (first, second) = (radius(), radius());
    let mut cut = blurred(mask, first);
    let back = if random.random_bool(0.6) { 0.98 } else { 0.5 };
    for value in cut.values_mut() {
        *value = if *value > back { 1.0 } else { 0.0 };
    }
    blurred(&blurred(&cut, second), (second / 2).max(1))
}

/// Two passes of a box of `2 radius + 1` along rows and columns.
fn blurred(plane: &Plane, radius: usize) -> Plane {
    turned(&boxed(&turned(&boxed(plane, radius)), radius))
}

fn boxed(plane: &Plane, radius: usize) -> Plane {
    let n = plane.width();
    let mut values = Vec::with_capacity(plane.values().len());
    for row in plane.values().chunks_exact(n) {
        let at = |i: isize| row[i.clamp(0, n as isize - 1) as usize];
        let r = radius as isize;
        let mut sum: f32 = (-r..=r).map(at).sum();
        for x in 0..n as isize {
            values.push((sum / (2 * r + 1) as f32).clamp(0.0, 1.0));
            sum += at(x + r + 1) - at(x - r);
        }
    }
    Plane::new(n, plane.height(), values)
}

fn turned(plane: &Plane) -> Plane {
    let n = plane.width();
    let values = (0..n * n).map(|i| plane.values()[i % n * n + i / n]);
    Plane::new(n, n, values.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_keeps_the_sum_of_a_spot() {
        let mut spot = Plane::filled(21, 21, 0.0);
        spot.values_mut()[10 * 21 + 10] = 1.0;
        let sum: f32 = blurred(&spot, 3).values().iter().sum();
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
    }
}
