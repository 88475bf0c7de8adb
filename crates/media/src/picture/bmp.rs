//! BMP: its size by its header, its pixels by libav.

use std::path::Path;

use ffmpeg_next::codec;

use super::decoded::{Decoded, bad};
use super::metadata::Metadata;
use super::still::{Coding, Stills};
use crate::error::Result;
use crate::limits::Limits;
use crate::orient::Orientation;

/// The sizes of all versions of the second header.
const HEADERS: [u8; 8] = [12, 16, 40, 52, 56, 64, 108, 124];

/// Two letters alone would be found in any text: the size of the second header must fit as well.
pub(super) fn is_bmp(head: &[u8]) -> bool {
    let is_header = |size: &[u8]| matches!(size, [size, 0, 0, 0] if HEADERS.contains(size));
    head.starts_with(b"BM") && head.get(14..18).is_some_and(is_header)
}

/// Width, height and bits a pixel, within the limits.
pub(super) fn size(bytes: &[u8], path: &Path, limits: &Limits) -> Result<(u32, u32, u32)> {
    let (width, height, bits) = said(bytes).ok_or_else(|| bad(path, "its header is cut off"))?;
    limits.check_size(width.into(), height.into())?;
    Ok((width, height, bits))
}

fn said(bytes: &[u8]) -> Option<(u32, u32, u32)> {
    let short = |at: usize| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let long = |at: usize| Some(i32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    if bytes.get(14) == Some(&12) {
        return Some((short(18)?.into(), short(20)?.into(), short(24)?.into()));
    }
    // A negative height says that rows begin at the top.
    let (width, height) = (long(18)?, long(22)?.unsigned_abs());
    Some((u32::try_from(width).ok()?, height, short(28)?.into()))
}

/// Decodes the picture.
pub(super) fn decode(bytes: &[u8], path: &Path, limits: &Limits) -> Result<Decoded> {
    let (width, height, _) = size(bytes, path, limits)?;
    let coding = Coding {
        codec: codec::Id::BMP,
        header: &[],
        colour: None,
    };
    let image = Stills::new(limits).decode(coding, bytes, path)?;
    if (image.width(), image.height()) != (width, height) {
        return Err(bad(path, "it has another size than it says"));
    }
    Ok(Decoded {
        image,
        orientation: Orientation::default(),
        metadata: Metadata::default(),
    })
}
