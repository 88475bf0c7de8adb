//! Pictures at other sizes and in other places.
//!
//! Shrinking averages over the area a new pixel covers, so that nothing aliases; enlarging is
//! bilinear. What lies outside the picture is taken to be `OUTSIDE` grey.

mod blocks;
mod resize;

use crate::geometry::{Point2, Rect, Similarity};
use crate::picture::Picture;
use blocks::{MOST_SHRINK, Region, shrunk};
pub use resize::resize;

/// What a crop shows where the picture ends.
pub const OUTSIDE: u8 = 114;

/// Cuts a square of `side` pixels out of `picture`, through `picture_from_crop`.
///
/// When the crop is smaller than what it shows, each of its pixels averages several samples.
pub fn crop(picture: &Picture, picture_from_crop: Similarity, side: u32) -> Picture {
    warp(picture, picture_from_crop, side, side)
}

/// Draws a `width` × `height` view of `picture`, through `picture_from_view`.
///
/// Where the view shrinks, whole blocks of pixels are averaged first, so that the cost grows with
/// what is seen and not with the square of the scale.
pub fn warp(picture: &Picture, picture_from_view: Similarity, width: u32, height: u32) -> Picture {
    let size = Size { width, height };
    let factor = (picture_from_view.scale().round() as u32).clamp(1, MOST_SHRINK);
    if factor > 1 {
        let seen = seen_block(picture, picture_from_view, size, factor);
        if let Some((region, picture_from_region)) = seen
            && let Some(region_from_picture) = picture_from_region.inverse()
        {
            let small = shrunk(picture, region, factor);
            return sampled(&small, region_from_picture.of(picture_from_view), size);
        }
    }
    sampled(picture, picture_from_view, size)
}

/// Size of a view, in pixels.
#[derive(Clone, Copy)]
struct Size {
    width: u32,
    height: u32,
}

/// Draws a view with one bilinear sample per pixel.
fn sampled(picture: &Picture, picture_from_view: Similarity, size: Size) -> Picture {
    let Size { width, height } = size;
    let mut pixels = vec![0; width as usize * height as usize * 3];
    let lines = pixels.chunks_exact_mut((width as usize * 3).max(1));
    for (y, line) in (0..height).zip(lines) {
        let row = Row::new(picture_from_view, y);
        let targets = (0..width).zip(line.chunks_exact_mut(3));
        let rounded = |rgb: [u32; 3]| rgb.map(|v| ((v + HALF) >> 16) as u8);
        // Most rows lie inside as a whole: their pixels need no look at the edge.
        if row.is_inside(picture, width) {
            targets.for_each(|(x, to)| {
                to.copy_from_slice(&rounded(bilinear_inside(picture, row.at(x))));
            });
        } else {
            targets.for_each(|(x, to)| to.copy_from_slice(&rounded(bilinear(picture, row.at(x)))));
        }
    }
    Picture::new(width, height, pixels)
}

/// Where the pixels of a view's row lie in the picture, in fixed point.
#[derive(Clone, Copy)]
struct Row {
    first: [i64; 2],
    step: [i64; 2],
}

/// A place between four pixels: the upper left one, and how far beyond it in 1/256.
#[derive(Clone, Copy)]
struct Between {
    x: i64,
    y: i64,
    beyond: [u32; 2],
}

impl Row {
    const FRACTION_BITS: u32 = 24;

    fn new(picture_from_view: Similarity, y: u32) -> Self {
        // Clamped so that no later sum overflows; places that far outside look all the same.
        let fixed = |v: f32| (v.clamp(-1e9, 1e9) * (1 << Self::FRACTION_BITS) as f32) as i64;
        let first = picture_from_view.apply(Point2::new(0.5, y as f32 + 0.5));
        Self {
            first: [fixed(first.x - 0.5), fixed(first.y - 0.5)],
            step: [fixed(picture_from_view.a), fixed(picture_from_view.b)],
        }
    }

