//! Marks in plain text, for programs that know nothing of Content Credentials: IPTC's digital
//! source type, and the AIGC fields that China's GB 45438-2025 asks for, in one XMP packet.
//!
//! What the original says in XMP stays in the packet of its copy; rights and credits that it has in
//! another form join it. The packet is put into the finished file before it is signed, so that the
//! signature covers it.

mod kept;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use effigy_media::Metadata;
use kept::Kept;

use crate::error::{Error, Result};
use crate::files;
use crate::label::{Label, Source};

/// The fields of GB 45438-2025, in its order. The reserved ones are part of the form.
#[derive(Default, serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Aigc<'a> {
    /// 1: it is synthetic, not only suspected to be.
    label: &'a str,
    content_producer: &'a str,
    #[serde(rename = "ProduceID")]
    produce_id: String,
    reserved_code1: &'a str,
    content_propagator: &'a str,
    #[serde(rename = "PropagateID")]
    propagate_id: &'a str,
    reserved_code2: &'a str,
}

/// A packet that says what `label` says, after what `original` says.
pub(crate) fn packet(label: &Label, original: Option<&Metadata>) -> Packet {
    let packet = original.and_then(|original| original.xmp.as_deref());
    let kept = packet
        .filter(|p| p.len() <= LONGEST_KEPT)
        .and_then(kept::kept);
    let is_lost = packet.is_some() && kept.is_none();
    let ours = ours(label);
    let rights = original.map_or_else(String::new, |original| rights(original, kept.as_ref()));
    let alone = wrapped(HEAD, &[&ours, &rights].map(String::as_str).concat(), TAIL);
    let whole = kept.as_ref().and_then(|kept| {
        let before = std::str::from_utf8(&kept.before).ok()?;
        let after = std::str::from_utf8(&kept.after).ok()?;
        Some(wrapped(before, &format!("{rights}{ours}"), after))
    });
    Packet {
        lost: is_lost.then(|| "XMP, which is damaged or too long".to_owned()),
        whole: whole.unwrap_or_else(|| alone.clone()),
        alone,
    }
}

/// What goes into a file as XMP.
pub(crate) struct Packet {
    /// With what the original says.
    pub(crate) whole: String,
    /// For formats in which that finds no place.
    pub(crate) alone: String,
    /// What of the original is in neither, in words.
    pub(crate) lost: Option<String>,
}

/// Programs keep the history of a picture there; more than this is not read.
const LONGEST_KEPT: usize = 4 << 20;

const HEAD: &str = "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
     <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">";
const TAIL: &str = "</rdf:RDF></x:xmpmeta>";

fn wrapped(before: &str, ours: &str, after: &str) -> String {
    let begin = "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>";
    [begin, before, ours, after, "<?xpacket end=\"r\"?>"].concat()
}

fn ours(label: &Label) -> String {
    let kind = match label.source {
        Source::Altered => "compositeWithTrainedAlgorithmicMedia",
        Source::Generated => "trainedAlgorithmicMedia",
    };
    let aigc = Aigc {
        label: "1",
        content_producer: &label.provider,
        produce_id: format!("{:016x}", label.identifier),
        ..Aigc::default()
    };
    let aigc = serde_json::to_string(&aigc).unwrap_or_default();
    format!(
        "<rdf:Description rdf:about=\"\" \
         xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" \
         xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" \
         xmlns:TC260=\"http://www.tc260.org.cn/ns/AIGC/1.0/\" \
         Iptc4xmpExt:DigitalSourceType=\"http://cv.iptc.org/newscodes/digitalsourcetype/{kind}\" \
         TC260:AIGC=\"{}\"/>",
        escaped(&aigc)
    )
}

