//! Why credentials do not hold, told apart by C2PA's codes.
//!
//! "Changed after signing" is an accusation: it is said only where a hash or a signature does not
//! fit, and not of a certificate that ran out or of a form that is not known here.

/// Why credentials cannot be believed, or not wholly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// A hash or the signature does not fit: the file or its manifest was changed after signing.
    Changed,
    /// The manifest is there, but damaged, or against the rules for manifests.
    ManifestDamaged,
    /// The certificate of the signer was revoked.
    Revoked,
    /// The certificate of the signer may not sign credentials.
    Certificate,
    /// An old or a prerelease form, or an algorithm, that this version cannot check.
    Unsupported,
    /// The certificate of the signer is not valid yet.
    NotYetValid,
    /// The certificate of the signer ran out, and no trusted timestamp says that it signed before.
    Expired,
    /// The file refers to credentials elsewhere, which were not fetched.
    Elsewhere,
    /// The credentials hold; those of a file that it was made from do not.
    Ingredient,
}

impl Reason {
    /// What a code of C2PA (specification 2.2, section 15) says. `None` for codes that are no
    /// failure by themselves: a signer whom nobody here knows may be honest.
    pub(super) fn of_code(code: &str) -> Option<Self> {
        let last = code.rsplit('.').next().unwrap_or(code);
        Some(match code {
            "signingCredential.untrusted" => return None,
            "signingCredential.expired" | "claimSignature.outsideValidity" => Self::Expired,
            "signingCredential.revoked" | "signingCredential.ocsp.revoked" => Self::Revoked,
            "signingCredential.invalid" | "signingCredential.ocsp.unknown" => Self::Certificate,
            "algorithm.unsupported" | "algorithm.deprecated" | "manifest.compressed.invalid" => {
                Self::Unsupported
            }
            "assertion.action.ingredientMismatch" | "assertion.action.redactionMismatch" => {
                Self::ManifestDamaged
            }
            "assertion.missing" | "assertion.undeclared" | "assertion.boxesHash.unknownBox" => {
                Self::Changed
            }
            _ if ["mismatch", "changed"].contains(&last) => Self::Changed,
            _ => Self::ManifestDamaged,
        })
    }

    /// What is worst of several: what was changed matters more than who signed it when.
    pub(super) fn worst(reasons: impl IntoIterator<Item = Self>) -> Option<Self> {
        reasons.into_iter().min_by_key(|reason| reason.rank())
    }

    fn rank(self) -> usize {
        [
            Self::Changed,
            Self::ManifestDamaged,
            Self::Revoked,
            Self::Certificate,
            Self::Unsupported,
            Self::NotYetValid,
            Self::Expired,
            Self::Elsewhere,
            Self::Ingredient,
        ]
        .iter()
        .position(|&one| one == self)
        .unwrap_or(usize::MAX)
    }

    /// What an error in reading says, where it is not a matter of codes.
    pub(super) fn of_error(error: &c2pa::Error) -> Self {
        use c2pa::Error;
        match error {
            Error::PrereleaseError
            | Error::VersionCompatibility(_)
            | Error::ClaimVersion
            | Error::UnknownAlgorithm
            | Error::CoseSignatureAlgorithmNotSupported
            | Error::NotImplemented(_)
            | Error::UnsupportedType => Self::Unsupported,
            Error::HashMismatch(_) | Error::CoseSignature => Self::Changed,
            Error::RemoteManifestUrl(_) | Error::RemoteManifestFetch(_) => Self::Elsewhere,
            _ => Self::ManifestDamaged,
        }
    }

    /// What it is, to be put behind the name of a file: `whose own credentials …`.
    pub(super) fn of_ingredient(self) -> &'static str {
        match self {
            Self::Changed => "do not fit: it was changed after signing",
            Self::ManifestDamaged => "are damaged",
            Self::Revoked => "were signed with a revoked certificate",
            Self::Certificate => "were signed with a certificate that may not sign any",
            Self::Unsupported => "are of a form that this version cannot check",
            Self::NotYetValid => "were signed with a certificate that is not valid yet",
            Self::Expired => "were signed with a certificate that ran out",
            Self::Elsewhere => "are kept elsewhere",
            Self::Ingredient => "rest on others that do not hold",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        for (code, reason) in [
            ("assertion.dataHash.mismatch", Some(Reason::Changed)),
            ("claimSignature.mismatch", Some(Reason::Changed)),
            ("padding.changed", Some(Reason::Changed)),
            ("assertion.cbor.invalid", Some(Reason::ManifestDamaged)),
            ("claim.missing", Some(Reason::ManifestDamaged)),
            ("signingCredential.invalid", Some(Reason::Certificate)),
            ("signingCredential.ocsp.revoked", Some(Reason::Revoked)),
            ("signingCredential.expired", Some(Reason::Expired)),
            ("algorithm.unsupported", Some(Reason::Unsupported)),
            ("signingCredential.untrusted", None),
        ] {
            assert_eq!(Reason::of_code(code), reason, "{code}");
        }
    }

    #[test]
    fn a_change_outweighs_an_expired_certificate() {
        let both = [Reason::Expired, Reason::Changed];
        assert_eq!(Reason::worst(both), Some(Reason::Changed));
        assert_eq!(Reason::worst([]), None);
    }
}
