//! Single pictures, recognised by their content.

mod bmp;
mod copy;
mod decoded;
mod exif;
mod heif;
mod jp2;
mod jxl;
mod metadata;
mod mpo;
mod read;
mod still;
mod tiff;

use std::io::{BufWriter, Write as _};
use std::path::Path;

use effigy_files::{AtomicFile, Kind};
use effigy_frame::{Picture, Rational};
use image::ImageFormat;

use crate::colour::{ColourTags, Matrix, Range, Transfer};
use crate::error::{Error, Result};
use crate::info::{Info, VideoInfo};
use crate::limits::Limits;
use crate::moving;
use crate::orient::Orientation;
use crate::patience;
pub use copy::{Original, write_copy};
pub use metadata::Metadata;
pub(crate) use read::read_all;

/// Pictures a second, unless the caller says otherwise.
pub(crate) const DEFAULT_RATE: Rational = Rational { num: 25, den: 1 };

/// Reads a JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP, JPEG XL or JPEG 2000, turned upright.
/// Transparent pixels are shown over black.
///
/// # Errors
/// If the file cannot be opened, is damaged, or has more pixels than `limits` allow.
pub fn read_picture(path: &Path, limits: &Limits) -> Result<Picture> {
    patience::read(path, limits, |path, limits, _pulse| read_here(path, limits))
}

/// As [`read_picture`], on this thread, for as long as it takes.
pub(crate) fn read_here(path: &Path, limits: &Limits) -> Result<Picture> {
    read::picture(path, limits)
}

/// As [`read_picture`], from memory; `path` is where it comes from.
pub(crate) fn from_bytes(bytes: &[u8], path: &Path, limits: &Limits) -> Result<Picture> {
    read::picture_of(bytes, path, limits)
}

/// Reads a picture as [`read_picture`] does, with everything that an edited copy of it should keep.
///
/// # Errors
/// As [`read_picture`].
pub fn read_original(path: &Path, limits: &Limits) -> Result<Original> {
    patience::read(path, limits, |path, limits, _pulse| {
        read::original(path, limits)
    })
}

/// Writes a PNG, JPEG (quality 95) or WebP (lossless), as the extension of `path` says.
///
/// The file appears only when it is complete.
///
/// # Errors
/// If the extension is none of these or the file cannot be written.
pub fn write_picture(path: &Path, picture: &Picture) -> Result<()> {
    let format = ImageFormat::from_path(path).map_err(|_unknown| unknown_format(path))?;
    let output = AtomicFile::create(path).map_err(Error::write(path))?;
    let mut writer = BufWriter::new(output.file());
    let (pixels, w, h) = (picture.pixels(), picture.width(), picture.height());
    let rgb = image::ExtendedColorType::Rgb8;
    use image::ImageEncoder as _;
    use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
    let written = match format {
        ImageFormat::Png => PngEncoder::new(&mut writer).write_image(pixels, w, h, rgb),
        ImageFormat::Jpeg => {
            JpegEncoder::new_with_quality(&mut writer, JPEG_QUALITY).write_image(pixels, w, h, rgb)
        }
        ImageFormat::WebP => WebPEncoder::new_lossless(&mut writer).write_image(pixels, w, h, rgb),
        _ => return Err(unknown_format(path)),
    };
    let flushed = written
        .map_err(std::io::Error::other)
        .and_then(|()| writer.flush());
    drop(writer);
    flushed
        .and_then(|()| output.commit())
        .map_err(Error::write(path))
}

/// Quality of the JPEGs that are written.
const JPEG_QUALITY: u8 = 95;

fn unknown_format(path: &Path) -> Error {
    Error::UnknownFormat {
        path: path.to_owned(),
        known: ".png, .jpg, .jpeg, .webp",
    }
}

/// Gives `picture` as a JPEG (quality 85) in memory, to be shown inside a document.
pub fn jpeg_bytes(picture: &Picture) -> Vec<u8> {
    jpeg_of(picture)
}

/// As [`jpeg_bytes`], for what goes into a video.
pub(crate) fn jpeg_of(picture: &Picture) -> Vec<u8> {
    const QUALITY: u8 = 85;
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    let (width, height) = (picture.width(), picture.height());
    let rgb = image::ExtendedColorType::Rgb8;
    let encoded = encoder.encode(picture.pixels(), width, height, rgb);
    debug_assert!(encoded.is_ok(), "memory takes every picture");
    bytes
}

/// Whether the file starts like a still picture. Errors of opening are left to whoever reads it.
pub(crate) fn is_picture(path: &Path) -> bool {
    let is_known = |head: Vec<u8>| read::Format::of(&head).is_some();
    read::head(path).is_some_and(is_known) && !moving::is_animation(path)
}

/// Tells pictures and videos from other files by their first bytes, whatever they are called.
/// `None` for anything else, and for what cannot be opened.
pub fn kind_of_content(path: &Path) -> Option<Kind> {
    let head = read::head(path)?;
    if read::Format::of(&head).is_some() {
        return Some(Kind::Picture);
    }
    let is_sound = |brand: &[u8]| matches!(brand, b"M4A " | b"M4B " | b"M4P ");
    let is_video = match head.as_slice() {
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => !brand.get(..4).is_some_and(is_sound),
        [b'R', b'I', b'F', b'F', _, _, _, _, kind @ ..] => kind.starts_with(b"AVI "),
        // Matroska, Windows Media, an MPEG stream.
        [0x1a, 0x45, 0xdf, 0xa3, ..] | [0x30, 0x26, 0xb2, 0x75, ..] | [0, 0, 1, 0xba, ..] => true,
        other => other.starts_with(b"GIF8") || other.starts_with(b"FLV\x01"),
    };
    is_video.then_some(Kind::Video)
}

/// Describes a single picture as a video of one frame, without decoding its pixels.
pub(crate) fn probe(path: &Path, limits: &Limits) -> Result<Info> {
    let header = read::header(path, limits)?;
    let (width, height) = (header.width, header.height);
    let info = picture_info(VideoInfo {
        codec: header.codec.to_owned(),
        width,
        height,
        orientation: header.orientation,
        pixel_format: header.pixel_format,
        bit_depth: header.bit_depth,
        alpha: header.has_alpha,
        ..still(width, height)
    });
    Ok(Info {
        further_pictures: header.further_pictures,
        ..info
    })
}

/// Wraps the description of pictures.
pub(crate) fn picture_info(video: VideoInfo) -> Info {
    Info {
        container: "pictures".to_owned(),
        duration_secs: video.duration_secs,
        video: Some(video),
        audio: None,
        creation_tool: None,
        creation_time: None,
        further_pictures: 0,
    }
}

/// What is the same for all pictures: one upright sRGB frame of 1/25 s.
pub(crate) fn still(width: u32, height: u32) -> VideoInfo {
    let rate = DEFAULT_RATE;
    VideoInfo {
        codec: "pictures".to_owned(),
        width,
        height,
        frame_rate: rate,
        base_rate: rate,
        time_base: Rational::new(rate.den, rate.num),
        frames: Some(1),
        duration_secs: Some(1.0 / rate.to_f64()),
        orientation: Orientation::default(),
        pixel_aspect: Rational::new(1, 1),
        pixel_format: "rgb24".to_owned(),
        bit_depth: 8,
        interlaced: false,
        alpha: false,
        colour: ColourTags {
            range: Range::Full,
            matrix: Matrix::Rgb,
            primaries: crate::colour::Primaries::Bt709,
            transfer: Transfer::Srgb,
        },
    }
}
