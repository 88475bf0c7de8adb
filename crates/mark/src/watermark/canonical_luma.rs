//! From pixels to the square in which the watermark is looked for.
//!
//! A picture is brought to a canonical area, so that scaling the whole picture changes nothing.
//! There its luma is band-passed and divided by its local power: flat places, where the picture
//! does not drown the mark, count most. Last, everything is folded into one square.

use std::ops::Range;

use effigy_frame::Picture;

use crate::watermark::blur::blur;
use crate::watermark::plane::CanonicalPlane;
use crate::watermark::spectrum::SIDE;

/// Canonical pixels of a picture.
pub(super) const AREA: f64 = 512.0 * 512.0;
/// The longest canonical side: a strip longer than this is cut by scaling it down.
const LONGEST_SIDE: f64 = 4096.0;

/// Canonical size of a picture of this size.
pub(super) fn canonical_size(width: u32, height: u32) -> (usize, usize) {
    magnified_size(width, height, 1.0)
}

/// Size of the same plane with `magnification` times as many pixels along each side.
pub(super) fn magnified_size(width: u32, height: u32, magnification: f64) -> (usize, usize) {
    let (w, h) = (f64::from(width), f64::from(height));
    let scale = magnification * (AREA / (w * h)).sqrt().min(LONGEST_SIDE / w.max(h));
    let side = |length: f64| ((length * scale).round() as usize).max(1);
    (side(w), side(h))
}

/// Luma at canonical size.
pub(super) fn canonical_luma(picture: &Picture) -> CanonicalPlane {
    luma(picture, canonical_size(picture.width(), picture.height()))
}

/// Luma at this width and height.
pub(super) fn luma(picture: &Picture, (width, height): (usize, usize)) -> CanonicalPlane {
    let columns = spans(picture.width() as usize, width);
    let rows = spans(picture.height() as usize, height);
    let mut values = vec![0.0; width * height];
    // Two halves on two threads: decoding leaves the second core idle often enough.
    let half = height / 2;
    let (upper, lower) = values.split_at_mut(half * width);
    std::thread::scope(|scope| {
        scope.spawn(|| shrink(picture, &columns, rows.of(0..half), upper));
        shrink(picture, &columns, rows.of(half..height), lower);
    });
    CanonicalPlane {
        width,
        height,
        values,
    }
}

/// Which old pixels the new pixels of a side are made of, with weights that add to one for each.
struct Spans {
    spans: Vec<Span>,
    weights: Vec<f32>,
}

/// Which old pixels one new pixel is made of.
#[derive(Clone, Copy)]
struct Span {
    /// The first old pixel.
    first: usize,
    /// Where the weights of the new pixel begin and end in the list of all.
    weights_start: usize,
    weights_end: usize,
}

/// Some neighbouring new pixels of a side.
#[derive(Clone, Copy)]
struct SomeSpans<'a> {
    spans: &'a [Span],
    weights: &'a [f32],
}

impl Spans {
    fn of(&self, range: Range<usize>) -> SomeSpans<'_> {
        SomeSpans {
            spans: &self.spans[range],
            weights: &self.weights,
        }
    }
}

/// Area averages when shrinking, linear interpolation when enlarging.
fn spans(from: usize, to: usize) -> Spans {
    let ratio = from as f64 / to as f64;
    let mut spans = Spans {
        spans: Vec::with_capacity(to),
        weights: Vec::with_capacity(from.max(2 * to) + 2 * to),
    };
    for i in 0..to {
        let (low, high) = if ratio >= 1.0 {
            (i as f64 * ratio, (i + 1) as f64 * ratio)
        } else {
            // A window of one old pixel around the new one's centre is linear interpolation.
            let centre = (i as f64 + 0.5) * ratio;
            (centre - 0.5, centre + 0.5)
        };
        let low = low.max(0.0);
        let high = high.min(from as f64);
        let first = (low as usize).min(from - 1);
        let last = (high.ceil() as usize).clamp(first + 1, from);
        let cover = |at: usize| (high.min(at as f64 + 1.0) - low.max(at as f64)).max(0.0);
        let total: f64 = (first..last).map(cover).sum();
        let start = spans.weights.len();
        spans
            .weights
            .extend((first..last).map(|at| (cover(at) / total) as f32));
        spans.spans.push(Span {
            first,
            weights_start: start,
            weights_end: spans.weights.len(),
        });
    }
    spans
}

