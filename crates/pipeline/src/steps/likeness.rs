//! What a comparison comes to, of two faces or of two voices.

use effigy_model::weights::{IdentityScale, MOST_LIKELY, Threshold, VoiceScale};

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchVerdict {
    /// As alike as hardly any strangers are.
    Same,
    /// Likelier of strangers.
    Different,
    /// Neither.
    Uncertain,
    /// One of the two says too little of who it is.
    TooLittle,
}

impl MatchVerdict {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Different => "different",
            Self::Uncertain => "uncertain",
            Self::TooLittle => "too little to tell",
        }
    }
}

/// How alike two are, and what follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MatchLikeness {
    /// What is concluded.
    pub verdict: MatchVerdict,
    /// Up to 1.
    pub similarity: f32,
    /// How many times likelier the similarity is of one person than of two strangers.
    pub likelihood_ratio: f64,
    /// What that is at most: more was not measured.
    pub most_likely: f64,
    /// The threshold for "the same person", and how many strangers reach it.
    pub threshold: Threshold,
}

/// A similarity, and what it means.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    similarity: f32,
    likelihood_ratio: f64,
    most_likely: f64,
    threshold: Threshold,
}

impl Measured {
    /// Of faces.
    pub(crate) fn of_faces(similarity: f32, scale: &IdentityScale) -> Self {
        Self {
            similarity,
            likelihood_ratio: scale.likelihood_ratio(similarity),
            most_likely: MOST_LIKELY,
            threshold: scale.usual(),
        }
    }

    /// Of voices.
    pub(crate) fn of_voices(similarity: f32, scale: &VoiceScale) -> Self {
        Self {
            similarity,
            likelihood_ratio: scale.likelihood_ratio(similarity),
            most_likely: VoiceScale::MOST_LIKELY,
            threshold: scale.usual(),
        }
    }
}

/// The share of pairs that are one person, which probabilities assume: half.
pub const PRIOR: f64 = 0.5;
/// From this likelihood ratio on strangers are called strangers.
const CLEAR: f64 = 10.0;

impl MatchLikeness {
    /// Concludes from a similarity; `tells` when both say enough of who they are.
    pub(crate) fn of(measured: Measured, tells: bool) -> Self {
        let Measured {
            similarity,
            likelihood_ratio,
            most_likely,
            threshold,
        } = measured;
        let verdict = if !tells {
            MatchVerdict::TooLittle
        } else if threshold.similarity <= similarity {
            MatchVerdict::Same
        } else if likelihood_ratio <= 1.0 / CLEAR {
            MatchVerdict::Different
        } else {
            MatchVerdict::Uncertain
        };
        Self {
            verdict,
            similarity,
            likelihood_ratio,
            most_likely,
            threshold,
        }
    }

    /// The same where one of the two came by telephone, which sets one person's voice apart from itself: strangers
    /// cannot be told then.
    pub(crate) fn by_one_telephone(self, is_narrow: [bool; 2]) -> Self {
        if is_narrow[0] == is_narrow[1] {
            return self;
        }
        let verdict = match self.verdict {
            MatchVerdict::Different => MatchVerdict::Uncertain,
            verdict => verdict,
        };
        Self {
            verdict,
            likelihood_ratio: self.likelihood_ratio.max(1.0 / CLEAR),
            ..self
        }
    }

    /// The probability that it is one person, if [`PRIOR`] of such pairs are.
    pub fn probability(&self) -> f64 {
        let odds = self.likelihood_ratio * PRIOR / (1.0 - PRIOR);
        odds / (1.0 + odds)
    }

    /// The verdict in a line; without a likeness there was nothing to compare.
    pub fn in_words(likeness: Option<&Self>) -> String {
        let too_little = "too little to tell whether they are the same person".to_owned();
        let Some(likeness) = likeness else {
            return too_little;
        };
        let verdict = match likeness.verdict {
            MatchVerdict::Same => "the same person",
            MatchVerdict::Different => "different people",
            MatchVerdict::Uncertain => "uncertain",
            MatchVerdict::TooLittle => return too_little,
        };
        format!("{verdict}: {}", likeness.evidence())
    }

    /// The numbers behind the verdict, in words.
    pub(crate) fn evidence(&self) -> String {
        let likelier = match self.verdict {
            // The probability of a pair taken at random would be read as one of this pair.
            MatchVerdict::Uncertain => {
                "which one person may reach, and so may lookalikes and relatives".to_owned()
            }
            _ => format!("which is {}", self.likelier()),
        };
        format!(
            "similarity {:.3}, {likelier}; from {:.3} on they count as the same ({:.2} % of strangers reach it)",
            self.similarity,
            self.threshold.similarity,
            100.0 * self.threshold.false_match_rate,
        )
    }

    /// How much likelier of one person or of two, and what follows.
    fn likelier(&self) -> String {
        let (ratio, of) = if 1.0 <= self.likelihood_ratio {
            (self.likelihood_ratio, "one person than of two")
        } else {
            (1.0 / self.likelihood_ratio, "two people than of one")
        };
        let percent = 100.0 * self.probability();
        let least = if self.most_likely <= ratio {
            "at least "
        } else {
            ""
        };
        format!(
            "{least}{ratio:.0} times likelier of {of} (probability of one: {percent:.1} %, if half of such pairs are, and not \
             chosen for looking or sounding alike)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_model::Weights;

    #[test]
    fn between_the_same_and_different_there_is_doubt() {
        let weights = Weights::from_source_tree().unwrap();
        let (faces, voices) = (weights.identity_scale(), weights.voice_scale());
        let of_faces =
            |similarity| MatchLikeness::of(Measured::of_faces(similarity, &faces), true).verdict;
        let of_voices =
            |similarity| MatchLikeness::of(Measured::of_voices(similarity, &voices), true).verdict;
        let usual = faces.usual().similarity;
        assert_eq!(of_faces(usual), MatchVerdict::Same);
        assert_eq!(of_faces(usual - 1e-3), MatchVerdict::Uncertain);
        assert_eq!(of_faces(0.8), MatchVerdict::Different);
        let usual = voices.usual().similarity;
        assert_eq!(of_voices(usual), MatchVerdict::Same);
        assert_eq!(of_voices(usual - 1e-3), MatchVerdict::Uncertain);
        assert_eq!(of_voices(0.0), MatchVerdict::Different);
    }

    #[test]
    fn one_telephone_makes_no_strangers() {
        let scale = Weights::from_source_tree().unwrap().voice_scale();
        let of = |similarity, is_narrow| {
            let likeness = MatchLikeness::of(Measured::of_voices(similarity, &scale), true);
            likeness.by_one_telephone(is_narrow).verdict
        };
        assert_eq!(of(0.0, [true, true]), MatchVerdict::Different);
        assert_eq!(of(0.0, [true, false]), MatchVerdict::Uncertain);
        assert_eq!(of(1.0, [true, false]), MatchVerdict::Same);
    }

    #[test]
    fn what_says_too_little_is_not_concluded_from() {
        let scale = Weights::from_source_tree().unwrap().voice_scale();
        let likeness = MatchLikeness::of(Measured::of_voices(1.0, &scale), false);
        assert_eq!(likeness.verdict, MatchVerdict::TooLittle);
    }
}