    fn at(self, x: u32) -> Between {
        let place = |axis: usize| self.first[axis] + i64::from(x) * self.step[axis];
        let beyond = |place: i64| (place >> (Self::FRACTION_BITS - 8)) as u32 & 255;
        let (x, y) = (place(0), place(1));
        Between {
            x: x >> Self::FRACTION_BITS,
            y: y >> Self::FRACTION_BITS,
            beyond: [beyond(x), beyond(y)],
        }
    }

    /// Whether all of the row's first `n` pixels lie between four of the picture's.
    fn is_inside(self, picture: &Picture, n: u32) -> bool {
        [self.at(0), self.at(n.saturating_sub(1))]
            .iter()
            .all(|end| end.is_inside(picture))
    }
}

impl Between {
    fn is_inside(self, picture: &Picture) -> bool {
        let (width, height) = (i64::from(picture.width()), i64::from(picture.height()));
        self.x >= 0 && self.y >= 0 && self.x + 1 < width && self.y + 1 < height
    }

    /// How much each of the four pixels counts, in 1/65536.
    fn weights(self) -> [u32; 4] {
        let [wx, wy] = self.beyond;
        [
            (256 - wx) * (256 - wy),
            wx * (256 - wy),
            (256 - wx) * wy,
            wx * wy,
        ]
    }
}

/// The part of `picture` that a view shows, and where a place in it shrunk by `factor` lies in the
/// picture. `None` when the view shows nothing of the picture.
fn seen_block(
    picture: &Picture,
    picture_from_view: Similarity,
    size: Size,
    factor: u32,
) -> Option<(Region, Similarity)> {
    let (w, h) = (size.width as f32, size.height as f32);
    let corners = [(0.0, 0.0), (w, 0.0), (0.0, h), (w, h)];
    let seen = corners.map(|(x, y)| picture_from_view.apply(Point2::new(x, y)));
    let bounds = Rect::around(seen)?;
    let margin = 2.0 * factor as f32; // what a bilinear sample at the rim still touches
    let whole = |from: f32, length: f32, side: u32| {
        let first = ((from - margin).max(0.0) as u32).min(side);
        let beyond = ((from + length + margin).max(0.0) as u32).min(side);
        (beyond > first).then_some((first, beyond - first))
    };
    let (x, width) = whole(bounds.x, bounds.width, picture.width())?;
    let (y, height) = whole(bounds.y, bounds.height, picture.height())?;
    let region = Region {
        x,
        y,
        width,
        height,
    };
    let picture_from_region = Similarity {
        a: factor as f32,
        b: 0.0,
        tx: x as f32,
        ty: y as f32,
    };
    Some((region, picture_from_region))
}

/// One half of a bilinear sample, in its 16.16 fixed point.
const HALF: u32 = 1 << 15;

/// The colour between four pixels of the picture, in 16.16 fixed point.
#[inline]
fn bilinear_inside(picture: &Picture, at: Between) -> [u32; 3] {
    let row_bytes = picture.width() as usize * 3;
    let upper = at.y as usize * row_bytes + at.x as usize * 3;
    let lower = upper + row_bytes;
    let pixels = picture.pixels();
    let (upper, lower) = (&pixels[upper..upper + 6], &pixels[lower..lower + 6]);
    let weights = at.weights();
    std::array::from_fn(|c| {
        weights[0] * u32::from(upper[c])
            + weights[1] * u32::from(upper[c + 3])
            + weights[2] * u32::from(lower[c])
            + weights[3] * u32::from(lower[c + 3])
    })
}

