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
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    for y in 0..height {
        for x in 0..width {
            let centre = Point2::new(x as f32 + 0.5, y as f32 + 0.5);
            let rgb = bilinear(picture, picture_from_view.apply(centre));
            pixels.extend(rgb.map(|v| ((v + HALF) >> FRACTION_BITS) as u8));
        }
    }
    Picture::new(width, height, pixels)
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
        for columns in sums.chunks(factor as usize * 3) {
            let area = n_rows * (columns.len() / 3) as u32;
            let mut rgb = [area / 2; 3];
            for column in columns.chunks_exact(3) {
                for (sum, &value) in rgb.iter_mut().zip(column) {
                    *sum += u32::from(value);
                }
            }
            pixels.extend(rgb.map(|sum| (sum / area) as u8));
        }
    }
    Picture::new(width, height, pixels)
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
/// Fixed-point places of a bilinear sample.
const FRACTION_BITS: u32 = 16;
const HALF: u32 = 1 << (FRACTION_BITS - 1);

/// The colour at a place, in 16.16 fixed point.
fn bilinear(picture: &Picture, at: Point2) -> [u32; 3] {
    let (width, height) = (picture.width() as i32, picture.height() as i32);
    let (fx, fy) = (at.x - 0.5, at.y - 0.5);
    let (x, y) = (fx.floor(), fy.floor());
    let (wx, wy) = (((fx - x) * 256.0) as u32, ((fy - y) * 256.0) as u32);
    let (x, y) = (x as i32, y as i32);
    let weights = [
        (256 - wx) * (256 - wy),
        wx * (256 - wy),
        (256 - wx) * wy,
        wx * wy,
    ];
    let pixels = picture.pixels();
    if x >= 0 && y >= 0 && x + 1 < width && y + 1 < height {
        let upper = (y as usize * width as usize + x as usize) * 3;
        let lower = upper + width as usize * 3;
        let (upper, lower) = (&pixels[upper..upper + 6], &pixels[lower..lower + 6]);
        return std::array::from_fn(|c| {
            weights[0] * u32::from(upper[c])
                + weights[1] * u32::from(upper[c + 3])
                + weights[2] * u32::from(lower[c])
                + weights[3] * u32::from(lower[c + 3])
        });
    }
    let corner = |x: i32, y: i32| {
        if x >= 0 && y >= 0 && x < width && y < height {
            picture.get(x as u32, y as u32)
        } else {
            [OUTSIDE; 3]
        }
    };
    let corners = [
        corner(x, y),
        corner(x + 1, y),
        corner(x, y + 1),
        corner(x + 1, y + 1),
    ];
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
