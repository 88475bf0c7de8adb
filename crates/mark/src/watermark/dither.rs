//! Adding a change at canonical size to the pixels of a picture of any size, with dither.

use effigy_frame::Picture;

use crate::watermark::plane::CanonicalPlane;
use crate::watermark::spread_spectrum::Random;

const DITHER_SIDE: usize = 64;

/// A fixed pattern of noise: with it, changes smaller than one level are kept on average.
pub(super) struct Dither {
    dither: Vec<f32>,
}

impl Dither {
    pub(super) fn new() -> Self {
        let mut random = Random(1);
        let dither = (0..DITHER_SIDE * DITHER_SIDE).map(|_| random.unit() - 0.5);
        Self {
            dither: dither.collect(),
        }
    }

    /// Adds a canonical change to all three colours alike, so that only luma changes.
    pub(super) fn add(&self, picture: &mut Picture, change: &CanonicalPlane) {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let columns = between(width, change.width);
        let rows = between(height, change.height);
        let half = height.div_ceil(2);
        let (upper, lower) = picture.pixels_mut().split_at_mut(half * width * 3);
        std::thread::scope(|scope| {
            scope.spawn(|| self.add_rows(upper, Lines::new(change, &columns), &rows, 0));
            self.add_rows(lower, Lines::new(change, &columns), &rows, half);
        });
    }

    /// Adds the change to the rows of the picture from `first` on.
    fn add_rows(&self, pixels: &mut [u8], mut lines: Lines<'_>, rows: &[Between], first: usize) {
        let width = lines.columns.len();
        for (offset, row) in pixels.chunks_exact_mut(width * 3).enumerate() {
            let y = first + offset;
            let share = rows[y].share;
            let (above, below) = lines.both(rows[y].low, rows[y].high);
            // The noise depends on the place alone, so that one picture is always marked alike.
            let dither = &self.dither[y % DITHER_SIDE * DITHER_SIDE..][..DITHER_SIDE];
            let places = above.chunks(DITHER_SIDE).zip(below.chunks(DITHER_SIDE));
            let pixels = row.chunks_mut(3 * DITHER_SIDE);
            for ((above, below), pixels) in places.zip(pixels) {
                let mut changes = [0_i32; DITHER_SIDE];
                let places = above.iter().zip(below).zip(dither);
                for (change, ((a, b), dither)) in changes.iter_mut().zip(places) {
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

/// A place of the picture between two canonical places.
#[derive(Clone, Copy)]
struct Between {
    low: usize,
    high: usize,
    /// How much of the value comes from `high`.
    share: f32,
}

/// Where each of `to` pixels of a side lies between `from` canonical ones.
fn between(to: usize, from: usize) -> Vec<Between> {
    let ratio = from as f32 / to as f32;
    let place = |i: usize| {
        let at = ((i as f32 + 0.5) * ratio - 0.5).clamp(0.0, from as f32 - 1.0);
        let low = at as usize;
        Between {
            low,
            high: (low + 1).min(from - 1),
            share: at - low as f32,
        }
    };
    (0..to).map(place).collect()
}

/// The two canonical rows in use, stretched to the picture's width.
struct Lines<'a> {
    change: &'a CanonicalPlane,
    columns: &'a [Between],
    stretched: [Stretched; 2],
}

/// One canonical row at the picture's width.
struct Stretched {
    /// Which row it is.
    row: usize,
    values: Vec<f32>,
}

impl<'a> Lines<'a> {
    fn new(change: &'a CanonicalPlane, columns: &'a [Between]) -> Self {
        let none = || Stretched {
            row: usize::MAX,
            values: vec![0.0; columns.len()],
        };
        Self {
            change,
            columns,
            stretched: [none(), none()],
        }
    }

    fn both(&mut self, above: usize, below: usize) -> (&[f32], &[f32]) {
        // Rows keep their place by parity, so that each is stretched once.
        for row in [above, below] {
            let stretched = &mut self.stretched[row % 2];
            if stretched.row != row {
                stretched.row = row;
                let from = &self.change.values[row * self.change.width..][..self.change.width];
                for (value, column) in stretched.values.iter_mut().zip(self.columns) {
                    let (low, high) = (from[column.low], from[column.high]);
                    *value = low + column.share * (high - low);
                }
            }
        }
        let values = |row: usize| &self.stretched[row % 2].values[..];
        (values(above), values(below))
    }
}
