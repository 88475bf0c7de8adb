//! A root certificate and the leaf that signs with it, as C2PA asks for.
//!
//! Verifiers refuse a leaf that signs itself. The profile is that of the C2PA specification 2.2,
//! section 14.5.1: version 3, key usage `digitalSignature`, an extended key usage for signing
//! claims or documents, and an authority key identifier.

use std::str::FromStr as _;
use std::time::Duration;

use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use x509_cert::Certificate;
use x509_cert::builder::{Builder as _, CertificateBuilder, Profile};
use x509_cert::der::asn1::{GeneralizedTime, ObjectIdentifier, UtcTime as DerUtcTime};
use x509_cert::der::{DecodePem as _, EncodePem as _};
use x509_cert::ext::pkix::ExtendedKeyUsage;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::{Time, Validity};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::files;
use crate::utc_time::UtcTime;

/// Fresh certificates with their keys, as PEM.
pub(super) struct Made {
    pub(super) root_pem: String,
    pub(super) root_key_pem: Zeroizing<String>,
    pub(super) leaf_pem: String,
    pub(super) leaf_key_pem: Zeroizing<String>,
}

const ROOT_DAYS: i64 = 20 * 365;
const LEAF_DAYS: i64 = 2 * 365;
/// `c2pa-kp-claimSigning`; `id-kp-emailProtection`, the one use that verifiers accept without being
/// given a list of uses (the C2PA SDK from 0.91 on); and `id-kp-documentSigning` for older ones.
const SIGNING_USES: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.3.6.1.4.1.62558.2.1"),
    EMAIL_PROTECTION,
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.36"),
];
const EMAIL_PROTECTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.4");

/// Makes a root and a leaf for `provider`, valid from a day before `now`.
pub(super) fn make(provider: &str, now: UtcTime) -> Result<Made> {
    let root_name = name(provider, "effigy root")?;
    let root_key = fresh_key()?;
    let root = build(
        Profile::Root,
        Subject {
            name: root_name,
            key: &root_key,
        },
        validity(now, now.plus_days(ROOT_DAYS))?,
        &root_key,
    )?;
    let root_pem = root.to_pem(LineEnding::LF).map_err(failed)?;
    let root_key_pem = root_key.to_pkcs8_pem(LineEnding::LF).map_err(failed)?;
    let leaf_name = name(provider, "effigy signer")?;
    let leaf = leaf(leaf_name, &root, &root_key, now)?;
    Ok(Made {
        root_pem,
        root_key_pem,
        leaf_pem: leaf.pem,
        leaf_key_pem: leaf.key_pem,
    })
}

/// A fresh leaf, as PEM.
pub(super) struct Leaf {
    pub(super) pem: String,
    pub(super) key_pem: Zeroizing<String>,
}

/// Makes another leaf for whom `old_pem` names, from the same root.
pub(super) fn renew(
    old_pem: &str,
    root_pem: &str,
    root_key_pem: &str,
    now: UtcTime,
) -> Result<Leaf> {
    let root = Certificate::from_pem(root_pem).map_err(failed)?;
    let root_key = SigningKey::from_pkcs8_pem(root_key_pem).map_err(failed)?;
    // A chain has the leaf first.
    let chain = Certificate::load_pem_chain(old_pem.as_bytes()).map_err(failed)?;
    let old = chain
        .into_iter()
        .next()
        .ok_or_else(|| failed("no certificate"))?;
    leaf(old.tbs_certificate.subject, &root, &root_key, now)
}

fn leaf(name: Name, root: &Certificate, root_key: &SigningKey, now: UtcTime) -> Result<Leaf> {
    let key = fresh_key()?;
    let profile = Profile::Leaf {
        issuer: root.tbs_certificate.subject.clone(),
        enable_key_agreement: false,
        enable_key_encipherment: false,
    };
    let subject = Subject { name, key: &key };
    let (_, root_ends) = validity_of(root);
    if root_ends <= now {
        let day = root_ends.day();
        return Err(failed(format!(
            "its root ran out on {day}; make new keys in another folder, with `effigy keys new --home`"
        )));
    }
    // What outlives its issuer is refused.
    let until = root_ends.min(now.plus_days(LEAF_DAYS));
    let leaf = build(profile, subject, validity(now, until)?, root_key)?;
    Ok(Leaf {
        pem: leaf.to_pem(LineEnding::LF).map_err(failed)?,
        key_pem: key.to_pkcs8_pem(LineEnding::LF).map_err(failed)?,
    })
}

