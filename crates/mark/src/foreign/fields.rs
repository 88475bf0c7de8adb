//! The texts in a file's metadata, each with the name that its format gives it.
//!
//! Read are the text chunks of PNG, compressed ones too, Exif wherever it is, and XMP and
//! everything else that is plain text as it stands. All of it is bounded: what a file claims of
//! its own lengths is not believed.

use std::io::Read as _;

use flate2::read::ZlibDecoder;

/// A text with its name; plain text that was found without one has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) text: String,
}

/// Longest text of one field; a workflow of hundreds of nodes is shorter.
const LONGEST_TEXT: usize = 1 << 20;
/// Texts of one file together: what is packed could be much more.
const MOST_TEXT: usize = 16 << 20;
/// Fields of one file that are looked at.
const MOST_FIELDS: usize = 1000;

/// Finds the named texts in a piece of a file.
pub(super) fn named(bytes: &[u8]) -> Vec<Field> {
    let mut found = png(bytes);
    for at in exif_starts(bytes) {
        found.extend(exif(&bytes[at..]));
        if MOST_FIELDS < found.len() {
            break;
        }
    }
    found.extend(xmp(bytes));
    found.extend(iptc(bytes));
    found.truncate(MOST_FIELDS);
    found
}

fn field(name: &str, text: &[u8]) -> Field {
    let text = &text[..text.len().min(LONGEST_TEXT)];
    let text = String::from_utf8_lossy(text);
    Field {
        name: name.to_owned(),
        text: text.trim_matches(['\0', ' ']).to_owned(),
    }
}

/// The text chunks of PNG (specification, third edition, section 11.3.3), wherever they stand.
fn png(bytes: &[u8]) -> Vec<Field> {
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n") && !contains(bytes, b"IEND\xae\x42\x60\x82") {
        return Vec::new();
    }
    let kinds: [&[u8]; 3] = [b"tEXt", b"zTXt", b"iTXt"];
    let places = kinds.iter().flat_map(|kind| super::places(bytes, kind));
    let mut places: Vec<usize> = places.filter(|&at| 4 <= at).collect();
    places.sort_unstable();
    let (mut found, mut left) = (Vec::new(), MOST_TEXT);
    for at in places.into_iter().take(MOST_FIELDS) {
        let read = || {
            let length = u32::from_be_bytes(*bytes[at - 4..].first_chunk()?) as usize;
            png_text(&bytes[at..at + 4], bytes.get(at + 4..)?.get(..length)?)
        };
        let Some(field) = read() else { continue };
        left = left.saturating_sub(field.text.len());
        found.push(field);
        if left == 0 {
            break;
        }
    }
    found
}

fn png_text(kind: &[u8], content: &[u8]) -> Option<Field> {
    let (keyword, rest) = cut(content)?;
    let keyword = std::str::from_utf8(keyword).ok()?;
    match kind {
        b"tEXt" => Some(field(keyword, rest)),
        // After the keyword, the method of compression: 0 is the only one.
        b"zTXt" => Some(field(keyword, &inflated(rest.get(1..)?))),
        _ => {
            let (&is_compressed, rest) = rest.split_first()?;
            let (_language, rest) = cut(rest.get(1..)?)?;
            let (_translated, text) = cut(rest)?;
            Some(match is_compressed {
                0 => field(keyword, text),
                _ => field(keyword, &inflated(text)),
            })
        }
    }
}

/// What stands before and after the first zero.
fn cut(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let decoder = ZlibDecoder::new(bytes);
    // What is damaged says what came before the damage.
    drop(decoder.take(LONGEST_TEXT as u64).read_to_end(&mut out));
    out
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    super::places(bytes, wanted).next().is_some()
}

/// Where Exif may begin: behind its own name in JPEG, HEIC and AVIF, behind that of a chunk in WebP
/// (four bytes and a length) and PNG (a name).
fn exif_starts(bytes: &[u8]) -> Vec<usize> {
    let behind: [(&[u8], usize); 3] = [(b"Exif\0\0", 6), (b"EXIF", 8), (b"eXIf", 4)];
    let starts = behind
        .iter()
        .flat_map(|&(name, length)| super::places(bytes, name).map(move |at| at + length));
    let starts = std::iter::once(0).chain(starts);
    let is_tiff = |&at: &usize| {
        let head = bytes.get(at..at + 4);
        head == Some(b"II*\0") || head == Some(b"MM\0*")
    };
    starts.filter(is_tiff).take(16).collect()
}

/// Tags of Exif (version 2.32, tables 4 and 5) that name programs or hold free text.
const TAGS: [(u16, &str); 10] = [
    (0x010e, "ImageDescription"),
    (0x010f, "Make"),
    (0x0110, "Model"),
    (0x0131, "Software"),
    (0x013b, "Artist"),
    (0x8298, "Copyright"),
    (0x9286, "UserComment"),
    (0x9c9b, "XPTitle"),
    (0x9c9c, "XPComment"),
    (0xa420, "ImageUniqueID"),
];
/// Refers to the directory with the comment of the user.
const EXIF_DIRECTORY: u16 = 0x8769;
/// Entries of a directory that are looked at.
const MOST_ENTRIES: u16 = 500;

/// A file in the form of TIFF, of which two directories are looked at: no more, whatever they
/// refer to.
fn exif(tiff: &[u8]) -> Vec<Field> {
    let tiff = Tiff {
        bytes: tiff,
        is_little: tiff.starts_with(b"II"),
    };
    let mut found = Vec::new();
    let first = tiff.number(4, 4).unwrap_or_default();
    if let Some(inner) = tiff.directory(first, &mut found) {
        tiff.directory(inner, &mut found);
    }
    found
}

