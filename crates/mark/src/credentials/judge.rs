//! Whether credentials hold, and where they do not, why.

use c2pa::validation_status::ValidationStatus;
use c2pa::{Reader, ValidationResults};

use crate::credentials::reason::Reason;
use crate::credentials::signature;
use crate::credentials::trust::Trust;
use crate::keys::validity_of;
use crate::utc_time::UtcTime;

/// Whether a manifest can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Intact, with a signer whom this machine trusts.
    Trusted,
    /// Intact, with a signer whom this machine does not know.
    Untrusted,
    /// Nothing shows a change, but the signature proves nothing here; the reason says why.
    Unproven,
    /// The file or the manifest was changed after signing, or the manifest is damaged.
    Broken,
    /// The file only refers to credentials, which were not fetched.
    Elsewhere,
}

/// What was found out about the active manifest.
pub(super) struct Judged {
    pub(super) state: State,
    pub(super) reason: Option<Reason>,
    /// What does not hold, in C2PA's codes.
    pub(super) problems: Vec<String>,
    /// Words of C2PA for the first problem of `reason`.
    pub(super) explanation: Option<String>,
    /// First and last second in which the signer's certificate is valid.
    pub(super) valid: Option<(UtcTime, UtcTime)>,
}

/// What a manifest is judged by.
pub(super) struct Evidence<'a> {
    pub(super) reader: &'a Reader,
    /// The one that read with the roots of signers alone: only what leads to them is trusted.
    pub(super) of_signers: &'a Reader,
    pub(super) store: &'a [u8],
    /// What is wrong around the manifest, where neither hash nor signature covers it.
    pub(super) gap: Option<&'static str>,
    pub(super) trust: &'a Trust,
}

impl Evidence<'_> {
    /// Judges the active manifest; its ingredients are looked at elsewhere.
    pub(super) fn judge(&self) -> Judged {
        let label = self.reader.active_label().unwrap_or_default();
        let succeeded = |code: &str| succeeded(self.reader, code);
        let valid = signature::certificate(self.store, label).map(|leaf| validity_of(&leaf));
        let mut problems = Vec::new();
        let mut told = Vec::new();
        let mut signature_fits = succeeded("claimSignature.validated");
        for status in self.failures() {
            let reason = match status.code() {
                "claimSignature.mismatch" => match signature::refused_for(self.store, label) {
                    None => {
                        signature_fits = true;
                        continue;
                    }
                    reason => reason,
                },
                code => Reason::of_code(code),
            };
            problems.push(status.code().to_owned());
            told.extend(reason.map(|reason| (reason, status.explanation())));
        }
        if let Some(gap) = self.gap {
            problems.push(gap.to_owned());
            told.push((Reason::Changed, None));
        }
        let is_dated = succeeded("timeStamp.trusted");
        let is_told = told.iter().any(|(reason, _)| *reason == Reason::Expired);
        if !is_dated && !is_told && valid.is_some_and(|valid| !self.is_now_within(valid)) {
            problems.push("signingCredential.expired".to_owned());
            told.push((Reason::Expired, None));
        }
        if !signature_fits && told.is_empty() {
            told.push((Reason::ManifestDamaged, None));
        }
        let worst = Reason::worst(told.iter().map(|(reason, _)| *reason));
        let explanation = told.iter().find(|(reason, _)| Some(*reason) == worst);
        let explanation = explanation.and_then(|(_, explanation)| *explanation);
        let reason = worst.map(|reason| match (reason, valid, self.trust.now) {
            (Reason::Expired, Some((from, _)), Some(now)) if now < from => Reason::NotYetValid,
            _ => reason,
        });
        let state = match reason {
            Some(Reason::Changed | Reason::ManifestDamaged) => State::Broken,
            Some(_) => State::Unproven,
            None if self::succeeded(self.of_signers, "signingCredential.trusted") => State::Trusted,
            None => State::Untrusted,
        };
        Judged {
            state,
            reason,
            problems,
            explanation: explanation.map(str::to_owned),
            valid,
        }
    }

    /// What does not hold of the active manifest, and of its references to others.
    fn failures(&self) -> impl Iterator<Item = &ValidationStatus> {
        let results = self.reader.validation_results();
        let own = results.and_then(ValidationResults::active_manifest);
        let own = own.into_iter().flat_map(|own| own.failure());
        let references = results.and_then(ValidationResults::ingredient_deltas);
        let references = references.into_iter().flatten();
        own.chain(references.flat_map(|one| {
            let failures = one.validation_deltas().failure().iter();
            failures.filter(|status| is_of_reference(status.code()))
        }))
    }

    fn is_now_within(&self, (from, until): (UtcTime, UtcTime)) -> bool {
        self.trust.now.is_none_or(|now| from <= now && now <= until)
    }
}

fn succeeded(reader: &Reader, code: &str) -> bool {
    let results = reader.validation_results();
    let own = results.and_then(ValidationResults::active_manifest);
    let mut codes = own.into_iter().flat_map(|own| own.success());
    codes.any(|status| status.code() == code)
}

/// Whether a code says that the manifest of an ingredient is not the one that was referred to, so
/// that it was exchanged or changed after the active one was signed.
pub(super) fn is_of_reference(code: &str) -> bool {
    code.starts_with("ingredient.")
}
