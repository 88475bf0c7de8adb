//! What is read of skin and eyes: means over patches between points of the mesh.

use effigy_frame::colour::luma;
use effigy_frame::{Picture, Point2, Point3};

use crate::landmarks::{CHEEK_PATCHES, LEFT_EYE, RIGHT_EYE};

/// Corners of the eyes from the person's right to their left: outer and inner corner of the right
/// eye, inner and outer corner of the left.
const EYE_CORNERS: [[usize; 2]; 2] = [
    [RIGHT_EYE.outer, RIGHT_EYE.inner],
    [LEFT_EYE.inner, LEFT_EYE.outer],
];

/// Pixels of a patch that are looked at, about: of larger ones every other, third … is.
const PATCH_PIXELS: f32 = 2000.0;
/// Fewer pixels than this give no mean.
const LEAST_PIXELS: u32 = 4;

/// Gives the mean red, green and blue inside the convex polygon `corners`, in levels.
///
/// `None` when it reaches out of the picture or holds next to no pixels.
pub fn mean_colour(picture: &Picture, corners: &[Point2; 4]) -> Option<[f32; 3]> {
    let fold = |pick: fn(&Point2) -> f32, best: fn(f32, f32) -> f32| {
        let values = corners.iter().map(pick);
        values.reduce(best).unwrap_or(f32::NAN)
    };
    let (left, right) = (fold(|p| p.x, f32::min), fold(|p| p.x, f32::max));
    let (top, bottom) = (fold(|p| p.y, f32::min), fold(|p| p.y, f32::max));
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let inside = 0.0 <= left && 0.0 <= top && right < width && bottom < height;
    if !inside {
        return None;
    }
    // Of a large patch a grid of pixels is enough for a mean, and costs the same for all sizes.
    let step = ((right - left) * (bottom - top) / PATCH_PIXELS).sqrt();
    let step = (step as usize).max(1);
    let (mut sum, mut n) = ([0.0_f32; 3], 0_u32);
    for y in (top as u32..=bottom as u32).step_by(step) {
        for x in (left as u32..=right as u32).step_by(step) {
            if holds(corners, Point2::new(x as f32 + 0.5, y as f32 + 0.5)) {
                let rgb = picture.get(x, y);
                sum.iter_mut()
                    .zip(rgb)
                    .for_each(|(sum, v)| *sum += f32::from(v));
                n += 1;
            }
        }
    }
    (LEAST_PIXELS <= n).then(|| sum.map(|sum| sum / n as f32))
}

/// Whether a convex polygon holds a place, whichever way round its corners go.
fn holds(corners: &[Point2; 4], place: Point2) -> bool {
    // A place is inside when it lies on the same side of all edges.
    let side_of_edge = |i: usize| {
        let (a, b) = (corners[i], corners[(i + 1) % corners.len()]);
        (b.x - a.x) * (place.y - a.y) - (b.y - a.y) * (place.x - a.x)
    };
    let sides: [f32; 4] = std::array::from_fn(side_of_edge);
    sides.iter().all(|s| 0.0 <= *s) || sides.iter().all(|s| *s <= 0.0)
}

/// Gives the mean brightness of a square around `place`, in levels. `None` outside the picture.
pub fn brightness(picture: &Picture, place: Point2, reach_px: u32) -> Option<f32> {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    if !(0.0..width).contains(&place.x) || !(0.0..height).contains(&place.y) {
        return None;
    }
    let (x, y) = (place.x as u32, place.y as u32);
    let step = (reach_px as usize / 3).max(1);
    let (mut sum, mut n) = (0.0, 0_u32);
    for y in (y.saturating_sub(reach_px)..=(y + reach_px).min(picture.height() - 1)).step_by(step) {
        for x in
            (x.saturating_sub(reach_px)..=(x + reach_px).min(picture.width() - 1)).step_by(step)
        {
            sum += luma(picture.get(x, y));
            n += 1;
        }
    }
    Some(sum / n.max(1) as f32)
}

