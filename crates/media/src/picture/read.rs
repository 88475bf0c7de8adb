//! A picture's file to its pixels: which format it is, and what its decoder gives, within bounds.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use effigy_frame::Picture;
use image::metadata::Orientation as ImageOrientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::copy::Original;
use super::decoded::{Decoded, Header, bad};
use super::metadata::Metadata;
use super::{bmp, heif, jp2, jxl, tiff};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::moving;
use crate::orient::Orientation;

/// A format of still pictures that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Jpeg,
    Png,
    WebP,
    Bmp,
    Tiff,
    /// HEIC, HEIF and AVIF.
    Heif,
    Jxl,
    Jp2,
}

impl Format {
    /// Recognises a file by its first bytes.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        match image::guess_format(head) {
            Ok(ImageFormat::Jpeg) => return Some(Self::Jpeg),
            Ok(ImageFormat::Png) => return Some(Self::Png),
            Ok(ImageFormat::WebP) => return Some(Self::WebP),
            _ => {}
        }
        if tiff::is_tiff(head) {
            Some(Self::Tiff)
        } else if bmp::is_bmp(head) {
            Some(Self::Bmp)
        } else if heif::is_still(head) {
            Some(Self::Heif)
        } else if jxl::is_jxl(head) {
            Some(Self::Jxl)
        } else if jp2::is_jp2(head) {
            Some(Self::Jp2)
        } else {
            None
        }
    }
}

/// The bytes that tell a format.
const HEAD_BYTES: u64 = 32;

/// The first bytes of a file; `None` where it cannot be read.
pub(super) fn head(path: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let file = File::open(path).ok()?;
    file.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    Some(head)
}

/// Reads the picture that is shown: upright, transparent pixels over black.
pub(super) fn picture(path: &Path, limits: &Limits) -> Result<Picture> {
    refuse_animation(path)?;
    picture_of(&read_all(path, limits)?, path, limits)
}

/// The first frame of an animation is not what it shows.
fn refuse_animation(path: &Path) -> Result<()> {
    if moving::is_animation(path) {
        return Err(bad(path, "it is animated, and no single picture"));
    }
    Ok(())
}

/// As [`picture`], for the bytes of the file `path`.
pub(super) fn picture_of(bytes: &[u8], path: &Path, limits: &Limits) -> Result<Picture> {
    match format(bytes, path)? {
        Format::Jpeg => read_jpeg(bytes, path, limits),
        other => {
            let decoded = decode(other, bytes, path, limits)?;
            Ok(shown(decoded.image, decoded.orientation))
        }
    }
}

/// Reads a picture with everything that an edited copy should keep.
pub(super) fn original(path: &Path, limits: &Limits) -> Result<Original> {
    refuse_animation(path)?;
    let bytes = read_all(path, limits)?;
    let format = format(&bytes, path)?;
    if format == Format::Jpeg {
        let picture = read_jpeg(&bytes, path, limits)?;
        return Ok(Original::new(picture, Metadata::of_jpeg(&bytes), None));
    }
    let decoded = decode(format, &bytes, path, limits)?;
    let picture = shown(decoded.image.clone(), decoded.orientation);
    let pixels = Some((decoded.image, decoded.orientation));
    Ok(Original::new(picture, decoded.metadata, pixels))
}

/// Reads what a picture's header says.
pub(super) fn header(path: &Path, limits: &Limits) -> Result<Header> {
    let bytes = read_all(path, limits)?;
    match format(&bytes, path)? {
        Format::Heif => heif::header(&bytes, path, limits),
        Format::Tiff => tiff::header(&bytes, path, limits),
        Format::Jxl => jxl::header(&bytes, path, limits),
        Format::Jp2 => {
            let (width, height) = jp2::size(&bytes, path, limits)?;
            Ok(Header::upright("jpeg2000", width, height))
        }
        Format::Bmp => {
            let (width, height, bits) = bmp::size(&bytes, path, limits)?;
            Ok(Header {
                pixel_format: format!("bmp{bits}"),
                ..Header::upright("bmp", width, height)
            })
        }
        format => header_of_crate(format, &bytes, path, limits),
    }
}

fn header_of_crate(format: Format, bytes: &[u8], path: &Path, limits: &Limits) -> Result<Header> {
    let mut decoder = decoder(bytes, path, limits)?;
    let (stored_width, stored_height) = decoder.dimensions();
    let orientation = orientation(&mut decoder);
    let (width, height) = orientation.upright_size(stored_width, stored_height);
    let colour_type = decoder.original_color_type();
    let bits = colour_type.bits_per_pixel() / u16::from(colour_type.channel_count()).max(1);
    Ok(Header {
        width,
        height,
        orientation,
        codec: match format {
            Format::Jpeg => "jpg",
            Format::WebP => "webp",
            _ => "png",
        },
        pixel_format: format!("{colour_type:?}").to_lowercase(),
        bit_depth: bits.into(),
        has_alpha: decoder.color_type().has_alpha(),
        further_pictures: match format {
            Format::Jpeg => Metadata::further_pictures(bytes),
            _ => 0,
        },
    })
}

fn format(bytes: &[u8], path: &Path) -> Result<Format> {
    let format = Format::of(bytes);
    format.ok_or_else(|| bad(path, "its format is not known"))
}

