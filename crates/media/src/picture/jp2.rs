//! JPEG 2000: its boxes (ISO 15444-1, annex I), and its pixels decoded by libav.

use std::path::Path;

use ffmpeg_next::codec;
use image::DynamicImage;

use super::decoded::{Decoded, bad};
use super::heif::boxes;
use super::metadata::Metadata;
use super::still::{Coding, Stills};
use crate::colour::{ColourTags, Matrix, Primaries, Range, Transfer};
use crate::error::Result;
use crate::limits::Limits;
use crate::orient::Orientation;

/// Whether a file begins like a JPEG 2000: its bare stream, or its container.
pub(super) fn is_jp2(head: &[u8]) -> bool {
    head.starts_with(START_OF_STREAM) || head.starts_with(b"\0\0\0\x0cjP  \r\n\x87\n")
}

/// The markers that begin the stream and its size.
const START_OF_STREAM: &[u8] = &[0xff, 0x4f, 0xff, 0x51];

/// Width and height, within the limits.
pub(super) fn size(bytes: &[u8], path: &Path, limits: &Limits) -> Result<(u32, u32)> {
    let (width, height) =
        sides(stream(bytes)).ok_or_else(|| bad(path, "it does not say its size"))?;
    limits.check_size(width.into(), height.into())?;
    Ok((width, height))
}

/// Decodes the picture.
pub(super) fn decode(bytes: &[u8], path: &Path, limits: &Limits) -> Result<Decoded> {
    let (width, height) = size(bytes, path, limits)?;
    let coding = Coding {
        codec: codec::Id::JPEG2000,
        header: &[],
        // Whatever the stream stores is turned back into RGB as JPEG does.
        colour: Some(ColourTags {
            range: Range::Full,
            matrix: Matrix::Bt601,
            primaries: Primaries::Bt709,
            transfer: Transfer::Srgb,
        }),
    };
    let image: DynamicImage = Stills::new(limits).decode(coding, bytes, path)?;
    if (image.width(), image.height()) != (width, height) {
        return Err(bad(path, "it has another size than it says"));
    }
    Ok(Decoded {
        image,
        orientation: Orientation::default(),
        metadata: metadata(bytes),
    })
}

/// The stream, from its start on.
fn stream(bytes: &[u8]) -> &[u8] {
    if bytes.starts_with(START_OF_STREAM) {
        return bytes;
    }
    let found = boxes(bytes).find(|one| one.kind == *b"jp2c");
    found.map_or(&[], |one| one.content)
}

/// Section A.5.1: both ends of the picture on the reference grid.
fn sides(stream: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| {
        let four = stream.get(at..)?.first_chunk()?;
        Some(u32::from_be_bytes(*four))
    };
    stream.strip_prefix(START_OF_STREAM)?;
    let (right, lower, left, upper) = (number(8)?, number(12)?, number(16)?, number(20)?);
    Some((right.checked_sub(left)?, lower.checked_sub(upper)?))
}

fn metadata(bytes: &[u8]) -> Metadata {
    const XMP: [u8; 16] = [
        0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf,
        0xac,
    ];
    const EXIF: &[u8; 16] = b"JpgTiffExif->JP2";
    let mut found = Metadata::default();
    for one in boxes(bytes) {
        match &one.kind {
            b"jp2h" => {
                let mut colours = boxes(one.content).filter(|inner| inner.kind == *b"colr");
                // Method 2 is an ICC profile; its precedence and approximation follow.
                found.icc = colours.find_map(|colour| match colour.content {
                    [2, _, _, profile @ ..] => Some(profile.to_vec()),
                    _ => None,
                });
            }
            b"uuid" => {
                if let Some(packet) = one.content.strip_prefix(&XMP) {
                    found.xmp = String::from_utf8(packet.to_vec()).ok();
                } else if let Some(block) = one.content.strip_prefix(EXIF) {
                    found.exif = Some(block.to_vec());
                }
            }
            _ => {}
        }
    }
    found
}