/// Columns and rows of an eye that are looked at.
const EYE_GRID: (usize, usize) = (14, 6);
/// How wide and high the grid is, in distances between the corners of the eye.
const EYE_SIZE: (f32, f32) = (0.7, 0.3);
/// An eye is as dark as this share of its places is at most.
const DARKEST: usize = 12;
/// Cheeks darker than this, in levels, give no scale.
const LEAST_LEVEL: f32 = 8.0;

/// Says how much darker the eyes are than the cheeks, `0..=1`: an open eye shows iris and lashes,
/// a lid is skin.
///
/// `None` where cheeks or eyes reach out of the picture or all is dark.
pub(crate) fn eye_darkness(picture: &Picture, points: &[Point3]) -> Option<f32> {
    let mut skin = 0.0;
    for cheek in CHEEK_PATCHES {
        let [r, g, b] = mean_colour(picture, &cheek.map(|i| points[i].xy()))?;
        skin += 0.5 * (0.299 * r + 0.587 * g + 0.114 * b);
    }
    if skin < LEAST_LEVEL {
        return None;
    }
    let mut darkness = 0.0;
    for [a, b] in EYE_CORNERS {
        let mut levels = eye_levels(picture, points[a].xy(), points[b].xy())?;
        // The iris with its lashes takes about a seventh of the grid: the level below which they
        // lie is what an open eye shows, and reflections do not move it.
        levels.sort_by(f32::total_cmp);
        darkness += 0.5 * (skin - levels[DARKEST]) / skin;
    }
    Some(darkness)
}

/// Brightness at the places of a grid that lies along the line from `a` to `b`.
fn eye_levels(picture: &Picture, a: Point2, b: Point2) -> Option<Vec<f32>> {
    let (columns, rows) = EYE_GRID;
    let middle = a.midpoint(b);
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let mut levels = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        for column in 0..columns {
            let u = EYE_SIZE.0 * ((column as f32 + 0.5) / columns as f32 - 0.5);
            let v = EYE_SIZE.1 * ((row as f32 + 0.5) / rows as f32 - 0.5);
            let place = Point2::new(middle.x + u * dx - v * dy, middle.y + u * dy + v * dx);
            levels.push(between_pixels(picture, place)?);
        }
    }
    Some(levels)
}

/// Brightness between four pixels.
fn between_pixels(picture: &Picture, place: Point2) -> Option<f32> {
    let (x, y) = (place.x - 0.5, place.y - 0.5);
    let (right, bottom) = (picture.width() as f32 - 1.0, picture.height() as f32 - 1.0);
    if !(0.0..right).contains(&x) || !(0.0..bottom).contains(&y) {
        return None;
    }
    let (left, top) = (x as u32, y as u32);
    let (fx, fy) = (x - left as f32, y - top as f32);
    // Bilinear: eyes are a few pixels wide in small faces, and whole pixels would jump.
    let level = |dx: u32, dy: u32| luma(picture.get(left + dx, top + dy));
    let upper = level(0, 0) + fx * (level(1, 0) - level(0, 0));
    let lower = level(0, 1) + fx * (level(1, 1) - level(0, 1));
    Some(upper + fy * (lower - upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halves() -> Picture {
        let mut picture = Picture::filled(40, 40, [200, 100, 50]);
        for y in 0..40 {
            for x in 20..40 {
                picture.set(x, y, [10, 20, 30]);
            }
        }
        picture
    }

    #[test]
    fn the_mean_is_of_what_lies_inside() {
        let square = |x: f32| {
            [(x, 5.0), (x + 10.0, 5.0), (x + 10.0, 15.0), (x, 15.0)].map(|(x, y)| Point2::new(x, y))
        };
        let mean = |x: f32| mean_colour(&halves(), &square(x));
        assert_eq!(mean(5.0), Some([200.0, 100.0, 50.0]));
        assert_eq!(mean(25.0), Some([10.0, 20.0, 30.0]));
        assert_eq!(mean(15.0), Some([105.0, 60.0, 40.0]));
        assert_eq!(mean(35.0), None, "it reaches out of the picture");
        assert!(brightness(&halves(), Point2::new(10.0, 10.0), 3).is_some_and(|v| 100.0 < v));
        assert!(brightness(&halves(), Point2::new(30.0, 10.0), 3).is_some_and(|v| v < 20.0));
    }
}
