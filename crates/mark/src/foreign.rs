//! Marks of other makers that are plain text in a file: IPTC's digital source type in XMP, and
//! the AIGC fields of China's GB 45438-2025.
//!
//! The start and the end of the file are searched as bytes, so that it works for any container
//! and reads a bounded amount of it. Such marks are easily added and removed: they are reported,
//! never trusted like a signature.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::error::{Error, Result};

/// What a plain-text mark says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "value")]
pub enum Foreign {
    /// IPTC's digital source type, last word of its address.
    DigitalSourceType(String),
    /// The AIGC label: 1 is generated, 2 possibly, 3 suspected.
    Aigc(String),
}

impl Foreign {
    /// Whether it says that a trained model made all or part of the picture.
    pub fn is_synthetic(&self) -> bool {
        match self {
            Self::DigitalSourceType(kind) => is_synthetic_type(kind),
            Self::Aigc(label) => ["1", "2", "3"].contains(&label.as_str()),
        }
    }
}

/// IPTC and C2PA source types that speak of a trained model.
const SYNTHETIC_TYPES: [&str; 4] = [
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "compositeSynthetic",
    "trainedAlgorithmicData",
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
        for mark in source_types(&bytes).into_iter().chain(aigc(&bytes)) {
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
    Ok(found)
}

/// IPTC's vocabulary; the words that follow the last slash are case-sensitive.
const VOCABULARY: &[u8] = b"cv.iptc.org/newscodes/digitalsourcetype/";
/// The property that holds it in XMP. Inside a C2PA manifest the name is written otherwise.
const PROPERTY: &[u8] = b"Iptc4xmpExt:DigitalSourceType";

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

fn places<'a>(bytes: &'a [u8], wanted: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let first = wanted[0];
    let starts = bytes.iter().enumerate().filter(move |&(_, &b)| b == first);
    starts
        .map(|(at, _)| at)
        .filter(move |&at| bytes[at..].starts_with(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(text: &str) -> Vec<Foreign> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        std::fs::write(&path, text).unwrap();
        find(&path).unwrap()
    }

    #[test]
    fn iptc_source_type_is_read_from_attribute_and_element() {
        let uri = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
        let generated = Foreign::DigitalSourceType("trainedAlgorithmicMedia".to_owned());
        assert!(generated.is_synthetic());
        for xmp in [
            format!("<rdf:Description Iptc4xmpExt:DigitalSourceType=\"{uri}\"/>"),
            format!("<Iptc4xmpExt:DigitalSourceType>{uri}</Iptc4xmpExt:DigitalSourceType>"),
        ] {
            assert_eq!(marks(&xmp)[0], generated, "{xmp}");
        }
    }

    #[test]
    fn photographs_are_not_synthetic() {
        let uri = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture";
        let found = marks(&format!("Iptc4xmpExt:DigitalSourceType=\"{uri}\""));
        assert!(found.iter().all(|mark| !mark.is_synthetic()) && found.len() == 1);
    }

    #[test]
    fn aigc_label_is_read_plain_and_escaped() {
        for text in [
            "AIGC={\"Label\":\"1\",\"ContentProducer\":\"x\"}",
            "TC260:AIGC=\"{&quot;Label&quot;:&quot;1&quot;,&quot;ProduceID&quot;:&quot;7&quot;}\"",
        ] {
            assert_eq!(marks(text), [Foreign::Aigc("1".to_owned())], "{text}");
        }
    }

    #[test]
    fn words_alone_are_no_mark() {
        assert_eq!(
            marks("AIGC is a term, and so is DigitalSourceType {\"Label\":1}"),
            []
        );
    }
}
