//! Pixels of one picture, and a picture with its place in a stream.

use crate::time::Timestamp;

/// An 8-bit R'G'B' picture, full range, rows from the top, no padding between rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Picture {
    /// Wraps `pixels`, three bytes each.
    ///
    /// # Panics
    /// If the length is not `width * height * 3` or a side is zero: a reader's mistake.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Self {
        assert!(
            width > 0 && height > 0,
            "a picture of {width}x{height} has no pixels"
        );
        let wanted = width as usize * height as usize * 3;
        assert_eq!(
            pixels.len(),
            wanted,
            "wrong number of bytes for {width}x{height}"
        );
        Self {
            width,
            height,
            pixels,
        }
    }

    /// Makes a picture of one colour.
    pub fn filled(width: u32, height: u32, rgb: [u8; 3]) -> Self {
        let pixels = rgb.repeat(width as usize * height as usize);
        Self::new(width, height, pixels)
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The bytes, `RGBRGB…`, rows from the top.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The bytes, to be changed in place.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// The colour at column `x`, row `y`.
    ///
    /// # Panics
    /// If the place is outside the picture.
    pub fn get(&self, x: u32, y: u32) -> [u8; 3] {
        let at = self.offset(x, y);
        [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]]
    }

    /// Changes the colour at column `x`, row `y`.
    ///
    /// # Panics
    /// If the place is outside the picture.
    pub fn set(&mut self, x: u32, y: u32, rgb: [u8; 3]) {
        let at = self.offset(x, y);
        self.pixels[at..at + 3].copy_from_slice(&rgb);
    }

    /// Gives the picture as seen in a mirror.
    pub fn mirrored(&self) -> Self {
        let row_bytes = self.width as usize * 3;
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for row in self.pixels.chunks_exact(row_bytes) {
            for rgb in row.chunks_exact(3).rev() {
                pixels.extend_from_slice(rgb);
            }
        }
        Self::new(self.width, self.height, pixels)
    }

    /// Gives the picture turned clockwise by a number of quarter turns.
    pub fn turned(&self, quarter_turns: u32) -> Self {
        let (w, h) = (self.width, self.height);
        let (out_w, out_h) = if quarter_turns.is_multiple_of(2) {
            (w, h)
        } else {
            (h, w)
        };
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for y in 0..out_h {
            for x in 0..out_w {
                let rgb = match quarter_turns % 4 {
                    0 => self.get(x, y),
                    1 => self.get(y, h - 1 - x),
                    2 => self.get(w - 1 - x, h - 1 - y),
                    _ => self.get(w - 1 - y, x),
                };
                pixels.extend_from_slice(&rgb);
            }
        }
        Self::new(out_w, out_h, pixels)
    }

    fn offset(&self, x: u32, y: u32) -> usize {
        assert!(
            x < self.width && y < self.height,
            "({x}, {y}) is outside the picture"
        );
        (y as usize * self.width as usize + x as usize) * 3
    }
}

/// A picture with its place in a stream.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Position in presentation order, from 0.
    pub index: u64,
    /// When it is shown.
    pub time: Timestamp,
    /// What is shown, upright.
    pub picture: Picture,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Picture {
        Picture::new(3, 2, (0..18).collect())
    }

    #[test]
    fn mirroring_twice_changes_nothing() {
        assert_ne!(ramp().mirrored(), ramp());
        assert_eq!(ramp().mirrored().mirrored(), ramp());
    }

    #[test]
    fn four_quarter_turns_change_nothing() {
        let once = ramp().turned(1);
        assert_eq!((once.width(), once.height()), (2, 3));
        assert_eq!(once.get(1, 0), ramp().get(0, 0));
        assert_eq!(once.turned(1), ramp().turned(2));
        assert_eq!(once.turned(3), ramp());
    }
}
