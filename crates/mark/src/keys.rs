//! The keys of one installation: one that signs consents, one that seals identity templates, and
//! a certificate that signs Content Credentials.
//!
//! All lie in one folder that only its owner can read. Nothing is ever overwritten: a renewed
//! signer stands beside those before it, as `signer-2.key` and `signer-2.pem`, and the last one
//! signs.

mod authority;
mod certificate;
mod pkcs12;
mod signer;

use std::fs;
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use ed25519_dalek::{SigningKey, VerifyingKey};
use zeroize::Zeroizing;

pub use authority::Authority;
pub(crate) use certificate::validity_of;
pub use signer::{AskTime, Signer, Standing, Timestamps};

use crate::error::{Error, Result};
use crate::files::{self, Readers};
use crate::utc_time::UtcTime;

/// Private keys and certificates, read and ready for use.
pub struct Keys {
    folder: PathBuf,
    consent: SigningKey,
    template_key: Zeroizing<[u8; 32]>,
    signer: Signer,
    is_imported: bool,
    root_pem: String,
    timestamps: Option<Timestamps>,
}

const CONSENT_KEY: &str = "consent.key";
const TEMPLATE_KEY: &str = "templates.key";
/// Our own signer, without the number and the extension of its files.
const SIGNER: &str = "signer";
/// A signer that was brought from elsewhere stands beside ours and is used instead.
const IMPORTED: &str = "imported";
const ROOT_KEY: &str = "root.key";
const ROOT_CERTIFICATE: &str = "root.pem";
/// Public keys of others whose consent records count here, one file each.
const TRUSTED: &str = "trusted";

impl Keys {
    /// Says whether the folder holds keys.
    pub fn exist(folder: &Path) -> bool {
        folder.join(CONSENT_KEY).exists() || folder.join("signer.key").exists()
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
        let root = folder.join(ROOT_CERTIFICATE);
        files::write(&root, made.root_pem.as_bytes(), Readers::Anyone)?;
        let signer = Signer {
            chain_pem: format!("{}{}", made.leaf_pem, made.root_pem),
            key_pem: made.leaf_key_pem,
        };
        SignerFiles::new(folder, SIGNER, 1).write(&signer)?;
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
        let imported = SignerFiles::last(folder, IMPORTED);
        let is_imported = imported.is_some();
        let files = imported.or_else(|| SignerFiles::last(folder, SIGNER));
        let files = files.unwrap_or_else(|| SignerFiles::new(folder, SIGNER, 1));
        let signer = Signer {
            chain_pem: public_text(&files.chain)?,
            key_pem: secret_text(&files.key)?,
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
            is_imported,
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
            is_imported: true,
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

    /// What it means that the library could not sign.
    pub(crate) fn no_signature(&self, source: c2pa::Error) -> Error {
        let complaint = self.timestamps.as_ref().and_then(Timestamps::complaint);
        complaint.unwrap_or(Error::Sign { source })
    }

    /// Keeps `signer` in the folder, to be used from now on. One that was imported before stays.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn import(&self, signer: &Signer) -> Result<()> {
        SignerFiles::next(&self.folder, IMPORTED).write(signer)
    }

    /// Gives our own signer another certificate with another key, from the same root, to be used
    /// from now on. The one before stays, and what it signed can be verified as before.
    ///
    /// # Errors
    /// When the signer was imported, so that only its issuer can renew it, when the root's key is
    /// missing or the root ran out, or when nothing can be written.
    pub fn renew(&self, now: UtcTime) -> Result<Self> {
        if self.is_imported {
            return Err(Error::NotOurSigner);
        }
        let root_key = secret_text(&self.folder.join(ROOT_KEY))?;
        let leaf = certificate::renew(&self.signer.chain_pem, &self.root_pem, &root_key, now)?;
        let signer = Signer {
            chain_pem: format!("{}{}", leaf.pem, self.root_pem),
            key_pem: leaf.key_pem,
        };
        SignerFiles::next(&self.folder, SIGNER).write(&signer)?;
        Self::open(&self.folder)
    }

    /// Says whose the certificate is that signs credentials, and from when until when.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn standing(&self) -> Result<Standing> {
        self.signer.standing(&self.folder)
    }

    /// Refuses to sign with a certificate that ran out or is not valid yet: verifiers would.
    ///
    /// # Errors
    /// When it is one, or is damaged.
    pub fn check_signer(&self, now: UtcTime) -> Result<()> {
        let Standing { from, until, .. } = self.standing()?;
        if now < from {
            return Err(Error::SignerNotYet { from, now });
        }
        if until < now {
            return Err(Error::SignerExpired {
                until,
                remedy: self.renewal(),
            });
        }
        Ok(())
    }

