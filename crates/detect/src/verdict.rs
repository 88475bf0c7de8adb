//! What a face or a file looks like, all in all.

use serde::Serialize;

/// What a face or a file looks like, all in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing could be judged.
    NotJudged,
    /// Judged, and nothing speaks for manipulation.
    NoSigns,
    /// Judged, and the cues do not decide.
    Inconclusive,
    /// Signs of manipulation.
    Signs,
}

impl Verdict {
    /// Says it to the reader.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::NotJudged => "not judged",
            Self::NoSigns => "no signs of a maker that is known here",
            Self::Inconclusive => "inconclusive",
            Self::Signs => "signs of manipulation",
        }
    }

    /// Says what it means, in one sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NotJudged => {
                "Nothing in this file could be judged. That says nothing about whether it is genuine."
            }
            Self::NoSigns => {
                "The face carries no traces of the makers of fakes that this version knows. Other makers' \
                 fakes, and faces generated as a whole, are mostly missed: this is no proof."
            }
            Self::Inconclusive => {
                "What was seen is found in real and in manipulated faces alike. Look for other evidence."
            }
            Self::Signs => {
                "A face in this file looks like manipulated faces and unlike most real ones."
            }
        }
    }
}
