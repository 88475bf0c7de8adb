//! The door to the base of all face models: a crowd, learned as if it were one face.
//!
//! Everyone shares one decoder, so that it draws what faces have in common and nobody in
//! particular. That holds only for many people in equal shares; others are refused.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use burn::prelude::Device;
use effigy_frame::{Picture, Point2, Similarity};

use crate::error::{Error, Result};
use crate::faces::FaceSet;
use crate::run;
use crate::settings::{Outcome, Report, Settings};

/// Fewest people that a crowd has.
pub const FEWEST_PEOPLE: usize = 100;
/// Largest share of the faces that may be one person's: one in so many.
const LARGEST_SHARE: usize = 50;

/// Faces of many people, whom nobody asked and none of whom the result draws.
#[derive(Debug)]
pub struct Crowd {
    set: FaceSet,
    /// Faces of each person.
    counts: BTreeMap<String, usize>,
}

impl Crowd {
    /// Starts an empty crowd for a network of `side` pixels.
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
        Err(Error::NotACrowd {
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
/// As [`train`](crate::train), and if `crowd` has too few people or one who stands out.
pub fn train_base(
    folder: &Path,
    settings: &Settings,
    crowd: &mut Crowd,
    device: &Device,
    watch: &mut dyn FnMut(&Report) -> ControlFlow<()>,
) -> Result<Outcome> {
    crowd.check()?;
    crowd.set.balance()?;
    let sets = std::slice::from_ref(&crowd.set);
    run::train(folder, settings, sets, device, watch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::cartoon;

    fn crowd(people: usize, extra_of_first: usize) -> Crowd {
        let mut crowd = Crowd::new(32);
        let (picture, points) = cartoon(1, 1);
        let view = Similarity {
            a: 3.0,
            ..Similarity::IDENTITY
        };
        for person in (0..people).chain(vec![0; extra_of_first]) {
            crowd.add(&person.to_string(), &picture, view, &points);
        }
        crowd
    }

    #[test]
    fn few_people_are_no_crowd() {
        assert!(crowd(FEWEST_PEOPLE, 0).check().is_ok());
        let error = crowd(FEWEST_PEOPLE - 1, 0).check().unwrap_err();
        assert!(
            matches!(error, Error::NotACrowd { people: 99, .. }),
            "{error}"
        );
    }

    #[test]
    fn nobody_stands_out_of_a_crowd() {
        assert!(crowd(FEWEST_PEOPLE, 1).check().is_ok());
        let error = crowd(FEWEST_PEOPLE, 2).check().unwrap_err();
        assert!(matches!(error, Error::NotACrowd { most: 3, .. }), "{error}");
    }
}
