//! What credentials say, in words.

use crate::credentials::judge::State;
use crate::credentials::read::{Action, Credentials};
use crate::credentials::reason::Reason;

impl Credentials {
    /// Says it in words, one finding per line.
    pub(crate) fn in_words(&self) -> Vec<String> {
        let mut lines = vec![format!("credentials: {}", self.standing())];
        if let (Some(place), false) = (&self.kept_in, self.state == State::Elsewhere) {
            lines.push(format!("kept beside the file: {place}"));
        }
        lines.extend(self.actions.iter().map(done));
        if !self.ingredients.is_empty() {
            lines.push(format!("made from: {}", self.ingredients.join(", ")));
        }
        for one in &self.broken_ingredients {
            lines.push(format!(
                "made from {}, whose own credentials {} ({})",
                one.title,
                one.reason.of_ingredient(),
                one.problems.join(", "),
            ));
        }
        if !self.consents.is_empty() {
            lines.push(format!("with consent: {}", self.consents.join(", ")));
        }
        lines
    }

    fn standing(&self) -> String {
        let signer = self.signer.as_deref().unwrap_or("an unnamed signer");
        let codes = self.problems.join(", ");
        match (self.state, self.reason) {
            (State::Trusted, _) => format!("intact, signed by {signer}, who is trusted here"),
            (State::Untrusted, _) => {
                format!("intact, signed by {signer}, who is not trusted here")
            }
            (State::Elsewhere, _) => format!(
                "kept elsewhere and not fetched, effigy reads files only: {}",
                self.kept_in.as_deref().unwrap_or_default()
            ),
            (_, Some(Reason::ManifestDamaged)) => {
                format!("there, but damaged ({codes}): what they said cannot be believed")
            }
            (_, Some(reason)) => match self.unproven(reason, signer) {
                Some(words) => words,
                None => {
                    format!("broken ({codes}): file or manifest was changed after signing")
                }
            },
            (_, None) => format!("broken ({codes})"),
        }
    }

    /// Why a signature proves nothing, where nothing was changed.
    fn unproven(&self, reason: Reason, signer: &str) -> Option<String> {
        let day = |last: bool| match self.signer_valid {
            Some((_, until)) if last => until.day(),
            Some((from, _)) => from.day(),
            None => "an unknown day".to_owned(),
        };
        let because = self.explanation.as_deref().unwrap_or("no reason given");
        Some(match reason {
            Reason::Expired => format!(
                "unchanged since {signer} signed them, but the certificate ran out on {}, and no \
                 trusted timestamp says that it was used before",
                day(true)
            ),
            Reason::NotYetValid => format!(
                "unchanged since {signer} signed them, but with a certificate that is not valid \
                 before {}; is the clock right?",
                day(false)
            ),
            Reason::Revoked => format!("signed by {signer} with a certificate that was revoked"),
            Reason::Certificate => format!(
                "unchanged since {signer} signed them, but with a certificate that may not sign \
                 credentials ({because})"
            ),
            Reason::Unsupported => format!(
                "of a form that this version cannot check ({}); a newer one may",
                self.problems.join(", ")
            ),
            _ => return None,
        })
    }
}

fn done(action: &Action) -> String {
    let part = |before: &str, text: &Option<String>| match text {
        Some(text) => format!(", {before}{text}"),
        None => String::new(),
    };
    format!(
        "done: {}{}{}",
        action.action,
        part("", &action.source_type),
        part("with ", &action.software)
    )
}
