//! The keys of one installation: one that signs consents, one that seals identity templates, and
//! a certificate that signs Content Credentials.
//!
//! All lie in one folder that only its owner can read. Nothing is ever overwritten.

mod certificate;
mod pkcs12;
mod signer;

use std::fs;
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use ed25519_dalek::{SigningKey, VerifyingKey};
use zeroize::Zeroizing;

pub use signer::{AskTime, Signer, Timestamps};

use crate::error::{Error, Result};
use crate::files::{self, Readers};
use crate::utc_time::UtcTime;

/// Private keys and certificates, read and ready for use.
pub struct Keys {
    folder: PathBuf,
    consent: SigningKey,
    template_key: Zeroizing<[u8; 32]>,
    signer: Signer,
    root_pem: String,
    timestamps: Option<Timestamps>,
}

const CONSENT_KEY: &str = "consent.key";
const TEMPLATE_KEY: &str = "templates.key";
const SIGNER_KEY: &str = "signer.key";
const SIGNER_CHAIN: &str = "signer.pem";
/// A signer that was brought from elsewhere stands beside ours and is used instead.
const IMPORTED_KEY: &str = "imported.key";
const IMPORTED_CHAIN: &str = "imported.pem";
const ROOT_KEY: &str = "root.key";
const ROOT_CERTIFICATE: &str = "root.pem";
/// Public keys of others whose consent records count here, one file each.
const TRUSTED: &str = "trusted";

impl Keys {
    /// Says whether the folder holds keys.
    pub fn exist(folder: &Path) -> bool {
        folder.join(CONSENT_KEY).exists() || folder.join(SIGNER_KEY).exists()
    }

