//! The first page of a TIFF, whatever its samples are.
//!
//! The crate `tiff` unpacks strips and tiles; what their numbers mean is put into RGB here, by TIFF
//! 6.0, at 16 bits where the file has more than 8. Palettes, which it does not unpack, libav does.

use std::io::Cursor;
use std::path::Path;

use ffmpeg_next::codec;
use image::{DynamicImage, ImageBuffer};
use tiff::ColorType;
use tiff::decoder::{BufferLayoutPreference, Decoder, DecodingResult, Limits as TiffLimits};
use tiff::tags::Tag;

use super::decoded::{Decoded, Header, bad};
use super::exif;
use super::metadata::Metadata;
use super::still::{Coding, Stills};
use crate::error::Result;
use crate::limits::Limits;
use crate::orient::Orientation;

/// Whether a file begins like a TIFF, in either order of bytes, of the old or the big kind.
pub(super) fn is_tiff(head: &[u8]) -> bool {
    matches!(
        head,
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..]
    )
}

pub(super) fn header(bytes: &[u8], path: &Path, limits: &Limits) -> Result<Header> {
    let mut page = Page::begin(bytes, path, limits)?;
    let (width, height) = page.orientation().upright_size(page.width, page.height);
    Ok(Header {
        width,
        height,
        orientation: page.orientation(),
        codec: "tiff",
        pixel_format: page.kind.map_or_else(
            || "palette".to_owned(),
            |kind| format!("{kind:?}").to_lowercase(),
        ),
        bit_depth: page.kind.map_or(8, |kind| kind.bit_depth().into()),
        has_alpha: page.kind.is_some_and(has_alpha),
        further_pictures: page.further(),
    })
}

pub(super) fn decode(bytes: &[u8], path: &Path, limits: &Limits) -> Result<Decoded> {
    if exif::is_raw(bytes) {
        let why = "the raw file of a camera, of which only a preview can be read; develop it first";
        return Err(bad(path, why));
    }
    let mut page = Page::begin(bytes, path, limits)?;
    let (metadata, orientation) = (page.metadata(), page.orientation());
    let image = match page.kind {
        Some(kind) => page.pixels(kind, path)?,
        None => by_libav(bytes, path, limits)?,
    };
    if (image.width(), image.height()) != (page.width, page.height) {
        return Err(bad(path, "it has another size than it says"));
    }
    Ok(Decoded {
        image,
        orientation,
        metadata,
    })
}

/// A page whose pixels are not read yet.
struct Page<'a> {
    file: &'a [u8],
    decoder: Decoder<Cursor<&'a [u8]>>,
    width: u32,
    height: u32,
    /// `None` where the crate does not know it: palettes.
    kind: Option<ColorType>,
}

/// libav knows palettes, and nothing else that the crate does not.
fn by_libav(bytes: &[u8], path: &Path, limits: &Limits) -> Result<DynamicImage> {
    let coding = Coding {
        codec: codec::Id::TIFF,
        header: &[],
        colour: None,
    };
    Stills::new(limits).decode(coding, bytes, path)
}

fn has_alpha(kind: ColorType) -> bool {
    matches!(kind, ColorType::GrayA(_) | ColorType::RGBA(_))
}

impl<'a> Page<'a> {
    fn begin(file: &'a [u8], path: &Path, limits: &Limits) -> Result<Self> {
        let broken = |err: tiff::TiffError| bad(path, err);
        let most = limits.max_pixels.saturating_mul(16).saturating_add(1 << 20);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut bounds = TiffLimits::default();
        bounds.decoding_buffer_size = most;
        bounds.intermediate_buffer_size = most;
        let decoder = Decoder::new(Cursor::new(file)).map_err(broken)?;
        let mut decoder = decoder.with_limits(bounds);
        let (width, height) = decoder.dimensions().map_err(broken)?;
        limits.check_size(width.into(), height.into())?;
        let kind = match decoder.colortype() {
            Ok(kind) => Some(kind),
            Err(tiff::TiffError::UnsupportedError(_)) => None,
            Err(err) => return Err(broken(err)),
        };
        Ok(Self {
            file,
            decoder,
            width,
            height,
            kind,
        })
    }

    /// Pages behind the first that are pictures of their own; they cannot be read afterwards.
    fn further(&mut self) -> u32 {
        const MOST: u32 = 10_000;
        /// Bits of a page that is a smaller copy of another, or its mask.
        const COPY_OR_MASK: u32 = 0b101;
        let mut n_pages = 0;
        while n_pages < MOST && self.decoder.more_images() {
            if self.decoder.next_image().is_err() {
                // There is one, whatever it is.
                return n_pages + 1;
            }
            let kind = self.decoder.find_tag_unsigned::<u32>(Tag::NewSubfileType);
            let kind = kind.ok().flatten().unwrap_or(0);
            n_pages += u32::from(kind & COPY_OR_MASK == 0);
        }
        n_pages
    }

