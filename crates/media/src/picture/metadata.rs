//! What a picture file says beside its pixels, read from one format to be written into another:
//! how its colours are meant, who made it and whose it is, and how the camera took it.

use image::ImageDecoder;

use super::{exif, mpo};

/// What a picture file says beside its pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The ICC profile of its colours.
    pub icc: Option<Vec<u8>>,
    /// EXIF, from its TIFF header on.
    pub exif: Option<Vec<u8>>,
    /// The XMP packet.
    pub xmp: Option<String>,
    /// IPTC-IIM records, as newsrooms write them.
    pub iptc: Option<Vec<u8>>,
    /// Comments of a JPEG.
    pub(crate) comments: Vec<Vec<u8>>,
    /// Chunks of a PNG that say how its colours are meant, and its notes: whole, as they stand.
    pub(crate) chunks: Vec<Chunk>,
    /// Pixels per metre, across and down.
    pub(crate) density: Option<[u32; 2]>,
    /// What else is in the file, in words. No copy that is written here can hold it.
    pub(crate) lost: Vec<String>,
}

/// A chunk of a PNG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) name: [u8; 4],
    /// With length and checksum.
    pub(crate) whole: Vec<u8>,
}

/// A motion photo holds a short clip behind the picture.
const MOTION: &str = "the moving part of this motion photo: only its still picture is copied";

impl Metadata {
    /// The text of an IPTC record of the second, editorial part, by its number: 80 is the author,
    /// 116 the copyright. Several of one number are joined. (IPTC-IIM 4.2, section 1.5.)
    pub fn iptc_text(&self, number: u8) -> Option<String> {
        let mut texts = Vec::new();
        let mut rest = self.iptc.as_deref()?;
        while let [0x1c, part, record, a, b, after @ ..] = rest {
            // A length over 32767 announces a longer form, which no text needs.
            let length = usize::from(u16::from_be_bytes([*a, *b]));
            let Some((content, after)) = after.split_at_checked(length) else {
                break;
            };
            if (*part, *record) == (2, number) {
                texts.push(text_of(content));
            }
            rest = after;
        }
        (!texts.is_empty()).then(|| texts.join(", "))
    }

    /// The note of a PNG under `keyword`, such as `Copyright`.
    pub fn note(&self, keyword: &str) -> Option<String> {
        let notes = self.chunks.iter().filter(|chunk| chunk.name == *b"tEXt");
        let mut contents = notes.filter_map(|chunk| chunk.whole.get(8..chunk.whole.len() - 4));
        let content = contents.find_map(|content| {
            let content = content.strip_prefix(keyword.as_bytes())?;
            content.strip_prefix(&[0])
        })?;
        // PNG's plain notes are Latin-1.
        Some(content.iter().map(|&byte| char::from(byte)).collect())
    }

    /// Pictures behind the first of a JPEG, as in [`crate::Info`].
    pub(super) fn further_pictures(jpeg: &[u8]) -> u32 {
        let mut indexes = segments(jpeg).filter_map(|(marker, content)| match marker {
            0xe2 => content.strip_prefix(b"MPF\0"),
            _ => None,
        });
        indexes.next().map_or(0, mpo::further_pictures)
    }

    /// Reads the segments before the pixels of a JPEG.
    pub(super) fn of_jpeg(bytes: &[u8]) -> Self {
        let mut found = Self::default();
        let mut profile: Vec<(u8, &[u8])> = Vec::new();
        for (marker, content) in segments(bytes) {
            match (marker, content) {
                (0xe0, [b'J', b'F', b'I', b'F', 0, _, _, unit, x, xx, y, yy, ..]) => {
                    let per_metre = |a: u8, b: u8| per_metre(*unit, u16::from_be_bytes([a, b]));
                    found.density = per_metre(*x, *xx).zip(per_metre(*y, *yy)).map(Into::into);
                }
                (0xe1, _) => found.take_application_1(content),
                (0xe2, _) => match content.strip_prefix(b"ICC_PROFILE\0") {
                    Some([number, _of, part @ ..]) => profile.push((*number, part)),
                    _ if content.starts_with(b"MPF\0") => found.lost.push(
                        "further pictures in the file, such as a gain map or a preview".to_owned(),
                    ),
                    _ => {}
                },
                (0xed, _) => found.iptc = iptc_of_photoshop(content).or(found.iptc.take()),
                (0xfe, _) => found.comments.push(content.to_vec()),
                _ => {}
            }
        }
        profile.sort_by_key(|(number, _)| *number);
        if !profile.is_empty() {
            found.icc = Some(
                profile
                    .into_iter()
                    .flat_map(|(_, part)| part)
                    .copied()
                    .collect(),
            );
        }
        found.note_motion(bytes);
        found
    }