    /// What to do when the certificate runs out.
    pub fn renewal(&self) -> &'static str {
        if self.is_imported {
            "get a new one from its issuer, and bring it with `effigy keys import`"
        } else {
            "run `effigy keys renew`"
        }
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
        self.signer.open(self.timestamps.as_ref(), &self.folder)
    }

    /// Certificates of the root that signatures of this installation lead to, as PEM.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The root certificates in a folder of keys, where there are any: they are public. Those of
    /// signers before the present one are among them.
    pub fn public_roots(folder: &Path) -> Vec<String> {
        let own = files::read_text(&folder.join(ROOT_CERTIFICATE)).ok();
        let imported = SignerFiles::all(folder, IMPORTED).filter_map(|files| {
            let chain_pem = files::read_text(&files.chain).ok()?;
            let key_pem = Zeroizing::new(String::new());
            Some(Signer { chain_pem, key_pem }.root_pem())
        });
        own.into_iter().chain(imported).collect()
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

/// The two files of a signer.
struct SignerFiles {
    key: PathBuf,
    chain: PathBuf,
}

impl SignerFiles {
    fn new(folder: &Path, name: &str, number: u32) -> Self {
        let name = match number {
            1 => name.to_owned(),
            _ => format!("{name}-{number}"),
        };
        Self {
            key: folder.join(format!("{name}.key")),
            chain: folder.join(format!("{name}.pem")),
        }
    }

    /// Those that are there, in the order in which they were made.
    fn all(folder: &Path, name: &str) -> impl Iterator<Item = Self> {
        let numbered = (1..).map(move |number| Self::new(folder, name, number));
        numbered.take_while(|files| files.chain.exists())
    }

    fn last(folder: &Path, name: &str) -> Option<Self> {
        Self::all(folder, name).last()
    }

    /// Names for another one. A key whose chain was never written signed nothing, and is replaced.
    fn next(folder: &Path, name: &str) -> Self {
        let n_made = Self::all(folder, name).count();
        Self::new(folder, name, n_made as u32 + 1)
    }

    /// The chain comes last: where it is, the key is there too.
    fn write(&self, signer: &Signer) -> Result<()> {
        files::write(&self.key, signer.key_pem.as_bytes(), Readers::Owner)?;
        files::write(&self.chain, signer.chain_pem.as_bytes(), Readers::Anyone)
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
        fs::remove_file(folder.path().join("signer.key")).unwrap();
        let Err(Error::KeyMissing { path }) = Keys::open(folder.path()) else {
            panic!("the missing key was not noticed")
        };
        assert!(path.ends_with("signer.key"));
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
        let reopened = Keys::open(ours.path()).unwrap();
        assert_eq!(reopened.root_pem(), other.root_pem());
        assert_eq!(reopened.consent_key_id(), keys.consent_key_id());
        let roots = Keys::public_roots(ours.path());
        assert_eq!(roots, [keys.root_pem(), other.root_pem()]);
        assert!(matches!(reopened.renew(now()), Err(Error::NotOurSigner)));
        // The next one is used instead, and the one before still trusted.
        let third = tempfile::tempdir().unwrap();
        let third = Keys::create(third.path(), "Third", now()).unwrap();
        reopened.import(&third.signer).unwrap();
        let reopened = Keys::open(ours.path()).unwrap();
        assert_eq!(reopened.root_pem(), third.root_pem());
        let roots = Keys::public_roots(ours.path());
        assert_eq!(roots, [keys.root_pem(), other.root_pem(), third.root_pem()]);
    }

    #[test]
    fn renewed_signer_has_the_same_root_and_the_old_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let old = Keys::create(folder.path(), "Test, \"Studio\"", now()).unwrap();
        let later = now().plus_days(700);
        let renewed = old.renew(later).unwrap();
        let reopened = Keys::open(folder.path()).unwrap();
        assert_eq!(reopened.signer.chain_pem, renewed.signer.chain_pem);
        assert_ne!(renewed.signer.chain_pem, old.signer.chain_pem);
        assert_ne!(renewed.signer.key_pem, old.signer.key_pem);
        assert_eq!(renewed.root_pem(), old.root_pem());
        let kept = fs::read_to_string(folder.path().join("signer.pem")).unwrap();
        assert_eq!(kept, old.signer.chain_pem);
        let (before, after) = (old.standing().unwrap(), renewed.standing().unwrap());
        assert_eq!(before.subject, after.subject);
        assert!(before.until < after.until);
        assert_eq!(after.until, later.plus_days(730));
    }

    #[test]
    fn a_signer_never_outlives_its_root() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(folder.path(), "Test Studio", now()).unwrap();
        let root_ends = now().plus_days(20 * 365);
        let renewed = keys.renew(root_ends.plus_days(-30)).unwrap();
        assert_eq!(renewed.standing().unwrap().until, root_ends);
        let Err(error) = keys.renew(root_ends.plus_days(1)) else {
            panic!("a root that ran out issued a certificate")
        };
        assert!(error.to_string().contains("keys new --home"), "{error}");
    }

    #[test]
    fn signer_that_ran_out_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(folder.path(), "Test Studio", now()).unwrap();
        assert!(keys.check_signer(now()).is_ok());
        let error = keys.check_signer(now().plus_days(731)).unwrap_err();
        assert!(error.to_string().contains("effigy keys renew"), "{error}");
        let early = keys.check_signer(now().plus_days(-2));
        assert!(matches!(early, Err(Error::SignerNotYet { .. })));
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
