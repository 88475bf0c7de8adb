//! Shrinking by whole blocks of pixels.

use crate::picture::Picture;

/// Sides of the largest blocks that are averaged; shrinking further than this aliases.
pub(super) const MOST_SHRINK: u32 = 128;

/// A box of whole pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Averages blocks of `factor` × `factor` pixels of a region; blocks at its right and lower edge
/// may be partial.
pub(super) fn shrunk(picture: &Picture, region: Region, factor: u32) -> Picture {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
