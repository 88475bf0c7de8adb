//! The audit log: one line for each consent, training and output, chained by hashes.
//!
//! Every line holds the SHA-256 of the line before, so that changing, removing or re-ordering any
//! line but the last breaks the chain; every line is signed, and a signed file beside the log says
//! how long it is, so that lines cut off at its end are missed as well.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signature, Signer as _};

use crate::error::{Error, Result};
use crate::files::{self, Readers};
use crate::keys::Keys;
use crate::utc_time::UtcTime;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Event {
    /// A consent was recorded.
    Consented {
        /// The consent.
        consent: String,
    },
    /// A consent was taken back.
    Revoked {
        /// The consent.
        consent: String,
    },
    /// The training of a face model began or was resumed. What it saves on the way can be used, so
    /// that this line comes first.
    TrainingBegan {
        /// The consents it rests on.
        consents: Vec<String>,
        /// Name of the model.
        model: String,
    },
    /// Something synthetic was written.
    Written {
        /// The consents it rests on.
        consents: Vec<String>,
        /// The identifier in its watermark.
        identifier: String,
        /// SHA-256 of the file.
        sha256: String,
    },
    /// The frames of something synthetic were written, a picture each.
    FramesWritten {
        /// The consents they rest on.
        consents: Vec<String>,
        /// The identifier in the watermark of all.
        identifier: String,
        /// How many there are.
        frames: u64,
        /// SHA-256 of a list with the SHA-256, two spaces and the name of each on a line.
        sha256: String,
    },
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Entry {
    /// Number, from 1.
    pub line: usize,
    /// When.
    pub at: UtcTime,
    /// What.
    #[serde(flatten)]
    pub event: Event,
    /// SHA-256 of the line before; 64 zeros for the first.
    pub before: String,
}

/// A line of the log that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What it says.
    pub entry: Entry,
    /// SHA-256 of the line, which the next one repeats.
    hash: String,
}

/// The log of one installation.
pub struct Log<'a> {
    path: PathBuf,
    keys: &'a Keys,
}

/// How long the log is, and the SHA-256 of its last line.
#[derive(serde::Serialize, serde::Deserialize)]
struct Length {
    lines: usize,
    last: String,
}

/// Stands for the hash of the line before the first.
const NOTHING_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// A log line is a few hundred bytes; a year of hard use is far below this.
const LONGEST_LOG: u64 = 1 << 30;

impl<'a> Log<'a> {
    /// Opens the log of an installation, beside its keys; it begins with the first line.
    pub fn of(keys: &'a Keys) -> Self {
        Self {
            path: keys.folder().join("log.jsonl"),
            keys,
        }
    }

