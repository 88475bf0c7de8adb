//! What is said of a file: a verdict, each face, each cue.
//!
//! The JSON form is versioned: a field may be added within a version, none changes its meaning.

use std::path::PathBuf;

use serde::Serialize;

use crate::finding::{Evidence, Finding, Outcome};
use crate::scanner::Watched;

/// Version of the JSON form.
pub const REPORT_VERSION: u32 = 1;

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
}

/// Everything that is said of one file.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// The file.
    pub file: PathBuf,
    /// Its SHA-256 as hexadecimal digits; `None` for footage that came without a file.
    pub sha256: Option<String>,
    /// All in all.
    pub verdict: Verdict,
    /// Whether credentials, a watermark or metadata say that it is synthetic.
    pub marked_as_synthetic: bool,
    /// The likeliest face's probability of being manipulated, at `prevalence`.
    pub fake_probability: Option<f32>,
    /// The share of manipulated faces that the probability assumes.
    pub prevalence: f32,
    /// Why, in sentences, the weightiest first.
    pub reasons: Vec<String>,
    /// What could not be judged, in sentences.
    pub not_judged: Vec<String>,
    /// Each face that was followed.
    pub faces: Vec<FaceReport>,
    /// What the cues say that look at the whole file.
    pub cues: Vec<CueReport>,
    /// Frames seen.
    pub n_frames: u64,
    /// When the last frame was shown.
    pub duration_secs: f64,
    /// Frames a second whose pixels were looked at closely.
    pub samples_per_sec: f32,
    /// What judged.
    pub made_by: MadeBy,
}

/// What is said of one face.
#[derive(Clone, Debug, Serialize)]
pub struct FaceReport {
    /// Its number.
    pub track: u32,
    /// All in all.
    pub verdict: Verdict,
    /// Probability of being manipulated.
    pub fake_probability: Option<f32>,
    /// From when it was seen.
    pub from_secs: f64,
    /// Until when.
    pub to_secs: f64,
    /// In how many frames.
    pub n_frames: u64,
    /// `[x, y, width, height]` where it was largest.
    #[serde(rename = "box")]
    pub rect: [f32; 4],
    /// Why, in sentences, the weightiest first.
    pub reasons: Vec<String>,
    /// The probability over time: `[seconds, probability]`.
    pub timeline: Vec<[f64; 2]>,
    /// What each cue says.
    pub cues: Vec<CueReport>,
}

/// What one cue says.
#[derive(Clone, Debug, Serialize)]
pub struct CueReport {
    /// Which.
    pub name: &'static str,
    /// `0..=1`, 1 strongest; `None` when it could not judge.
    pub score: Option<f32>,
    /// What it saw, or why it could not judge.
    pub sentence: String,
    /// `[from, to]` in seconds.
    pub when: Vec<[f64; 2]>,
    /// `[seconds, score]`
    pub timeline: Vec<[f64; 2]>,
}

/// What judged: for whoever wants to do it again.
#[derive(Clone, Debug, Serialize)]
pub struct MadeBy {
    /// The program.
    pub program: String,
    /// Each network's and model's name with the SHA-256 of its weights.
    pub weights: Vec<[String; 2]>,
}

impl CueReport {
    /// Turns a finding into what is reported of it.
    pub fn of(finding: &Finding) -> Self {
        let name = finding.cue.name();
        match &finding.outcome {
            Outcome::Judged(evidence) => Self::judged(name, evidence),
            Outcome::NotJudged(why) => Self {
                name,
                score: None,
                sentence: format!("Not judged: {why}."),
                when: Vec::new(),
                timeline: Vec::new(),
            },
        }
    }

    fn judged(name: &'static str, evidence: &Evidence) -> Self {
        let moments = evidence.timeline.iter();
        Self {
            name,
            score: Some(evidence.score),
            sentence: evidence.sentence.clone(),
            when: evidence
                .when
                .iter()
                .map(|s| [s.from_secs, s.to_secs])
                .collect(),
            timeline: moments.map(|m| [m.time_secs, f64::from(m.score)]).collect(),
        }
    }
}

impl FaceReport {
    /// Turns what was seen of a face into what is reported of it.
    pub fn of(watched: &Watched) -> Self {
        let rect = watched.largest;
        Self {
            track: watched.track,
            verdict: Verdict::NotJudged,
            fake_probability: None,
            from_secs: watched.span.from_secs,
            to_secs: watched.span.to_secs,
            n_frames: watched.n_frames,
            rect: [rect.x, rect.y, rect.width, rect.height],
            reasons: Vec::new(),
            timeline: Vec::new(),
            cues: watched.findings.iter().map(CueReport::of).collect(),
        }
    }
}
