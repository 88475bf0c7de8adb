//! From pixels to the square in which the watermark is sought.
//!
//! A picture is brought to a canonical area, so that scaling the whole picture changes nothing.
//! There its luma is high-passed and divided by its local strength: flat places, where the mark
//! is not drowned by the picture, count most. Last, everything is folded into one square.

use std::ops::Range;

use effigy_frame::Picture;

use crate::watermark::spectrum::SIDE;

/// Canonical pixels of a picture.
const AREA: f64 = 512.0 * 512.0;
/// The longest canonical side: a strip longer than this is cut by scaling it down.
const LONGEST_SIDE: f64 = 4096.0;

/// One value per canonical pixel.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) values: Vec<f32>,
}

impl Field {
    pub(super) fn zeros(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            values: vec![0.0; width * height],
        }
    }
}

/// Canonical size of a picture of this size.
pub(super) fn canonical_size(width: u32, height: u32) -> (usize, usize) {
    let (w, h) = (f64::from(width), f64::from(height));
    let scale = (AREA / (w * h)).sqrt().min(LONGEST_SIDE / w.max(h));
    let side = |length: f64| ((length * scale).round() as usize).max(1);
    (side(w), side(h))
}

/// Luma at canonical size.
pub(super) fn canonical_luma(picture: &Picture) -> Field {
    let (width, height) = canonical_size(picture.width(), picture.height());
    let columns = spans(picture.width() as usize, width);
    let rows = spans(picture.height() as usize, height);
    let mut values = vec![0.0; width * height];
    // Two halves on two threads: decoding leaves the second core idle often enough.
    let half = height / 2;
    let (upper, lower) = values.split_at_mut(half * width);
    std::thread::scope(|scope| {
        scope.spawn(|| shrink(picture, &columns, (&rows, 0..half), upper));
        shrink(picture, &columns, (&rows, half..height), lower);
    });
    Field {
        width,
        height,
        values,
    }
}

/// Which old pixels the new pixels of a side are made of, with weights that add to one for each.
struct Spans {
    /// Of each new pixel: the first old one, and where its weights begin and end.
    places: Vec<(usize, usize, usize)>,
    weights: Vec<f32>,
}

/// Area averages when shrinking, linear interpolation when enlarging.
fn spans(from: usize, to: usize) -> Spans {
    let ratio = from as f64 / to as f64;
    let mut spans = Spans {
        places: Vec::with_capacity(to),
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
        spans.places.push((first, start, spans.weights.len()));
    }
    spans
}

fn shrink(picture: &Picture, columns: &Spans, rows: (&Spans, Range<usize>), out: &mut [f32]) {
    let across = picture.width() as usize;
    let mut sums = vec![0.0_f32; across * 3];
    let mut line = vec![0.0_f32; across];
    let (spans, range) = rows;
    let lines = out.chunks_exact_mut(columns.places.len());
    for (&(top, start, end), out) in spans.places[range].iter().zip(lines) {
        sums.fill(0.0);
        for (offset, &weight) in spans.weights[start..end].iter().enumerate() {
            let at = (top + offset) * across * 3;
            let values = &picture.pixels()[at..at + across * 3];
            sums.iter_mut()
                .zip(values)
                .for_each(|(sum, &value)| *sum += weight * f32::from(value));
        }
        for (luma, rgb) in line.iter_mut().zip(sums.chunks_exact(3)) {
            *luma = LUMA[0] * rgb[0] + LUMA[1] * rgb[1] + LUMA[2] * rgb[2];
        }
        for (value, &(left, start, end)) in out.iter_mut().zip(&columns.places) {
            let weights = &columns.weights[start..end];
            let seen = &line[left..left + weights.len()];
            *value = seen.iter().zip(weights).map(|(s, w)| s * w).sum();
        }
    }
}

/// Weights of red, green and blue after BT.601: old and coarse, but part of the watermark by now.
const LUMA: [f32; 3] = [77.0 / 256.0, 150.0 / 256.0, 29.0 / 256.0];

/// What the detector looks at: high-passed luma, and how strong it is around each place.
pub(super) struct Texture {
    pub(super) detail: Field,
    /// Local mean square of the detail.
    pub(super) power: Field,
}

/// Radius of the box blurs, each applied twice; together nearly Gaussian.
const FINE_RADIUS: usize = 1;
const COARSE_RADIUS: usize = 4;
const POWER_RADIUS: usize = 7;
/// Power below which a place is flat: rounding and light compression alone give this much.
const FLAT_POWER: f32 = 3.0;

/// Splits luma into detail and its local strength.
pub(super) fn texture(luma: Field) -> Texture {
    let detail = detail(luma);
    let power = power(&detail);
    Texture { detail, power }
}

