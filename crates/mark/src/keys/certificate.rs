//! A root certificate and the leaf that signs with it, as C2PA asks for.
//!
//! Verifiers refuse a leaf that signs itself. The profile is that of the C2PA specification 2.2,
//! section 14.5.1: version 3, key usage `digitalSignature`, an extended key usage for signing
//! claims or documents, and an authority key identifier.

use std::str::FromStr as _;
use std::time::Duration;

use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
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
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.4"),
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.36"),
];

/// Makes a root and a leaf for `provider`, valid from a day before `now`.
pub(super) fn make(provider: &str, now: UtcTime) -> Result<Made> {
    let root_name = name(provider, "effigy root")?;
    let leaf_name = name(provider, "effigy signer")?;
    let (root_key, leaf_key) = (fresh_key()?, fresh_key()?);
    let root = build(
        Profile::Root,
        Subject {
            name: root_name.clone(),
            key: &root_key,
        },
        validity(now, ROOT_DAYS)?,
        &root_key,
    )?;
    let profile = Profile::Leaf {
        issuer: root_name,
        enable_key_agreement: false,
        enable_key_encipherment: false,
    };
    let leaf = build(
        profile,
        Subject {
            name: leaf_name,
            key: &leaf_key,
        },
        validity(now, LEAF_DAYS)?,
        &root_key,
    )?;
    Ok(Made {
        root_pem: root.to_pem(LineEnding::LF).map_err(failed)?,
        root_key_pem: root_key.to_pkcs8_pem(LineEnding::LF).map_err(failed)?,
        leaf_pem: leaf.to_pem(LineEnding::LF).map_err(failed)?,
        leaf_key_pem: leaf_key.to_pkcs8_pem(LineEnding::LF).map_err(failed)?,
    })
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

fn validity(now: UtcTime, days: i64) -> Result<Validity> {
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
        not_after: time(now.plus_days(days))?,
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
