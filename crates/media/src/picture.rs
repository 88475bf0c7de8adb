//! Single pictures: PNG, JPEG and WebP, recognised by their content.

mod copy;
mod exif;
mod metadata;

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Read as _, Write as _};
use std::path::Path;

use effigy_files::AtomicFile;
use effigy_frame::{Picture, Rational};
use image::metadata::Orientation as ImageOrientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::colour::{ColourTags, Matrix, Range, Transfer};
use crate::error::{Error, Result};
use crate::info::{Info, VideoInfo};
use crate::limits::Limits;
use crate::orient::Orientation;
pub use copy::{Original, write_copy};
pub use metadata::Metadata;

/// Pictures a second, unless the caller says otherwise.
pub(crate) const DEFAULT_RATE: Rational = Rational { num: 25, den: 1 };

/// Reads a PNG, JPEG or WebP, turned upright. Transparent pixels are shown over black.
///
/// # Errors
/// If the file cannot be opened, is damaged, or has more pixels than `limits` allow.
pub fn read_picture(path: &Path, limits: &Limits) -> Result<Picture> {
    let bytes = read_all(path, limits)?;
    match image::guess_format(&bytes) {
        Ok(ImageFormat::Jpeg) => read_jpeg(&bytes, path, limits),
        Ok(_) => {
            let decoded = read_other(&bytes, path, limits)?;
            Ok(shown(decoded.image, decoded.orientation))
        }
        Err(err) => Err(bad(path, err)),
    }
}

/// Reads a picture as [`read_picture`] does, with everything that an edited copy of it should keep.
///
/// # Errors
/// As [`read_picture`].
pub fn read_original(path: &Path, limits: &Limits) -> Result<Original> {
    let bytes = read_all(path, limits)?;
    let format = image::guess_format(&bytes).map_err(|err| bad(path, err))?;
    if format == ImageFormat::Jpeg {
        let picture = read_jpeg(&bytes, path, limits)?;
        return Ok(Original::new(picture, Metadata::of_jpeg(&bytes), None));
    }
    let decoded = read_other(&bytes, path, limits)?;
    let picture = shown(decoded.image.clone(), decoded.orientation);
    let pixels = Some((decoded.image, decoded.orientation));
    Ok(Original::new(picture, decoded.metadata, pixels))
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
    const QUALITY: u8 = 85;
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    let (width, height) = (picture.width(), picture.height());
    let rgb = image::ExtendedColorType::Rgb8;
    let encoded = encoder.encode(picture.pixels(), width, height, rgb);
    debug_assert!(encoded.is_ok(), "memory takes every picture");
    bytes
}

/// Whether the file starts like a picture. Errors of opening are left to whoever reads it.
pub(crate) fn is_picture(path: &Path) -> bool {
    let mut head = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read(&mut head));
    let format = read.ok().and_then(|n| image::guess_format(&head[..n]).ok());
    matches!(
        format,
        Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)
    )
}

/// Describes a single picture as a video of one frame, without decoding its pixels.
pub(crate) fn probe(path: &Path, limits: &Limits) -> Result<Info> {
    let bytes = read_all(path, limits)?;
    let format = image::guess_format(&bytes).map_err(|err| bad(path, err))?;
    let mut decoder = other_decoder(&bytes, path, limits)?;
    let (stored_width, stored_height) = decoder.dimensions();
    let orientation = orientation(&mut decoder);
    let (width, height) = orientation.upright_size(stored_width, stored_height);
    let colour_type = decoder.original_color_type();
    let bits = colour_type.bits_per_pixel() / u16::from(colour_type.channel_count()).max(1);
    let codec = format.extensions_str()[0];
    Ok(picture_info(VideoInfo {
        codec: codec.to_owned(),
        width,
        height,
        orientation,
        pixel_format: format!("{colour_type:?}").to_lowercase(),
        bit_depth: bits.into(),
        alpha: decoder.color_type().has_alpha(),
        ..still(width, height)
    }))
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
        alpha: false,
        colour: ColourTags {
            range: Range::Full,
            matrix: Matrix::Rgb,
            primaries: crate::colour::Primaries::Bt709,
            transfer: Transfer::Srgb,
        },
    }
}

fn read_all(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
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

/// A picture as its file stores it.
struct Decoded {
    image: DynamicImage,
    orientation: Orientation,
    metadata: Metadata,
}

fn read_other(bytes: &[u8], path: &Path, limits: &Limits) -> Result<Decoded> {
    let mut decoder = other_decoder(bytes, path, limits)?;
    let orientation = orientation(&mut decoder);
    let metadata = if bytes.starts_with(b"RIFF") {
        Metadata::of_webp(bytes)
    } else {
        Metadata::of_png(bytes, &mut decoder)
    };
    let image = DynamicImage::from_decoder(decoder).map_err(|err| bad(path, err))?;
    Ok(Decoded {
        image,
        orientation,
        metadata,
    })
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

/// Opens a picture with its size checked.
fn other_decoder<'a>(
    bytes: &'a [u8],
    path: &Path,
    limits: &Limits,
) -> Result<impl ImageDecoder + use<'a>> {
    let mut reader = ImageReader::new(std::io::Cursor::new(bytes));
    reader = reader.with_guessed_format().map_err(|err| bad(path, err))?;
    let mut bounds = image::Limits::default();
    bounds.max_alloc = Some(limits.max_pixels.saturating_mul(16).saturating_add(1 << 20));
    reader.limits(bounds);
    let decoder = reader.into_decoder().map_err(|err| bad(path, err))?;
    let (width, height) = decoder.dimensions();
    limits.check_size(width.into(), height.into())?;
    Ok(decoder)
}

fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    // A note on orientation that cannot be read is the same as none.
    let note = decoder
        .orientation()
        .unwrap_or(ImageOrientation::NoTransforms);
    Orientation::from_exif(note.to_exif())
}

fn bad(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::BadPicture {
        why: why.to_string().trim().to_owned(),
        path: path.to_owned(),
    }
}

/// The checksum of PNG (ISO 3309), bit by bit: what it is of is short.
fn crc32(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    });
    !crc
}