/// What is neither too fine to survive compression nor too coarse to tell from the picture.
pub(super) fn detail(luma: Field) -> Field {
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
pub(super) fn power(detail: &Field) -> Field {
    let mut power = Field {
        values: detail.values.iter().map(|value| value * value).collect(),
        ..*detail
    };
    blur(&mut power, POWER_RADIUS, &mut Vec::new());
    power
}

/// How much each place counts for the detector.
pub(super) fn weight(power: f32) -> f32 {
    1.0 / (power + FLAT_POWER)
}

/// Averages over a box of `2 * radius + 1` both ways, twice; at the border over what there is.
pub(super) fn blur(field: &mut Field, radius: usize, scratch: &mut Vec<f32>) {
    let mut line = LineBlur::new(field.width, radius);
    for _ in 0..2 {
        for row in field.values.chunks_exact_mut(field.width) {
            line.blur(row);
        }
        box_columns(field, radius, scratch);
    }
}

/// Averages along lines of one length.
///
/// The sum over a window is put together from sums over 1, 2, 4 … values, each made of two of the
/// one before: unlike a running sum, no value waits for its neighbour's.
struct LineBlur {
    radius: usize,
    /// One over how many values are in each window.
    shares: Vec<f32>,
    sums: Vec<f32>,
    doubled: Vec<f32>,
}

impl LineBlur {
    fn new(length: usize, radius: usize) -> Self {
        let share = |at: usize| {
            let first = at.saturating_sub(radius);
            let last = (at + radius).min(length - 1);
            1.0 / (last + 1 - first) as f32
        };
        Self {
            radius,
            shares: (0..length).map(share).collect(),
            sums: vec![0.0; length + 2 * radius],
            doubled: vec![0.0; length + 2 * radius],
        }
    }

    fn blur(&mut self, line: &mut [f32]) {
        let (n, window) = (line.len(), 2 * self.radius + 1);
        self.sums.fill(0.0);
        self.sums[self.radius..self.radius + n].copy_from_slice(line);
        line.fill(0.0);
        let (mut done, mut width) = (0, 1);
        while width <= window {
            if window & width != 0 {
                let sums = &self.sums[done..done + n];
                line.iter_mut()
                    .zip(sums)
                    .for_each(|(value, sum)| *value += sum);
                done += width;
            }
            let later = self.sums.iter().skip(width);
            for ((double, sum), later) in self.doubled.iter_mut().zip(&self.sums).zip(later) {
                *double = sum + later;
            }
            std::mem::swap(&mut self.sums, &mut self.doubled);
            width *= 2;
        }
        line.iter_mut()
            .zip(&self.shares)
            .for_each(|(value, share)| *value *= share);
    }
}

fn box_columns(field: &mut Field, radius: usize, scratch: &mut Vec<f32>) {
    let (width, height) = (field.width, field.height);
    scratch.clear();
    scratch.extend_from_slice(&field.values);
    let row = |y: usize| y * width..(y + 1) * width;
    let mut sums = vec![0.0_f32; width];
    for y in 0..radius.min(height) {
        sums.iter_mut()
            .zip(&scratch[row(y)])
            .for_each(|(sum, value)| *sum += value);
    }
    let mut count = radius.min(height);
    for y in 0..height {
        if y + radius < height {
            sums.iter_mut()
                .zip(&scratch[row(y + radius)])
                .for_each(|(s, v)| *s += v);
            count += 1;
        }
        if radius < y {
            sums.iter_mut()
                .zip(&scratch[row(y - radius - 1)])
                .for_each(|(s, v)| *s -= v);
            count -= 1;
        }
        let share = 1.0 / count as f32;
        field.values[row(y)]
            .iter_mut()
            .zip(&sums)
            .for_each(|(value, sum)| *value = sum * share);
    }
}

/// Folds a field into one square, each place taken `scale` times as far from the corner.
pub(super) fn fold(field: &Field, scale: f32) -> Vec<f32> {
    let place = |i: usize| ((i as f32 + 0.5) * scale) as usize % SIDE;
    let columns: Vec<usize> = (0..field.width).map(place).collect();
    let mut square = vec![0.0_f32; SIDE * SIDE];
    for (y, row) in field.values.chunks_exact(field.width).enumerate() {
        let at = place(y) * SIDE;
        let line = &mut square[at..at + SIDE];
        for (value, &column) in row.iter().zip(&columns) {
            line[column] += value;
        }
    }
    square
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize) -> Field {
        let values = (0..width * height)
            .map(|i| (i % width + 2 * (i / width)) as f32)
            .collect();
        Field {
            width,
            height,
            values,
        }
    }

    #[test]
    fn blur_keeps_what_is_flat() {
        let mut flat = Field {
            width: 20,
            height: 9,
            values: vec![7.0; 180],
        };
        blur(&mut flat, 4, &mut Vec::new());
        assert!(flat.values.iter().all(|value| (value - 7.0).abs() < 1e-4));
    }

    #[test]
    fn blur_averages_over_its_box() {
        let mut field = ramp(30, 30);
        let before = field.clone();
        blur(&mut field, 3, &mut Vec::new());
        // In the middle a ramp is its own average.
        assert!((field.values[15 * 30 + 15] - before.values[15 * 30 + 15]).abs() < 1e-3);
    }

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
