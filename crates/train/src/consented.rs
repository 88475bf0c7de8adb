//! Training a face model of people who consented: without the consent of each it does not start.

use std::ops::ControlFlow;
use std::path::Path;

use burn::prelude::Device;
use effigy_mark::consent::{Token, Use};

use crate::error::{Error, Result};
use crate::faces::FaceSet;
use crate::run;
use crate::settings::{Outcome, Report, Settings};

/// Whom to learn, and the proof that they agreed.
#[derive(Clone, Copy, Debug)]
pub struct ConsentedSet<'a> {
    /// The consent of each person in `sets`, checked against their faces.
    pub token: &'a Token,
    /// The faces of each person, with the consent that covers them.
    pub sets: &'a [FaceSet],
}

/// Trains the model in `folder` on the people of `consented`, going on from its newest checkpoint if
/// there is one.
///
/// `watch` gets a report after each step and may end the run, which saves first.
///
/// # Errors
/// If the consent of anyone is not in the token or is for teaching a detector, the folder holds
/// something else, a set has too few faces, a checkpoint is damaged or cannot be written, or the
/// training diverges.
pub fn train(
    folder: &Path,
    settings: &Settings,
    consented: &ConsentedSet<'_>,
    device: &Device,
    watch: &mut dyn FnMut(&Report) -> ControlFlow<()>,
) -> Result<Outcome> {
    consented.check()?;
    run::train(folder, settings, consented.sets, device, watch)
}

impl ConsentedSet<'_> {
    fn check(&self) -> Result<()> {
        let usage = self.token.usage();
        if usage == Use::TrainDetector {
            return Err(Error::OtherUse { usage });
        }
        let is_covered = |set: &&FaceSet| {
            let mut consents = self.token.consents().iter();
            consents.any(|record| record.id.as_str() == set.consent)
        };
        match self.sets.iter().find(|set| !is_covered(set)) {
            None => Ok(()),
            Some(set) => Err(Error::NotCovered {
                person: set.person.clone(),
            }),
        }
    }
}
