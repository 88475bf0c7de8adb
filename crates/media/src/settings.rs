//! How a video is written.

use std::fmt;
use std::path::PathBuf;

use effigy_frame::{Picture, Rational, TimeRange};

use crate::colour::{ColourTags, Matrix, Primaries, Range, Transfer};
use crate::error::{Error, Result};
use crate::info::VideoInfo;

/// How the moving picture is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// H.264, plays everywhere.
    #[default]
    H264,
    /// H.265, about half the size.
    H265,
    /// VP9, free of royalties.
    Vp9,
    /// AV1, smallest and slowest.
    Av1,
}

impl Codec {
    /// All codecs that can be asked for.
    pub const ALL: [Self; 4] = [Self::H264, Self::H265, Self::Vp9, Self::Av1];
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::H264 => "H.264",
            Self::H265 => "H.265",
            Self::Vp9 => "VP9",
            Self::Av1 => "AV1",
        })
    }
}

/// How long the encoder may think; more gives smaller files of the same quality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effort {
    /// For drafts and drawings.
    Fast,
    /// A fair exchange.
    #[default]
    Normal,
    /// For results to keep.
    Thorough,
}

/// Everything a writer needs to know. Build one with [`WriteSettings::new`] or
/// [`WriteSettings::like`] and change what should differ.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteSettings {
    /// How the picture is compressed.
    pub codec: Codec,
    /// Columns of every frame.
    pub width: u32,
    /// Rows of every frame.
    pub height: u32,
    /// Frames per second, on average if the rate varies.
    pub frame_rate: Rational,
    /// Seconds per tick of the output; frames keep their own times, rounded to this.
    pub time_base: Rational,
    /// Constant quality on the codec's own scale, lower is better. `None` is hard to tell from
    /// the source: 18 for H.264, 20 for H.265, 24 for VP9 and AV1.
    pub crf: Option<u8>,
    /// How long the encoder may think.
    pub effort: Effort,
    /// Frames from one key frame to the next at most. `None` is five seconds, so that players can
    /// seek.
    pub key_every: Option<u32>,
    /// Tags to write; the picture is converted accordingly. An unsaid matrix or range becomes
    /// BT.709, limited.
    pub colour: ColourTags,
    /// Width of a pixel against its height.
    pub pixel_aspect: Rational,
    /// A file whose sounds, subtitles, chapters and notes are carried over; [`crate::track_notes`]
    /// says what of them the container cannot hold.
    pub tracks_from: Option<PathBuf>,
    /// Which of its sounds.
    pub sounds: Sounds,
    /// The picture that players show for the file (MP4 alone).
    pub cover: Option<Picture>,
    /// The part of the source that is written. What is at its beginning is at 0 in the output,
    /// pictures and sound alike; its end is where the sound ends.
    pub range: TimeRange,
}

/// Which sounds of a file are carried over, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sounds {
    /// All of them, as they are where the container holds them.
    #[default]
    All,
    /// What [`crate::AudioReader`] hears of it and nothing else: the one that it reads, its channels mixed to one.
    Heard,
}

impl WriteSettings {
    /// H.264 at a constant rate, BT.709, without sound.
    pub fn new(width: u32, height: u32, frame_rate: Rational) -> Self {
        Self {
            codec: Codec::default(),
            width,
            height,
            frame_rate,
            time_base: fine_time_base(frame_rate),
            crf: None,
            effort: Effort::default(),
            key_every: None,
            colour: ColourTags::BT709,
            pixel_aspect: Rational::new(1, 1),
            tracks_from: None,
            sounds: Sounds::All,
            cover: None,
            range: TimeRange::default(),
        }
    }

    /// As [`WriteSettings::new`], with the size, times and colours of `video`.
    ///
    /// Frames of a high dynamic range come tone-mapped, so the output says BT.709 then.
    pub fn like(video: &VideoInfo) -> Self {
        let source = video.colour.resolved(video.height);
        let colour = match source.matrix {
            Matrix::Bt601 | Matrix::Bt709 if !source.transfer.is_hdr() => ColourTags {
                range: Range::Limited,
                ..source
            },
            _ => ColourTags::BT709,
        };
        Self {
            time_base: video.time_base,
            colour,
            pixel_aspect: video.pixel_aspect,
            ..Self::new(video.width, video.height, video.frame_rate)
        }
    }

    /// Refuses what no encoder can follow.
    pub(crate) fn check(&self) -> Result<()> {
        let bad = |why: String| Err(Error::BadSettings { why });
        if self.width == 0 || self.height == 0 || self.width > MAX_SIDE || self.height > MAX_SIDE {
            return bad(format!("{}x{} pixels", self.width, self.height));
        }
        let rates = [self.frame_rate, self.time_base, self.pixel_aspect];
        if let Some(rate) = rates.iter().find(|r| r.num <= 0 || r.den <= 0) {
            return bad(format!("a rate of {}/{}", rate.num, rate.den));
        }
        let TimeRange { from_secs, to_secs } = self.range;
        let is_in_order = 0.0 <= from_secs && from_secs <= to_secs.unwrap_or(f64::MAX);
        if !is_in_order {
            return bad(format!("a part from {from_secs} s to {to_secs:?} s"));
        }
        if self.crf.is_some_and(|crf| crf > 63) {
            return bad("crf over 63".to_owned());
        }
        Ok(())
    }

    /// The tags with nothing unsaid that the conversion needs.
    pub(crate) fn written_colour(&self) -> ColourTags {
        let colour = self.colour;
        ColourTags {
            range: match colour.range {
                Range::Unspecified => Range::Limited,
                known => known,
            },
            matrix: match colour.matrix {
                Matrix::Bt601 | Matrix::Bt2020 => colour.matrix,
                _ => Matrix::Bt709,
            },
            primaries: match colour.primaries {
                Primaries::Other => Primaries::Unspecified,
                known => known,
            },
            transfer: match colour.transfer {
                Transfer::Other => Transfer::Unspecified,
                known => known,
            },
        }
    }
}

/// The largest side that the encoders take.
const MAX_SIDE: u32 = 16_384;

/// A time base in which frames of `rate` fall on whole ticks, and others nearly.
fn fine_time_base(rate: Rational) -> Rational {
    let mut den = rate.num.max(1);
    while den < 10_000 {
        den *= 2;
    }
    let ticks_per_unit = den / rate.num.max(1);
    let (num, den) = (rate.den, rate.num.max(1).saturating_mul(ticks_per_unit));
    // Seconds per tick are den/num split into `ticks_per_unit` parts; keep whole numbers.
    Rational::new(num, den)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_the_rate_fall_on_whole_ticks() {
        for (num, den) in [(25, 1), (30_000, 1001), (1350, 61), (24, 1), (1, 2)] {
            let base = fine_time_base(Rational::new(num, den));
            let ticks = f64::from(den) / f64::from(num) / base.to_f64();
            assert!((ticks - ticks.round()).abs() < 1e-9, "{num}/{den}: {ticks}");
        }
    }

    #[test]
    fn impossible_settings_are_refused() {
        let good = WriteSettings::new(64, 64, Rational::new(25, 1));
        assert!(good.check().is_ok());
        let empty = WriteSettings {
            width: 0,
            ..good.clone()
        };
        assert!(empty.check().is_err());
        let still = WriteSettings {
            frame_rate: Rational::new(0, 1),
            ..good
        };
        assert!(still.check().is_err());
    }
}
