//! What one cue says to the reader, and whether the verdict depends on it.

use serde::Serialize;

use crate::kind::CueKind;
use crate::measurement::Moment;

/// Whether a cue moves the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The verdict depends on it.
    Counts,
    /// It is there for the reader, and the verdict is the same without it: it said too little on
    /// the development footage, or it answers another question.
    Noted,
    /// It could not judge.
    NotJudged,
}

/// What one cue says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Note {
    /// Which cue.
    pub name: &'static str,
    /// Whether it moves the verdict.
    pub role: Role,
    /// `0..=1`: 0 as in real material, 1 as far from it as can be. `None` when the cue could not
    /// judge or has only words.
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

impl Note {
    /// Says `sentence` and no more.
    pub fn words(cue: CueKind, role: Role, sentence: String) -> Self {
        Self {
            name: cue.name(),
            role,
            score: None,
            sentence,
            when: Vec::new(),
            timeline: Vec::new(),
            measures: Vec::new(),
        }
    }

    /// Says why `cue` could not judge, as the end of a sentence: "the clip has no sound".
    pub fn not_judged(cue: CueKind, why: &str) -> Self {
        Self::words(cue, Role::NotJudged, format!("Not judged: {why}."))
    }

    /// Whether it speaks for manipulation and the verdict depends on it.
    pub(crate) fn is_sign(&self) -> bool {
        self.role == Role::Counts && self.score.is_some_and(|score| 0.5 <= score)
    }
}

/// Points of a timeline in a report at most.
const MOST_POINTS: usize = 600;

/// Thins a timeline out: of neighbouring moments the worst stays. Gives `[seconds, score]`.
pub(crate) fn thinned(moments: &[Moment]) -> Vec<[f64; 2]> {
    let together = moments.len().div_ceil(MOST_POINTS).max(1);
    let worst = |moments: &[Moment]| {
        let worst = moments.iter().max_by(|a, b| a.score.total_cmp(&b.score));
        worst.map(|m| [m.time_secs, f64::from(m.score)])
    };
    moments.chunks(together).filter_map(worst).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_timeline_is_thinned_and_keeps_its_peak() {
        let moment = |i: i32| Moment {
            time_secs: f64::from(i),
            score: if i == 4321 { 0.9 } else { 0.1 },
        };
        let moments: Vec<Moment> = (0..7200).map(moment).collect();
        let points = thinned(&moments);
        assert!(points.len() <= MOST_POINTS);
        assert!(
            points
                .iter()
                .any(|p| 0.8 < p[1] && (p[0] - 4321.0).abs() < 0.5)
        );
    }
}
