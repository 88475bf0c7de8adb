//! Adding a canonical change to the pixels of a picture of any size.

use effigy_frame::Picture;

use crate::watermark::carrier::Random;
use crate::watermark::field::Field;

const DITHER_SIDE: usize = 64;

/// Adds changes that are smaller than one level so that they are kept on average.
pub(super) struct Pen {
    dither: Vec<f32>,
}

impl Pen {
    pub(super) fn new() -> Self {
        let mut random = Random(1);
        let dither = (0..DITHER_SIDE * DITHER_SIDE).map(|_| random.unit() - 0.5);
        Self {
            dither: dither.collect(),
        }
    }

    /// Adds a canonical change to all three colours alike, so that only luma changes.
    pub(super) fn add(&self, picture: &mut Picture, change: &Field) {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let columns = Steps::new(width, change.width);
        let rows = Steps::new(height, change.height);
        let half = height.div_ceil(2);
        let (upper, lower) = picture.pixels_mut().split_at_mut(half * width * 3);
        std::thread::scope(|scope| {
            scope.spawn(|| self.add_rows(upper, change, (&columns, &rows), 0));
            self.add_rows(lower, change, (&columns, &rows), half);
        });
    }

    fn add_rows(
        &self,
        pixels: &mut [u8],
        change: &Field,
        (columns, rows): (&Steps, &Steps),
        first: usize,
    ) {
        let width = columns.0.len();
        let mut lines = Lines::new(change, columns);
        for (offset, row) in pixels.chunks_exact_mut(width * 3).enumerate() {
            let y = first + offset;
            let (above, below, share) = rows.0[y];
            let (above, below) = lines.both(above, below);
            let dither = &self.dither[y % DITHER_SIDE * DITHER_SIDE..][..DITHER_SIDE];
            let places = above.chunks(DITHER_SIDE).zip(below.chunks(DITHER_SIDE));
            let pixels = row.chunks_mut(3 * DITHER_SIDE);
            for ((above, below), pixels) in places.zip(pixels) {
                let mut changes = [0_i32; DITHER_SIDE];
                let between = above.iter().zip(below).zip(dither);
                for (change, ((a, b), dither)) in changes.iter_mut().zip(between) {
                    // Rounding at random keeps, on average, what is smaller than one level.
                    *change = nearest(a + share * (b - a) + dither);
                }
                add_changes(pixels, &changes);
            }
        }
    }
}

/// Rounds a number that is far smaller than 2^22: the bits that a large number has no room for
/// are rounded away, and unlike a conversion it is done to several numbers at once.
fn nearest(value: f32) -> i32 {
    const LARGE: f32 = 12_582_912.0; // 1.5 * 2^23
    (value + LARGE).to_bits() as i32 - LARGE.to_bits() as i32
}

/// Adds a change to all three colours of each pixel. What gets lighter and what gets darker are
/// kept apart, so that both are bytes, which saturate sixteen at a time.
fn add_changes(pixels: &mut [u8], changes: &[i32; DITHER_SIDE]) {
    let mut thrice = [0_i8; 3 * DITHER_SIDE];
    for (thrice, &change) in thrice.chunks_exact_mut(3).zip(changes) {
        thrice.fill(change.clamp(-127, 127) as i8);
    }
    for (value, change) in pixels.iter_mut().zip(thrice) {
        let (lighter, darker) = (change.max(0) as u8, change.min(0).unsigned_abs());
        *value = value.saturating_add(lighter).saturating_sub(darker);
    }
}

/// For each place along a side: the two canonical places beside it, and the share of the second.
struct Steps(Vec<(usize, usize, f32)>);

impl Steps {
    fn new(to: usize, from: usize) -> Self {
        let ratio = from as f32 / to as f32;
        let step = |i: usize| {
            let at = ((i as f32 + 0.5) * ratio - 0.5).clamp(0.0, from as f32 - 1.0);
            let low = at as usize;
            (low, (low + 1).min(from - 1), at - low as f32)
        };
        Self((0..to).map(step).collect())
    }
}

/// The two canonical rows in use, stretched to the picture's width.
struct Lines<'a> {
    change: &'a Field,
    columns: &'a Steps,
    stretched: [(usize, Vec<f32>); 2],
}

impl<'a> Lines<'a> {
    fn new(change: &'a Field, columns: &'a Steps) -> Self {
        let none = || (usize::MAX, vec![0.0; columns.0.len()]);
        Self {
            change,
            columns,
            stretched: [none(), none()],
        }
    }

    fn both(&mut self, above: usize, below: usize) -> (&[f32], &[f32]) {
        // Rows keep their place by parity, so that each is stretched once.
        for row in [above, below] {
            let (held, line) = &mut self.stretched[row % 2];
            if *held != row {
                *held = row;
                let from = &self.change.values[row * self.change.width..][..self.change.width];
                for (value, &(low, high, share)) in line.iter_mut().zip(&self.columns.0) {
                    *value = from[low] + share * (from[high] - from[low]);
                }
            }
        }
        (&self.stretched[above % 2].1, &self.stretched[below % 2].1)
    }
}
