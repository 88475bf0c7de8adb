//! How strong waves of any length and direction are in a part of a plane.
//!
//! The window is transformed once, with as much emptiness around it, so that its spectrum is
//! smooth and may be interpolated between entries. Another guess of how the mark was scaled and
//! turned then costs a few hundred look-ups, where turning the picture would cost a transform.

use std::ops::Range;

use rustfft::FftPlanner;

use crate::watermark::plane::CanonicalPlane;
use crate::watermark::spectrum::Complex;

/// A part of a plane, in its pixels.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub(super) columns: Range<usize>,
    pub(super) rows: Range<usize>,
}

impl Window {
    pub(super) fn whole(plane: &CanonicalPlane) -> Self {
        Self {
            columns: 0..plane.width,
            rows: 0..plane.height,
        }
    }

    fn row<'a>(&self, plane: &'a CanonicalPlane, y: usize) -> &'a [f32] {
        let start = (self.rows.start + y) * plane.width + self.columns.start;
        &plane.values[start..start + self.columns.len()]
    }
}

/// The spectrum of a window, phases counted from its middle.
pub(super) struct WindowSpectrum {
    /// Lengths that were transformed: entry `n` is the wave of `n / length` periods per pixel.
    across: usize,
    down: usize,
    /// The entries that are kept of a row: from 0 on, since the others hold the same again.
    columns: usize,
    /// Those of a column: this many downwards, as many upwards, and the one between.
    reach: usize,
    /// One column after the other, from the finest wave upwards to the finest downwards.
    entries: Vec<Complex>,
}

impl WindowSpectrum {
    /// Transforms a window, up to waves of `finest` periods per pixel.
    pub(super) fn new(plane: &CanonicalPlane, window: &Window, finest: f32) -> Self {
        let (width, height) = (window.columns.len(), window.rows.len());
        let (across, down) = (padded(width), padded(height));
        let kept = |length: usize| ((finest * length as f32) as usize + 2).min(length / 2 - 1);
        let (columns, reach) = (kept(across), kept(down));
        let mut planner = FftPlanner::new();
        let along_row = planner.plan_fft_forward(across);
        let mut scratch = vec![Complex::default(); along_row.get_inplace_scratch_len()];
        let mut line = vec![Complex::default(); across];
        let mut grid = vec![Complex::default(); columns * down];
        for y in (0..height).step_by(2) {
            // Two rows at once, as real and imaginary part. What lies before the middle goes to
            // the end, so that phases turn slowly from entry to entry.
            line.fill(Complex::default());
            let at = |x: usize| (x + across - width / 2) % across;
            let row = window.row(plane, y).iter().enumerate();
            row.for_each(|(x, &value)| line[at(x)].re = value);
            if y + 1 < height {
                let row = window.row(plane, y + 1).iter().enumerate();
                row.for_each(|(x, &value)| line[at(x)].im = value);
            }
            along_row.process_with_scratch(&mut line, &mut scratch);
            let places = [y, y + 1].map(|y| (y + down - height / 2) % down);
            put_rows(&line, &mut grid, down, places);
        }
        planner.plan_fft_forward(down).process(&mut grid);
        let columns_of_grid = grid.chunks_exact(down);
        let entries = columns_of_grid.flat_map(|column| {
            let upwards = &column[down - reach..];
            upwards.iter().chain(&column[..=reach]).copied()
        });
        Self {
            across,
            down,
            columns,
            reach,
            entries: entries.collect(),
        }
    }

    /// The wave of so many periods per pixel across and down; nothing where it is too fine.
    pub(super) fn at(&self, [across, down]: [f32; 2]) -> Complex {
        if across < 0.0 {
            // A real picture holds as much of the wave that runs the other way.
            return self.between([-across, -down]).conj();
        }
        self.between([across, down])
    }

    fn between(&self, [across, down]: [f32; 2]) -> Complex {
        let x = across * self.across as f32;
        let y = down * self.down as f32 + self.reach as f32;
        let (left, above) = (x as usize, y as usize);
        if y < 0.0 || self.columns <= left + 1 || 2 * self.reach <= above {
            return Complex::default();
        }
        let (right_share, below_share) = (x - left as f32, y - above as f32);
        let entry = left * (2 * self.reach + 1) + above;
        let in_column = |entry: usize| {
            self.entries[entry] * (1.0 - below_share) + self.entries[entry + 1] * below_share
        };
        let right = in_column(entry + 2 * self.reach + 1);
        in_column(entry) * (1.0 - right_share) + right * right_share
    }
}

/// Parts the transforms of two rows and puts them where columns of length `down` are transformed.
fn put_rows(both: &[Complex], grid: &mut [Complex], down: usize, [first, second]: [usize; 2]) {
    for (x, column) in grid.chunks_exact_mut(down).enumerate() {
        let (here, there) = (both[x], both[(both.len() - x) % both.len()].conj());
        column[first] = (here + there) * 0.5;
        column[second] = (here - there) * Complex { re: 0.0, im: -0.5 };
    }
}

/// A length at least twice as long whose transform is quick: 4, 5 or 6 times a power of two.
fn padded(length: usize) -> usize {
    let least = 2 * length.max(8);
    let power = least.next_power_of_two();
    let shorter = [power / 8 * 5, power / 4 * 3];
    shorter.into_iter().find(|&n| least <= n).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    /// A plane with one wave, of phase 0 at the middle of `window`.
    fn wave(window: &Window, [across, down]: [f32; 2]) -> CanonicalPlane {
        let (width, height) = (300, 200);
        let middle = |range: &Range<usize>| (range.start + range.len() / 2) as f32;
        let (x0, y0) = (middle(&window.columns), middle(&window.rows));
        let value = |i: usize| {
            let (x, y) = ((i % width) as f32 - x0, (i / width) as f32 - y0);
            (TAU * (across * x + down * y)).cos()
        };
        CanonicalPlane {
            width,
            height,
            values: (0..width * height).map(value).collect(),
        }
    }

    #[test]
    fn waves_between_entries_are_seen_at_their_strength() {
        let window = Window {
            columns: 31..251,
            rows: 8..181,
        };
        let half = 0.5 * 220.0 * 173.0;
        for frequency in [[0.1, 0.05], [0.0713, -0.1131], [0.0201, 0.0]] {
            let plane = wave(&window, frequency);
            let spectrum = WindowSpectrum::new(&plane, &window, 0.15);
            // Between entries the border of the window is seen weaker, by a third at most.
            let seen = spectrum.at(frequency);
            assert!((0.8 * half..1.1 * half).contains(&seen.re), "{seen}");
            assert!(seen.im.abs() < 0.1 * half, "{seen}");
            let back = spectrum.at(frequency.map(|f| -f));
            assert!((seen - back.conj()).norm() < 0.1 * half, "{seen} {back}");
            let another = spectrum.at([frequency[0] + 0.03, frequency[1]]);
            assert!(another.norm() < 0.1 * half, "{another}");
        }
    }

    #[test]
    fn what_is_too_fine_is_nothing() {
        let plane = CanonicalPlane::zeros(40, 30);
        let spectrum = WindowSpectrum::new(&plane, &Window::whole(&plane), 0.1);
        assert_eq!(spectrum.at([0.4, 0.4]), Complex::default());
    }

    #[test]
    fn padded_lengths_leave_half_empty() {
        for length in [1, 8, 100, 512, 683, 1000] {
            let padded = padded(length);
            assert!(
                2 * length <= padded && padded <= 3 * length.max(6),
                "{padded}"
            );
        }
    }
}
