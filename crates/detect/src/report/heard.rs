//! Who speaks in a file, and whether it is the person of the references, as `effigy_sound` heard it.
//!
//! Nothing of it counts in the verdict: a cloned voice may sound just like the person's.

use serde::Serialize;

/// What was heard of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// How long somebody speaks.
    pub speech_secs: f64,
    /// Each voice, the one that speaks most first.
    pub voices: Vec<HeardVoice>,
}

/// One voice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeardVoice {
    /// How long it speaks.
    pub secs: f64,
    /// When: `[from, to]` in seconds.
    pub stretches: Vec<[f64; 2]>,
}

/// How alike the voice that speaks most and that of the references are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VoiceLikeness {
    /// `same`, `different`, `uncertain` or `too little to tell`.
    pub verdict: &'static str,
    /// Up to 1; `None` where nobody speaks.
    pub similarity: Option<f64>,
    /// From this similarity on two voices count as the same.
    pub threshold: f64,
    /// The share of strangers who reach it.
    pub false_match_rate: f64,
    /// How long the voice speaks.
    pub speech_secs: f64,
    /// How long the references do.
    pub reference_secs: f64,
    /// Other voices in the file.
    pub voices_not_compared: usize,
}

impl Heard {
    /// The fields of the report.
    pub(super) fn parts(heard: Option<Self>) -> (Option<f64>, Option<Vec<HeardVoice>>) {
        heard.map(|heard| (heard.speech_secs, heard.voices)).unzip()
    }
}
