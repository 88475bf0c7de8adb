//! The signature of a claim, checked by ourselves.
//!
//! c2pa 0.90 says `claimSignature.mismatch` not only of signatures that do not fit, but of all that
//! it could not or would not check: of unknown algorithms, and of certificates that name no
//! organisation. So what it says is looked into: `COSE_Sign1` of RFC 9052 over the claim (C2PA
//! specification 2.2, section 13.2), with the key of the first certificate in the chain.

use c2pa::SigningAlg;
use c2pa::crypto::raw_signature::validator_for_signing_alg;
use ciborium::Value;
use der::{Decode as _, Encode as _};
use x509_cert::Certificate;

use crate::credentials::jumbf::{boxes, labelled};
use crate::credentials::reason::Reason;

/// Finds out why the signature of the manifest `label` was refused. `None` where it fits.
pub(super) fn refused_for(store: &[u8], label: &str) -> Option<Reason> {
    match Parts::of(store, label) {
        Some(parts) => parts.check(),
        None => Some(Reason::ManifestDamaged),
    }
}

/// The certificate with which the manifest `label` was signed.
pub(super) fn certificate(store: &[u8], label: &str) -> Option<Certificate> {
    Certificate::from_der(&Parts::of(store, label)?.leaf()?).ok()
}

/// What a signature is made of.
struct Parts<'a> {
    claim: &'a [u8],
    /// The fields that are signed, as they were encoded.
    protected: Vec<u8>,
    unprotected: Vec<(Value, Value)>,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn of(store: &'a [u8], label: &str) -> Option<Self> {
        let manifest = labelled(store).find(|(name, _)| *name == label)?.1;
        let cbor = |wanted: fn(&str) -> bool| {
            let (_, inner) = labelled(manifest).find(|(name, _)| wanted(name))?;
            let content = boxes(&inner[8..]).find(|one| &one[4..8] == b"cbor")?;
            Some(&content[8..])
        };
        let claim = cbor(|name| name == "c2pa.claim" || name.starts_with("c2pa.claim."))?;
        let cose = whole(cbor(|name| name == "c2pa.signature")?)?;
        let (_, inner) = cose.into_tag().ok()?;
        let [protected, unprotected, _payload, signature] =
            <[Value; 4]>::try_from(inner.into_array().ok()?).ok()?;
        Some(Self {
            claim,
            protected: protected.into_bytes().ok()?,
            unprotected: unprotected.into_map().ok()?,
            signature: signature.into_bytes().ok()?,
        })
    }

    fn check(&self) -> Option<Reason> {
        let Some(Value::Map(fields)) = whole(&self.protected) else {
            return Some(Reason::ManifestDamaged);
        };
        let validator = algorithm(&fields).and_then(validator_for_signing_alg);
        let Some(validator) = validator else {
            return Some(Reason::Unsupported);
        };
        let Some(leaf) = self.leaf() else {
            return Some(Reason::ManifestDamaged);
        };
        let key = Certificate::from_der(&leaf)
            .and_then(|leaf| leaf.tbs_certificate.subject_public_key_info.to_der());
        let Ok(key) = key else {
            return Some(Reason::Certificate);
        };
        let Some(signed) = self.signed() else {
            return Some(Reason::ManifestDamaged);
        };
        match validator.validate(&self.signature, &signed, &key) {
            Ok(()) => None,
            Err(_mismatch) => Some(Reason::Changed),
        }
    }

    /// What was signed (RFC 9052, section 4.4).
    fn signed(&self) -> Option<Vec<u8>> {
        let structure = Value::Array(vec![
            Value::Text("Signature1".to_owned()),
            Value::Bytes(self.protected.clone()),
            Value::Bytes(Vec::new()),
            Value::Bytes(self.claim.to_vec()),
        ]);
        let mut bytes = Vec::new();
        ciborium::into_writer(&structure, &mut bytes).ok()?;
        Some(bytes)
    }

    /// The certificate that comes first in the one chain. Of two chains, one would be believed and
    /// the other one shown.
    fn leaf(&self) -> Option<Vec<u8>> {
        let fields = whole(&self.protected)?.into_map().ok()?;
        let chain = match (chain(&fields), chain(&self.unprotected)) {
            (Some(chain), None) | (None, Some(chain)) => chain,
            _ => return None,
        };
        let first = chain.as_array().and_then(|all| all.first());
        first.unwrap_or(chain).as_bytes().cloned()
    }
}

/// The algorithms that C2PA allows (specification 2.2, section 13.2.1), by their numbers in COSE.
fn algorithm(protected: &[(Value, Value)]) -> Option<SigningAlg> {
    let value = field(protected, |name| name.as_integer() == Some(1.into()))?;
    let number: i128 = value.as_integer()?.into();
    Some(match number {
        -7 => SigningAlg::Es256,
        -35 => SigningAlg::Es384,
        -36 => SigningAlg::Es512,
        -37 => SigningAlg::Ps256,
        -38 => SigningAlg::Ps384,
        -39 => SigningAlg::Ps512,
        -8 => SigningAlg::Ed25519,
        _ => return None,
    })
}

/// The chain of certificates, under the number of RFC 9360 or the name that came before it.
fn chain(fields: &[(Value, Value)]) -> Option<&Value> {
    let is_chain =
        |name: &Value| name.as_integer() == Some(33.into()) || name.as_text() == Some("x5chain");
    field(fields, is_chain)
}

/// The value of a field that stands there once.
fn field(fields: &[(Value, Value)], wanted: impl Fn(&Value) -> bool) -> Option<&Value> {
    let mut found = fields.iter().filter(|(name, _)| wanted(name));
    let (_, value) = found.next()?;
    found.next().is_none().then_some(value)
}

/// Reads a value that nothing follows.
fn whole(mut bytes: &[u8]) -> Option<Value> {
    let value = ciborium::from_reader(&mut bytes).ok()?;
    bytes.is_empty().then_some(value)
}