struct Tiff<'a> {
    bytes: &'a [u8],
    is_little: bool,
}

impl Tiff<'_> {
    fn number(&self, at: usize, n_bytes: usize) -> Option<usize> {
        let digits = self.bytes.get(at..at.checked_add(n_bytes)?)?;
        let join = |n: usize, &digit: &u8| n << 8 | usize::from(digit);
        Some(if self.is_little {
            digits.iter().rev().fold(0, join)
        } else {
            digits.iter().fold(0, join)
        })
    }

    /// Adds the texts of the directory at `at`; gives where the one of Exif is.
    fn directory(&self, at: usize, found: &mut Vec<Field>) -> Option<usize> {
        let n_entries = self.number(at, 2)?.min(usize::from(MOST_ENTRIES));
        let mut inner = None;
        for index in 0..n_entries {
            let entry = at + 2 + 12 * index;
            let tag = self.number(entry, 2)? as u16;
            if tag == EXIF_DIRECTORY {
                inner = self.number(entry + 8, 4);
            }
            let Some((_, name)) = TAGS.iter().find(|(known, _)| *known == tag) else {
                continue;
            };
            // Bytes, letters and what has no type: one byte each.
            let is_bytes = [1, 2, 7].contains(&self.number(entry + 2, 2)?);
            let length = self.number(entry + 4, 4)?.min(LONGEST_TEXT);
            let start = if length <= 4 {
                entry + 8
            } else {
                self.number(entry + 8, 4)?
            };
            let Some(value) = self.bytes.get(start..start.saturating_add(length)) else {
                continue;
            };
            if is_bytes {
                found.push(field(name, text_of(tag, value, self.is_little).as_bytes()));
            }
        }
        inner
    }
}

/// A comment of the user says in eight bytes how it is coded; what Windows writes is UTF-16.
fn text_of(tag: u16, value: &[u8], is_little: bool) -> String {
    let wide = |bytes: &[u8], is_little: bool| {
        let pairs = bytes.chunks_exact(2).map(|pair| match is_little {
            true => u16::from_le_bytes([pair[0], pair[1]]),
            false => u16::from_be_bytes([pair[0], pair[1]]),
        });
        String::from_utf16_lossy(&pairs.collect::<Vec<u16>>())
    };
    match (tag, value.get(..8)) {
        (0x9286, Some(b"UNICODE\0")) => {
            // Programs disagree about the order of bytes; Latin letters have a zero in each pair.
            let rest = &value[8..];
            let is_odd_zero = rest.get(1) == Some(&0);
            let is_even_zero = rest.first() == Some(&0);
            wide(rest, is_odd_zero || is_little && !is_even_zero)
        }
        (0x9286, Some(_)) => String::from_utf8_lossy(&value[8..]).into_owned(),
        (0x9c9b | 0x9c9c, _) => wide(value, true),
        _ => String::from_utf8_lossy(value).into_owned(),
    }
}

/// Properties of XMP that name programs, makers and credits.
const PROPERTIES: [&str; 7] = [
    "photoshop:Credit",
    "xmp:CreatorTool",
    "tiff:Software",
    "dc:creator",
    "dc:description",
    "Iptc4xmpExt:AISystemUsed",
    "photoshop:Source",
];
/// A property is searched for its end no further.
const LONGEST_PROPERTY: usize = 4096;

/// Properties as attributes or as elements, with whatever lists are around the text.
fn xmp(bytes: &[u8]) -> Vec<Field> {
    let mut found = Vec::new();
    for name in PROPERTIES {
        for at in super::places(bytes, name.as_bytes()).take(16) {
            let start = at + name.len();
            let near = &bytes[start..bytes.len().min(start + LONGEST_PROPERTY)];
            let text = match near {
                [b'=', quote @ (b'"' | b'\''), rest @ ..] => {
                    let end = rest.iter().position(|byte| byte == quote);
                    end.map(|end| rest[..end].to_vec())
                }
                _ if is_closing(bytes, at) => None,
                [b'>' | b' ', ..] => element(near, name),
                _ => None,
            };
            found.extend(text.map(|text| field(name, unescaped(&text).as_bytes())));
        }
    }
    found
}

fn is_closing(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'/')
}

/// The text inside an element, without the tags in it.
fn element(near: &[u8], name: &str) -> Option<Vec<u8>> {
    let end = super::places(near, format!("</{name}>").as_bytes()).next()?;
    let mut is_inside = true;
    let mut text = Vec::new();
    for &byte in &near[..end] {
        match byte {
            b'<' => is_inside = true,
            b'>' => is_inside = false,
            _ if !is_inside => text.push(byte),
            _ => {}
        }
    }
    Some(text)
}

fn unescaped(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// Data sets of IPTC's information model (version 4.2, record 2) that name programs and credits.
const DATA_SETS: [(u8, &str); 4] = [
    (65, "OriginatingProgram"),
    (80, "By-line"),
    (110, "Credit"),
    (120, "Caption"),
];

fn iptc(bytes: &[u8]) -> Vec<Field> {
    if !contains(bytes, b"8BIM\x04\x04") {
        return Vec::new();
    }
    let sets = DATA_SETS.iter().flat_map(|&(number, name)| {
        let marker = [0x1c, 2, number];
        let places: Vec<usize> = super::places(bytes, &marker).take(16).collect();
        places.into_iter().filter_map(move |at| {
            let length = u16::from_be_bytes(*bytes.get(at + 3..)?.first_chunk()?);
            let start = at + 5;
            Some(field(name, bytes.get(start..start + usize::from(length))?))
        })
    });
    sets.collect()
}