    fn take_application_1(&mut self, content: &[u8]) {
        if let Some(block) = content.strip_prefix(b"Exif\0\0") {
            self.exif.get_or_insert(block.to_vec());
        } else if let Some(packet) = content.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
            self.xmp = self.xmp.take().or(text(packet));
        } else if content.starts_with(b"http://ns.adobe.com/xmp/extension/\0") {
            let what = "XMP that is longer than a segment, such as a depth map".to_owned();
            if !self.lost.contains(&what) {
                self.lost.push(what);
            }
        }
    }

    /// Reads the chunks of a WebP.
    pub(super) fn of_webp(bytes: &[u8]) -> Self {
        let mut found = Self::default();
        for (name, content) in riff_chunks(bytes) {
            match &name {
                b"ICCP" => found.icc = Some(content.to_vec()),
                b"EXIF" => {
                    let block = content.strip_prefix(b"Exif\0\0").unwrap_or(content);
                    found.exif = Some(block.to_vec());
                }
                b"XMP " => found.xmp = text(content),
                _ => {}
            }
        }
        found
    }

    /// Reads the chunks of a PNG; its decoder has read those that are compressed.
    pub(super) fn of_png(bytes: &[u8], decoder: &mut impl ImageDecoder) -> Self {
        let mut found = Self::of_decoder(decoder);
        for (name, whole) in png_chunks(bytes) {
            match &name {
                b"sRGB" | b"gAMA" | b"cHRM" | b"cICP" | b"mDCV" | b"cLLI" | b"tEXt" | b"zTXt"
                | b"iTXt" => {
                    let is_packet = whole[8..].starts_with(b"XML:com.adobe.xmp\0");
                    if !is_packet {
                        let whole = whole.to_vec();
                        found.chunks.push(Chunk { name, whole });
                    }
                }
                b"iCCP" if found.icc.is_none() => {
                    let why = "its colour profile, which is damaged or larger than 64 MiB";
                    found.lost.push(why.to_owned());
                }
                b"pHYs" if whole.get(16) == Some(&1) => {
                    let number = |at: usize| {
                        let four = whole.get(at..)?.first_chunk()?;
                        Some(u32::from_be_bytes(*four))
                    };
                    found.density = number(8).zip(number(12)).map(Into::into);
                }
                _ => {}
            }
        }
        found
    }

    /// Reads what the decoder of any format gives.
    pub(super) fn of_decoder(decoder: &mut impl ImageDecoder) -> Self {
        // What cannot be read is as good as not there; the pixels are another matter.
        let xmp = decoder.xmp_metadata().ok().flatten();
        Self {
            icc: decoder.icc_profile().ok().flatten(),
            exif: decoder.exif_metadata().ok().flatten(),
            xmp: xmp.and_then(|packet| text(&packet)),
            ..Self::default()
        }
    }

    /// Notes a clip behind the picture: said in XMP by Google, in a trailer by Samsung.
    pub(super) fn note_motion(&mut self, bytes: &[u8]) {
        let xmp = self.xmp.as_deref().unwrap_or_default();
        let is_said = ["MotionPhoto", "MicroVideo"].iter().any(|name| {
            let mut values = xmp.split(name).skip(1);
            // As an attribute or as an element.
            values.any(|after| {
                ["=\"1\"", "='1'", ">1<"]
                    .iter()
                    .any(|one| after.starts_with(one))
            })
        });
        let trailer = &bytes[bytes.len().saturating_sub(TRAILER_BYTES)..];
        if is_said || trailer.windows(16).any(|w| w == b"MotionPhoto_Data") {
            self.note_clip();
        }
    }

    /// Notes that there is a clip behind the picture.
    pub(super) fn note_clip(&mut self) {
        self.lost.push(MOTION.to_owned());
    }

    /// Makes it true of upright pixels of `width` × `height` that may have been changed.
    pub(super) fn for_changed_pixels(mut self, width: u32, height: u32) -> Self {
        if let Some(block) = self.exif.take() {
            self.exif = exif::for_changed_pixels(block, width, height);
            if self.exif.is_none() {
                self.lost.push("EXIF, which is damaged".to_owned());
            }
        }
        if self.icc.as_ref().is_some_and(|icc| !is_rgb_profile(icc)) {
            self.icc = None;
            self.lost.push(
                "the colour profile, which is of grey or printing colours: the copy is RGB"
                    .to_owned(),
            );
        }
        self
    }
}

