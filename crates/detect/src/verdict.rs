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
            Self::NoSigns => "no signs of manipulation",
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
                "What could be judged looks like real faces. That is no proof: good fakes can look like them too."
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