    /// Makes all keys. `provider` is who signs, as the certificate will say.
    ///
    /// # Errors
    /// When the folder holds keys already or cannot be written.
    pub fn create(folder: &Path, provider: &str, now: UtcTime) -> Result<Self> {
        if Self::exist(folder) {
            return Err(Error::KeysExist {
                path: folder.to_owned(),
            });
        }
        files::make_private_folder(folder)?;
        let consent = SigningKey::from_bytes(&files::random()?);
        let pem = consent
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|error| Error::Certificate {
                reason: error.to_string(),
            })?;
        let secret =
            |name: &str, bytes: &[u8]| files::write(&folder.join(name), bytes, Readers::Owner);
        secret(CONSENT_KEY, pem.as_bytes())?;
        let template_key = Zeroizing::new(files::random::<32>()?);
        secret(
            TEMPLATE_KEY,
            Zeroizing::new(effigy_files::hex(&*template_key)).as_bytes(),
        )?;
        let made = certificate::make(provider, now)?;
        secret(ROOT_KEY, made.root_key_pem.as_bytes())?;
        secret(SIGNER_KEY, made.leaf_key_pem.as_bytes())?;
        let public = |name: &str, text: &str| {
            files::write(&folder.join(name), text.as_bytes(), Readers::Anyone)
        };
        public(ROOT_CERTIFICATE, &made.root_pem)?;
        public(SIGNER_CHAIN, &format!("{}{}", made.leaf_pem, made.root_pem))?;
        Self::open(folder)
    }

    /// Reads the keys.
    ///
    /// # Errors
    /// When one is missing, damaged, or readable by others.
    pub fn open(folder: &Path) -> Result<Self> {
        let consent_path = folder.join(CONSENT_KEY);
        let consent =
            SigningKey::from_pkcs8_pem(&secret_text(&consent_path)?).map_err(|error| {
                Error::KeyDamaged {
                    reason: error.to_string(),
                    path: consent_path,
                }
            })?;
        let template_key_path = folder.join(TEMPLATE_KEY);
        let template_key = files::bytes_from_hex(secret_text(&template_key_path)?.trim())
            .ok_or_else(|| Error::KeyDamaged {
                reason: "not 64 hexadecimal digits".to_owned(),
                path: template_key_path,
            })?;
        let is_imported = folder.join(IMPORTED_CHAIN).exists();
        let (chain, key) = if is_imported {
            (IMPORTED_CHAIN, IMPORTED_KEY)
        } else {
            (SIGNER_CHAIN, SIGNER_KEY)
        };
        let signer = Signer {
            chain_pem: public_text(&folder.join(chain))?,
            key_pem: secret_text(&folder.join(key))?,
        };
        let root_pem = if is_imported {
            signer.root_pem()
        } else {
            public_text(&folder.join(ROOT_CERTIFICATE))?
        };
        Ok(Self {
            consent,
            template_key: Zeroizing::new(template_key),
            signer,
            root_pem,
            timestamps: None,
            folder: folder.to_owned(),
        })
    }

    /// Signs with `signer` instead of the one in the folder, as long as these keys are open.
    #[must_use]
    pub fn with_signer(self, signer: Signer) -> Self {
        Self {
            root_pem: signer.root_pem(),
            signer,
            ..self
        }
    }

    /// Asks a timestamp authority at every signature.
    #[must_use]
    pub fn with_timestamps(self, timestamps: Timestamps) -> Self {
        Self {
            timestamps: Some(timestamps),
            ..self
        }
    }

    /// Keeps `signer` in the folder, to be used from now on.
    ///
    /// # Errors
    /// When one was imported already or it cannot be written.
    pub fn import(&self, signer: &Signer) -> Result<()> {
        let path = self.folder.join(IMPORTED_KEY);
        if path.exists() {
            return Err(Error::KeysExist { path });
        }
        files::write(&path, signer.key_pem.as_bytes(), Readers::Owner)?;
        // Written last: where it is, the key is there too.
        let path = self.folder.join(IMPORTED_CHAIN);
        files::write(&path, signer.chain_pem.as_bytes(), Readers::Anyone)
    }

    /// The folder that holds them.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The key that signs consents.
    pub(crate) fn consent(&self) -> &SigningKey {
        &self.consent
    }

    /// The key that seals identity templates.
    pub(crate) fn template_key(&self) -> &[u8; 32] {
        &self.template_key
    }

    /// Makes what signs Content Credentials.
    pub(crate) fn signer(&self) -> Result<c2pa::BoxedSigner> {
        self.signer
            .open(self.timestamps.as_ref(), &self.folder.join(SIGNER_KEY))
    }

    /// Certificates of the root that signatures of this installation lead to, as PEM.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The root certificates in a folder of keys, where there are any: they are public.
    pub fn public_roots(folder: &Path) -> Vec<String> {
        let read = |name: &str| files::read_text(&folder.join(name)).ok();
        let imported = read(IMPORTED_CHAIN).map(|chain_pem| {
            let key_pem = Zeroizing::new(String::new());
            Signer { chain_pem, key_pem }.root_pem()
        });
        read(ROOT_CERTIFICATE).into_iter().chain(imported).collect()
    }

    /// Says whether consents signed with the key of this identifier count here.
    pub fn trusts(&self, id: &str) -> bool {
        self.trusted(id).is_some()
    }

    /// Identifier of the key that signs consents here.
    pub fn consent_key_id(&self) -> String {
        key_id(&self.consent.verifying_key())
    }

    /// Finds the public key with this identifier: our own, or one that was declared trusted.
    pub(crate) fn trusted(&self, id: &str) -> Option<VerifyingKey> {
        let own = self.consent.verifying_key();
        if key_id(&own) == id {
            return Some(own);
        }
        let is_plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_hexdigit());
        let path = is_plain.then(|| self.folder.join(TRUSTED).join(format!("{id}.pub")))?;
        let bytes = files::bytes_from_hex(fs::read_to_string(path).ok()?.trim())?;
        VerifyingKey::from_bytes(&bytes)
            .ok()
            .filter(|key| key_id(key) == id)
    }

    /// The key that verifies consents made here, as 64 hexadecimal digits to hand to others.
    pub fn consent_public_hex(&self) -> String {
        effigy_files::hex(self.consent.verifying_key().as_bytes())
    }

    /// Accepts consent records signed with `public_hex` from now on; gives the key's identifier.
    ///
    /// # Errors
    /// When it is no such key or the folder cannot be written.
    pub fn trust(&self, public_hex: &str) -> Result<String> {
        let folder = self.folder.join(TRUSTED);
        let key = public_key(public_hex).ok_or_else(|| Error::KeyDamaged {
            reason: "not the 64 hexadecimal digits of a public key".to_owned(),
            path: folder.clone(),
        })?;
        files::make_private_folder(&folder)?;
        let id = key_id(&key);
        let text = effigy_files::hex(key.as_bytes());
        files::write(
            &folder.join(format!("{id}.pub")),
            text.as_bytes(),
            Readers::Anyone,
        )?;
        Ok(id)
    }
}