/// Rights and credits that the original has in IPTC records or in notes of a PNG, as the properties
/// that IPTC's photo metadata standard (2023) names for them, unless its XMP has them already.
fn rights(original: &Metadata, kept: Option<&Kept>) -> String {
    /// How a property holds its text.
    enum Form {
        Plain,
        /// In alternatives of languages.
        Languages,
        /// In a list with an order.
        Ordered,
    }
    const PROPERTIES: [(u8, &str, &str, Form); 6] = [
        (80, "Author", "dc:creator", Form::Ordered),
        (116, "Copyright", "dc:rights", Form::Languages),
        (120, "Description", "dc:description", Form::Languages),
        (105, "Title", "photoshop:Headline", Form::Plain),
        (110, "", "photoshop:Credit", Form::Plain),
        (115, "Source", "photoshop:Source", Form::Plain),
    ];
    let mut found = String::new();
    for (record, keyword, property, form) in PROPERTIES {
        let name = property.split_once(':').map_or(property, |(_, name)| name);
        let is_said = kept.is_some_and(|kept| kept.says(name));
        let text = original
            .iptc_text(record)
            .or_else(|| original.note(keyword));
        let Some(text) = text.filter(|_| !is_said) else {
            continue;
        };
        let text = escaped(&text);
        let text = match form {
            Form::Plain => text,
            Form::Languages => {
                format!("<rdf:Alt><rdf:li xml:lang=\"x-default\">{text}</rdf:li></rdf:Alt>")
            }
            Form::Ordered => format!("<rdf:Seq><rdf:li>{text}</rdf:li></rdf:Seq>"),
        };
        found += &format!("<{property}>{text}</{property}>");
    }
    if found.is_empty() {
        return found;
    }
    format!(
        "<rdf:Description rdf:about=\"\" \
         xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:photoshop=\"http://ns.adobe.com/photoshop/1.0/\">{found}</rdf:Description>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Puts a packet into a JPEG, PNG, WebP, MP4 or MOV file that has none. Gives what found no place.
pub(crate) fn embed(path: &Path, media_type: &str, packet: &Packet) -> Result<Option<String>> {
    if media_type.starts_with("video/") {
        append_box(path, &packet.whole)?;
        return Ok(packet.lost.clone());
    }
    let bytes = files::read(path, LARGEST_PICTURE)?;
    let into = match media_type {
        "image/jpeg" => into_jpeg,
        "image/png" => into_png,
        _ => into_webp,
    };
    let (with, lost) = match into(&bytes, &packet.whole) {
        Some(with) => (with, packet.lost.clone()),
        None => {
            let with = into(&bytes, &packet.alone).ok_or_else(|| Error::NotMarked {
                reason: "the encoder wrote what has no place for metadata".to_owned(),
            })?;
            (with, Some("XMP, which is too long for a JPEG".to_owned()))
        }
    };
    std::fs::write(path, with).map_err(|source| Error::Write {
        source,
        path: path.to_owned(),
    })?;
    Ok(lost)
}

/// A lossless picture of the most pixels that are read.
const LARGEST_PICTURE: u64 = 1 << 30;

/// XMP specification part 3, section 1.1.3: a segment APP1 that begins with this.
const IN_JPEG: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

fn into_jpeg(bytes: &[u8], packet: &str) -> Option<Vec<u8>> {
    let mut tail = bytes.strip_prefix(&[0xff, 0xd8])?;
    // The headers of JFIF and EXIF, where they are, stay first.
    while let [0xff, 0xe0, a, b, ..] | [0xff, 0xe1, a, b, ..] = *tail {
        tail = tail.get(2 + usize::from(u16::from_be_bytes([a, b]))..)?;
    }
    // What follows is another segment, with its length.
    let [0xff, _, _, _, ..] = *tail else {
        return None;
    };
    let head = &bytes[..bytes.len() - tail.len()];
    let length = u16::try_from(2 + IN_JPEG.len() + packet.len()).ok()?;
    let segment = [&[0xff, 0xe1], &length.to_be_bytes()[..], IN_JPEG].concat();
    Some([head, &segment, packet.as_bytes(), tail].concat())
}

/// Section 1.1.5: an international text chunk of this keyword, not compressed.
const IN_PNG: &[u8] = b"XML:com.adobe.xmp\0\0\0\0\0";
/// Signature and header chunk.
const PNG_HEAD: usize = 8 + 25;

fn into_png(bytes: &[u8], packet: &str) -> Option<Vec<u8>> {
    let (head, tail) = bytes.split_at_checked(PNG_HEAD)?;
    if !head.starts_with(b"\x89PNG\r\n\x1a\n") || &head[12..16] != b"IHDR" {
        return None;
    }
    let chunk = [b"iTXt", IN_PNG, packet.as_bytes()].concat();
    let length = u32::try_from(chunk.len() - 4).ok()?.to_be_bytes();
    let check = crc32fast::hash(&chunk).to_be_bytes();
    Some([head, &length, &chunk, &check, tail].concat())
}

/// RFC 9649, section 2.7: a simple file of one chunk becomes an extended one.
fn into_webp(bytes: &[u8], packet: &str) -> Option<Vec<u8>> {
    const HAS_XMP: u8 = 0x04;
    const FLAGS_AT: usize = 8;
    let chunks = bytes.get(12..)?;
    if !bytes.starts_with(b"RIFF") || &bytes[8..12] != b"WEBP" {
        return None;
    }
    let mut extended = match chunks.get(..4)? {
        b"VP8X" => chunks.to_vec(),
        b"VP8L" => [&extended_head(chunks)?, chunks].concat(),
        _ => return None,
    };
    *extended.get_mut(FLAGS_AT)? |= HAS_XMP;
    let mut body = [b"WEBP", &extended[..]].concat();
    body.extend(b"XMP ");
    body.extend(u32::try_from(packet.len()).ok()?.to_le_bytes());
    body.extend(packet.as_bytes());
    if body.len() % 2 == 1 {
        body.push(0);
    }
    let length = u32::try_from(body.len()).ok()?.to_le_bytes();
    Some([b"RIFF", &length[..], &body].concat())
}

/// The chunk that begins an extended file, for a lossless picture.
fn extended_head(picture: &[u8]) -> Option<Vec<u8>> {
    const HAS_ALPHA: u8 = 0x10;
    // Of the bit stream: a signature byte, then width and height less one, 14 bits each, and
    // whether there is transparency.
    let stream = picture.get(8..13)?;
    let bits = u32::from_le_bytes([stream[1], stream[2], stream[3], stream[4]]);
    let (width, height) = (bits & 0x3fff, bits >> 14 & 0x3fff);
    let alpha = if bits >> 28 & 1 == 1 { HAS_ALPHA } else { 0 };
    let mut head = b"VP8X\x0a\0\0\0".to_vec();
    head.extend([alpha, 0, 0, 0]);
    head.extend(&width.to_le_bytes()[..3]);
    head.extend(&height.to_le_bytes()[..3]);
    Some(head)
}

/// Section 1.2.7.1: a box of the user type XMP at the top of the file. At its end it moves nothing.
const IN_MP4: [u8; 16] = [
    0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac,
];

fn append_box(path: &Path, packet: &str) -> Result<()> {
    let write_error = |source| Error::Write {
        source,
        path: path.to_owned(),
    };
    let too_long = |_error| Error::NotMarked {
        reason: "the provider's name is too long".to_owned(),
    };
    let length = u32::try_from(8 + IN_MP4.len() + packet.len()).map_err(too_long)?;
    let whole = [
        &length.to_be_bytes()[..],
        b"uuid",
        &IN_MP4,
        packet.as_bytes(),
    ];
    let mut file = OpenOptions::new()
        .append(true)
        .open(path)
        .map_err(write_error)?;
    file.write_all(&whole.concat())
        .and_then(|()| file.sync_all())
        .map_err(write_error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::{self, Foreign};
    use crate::label::{Language, Profiles};
    use crate::utc_time::UtcTime;

    fn label() -> Label {
        Label {
            profiles: Profiles::all(),
            language: Language::En,
            source: Source::Generated,
            provider: "Ada & \"Ben\" <Studio>".to_owned(),
            made: UtcTime::from_unix_secs(1_790_000_000),
            identifier: 7,
        }
    }

    #[test]
    fn pictures_carry_the_packet_and_still_open() {
        let folder = tempfile::tempdir().unwrap();
        let picture = effigy_frame::Picture::filled(31, 20, [90, 120, 150]);
        for (name, media_type) in [
            ("a.jpg", "image/jpeg"),
            ("a.png", "image/png"),
            ("a.webp", "image/webp"),
        ] {
            let path = folder.path().join(name);
            #[expect(clippy::disallowed_methods, reason = "a test picture without people")]
            effigy_media::write_picture(&path, &picture).unwrap();
            embed(&path, media_type, &packet(&label(), None)).unwrap();
            let back = effigy_media::read_picture(&path, &effigy_media::Limits::default()).unwrap();
            assert_eq!((back.width(), back.height()), (31, 20), "{name}");
            let found = foreign::find(&path).unwrap();
            let kind = Foreign::DigitalSourceType("trainedAlgorithmicMedia".to_owned());
            assert_eq!(found, [kind, Foreign::Aigc("1".to_owned())], "{name}");
        }
    }

    #[test]
    fn what_is_no_picture_gets_no_packet() {
        assert_eq!(into_jpeg(b"nothing", "x"), None);
        assert_eq!(into_jpeg(&[0xff, 0xd8, 0xff, 0xe0], "x"), None);
        assert_eq!(into_png(b"nothing", "x"), None);
        assert_eq!(into_webp(b"nothing", "x"), None);
    }
}