    fn orientation(&self) -> Orientation {
        // EXIF is laid out as a TIFF is, and so a TIFF can be read as EXIF.
        let note = image::metadata::Orientation::from_exif_chunk(self.file);
        note.map_or(Orientation::default(), |note| {
            Orientation::from_exif(note.to_exif())
        })
    }

    fn metadata(&mut self) -> Metadata {
        const XMP: Tag = Tag::Unknown(700);
        let said = exif::of_tiff(self.file);
        let packet = self.decoder.get_tag_u8_vec(XMP).ok();
        let mut found = Metadata {
            icc: self.decoder.get_tag_u8_vec(Tag::IccProfile).ok(),
            exif: said.texts,
            xmp: packet.and_then(|packet| String::from_utf8(packet).ok()),
            iptc: said.iptc,
            ..Metadata::default()
        };
        if said.has_more_pages {
            found.lost.push("all pages but the first".to_owned());
        }
        found
    }

    fn pixels(&mut self, kind: ColorType, path: &Path) -> Result<DynamicImage> {
        let broken = |err: tiff::TiffError| bad(path, err);
        let mut read = DecodingResult::U8(Vec::new());
        let layout = self
            .decoder
            .read_image_to_buffer(&mut read)
            .map_err(broken)?;
        if read.as_buffer(0).as_bytes().len() < layout.complete_len {
            return Err(bad(path, "it needs more memory than is allowed"));
        }
        let samples = self.samples(kind, read, &layout);
        let samples =
            samples.ok_or_else(|| bad(path, "its samples are of a kind that is not read"))?;
        let n_pixels = self.width as usize * self.height as usize;
        let n_samples = usize::from(kind.num_samples()).max(1);
        if samples.len() < n_pixels * n_samples {
            return Err(bad(path, "a part of it is missing"));
        }
        let pixels = samples.chunks_exact(n_samples).take(n_pixels);
        let values = self
            .values(kind, pixels, n_samples)
            .map_err(|why| bad(path, why))?;
        let (width, height) = (self.width, self.height);
        let made = if has_alpha(kind) {
            ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgba16)
        } else {
            ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgb16)
        };
        let made = made.ok_or_else(|| bad(path, "a part of it is missing"))?;
        Ok(match (kind.bit_depth() <= 8, has_alpha(kind)) {
            (true, true) => DynamicImage::ImageRgba8(made.into_rgba8()),
            (true, false) => DynamicImage::ImageRgb8(made.into_rgb8()),
            (false, _) => made,
        })
    }

    /// RGB or RGBA. `Err` says what is wrong.
    fn values<'s>(
        &mut self,
        kind: ColorType,
        pixels: impl Iterator<Item = &'s [u16]>,
        n_samples: usize,
    ) -> std::result::Result<Vec<u16>, &'static str> {
        let premultiplied = self.is_premultiplied();
        Ok(match kind {
            ColorType::Gray(_) => pixels.flat_map(|p| [p[0]; 3]).collect(),
            ColorType::GrayA(_) => {
                let rgba = |p: &[u16]| divided([p[0], p[0], p[0], p[1]], premultiplied);
                pixels.flat_map(rgba).collect()
            }
            ColorType::RGBA(_) => {
                let rgba = |p: &[u16]| divided([p[0], p[1], p[2], p[3]], premultiplied);
                pixels.flat_map(rgba).collect()
            }
            ColorType::CMYK(_) | ColorType::CMYKA(_) => pixels
                .flat_map(|p| rgb_from_cmyk([p[0], p[1], p[2], p[3]]))
                .collect(),
            ColorType::YCbCr(_) => pixels
                .flat_map(|p| rgb_from_ycbcr([p[0], p[1], p[2]]))
                .collect(),
            ColorType::Multiband { .. } if n_samples < 3 => {
                pixels.flat_map(|p| [p[0]; 3]).collect()
            }
            ColorType::RGB(_) | ColorType::Multiband { .. } => {
                pixels.flat_map(|p| [p[0], p[1], p[2]]).collect()
            }
            _ => {
                return Err("its kind of colours is not read; convert it to RGB");
            }
        })
    }

    /// All samples over the whole scale of 16 bits, pixel by pixel. `None` for numbers that stand
    /// for no brightness.
    fn samples(
        &self,
        kind: ColorType,
        read: DecodingResult,
        layout: &BufferLayoutPreference,
    ) -> Option<Vec<u16>> {
        let from_float = |v: f32| (v.clamp(0.0, 1.0) * 65_535.0).round() as u16;
        let samples: Vec<u16> = match read {
            DecodingResult::U8(bytes) => self.unpacked(kind, &bytes, layout)?,
            DecodingResult::U16(values) => values,
            DecodingResult::U32(values) => values.iter().map(|v| (v >> 16) as u16).collect(),
            DecodingResult::F16(values) => values.iter().map(|v| from_float(v.to_f32())).collect(),
            DecodingResult::F32(values) => values.iter().map(|v| from_float(*v)).collect(),
            DecodingResult::F64(values) => values.iter().map(|v| from_float(*v as f32)).collect(),
            _ => return None,
        };
        if layout.planes < 2 {
            return Some(samples);
        }
        // One plane after the other: a pixel's samples are moved together.
        let n_pixels = samples.len() / layout.planes;
        let planes: Vec<&[u16]> = samples.chunks_exact(n_pixels.max(1)).collect();
        let pixels = (0..n_pixels).flat_map(|at| planes.iter().map(move |plane| plane[at]));
        Some(pixels.collect())
    }

    /// Samples of up to 8 bits; each row begins with a new byte.
    fn unpacked(
        &self,
        kind: ColorType,
        bytes: &[u8],
        layout: &BufferLayoutPreference,
    ) -> Option<Vec<u16>> {
        let bits = u32::from(kind.bit_depth());
        if !matches!(bits, 1 | 2 | 4 | 8) {
            return None;
        }
        let most = (1_u32 << bits) - 1;
        let scale = |v: u32| (v * 65_535 / most) as u16;
        let in_plane = if layout.planes > 1 {
            1
        } else {
            kind.num_samples()
        };
        let in_row = self.width as usize * usize::from(in_plane);
        let row_bytes = (in_row * bits as usize).div_ceil(8).max(1);
        let rows = bytes.chunks_exact(row_bytes);
        let unpack = |row: &[u8]| {
            let sample = |at: usize| {
                let first_bit = at * bits as usize;
                let shift = 8 - bits as usize - first_bit % 8;
                scale(u32::from(row[first_bit / 8]) >> shift & most)
            };
            (0..in_row).map(sample).collect::<Vec<u16>>()
        };
        Some(rows.flat_map(unpack).collect())
    }

    fn is_premultiplied(&mut self) -> bool {
        let extra = self.decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples);
        extra
            .ok()
            .flatten()
            .is_some_and(|extra| extra.first() == Some(&1))
    }
}

