//! Pictures at other sizes and in other places.
//!
//! Shrinking averages over the area a new pixel covers, so that nothing aliases; enlarging is
//! bilinear. What lies outside the picture is taken to be `OUTSIDE` grey.

use crate::geometry::{Point2, Rect, Similarity};
use crate::picture::Picture;

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
    let factor = (picture_from_view.scale().round() as u32).clamp(1, MOST_SHRINK);
    if factor > 1 {
        let seen = seen_block(picture, picture_from_view, (width, height), factor);
        if let Some((region, picture_from_region)) = seen
            && let Some(region_from_picture) = picture_from_region.inverse()
        {
            let small = shrunk(picture, region, factor);
            return sampled(
                &small,
                region_from_picture.of(picture_from_view),
                (width, height),
            );
        }
    }
    sampled(picture, picture_from_view, (width, height))
}

/// Draws a view with one bilinear sample per pixel.
fn sampled(
    picture: &Picture,
    picture_from_view: Similarity,
    (width, height): (u32, u32),
) -> Picture {
    let mut pixels = vec![0; width as usize * height as usize * 3];
    let lines = pixels.chunks_exact_mut((width as usize * 3).max(1));
    for (y, line) in (0..height).zip(lines) {
        let row = Row::new(picture_from_view, y);
        let targets = (0..width).zip(line.chunks_exact_mut(3));
        let rounded = |rgb: [u32; 3]| rgb.map(|v| ((v + HALF) >> 16) as u8);
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

/// A box of whole pixels.
#[derive(Clone, Copy, Debug)]
struct Region {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

/// The part of `picture` that a view shows, and where a place in it shrunk by `factor` lies in the
/// picture. `None` when the view shows nothing of the picture.
fn seen_block(
    picture: &Picture,
    picture_from_view: Similarity,
    (width, height): (u32, u32),
    factor: u32,
) -> Option<(Region, Similarity)> {
    let (w, h) = (width as f32, height as f32);
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

/// Averages blocks of `factor` × `factor` pixels of a region; blocks at its right and lower edge
/// may be partial.
fn shrunk(picture: &Picture, region: Region, factor: u32) -> Picture {
    let (width, height) = (
        region.width.div_ceil(factor),
        region.height.div_ceil(factor),
    );
    let row_bytes = picture.width() as usize * 3;
    let span_bytes = region.width as usize * 3;
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    let mut sums = vec![0_u16; span_bytes]; // MOST_SHRINK rows of 255 fit
    for block in 0..height {
        let rows = block * factor..((block + 1) * factor).min(region.height);
        let n_rows = rows.len() as u32;
        sums.fill(0);
        for row in rows {
            let from = (region.y + row) as usize * row_bytes + region.x as usize * 3;
            let line = &picture.pixels()[from..from + span_bytes];
            for (sum, &value) in sums.iter_mut().zip(line) {
                *sum += u16::from(value);
            }
        }
        let whole = sums.chunks_exact(factor as usize * 3);
        let rest = whole.remainder();
        let area = Divisor::new(n_rows * factor);
        pixels.extend(whole.flat_map(|columns| area.mean(columns)));
        if !rest.is_empty() {
            pixels.extend(Divisor::new(n_rows * (rest.len() / 3) as u32).mean(rest));
        }
    }
    Picture::new(width, height, pixels)
}

/// Divides by a number of pixels, by multiplying: a division would cost more than the sum.
#[derive(Clone, Copy)]
struct Divisor {
    half: u64,
    inverse: u64,
}

impl Divisor {
    /// Exact for sums below 2²² over at most 2¹⁴ pixels, the most that a block has.
    const BITS: u32 = 40;

    fn new(n_pixels: u32) -> Self {
        let n = u64::from(n_pixels);
        Self {
            half: n / 2,
            inverse: (1_u64 << Self::BITS).div_ceil(n),
        }
    }

    /// The mean colour of columns that each hold a sum over rows.
    fn mean(self, columns: &[u16]) -> [u8; 3] {
        let mut rgb = [0_u32; 3];
        for column in columns.chunks_exact(3) {
            for (sum, &value) in rgb.iter_mut().zip(column) {
                *sum += u32::from(value);
            }
        }
        rgb.map(|sum| (((u64::from(sum) + self.half) * self.inverse) >> Self::BITS) as u8)
    }
}

/// Gives `picture` at another size. Shrinking averages the covered area.
pub fn resize(picture: &Picture, width: u32, height: u32) -> Picture {
    let (old_width, old_height) = (picture.width(), picture.height());
    if (width, height) == (old_width, old_height) {
        return picture.clone();
    }
    // Far smaller: whole blocks first, which is cheap, then what is left with care.
    let factor = (old_width / width.max(1))
        .min(old_height / height.max(1))
        .clamp(1, MOST_SHRINK);
    let blocks = (factor > 1).then(|| {
        let region = Region {
            x: 0,
            y: 0,
            width: old_width,
            height: old_height,
        };
        shrunk(picture, region, factor)
    });
    if let Some(exact) = blocks
        .as_ref()
        .filter(|_| (width * factor, height * factor) == (old_width, old_height))
    {
        return exact.clone();
    }
    let source = blocks.as_ref().unwrap_or(picture);
    let extent = |old: u32| f64::from(old) / f64::from(factor);
    let columns = spans(extent(old_width), source.width(), width);
    let rows = spans(extent(old_height), source.height(), height);
    let row_len = source.width() as usize * 3;
    let mut line = vec![0.0_f32; row_len];
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    for span in &rows {
        line.fill(0.0);
        for (offset, &weight) in span.weights.iter().enumerate() {
            let from = (span.first + offset) * row_len;
            for (sum, &value) in line.iter_mut().zip(&source.pixels()[from..from + row_len]) {
                *sum += weight * f32::from(value);
            }
        }
        squeeze(&line, &columns, &mut pixels);
    }
    Picture::new(width, height, pixels)
}

/// Appends one row, made of the columns of a finer one.
fn squeeze(line: &[f32], columns: &[Span], pixels: &mut Vec<u8>) {
    for span in columns {
        let mut sum = [0.5_f32; 3]; // rounds when the fraction is cut off
        let taps = line[span.first * 3..].chunks_exact(3);
        for (rgb, &weight) in taps.zip(&span.weights) {
            for (s, &v) in sum.iter_mut().zip(rgb) {
                *s += weight * v;
            }
        }
        pixels.extend(sum.map(|v| v as u8));
    }
}

/// Sides of the largest blocks that are averaged; shrinking further than this aliases.
const MOST_SHRINK: u32 = 128;
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

/// Which old pixels one new pixel is made of.
struct Span {
    first: usize,
    weights: Vec<f32>,
}

/// Spreads `to` new pixels over `extent` old ones, of which `n` exist (the last may be partly
/// beyond).
fn spans(extent: f64, n: u32, to: u32) -> Vec<Span> {
    let ratio = extent / f64::from(to);
    let reach = ratio.max(1.0); // half-width of the triangle filter, in old pixels
    let make = |i: u32| {
        let centre = (f64::from(i) + 0.5) * ratio - 0.5;
        let first = (centre - reach).ceil().max(0.0) as usize;
        let last = ((centre + reach).floor() as usize).min(n as usize - 1);
        let weight = |at: usize| (1.0 - ((at as f64 - centre) / reach).abs()).max(0.0);
        let total: f64 = (first..=last).map(weight).sum();
        Span {
            first,
            weights: (first..=last)
                .map(|at| (weight(at) / total) as f32)
                .collect(),
        }
    };
    (0..to).map(make).collect()
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
    fn blocks_are_divided_exactly() {
        for n_pixels in [1, 2, 3, 7, 9, 121, 1000, MOST_SHRINK * MOST_SHRINK] {
            for sum in [
                0,
                1,
                n_pixels / 2,
                n_pixels,
                200 * n_pixels + 1,
                255 * n_pixels,
            ] {
                // A column holds at most 128 rows of 255.
                let mut columns = Vec::new();
                let mut left = sum;
                while left > 0 {
                    let part = left.min(u32::from(u16::MAX));
                    columns.extend([part as u16, 0, part as u16]);
                    left -= part;
                }
                let mean = ((sum + n_pixels / 2) / n_pixels) as u8;
                assert_eq!(Divisor::new(n_pixels).mean(&columns), [mean, 0, mean]);
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
