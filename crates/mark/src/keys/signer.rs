//! The certificate and key that sign Content Credentials: our own, or one that was bought.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use der::asn1::ObjectIdentifier;
use der::pem::LineEnding;
use der::{Decode as _, EncodePem as _, SecretDocument};
use pkcs8::{EncryptedPrivateKeyInfo, PrivateKeyInfo};
use x509_cert::Certificate;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::keys::authority::has_certificate;
use crate::keys::certificate;
use crate::keys::pkcs12::{self, Refused};
use crate::utc_time::UtcTime;

/// Asks a timestamp authority: the request of RFC 3161 in, its answer out.
pub type AskTime = dyn Fn(&[u8]) -> std::io::Result<Vec<u8>> + Send + Sync;

/// A timestamp authority that every signature asks for the time.
#[derive(Clone)]
pub struct Timestamps {
    url: String,
    ask: Arc<AskTime>,
    /// Why there was no stamp. The library that asks for it gives only its own error back.
    complaint: Arc<Mutex<Option<String>>>,
}

impl Timestamps {
    /// An authority; `ask` sends it a request, and gives its answer.
    pub fn new(
        url: &str,
        ask: impl Fn(&[u8]) -> std::io::Result<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            url: url.to_owned(),
            ask: Arc::new(ask),
            complaint: Arc::default(),
        }
    }

    /// Its answer, in which there is at least a certificate.
    ///
    /// # Errors
    /// If there is none, or it is something else.
    pub(super) fn stamp(&self, request: &[u8]) -> Result<Vec<u8>> {
        let answer = (self.ask)(request).map_err(|error| error.to_string());
        let answer = answer.and_then(|answer| match has_certificate(&answer) {
            true => Ok(answer),
            false => Err("it did not answer with a stamp".to_owned()),
        });
        answer.map_err(|reason| {
            let mut complaint = self
                .complaint
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *complaint = Some(reason.clone());
            Error::Authority {
                reason,
                url: self.url.clone(),
            }
        })
    }

    /// Why the last stamp was missing; asked once.
    pub(super) fn complaint(&self) -> Option<Error> {
        let mut complaint = self
            .complaint
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        complaint.take().map(|reason| Error::NoStamp {
            reason,
            url: self.url.clone(),
        })
    }
}

impl fmt::Debug for Timestamps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timestamps")
    }
}

/// A private key and the chain of certificates that speaks for it.
#[derive(Clone)]
pub struct Signer {
    /// The leaf first, then what it was signed with, as PEM.
    pub(super) chain_pem: String,
    pub(super) key_pem: Zeroizing<String>,
}

/// What the certificate of a signer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whose it is.
    pub subject: String,
    /// The first second in which it is valid.
    pub from: UtcTime,
    /// The last second in which it is valid.
    pub until: UtcTime,
    /// Whether verifiers accept it as they come: certificates of early versions lack a use that
    /// the C2PA SDK asks for since 0.91.
    pub is_accepted_everywhere: bool,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer (the key is not shown)")
    }
}

impl Signer {
    /// Takes a chain of certificates and a private key, both as PEM. `origin` is named in errors.
    ///
    /// # Errors
    /// When either is damaged, the password does not open the key, or the leaf signs itself, which
    /// verifiers refuse.
    pub fn from_pem(
        chain_pem: &str,
        key_pem: &str,
        password: Option<&str>,
        origin: &Path,
    ) -> Result<Self> {
        let damaged = |reason: &str| Error::KeyDamaged {
            reason: reason.to_owned(),
            path: origin.to_owned(),
        };
        let certificates = Certificate::load_pem_chain(chain_pem.as_bytes())
            .map_err(|_error| damaged("its certificates are not PEM"))?;
        let (label, document) = SecretDocument::from_pem(key_pem.trim())
            .map_err(|_error| damaged("its private key is not PEM"))?;
        let key = match label {
            "PRIVATE KEY" => Zeroizing::new(document.as_bytes().to_vec()),
            "ENCRYPTED PRIVATE KEY" => decrypted(document.as_bytes(), password, origin)?,
            _ => return Err(damaged("its private key is not PKCS#8")),
        };
        Self::assemble(certificates, &key, origin)
    }

