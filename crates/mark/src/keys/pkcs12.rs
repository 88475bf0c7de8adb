//! Reading a key and its certificates from a PKCS#12 file (RFC 7292).
//!
//! Only the encryption of today is read (PBES2, as OpenSSL 3, Java 9 and Windows 11 write it). The
//! checksum over the whole is not: a wrong password or a changed file shows when the key is opened.

use der::asn1::{ObjectIdentifier, OctetString};
use der::{Any, Decode as _, Encode as _, Sequence};
use pkcs8::EncryptedPrivateKeyInfo;
use pkcs8::pkcs5::EncryptionScheme;
use zeroize::Zeroizing;

/// A private key in PKCS#8 and the certificates beside it, all DER.
pub(super) struct Opened {
    pub(super) key: Zeroizing<Vec<u8>>,
    pub(super) certificates: Vec<Vec<u8>>,
}

/// Why a file was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is something else, or damaged.
    NotPkcs12,
    /// Encrypted in a way that is no longer safe.
    Outdated,
    /// The password does not open it.
    WrongPassword,
    /// It holds no private key, or no certificate.
    Incomplete,
}

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.1");
const SHROUDED_KEY_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const X509: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");
/// The encryption scheme that has its parts named; all others are outdated.
const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");

#[derive(Sequence)]
struct Pfx {
    version: u8,
    safes: ContentInfo,
    checksum: Option<Any>,
}

#[derive(Sequence)]
struct ContentInfo {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    content: Any,
}

#[derive(Sequence)]
struct EncryptedData {
    version: u8,
    content: EncryptedContent,
}

#[derive(Sequence)]
struct EncryptedContent {
    kind: ObjectIdentifier,
    algorithm: Algorithm,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    encrypted: OctetString,
}

#[derive(Sequence)]
struct Algorithm {
    kind: ObjectIdentifier,
    parameters: Option<Any>,
}

#[derive(Sequence)]
struct Bag {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: Any,
    attributes: Option<Any>,
}

#[derive(Sequence)]
struct CertificateBag {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: OctetString,
}

#[derive(Sequence)]
struct ShroudedKey {
    algorithm: Algorithm,
    encrypted: OctetString,
}

/// Opens a PKCS#12 file.
pub(super) fn open(bytes: &[u8], password: &str) -> Result<Opened, Refused> {
    let not_pkcs12 = |_error: der::Error| Refused::NotPkcs12;
    let pfx = Pfx::from_der(bytes).map_err(not_pkcs12)?;
    let safes = pfx.safes.content.to_der().map_err(not_pkcs12)?;
    let safes = OctetString::from_der(&safes).map_err(not_pkcs12)?;
    let safes = Vec::<ContentInfo>::from_der(safes.as_bytes()).map_err(not_pkcs12)?;
    let (mut key, mut certificates) = (None, Vec::new());
    for safe in safes {
        let bags = plain(&safe, password)?;
        // What decrypts to nonsense was decrypted with the wrong password.
        let bags = Vec::<Bag>::from_der(&bags).map_err(|_nonsense| Refused::WrongPassword)?;
        for bag in bags {
            let value = bag.value.to_der().map_err(not_pkcs12)?;
            match bag.kind {
                KEY_BAG => key = Some(Zeroizing::new(value)),
                SHROUDED_KEY_BAG => key = Some(unshrouded(&value, password)?),
                CERTIFICATE_BAG => {
                    let bag = CertificateBag::from_der(&value).map_err(not_pkcs12)?;
                    if bag.kind == X509 {
                        certificates.push(bag.value.into_bytes());
                    }
                }
                _ => {}
            }
        }
    }
    match key {
        Some(key) if !certificates.is_empty() => Ok(Opened { key, certificates }),
        _ => Err(Refused::Incomplete),
    }
}

fn plain(safe: &ContentInfo, password: &str) -> Result<Vec<u8>, Refused> {
    let not_pkcs12 = |_error: der::Error| Refused::NotPkcs12;
    let content = safe.content.to_der().map_err(not_pkcs12)?;
    if safe.kind == DATA {
        let bytes = OctetString::from_der(&content).map_err(not_pkcs12)?;
        return Ok(bytes.into_bytes());
    }
    if safe.kind != ENCRYPTED_DATA {
        return Err(Refused::Outdated);
    }
    let data = EncryptedData::from_der(&content).map_err(not_pkcs12)?;
    if data.content.algorithm.kind != PBES2 {
        return Err(Refused::Outdated);
    }
    let scheme = data.content.algorithm.to_der().map_err(not_pkcs12)?;
    let scheme = EncryptionScheme::from_der(&scheme).map_err(|_unknown| Refused::Outdated)?;
    scheme
        .decrypt(password, data.content.encrypted.as_bytes())
        .map_err(|_opaque| Refused::WrongPassword)
}

fn unshrouded(value: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let shrouded = ShroudedKey::from_der(value).map_err(|_error| Refused::NotPkcs12)?;
    if shrouded.algorithm.kind != PBES2 {
        return Err(Refused::Outdated);
    }
    let info = EncryptedPrivateKeyInfo::try_from(value).map_err(|_unknown| Refused::Outdated)?;
    let key = info
        .decrypt(password)
        .map_err(|_opaque| Refused::WrongPassword)?;
    Ok(Zeroizing::new(key.as_bytes().to_vec()))
}
