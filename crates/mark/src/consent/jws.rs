//! JSON Web Signatures (RFC 7515, compact form) with Ed25519 (RFC 8037).

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::keys::Keys;

#[derive(serde::Serialize, serde::Deserialize)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// The one algorithm; another in the header is a forgery, not a choice.
const ALGORITHM: &str = "EdDSA";

/// Signs `content` as a token of type `kind`.
pub(super) fn sign<T: Serialize>(keys: &Keys, kind: &str, content: &T) -> Result<String> {
    let header = Header {
        alg: ALGORITHM.to_owned(),
        typ: kind.to_owned(),
        kid: keys.consent_key_id(),
    };
    let signed = format!("{}.{}", part(&header)?, part(content)?);
    let signature = keys.consent().sign(signed.as_bytes());
    Ok(format!(
        "{signed}.{}",
        URL_SAFE_NO_PAD.encode(signature.to_bytes())
    ))
}

/// Reads a token of type `kind`, after its signature was verified against a trusted key.
pub(super) fn open<T: DeserializeOwned>(
    keys: &Keys,
    kind: &str,
    token: &str,
    path: &Path,
) -> Result<T> {
    let header: Option<Header> = token.split_once('.').and_then(|(header, _)| json(header));
    let header = header.ok_or_else(|| Error::Forged {
        reason: "damaged header",
        path: path.to_owned(),
    })?;
    let key = keys
        .trusted(&header.kid)
        .ok_or_else(|| Error::UnknownSigner {
            key: header.kid,
            path: path.to_owned(),
        })?;
    open_with(&key, kind, token, path)
}

/// Reads a token of type `kind`, after its signature was verified against `key`.
pub(super) fn open_with<T: DeserializeOwned>(
    key: &VerifyingKey,
    kind: &str,
    token: &str,
    path: &Path,
) -> Result<T> {
    let forged = |reason| Error::Forged {
        reason,
        path: path.to_owned(),
    };
    let token = token.trim();
    let (signed, signature) = token
        .rsplit_once('.')
        .ok_or_else(|| forged("no signature"))?;
    let (header, content) = signed.split_once('.').ok_or_else(|| forged("no header"))?;
    let header: Header = json(header).ok_or_else(|| forged("damaged header"))?;
    if header.alg != ALGORITHM || header.typ != kind {
        return Err(forged("another kind of token"));
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).ok();
    let signature = signature.and_then(|bytes| Signature::from_slice(&bytes).ok());
    let signature = signature.ok_or_else(|| forged("damaged signature"))?;
    key.verify_strict(signed.as_bytes(), &signature)
        .map_err(|_mismatch| forged("the signature does not fit"))?;
    json(content).ok_or_else(|| forged("signed, but not a record of this version"))
}

fn part<T: Serialize>(content: &T) -> Result<String> {
    let bytes = serde_json::to_vec(content).map_err(|error| Error::NotAConsent {
        reason: error.to_string(),
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn json<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
