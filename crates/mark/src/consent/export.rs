//! Consents in one file, to hand on or keep; any installation can read it.

use std::path::Path;

use crate::consent::store::{RECORD, REVOCATION, Revocation};
use crate::consent::{Record, Store, jws};
use crate::error::{Error, Result};
use crate::files::{self, Readers};
use crate::keys;
use crate::utc_time::UtcTime;

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Export {
    format: String,
    /// Public key that all were signed with, in hexadecimal digits.
    key: String,
    consents: Vec<Exported>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Exported {
    consent: String,
    revocation: Option<String>,
}

/// A consent that was read from an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The consent, its signature verified.
    pub record: Record,
    /// When it was revoked.
    pub revoked: Option<UtcTime>,
    /// The key that signed it.
    pub key_id: String,
}

const EXPORT: &str = "effigy-consents/1";
/// Some thousand consents.
const LARGEST_EXPORT: u64 = 16 << 20;

/// Reads an export of any installation. Whether its key is to be believed is left to the reader.
///
/// # Errors
/// When it is no export or any record in it was changed.
pub fn read_export(path: &Path) -> Result<Vec<Foreign>> {
    let forged = |reason| Error::Forged {
        reason,
        path: path.to_owned(),
    };
    let bytes = files::read(path, LARGEST_EXPORT)?;
    let export: Export =
        serde_json::from_slice(&bytes).map_err(|_error| forged("not an export of consents"))?;
    if export.format != EXPORT {
        return Err(forged("written by another version"));
    }
    let key = keys::public_key(&export.key).ok_or_else(|| forged("damaged key"))?;
    let key_id = keys::key_id(&key);
    let mut consents = Vec::new();
    for exported in &export.consents {
        let record: Record = jws::open_with(&key, RECORD, &exported.consent, path)?;
        let revocation = exported.revocation.as_ref();
        let revocation = revocation.map(|t| jws::open_with(&key, REVOCATION, t, path));
        let revocation: Option<Revocation> = revocation.transpose()?;
        if revocation.as_ref().is_some_and(|r| r.id != record.id) {
            return Err(forged("revokes another consent"));
        }
        consents.push(Foreign {
            record,
            revoked: revocation.map(|revocation| revocation.on),
            key_id: key_id.clone(),
        });
    }
    Ok(consents)
}

impl Store<'_> {
    /// Writes consents with their revocations into one file, which says who signed them; it is
    /// whole or not there. Identity templates stay here.
    ///
    /// # Errors
    /// When a file cannot be read, or the new one not written.
    pub fn export(&self, records: &[Record], output: &Path) -> Result<()> {
        let mut consents = Vec::new();
        for record in records {
            let revocation = self.path(&record.id, "revoked");
            let revocation = revocation.exists().then(|| files::read_text(&revocation));
            consents.push(Exported {
                consent: files::read_text(&self.path(&record.id, "jws"))?,
                revocation: revocation.transpose()?,
            });
        }
        let export = Export {
            format: EXPORT.to_owned(),
            key: self.keys.consent_public_hex(),
            consents,
        };
        let text = serde_json::to_string_pretty(&export).map_err(|error| Error::NotAConsent {
            reason: error.to_string(),
        })?;
        files::write(output, text.as_bytes(), Readers::Anyone)
    }
}
