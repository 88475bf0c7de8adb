//! How stored numbers mean colours: range, matrix, primaries and transfer (ITU-T H.273).
//!
//! What a file leaves unsaid is guessed as players do: BT.601 up to 576 rows, BT.709 above;
//! limited range.

use ffmpeg_next::color;

/// Which part of the scale is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Range {
    /// The file does not say.
    #[default]
    Unspecified,
    /// 16 to 235 for luma, as in television.
    Limited,
    /// 0 to 255.
    Full,
}

/// How luma and chroma are made from R'G'B'.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matrix {
    /// The file does not say.
    #[default]
    Unspecified,
    /// No luma and chroma: the file stores R'G'B'.
    Rgb,
    /// Standard definition.
    Bt601,
    /// High definition.
    Bt709,
    /// Ultra high definition, non-constant luminance.
    Bt2020,
    /// Another one, handled as BT.709.
    Other,
}

/// Which red, green and blue are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Primaries {
    /// The file does not say.
    #[default]
    Unspecified,
    /// Standard definition (525 or 625 lines).
    Bt601,
    /// High definition and sRGB.
    Bt709,
    /// Ultra high definition.
    Bt2020,
    /// Display P3 or DCI P3.
    P3,
    /// Another one.
    Other,
}

/// How stored values become light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transfer {
    /// The file does not say.
    #[default]
    Unspecified,
    /// A curve of standard dynamic range: BT.709, BT.601 or BT.2020.
    Sdr,
    /// sRGB.
    Srgb,
    /// Perceptual quantizer, SMPTE ST 2084: HDR10 and Dolby Vision.
    Pq,
    /// Hybrid log-gamma, ARIB STD-B67.
    Hlg,
    /// Another one, shown as it is.
    Other,
}

impl Transfer {
    /// Whether the picture has a high dynamic range and must be tone-mapped to be shown.
    pub fn is_hdr(self) -> bool {
        matches!(self, Self::Pq | Self::Hlg)
    }
}

/// Everything a video says about its colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColourTags {
    /// Which part of the scale is used.
    pub range: Range,
    /// How luma and chroma are made.
    pub matrix: Matrix,
    /// Which red, green and blue are meant.
    pub primaries: Primaries,
    /// How values become light.
    pub transfer: Transfer,
}

impl ColourTags {
    /// High definition television: what most players expect.
    pub const BT709: Self = Self {
        range: Range::Limited,
        matrix: Matrix::Bt709,
        primaries: Primaries::Bt709,
        transfer: Transfer::Sdr,
    };

    /// Fills in what the file leaves unsaid, from the number of rows.
    pub(crate) fn resolved(self, rows: u32) -> Self {
        let matrix = match self.matrix {
            Matrix::Unspecified if rows <= 576 => Matrix::Bt601,
            Matrix::Unspecified => Matrix::Bt709,
            known => known,
        };
        let range = match self.range {
            Range::Unspecified => Range::Limited,
            known => known,
        };
        Self {
            range,
            matrix,
            ..self
        }
    }
}

/// The four numbers of ITU-T H.273 and the range, as they come out of libav.
///
/// They are read as numbers on purpose: some demuxers pass on whatever a file says, and a Rust
/// enum may not hold that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codes {
    pub(crate) range: i32,
    pub(crate) matrix: i32,
    pub(crate) primaries: i32,
    pub(crate) transfer: i32,
}

impl From<Codes> for ColourTags {
    fn from(codes: Codes) -> Self {
        Self {
            range: match codes.range {
                1 => Range::Limited,
                2 => Range::Full,
                _ => Range::Unspecified,
            },
            matrix: match codes.matrix {
                0 => Matrix::Rgb,
                1 => Matrix::Bt709,
                2 | 3 => Matrix::Unspecified,
                5 | 6 => Matrix::Bt601,
                9 => Matrix::Bt2020,
                _ => Matrix::Other,
            },
            primaries: match codes.primaries {
                1 => Primaries::Bt709,
                0 | 2 | 3 => Primaries::Unspecified,
                5..=7 => Primaries::Bt601,
                9 => Primaries::Bt2020,
                11 | 12 => Primaries::P3,
                _ => Primaries::Other,
            },
            transfer: match codes.transfer {
                1 | 4..=6 | 14 | 15 => Transfer::Sdr,
                0 | 2 | 3 => Transfer::Unspecified,
                13 => Transfer::Srgb,
                16 => Transfer::Pq,
                18 => Transfer::Hlg,
                _ => Transfer::Other,
            },
        }
    }
}

impl Range {
    /// libav's word for it.
    pub(crate) fn to_libav(self) -> color::Range {
        match self {
            Self::Unspecified => color::Range::Unspecified,
            Self::Limited => color::Range::MPEG,
            Self::Full => color::Range::JPEG,
        }
    }
}

impl Matrix {
    /// libav's word for it.
    pub(crate) fn to_libav(self) -> color::Space {
        match self {
            Self::Unspecified | Self::Other => color::Space::Unspecified,
            Self::Rgb => color::Space::RGB,
            Self::Bt601 => color::Space::SMPTE170M,
            Self::Bt709 => color::Space::BT709,
            Self::Bt2020 => color::Space::BT2020NCL,
        }
    }
}

impl Primaries {
    /// libav's word for it.
    pub(crate) fn to_libav(self) -> color::Primaries {
        match self {
            Self::Unspecified | Self::Other => color::Primaries::Unspecified,
            Self::Bt601 => color::Primaries::SMPTE170M,
            Self::Bt709 => color::Primaries::BT709,
            Self::Bt2020 => color::Primaries::BT2020,
            Self::P3 => color::Primaries::SMPTE432,
        }
    }
}

impl Transfer {
    /// libav's word for it.
    pub(crate) fn to_libav(self) -> color::TransferCharacteristic {
        use color::TransferCharacteristic as T;
        match self {
            Self::Unspecified | Self::Other => T::Unspecified,
            Self::Sdr => T::BT709,
            Self::Srgb => T::IEC61966_2_1,
            Self::Pq => T::SMPTE2084,
            Self::Hlg => T::ARIB_STD_B67,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senseless_codes_are_another_colour_and_no_crash() {
        let wild = ColourTags::from(Codes {
            range: 77,
            matrix: -5,
            primaries: 0x55b9_8101,
            transfer: i32::MIN,
        });
        assert_eq!(wild.range, Range::Unspecified);
        assert_eq!(wild.matrix, Matrix::Other);
        assert_eq!(wild.primaries, Primaries::Other);
        assert_eq!(wild.transfer, Transfer::Other);
    }

    #[test]
    fn what_is_unsaid_is_guessed_from_the_rows() {
        let unsaid = ColourTags::default();
        assert_eq!(unsaid.resolved(480).matrix, Matrix::Bt601);
        assert_eq!(unsaid.resolved(720).matrix, Matrix::Bt709);
        assert_eq!(ColourTags::BT709.resolved(480), ColourTags::BT709);
    }
}
