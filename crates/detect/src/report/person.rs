//! Whether a face is the person of the references, and moves like them.

use effigy_model::Identity;

use crate::calibration::sigmoid;
use crate::kind::CueKind;
use crate::motion::{MotionStatistics, Window, signature};
use crate::note::{Note, Role};
use crate::person::Person;

/// Compares one face with the person of the references.
///
/// The score is of looks alone: how people move tells them apart too seldom to decide.
pub(super) fn likeness(person: &Person, identity: Option<&Identity>, windows: &[Window]) -> Note {
    let mut cue = looks(person, identity);
    let moves = moves(person, windows);
    cue.sentence = format!("{} {}", cue.sentence, moves.sentence);
    cue.timeline = moves.timeline;
    cue.measures
        .extend(moves.unlike.map(|v| ("moves-unlike", v)));
    cue
}

fn looks(person: &Person, face: Option<&Identity>) -> Note {
    let threshold = person.threshold;
    let similarity = face.map(|face| person.identity.similarity(face));
    let chance = 1000.0 * threshold.false_match_rate;
    let sentence = match similarity {
        None => "Not judged: the face is never seen well.".to_owned(),
        Some(similarity) => {
            let words = if threshold.similarity <= similarity {
                "The face looks like the person of the reference"
            } else {
                "The face does not look like the person of the reference"
            };
            format!(
                "{words} (similarity {similarity:.3}; from {:.3} on {chance:.0} of 1000 strangers pass).",
                threshold.similarity
            )
        }
    };
    let role = match similarity {
        Some(_) => Role::Noted,
        None => Role::NotJudged,
    };
    Note {
        score: similarity.map(|s| sigmoid((threshold.similarity - s) / STEP)),
        measures: similarity
            .map(|s| ("unlike", 1.0 - s))
            .into_iter()
            .collect(),
        ..Note::words(CueKind::Person, role, sentence)
    }
}

/// How far below the threshold a similarity must be for a score of about three quarters: the
/// embedder's vectors of different people lie as near as 0.88.
const STEP: f32 = 0.02;

/// What movement says.
struct Moves {
    sentence: String,
    timeline: Vec<[f64; 2]>,
    unlike: Option<f32>,
}

fn moves(person: &Person, windows: &[Window]) -> Moves {
    let unknown = |why: &str| Moves {
        sentence: format!("Whether they move alike is not judged: {why}."),
        timeline: Vec::new(),
        unlike: None,
    };
    let Some(reference) = &person.motion else {
        return unknown("no reference shows the face for four seconds");
    };
    let Some(seen) = signature(windows) else {
        return unknown("the face is not seen well for four seconds");
    };
    let statistics = MotionStatistics::built_in();
    let likeness = statistics.likeness(reference, &seen);
    let ([same, same_by], [strangers, strangers_by]) = (statistics.same, statistics.strangers);
    let words = if statistics.middle() <= likeness {
        "Head, face and mouth move together as in the reference"
    } else {
        "Head, face and mouth move together otherwise than in the reference"
    };
    let sentence = format!(
        "{words} (likeness {likeness:.2}; the same person {same:.2} ± {same_by:.2}, strangers \
         {strangers:.2} ± {strangers_by:.2}: a hint, no proof)."
    );
    let score = |pairs: &[f32]| {
        let below = statistics.middle() - statistics.likeness(reference, pairs);
        f64::from(sigmoid(2.0 * below / strangers_by.max(1e-3)))
    };
    Moves {
        sentence,
        timeline: windows
            .iter()
            .map(|window| [window.from_secs, score(&window.correlations)])
            .collect(),
        unlike: Some(1.0 - likeness),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_model::weights::Threshold;

    use crate::motion::LEAST_WINDOWS;

    const THRESHOLD: Threshold = Threshold {
        similarity: 0.6,
        false_match_rate: 0.01,
    };

    fn identity() -> Identity {
        let mut values = [0.0; 128];
        values[0] = 1.0;
        Identity::from_values(values).unwrap()
    }

    fn windows(pair: usize) -> Vec<Window> {
        let mut pairs = MotionStatistics::built_in().mean;
        pairs[pair] += 1.0;
        (0..LEAST_WINDOWS)
            .map(|i| Window {
                from_secs: i as f64,
                correlations: pairs.clone(),
            })
            .collect()
    }

    #[test]
    fn who_moves_like_the_reference_is_said_to_and_a_stranger_is_not() {
        let person = Person {
            identity: identity(),
            threshold: THRESHOLD,
            motion: signature(&windows(3)),
        };
        let said = |pair| likeness(&person, Some(&identity()), &windows(pair));
        let (same, other) = (said(3), said(40));
        assert!(
            same.sentence.contains("together as in"),
            "{}",
            same.sentence
        );
        assert!(
            other.sentence.contains("otherwise than"),
            "{}",
            other.sentence
        );
        assert_eq!(same.score, other.score, "the looks are the same");
        assert!(same.timeline[0][1] < other.timeline[0][1]);
    }

    #[test]
    fn short_references_are_not_judged_by_movement() {
        let person = Person {
            identity: identity(),
            threshold: THRESHOLD,
            motion: signature(&windows(3)[..1]),
        };
        let said = likeness(&person, Some(&identity()), &windows(3)).sentence;
        assert!(said.contains("no reference shows"), "{said}");
        let unseen = likeness(&person, None, &[]);
        assert_eq!(unseen.score, None);
    }
}
