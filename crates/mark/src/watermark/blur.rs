//! A box blur at one cost for any radius. Applied twice it is nearly Gaussian.

use crate::watermark::plane::CanonicalPlane;

/// Averages over a box of `2 * radius + 1` both ways, twice; at the border over what there is.
pub(super) fn blur(plane: &mut CanonicalPlane, radius: usize, scratch: &mut Vec<f32>) {
    let mut line = LineBlur::new(plane.width, radius);
    for _ in 0..2 {
        // Along a row the sums of a window are built by doubling; down the columns whole rows run
        // along, one entering and one leaving, which the processor does many columns at a time.
        for row in plane.values.chunks_exact_mut(plane.width) {
            line.blur(row);
        }
        box_columns(plane, radius, scratch);
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

fn box_columns(plane: &mut CanonicalPlane, radius: usize, scratch: &mut Vec<f32>) {
    let (width, height) = (plane.width, plane.height);
    scratch.clear();
    scratch.extend_from_slice(&plane.values);
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
        plane.values[row(y)]
            .iter_mut()
            .zip(&sums)
            .for_each(|(value, sum)| *value = sum * share);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize) -> CanonicalPlane {
        let values = (0..width * height)
            .map(|i| (i % width + 2 * (i / width)) as f32)
            .collect();
        CanonicalPlane {
            width,
            height,
            values,
        }
    }

    #[test]
    fn blur_keeps_what_is_flat() {
        let mut flat = CanonicalPlane {
            width: 20,
            height: 9,
            values: vec![7.0; 180],
        };
        blur(&mut flat, 4, &mut Vec::new());
        assert!(flat.values.iter().all(|value| (value - 7.0).abs() < 1e-4));
    }

    #[test]
    fn blur_averages_over_its_box() {
        let mut plane = ramp(30, 30);
        let before = plane.clone();
        blur(&mut plane, 3, &mut Vec::new());
        // In the middle a ramp is its own average.
        assert!((plane.values[15 * 30 + 15] - before.values[15 * 30 + 15]).abs() < 1e-3);
    }
}
