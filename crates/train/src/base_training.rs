//! Base training: many people are learned as if they were one, for all face models to start from.
//!
//! They share one decoder, so that it draws what faces have in common and no one in particular. That
//! holds only for many people in about equal shares; other sets are refused.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use burn::prelude::Device;
use effigy_frame::{Picture, Point2, Similarity};

use crate::error::{Error, Result};
use crate::faces::FaceSet;
use crate::run;
use crate::settings::{Outcome, Report, Settings};

/// Fewest people that a base is trained on.
pub const FEWEST_PEOPLE: usize = 100;
/// Largest share of the faces that may be one person's: one in so many.
const LARGEST_SHARE: usize = 50;

/// Faces of many people, none of whom was asked and none of whom the result draws.
#[derive(Debug)]
pub struct BaseSet {
    set: FaceSet,
    /// Faces of each person.
    counts: BTreeMap<String, usize>,
}

impl BaseSet {
    /// Starts an empty set for a network of `side` pixels.
    pub fn new(side: u32) -> Self {
        Self {
            set: FaceSet::new("everybody", side),
            counts: BTreeMap::new(),
        }
    }

    /// Adds a face of `person`; see [`FaceSet::add`].
    pub fn add(
        &mut self,
        person: &str,
        picture: &Picture,
        picture_from_crop: Similarity,
        points: &[Point2],
    ) {
        self.set.add(picture, picture_from_crop, points);
        *self.counts.entry(person.to_owned()).or_default() += 1;
    }

    /// How many faces there are.
    pub fn n_faces(&self) -> usize {
        self.set.len()
    }

    fn check(&self) -> Result<()> {
        let n_faces: usize = self.counts.values().sum();
        let most = self.counts.values().max().copied().unwrap_or(0);
        if FEWEST_PEOPLE <= self.counts.len() && most * LARGEST_SHARE <= n_faces {
            return Ok(());
        }
        Err(Error::TooFewPeople {
            people: self.counts.len(),
            needed: FEWEST_PEOPLE,
            most,
            n_faces,
        })
    }
}

/// Trains the base in `folder`, as [`train`](crate::train) trains a face model.
///
/// It takes no consent and gives no face model: the folder names no consent, so that nothing can
/// be rendered with it.
///
/// # Errors
/// As [`train`](crate::train), and if there are too few people or one stands out.
pub fn train_base(
    folder: &Path,
    settings: &Settings,
    people: &mut BaseSet,
    device: &Device,
    watch: &mut dyn FnMut(&Report) -> ControlFlow<()>,
) -> Result<Outcome> {
    people.check()?;
    people.set.balance()?;
    let sets = std::slice::from_ref(&people.set);
    run::train(folder, settings, sets, device, watch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::cartoon;

    fn base_set(people: usize, extra_of_first: usize) -> BaseSet {
        let mut set = BaseSet::new(32);
        let (picture, points) = cartoon(1, 1);
        let view = Similarity {
            a: 3.0,
            ..Similarity::IDENTITY
        };
        for person in (0..people).chain(vec![0; extra_of_first]) {
            set.add(&person.to_string(), &picture, view, &points);
        }
        set
    }

    #[test]
    fn few_people_are_refused() {
        assert!(base_set(FEWEST_PEOPLE, 0).check().is_ok());
        let error = base_set(FEWEST_PEOPLE - 1, 0).check().unwrap_err();
        assert!(
            matches!(error, Error::TooFewPeople { people: 99, .. }),
            "{error}"
        );
    }

    #[test]
    fn one_person_who_stands_out_is_refused() {
        assert!(base_set(FEWEST_PEOPLE, 1).check().is_ok());
        let error = base_set(FEWEST_PEOPLE, 2).check().unwrap_err();
        assert!(
            matches!(error, Error::TooFewPeople { most: 3, .. }),
            "{error}"
        );
    }
}
