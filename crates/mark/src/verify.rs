//! What a file says about where it comes from: credentials, watermark, label, foreign marks.
//!
//! Works for files of any maker. A file without any mark is not thereby genuine.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use effigy_media::{Limits, VideoReader};
use x509_cert::Certificate;
use x509_cert::der::DecodePem as _;

use crate::credentials::{self, Credentials, Sidecar, State, Trust};
use crate::error::{Error, Result};
use crate::files;
use crate::foreign::{self, Foreign};
use crate::watermark::{Detector, Found};

/// Whether `pem` holds certificates, all of them whole.
pub fn has_certificate(pem: &str) -> bool {
    const END: &str = "-----END CERTIFICATE-----";
    let mut blocks = pem
        .split_inclusive(END)
        .filter(|block| block.ends_with(END))
        .peekable();
    let is_whole = |block: &str| {
        let begin = block.rfind("-----BEGIN CERTIFICATE-----");
        begin.is_some_and(|begin| Certificate::from_pem(&block[begin..]).is_ok())
    };
    blocks.peek().is_some() && blocks.all(is_whole)
}

/// What was found in one file.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Report {
    /// The file; in JSON, letters that are no Unicode are replaced.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// Whether anything says that it is synthetic.
    pub marked: bool,
    /// Our watermark.
    pub watermark: Option<Found>,
    /// Why the pictures could not be looked at for a watermark, where they could not.
    pub unreadable: Option<String>,
    /// Whether the credentials name the watermark that was found; `None` where either is missing.
    pub watermark_fits: Option<bool>,
    /// Content Credentials, ours or another maker's.
    pub credentials: Option<Credentials>,
    /// Marks in plain text.
    pub foreign: Vec<Foreign>,
    /// What the credentials say of the visible label.
    pub label: Option<serde_json::Value>,
}

/// Where the watermark is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Search {
    /// Where it is upright and most of the picture: [`verify_quickly`].
    Upright,
    /// Wherever people repost: [`verify`].
    Everywhere,
}

/// Looks for every mark in a picture or video.
///
/// # Errors
/// When the file cannot be read and has no credentials or metadata that say anything. A damaged
/// manifest is not an error: it is reported.
pub fn verify(path: &Path, trust: &Trust) -> Result<Report> {
    Said::read(path, trust)?.look(path, Search::Everywhere)
}

/// Looks as [`verify`] does, but for the watermark only where it is upright and most of the picture:
/// a second or so is saved for each file without one, and what was mirrored or put into another
/// picture is not found.
///
/// # Errors
/// As [`verify`].
pub fn verify_quickly(path: &Path, trust: &Trust) -> Result<Report> {
    Said::read(path, trust)?.look(path, Search::Upright)
}

/// What a file says without its pictures being looked at.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Said {
    credentials: Option<Credentials>,
    foreign: Vec<Foreign>,
}

impl Said {
    /// Reads credentials and metadata.
    pub(crate) fn read(path: &Path, trust: &Trust) -> Result<Self> {
        Ok(Self {
            credentials: read_credentials(path, trust)?,
            foreign: foreign::find(path)?,
        })
    }

    /// Whether there is anything to say.
    pub(crate) fn is_anything(&self) -> bool {
        self.credentials.is_some() || !self.foreign.is_empty()
    }

    /// Looks at the pictures too.
    pub(crate) fn look(self, path: &Path, search: Search) -> Result<Report> {
        let found = match search {
            Search::Upright => look_upright(path).map(|(found, _)| found),
            Search::Everywhere => watermark(path),
        };
        let (watermark, unreadable) = match found {
            Ok(found) => (found, None),
            // What cannot be shown has no picture to look at; its manifest may still say something.
            Err(error) if self.is_anything() => (None, Some(error.to_string())),
            Err(error) => return Err(error),
        };
        Ok(self.with(path, watermark, unreadable))
    }