/// Identifier of a public key: the first 16 hexadecimal digits of its SHA-256.
pub(crate) fn key_id(key: &VerifyingKey) -> String {
    effigy_files::sha256(key.as_bytes())[..16].to_owned()
}

/// Reads a public key from hexadecimal digits.
pub(crate) fn public_key(hex: &str) -> Option<VerifyingKey> {
    files::bytes_from_hex(hex.trim()).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
}

fn secret_text(path: &Path) -> Result<Zeroizing<String>> {
    if !path.exists() {
        return Err(Error::KeyMissing {
            path: path.to_owned(),
        });
    }
    files::refuse_if_exposed(path)?;
    files::read_text(path).map(Zeroizing::new)
}

fn public_text(path: &Path) -> Result<String> {
    if !path.exists() {
        return Err(Error::KeyMissing {
            path: path.to_owned(),
        });
    }
    files::read_text(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> UtcTime {
        UtcTime::from_unix_secs(1_790_000_000)
    }

    #[test]
    fn keys_come_back_as_they_were_made() {
        let folder = tempfile::tempdir().unwrap();
        let made = Keys::create(folder.path(), "Test Studio", now()).unwrap();
        let read = Keys::open(folder.path()).unwrap();
        assert_eq!(made.consent_key_id(), read.consent_key_id());
        assert_eq!(made.template_key(), read.template_key());
        assert!(read.signer().is_ok());
    }

    #[test]
    fn keys_are_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        Keys::create(folder.path(), "Test Studio", now()).unwrap();
        let again = Keys::create(folder.path(), "Test Studio", now());
        assert!(matches!(again, Err(Error::KeysExist { .. })));
    }

    #[test]
    fn missing_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        Keys::create(folder.path(), "Test Studio", now()).unwrap();
        fs::remove_file(folder.path().join(SIGNER_KEY)).unwrap();
        let Err(Error::KeyMissing { path }) = Keys::open(folder.path()) else {
            panic!("the missing key was not noticed")
        };
        assert!(path.ends_with(SIGNER_KEY));
    }

    #[cfg(unix)]
    #[test]
    fn key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        Keys::create(folder.path(), "Test Studio", now()).unwrap();
        let path = folder.path().join(CONSENT_KEY);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            Keys::open(folder.path()),
            Err(Error::KeyExposed { mode: 0o644, .. })
        ));
    }

    #[test]
    fn imported_signer_is_used_and_kept() {
        let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let keys = Keys::create(ours.path(), "Ours", now()).unwrap();
        let other = Keys::create(theirs.path(), "Theirs", now()).unwrap();
        keys.import(&other.signer).unwrap();
        assert!(matches!(
            keys.import(&other.signer),
            Err(Error::KeysExist { .. })
        ));
        let reopened = Keys::open(ours.path()).unwrap();
        assert_eq!(reopened.root_pem(), other.root_pem());
        assert_eq!(reopened.consent_key_id(), keys.consent_key_id());
        let roots = Keys::public_roots(ours.path());
        assert_eq!(roots, [keys.root_pem(), other.root_pem()]);
    }

    #[test]
    fn damaged_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        Keys::create(folder.path(), "Test Studio", now()).unwrap();
        fs::write(folder.path().join(TEMPLATE_KEY), "short").unwrap();
        assert!(matches!(
            Keys::open(folder.path()),
            Err(Error::KeyDamaged { .. })
        ));
    }

    #[test]
    fn trusted_key_is_found_again() {
        let ours = tempfile::tempdir().unwrap();
        let theirs = tempfile::tempdir().unwrap();
        let ours = Keys::create(ours.path(), "Ours", now()).unwrap();
        let theirs = Keys::create(theirs.path(), "Theirs", now()).unwrap();
        assert_eq!(ours.trusted(&theirs.consent_key_id()), None);
        let id = ours.trust(&theirs.consent_public_hex()).unwrap();
        assert_eq!(ours.trusted(&id), Some(theirs.consent().verifying_key()));
        assert_eq!(ours.trusted("../../consent"), None);
    }
}
