//! How much a file may ask of us. Files are untrusted; these bounds hold before memory is taken.

use crate::error::{Error, Result};

/// Bounds on what is read. The defaults suit a laptop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Pixels of one picture. Default: 64 Mi, enough for 8K video and most photographs.
    pub max_pixels: u64,
    /// Length of a video or sound. Default: 24 hours.
    pub max_duration_secs: f64,
    /// Pictures in a sequence. Default: a million.
    pub max_pictures: usize,
    /// Decoded frames waiting for the consumer. Default: 4.
    pub max_frames_ahead: usize,
    /// Memory for waiting frames or for the sound of one file. Default: 1 GiB of sound; frames
    /// wait within a quarter of this.
    pub max_memory_bytes: u64,
    /// Time to open a video and to learn what is in it. Default: 30 s, a hundred times what any
    /// honest file was seen to take.
    pub max_open_secs: f64,
    /// Time in which reading must get on: by a picture, a frame, or a packet on the way to one.
    /// Default: 60 s, ten times what the largest pictures take on a busy machine.
    pub max_pause_secs: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pixels: 64 << 20,
            max_duration_secs: 24.0 * 3600.0,
            max_pictures: 1_000_000,
            max_frames_ahead: 4,
            max_memory_bytes: 1 << 30,
            max_open_secs: 30.0,
            max_pause_secs: 60.0,
        }
    }
}

impl Limits {
    /// Refuses a picture size that is empty or over the limit.
    pub(crate) fn check_size(&self, width: u64, height: u64) -> Result<()> {
        if width == 0 || height == 0 {
            return Err(Error::NoPixels { width, height });
        }
        if width.saturating_mul(height) > self.max_pixels {
            return Err(Error::TooLarge {
                width,
                height,
                limit: self.max_pixels,
            });
        }
        Ok(())
    }

    /// Refuses a length that is over the limit.
    pub(crate) fn check_duration(&self, secs: f64) -> Result<()> {
        if secs > self.max_duration_secs {
            return Err(Error::TooLong {
                secs,
                limit_secs: self.max_duration_secs,
            });
        }
        Ok(())
    }

    /// How many frames of this size may wait, at least one.
    pub(crate) fn frames_ahead(&self, width: u32, height: u32) -> usize {
        let frame_bytes = (u64::from(width) * u64::from(height) * 3).max(1);
        let by_memory = usize::try_from(self.max_memory_bytes / 4 / frame_bytes);
        by_memory
            .unwrap_or(usize::MAX)
            .min(self.max_frames_ahead)
            .max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_huge_header_is_refused_before_anything_is_allocated() {
        let limits = Limits::default();
        assert!(limits.check_size(60_000, 60_000).is_err());
        assert!(limits.check_size(u64::MAX, u64::MAX).is_err());
        assert!(limits.check_size(0, 4).is_err());
        assert!(limits.check_size(7680, 4320).is_ok());
    }

    #[test]
    fn large_frames_wait_in_smaller_numbers() {
        let limits = Limits::default();
        assert_eq!(limits.frames_ahead(1920, 1080), 4);
        assert_eq!(limits.frames_ahead(7680, 4320), 2);
        assert_eq!(limits.frames_ahead(30_000, 30_000), 1);
    }
}