    /// Opens a PKCS#12 file. `origin` is named in errors.
    ///
    /// # Errors
    /// As [`Signer::from_pem`].
    pub fn from_pkcs12(bytes: &[u8], password: &str, origin: &Path) -> Result<Self> {
        let damaged = |reason: &str| Error::KeyDamaged {
            reason: reason.to_owned(),
            path: origin.to_owned(),
        };
        let opened = pkcs12::open(bytes, password).map_err(|refused| match refused {
            Refused::WrongPassword => Error::WrongPassword {
                path: origin.to_owned(),
            },
            Refused::NotPkcs12 => damaged("neither PEM nor PKCS#12"),
            Refused::Outdated => damaged(
                "its encryption is no longer safe; export it again, with AES, as current programs do",
            ),
            Refused::Incomplete => damaged("it holds no private key, or no certificate"),
        })?;
        let certificates = opened.certificates.iter();
        let certificates = certificates
            .map(|bytes| Certificate::from_der(bytes))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_error| damaged("a certificate in it is damaged"))?;
        Self::assemble(certificates, &opened.key, origin)
    }

    fn assemble(certificates: Vec<Certificate>, key: &[u8], origin: &Path) -> Result<Self> {
        let damaged = |reason: &str| Error::KeyDamaged {
            reason: reason.to_owned(),
            path: origin.to_owned(),
        };
        let chain = in_order(certificates).ok_or_else(|| damaged("it has no certificate"))?;
        if is_self_signed(&chain[0]) {
            return Err(damaged(
                "the certificate signs itself, which verifiers refuse; it needs an issuer",
            ));
        }
        let mut chain_pem = String::new();
        for certificate in &chain {
            let pem = certificate.to_pem(LineEnding::LF);
            chain_pem.push_str(&pem.map_err(|_error| damaged("a certificate in it is damaged"))?);
        }
        let document = SecretDocument::try_from(key).map_err(|_e| damaged("its key is damaged"))?;
        let key_pem = document
            .to_pem("PRIVATE KEY", LineEnding::LF)
            .map_err(|_error| damaged("its key is damaged"))?;
        let signer = Self { chain_pem, key_pem };
        signer.open(None, origin)?;
        Ok(signer)
    }

    /// The last certificate of the chain, to which verifiers look for trust.
    pub(super) fn root_pem(&self) -> String {
        let begin = "-----BEGIN CERTIFICATE-----";
        let last = self.chain_pem.rfind(begin).unwrap_or(0);
        self.chain_pem[last..].to_owned()
    }

    /// What its certificate says. `origin` is named in errors.
    pub(super) fn standing(&self, origin: &Path) -> Result<Standing> {
        let damaged = || Error::KeyDamaged {
            reason: "its certificates are not PEM".to_owned(),
            path: origin.to_owned(),
        };
        let chain = Certificate::load_pem_chain(self.chain_pem.as_bytes());
        let chain = chain.map_err(|_error| damaged())?;
        let leaf = chain.first().ok_or_else(damaged)?;
        let (from, until) = certificate::validity_of(leaf);
        Ok(Standing {
            subject: leaf.tbs_certificate.subject.to_string(),
            from,
            until,
            is_accepted_everywhere: certificate::is_accepted_everywhere(leaf),
        })
    }

    /// Makes what signs.
    pub(super) fn open(
        &self,
        timestamps: Option<&Timestamps>,
        origin: &Path,
    ) -> Result<c2pa::BoxedSigner> {
        let damaged = |reason: String| Error::KeyDamaged {
            reason,
            path: origin.to_owned(),
        };
        let algorithm = algorithm(&self.key_pem)
            .ok_or_else(|| damaged("a kind of key that C2PA does not know".to_owned()))?;
        let signer = c2pa::create_signer::from_keys(
            self.chain_pem.as_bytes(),
            self.key_pem.as_bytes(),
            algorithm,
            None,
        )
        .map_err(|error| damaged(error.to_string()))?;
        Ok(match timestamps {
            Some(timestamps) => Box::new(Timestamped {
                signer,
                timestamps: timestamps.clone(),
            }),
            None => signer,
        })
    }
}

fn decrypted(bytes: &[u8], password: Option<&str>, origin: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let wrong = || Error::WrongPassword {
        path: origin.to_owned(),
    };
    let info = EncryptedPrivateKeyInfo::try_from(bytes).map_err(|_error| Error::KeyDamaged {
        reason: "its encryption is not known here".to_owned(),
        path: origin.to_owned(),
    })?;
    let key = info
        .decrypt(password.ok_or_else(wrong)?)
        .map_err(|_opaque| wrong())?;
    Ok(Zeroizing::new(key.as_bytes().to_vec()))
}

/// The leaf, then the issuer of each.
fn in_order(mut certificates: Vec<Certificate>) -> Option<Vec<Certificate>> {
    let issues_another = |one: &Certificate, all: &[Certificate]| {
        let subject = &one.tbs_certificate.subject;
        all.iter()
            .any(|other| other != one && other.tbs_certificate.issuer == *subject)
    };
    let leaf = certificates
        .iter()
        .position(|one| !issues_another(one, &certificates))?;
    let mut chain = vec![certificates.swap_remove(leaf)];
    while let Some(last) = chain.last().filter(|last| !is_self_signed(last)) {
        let issuer = &last.tbs_certificate.issuer;
        let next = certificates
            .iter()
            .position(|one| one.tbs_certificate.subject == *issuer);
        let Some(next) = next else { break };
        chain.push(certificates.swap_remove(next));
    }
    Some(chain)
}

fn is_self_signed(certificate: &Certificate) -> bool {
    certificate.tbs_certificate.subject == certificate.tbs_certificate.issuer
}

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

