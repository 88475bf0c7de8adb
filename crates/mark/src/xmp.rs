//! Marks in plain text, for programs that know nothing of Content Credentials: IPTC's digital
//! source type, and the AIGC fields that China's GB 45438-2025 asks for, in one XMP packet.
//!
//! The packet is put into the finished file before it is signed, so that the signature covers it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

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

/// A packet that says what `label` says.
pub(crate) fn packet(label: &Label) -> String {
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
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" \
         xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" \
         xmlns:TC260=\"http://www.tc260.org.cn/ns/AIGC/1.0/\" \
         Iptc4xmpExt:DigitalSourceType=\"http://cv.iptc.org/newscodes/digitalsourcetype/{kind}\" \
         TC260:AIGC=\"{}\"/>\
         </rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>",
        escaped(&aigc)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Puts a packet into a JPEG, PNG, WebP, MP4 or MOV file that has none.
pub(crate) fn embed(path: &Path, media_type: &str, packet: &str) -> Result<()> {
    if media_type.starts_with("video/") {
        return append_box(path, packet);
    }
    let bytes = files::read(path, LARGEST_PICTURE)?;
    let with = match media_type {
        "image/jpeg" => into_jpeg(&bytes, packet),
        "image/png" => into_png(&bytes, packet),
        _ => into_webp(&bytes, packet),
    };
    let with = with.ok_or_else(|| Error::NotMarked {
        reason: "the encoder wrote what has no place for metadata".to_owned(),
    })?;
    std::fs::write(path, with).map_err(|source| Error::Write {
        source,
        path: path.to_owned(),
    })
}

/// A lossless picture of the most pixels that are read.
const LARGEST_PICTURE: u64 = 1 << 30;

/// XMP specification part 3, section 1.1.3: a segment APP1 that begins with this.
const IN_JPEG: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

fn into_jpeg(bytes: &[u8], packet: &str) -> Option<Vec<u8>> {
    let rest = bytes.strip_prefix(&[0xff, 0xd8])?;
    // The header of JFIF, where there is one, stays first.
    let is_jfif = rest.starts_with(&[0xff, 0xe0]);
    let skipped = if is_jfif {
        2 + usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]))
    } else {
        0
    };
    let (head, tail) = bytes.split_at_checked(2 + skipped)?;
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
    let check = crc32(&chunk).to_be_bytes();
    Some([head, &length, &chunk, &check, tail].concat())
}

/// The checksum of PNG (ISO 3309), bit by bit: the packet is short.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
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

/// RFC 9649, section 2.7: the simple file of one chunk becomes an extended one.
fn into_webp(bytes: &[u8], packet: &str) -> Option<Vec<u8>> {
    const HAS_XMP: u8 = 0x04;
    let chunks = bytes.get(12..)?;
    if !bytes.starts_with(b"RIFF") || &bytes[8..12] != b"WEBP" || !chunks.starts_with(b"VP8L") {
        return None;
    }
    // Of the lossless bit stream: a signature byte, then width and height less one, 14 bits each.
    let stream = chunks.get(8..13)?;
    let sizes = u32::from_le_bytes([stream[1], stream[2], stream[3], stream[4]]);
    let (width, height) = (sizes & 0x3fff, sizes >> 14 & 0x3fff);
    let mut extended = b"VP8X\x0a\0\0\0".to_vec();
    extended.extend([HAS_XMP, 0, 0, 0]);
    extended.extend(&width.to_le_bytes()[..3]);
    extended.extend(&height.to_le_bytes()[..3]);
    let mut body = [b"WEBP", &extended[..], chunks].concat();
    body.extend(b"XMP ");
    body.extend(u32::try_from(packet.len()).ok()?.to_le_bytes());
    body.extend(packet.as_bytes());
    if body.len() % 2 == 1 {
        body.push(0);
    }
    let length = u32::try_from(body.len()).ok()?.to_le_bytes();
    Some([b"RIFF", &length[..], &body].concat())
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
            embed(&path, media_type, &packet(&label())).unwrap();
            let back = effigy_media::read_picture(&path, &effigy_media::Limits::default()).unwrap();
            assert_eq!((back.width(), back.height()), (31, 20), "{name}");
            let found = foreign::find(&path).unwrap();
            let kind = Foreign::DigitalSourceType("trainedAlgorithmicMedia".to_owned());
            assert_eq!(found, [kind, Foreign::Aigc("1".to_owned())], "{name}");
        }
    }

    #[test]
    fn checksum_is_that_of_png() {
        assert_eq!(crc32(b"IEND"), 0xae42_6082); // the checksum that ends every PNG
    }

    #[test]
    fn what_is_no_picture_gets_no_packet() {
        assert_eq!(into_jpeg(b"nothing", "x"), None);
        assert_eq!(into_jpeg(&[0xff, 0xd8, 0xff, 0xe0], "x"), None);
        assert_eq!(into_png(b"nothing", "x"), None);
        assert_eq!(into_webp(b"nothing", "x"), None);
    }
}
