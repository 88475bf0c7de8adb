//! What one cue says, and whether the verdict hears it.

use serde::Serialize;

use super::points;
use crate::finding::{Evidence, Finding, Outcome};

/// Whether a cue moves the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The verdict depends on it.
    Counts,
    /// It is told for the reader, and the verdict is the same without it: on the development
    /// footage it told too little, or it answers another question.
    Told,
    /// It could not judge.
    NotJudged,
}

/// What one cue says.
#[derive(Clone, Debug, Serialize)]
pub struct CueReport {
    /// Which.
    pub name: &'static str,
    /// Whether it moves the verdict.
    pub standing: Standing,
    /// `0..=1`, 1 strongest; `None` when it could not judge or has only words.
    pub score: Option<f32>,
    /// What it saw, or why it could not judge.
    pub sentence: String,
    /// `[from, to]` in seconds, where it was worst.
    pub when: Vec<[f64; 2]>,
    /// `[seconds, score]`
    pub timeline: Vec<[f64; 2]>,
    /// The numbers behind the score.
    pub measures: Vec<(&'static str, f32)>,
}

impl CueReport {
    /// Says `sentence` and no more.
    pub fn words(name: &'static str, standing: Standing, sentence: String) -> Self {
        Self {
            name,
            standing,
            score: None,
            sentence,
            when: Vec::new(),
            timeline: Vec::new(),
            measures: Vec::new(),
        }
    }

    /// Turns a finding into what is reported of it.
    pub fn of(finding: &Finding, standing: Standing) -> Self {
        let name = finding.cue.name();
        match &finding.outcome {
            Outcome::Judged(evidence) => Self::judged(name, standing, evidence),
            Outcome::NotJudged(why) => {
                let sentence = format!("Not judged: {why}.");
                Self::words(name, Standing::NotJudged, sentence)
            }
        }
    }

    fn judged(name: &'static str, standing: Standing, evidence: &Evidence) -> Self {
        Self {
            score: Some(evidence.score),
            when: evidence
                .when
                .iter()
                .map(|s| [s.from_secs, s.to_secs])
                .collect(),
            timeline: points(&evidence.timeline),
            ..Self::words(name, standing, evidence.sentence.clone())
        }
    }
}
