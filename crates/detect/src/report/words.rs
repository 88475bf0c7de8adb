//! What the file itself says, in words: its marks, and how it was put together.

use effigy_mark::{Reason, Report as Marks, State};

use crate::kind::CueKind;
use crate::note::{Note, Role};

/// What the marks of a file say.
pub(super) fn provenance(marks: Option<&Marks>) -> Note {
    let cue = CueKind::Provenance;
    match marks {
        None => {
            let sentence = "Not judged: the file itself was not looked at.".to_owned();
            Note::words(cue, Role::NotJudged, sentence)
        }
        Some(marks) if marks.marked => Note {
            score: Some(1.0),
            ..Note::words(cue, Role::Counts, synthetic(marks))
        },
        Some(marks) => {
            let role = match marks.credentials {
                Some(_) => Role::Noted,
                None => Role::NotJudged,
            };
            Note::words(cue, role, unmarked(marks))
        }
    }
}

fn synthetic(marks: &Marks) -> String {
    let mut says = Vec::new();
    if let Some(credentials) = marks.credentials.as_ref().filter(|c| c.synthetic) {
        let signer = credentials.signer.as_deref().unwrap_or("an unnamed signer");
        says.push(match credentials.state {
            State::Trusted => format!("its credentials, signed by {signer}"),
            State::Untrusted => {
                format!("its credentials, signed by {signer}, who is not trusted here")
            }
            State::Unproven => "its credentials, which prove nothing here".to_owned(),
            State::Broken | State::Elsewhere => "its credentials, which were damaged".to_owned(),
        });
    }
    if marks.watermark.is_some() {
        says.push("a watermark in the picture".to_owned());
    }
    if marks.foreign.iter().any(effigy_mark::Foreign::is_synthetic) {
        says.push("its metadata".to_owned());
    }
    format!("Marked as synthetic by {}.", says.join(" and "))
}

fn unmarked(marks: &Marks) -> String {
    match &marks.credentials {
        Some(credentials) => match credentials.state {
            State::Trusted => "Its credentials are valid and do not mention synthetic media.",
            State::Untrusted => "Its credentials are intact, but the signer is not trusted here.",
            State::Broken if credentials.reason == Some(Reason::Changed) => {
                "Its credentials are broken: the file was changed after signing."
            }
            State::Broken => "Its credentials are damaged.",
            State::Unproven => {
                "Its credentials prove nothing here; `effigy verify` says why. Nothing shows a change."
            }
            State::Elsewhere => "Its credentials are kept elsewhere, and were not fetched.",
        }
        .to_owned(),
        None => "Not judged: the file carries no mark, which proves nothing.".to_owned(),
    }
}

/// How the file was put together. It never counts in the verdict.
pub(super) fn container(said: Option<String>) -> Note {
    let unknown = "Not judged: its headers do not say how it was put together.";
    let cue = CueKind::Container;
    match said {
        Some(said) => Note::words(cue, Role::Noted, said),
        None => Note::words(cue, Role::NotJudged, unknown.to_owned()),
    }
}
