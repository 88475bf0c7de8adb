//! An edited copy of a picture: what was changed is taken from the edit, everything else from the
//! original, with its transparency, its 16 bits a colour, and what it says beside its pixels.

use std::io::Write as _;
use std::path::Path;

use effigy_files::AtomicFile;
use effigy_frame::Picture;
use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageError, ImageFormat, ImageResult};

use super::metadata::{Metadata, photoshop_of_iptc, png_chunks, segments};
use super::{JPEG_QUALITY, unknown_format};
use crate::error::{Error, Result};
use crate::orient::Orientation;

/// A picture as its file holds it. [`Original::picture`] is what is looked at and edited.
#[derive(Clone, Debug)]
pub struct Original {
    /// 8 bits a colour, upright, transparent pixels shown over black.
    pub picture: Picture,
    /// What it says beside its pixels.
    pub metadata: Metadata,
    deep: Option<Deep>,
}

/// Pixels that are more than 8 bits of three colours.
#[derive(Clone, Debug)]
struct Deep {
    /// Three or four values a pixel, upright, 0 to 65535 whatever the file's depth.
    values: Vec<u16>,
    has_alpha: bool,
    /// Whether the file has more than 8 bits a value.
    is_16_bit: bool,
}

impl Original {
    /// Takes a decoded file apart; `picture` is what `decoded` shows.
    pub(super) fn new(
        picture: Picture,
        metadata: Metadata,
        decoded: Option<(DynamicImage, Orientation)>,
    ) -> Self {
        let deep = decoded.and_then(|(decoded, orientation)| Deep::of(decoded, orientation));
        let metadata = metadata.for_changed_pixels(picture.width(), picture.height());
        Self {
            picture,
            metadata,
            deep,
        }
    }

    /// Whether a copy as `path` would have transparent pixels.
    pub fn keeps_alpha(&self, path: &Path) -> bool {
        let is_jpeg = ImageFormat::from_path(path).is_ok_and(|f| f == ImageFormat::Jpeg);
        !is_jpeg && self.deep.as_ref().is_some_and(|deep| deep.has_alpha)
    }

    /// Gives the original without what its transparent pixels hide.
    #[must_use]
    pub fn flattened(mut self) -> Self {
        if self.deep.take_if(|deep| deep.has_alpha).is_some() {
            self.metadata.lost.push(FLATTENED.to_owned());
        }
        self
    }
}

const FLATTENED: &str = "transparency: the copy shows transparent parts black";

/// Writes `picture`, an edit of `original`, as PNG, JPEG (quality 95) or WebP (lossless). `cover`
/// says for each pixel, 0 to 255, how much of what lies behind it the edit hides.
///
/// Gives what of the original is not in the copy, in words.
///
/// # Errors
/// If the extension is none of these or the file cannot be written.
pub fn write_copy(
    path: &Path,
    original: &Original,
    picture: &Picture,
    cover: &[u8],
) -> Result<Vec<String>> {
    let format = ImageFormat::from_path(path).map_err(|_unknown| unknown_format(path))?;
    let (before, deep) = (&original.picture, original.deep.as_ref());
    let is_same_size = (before.width(), before.height()) == (picture.width(), picture.height());
    let edited = deep.filter(|_| is_same_size);
    let edited = edited.map(|deep| deep.edited(before, picture, cover));
    let mut lost = original.metadata.lost.clone();
    let encode = match format {
        ImageFormat::Png => png,
        ImageFormat::Jpeg => jpeg,
        ImageFormat::WebP => webp,
        _ => return Err(unknown_format(path)),
    };
    let source = Source {
        picture,
        deep: edited.as_ref(),
        metadata: &original.metadata,
    };
    let bytes = encode(&source, &mut lost).map_err(|err| {
        let source = std::io::Error::other(err);
        Error::write(path)(source)
    })?;
    let mut output = AtomicFile::create(path).map_err(Error::write(path))?;
    output
        .write_all(&bytes)
        .and_then(|()| output.commit())
        .map_err(Error::write(path))?;
    Ok(lost)
}

