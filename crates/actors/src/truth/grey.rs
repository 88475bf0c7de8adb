//! 8-bit grey pictures that hold numbers.

use std::io;
use std::path::Path;

use effigy_media::{Limits, read_picture};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};

use crate::error::{Error, Result};

/// Writes `bytes` as rows of `width`; what is left of a row at the end is dropped.
pub(super) fn write(path: &Path, width: usize, bytes: &[u8]) -> Result<()> {
    let height = bytes.len() / width;
    let mut coded = Vec::new();
    PngEncoder::new_with_quality(&mut coded, CompressionType::Best, FilterType::Adaptive)
        .write_image(
            &bytes[..width * height],
            width as u32,
            height as u32,
            ExtendedColorType::L8,
        )
        .map_err(|err| write_error(path, io::Error::other(err)))?;
    write_whole(path, &coded)
}

/// Reads a picture: its width and its pixels, row by row.
pub(super) fn read(path: &Path) -> Result<(usize, Vec<u8>)> {
    let picture = read_picture(path, &Limits::default())?;
    // Red, green and blue of a grey picture are the same.
    let grey = picture.pixels().iter().step_by(3).copied().collect();
    Ok((picture.width() as usize, grey))
}

/// Writes a file that appears only when it is complete.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    effigy_files::write_atomically(path, bytes).map_err(|source| write_error(path, source))
}

fn write_error(path: &Path, source: io::Error) -> Error {
    Error::Write {
        source,
        path: path.to_owned(),
    }
}
