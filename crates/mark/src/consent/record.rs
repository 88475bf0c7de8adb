//! What a consent says.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::utc_time::UtcTime;

/// Name of a record, of 16 hexadecimal digits.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Id(String);

impl Id {
    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(effigy_files::hex(&bytes))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}

impl TryFrom<String> for Id {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == 16 && text.bytes().all(is_digit) {
            Ok(Self(text))
        } else {
            Err(format!("{text:?} is not 16 hexadecimal digits"))
        }
    }
}

/// Makes an enum whose variants have a written form, for files, arguments and messages alike.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The written form.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let words: Vec<&str> = Self::ALL.iter().map(|item| item.word()).collect();
                Self::ALL
                    .iter()
                    .copied()
                    .find(|item| item.word() == text)
                    .ok_or_else(|| format!("{text:?} is not one of {}", words.join(", ")))
            }
        }
    };
}

words! {
    /// Why the face may be used.
    Basis {
        /// The person agreed.
        Consent = "consent",
        /// The person is the one at the keyboard.
        Oneself = "self",
        /// The heirs of a dead person agreed.
        Estate = "estate",
        /// A historical person whose likeness is in the public domain.
        PublicDomainHistorical = "public-domain-historical",
        /// The face belongs to no real person.
        Synthetic = "synthetic",
    }
}

words! {
    /// What may be done with the face.
    Use {
        /// Put on, or taken off, another head in a video.
        Swap = "swap",
        /// Driven by another person's face.
        Puppet = "puppet",
        /// Its movement put onto another face.
        Drive = "drive",
        /// Made to speak.
        Speech = "speech",
        /// Made older or younger.
        Age = "age",
        /// Used to teach a detector.
        TrainDetector = "train-detector",
    }
}

words! {
    /// Who may see what is made.
    Audience {
        /// The people involved.
        Private = "private",
        /// Anyone.
        Publish = "publish",
    }
}

/// What proves the consent: a signed form, a recorded statement.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// File name, without the folder.
    pub name: String,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
}

impl Evidence {
    /// Hashes a file. It is not copied.
    ///
    /// # Errors
    /// When it cannot be read, or is empty.
    pub fn of(path: &Path) -> Result<Self> {
        let is_empty = |meta: std::fs::Metadata| meta.is_file() && meta.len() == 0;
        if std::fs::metadata(path).is_ok_and(is_empty) {
            return Err(Error::NotAConsent {
                reason: "the evidence is an empty file".to_owned(),
            });
        }
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(Self {
            name,
            sha256: crate::files::sha256(path)?,
        })
    }
}

/// A consent before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Whose face and voice it is.
    pub subject: String,
    /// Why it may be used.
    pub basis: Basis,
    /// What may be done with it.
    pub uses: Vec<Use>,
    /// Who may see the results.
    pub audience: Audience,
    /// When it begins.
    pub from: UtcTime,
    /// When it ends.
    pub until: UtcTime,
    /// What proves it.
    pub evidence: Option<Evidence>,
}

/// A signed consent.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Version of this format.
    pub version: u32,
    /// Name of the record.
    pub id: Id,
    /// Whose face it is.
    pub subject: String,
    /// Why it may be used.
    pub basis: Basis,
    /// What may be done with it.
    pub uses: Vec<Use>,
    /// Who may see the results.
    pub audience: Audience,
    /// When it begins.
    pub from: UtcTime,
    /// When it ends.
    pub until: UtcTime,
    /// What proves it.
    pub evidence: Option<Evidence>,
    /// Salted SHA-256 of the identity template, which itself is kept apart, encrypted.
    pub template: Option<String>,
    /// The same of the voice template, in consents to speech that name a voice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<String>,
    /// When it was signed.
    pub issued: UtcTime,
}

/// The version that this program writes.
pub(super) const VERSION: u32 = 1;
/// A name longer than this is not a name.
const LONGEST_SUBJECT: usize = 200;

impl Draft {
    /// Refuses what cannot be a consent. [`super::Store::add`] begins with it.
    ///
    /// # Errors
    /// When it has no name, no use or no days.
    pub fn check(&self) -> Result<()> {
        let reason = if self.subject.trim().is_empty() {
            "the subject has no name"
        } else if self.subject.chars().count() > LONGEST_SUBJECT {
            "the subject's name is longer than 200 letters"
        } else if self.subject.chars().any(char::is_control) {
            "the subject's name holds control characters"
        } else if self.uses.is_empty() {
            "it allows no use"
        } else if self.until < self.from {
            "it ends before it begins"
        } else {
            return Ok(());
        };
        Err(Error::NotAConsent {
            reason: reason.to_owned(),
        })
    }
}

impl Record {
    /// Whether a use for an audience is consented to.
    pub fn covers(&self, usage: Use, audience: Audience) -> bool {
        let is_seen_by = self.audience == Audience::Publish || audience == Audience::Private;
        is_seen_by && self.uses.contains(&usage)
    }

    /// Lists what may be done, in words.
    pub fn uses_in_words(&self) -> String {
        let words: Vec<&str> = self.uses.iter().map(|item| item.word()).collect();
        words.join(", ")
    }
}