/// The first and the last second in which a certificate is valid.
pub(crate) fn validity_of(certificate: &Certificate) -> (UtcTime, UtcTime) {
    let time = |time: Time| {
        let secs = time.to_unix_duration().as_secs();
        UtcTime::from_unix_secs(i64::try_from(secs).unwrap_or(i64::MAX))
    };
    let Validity {
        not_before,
        not_after,
    } = certificate.tbs_certificate.validity;
    (time(not_before), time(not_after))
}

/// Whether verifiers accept it without being told which uses to accept.
pub(super) fn is_accepted_everywhere(certificate: &Certificate) -> bool {
    let uses = certificate.tbs_certificate.get::<ExtendedKeyUsage>();
    uses.is_ok_and(|uses| uses.is_some_and(|(_, uses)| uses.0.contains(&EMAIL_PROTECTION)))
}

/// Whom a certificate is for.
struct Subject<'a> {
    name: Name,
    key: &'a SigningKey,
}

fn build(
    profile: Profile,
    subject: Subject<'_>,
    validity: Validity,
    issuer_key: &SigningKey,
) -> Result<Certificate> {
    let is_leaf = matches!(profile, Profile::Leaf { .. });
    let public = subject
        .key
        .verifying_key()
        .to_public_key_pem(LineEnding::LF)
        .map_err(failed)?;
    let public = SubjectPublicKeyInfoOwned::from_pem(public).map_err(failed)?;
    let serial = SerialNumber::new(&positive(files::random()?)).map_err(failed)?;
    let mut builder =
        CertificateBuilder::new(profile, serial, validity, subject.name, public, issuer_key)
            .map_err(failed)?;
    if is_leaf {
        builder
            .add_extension(&ExtendedKeyUsage(SIGNING_USES.to_vec()))
            .map_err(failed)?;
    }
    builder.build::<DerSignature>().map_err(failed)
}

fn fresh_key() -> Result<SigningKey> {
    loop {
        // A number outside the curve's order comes up once in 2^32 draws.
        if let Ok(key) = SigningKey::from_slice(&*Zeroizing::new(files::random::<32>()?)) {
            return Ok(key);
        }
    }
}

fn name(provider: &str, role: &str) -> Result<Name> {
    let provider = escaped(provider);
    Name::from_str(&format!("CN={provider} ({role}),O={provider}")).map_err(failed)
}

/// Escapes what RFC 4514 gives a meaning to, and drops control characters.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.trim().chars().filter(|c| !c.is_control()) {
        if ",+\"\\<>;=#".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

fn validity(now: UtcTime, until: UtcTime) -> Result<Validity> {
    let time = |time: UtcTime| -> Result<Time> {
        let since_epoch = Duration::from_secs(time.unix_secs().unsigned_abs());
        // RFC 5280, section 4.1.2.5: the short form until 2049, the long one after.
        match DerUtcTime::from_unix_duration(since_epoch) {
            Ok(short) => Ok(Time::UtcTime(short)),
            Err(_after_2049) => {
                let long = GeneralizedTime::from_unix_duration(since_epoch).map_err(failed)?;
                Ok(Time::GeneralTime(long))
            }
        }
    };
    Ok(Validity {
        not_before: time(now.plus_days(-1))?,
        not_after: time(until)?,
    })
}

/// Clears the sign bit and avoids a leading zero, so that the number is 16 bytes in DER.
fn positive(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    bytes
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Certificate {
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use x509_cert::ext::pkix::KeyUsage;

    use super::*;

    #[test]
    fn leaf_may_sign_claims_by_every_list_of_uses() {
        let made = make("Test Studio", UtcTime::from_unix_secs(1_790_000_000)).unwrap();
        let leaf = Certificate::from_pem(&made.leaf_pem).unwrap();
        let (_, uses) = leaf
            .tbs_certificate
            .get::<ExtendedKeyUsage>()
            .unwrap()
            .unwrap();
        let uses: Vec<String> = uses.0.iter().map(ToString::to_string).collect();
        // C2PA's own, the SDK's from 0.91 on where it is given no list, and that of old verifiers.
        for wanted in [
            "1.3.6.1.4.1.62558.2.1",
            "1.3.6.1.5.5.7.3.4",
            "1.3.6.1.5.5.7.3.36",
        ] {
            assert!(uses.iter().any(|one| one == wanted), "{wanted}: {uses:?}");
        }
        let (_, usage) = leaf.tbs_certificate.get::<KeyUsage>().unwrap().unwrap();
        assert!(usage.digital_signature());
    }
}
