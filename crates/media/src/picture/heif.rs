//! Still pictures of phones: HEIC, HEIF and AVIF.
//!
//! libav 5.1 decodes what they are coded in, H.265 and AV1, but does not put the tiles of a large
//! picture together, nor turn it, crop it or add its transparency. That is done here, from ISO
//! 23008-12 and the AVIF specification 1.1.

mod items;

use std::path::Path;

use ffmpeg_next::codec;
use image::DynamicImage;

use super::decoded::{Decoded, Header, bad};
use super::metadata::Metadata;
use super::still::{Coding, Stills};
use crate::colour::{Codes, ColourTags};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::orient::Orientation;
pub(super) use items::boxes;
use items::{Item, Items, Property};

/// Whether a file begins like one of these and holds a still picture. Those that move are videos.
pub(super) fn is_still(head: &[u8]) -> bool {
    let is_named = |brand: &[u8]| {
        matches!(
            brand,
            b"heic" | b"heix" | b"heim" | b"heis" | b"mif1" | b"mif2" | b"avif" | b"MiHE" | b"miaf"
        )
    };
    head.get(4..8) == Some(b"ftyp") && head.get(8..12).is_some_and(is_named)
}

/// Reads a picture's size without decoding it.
pub(super) fn header(bytes: &[u8], path: &Path, limits: &Limits) -> Result<Header> {
    let items = listed(bytes, path)?;
    let picture = Shown::of(&items, path)?;
    let (width, height) = picture.stored_size(path, limits)?;
    let shown = part(&picture.properties, width, height);
    let orientation = picture.orientation();
    let (width, height) = orientation.upright_size(shown.width, shown.height);
    let coded = picture.coded().map_or(*b"    ", |item| item.kind);
    Ok(Header {
        width,
        height,
        orientation,
        codec: match codec_of(coded) {
            Some(codec::Id::AV1) => "av1",
            _ => "hevc",
        },
        pixel_format: String::from_utf8_lossy(&coded).into_owned(),
        bit_depth: picture.bit_depth(),
        has_alpha: picture.alpha().is_some(),
        further_pictures: items.further_pictures(),
    })
}

/// Decodes the picture that the file shows, with its transparency.
pub(super) fn decode(bytes: &[u8], path: &Path, limits: &Limits) -> Result<Decoded> {
    let items = listed(bytes, path)?;
    let picture = Shown::of(&items, path)?;
    let (width, height) = picture.stored_size(path, limits)?;
    let mut stills = Stills::new(limits);
    let colour = pixels(&items, picture.item, path, &mut stills)?;
    let (deepest, was_hdr) = (stills.deepest, stills.was_hdr);
    let alpha = picture.alpha();
    let alpha = alpha.map(|item| pixels(&items, item, path, &mut stills));
    let alpha = alpha.transpose()?;
    let is_fitting = |p: &DynamicImage| (p.width(), p.height()) == (width, height);
    if !is_fitting(&colour) || !alpha.as_ref().is_none_or(is_fitting) {
        return Err(bad(path, "its parts are of another size than it says"));
    }
    let image = match alpha {
        Some(alpha) => {
            let is_multiplied = !items.to(picture.item.id, b"prem").is_empty();
            with_alpha(&colour, alpha, is_multiplied)
        }
        None => colour,
    };
    let mut metadata = picture.metadata(bytes);
    if was_hdr {
        let lost =
            format!("the high dynamic range of {deepest} bits: the copy has an ordinary one");
        metadata.lost.push(lost);
    }
    let shown = part(&picture.properties, width, height);
    Ok(Decoded {
        image: image.crop_imm(shown.left, shown.top, shown.width, shown.height),
        orientation: picture.orientation(),
        metadata,
    })
}

fn listed<'a>(bytes: &'a [u8], path: &Path) -> Result<Items<'a>> {
    items::list(bytes).ok_or_else(|| bad(path, "its list of parts is damaged or cut"))
}