/// What is encoded.
struct Source<'a> {
    picture: &'a Picture,
    deep: Option<&'a Deep>,
    metadata: &'a Metadata,
}

impl Source<'_> {
    /// Pixels and their kind, as deep as they are.
    fn deepest(&self) -> (Vec<u8>, ExtendedColorType) {
        let Some(deep) = self.deep else {
            return (self.picture.pixels().to_vec(), ExtendedColorType::Rgb8);
        };
        let native = || deep.values.iter().flat_map(|v| v.to_ne_bytes()).collect();
        match (deep.is_16_bit, deep.has_alpha) {
            (true, true) => (native(), ExtendedColorType::Rgba16),
            (true, false) => (native(), ExtendedColorType::Rgb16),
            (false, _) => (deep.in_8_bit(), ExtendedColorType::Rgba8),
        }
    }

    fn size(&self) -> (u32, u32) {
        (self.picture.width(), self.picture.height())
    }
}

const SHALLOW: &str = "16 bits a colour: the copy has 8; name it .png to keep them";

fn png(source: &Source<'_>, lost: &mut Vec<String>) -> ImageResult<Vec<u8>> {
    let metadata = source.metadata;
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    set_profile_and_exif(&mut encoder, metadata, usize::MAX, lost)?;
    let ((pixels, kind), (width, height)) = (source.deepest(), source.size());
    encoder.write_image(&pixels, width, height, kind)?;
    let mut added = Vec::new();
    for chunk in &metadata.chunks {
        // Of two statements on colours the profile counts; the encoder has written it.
        let is_second = chunk.name == *b"sRGB" && metadata.icc.is_some();
        if !is_second {
            added.extend(&chunk.whole);
        }
    }
    for comment in &metadata.comments {
        added.extend(png_chunk(b"tEXt", &[b"Comment\0", &comment[..]].concat()));
    }
    if let Some([x, y]) = metadata.density {
        let content = [&x.to_be_bytes()[..], &y.to_be_bytes(), &[1]].concat();
        added.extend(png_chunk(b"pHYs", &content));
    }
    let head = png_chunks(&bytes)
        .next()
        .map_or(0, |(_, whole)| whole.len());
    bytes.splice(8 + head..8 + head, added);
    Ok(bytes)
}

fn png_chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_be_bytes();
    let body = [&name[..], content].concat();
    [&length[..], &body, &crc32fast::hash(&body).to_be_bytes()].concat()
}

fn jpeg(source: &Source<'_>, lost: &mut Vec<String>) -> ImageResult<Vec<u8>> {
    let metadata = source.metadata;
    if let Some(deep) = source.deep {
        lost.extend(deep.has_alpha.then(|| FLATTENED.to_owned()));
        lost.extend(deep.is_16_bit.then(|| SHALLOW.to_owned()));
    }
    note_chunks(metadata, lost);
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    set_profile_and_exif(&mut encoder, metadata, MOST_IN_SEGMENT - 6, lost)?;
    let (width, height) = source.size();
    let pixels = source.picture.pixels();
    encoder.write_image(pixels, width, height, ExtendedColorType::Rgb8)?;
    let mut added = Vec::new();
    let records = metadata.iptc.as_deref().map(photoshop_of_iptc);
    let records = records.iter().map(|content| (0xed, content));
    let comments = metadata.comments.iter().map(|content| (0xfe, content));
    for (marker, content) in records.chain(comments) {
        match u16::try_from(content.len() + 2) {
            Ok(length) => {
                added.extend([0xff, marker]);
                added.extend(length.to_be_bytes());
                added.extend(content);
            }
            Err(_too_long) => lost.push("IPTC records, which are too long for a JPEG".to_owned()),
        }
    }
    let applications = segments(&bytes).take_while(|(marker, _)| (0xe0..=0xef).contains(marker));
    let head: usize = applications.map(|(_, content)| content.len() + 4).sum();
    bytes.splice(2 + head..2 + head, added);
    if let Some(density) = metadata.density {
        set_jfif_density(&mut bytes, density);
    }
    Ok(bytes)
}