    /// Where the log is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a line. Another process that adds one at the same time waits.
    ///
    /// # Errors
    /// When the log is broken, the clock is behind its last line, or it cannot be written.
    pub fn append(&self, event: Event, now: UtcTime) -> Result<()> {
        let _held = self.lock()?;
        let entries = self.verify()?;
        refuse_clock_back(&entries, now)?;
        let last = entries.last();
        let before = last.map(|last| last.hash.clone());
        let at = last.map_or(now, |last| last.entry.at.max(now));
        let entry = Entry {
            line: entries.len() + 1,
            at,
            event,
            before: before.unwrap_or_else(|| NOTHING_BEFORE.to_owned()),
        };
        let line = self.signed(&entry)?;
        let write_error = |source| Error::Write {
            source,
            path: self.path.clone(),
        };
        let mut options = OpenOptions::new();
        let mut file = options
            .append(true)
            .create(true)
            .open(&self.path)
            .map_err(write_error)?;
        file.write_all(format!("{line}\n").as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(write_error)?;
        let length = self.signed(&Length {
            lines: entry.line,
            last: effigy_files::sha256(line.as_bytes()),
        })?;
        files::write(&self.length_path(), length.as_bytes(), Readers::Owner)
    }

    /// Refuses a clock that is behind what was recorded.
    ///
    /// # Errors
    /// When it is, or the log is broken.
    pub(crate) fn check_clock(&self, now: UtcTime) -> Result<()> {
        refuse_clock_back(&self.verify()?, now)
    }

    /// Reads the log and checks every line against the one before.
    ///
    /// # Errors
    /// At the first line that does not follow, was not signed here, or is not there any more.
    pub fn verify(&self) -> Result<Vec<Checked>> {
        let bytes = if self.path.exists() {
            files::read(&self.path, LONGEST_LOG)?
        } else {
            Vec::new()
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut entries: Vec<Checked> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let before = entries.last().map(|last| last.hash.as_str());
            let entry = self.checked(line, index + 1, before.unwrap_or(NOTHING_BEFORE));
            let entry = entry.map_err(|reason| self.broken(index + 1, reason))?;
            let hash = effigy_files::sha256(line.as_bytes());
            entries.push(Checked { entry, hash });
        }
        self.check_length(&entries)?;
        Ok(entries)
    }

    /// A log may be one line longer than it says: when the program was killed in between.
    fn check_length(&self, entries: &[Checked]) -> Result<()> {
        let path = self.length_path();
        let length = if path.exists() {
            let text = files::read_text(&path)?;
            let length: Option<Length> = self.opened(text.trim_end()).ok();
            length.ok_or_else(|| self.broken(entries.len(), "its length is not what was signed"))?
        } else {
            Length {
                lines: 0,
                last: NOTHING_BEFORE.to_owned(),
            }
        };
        if entries.len() < length.lines {
            return Err(self.broken(entries.len() + 1, "it is missing"));
        }
        if length.lines + 1 < entries.len() {
            return Err(self.broken(length.lines + 1, "the file that says the length is older"));
        }
        let last = length
            .lines
            .checked_sub(1)
            .map(|at| entries[at].hash.as_str());
        if last.unwrap_or(NOTHING_BEFORE) != length.last {
            return Err(self.broken(length.lines, "it was replaced"));
        }
        Ok(())
    }

    fn lock(&self) -> Result<File> {
        let path = self.path.with_extension("lock");
        let mut options = OpenOptions::new();
        let opened = options.write(true).create(true).truncate(false).open(&path);
        opened
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|source| Error::Write { source, path })
    }

    fn length_path(&self) -> PathBuf {
        self.path.with_extension("length")
    }

    fn broken(&self, line: usize, reason: &'static str) -> Error {
        Error::LogBroken {
            line,
            reason,
            path: self.path.clone(),
        }
    }

    /// JSON, a tab, and a signature over the JSON.
    fn signed(&self, content: &impl serde::Serialize) -> Result<String> {
        let json = serde_json::to_string(content).map_err(|error| Error::NotAConsent {
            reason: error.to_string(),
        })?;
        let signature = self.keys.consent().sign(json.as_bytes());
        Ok(format!(
            "{json}\t{}",
            effigy_files::hex(&signature.to_bytes())
        ))
    }

    fn opened<T: serde::de::DeserializeOwned>(&self, line: &str) -> Result<T, &'static str> {
        let (json, signature) = line.split_once('\t').ok_or("it has no signature")?;
        let signature = files::bytes_from_hex(signature).ok_or("its signature is damaged")?;
        let signature = Signature::from_bytes(&signature);
        let key = self.keys.consent().verifying_key();
        let verified = key.verify_strict(json.as_bytes(), &signature);
        verified.map_err(|_mismatch| "it was changed, or signed with another key")?;
        serde_json::from_str(json).map_err(|_error| "it cannot be read")
    }

    fn checked(&self, line: &str, number: usize, before: &str) -> Result<Entry, &'static str> {
        let entry: Entry = self.opened(line)?;
        if entry.line != number {
            return Err("a line is missing or out of order");
        }
        if entry.before != before {
            return Err("the line before was changed");
        }
        Ok(entry)
    }
}

/// Clocks count whole seconds from where they were set, so that two may differ by so much.
const SLACK_SECS: i64 = 2;

fn refuse_clock_back(entries: &[Checked], now: UtcTime) -> Result<()> {
    match entries.last() {
        Some(last) if now.plus_secs(SLACK_SECS) < last.entry.at => Err(Error::ClockBack {
            now,
            recorded: last.entry.at,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
