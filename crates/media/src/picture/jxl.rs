//! JPEG XL, decoded by jxl-oxide within bounds of memory.

use std::path::Path;

use image::{DynamicImage, ImageBuffer};
use jxl_oxide::{
    AllocTracker, AuxBoxData, EnumColourEncoding, InitializeResult, JxlImage, PixelFormat,
    RenderingIntent,
};

use super::decoded::{Decoded, Header, bad};
use super::metadata::Metadata;
use crate::error::Result;
use crate::limits::Limits;
use crate::orient::Orientation;

/// Whether a file begins like a JPEG XL: its bare stream, or its container.
pub(super) fn is_jxl(head: &[u8]) -> bool {
    head.starts_with(&[0xff, 0x0a]) || head.starts_with(b"\0\0\0\x0cJXL \r\n\x87\n")
}

pub(super) fn header(bytes: &[u8], path: &Path, limits: &Limits) -> Result<Header> {
    let (image, _) = begin(bytes, path, limits)?;
    Ok(Header {
        further_pictures: 0,
        width: image.width(),
        height: image.height(),
        // jxl-oxide turns pictures itself.
        orientation: Orientation::default(),
        codec: "jpegxl",
        pixel_format: format!("{:?}", image.pixel_format()).to_lowercase(),
        bit_depth: image.image_header().metadata.bit_depth.bits_per_sample(),
        has_alpha: image.pixel_format().has_alpha(),
    })
}

/// Decodes the first picture.
pub(super) fn decode(bytes: &[u8], path: &Path, limits: &Limits) -> Result<Decoded> {
    let image = whole(bytes, path, limits)?;
    let mut metadata = metadata(&image);
    if image.hdr_type().is_some() {
        let lost = "the high dynamic range: the copy has an ordinary one";
        metadata.lost.push(lost.to_owned());
    }
    if image.num_loaded_keyframes() == 0 {
        return Err(bad(path, "it is cut off"));
    }
    if 1 < image.num_loaded_keyframes() {
        let why = "it is animated, and of JPEG XL only still pictures are read";
        return Err(bad(path, why));
    }
    Ok(Decoded {
        image: picture(&image, 0, path)?,
        // jxl-oxide has turned it.
        orientation: Orientation::default(),
        metadata,
    })
}

/// Reads the whole stream, ready to be rendered.
fn whole(bytes: &[u8], path: &Path, limits: &Limits) -> Result<JxlImage> {
    let broken = |err: Box<dyn std::error::Error + Send + Sync>| bad(path, err);
    let (mut image, n_read) = begin(bytes, path, limits)?;
    image.feed_bytes(&bytes[n_read..]).map_err(broken)?;
    image.finalize().map_err(broken)?;
    if image.hdr_type().is_some() {
        image.request_color_encoding(EnumColourEncoding::srgb(RenderingIntent::Relative));
    }
    Ok(image)
}

/// Reads as far as the header, and gives the bytes that took.
fn begin(bytes: &[u8], path: &Path, limits: &Limits) -> Result<(JxlImage, usize)> {
    /// A header with a colour profile of the usual length.
    const FIRST: usize = 4096;
    let broken = |err: Box<dyn std::error::Error + Send + Sync>| bad(path, err);
    let tracker = AllocTracker::with_limit(most_memory(limits));
    let mut reader = JxlImage::builder().alloc_tracker(tracker).build_uninit();
    let (mut from, mut to) = (0, FIRST.min(bytes.len()));
    loop {
        reader.feed_bytes(&bytes[from..to]).map_err(broken)?;
        match reader.try_init().map_err(broken)? {
            InitializeResult::Initialized(image) => {
                let header = image.image_header();
                let (width, height) = (header.size.width, header.size.height);
                limits.check_size(width.into(), height.into())?;
                return Ok((image, to));
            }
            InitializeResult::NeedMoreData(_) if to == bytes.len() => {
                return Err(bad(path, "it is cut off"));
            }
            InitializeResult::NeedMoreData(more) => {
                reader = more;
                (from, to) = (to, (2 * to).min(bytes.len()));
            }
        }
    }
}

/// Four planes of 32 bits a pixel, each with a copy to work on, and something for tables.
fn most_memory(limits: &Limits) -> usize {
    let bytes = limits
        .max_pixels
        .saturating_mul(32)
        .saturating_add(64 << 20);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

fn picture(image: &JxlImage, index: usize, path: &Path) -> Result<DynamicImage> {
    let rendered = image.render_frame(index).map_err(|err| bad(path, err))?;
    let mut stream = rendered.stream();
    let (width, height) = (stream.width(), stream.height());
    let n_channels = match image.pixel_format() {
        PixelFormat::Cmyk | PixelFormat::Cmyka => {
            return Err(bad(path, "it is in printing colours; convert it to RGB"));
        }
        format => format.channels(),
    };
    let n_values = width as usize * height as usize * n_channels;
    let is_deep = image.image_header().metadata.bit_depth.bits_per_sample() > 8;
    let wrong = || bad(path, "it has another size than it says");
    if is_deep {
        let mut values = vec![0_u16; n_values];
        let n_written = stream.write_to_buffer(&mut values);
        let made = match n_channels {
            1 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLuma16),
            2 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLumaA16),
            3 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgb16),
            _ => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgba16),
        };
        return made.filter(|_| n_written == n_values).ok_or_else(wrong);
    }
    let mut values = vec![0_u8; n_values];
    let n_written = stream.write_to_buffer(&mut values);
    let made = match n_channels {
        1 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLuma8),
        2 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLumaA8),
        3 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgb8),
        _ => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgba8),
    };
    made.filter(|_| n_written == n_values).ok_or_else(wrong)
}

fn metadata(image: &JxlImage) -> Metadata {
    let boxes = image.aux_boxes();
    let exif = match boxes.first_exif() {
        Ok(AuxBoxData::Data(exif)) => {
            let skipped = exif.tiff_header_offset() as usize;
            exif.payload().get(skipped..).map(<[u8]>::to_vec)
        }
        _ => None,
    };
    let xmp = match boxes.first_xml() {
        AuxBoxData::Data(packet) => String::from_utf8(packet.to_vec()).ok(),
        _ => None,
    };
    // One that is only made up from the stream's few words on grey says nothing.
    let is_grey = image.pixel_format().is_grayscale();
    let profile = if is_grey {
        image.original_icc().unwrap_or_default().to_vec()
    } else {
        image.rendered_icc()
    };
    Metadata {
        icc: (!profile.is_empty()).then_some(profile),
        exif,
        xmp,
        ..Metadata::default()
    }
}