/// The longest content of a JPEG's segment.
const MOST_IN_SEGMENT: usize = 65_533;

/// JFIF 1.02: the header's unit (1: per inch) and two numbers of 16 bits.
fn set_jfif_density(bytes: &mut [u8], density: [u32; 2]) {
    let [x, y] = density.map(|per_metre| (f64::from(per_metre) * 0.0254).round());
    if x.max(y) <= f64::from(u16::MAX) {
        let [x, y] = [x, y].map(|v| (v as u16).to_be_bytes());
        bytes[13..18].copy_from_slice(&[1, x[0], x[1], y[0], y[1]]);
    }
}

fn webp(source: &Source<'_>, lost: &mut Vec<String>) -> ImageResult<Vec<u8>> {
    let metadata = source.metadata;
    let is_16_bit = source.deep.is_some_and(|deep| deep.is_16_bit);
    lost.extend(is_16_bit.then(|| SHALLOW.to_owned()));
    note_chunks(metadata, lost);
    if !metadata.comments.is_empty() {
        lost.push("comments, for which WebP has no place".to_owned());
    }
    let mut bytes = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut bytes);
    set_profile_and_exif(&mut encoder, metadata, usize::MAX, lost)?;
    let (width, height) = source.size();
    match source.deep.filter(|deep| deep.has_alpha) {
        Some(deep) => {
            let pixels = deep.in_8_bit();
            encoder.write_image(&pixels, width, height, ExtendedColorType::Rgba8)?;
        }
        None => {
            let pixels = source.picture.pixels();
            encoder.write_image(pixels, width, height, ExtendedColorType::Rgb8)?;
        }
    }
    Ok(bytes)
}

fn set_profile_and_exif(
    encoder: &mut impl ImageEncoder,
    metadata: &Metadata,
    most_exif: usize,
    lost: &mut Vec<String>,
) -> ImageResult<()> {
    if let Some(icc) = &metadata.icc {
        encoder
            .set_icc_profile(icc.clone())
            .map_err(ImageError::Unsupported)?;
    }
    match &metadata.exif {
        Some(exif) if exif.len() <= most_exif => encoder
            .set_exif_metadata(exif.clone())
            .map_err(ImageError::Unsupported)?,
        Some(_) => lost.push("EXIF, which is too long for a JPEG".to_owned()),
        None => {}
    }
    Ok(())
}

/// Notes what only a PNG can say.
fn note_chunks(metadata: &Metadata, lost: &mut Vec<String>) {
    let has = |names: &[&[u8; 4]]| {
        let mut chunks = metadata.chunks.iter();
        chunks.any(|chunk| names.contains(&&chunk.name))
    };
    if has(&[b"tEXt", b"zTXt", b"iTXt"]) {
        lost.push("notes in text chunks, for which only PNG has a place".to_owned());
    }
    let is_plain = metadata.icc.is_some() || has(&[b"sRGB"]) && !has(&[b"cICP"]);
    if !is_plain && has(&[b"gAMA", b"cHRM", b"cICP"]) {
        lost.push("how the PNG says that its colours are meant".to_owned());
    }
}

impl Deep {
    /// `None` where 8 bits of three colours say everything.
    fn of(decoded: DynamicImage, orientation: Orientation) -> Option<Self> {
        let color = decoded.color();
        let has_alpha = color.has_alpha();
        let is_16_bit = color.bytes_per_pixel() / color.channel_count() > 1;
        if !has_alpha && !is_16_bit {
            return None;
        }
        let (width, height) = (decoded.width(), decoded.height());
        let values = if has_alpha {
            let rgba = decoded.into_rgba16().into_raw();
            orientation.apply_to_values::<4>(rgba, width, height)
        } else {
            let rgb = decoded.into_rgb16().into_raw();
            orientation.apply_to_values::<3>(rgb, width, height)
        };
        Some(Self {
            values,
            has_alpha,
            is_16_bit,
        })
    }

