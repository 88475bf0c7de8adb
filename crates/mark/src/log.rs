//! The audit log: one line for each consent, training and output, chained by hashes.
//!
//! Every line holds the SHA-256 of the line before, so that changing, removing or re-ordering any
//! line but the last breaks the chain; a signature over each line's hash covers the last as well.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signature, Signer as _};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::files;
use crate::keys::Keys;
use crate::moment::Moment;

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
    /// A face model was trained.
    Trained {
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
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Entry {
    /// Number, from 1.
    pub line: usize,
    /// When.
    pub at: Moment,
    /// What.
    #[serde(flatten)]
    pub event: Event,
    /// SHA-256 of the line before; 64 zeros for the first.
    pub before: String,
}

/// The log of one installation.
pub struct Log<'a> {
    path: PathBuf,
    keys: &'a Keys,
}

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

    /// Adds a line.
    ///
    /// # Errors
    /// When the log is broken, the clock is behind its last line, or it cannot be written.
    pub fn append(&self, event: Event, now: Moment) -> Result<()> {
        let entries = self.verify()?;
        let before = match entries.last() {
            Some((last, _)) if now < last.at => {
                return Err(Error::ClockBack {
                    now,
                    recorded: last.at,
                });
            }
            Some((_, hash)) => hash.clone(),
            None => "0".repeat(64),
        };
        let entry = Entry {
            line: entries.len() + 1,
            at: now,
            event,
            before,
        };
        let json = serde_json::to_string(&entry).map_err(|error| Error::NotAConsent {
            reason: error.to_string(),
        })?;
        let signature = self.keys.consent().sign(json.as_bytes());
        let line = format!("{json}\t{}\n", files::hex(&signature.to_bytes()));
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
        file.write_all(line.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(write_error)
    }

    /// Reads the log and checks every line against the one before.
    ///
    /// # Errors
    /// At the first line that does not follow, or was not signed here.
    pub fn verify(&self) -> Result<Vec<(Entry, String)>> {
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        let bytes = files::read(&self.path, LONGEST_LOG)?;
        let text = String::from_utf8_lossy(&bytes);
        let mut entries: Vec<(Entry, String)> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let before = entries
                .last()
                .map_or_else(|| "0".repeat(64), |(_, hash)| hash.clone());
            let entry =
                self.checked(line, index + 1, &before)
                    .map_err(|reason| Error::LogBroken {
                        line: index + 1,
                        reason,
                        path: self.path.clone(),
                    })?;
            entries.push((entry, files::hex(&Sha256::digest(line.as_bytes()))));
        }
        Ok(entries)
    }

    fn checked(&self, line: &str, number: usize, before: &str) -> Result<Entry, &'static str> {
        let (json, signature) = line.split_once('\t').ok_or("it has no signature")?;
        let signature = bytes_from_hex(signature).ok_or("its signature is damaged")?;
        let signature = Signature::from_bytes(&signature);
        let key = self.keys.consent().verifying_key();
        let verified = key.verify_strict(json.as_bytes(), &signature);
        verified.map_err(|_mismatch| "it was changed, or signed elsewhere")?;
        let entry: Entry = serde_json::from_str(json).map_err(|_error| "it cannot be read")?;
        if entry.line != number {
            return Err("a line is missing or out of order");
        }
        if entry.before != before {
            return Err("the line before was changed");
        }
        Ok(entry)
    }
}

fn bytes_from_hex(text: &str) -> Option<[u8; 64]> {
    if text.len() != 128 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 64];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn now() -> Moment {
        Moment::from_unix_secs(1_790_000_000)
    }

    /// A log of four lines, and what is left of it after `change`.
    fn changed(change: impl Fn(Vec<String>) -> Vec<String>) -> Result<Vec<(Entry, String)>> {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(&folder.path().join("keys"), "Test Studio", now()).unwrap();
        let log = Log::of(&keys);
        let path = log.path().to_owned();
        for consent in ["a", "b", "c", "d"] {
            log.append(
                Event::Consented {
                    consent: consent.to_owned(),
                },
                now(),
            )
            .unwrap();
        }
        let lines = fs::read_to_string(&path)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect();
        fs::write(&path, change(lines).join("\n")).unwrap();
        log.verify()
    }

    #[track_caller]
    fn check_broken_at(wanted: usize, change: impl Fn(Vec<String>) -> Vec<String>) {
        let outcome = changed(change);
        assert!(
            matches!(outcome, Err(Error::LogBroken { line, .. }) if line == wanted),
            "{outcome:?}"
        );
    }

    #[test]
    fn untouched_log_verifies() {
        assert_eq!(changed(|lines| lines).unwrap().len(), 4);
    }

    #[test]
    fn changed_line_is_found() {
        for line in 0..4 {
            check_broken_at(line + 1, |mut lines| {
                lines[line] = lines[line].replace("consented", "revoked");
                lines
            });
        }
    }

    #[test]
    fn missing_and_reordered_lines_are_found() {
        check_broken_at(2, |mut lines| {
            lines.remove(1);
            lines
        });
        check_broken_at(2, |mut lines| {
            lines.swap(1, 2);
            lines
        });
    }

    #[test]
    fn clock_behind_the_log_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(&folder.path().join("keys"), "Test Studio", now()).unwrap();
        let log = Log::of(&keys);
        let event = Event::Consented {
            consent: "a".to_owned(),
        };
        log.append(event.clone(), now()).unwrap();
        let early = log.append(event, now().plus_days(-1));
        assert!(matches!(early, Err(Error::ClockBack { .. })));
    }
}
