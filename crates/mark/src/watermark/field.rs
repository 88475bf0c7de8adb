//! From pixels to the square in which the watermark is sought.
//!
//! A picture is brought to a canonical area, so that scaling the whole picture changes nothing.
//! There its luma is high-passed and divided by its local strength: flat places, where the mark
//! is not drowned by the picture, count most. Last, everything is folded into one square.

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
        scope.spawn(|| shrink(picture, &columns, &rows[..half], upper));
        shrink(picture, &columns, &rows[half..], lower);
    });
    Field {
        width,
        height,
        values,
    }
}

/// Which old pixels one new pixel is made of, with weights that add to one.
struct Span {
    first: usize,
    weights: Vec<f32>,
}

/// Area averages when shrinking, linear interpolation when enlarging.
fn spans(from: usize, to: usize) -> Vec<Span> {
    let ratio = from as f64 / to as f64;
    let make = |i: usize| {
        let (low, high) = if ratio >= 1.0 {
            (i as f64 * ratio, (i + 1) as f64 * ratio)
        } else {
            // A window of one old pixel around the new one's centre is linear interpolation.
            let centre = (i as f64 + 0.5) * ratio;
            (centre - 0.5, centre + 0.5)
        };
        let low = low.max(0.0);
        let high = high.min(from as f64);
        let first = (low.floor() as usize).min(from - 1);
        let last = (high.ceil() as usize).clamp(first + 1, from);
        let cover = |at: usize| (high.min(at as f64 + 1.0) - low.max(at as f64)).max(0.0);
        let total: f64 = (first..last).map(cover).sum();
        let weights = (first..last).map(|at| (cover(at) / total) as f32).collect();
        Span { first, weights }
    };
    (0..to).map(make).collect()
}

fn shrink(picture: &Picture, columns: &[Span], rows: &[Span], out: &mut [f32]) {
    let across = picture.width() as usize;
    let mut sums = vec![0.0_f32; across];
    for (row, out) in rows.iter().zip(out.chunks_exact_mut(columns.len())) {
        sums.fill(0.0);
        for (offset, &weight) in row.weights.iter().enumerate() {
            let at = (row.first + offset) * across * 3;
            let pixels = &picture.pixels()[at..at + across * 3];
            for (sum, rgb) in sums.iter_mut().zip(pixels.chunks_exact(3)) {
                let luma =
                    77 * u32::from(rgb[0]) + 150 * u32::from(rgb[1]) + 29 * u32::from(rgb[2]);
                *sum += weight * luma as f32;
            }
        }
        for (value, column) in out.iter_mut().zip(columns) {
            let seen = &sums[column.first..column.first + column.weights.len()];
            let sum: f32 = seen.iter().zip(&column.weights).map(|(s, w)| s * w).sum();
            *value = sum / 256.0;
        }
    }
}

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
pub(super) fn texture(luma: &Field) -> Texture {
    let mut fine = luma.clone();
    let mut scratch = Vec::new();
    blur(&mut fine, FINE_RADIUS, &mut scratch);
    let mut coarse = fine.clone();
    blur(&mut coarse, COARSE_RADIUS, &mut scratch);
    let mut detail = fine;
    for (value, low) in detail.values.iter_mut().zip(&coarse.values) {
        *value -= low;
    }
    let mut power = coarse;
    for (square, value) in power.values.iter_mut().zip(&detail.values) {
        *square = value * value;
    }
    blur(&mut power, POWER_RADIUS, &mut scratch);
    Texture { detail, power }
}

/// How much each place counts for the detector.
pub(super) fn weight(power: f32) -> f32 {
    1.0 / (power + FLAT_POWER)
}

/// Averages over a box of `2 * radius + 1` both ways, twice; at the border over what there is.
pub(super) fn blur(field: &mut Field, radius: usize, scratch: &mut Vec<f32>) {
    for _ in 0..2 {
        for row in field.values.chunks_exact_mut(field.width) {
            box_line(row, radius, scratch);
        }
        box_columns(field, radius, scratch);
    }
}

fn box_line(line: &mut [f32], radius: usize, scratch: &mut Vec<f32>) {
    scratch.clear();
    scratch.extend_from_slice(line);
    let n = line.len();
    let mut sum: f32 = scratch[..radius.min(n)].iter().sum();
    let mut count = radius.min(n);
    for (i, value) in line.iter_mut().enumerate() {
        if i + radius < n {
            sum += scratch[i + radius];
            count += 1;
        }
        if radius < i {
            sum -= scratch[i - radius - 1];
            count -= 1;
        }
        *value = sum / count as f32;
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
