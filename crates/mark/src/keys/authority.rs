//! The authority that says when something was signed (RFC 3161), and whom to believe about it.
//!
//! Its address and the certificates that its stamps rest on are kept with the keys, so that every
//! signature is stamped, and what was stamped can be verified after the signer's certificate ran
//! out.

use std::path::Path;

use c2pa::crypto::time_stamp::default_rfc3161_message;
use der::pem::LineEnding;
use der::{Decode as _, EncodePem as _};
use x509_cert::Certificate;

use super::{Keys, Timestamps};
use crate::error::{Error, Result};
use crate::files::{self, Readers};

/// Holds the address of the authority.
const ADDRESS: &str = "timestamp.url";
/// Holds the certificates of this and of earlier authorities.
const ROOTS: &str = "timestamp.pem";

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
pub struct Authority<'a> {
    /// Its address.
    pub url: &'a str,
    /// How it is asked.
    pub timestamps: &'a Timestamps,
    /// Certificates that its own leads to, as PEM, where its stamps do not carry them.
    pub roots_pem: Option<&'a str>,
}

impl Keys {
    /// Asks an authority for a stamp, and where that is one, has every signature stamped by it from
    /// now on. Gives the name on its certificate.
    ///
    /// # Errors
    /// When it does not answer with a stamp, names no issuer of its certificate, or nothing can be
    /// written.
    pub fn set_time_authority(&self, authority: &Authority<'_>) -> Result<String> {
        let refused = |reason: String| Error::Authority {
            reason,
            url: authority.url.to_owned(),
        };
        let request = default_rfc3161_message(b"effigy asks for the time")
            .map_err(|error| refused(error.to_string()))?;
        let answer = authority.timestamps.stamp(&request)?;
        let mut certificates = Vec::new();
        collect_certificates(&answer, 0, &mut certificates);
        let stamps = certificates
            .iter()
            .find(|one| !issues_another(one, &certificates));
        let stamper = stamps.ok_or_else(|| refused("it did not answer with a stamp".to_owned()))?;
        let given = authority.roots_pem.map(str::to_owned);
        let roots_pem = given.or_else(|| top_of(&certificates)).ok_or_else(|| {
            let reason = "its stamps do not say who issued its certificate; name that one's file with --root";
            refused(reason.to_owned())
        })?;
        let path = self.folder().join(ROOTS);
        let known = files::read_text(&path).unwrap_or_default();
        if !known.contains(&roots_pem) {
            files::write(
                &path,
                format!("{known}{roots_pem}").as_bytes(),
                Readers::Anyone,
            )?;
        }
        let path = self.folder().join(ADDRESS);
        files::write(&path, authority.url.as_bytes(), Readers::Anyone)?;
        Ok(stamper.tbs_certificate.subject.to_string())
    }

    /// Has signatures not stamped any more, from now on. Earlier stamps still count.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn forget_time_authority(&self) -> Result<()> {
        files::write(&self.folder().join(ADDRESS), b"", Readers::Anyone)
    }

    /// The address of the authority that stamps signatures; `None` where none was chosen, and an
    /// empty one where it was chosen to have none.
    pub fn time_authority(folder: &Path) -> Option<String> {
        let text = files::read_text(&folder.join(ADDRESS)).ok()?;
        Some(text.trim().to_owned())
    }

    /// The certificates that stamps of this installation's authorities lead to, as PEM.
    pub fn time_roots(folder: &Path) -> Vec<String> {
        files::read_text(&folder.join(ROOTS)).into_iter().collect()
    }
}

/// Whether an answer carries a certificate, as every stamp that was asked for with one does.
pub(super) fn has_certificate(answer: &[u8]) -> bool {
    let mut certificates = Vec::new();
    collect_certificates(answer, 0, &mut certificates);
    !certificates.is_empty()
}

/// Stamps are nested about ten deep.
const DEEPEST: usize = 16;

/// Finds the certificates anywhere in DER: the rest of a stamp is for those who verify it.
fn collect_certificates(mut bytes: &[u8], depth: usize, found: &mut Vec<Certificate>) {
    const SEQUENCE: u8 = 0x30;
    const CONSTRUCTED: u8 = 0x20;
    while let Some((tag, whole, content)) = first_value(bytes) {
        match Certificate::from_der(whole) {
            Ok(certificate) if tag == SEQUENCE => found.push(certificate),
            _ if tag & CONSTRUCTED != 0 && depth < DEEPEST => {
                collect_certificates(content, depth + 1, found);
            }
            _ => {}
        }
        bytes = &bytes[whole.len()..];
    }
}

/// The tag, the whole, and the content of the value with which `bytes` begin.
fn first_value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let n_digits = usize::from(first & 0x7f);
    let (length, content) = if first & 0x80 == 0 {
        (n_digits, rest)
    } else {
        let digits = rest.get(..n_digits).filter(|_| n_digits <= 4)?;
        let length = digits
            .iter()
            .fold(0, |n, &digit| n << 8 | usize::from(digit));
        (length, &rest[n_digits..])
    };
    let content = content.get(..length)?;
    let n_head = bytes.len() - rest.len() + if first & 0x80 == 0 { 0 } else { n_digits };
    Some((tag, &bytes[..n_head + length], content))
}

fn issues_another(one: &Certificate, all: &[Certificate]) -> bool {
    let subject = &one.tbs_certificate.subject;
    all.iter()
        .any(|other| other != one && other.tbs_certificate.issuer == *subject)
}

/// The certificate that issued others and that no other here issued, as PEM.
fn top_of(certificates: &[Certificate]) -> Option<String> {
    let is_top = |one: &&Certificate| {
        let issuer = &one.tbs_certificate.issuer;
        let is_issued_here = certificates
            .iter()
            .any(|other| other != *one && other.tbs_certificate.subject == *issuer);
        issues_another(one, certificates) && !is_issued_here
    };
    certificates
        .iter()
        .find(is_top)?
        .to_pem(LineEnding::LF)
        .ok()
}