/// The picture that a file shows.
struct Shown<'a> {
    items: &'a Items<'a>,
    item: &'a Item,
    properties: Vec<Property<'a>>,
}

impl<'a> Shown<'a> {
    fn of(items: &'a Items<'a>, path: &Path) -> Result<Self> {
        let item = items.item(items.primary);
        let item = item.ok_or_else(|| bad(path, "it lists no picture to show"))?;
        Ok(Self {
            items,
            item,
            properties: items.properties(item).collect(),
        })
    }

    /// Width and height before cropping and turning, within the limits.
    fn stored_size(&self, path: &Path, limits: &Limits) -> Result<(u32, u32)> {
        let (width, height) =
            size(&self.properties).ok_or_else(|| bad(path, "it does not say its size"))?;
        limits.check_size(width.into(), height.into())?;
        Ok((width, height))
    }

    /// The item itself, or the first of those it is put together from.
    fn coded(&self) -> Option<&'a Item> {
        match self.items.to(self.item.id, b"dimg").first() {
            Some(first) => self.items.item(*first),
            None => Some(self.item),
        }
    }

    fn bit_depth(&self) -> u32 {
        let depth = self.properties.iter().find_map(|property| match property {
            Property::Depth(bits) => Some(*bits),
            _ => None,
        });
        depth.unwrap_or(8)
    }

    fn orientation(&self) -> Orientation {
        let turns = self
            .properties
            .iter()
            .filter_map(|property| match property {
                Property::Turned(orientation) => Some(*orientation),
                _ => None,
            });
        turns.fold(Orientation::default(), Orientation::then)
    }

    fn alpha(&self) -> Option<&'a Item> {
        const PURPOSES: [&[u8]; 2] = [
            b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
            b"urn:mpeg:hevc:2015:auxid:1",
        ];
        let items = self.items;
        let is_alpha = |item: &&Item| {
            let purpose = items.properties(item).find_map(purpose);
            purpose.is_some_and(|purpose| PURPOSES.contains(&purpose))
        };
        items.from(self.item.id, b"auxl").find(is_alpha)
    }

    fn metadata(&self, bytes: &[u8]) -> Metadata {
        let items = self.items;
        let about = || items.from(self.item.id, b"cdsc");
        let exif = about().find(|item| item.kind == *b"Exif");
        let packet = about().find(|item| item.media_type == "application/rdf+xml");
        let packet = packet.and_then(|item| items.bytes(item));
        let mut metadata = Metadata {
            exif: exif.and_then(|item| tiff_of(&items.bytes(item)?)),
            xmp: packet.and_then(|packet| String::from_utf8(packet).ok()),
            icc: self.profile(),
            ..Metadata::default()
        };
        let auxiliary = items.from(self.item.id, b"auxl");
        for purpose in auxiliary.filter_map(|item| items.properties(item).find_map(purpose)) {
            let purpose = String::from_utf8_lossy(purpose);
            let what = match purpose.rsplit(':').next().unwrap_or_default() {
                "hdrgainmap" => "the gain map, for screens of a high dynamic range",
                "2" if purpose.starts_with("urn:mpeg:hevc") => "the depth map",
                "depth" => "the depth map",
                _ => continue,
            };
            metadata.lost.push(what.to_owned());
        }
        let kinds: Vec<[u8; 4]> = boxes(bytes).map(|one| one.kind).collect();
        if kinds.contains(b"moov") {
            metadata
                .lost
                .push("moving pictures in the file: only its still is copied".to_owned());
        }
        if kinds.contains(b"mpvd") {
            metadata.note_clip();
        } else {
            metadata.note_motion(bytes);
        }
        metadata
    }

    /// The profile in the file, or one for the primaries that it names.
    fn profile(&self) -> Option<Vec<u8>> {
        const DISPLAY_P3: u16 = 12;
        let profile = self.properties.iter().find_map(|property| match property {
            Property::Profile(profile) => Some(profile.to_vec()),
            _ => None,
        });
        let is_p3 = || {
            let named = |p: &Property<'_>| matches!(p, Property::Colour([DISPLAY_P3, ..], _));
            self.properties.iter().any(named)
        };
        profile.or_else(|| {
            let named = is_p3().then(moxcms::ColorProfile::new_display_p3);
            named.and_then(|profile| profile.encode().ok())
        })
    }
}

