//! Pictures at other sizes and in other places.
//!
//! Shrinking averages over the area a new pixel covers, so that nothing aliases; enlarging is
//! bilinear. What lies outside the picture is taken to be `OUTSIDE` grey.

use crate::geometry::{Point2, Similarity};
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
pub fn warp(picture: &Picture, picture_from_view: Similarity, width: u32, height: u32) -> Picture {
    let taps = (picture_from_view.scale().round() as u32).clamp(1, MOST_TAPS);
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    for y in 0..height {
        for x in 0..width {
            let rgb = if taps == 1 {
                let centre = Point2::new(x as f32 + 0.5, y as f32 + 0.5);
                bilinear(picture, picture_from_view.apply(centre)).map(|v| v as u32)
            } else {
                supersampled(picture, picture_from_view, (x, y), taps)
            };
            pixels.extend(rgb.map(|v| ((v + HALF) >> FRACTION_BITS) as u8));
        }
    }
    Picture::new(width, height, pixels)
}

/// Gives `picture` at another size. Shrinking averages the covered area.
pub fn resize(picture: &Picture, width: u32, height: u32) -> Picture {
    if (width, height) == (picture.width(), picture.height()) {
        return picture.clone();
    }
    let columns = spans(picture.width(), width);
    let rows = spans(picture.height(), height);
    let across = squeeze_rows(picture, &columns);
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    let row_len = width as usize * 3;
    let mut sums = vec![0.0_f32; row_len];
    for span in &rows {
        sums.fill(0.0);
        for (offset, &weight) in span.weights.iter().enumerate() {
            let from = (span.first + offset) * row_len;
            for (sum, &value) in sums.iter_mut().zip(&across[from..from + row_len]) {
                *sum += weight * value;
            }
        }
        pixels.extend(sums.iter().map(|&sum| (sum + 0.5) as u8));
    }
    Picture::new(width, height, pixels)
}

/// Samples per axis and pixel when shrinking; beyond it the crop is softer than it need be.
const MOST_TAPS: u32 = 8;
/// Fixed-point places of a bilinear sample.
const FRACTION_BITS: u32 = 16;
const HALF: u32 = 1 << (FRACTION_BITS - 1);

fn supersampled(
    picture: &Picture,
    picture_from_view: Similarity,
    (x, y): (u32, u32),
    taps: u32,
) -> [u32; 3] {
    let mut sums = [0_u64; 3];
    let step = 1.0 / taps as f32;
    for j in 0..taps {
        for i in 0..taps {
            let at = Point2::new(
                x as f32 + (i as f32 + 0.5) * step,
                y as f32 + (j as f32 + 0.5) * step,
            );
            let rgb = bilinear(picture, picture_from_view.apply(at));
            for (sum, value) in sums.iter_mut().zip(rgb) {
                *sum += u64::from(value);
            }
        }
    }
    sums.map(|sum| (sum / u64::from(taps * taps)) as u32)
}

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

fn spans(from: u32, to: u32) -> Vec<Span> {
    let ratio = f64::from(from) / f64::from(to);
    let reach = ratio.max(1.0); // half-width of the triangle filter, in old pixels
    let make = |i: u32| {
        let centre = (f64::from(i) + 0.5) * ratio - 0.5;
        let first = (centre - reach).ceil().max(0.0) as usize;
        let last = ((centre + reach).floor() as usize).min(from as usize - 1);
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

fn squeeze_rows(picture: &Picture, columns: &[Span]) -> Vec<f32> {
    let row_bytes = picture.width() as usize * 3;
    let mut out = Vec::with_capacity(columns.len() * 3 * picture.height() as usize);
    for row in picture.pixels().chunks_exact(row_bytes) {
        for span in columns {
            let mut sum = [0.0_f32; 3];
            let taps = row[span.first * 3..].chunks_exact(3);
            for (rgb, &weight) in taps.zip(&span.weights) {
                for (s, &v) in sum.iter_mut().zip(rgb) {
                    *s += weight * f32::from(v);
                }
            }
            out.extend(sum);
        }
    }
    out
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
        for side in [20, 31, 90] {
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
