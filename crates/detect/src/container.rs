//! How a file was put together: tables of a JPEG, boxes of an MP4, the rhythm of a video, traces
//! of an earlier save.
//!
//! It never counts in the verdict: nearly every picture and clip that is passed on was saved again
//! by some program, and that says nothing about a face. What is read is bounded and untrusted.

mod resave;
pub mod rhythm;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use effigy_frame::Picture;
use effigy_media::Packet;

use crate::signal::blocks::{N_PIXELS, table};

/// How a file was put together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    /// What it shows, in sentences.
    pub sentences: Vec<String>,
    /// The steps by which a JPEG rounds brightness, rows first.
    pub steps: Option<[u16; N_PIXELS]>,
}

/// Bytes of a file's beginning that are looked at.
const HEAD_BYTES: u64 = 1 << 20;
/// Boxes of an MP4 that are looked at.
const MOST_BOXES: usize = 32;

/// Looks at the headers of a picture or video.
///
/// # Errors
/// When the file cannot be read. A damaged header is no error: it is noted.
pub fn look(path: &Path) -> std::io::Result<Container> {
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    file.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    if head.starts_with(&[0xFF, 0xD8]) {
        return Ok(jpeg(&head));
    }
    let mut container = Container::default();
    if head.get(4..8) == Some(b"ftyp") {
        let length = file.metadata()?.len();
        let names = box_names(&mut file, length)?;
        container.sentences.push(boxes(&names));
    }
    if let Some(encoder) = encoder(&head) {
        container.sentences.push(format!(
            "Its pictures were compressed by {encoder}, a program and no camera."
        ));
    }
    Ok(container)
}

impl Container {
    /// Looks in the pixels of the JPEG for an earlier save with other tables.
    pub fn look_for_earlier_save(&mut self, picture: &Picture) {
        let Some(steps) = &self.steps else { return };
        if resave::is_saved_before(picture, steps) {
            self.sentences.push(
                "It was compressed as JPEG before, more strongly, and saved again.".to_owned(),
            );
        }
    }

    /// Looks at the bytes that a video's pictures take for their order and an earlier encoding.
    pub fn look_for_earlier_encoding(&mut self, packets: &[Packet]) {
        self.sentences.extend(rhythm::in_words(packets));
    }

    /// Everything as one text, with what it means; `None` where nothing is known.
    pub fn in_words(&self) -> Option<String> {
        if self.sentences.is_empty() {
            return None;
        }
        let said = self.sentences.join(" ");
        Some(format!(
            "{said} Most files that are passed on were saved again; that is no sign of a \
             manipulated face."
        ))
    }
}

/// Rows first from the order in which a JPEG stores steps.
const ZIGZAG: [usize; N_PIXELS] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

fn jpeg(head: &[u8]) -> Container {
    let steps = steps(head);
    let sentence = match &steps {
        None => "Its JPEG header is damaged or holds no tables.".to_owned(),
        Some(steps) => match (1..=100).find(|quality| table(*quality) == *steps) {
            Some(quality) => format!(
                "Its JPEG tables are those of the common library at quality {quality}: a program \
                 saved it."
            ),
            None => {
                "Its JPEG tables are none of the common library's, as cameras and some editors \
                 write them."
                    .to_owned()
            }
        },
    };
    Container {
        sentences: vec![sentence],
        steps,
    }
}

/// Reads the first quantisation table of a JPEG, that of brightness.
fn steps(head: &[u8]) -> Option<[u16; N_PIXELS]> {
    const QUANTISATION: u8 = 0xDB;
    const SCAN: u8 = 0xDA;
    let mut rest = head.get(2..)?;
    loop {
        let [0xFF, marker, high, low, ..] = *rest else {
            return None;
        };
        if marker == 0xFF {
            // Fill bytes may stand before a marker.
            rest = &rest[1..];
            continue;
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(4..2 + length.max(2))?;
        match marker {
            QUANTISATION => return first_table(segment),
            SCAN => return None,
            _ => rest = rest.get(2 + length.max(2)..)?,
        }
    }
}

fn first_table(segment: &[u8]) -> Option<[u16; N_PIXELS]> {
    let (kind, values) = segment.split_first()?;
    let mut steps = [0; N_PIXELS];
    for (i, place) in ZIGZAG.into_iter().enumerate() {
        steps[place] = match kind >> 4 {
            0 => u16::from(*values.get(i)?),
            1 => u16::from_be_bytes([*values.get(2 * i)?, *values.get(2 * i + 1)?]),
            _ => return None,
        };
    }
    // A step of nought is no step.
    (steps.iter().all(|step| 0 < *step) && kind & 15 == 0).then_some(steps)
}

/// Reads the names of an MP4's outermost boxes. Sizes are claims: one that leads nowhere ends it.
fn box_names(file: &mut (impl Read + Seek), length: u64) -> std::io::Result<Vec<String>> {
    let (mut at, mut names) = (0_u64, Vec::new());
    while names.len() < MOST_BOXES && at.saturating_add(8) <= length {
        file.seek(SeekFrom::Start(at))?;
        let mut header = [0; 16];
        let n = file.by_ref().take(16).read(&mut header)?;
        if n < 8 {
            break;
        }
        let name = header[4..8].iter().map(|b| char::from(*b));
        let name: String = name
            .map(|c| if c.is_ascii_graphic() { c } else { '?' })
            .collect();
        names.push(name);
        let small = u64::from(u32::from_be_bytes([
            header[0], header[1], header[2], header[3],
        ]));
        let size = match small {
            0 => break,
            1 if n == 16 => header[8..16].iter().fold(0, |v, b| v << 8 | u64::from(*b)),
            size => size,
        };
        if size < 8 {
            break;
        }
        at = at.saturating_add(size);
    }
    Ok(names)
}

fn boxes(names: &[String]) -> String {
    let place = |wanted: &str| names.iter().position(|name| name == wanted);
    let order = match (place("moov"), place("mdat")) {
        (Some(index), Some(pictures)) if index < pictures => {
            "its index stands before its pictures, as programs write it for the web"
        }
        (Some(_), Some(_)) => {
            "its index stands behind its pictures, as cameras and most programs write it"
        }
        _ => "its index or its pictures are missing",
    };
    format!("It is an MP4 of {}: {order}.", names.join(", "))
}

/// The encoder that left its name at the beginning of the stream.
fn encoder(head: &[u8]) -> Option<&'static str> {
    const NAMES: [(&[u8], &str); 3] = [
        (b"x264 - core", "x264"),
        (b"x265 (build", "x265"),
        (b"Lavc", "FFmpeg"),
    ];
    let holds = |name: &[u8]| head.windows(name.len()).any(|bytes| bytes == name);
    NAMES
        .into_iter()
        .find(|(name, _)| holds(name))
        .map(|(_, encoder)| encoder)
}

#[cfg(test)]
mod tests;