/// Samsung's trailer lies among the last bytes, behind the clip; its name is repeated at the end.
const TRAILER_BYTES: usize = 4096;

/// ICC.1:2022, section 7.2.6: the colour space of the data.
fn is_rgb_profile(icc: &[u8]) -> bool {
    icc.get(16..20) == Some(b"RGB ")
}

fn per_metre(unit: u8, count: u16) -> Option<u32> {
    match unit {
        1 => Some((f64::from(count) / 0.0254).round() as u32),
        2 => Some(u32::from(count) * 100),
        _ => None,
    }
}

/// Newsrooms write UTF-8 or Latin-1.
fn text_of(content: &[u8]) -> String {
    match std::str::from_utf8(content) {
        Ok(text) => text.to_owned(),
        Err(_latin) => content.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// XMP is UTF-8 in every format that is read here.
fn text(packet: &[u8]) -> Option<String> {
    let packet = std::str::from_utf8(packet).ok()?;
    let packet = packet.trim_matches('\0');
    (!packet.is_empty()).then(|| packet.to_owned())
}

/// The segments of a JPEG up to its pixels: marker, and content without the length.
pub(super) fn segments(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = bytes.get(2..).unwrap_or_default();
    std::iter::from_fn(move || {
        let [0xff, marker, a, b, ..] = *rest else {
            return None;
        };
        // The pixels, or their end.
        if matches!(marker, 0xda | 0xd9) {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([a, b]));
        let (segment, after) = rest.get(2..)?.split_at_checked(length.max(2))?;
        rest = after;
        Some((marker, &segment[2..]))
    })
}

/// The chunks of a RIFF file.
pub(super) fn riff_chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = bytes.get(12..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (name, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let content = after.get(..length)?;
        rest = after.get(length.next_multiple_of(2)..).unwrap_or_default();
        Some((*name, content))
    })
}

/// The chunks of a PNG, each whole.
pub(super) fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = u32::from_be_bytes(*rest.first_chunk()?) as usize;
        let (whole, after) = rest.split_at_checked(length.checked_add(12)?)?;
        rest = after;
        Some((*whole[4..].first_chunk()?, whole))
    })
}

/// The IPTC records among the resources that Photoshop puts into a segment of a JPEG. The other
/// resources are a thumbnail and settings of the program.
fn iptc_of_photoshop(content: &[u8]) -> Option<Vec<u8>> {
    const IPTC: u16 = 0x0404;
    let mut rest = content.strip_prefix(b"Photoshop 3.0\0")?;
    loop {
        let after = rest.strip_prefix(b"8BIM")?;
        let (number, after) = after.split_first_chunk::<2>()?;
        let name_length = usize::from(*after.first()?);
        let after = after.get((name_length + 1).next_multiple_of(2)..)?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        let resource = after.get(..length)?;
        if u16::from_be_bytes(*number) == IPTC {
            return Some(resource.to_vec());
        }
        rest = after.get(length.next_multiple_of(2)..)?;
    }
}

/// IPTC records as a segment of a JPEG holds them.
pub(super) fn photoshop_of_iptc(iptc: &[u8]) -> Vec<u8> {
    let mut content = b"Photoshop 3.0\x008BIM\x04\x04\0\0".to_vec();
    content.extend((iptc.len() as u32).to_be_bytes());
    content.extend(iptc);
    if iptc.len() % 2 == 1 {
        content.push(0);
    }
    content
}
