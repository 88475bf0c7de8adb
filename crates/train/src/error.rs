//! What can end a training, sorted by what the caller can do about it.

use std::path::PathBuf;

use effigy_mark::consent::Use;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// This person is not known to consent. Require the consent of each person who is learned.
    #[error(
        "no consent given here covers the faces of {person:?}; no face is learned without consent"
    )]
    NotCovered {
        /// Whose faces.
        person: String,
    },

    /// The consents are for another use. Require them for what the model is to do.
    #[error("a consent to {usage} does not allow a face model")]
    OtherUse {
        /// What they are for.
        usage: Use,
    },

    /// Too few people, or too many faces of one, for a base that draws no one in particular.
    #[error(
        "a base needs {needed} people or more with about as many faces each; these are {people}, and one of them has {most} of {n_faces} faces"
    )]
    TooFewPeople {
        /// How many people.
        people: usize,
        /// How many are needed.
        needed: usize,
        /// Faces of the one who is seen most.
        most: usize,
        /// Faces altogether.
        n_faces: usize,
    },

    /// Too little to learn from. Give more or longer clips of the person.
    #[error(
        "{found} faces of {person:?} were found, at least {needed} are needed; give more or longer clips"
    )]
    TooFewFaces {
        /// Usable faces.
        found: usize,
        /// Fewest that can be learned from.
        needed: usize,
        /// Whose.
        person: String,
    },

    /// The folder holds a model of other people or another size. Choose another folder.
    #[error("the model there draws {theirs}, not {ours}; name another folder: {path:?}")]
    OtherModel {
        /// What the folder holds.
        theirs: String,
        /// What was asked for.
        ours: String,
        /// The folder.
        path: PathBuf,
    },

    /// The folder holds something other than a face model. Choose another folder.
    #[error("there is something other than a face model already; name another folder: {path:?}")]
    NotAModel {
        /// What is there.
        path: PathBuf,
    },

    /// The training diverged repeatedly. Train with a smaller learning rate.
    #[error("the training diverged at step {step} even at learning rate {learning_rate}")]
    Diverged {
        /// Where.
        step: u64,
        /// With what rate.
        learning_rate: f64,
    },

    /// A checkpoint could not be written; the one before it is untouched. Make room and go on.
    #[error("cannot save step {step}; the checkpoint before it is untouched: {path:?}")]
    Write {
        /// Steps done.
        step: u64,
        /// What the system said.
        source: std::io::Error,
        /// Where.
        path: PathBuf,
    },

    /// A model could not be read.
    #[error(transparent)]
    Model(#[from] effigy_model::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_happened_and_what_to_do() {
        let not_covered = Error::NotCovered {
            person: "Ada".to_owned(),
        };
        let too_few = Error::TooFewPeople {
            people: 40,
            needed: 100,
            most: 9,
            n_faces: 400,
        };
        let not_a_model = Error::NotAModel {
            path: PathBuf::from("films"),
        };
        for (error, said) in [
            (
                not_covered,
                "no consent given here covers the faces of \"Ada\"; no face is learned without consent",
            ),
            (
                too_few,
                "a base needs 100 people or more with about as many faces each; these are 40, and \
                 one of them has 9 of 400 faces",
            ),
            (
                not_a_model,
                "there is something other than a face model already; name another folder: \"films\"",
            ),
        ] {
            assert_eq!(error.to_string(), said);
        }
    }
}