    /// Takes over what differs between `before` and `after`.
    fn edited(&self, before: &Picture, after: &Picture, cover: &[u8]) -> Self {
        let n_values = if self.has_alpha { 4 } else { 3 };
        let mut values = self.values.clone();
        let pixels = values.chunks_exact_mut(n_values);
        let sides = before
            .pixels()
            .chunks_exact(3)
            .zip(after.pixels().chunks_exact(3));
        let covers = cover.iter().copied().chain(std::iter::repeat(0));
        for ((pixel, (before, after)), cover) in pixels.zip(sides).zip(covers) {
            if before != after || cover > 0 {
                edit(pixel, before, after, cover);
            }
        }
        Self { values, ..*self }
    }

    fn in_8_bit(&self) -> Vec<u8> {
        let rounded = |v: &u16| ((u32::from(*v) + 128) / 257) as u8;
        self.values.iter().map(rounded).collect()
    }
}

/// Changes a pixel as much as the edit did. Over black, it then looks like `after`.
fn edit(pixel: &mut [u16], before: &[u8], after: &[u8], cover: u8) {
    const FULL: i64 = 65_535;
    let alpha = pixel.get(3).map_or(FULL, |alpha| i64::from(*alpha));
    let hidden = alpha + (FULL - alpha) * i64::from(cover) / 255;
    if let Some(alpha) = pixel.get_mut(3) {
        *alpha = hidden as u16;
    }
    if hidden == 0 {
        return;
    }
    for ((value, before), after) in pixel.iter_mut().zip(before).zip(after) {
        let difference = i64::from(*after) - i64::from(*before);
        let over_black = i64::from(*value) * alpha / FULL + difference * 257;
        *value = (over_black * FULL / hidden).clamp(0, FULL) as u16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_of_16_bits_keeps_what_8_cannot_hold() {
        let mut pixel = [0x1234, 0x80ff, 0xffff];
        let before = [0x12, 0x80, 0xff];
        edit(&mut pixel, &before, &[0x14, 0x80, 0xf0], 0);
        assert_eq!(pixel, [0x1234 + 2 * 257, 0x80ff, 0xf0f0]);
    }

    #[test]
    fn over_black_an_edited_pixel_looks_like_the_edit() {
        for alpha in [257_u16, 9000, 30_000, 65_535] {
            for (value, by, cover) in [
                (40_000_u16, 3_i32, 0_u8),
                (40_000, -3, 0),
                (65_535, 60, 200),
            ] {
                let black = |pixel: &[u16]| {
                    let over = f64::from(pixel[0]) * f64::from(pixel[3]) / 65_535.0;
                    (over / 257.0).round() as i32
                };
                let mut pixel = [value, value, value, alpha];
                let before = black(&pixel) as u8;
                let after = (i32::from(before) + by).clamp(0, 255);
                edit(&mut pixel, &[before; 3], &[after as u8; 3], cover);
                let shown = black(&pixel);
                // A nearly transparent pixel cannot be made brighter than white.
                let possible = (f64::from(pixel[3]) / 257.0).round() as i32;
                let off = shown - after.min(possible);
                assert!(off.abs() <= 1, "{alpha} {value}: {shown}, not {after}");
                assert!(pixel[3] >= alpha);
            }
        }
    }

    #[test]
    fn what_is_covered_is_as_opaque_as_the_cover() {
        let mut pixel = [0, 0, 0, 0];
        edit(&mut pixel, &[0; 3], &[0; 3], 165);
        assert_eq!(pixel, [0, 0, 0, 165 * 257]);
        let mut untouched = [7, 8, 9, 0];
        edit(&mut untouched, &[0; 3], &[40; 3], 0);
        assert_eq!(untouched, [7, 8, 9, 0]);
    }
}
