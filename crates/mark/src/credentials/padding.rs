//! What a COSE signature leaves unsigned beside itself.

/// Whether what the active manifest's COSE signature, the last of the store, does not itself
/// protect is what C2PA puts there, and the room left in it is empty. It is the one place that
/// neither the signature nor a hash covers, so that what changes there would go unseen.
pub(super) fn padding_is_zero(store: &[u8]) -> bool {
    let starts = (0..store.len())
        .rev()
        .filter(|&at| store[at..].starts_with(&COSE_SIGN1_START));
    let signature = starts
        .filter_map(|at| unprotected_fields(&store[at..]))
        .next();
    signature.is_none_or(|fields| fields.iter().all(|(name, value)| is_usual(name, value)))
}

/// The CBOR tag of `COSE_Sign1` and the head of its array of four (RFC 9052, section 4.2).
const COSE_SIGN1_START: [u8; 2] = [0xD2, 0x84];

type CborFields = Vec<(ciborium::Value, ciborium::Value)>;

/// The fields of a COSE signature that it does not itself protect. `None` when `bytes` start
/// with something else.
fn unprotected_fields(bytes: &[u8]) -> Option<CborFields> {
    let value: ciborium::Value = ciborium::from_reader(bytes).ok()?;
    let (_, inner) = value.into_tag().ok()?;
    let parts = inner.into_array().ok()?;
    parts.into_iter().nth(1)?.into_map().ok()
}

/// What may stand unprotected beside a signature (C2PA specification 2.2, sections 14.5 and 14.6):
/// timestamps and revocation, which are signed themselves, and the certificates, which must fit
/// the signature.
const UNPROTECTED: [&str; 4] = ["sigTst", "sigTst2", "rVals", "x5chain"];

fn is_usual(name: &ciborium::Value, value: &ciborium::Value) -> bool {
    match name.as_text() {
        Some("pad" | "pad2") => {
            let bytes = value.as_bytes();
            bytes.is_some_and(|bytes| bytes.iter().all(|&b| b == 0))
        }
        Some(name) => UNPROTECTED.contains(&name),
        None => name.is_integer(),
    }
}