/// Takes the transparency out of colours that were multiplied with it.
fn divided([r, g, b, alpha]: [u16; 4], premultiplied: bool) -> [u16; 4] {
    if !premultiplied || alpha == 0 {
        return [r, g, b, alpha];
    }
    let divide = |v: u16| (u32::from(v) * 65_535 / u32::from(alpha)).min(65_535) as u16;
    [divide(r), divide(g), divide(b), alpha]
}

/// Plain printing colours, without a profile.
fn rgb_from_cmyk([c, m, y, k]: [u16; 4]) -> [u16; 3] {
    let light = u64::from(65_535 - k);
    [c, m, y].map(|ink| (u64::from(65_535 - ink) * light / 65_535) as u16)
}

/// ITU-T T.871, the JPEG File Interchange Format, section 7.
fn rgb_from_ycbcr(values: [u16; 3]) -> [u16; 3] {
    let [y, cb, cr] = values.map(f32::from);
    let (cb, cr) = (cb - 32_896.0, cr - 32_896.0);
    let rgb = [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ];
    rgb.map(|v| v.clamp(0.0, 65_535.0) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_other_kinds_become_rgb() {
        assert_eq!(rgb_from_cmyk([0, 0, 0, 0]), [65_535; 3]);
        assert_eq!(rgb_from_cmyk([0, 65_535, 65_535, 0]), [65_535, 0, 0]);
        assert_eq!(rgb_from_cmyk([0, 0, 0, 65_535]), [0; 3]);
        // Red, as JPEG stores it.
        let red = rgb_from_ycbcr([76 * 257, 85 * 257, 255 * 257]);
        let near = |v: u16, wanted: u16| v.abs_diff(wanted) < 600;
        assert!(
            near(red[0], 65_535) && near(red[1], 0) && near(red[2], 0),
            "{red:?}"
        );
        assert_eq!(divided([100, 200, 300, 32_768], true)[0], 199);
        assert_eq!(divided([100, 200, 300, 32_768], false)[0], 100);
    }
}