    /// Adds what its pictures say, or why they do not.
    pub(crate) fn with(
        self,
        path: &Path,
        watermark: Option<Found>,
        unreadable: Option<String>,
    ) -> Report {
        let Self {
            credentials,
            foreign,
        } = self;
        let label = credentials
            .as_ref()
            .and_then(|credentials| credentials.label.clone());
        let declared = credentials
            .as_ref()
            .and_then(|credentials| credentials.watermark.clone());
        let watermark_fits = watermark
            .zip(declared)
            .map(|(found, declared)| format!("{:016x}", found.identifier) == declared);
        let marked = watermark.is_some()
            || credentials
                .as_ref()
                .is_some_and(|credentials| credentials.synthetic)
            || foreign.iter().any(Foreign::is_synthetic);
        Report {
            file: path.to_owned(),
            marked,
            watermark,
            unreadable,
            watermark_fits,
            credentials,
            foreign,
            label,
        }
    }
}

fn as_text<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

impl Report {
    /// Says it in words, one finding per line.
    pub fn in_words(&self) -> String {
        let mut lines = Vec::new();
        lines.push(if self.marked {
            "marked as synthetic".to_owned()
        } else {
            "no mark says that this is synthetic, which does not prove that it is genuine"
                .to_owned()
        });
        match &self.credentials {
            Some(credentials) => lines.extend(credentials.in_words()),
            None => lines.push("credentials: none".to_owned()),
        }
        lines.push(match (&self.watermark, &self.unreadable) {
            (Some(found), _) => format!(
                "watermark: {:016x}, confidence {:.0} %, by chance at most once in {:.0} files",
                found.identifier,
                100.0 * found.confidence,
                1.0 / found.false_alarm,
            ),
            (None, Some(why)) => format!("watermark: not judged ({why})"),
            (None, None) => "watermark: none".to_owned(),
        });
        if self.watermark_fits == Some(false) {
            lines.push(
                "the credentials name another watermark: picture and credentials come from \
                 different files"
                    .to_owned(),
            );
        }
        if let Some(label) = &self.label {
            let profiles = label["profiles"].as_array();
            let profiles: Vec<&str> = profiles
                .into_iter()
                .flatten()
                .filter_map(serde_json::Value::as_str)
                .collect();
            lines.push(format!("visible label: {}", profiles.join(", ")));
        }
        for mark in &self.foreign {
            lines.push(format!("metadata: {}", mark.in_words()));
        }
        lines.join("\n  ")
    }

    /// Whether nothing marks the file as synthetic and something was not judged that might have:
    /// credentials that cannot be believed or were not fetched, or pictures that cannot be shown.
    pub fn is_not_judged(&self) -> bool {
        let is_whole = |credentials: &Credentials| {
            matches!(credentials.state, State::Trusted | State::Untrusted)
        };
        let is_judged = self.unreadable.is_none() && self.credentials.as_ref().is_none_or(is_whole);
        !self.marked && !is_judged
    }
}

/// Frames that are looked at together. They carry the same mark; two seconds are plenty.
const LOOKED_AT: usize = 50;

/// Reads the watermark of a picture or video, wherever it lies in it.
pub(crate) fn watermark(path: &Path) -> Result<Option<Found>> {
    let (found, mut detector) = look_upright(path)?;
    Ok(found.or_else(|| detector.finish_anywhere()))
}

/// Reads the watermark of a picture, or of the start and else the middle of a video, where it is
/// upright. The detector has seen all that was looked at.
fn look_upright(path: &Path) -> Result<(Option<Found>, Detector)> {
    let mut reader = VideoReader::open(path, &Limits::default())?.skip_damaged();
    let middle = reader.info().duration_secs.map_or(0.0, |secs| 0.5 * secs);
    let mut detector = Detector::new();
    let mut found = look(&mut reader, &mut detector)?;
    if found.is_none() && 2.0 <= middle {
        reader.seek(middle)?;
        let mut later = Detector::new();
        // Two looks have twice the chance to see what is not there.
        found = look(&mut reader, &mut later)?.map(|found| Found {
            false_alarm: 2.0 * found.false_alarm,
            ..found
        });
        detector.join(later);
    }
    Ok((found, detector))
}

/// Frames that are enough where nothing was cropped or compressed hard.
const SOON: usize = 10;

