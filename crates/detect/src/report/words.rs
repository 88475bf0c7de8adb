//! Verdicts and provenance in words.

use effigy_mark::{Report as Marks, State};

use super::{CueReport, FaceReport, Standing, Verdict};
use crate::finding::Cue;
use crate::fuse::ESSENTIAL;
use crate::scanner::Told;

impl Verdict {
    /// Says it to the reader.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::NotJudged => "not judged",
            Self::NoSigns => "no signs of manipulation",
            Self::Inconclusive => "inconclusive",
            Self::Signs => "signs of manipulation",
        }
    }

    /// Says what it means, in one sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NotJudged => {
                "Nothing in this file could be judged. That says nothing of whether it is genuine."
            }
            Self::NoSigns => {
                "What could be judged looks as real faces do. That is no proof: good fakes can look so too."
            }
            Self::Inconclusive => {
                "What was seen is found in real and in manipulated faces alike. Look for other evidence."
            }
            Self::Signs => {
                "A face in this file looks as manipulated faces do and as few real ones do."
            }
        }
    }
}

/// What the marks of a file say.
pub(super) fn provenance(marks: Option<&Marks>) -> CueReport {
    let name = Cue::Provenance.name();
    match marks {
        None => {
            let sentence = "Not judged: this is not the file itself.".to_owned();
            CueReport::words(name, Standing::NotJudged, sentence)
        }
        Some(marks) if marks.marked => CueReport {
            score: Some(1.0),
            ..CueReport::words(name, Standing::Counts, synthetic(marks))
        },
        Some(marks) => {
            let standing = match marks.credentials {
                Some(_) => Standing::Told,
                None => Standing::NotJudged,
            };
            CueReport::words(name, standing, unmarked(marks))
        }
    }
}

fn synthetic(marks: &Marks) -> String {
    let mut says = Vec::new();
    if let Some(credentials) = marks.credentials.as_ref().filter(|c| c.synthetic) {
        let signer = credentials.signer.as_deref().unwrap_or("somebody unnamed");
        says.push(match credentials.state {
            State::Trusted => format!("its credentials, signed by {signer}"),
            State::Untrusted => format!("its credentials, signed by {signer}, unknown here"),
            State::Broken => "its credentials, which were damaged".to_owned(),
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
            State::Trusted => "Its credentials hold and say nothing of synthetic media.",
            State::Untrusted => "Its credentials are whole, and signed by somebody unknown here.",
            State::Broken => "Its credentials are damaged: the file was changed after signing.",
        }
        .to_owned(),
        None => "Not judged: the file carries no mark, which proves nothing.".to_owned(),
    }
}

/// How the file was put together; told, never counted.
pub(super) fn container(said: Option<String>) -> CueReport {
    let unknown = "Not judged: its headers say nothing of how it was put together.";
    let name = Cue::Container.name();
    match said {
        Some(said) => CueReport::words(name, Standing::Told, said),
        None => CueReport::words(name, Standing::NotJudged, unknown.to_owned()),
    }
}

/// What was put into a picture or copied in it.
pub(super) fn splice(found: &Option<Told>) -> CueReport {
    let nothing = "Nothing was found that was put in from another picture or stands twice. Scaled \
                   or strongly compressed pictures keep no trace.";
    let name = Cue::Splice.name();
    match found {
        Some(found) if !found.counts => {
            CueReport::words(name, Standing::Told, found.sentence.clone())
        }
        Some(found) => CueReport {
            score: Some(1.0),
            ..CueReport::words(name, Standing::Counts, found.sentence.clone())
        },
        None => CueReport {
            score: Some(0.0),
            ..CueReport::words(name, Standing::Counts, nothing.to_owned())
        },
    }
}

/// What could not be judged, in sentences.
pub(super) fn not_judged(faces: &[FaceReport]) -> Vec<String> {
    if faces.is_empty() {
        return vec!["No face was found.".to_owned()];
    }
    let unjudged = faces.iter().filter(|f| f.verdict == Verdict::NotJudged);
    let say = |face: &FaceReport| {
        // Every judged face needs this cue: why there is none is why there is no verdict.
        let needed = face.cues.iter().find(|cue| cue.name == ESSENTIAL.name());
        let why = needed.map_or("", |cue| cue.sentence.as_str());
        let why = why.strip_prefix("Not judged: ").unwrap_or(why);
        format!("Face {} at {:.1} s: {why}", face.track + 1, face.from_secs)
    };
    let mut sentences: Vec<String> = unjudged.clone().take(MOST_SENTENCES).map(say).collect();
    let n = unjudged.count();
    if MOST_SENTENCES < n {
        sentences.push(format!("And {} more faces.", n - MOST_SENTENCES));
    }
    sentences
}

/// Unjudged faces that are told one by one; a crowd has hundreds.
const MOST_SENTENCES: usize = 12;