pub(crate) fn read_all(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    let open = |source| Error::Open {
        source,
        path: path.to_owned(),
    };
    // No sane encoder needs more than this for a picture of so many pixels.
    let most = limits.max_pixels.saturating_mul(8).saturating_add(1 << 20);
    let bytes = effigy_files::read_bounded(path, most).map_err(|source| match source.kind() {
        ErrorKind::FileTooLarge => Error::TooMuch {
            what: format!("the size of {path:?}"),
            limit: format!("{most} bytes"),
        },
        _ => open(source),
    })?;
    if bytes.is_empty() {
        return Err(Error::Empty {
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

fn read_jpeg(bytes: &[u8], path: &Path, limits: &Limits) -> Result<Picture> {
    let options = DecoderOptions::default()
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .set_strict_mode(true)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|err| bad(path, err))?;
    let (width, height) = decoder
        .dimensions()
        .ok_or_else(|| bad(path, "it has no size"))?;
    limits.check_size(width as u64, height as u64)?;
    let pixels = decoder.decode().map_err(|err| bad(path, err))?;
    if pixels.len() != width * height * 3 {
        return Err(bad(path, "its colours cannot be shown as RGB"));
    }
    let turned = decoder
        .exif()
        .and_then(|exif| ImageOrientation::from_exif_chunk(exif))
        .map_or(Orientation::default(), |o| {
            Orientation::from_exif(o.to_exif())
        });
    Ok(turned.apply(Picture::new(width as u32, height as u32, pixels)))
}

/// Decodes anything but a JPEG.
fn decode(format: Format, bytes: &[u8], path: &Path, limits: &Limits) -> Result<Decoded> {
    match format {
        Format::Heif => heif::decode(bytes, path, limits),
        Format::Jxl => jxl::decode(bytes, path, limits),
        Format::Jp2 => jp2::decode(bytes, path, limits),
        Format::Tiff => tiff::decode(bytes, path, limits),
        Format::Bmp => bmp::decode(bytes, path, limits),
        Format::Jpeg | Format::Png | Format::WebP => decode_of_crate(format, bytes, path, limits),
    }
}

fn decode_of_crate(format: Format, bytes: &[u8], path: &Path, limits: &Limits) -> Result<Decoded> {
    let mut decoder = decoder(bytes, path, limits)?;
    let orientation = orientation(&mut decoder);
    let metadata = match format {
        Format::WebP => Metadata::of_webp(bytes),
        _ => Metadata::of_png(bytes, &mut decoder),
    };
    let image = DynamicImage::from_decoder(decoder).map_err(|err| bad(path, err))?;
    Ok(Decoded {
        image,
        orientation,
        metadata,
    })
}

/// Opens a picture with its size checked.
fn decoder<'a>(
    bytes: &'a [u8],
    path: &Path,
    limits: &Limits,
) -> Result<impl ImageDecoder + use<'a>> {
    let mut reader = ImageReader::new(std::io::Cursor::new(bytes));
    reader = reader.with_guessed_format().map_err(|err| bad(path, err))?;
    let mut bounds = image::Limits::default();
    let most = limits.max_pixels.saturating_mul(16).saturating_add(1 << 20);
    bounds.max_alloc = Some(beside_rows_of_png(bytes).unwrap_or(most));
    reader.limits(bounds);
    let decoder = reader.into_decoder().map_err(|err| bad(path, err))?;
    let (width, height) = decoder.dimensions();
    limits.check_size(width.into(), height.into())?;
    Ok(decoder)
}

/// What the decoder of PNG may take: it needs a few rows, and what is packed into a profile or a
/// text may be a thousand times as large as the file.
fn beside_rows_of_png(bytes: &[u8]) -> Option<u64> {
    const MOST: u64 = 64 << 20;
    const ROWS: u64 = 4;
    const MOST_PIXEL_BYTES: u64 = 8;
    let head = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let width = u32::from_be_bytes(*head.get(8..)?.first_chunk()?);
    Some(MOST + u64::from(width) * ROWS * MOST_PIXEL_BYTES)
}

fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    // A note on orientation that cannot be read is the same as none.
    let note = decoder
        .orientation()
        .unwrap_or(ImageOrientation::NoTransforms);
    Orientation::from_exif(note.to_exif())
}

/// What of it is shown: upright, and transparent pixels over black.
fn shown(decoded: DynamicImage, orientation: Orientation) -> Picture {
    let (width, height) = (decoded.width(), decoded.height());
    let pixels = if decoded.color().has_alpha() {
        crate::convert::over_black(decoded.into_rgba8().as_raw())
    } else {
        decoded.into_rgb8().into_raw()
    };
    orientation.apply(Picture::new(width, height, pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        for (head, format) in [
            (&b"\x89PNG\r\n\x1a\n"[..], Some(Format::Png)),
            (b"\xff\xd8\xff\xe0", Some(Format::Jpeg)),
            (b"\0\0\0\x1cftypheic\0\0\0\0mif1heic", Some(Format::Heif)),
            (b"\0\0\0\x1cftypavif\0\0\0\0", Some(Format::Heif)),
            (b"\0\0\0\x1cftypavis\0\0\0\0", None),
            (b"\0\0\0\x1cftypisom\0\0\0\0", None),
            (b"II\x2a\0\x08\0\0\0", Some(Format::Tiff)),
            (b"MM\0\x2b\0\x08\0\0", Some(Format::Tiff)),
            (
                b"BM\x8a\0\0\0\0\0\0\0\x8a\0\0\0\x7c\0\0\0",
                Some(Format::Bmp),
            ),
            (b"BMW is a maker of cars", None),
            (b"\xff\x0a\xfa\x7f", Some(Format::Jxl)),
            (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14", Some(Format::Jp2)),
            (b"", None),
        ] {
            assert_eq!(Format::of(head), format, "{:?}", head.escape_ascii());
        }
    }
}
