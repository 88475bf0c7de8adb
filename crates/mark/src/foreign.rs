//! Marks of other makers in a file's metadata: IPTC's digital source type, the AIGC fields of
//! China's GB 45438-2025, and what generators and editors write of their own accord.
//!
//! The start and the end of the file are searched as bytes, and in a video the part that describes
//! it, so that it works for any container and reads a bounded amount of it. Such marks are easily
//! added and removed: they are reported, never trusted like a signature.

mod fields;
mod makers;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::error::{Error, Result};

/// What a mark in metadata says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "value")]
pub enum Foreign {
    /// IPTC's digital source type, last word of its address.
    DigitalSourceType(String),
    /// The AIGC label: 1 is generated, 2 possibly, 3 suspected.
    Aigc(String),
    /// A generator, or an editor with a trained model in it, that left its settings or its name.
    Generator(String),
    /// An editor that says that it changed the picture, with or without a trained model.
    Editor(String),
}

impl Foreign {
    /// Whether it says that a trained model made all or part of the picture.
    pub fn is_synthetic(&self) -> bool {
        match self {
            Self::DigitalSourceType(kind) => is_synthetic_type(kind),
            Self::Aigc(label) => ["1", "2", "3"].contains(&label.as_str()),
            Self::Generator(_) => true,
            Self::Editor(_) => false,
        }
    }

    /// Says it in words.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::DigitalSourceType(kind) => format!("digital source type {kind}"),
            Self::Aigc(label) => format!("AIGC label {label}"),
            Self::Generator(name) => format!("made or redrawn by {name}"),
            Self::Editor(name) => format!("changed with {name}"),
        }
    }
}

/// IPTC and C2PA source types that speak of a trained model.
const SYNTHETIC_TYPES: [&str; 5] = [
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "compositeSynthetic",
    "trainedAlgorithmicData",
    // The name that the third one had before 2022.
    "compositeWithSyntheticElements",
];

/// Whether a digital source type, given by its last word, speaks of a trained model.
pub(crate) fn is_synthetic_type(kind: &str) -> bool {
    SYNTHETIC_TYPES.contains(&kind)
}

/// How much of the start and of the end is searched.
const SEARCHED_BYTES: u64 = 4 << 20;
/// An AIGC value is a short JSON object.
const LONGEST_VALUE: usize = 4096;

/// Finds plain-text marks.
pub(crate) fn find(path: &Path) -> Result<Vec<Foreign>> {
    let read_error = |source| Error::Read {
        source,
        path: path.to_owned(),
    };
    let mut file = File::open(path).map_err(read_error)?;
    let length = file.metadata().map_err(read_error)?.len();
    let mut found = Vec::new();
    let mut search = |from: u64| -> std::io::Result<()> {
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        (&file).take(SEARCHED_BYTES).read_to_end(&mut bytes)?;
        let fields = fields::named(&bytes);
        let mut all = source_types(&bytes);
        all.extend(aigc(&bytes));
        all.extend(fields.iter().flat_map(aigc_in));
        all.extend(makers::makers(&fields, &bytes));
        for mark in all {
            if !found.contains(&mark) {
                found.push(mark);
            }
        }
        Ok(())
    };
    search(0).map_err(read_error)?;
    if SEARCHED_BYTES < length {
        search(SEARCHED_BYTES.max(length - SEARCHED_BYTES)).map_err(read_error)?;
    }
    if let Some(end) = end_of_description(path).map_err(read_error)?
        && SEARCHED_BYTES < end
        && end < length - SEARCHED_BYTES.min(length)
    {
        search(end - SEARCHED_BYTES).map_err(read_error)?;
    }
    Ok(found)
}

/// Boxes of a video that are walked through.
const MOST_BOXES: usize = 1000;

/// Where the part of an MP4 or MOV file ends that describes it: texts are the last in it.
fn end_of_description(path: &Path) -> std::io::Result<Option<u64>> {
    let mut file = File::open(path)?;
    let (mut at, end) = (0, file.metadata()?.len());
    for _ in 0..MOST_BOXES {
        let mut head = [0; 16];
        file.seek(SeekFrom::Start(at))?;
        if end < at.saturating_add(16) || file.read_exact(&mut head).is_err() {
            break;
        }
        let [a, b, c, d, kind @ ..] = head;
        let length = match u32::from_be_bytes([a, b, c, d]) {
            1 => kind[4..]
                .iter()
                .fold(0, |n, &byte| n << 8 | u64::from(byte)),
            length => u64::from(length),
        };
        let Some(next) = at.checked_add(length).filter(|_| 8 <= length) else {
            break;
        };
        if &kind[..4] == b"moov" {
            return Ok(Some(next.min(end)));
        }
        at = next;
    }
    Ok(None)
}

/// IPTC's vocabulary; the words that follow the last slash are case-sensitive.
const VOCABULARY: &[u8] = b"cv.iptc.org/newscodes/digitalsourcetype/";
/// The property that holds it in XMP, behind whatever prefix stands for IPTC's names. Inside a C2PA
/// manifest the name is written otherwise.
const PROPERTY: &[u8] = b":DigitalSourceType";

fn source_types(bytes: &[u8]) -> Vec<Foreign> {
    let mut found = Vec::new();
    for at in places(bytes, PROPERTY) {
        let near = &bytes[at..bytes.len().min(at + 200)];
        let Some(start) = places(near, VOCABULARY).next() else {
            continue;
        };
        let word = near[start + VOCABULARY.len()..]
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric());
        let word: String = word.map(|&b| char::from(b)).collect();
        if !word.is_empty() {
            found.push(Foreign::DigitalSourceType(word));
        }
    }
    found
}

/// The fields beside the label of which GB 45438-2025 asks at least one.
const AIGC_FIELDS: [&str; 3] = ["ContentProducer", "ProduceID", "ContentPropagator"];

fn aigc(bytes: &[u8]) -> Vec<Foreign> {
    if places(bytes, b"AIGC").next().is_none() {
        return Vec::new();
    }
    // Containers keep names and values apart, so the value is known by its fields.
    let labels = places(bytes, b"Label").filter_map(|at| {
        let start = at
            - bytes[at.saturating_sub(LONGEST_VALUE)..at]
                .iter()
                .rev()
                .position(|&b| b == b'{')?
            - 1;
        let near = &bytes[start..bytes.len().min(start + LONGEST_VALUE)];
        let end = near.iter().position(|&b| b == b'}')?;
        let text = std::str::from_utf8(&near[..=end]).ok()?;
        let value: serde_json::Value = serde_json::from_str(&text.replace("&quot;", "\"")).ok()?;
        let is_whole = AIGC_FIELDS.iter().any(|field| value.get(field).is_some());
        let label = value.get("Label").filter(|_| is_whole)?;
        label
            .as_str()
            .map(str::to_owned)
            .or_else(|| label.as_u64().map(|n| n.to_string()))
    });
    labels.map(Foreign::Aigc).collect()
}

/// The AIGC label in a named field, which may have been compressed or coded otherwise.
fn aigc_in(field: &fields::Field) -> Vec<Foreign> {
    aigc(format!("{}={}", field.name, field.text).as_bytes())
}

/// Where `wanted` stands in `bytes`.
fn places<'a>(bytes: &'a [u8], wanted: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    memchr::memmem::find_iter(bytes, wanted)
}
