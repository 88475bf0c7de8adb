//! What each pixel of a clip shows: `NAME.masks.png`, a square for each frame, one below the other.

use std::path::Path;

use super::grey;
use crate::error::Result;

/// What a pixel shows; its number is the grey level in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Level {
    /// The room behind.
    Room = 0,
    /// Hair, clothes and neck.
    Person = 85,
    /// Face.
    Face = 170,
    /// What is before the face.
    Occluder = 255,
}

impl Level {
    /// Gives the level nearest to a grey value, so that a mask that lost a little in another
    /// program can still be read.
    fn nearest(grey: u8) -> Self {
        match grey {
            ..=42 => Self::Room,
            43..=127 => Self::Person,
            128..=212 => Self::Face,
            213.. => Self::Occluder,
        }
    }
}

/// The masks of a clip.
pub struct Masks {
    /// Width and height of one mask; a step of the picture's pixels may lie between two of its own.
    side: usize,
    /// By frame, then row.
    grey: Vec<u8>,
}

impl Masks {
    pub(crate) fn new(side: usize) -> Self {
        Self {
            side,
            grey: Vec::new(),
        }
    }

    /// Adds the next pixel, row by row and frame by frame.
    pub(crate) fn push(&mut self, level: Level) {
        self.grey.push(level as u8);
    }

    pub(super) fn write(&self, clip: &Path) -> Result<()> {
        grey::write(&clip.with_extension("masks.png"), self.side, &self.grey)
    }

    /// Reads the masks beside `clip`.
    ///
    /// # Errors
    /// When they are missing, damaged or too large.
    pub fn read(clip: &Path) -> Result<Self> {
        let (side, grey) = grey::read(&clip.with_extension("masks.png"))?;
        Ok(Self { side, grey })
    }

    /// Gives what a pixel of frame `frame` shows; `None` outside the masks.
    fn level(&self, frame: usize, column: usize, row: usize) -> Option<Level> {
        if column >= self.side || row >= self.side {
            return None;
        }
        let at = (frame * self.side + row) * self.side + column;
        self.grey.get(at).copied().map(Level::nearest)
    }

    /// Says which pixels of frame `frame`, a picture of `width` times `height`, are face.
    pub fn face(&self, frame: usize, width: usize, height: usize) -> Vec<bool> {
        self.showing(Level::Face, frame, width, height)
    }

    /// Says which pixels of frame `frame`, a picture of `width` times `height`, are before the face.
    pub fn occluder(&self, frame: usize, width: usize, height: usize) -> Vec<bool> {
        self.showing(Level::Occluder, frame, width, height)
    }

    fn showing(&self, wanted: Level, frame: usize, width: usize, height: usize) -> Vec<bool> {
        // Masks may be coarser than the picture; both are as wide, and a mask is square.
        let in_mask = |pixel: usize| pixel * self.side / width;
        let shows = |i: usize| {
            let level = self.level(frame, in_mask(i % width), in_mask(i / width));
            level == Some(wanted)
        };
        (0..width * height).map(shows).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [Level; 4] = [Level::Room, Level::Person, Level::Face, Level::Occluder];

    #[test]
    fn masks_come_back_and_scale_to_the_picture() {
        let folder = tempfile::tempdir().unwrap();
        let clip = folder.path().join("a.mp4");
        let mut masks = Masks::new(2);
        // A frame of the four levels, and one that is all face.
        LEVELS.into_iter().for_each(|level| masks.push(level));
        (0..4).for_each(|_| masks.push(Level::Face));
        masks.write(&clip).unwrap();
        let masks = Masks::read(&clip).unwrap();
        let found = (0..4).map(|i| masks.level(0, i % 2, i / 2));
        assert!(found.eq(LEVELS.map(Some)));
        let face = masks.face(0, 4, 4);
        let is_lower_left = |i: usize| i % 4 < 2 && i / 4 >= 2;
        assert!((0..16).all(|i| face[i] == is_lower_left(i)), "{face:?}");
        assert_eq!(masks.face(1, 2, 2), [true; 4]);
        assert_eq!(masks.face(2, 2, 2), [false; 4], "after the last frame");
        let tall = masks.face(0, 2, 3);
        assert_eq!(tall[4..], [false; 2], "below the mask");
    }

    #[test]
    fn committed_masks_hold_the_four_levels_and_nothing_between() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
        for clip in crate::clips::committed() {
            let masks = Masks::read(&folder.join(format!("{}.mp4", clip.name))).unwrap();
            let is_level = |grey: &u8| LEVELS.map(|level| level as u8).contains(grey);
            assert!(masks.grey.iter().all(is_level), "{}", clip.name);
        }
    }

    #[test]
    fn a_grey_value_belongs_to_the_nearest_level() {
        for grey in 0..=255_u8 {
            let away = |level: Level| (level as u8).abs_diff(grey);
            let nearest = LEVELS.map(away).into_iter().min().unwrap();
            assert_eq!(away(Level::nearest(grey)), nearest, "{grey}");
        }
    }
}
