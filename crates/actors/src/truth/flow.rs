//! How each pixel of a clip moves: `NAME.flow.png`, a square for each frame, x beside y, as
//! 128 + movement to the next frame in 1/8 pixel.

use std::path::Path;

use super::grey;
use crate::error::{Error, Result};

/// The movement of each pixel until the next frame.
pub struct Flow {
    /// Places along each side of a frame.
    side: usize,
    /// By frame, then row: all x of the row, then all y.
    coded: Vec<u8>,
}

impl Flow {
    pub(crate) fn new(side: usize) -> Self {
        Self {
            side,
            coded: Vec::new(),
        }
    }

    /// Adds a number: row by row first all movements in x, then all in y. More than 16 pixels
    /// are kept as 16.
    pub(crate) fn push(&mut self, moved_px: f32) {
        let coded = 128.0 + 8.0 * moved_px;
        self.coded.push(coded.round().clamp(0.0, 255.0) as u8);
    }

    pub(super) fn write(&self, clip: &Path) -> Result<()> {
        grey::write(&clip.with_extension("flow.png"), 2 * self.side, &self.coded)
    }

    /// Reads the flow beside `clip`.
    ///
    /// # Errors
    /// When it is missing, damaged or too large.
    pub fn read(clip: &Path) -> Result<Self> {
        let path = clip.with_extension("flow.png");
        let (width, coded) = grey::read(&path)?;
        if !width.is_multiple_of(2) {
            let why = format!("{width} columns are not x beside y");
            return Err(Error::Damaged { why, path });
        }
        Ok(Self {
            side: width / 2,
            coded,
        })
    }

    /// Gives the movement, in pixels, of what lies at a place of frame `frame`; the place is given
    /// as shares of the picture's width and height. `None` outside the picture and the clip.
    pub fn at(&self, frame: usize, x: f32, y: f32) -> Option<[f32; 2]> {
        if !(0.0..1.0).contains(&x) || !(0.0..1.0).contains(&y) {
            return None;
        }
        let [column, row] = [x, y].map(|share| (share * self.side as f32) as usize);
        let first = (frame * self.side + row) * 2 * self.side + column;
        let moved = |at: usize| Some((f32::from(*self.coded.get(at)?) - 128.0) / 8.0);
        Some([moved(first)?, moved(first + self.side)?])
    }
}