/// Reads the watermark of a picture or of the start of a video, where it was not cropped.
pub(crate) fn watermark_at_start(path: &Path) -> Result<Option<Found>> {
    let mut detector = Detector::new();
    for frame in VideoReader::open(path, &Limits::default())?.take(SOON) {
        detector.look(&frame?.picture);
    }
    Ok(detector.finish_uncut())
}

/// Looks at the next two seconds, as far as they can be read, and reads the mark where it is upright.
/// Damage between them is an error only where no mark is found: there might have been one.
fn look(reader: &mut VideoReader, detector: &mut Detector) -> Result<Option<Found>> {
    let mut damage = None;
    for (number, frame) in reader.take(LOOKED_AT).enumerate() {
        match frame {
            Ok(frame) => detector.look(&frame.picture),
            Err(error) => {
                damage.get_or_insert(error);
            }
        }
        if number + 1 == SOON
            && let Some(found) = detector.finish_uncut()
        {
            return Ok(Some(found));
        }
    }
    match (detector.finish_upright(), damage) {
        (None, Some(error)) => Err(error.into()),
        (found, _) => Ok(found),
    }
}

/// Reads the Content Credentials of a file, and looks for no other mark. `None` when there are
/// none; damaged ones are reported as broken.
///
/// # Errors
/// When the file cannot be read.
pub fn read_credentials(path: &Path, trust: &Trust) -> Result<Option<Credentials>> {
    let read_error = |source| Error::Read {
        source,
        path: path.to_owned(),
    };
    let mut file = File::open(path).map_err(read_error)?;
    let mut start = Vec::new();
    (&file)
        .take(64)
        .read_to_end(&mut start)
        .map_err(read_error)?;
    if start.is_empty() {
        let source = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the file is empty");
        return Err(Error::Read {
            source,
            path: path.to_owned(),
        });
    }
    if start.get(4..8) == Some(b"jumb") {
        return Err(Error::CredentialsAlone {
            path: path.to_owned(),
        });
    }
    let Some(media_type) = media_type(&start) else {
        return Ok(None);
    };
    std::io::Seek::rewind(&mut file).map_err(read_error)?;
    let sidecar = sidecar(path)?;
    credentials::read(media_type, file, sidecar.as_ref(), trust).map_err(read_error)
}

/// More than a store of manifests holds; pictures of every ingredient are in it.
const LARGEST_SIDECAR: u64 = 64 << 20;

/// The credentials that lie beside a file: `NAME.c2pa` for `NAME.jpg` (C2PA specification 2.2,
/// section 11.4), or `NAME.jpg.c2pa`.
fn sidecar(path: &Path) -> Result<Option<Sidecar>> {
    let mut longer = path.as_os_str().to_owned();
    longer.push(".c2pa");
    for path in [PathBuf::from(longer), path.with_extension("c2pa")] {
        if path.is_file() {
            let store = files::read(&path, LARGEST_SIDECAR)?;
            return Ok(Some(Sidecar { path, store }));
        }
    }
    Ok(None)
}

/// Media type by the first bytes: extensions may be wrong.
fn media_type(start: &[u8]) -> Option<&'static str> {
    let brand = start.get(4..12).unwrap_or_default();
    match start {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'I', b'I', 0x2a, 0, ..] | [b'M', b'M', 0, 0x2a, ..] => Some("image/tiff"),
        [b'R', b'I', b'F', b'F', ..] => match start.get(8..12) {
            Some(b"WEBP") => Some("image/webp"),
            Some(b"AVI ") => Some("video/avi"),
            Some(b"WAVE") => Some("audio/wav"),
            _ => None,
        },
        [b'I', b'D', b'3', ..] => Some("audio/mpeg"),
        _ if brand.starts_with(b"ftyp") => Some(match &brand[4..] {
            b"avif" | b"avis" => "image/avif",
            b"heic" | b"heix" => "image/heic",
            b"mif1" | b"msf1" => "image/heif",
            b"qt  " => "video/quicktime",
            _ => "video/mp4",
        }),
        _ if [&b"moov"[..], b"mdat", b"free", b"wide"]
            .iter()
            .any(|b| brand.starts_with(b)) =>
        {
            Some("video/quicktime")
        }
        _ => None,
    }
}