fn purpose(property: Property<'_>) -> Option<&[u8]> {
    match property {
        Property::Purpose(purpose) => Some(purpose),
        _ => None,
    }
}

fn size(properties: &[Property<'_>]) -> Option<(u32, u32)> {
    properties.iter().find_map(|property| match property {
        Property::Size(width, height) => Some((*width, *height)),
        _ => None,
    })
}

/// Four bytes say where the TIFF header begins behind them.
fn tiff_of(exif: &[u8]) -> Option<Vec<u8>> {
    let (skipped, rest) = exif.split_first_chunk::<4>()?;
    let skipped = u32::from_be_bytes(*skipped) as usize;
    Some(rest.get(skipped..)?.to_vec())
}

/// The part of the stored picture that is shown.
struct Part {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

/// ISO 14496-12, section 12.1.4. A part that does not lie in the picture is no part.
fn part(properties: &[Property<'_>], width: u32, height: u32) -> Part {
    let whole = Part {
        left: 0,
        top: 0,
        width,
        height,
    };
    let said = properties.iter().find_map(|property| match property {
        Property::Part(said) => Some(*said),
        _ => None,
    });
    let Some([wide, high, right, down]) = said else {
        return whole;
    };
    let first = |side: u32, part: f64, off: f64| {
        let first = (f64::from(side) - part) / 2.0 + off;
        let is_inside =
            1.0 <= part && 0.0 <= first.round() && first + part <= f64::from(side) + 0.5;
        is_inside.then_some((first.round() as u32, part.round() as u32))
    };
    match (first(width, wide, right), first(height, high, down)) {
        (Some((left, wide)), Some((top, high))) => Part {
            left,
            top,
            width: wide.min(width - left),
            height: high.min(height - top),
        },
        _ => whole,
    }
}

fn codec_of(kind: [u8; 4]) -> Option<codec::Id> {
    match &kind {
        b"hvc1" | b"hev1" => Some(codec::Id::HEVC),
        b"av01" => Some(codec::Id::AV1),
        _ => None,
    }
}

/// Decodes an item, or puts it together.
fn pixels(
    items: &Items<'_>,
    item: &Item,
    path: &Path,
    stills: &mut Stills<'_>,
) -> Result<DynamicImage> {
    match &item.kind {
        b"grid" => grid(items, item, path, stills),
        _ => coded(items, item, None, path, stills),
    }
}

/// How the file says that numbers mean colours.
fn said_colour(items: &Items<'_>, item: &Item) -> Option<ColourTags> {
    items.properties(item).find_map(|property| match property {
        Property::Colour([primaries, transfer, matrix], is_full) => {
            let codes = Codes {
                range: if is_full { 2 } else { 1 },
                matrix: matrix.into(),
                primaries: primaries.into(),
                transfer: transfer.into(),
            };
            Some(codes.into())
        }
        _ => None,
    })
}

/// Decodes an item; `of_whole` is how colours are meant where it is a tile that does not say.
fn coded(
    items: &Items<'_>,
    item: &Item,
    of_whole: Option<ColourTags>,
    path: &Path,
    stills: &mut Stills<'_>,
) -> Result<DynamicImage> {
    let unknown = || Error::NoDecoder {
        codec: String::from_utf8_lossy(&item.kind).into_owned(),
    };
    let header = items.properties(item).find_map(|property| match property {
        Property::Codec(header) => Some(header),
        _ => None,
    });
    let coding = Coding {
        codec: codec_of(item.kind).ok_or_else(unknown)?,
        header: header.unwrap_or_default(),
        colour: said_colour(items, item).or(of_whole),
    };
    let bytes = items.bytes(item).filter(|bytes| !bytes.is_empty());
    let bytes = bytes.ok_or_else(|| bad(path, "a part of it is missing"))?;
    stills.decode(coding, &bytes, path)
}

/// ISO 23008-12, section 6.6.2.3: tiles of one size, row by row; the last ones may reach over.
fn grid(
    items: &Items<'_>,
    item: &Item,
    path: &Path,
    stills: &mut Stills<'_>,
) -> Result<DynamicImage> {
    let damaged = || bad(path, "its tiles do not fit together");
    let bytes = items.bytes(item).ok_or_else(damaged)?;
    let (rows, columns, width, height) = layout(&bytes).ok_or_else(damaged)?;
    stills.limits().check_size(width.into(), height.into())?;
    let tiles = items.to(item.id, b"dimg");
    if tiles.len() != rows as usize * columns as usize {
        return Err(damaged());
    }
    let colour = said_colour(items, item);
    let mut whole: Option<DynamicImage> = None;
    let mut first_size = None;
    for (tile, index) in tiles.iter().zip(0..) {
        let tile = items.item(*tile).filter(|tile| tile.id != item.id);
        let tile = coded(items, tile.ok_or_else(damaged)?, colour, path, stills)?;
        let (w, h) = (tile.width(), tile.height());
        let (row, column) = (index / columns, index % columns);
        let covers = |tile: u32, n: u32, side: u32| {
            let all = u64::from(tile) * u64::from(n);
            // No tile lies outside altogether.
            u64::from(side) <= all && all < u64::from(side) + u64::from(tile)
        };
        let is_fitting = covers(w, columns, width) && covers(h, rows, height);
        if !is_fitting || *first_size.get_or_insert((w, h)) != (w, h) {
            return Err(damaged());
        }
        let whole = whole.get_or_insert_with(|| DynamicImage::new(width, height, tile.color()));
        if whole.color() != tile.color() {
            return Err(damaged());
        }
        image::imageops::replace(whole, &tile, (column * w).into(), (row * h).into());
    }
    whole.ok_or_else(damaged)
}

/// Rows, columns, width and height of a grid.
fn layout(bytes: &[u8]) -> Option<(u32, u32, u32, u32)> {
    let [_version, flags, rows, columns, sizes @ ..] = bytes else {
        return None;
    };
    let is_long = flags & 1 == 1;
    let side = |index: usize| {
        if is_long {
            let four = sizes.get(4 * index..)?.first_chunk()?;
            Some(u32::from_be_bytes(*four))
        } else {
            let two = sizes.get(2 * index..)?.first_chunk()?;
            Some(u16::from_be_bytes(*two).into())
        }
    };
    let (rows, columns) = (u32::from(*rows) + 1, u32::from(*columns) + 1);
    Some((rows, columns, side(0)?, side(1)?))
}

/// Puts colours and transparency, which is stored as a grey picture, together.
fn with_alpha(colour: &DynamicImage, alpha: DynamicImage, is_multiplied: bool) -> DynamicImage {
    let is_deep = matches!(colour, DynamicImage::ImageRgb16(_));
    let mut values = colour.to_rgba16();
    let alpha = alpha.into_rgb16();
    for (pixel, alpha) in values.pixels_mut().zip(alpha.pixels()) {
        let alpha = alpha.0[0];
        if is_multiplied && alpha > 0 {
            for value in &mut pixel.0[..3] {
                let full = u32::from(*value) * u32::from(u16::MAX) / u32::from(alpha);
                *value = full.min(u16::MAX.into()) as u16;
            }
        }
        pixel.0[3] = alpha;
    }
    let whole = DynamicImage::ImageRgba16(values);
    if is_deep {
        whole
    } else {
        DynamicImage::ImageRgba8(whole.into_rgba8())
    }
}