/// Scales `picture` into the canonical rows `out`, which `rows` describe, and takes its luma.
fn shrink(picture: &Picture, columns: &Spans, rows: SomeSpans<'_>, out: &mut [f32]) {
    let across = picture.width() as usize;
    let mut sums = vec![0.0_f32; across * 3];
    let mut line = vec![0.0_f32; across];
    let lines = out.chunks_exact_mut(columns.spans.len());
    for (row, out) in rows.spans.iter().zip(lines) {
        // Rows first: whole lines of the picture add up as they lie in memory.
        sums.fill(0.0);
        let weights = &rows.weights[row.weights_start..row.weights_end];
        for (offset, &weight) in weights.iter().enumerate() {
            let at = (row.first + offset) * across * 3;
            let values = &picture.pixels()[at..at + across * 3];
            sums.iter_mut()
                .zip(values)
                .for_each(|(sum, &value)| *sum += weight * f32::from(value));
        }
        // Luma is a sum of colours, so that it may be taken before columns are averaged: a third of
        // the work.
        for (luma, rgb) in line.iter_mut().zip(sums.chunks_exact(3)) {
            *luma = LUMA[0] * rgb[0] + LUMA[1] * rgb[1] + LUMA[2] * rgb[2];
        }
        for (value, column) in out.iter_mut().zip(&columns.spans) {
            let weights = &columns.weights[column.weights_start..column.weights_end];
            let covered = &line[column.first..column.first + weights.len()];
            *value = covered.iter().zip(weights).map(|(s, w)| s * w).sum();
        }
    }
}

/// Weights of red, green and blue after BT.601: old and coarse, but part of the watermark by now.
const LUMA: [f32; 3] = [77.0 / 256.0, 150.0 / 256.0, 29.0 / 256.0];

/// Radius of the box blurs, each applied twice; together nearly Gaussian.
const FINE_RADIUS: usize = 1;
const COARSE_RADIUS: usize = 4;
const POWER_RADIUS: usize = 7;
/// Power below which a place is flat: rounding and light compression alone have this much.
const FLAT_POWER: f32 = 3.0;

/// Keeps what is neither too fine to survive compression nor too coarse to be told from the picture:
/// the difference of two blurs.
pub(super) fn band_pass(luma: CanonicalPlane) -> CanonicalPlane {
    let mut fine = luma;
    let mut scratch = Vec::new();
    blur(&mut fine, FINE_RADIUS, &mut scratch);
    let mut coarse = fine.clone();
    blur(&mut coarse, COARSE_RADIUS, &mut scratch);
    let mut detail = fine;
    for (value, low) in detail.values.iter_mut().zip(&coarse.values) {
        *value -= low;
    }
    detail
}

/// Local mean square of the detail.
pub(super) fn local_power(detail: &CanonicalPlane) -> CanonicalPlane {
    let mut power = CanonicalPlane {
        values: detail.values.iter().map(|value| value * value).collect(),
        ..*detail
    };
    blur(&mut power, POWER_RADIUS, &mut Vec::new());
    power
}

/// How much a place counts for the detector: the less, the more the picture itself varies there.
pub(super) fn detector_weight(power: f32) -> f32 {
    1.0 / (power + FLAT_POWER)
}

/// Adds the detail of a picture, each place as much as it counts.
pub(super) fn add_weighted(seen: &mut CanonicalPlane, luma: CanonicalPlane) {
    let detail = band_pass(luma);
    let power = local_power(&detail);
    let places = detail.values.iter().zip(&power.values);
    for (sum, (detail, power)) in seen.values.iter_mut().zip(places) {
        *sum += detail * detector_weight(*power);
    }
}

/// Folds a plane into one square.
///
/// All repetitions of the pattern add up there, while the picture averages out.
pub(super) fn fold(plane: &CanonicalPlane) -> Vec<f32> {
    let mut square = vec![0.0_f32; SIDE * SIDE];
    for (y, row) in plane.values.chunks_exact(plane.width).enumerate() {
        let line = &mut square[y % SIDE * SIDE..][..SIDE];
        for part in row.chunks(SIDE) {
            line.iter_mut().zip(part).for_each(|(sum, v)| *sum += v);
        }
    }
    square
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_luma_keeps_grey() {
        for (width, height) in [(1920, 1080), (300, 200), (7, 900)] {
            let luma = canonical_luma(&Picture::filled(width, height, [100; 3]));
            assert!(luma.values.iter().all(|value| (value - 100.0).abs() < 0.1));
        }
    }

    #[test]
    fn canonical_size_is_bounded() {
        assert_eq!(canonical_size(1024, 1024), (512, 512));
        let (width, height) = canonical_size(60_000, 1);
        assert!(width <= 4096 && height >= 1);
    }
}