fn algorithm(key_pem: &str) -> Option<c2pa::SigningAlg> {
    use c2pa::SigningAlg;
    let (_, document) = SecretDocument::from_pem(key_pem.trim()).ok()?;
    let info = PrivateKeyInfo::try_from(document.as_bytes()).ok()?;
    match info.algorithm.oid {
        EC => match info.algorithm.parameters_oid().ok()? {
            P256 => Some(SigningAlg::Es256),
            P384 => Some(SigningAlg::Es384),
            P521 => Some(SigningAlg::Es512),
            _ => None,
        },
        ED25519 => Some(SigningAlg::Ed25519),
        RSA => Some(SigningAlg::Ps256),
        _ => None,
    }
}

/// Signs, and has a timestamp authority say when.
struct Timestamped {
    signer: c2pa::BoxedSigner,
    timestamps: Timestamps,
}

/// Room for the answer of a timestamp authority, with its own certificates.
const TIMESTAMP_BYTES: usize = 20_000;

impl c2pa::Signer for Timestamped {
    fn sign(&self, data: &[u8]) -> c2pa::Result<Vec<u8>> {
        self.signer.sign(data)
    }

    fn alg(&self) -> c2pa::SigningAlg {
        self.signer.alg()
    }

    fn certs(&self) -> c2pa::Result<Vec<Vec<u8>>> {
        self.signer.certs()
    }

    fn reserve_size(&self) -> usize {
        self.signer.reserve_size() + TIMESTAMP_BYTES
    }

    fn send_timestamp_request(&self, message: &[u8]) -> Option<c2pa::Result<Vec<u8>>> {
        let request = match self.timestamp_request_body(message) {
            Ok(request) => request,
            Err(error) => return Some(Err(error)),
        };
        let stamp = self.timestamps.stamp(&request);
        Some(stamp.map_err(|error| c2pa::Error::IoError(std::io::Error::other(error))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> certificate::Made {
        certificate::make("Test Studio", UtcTime::from_unix_secs(1_790_000_000)).unwrap()
    }

    #[test]
    fn chain_is_put_in_order() {
        let made = made();
        let origin = Path::new("test");
        let upside_down = format!("{}{}", made.root_pem, made.leaf_pem);
        let signer = Signer::from_pem(&upside_down, &made.leaf_key_pem, None, origin).unwrap();
        assert_eq!(
            signer.chain_pem,
            format!("{}{}", made.leaf_pem, made.root_pem)
        );
        assert_eq!(signer.root_pem(), made.root_pem);
    }

    #[test]
    fn certificate_that_signs_itself_is_refused() {
        let made = made();
        let alone = Signer::from_pem(&made.root_pem, &made.root_key_pem, None, Path::new("test"));
        let Err(error @ Error::KeyDamaged { .. }) = alone else {
            panic!("a root was taken for a leaf")
        };
        assert!(error.to_string().contains("signs itself"), "{error}");
    }

    #[test]
    fn encrypted_key_opens_with_its_password_alone() {
        let made = made();
        let (_, key) = SecretDocument::from_pem(&made.leaf_key_pem).unwrap();
        let info = PrivateKeyInfo::try_from(key.as_bytes()).unwrap();
        let parameters =
            pkcs8::pkcs5::pbes2::Parameters::pbkdf2_sha256_aes256cbc(1000, b"saltsalt", &[7; 16]);
        let sealed = info
            .encrypt_with_params(parameters.unwrap(), "open sesame")
            .unwrap();
        let sealed = sealed.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF);
        let (sealed, chain) = (
            sealed.unwrap(),
            format!("{}{}", made.leaf_pem, made.root_pem),
        );
        let open = |password| Signer::from_pem(&chain, &sealed, password, Path::new("test"));
        assert!(open(Some("open sesame")).is_ok());
        assert!(matches!(
            open(Some("sesame")),
            Err(Error::WrongPassword { .. })
        ));
        assert!(matches!(open(None), Err(Error::WrongPassword { .. })));
    }

    /// Test signers made by OpenSSL 3, with and without `-legacy`; the password is `open sesame`.
    const PKCS12: &[u8] = include_bytes!("../../tests/signers/signer.p12");
    const OUTDATED: &[u8] = include_bytes!("../../tests/signers/outdated.p12");

    #[test]
    fn pkcs12_opens_with_its_password_alone() {
        let open = |password| Signer::from_pkcs12(PKCS12, password, Path::new("test"));
        let signer = open("open sesame").unwrap();
        assert_eq!(signer.chain_pem.matches("BEGIN CERTIFICATE").count(), 2);
        for password in ["sesame", ""] {
            let refused = open(password);
            assert!(matches!(refused, Err(Error::WrongPassword { .. })));
        }
    }

    #[test]
    fn outdated_and_damaged_pkcs12_is_refused() {
        let text = |bytes: &[u8]| match Signer::from_pkcs12(bytes, "open sesame", Path::new("test"))
        {
            Ok(_) => "opened".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(
            text(OUTDATED).contains("no longer safe"),
            "{}",
            text(OUTDATED)
        );
        for length in (0..PKCS12.len()).step_by(97) {
            assert_ne!(text(&PKCS12[..length]), "opened", "cut off at {length}");
        }
    }
}