/// The colour at a place that may lie outside, in 16.16 fixed point.
fn bilinear(picture: &Picture, at: Between) -> [u32; 3] {
    if at.is_inside(picture) {
        return bilinear_inside(picture, at);
    }
    let (width, height) = (i64::from(picture.width()), i64::from(picture.height()));
    let corner = |x: i64, y: i64| {
        if x >= 0 && y >= 0 && x < width && y < height {
            picture.get(x as u32, y as u32)
        } else {
            [OUTSIDE; 3]
        }
    };
    let (x, y) = (at.x, at.y);
    let corners = [
        corner(x, y),
        corner(x + 1, y),
        corner(x, y + 1),
        corner(x + 1, y + 1),
    ];
    let weights = at.weights();
    std::array::from_fn(|c| {
        weights
            .iter()
            .zip(&corners)
            .map(|(weight, rgb)| weight * u32::from(rgb[c]))
            .sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(side: u32) -> Picture {
        let pixels = (0..side * side)
            .flat_map(|i| [(i % side) as u8, (i / side) as u8, 90])
            .collect();
        Picture::new(side, side, pixels)
    }

    #[test]
    fn crop_through_identity_changes_nothing() {
        let picture = gradient(32);
        assert_eq!(crop(&picture, Similarity::IDENTITY, 32), picture);
    }

    #[test]
    fn resize_keeps_the_mean() {
        let mean = |p: &Picture| {
            p.pixels().iter().map(|&v| f64::from(v)).sum::<f64>() / p.pixels().len() as f64
        };
        let picture = gradient(60);
        for side in [7, 20, 31, 90] {
            let gap = mean(&resize(&picture, side, side)) - mean(&picture);
            assert!(gap.abs() < 0.6, "{side}: {gap}"); // rounding is half a level
        }
    }

    #[test]
    fn outside_is_grey() {
        let far = Similarity {
            tx: 1000.0,
            ..Similarity::IDENTITY
        };
        assert_eq!(
            crop(&gradient(8), far, 2),
            Picture::filled(2, 2, [OUTSIDE; 3])
        );
    }

    #[test]
    fn shrinking_keeps_things_in_their_place() {
        let picture = gradient(250);
        for scale in [2.0_f32, 3.4, 7.0] {
            let view = Similarity::about(Point2::default(), Point2::new(9.0, 14.0), scale, 0.0);
            let small = crop(&picture, view, 30);
            for (x, y) in [(0, 0), (29, 3), (7, 28)] {
                let there = view.apply(Point2::new(x as f32 + 0.5, y as f32 + 0.5));
                let [red, green, _] = small.get(x, y);
                // The gradient's colour is its place; rounding twice costs up to a level.
                assert!(
                    (f32::from(red) + 0.5 - there.x).abs() < 1.6,
                    "{scale}: {red} {there:?}"
                );
                assert!(
                    (f32::from(green) + 0.5 - there.y).abs() < 1.6,
                    "{scale}: {green}"
                );
            }
        }
    }

    #[test]
    fn a_view_past_the_edge_is_grey_there_at_any_scale() {
        let picture = Picture::filled(100, 100, [10, 20, 30]);
        for scale in [1.0_f32, 2.0, 5.0] {
            let view = Similarity::about(Point2::default(), Point2::new(-60.0, 20.0), scale, 0.0);
            let crop = crop(&picture, view, 20);
            let inside = 60.0 / scale + 2.0;
            assert_eq!(crop.get(0, 0), [OUTSIDE; 3], "{scale}");
            if inside < 20.0 {
                assert_eq!(crop.get(inside as u32 + 1, 2), [10, 20, 30], "{scale}");
            }
        }
    }

    #[test]
    fn a_view_of_nowhere_does_no_harm() {
        for bad in [f32::NAN, f32::INFINITY, -1e30] {
            let view = Similarity {
                tx: bad,
                ..Similarity::IDENTITY
            };
            // No place is better than another for what has none; it must only not fail.
            assert_eq!(crop(&gradient(8), view, 2).width(), 2);
        }
    }

    #[test]
    fn shrinking_a_checker_gives_grey() {
        let pixels = (0..64 * 64)
            .flat_map(|i| [if (i % 64 + i / 64) % 2 == 0 { 0 } else { 255 }; 3])
            .collect();
        let checker = Picture::new(64, 64, pixels);
        let half = Similarity {
            a: 4.0,
            ..Similarity::IDENTITY
        };
        for value in crop(&checker, half, 16).pixels() {
            assert!(value.abs_diff(127) <= 2, "{value}");
        }
    }
}
