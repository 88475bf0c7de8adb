//! How well the identity network tells whether two faces are one person's.
//!
//! Pairs of people it was not trained on. The people are parted once more, by a hash of the
//! name: on one half the threshold is chosen, on the other everything is reported.

use std::path::Path;

use anyhow::Result;
use effigy_face::align::{IDENTITY_EXTENT, aligned_view};
use effigy_frame::resample::crop;
use effigy_model::weights::IDENTIFIER;
use effigy_model::{Identifier, Identity, device};
use sha2::{Digest as _, Sha256};

use super::Weights;
use crate::data::{self, Sample, Split};

/// Prints accuracy and the rates at fixed thresholds.
pub(crate) fn measure(data: &Path, weights: &Weights) -> Result<()> {
    let device = device::open(device::Choice::Cpu)?;
    let identifier = weights.fill("identifier", IDENTIFIER, Identifier::new(&device))?;
    let samples = data::read(data, Split::Validation, |s| s == "ytf" || s == "lfw-grey")?;
    let (tune, test): (Vec<&Sample>, Vec<&Sample>) =
        samples.iter().partition(|s| is_tuning(&s.person));
    let tune = pairs(&identifier, &tune);
    let test = pairs(&identifier, &test);
    let best = best_threshold(&tune);
    println!(
        "tuning: {} same, {} different; test: {} same, {} different",
        tune.same.len(),
        tune.different.len(),
        test.same.len(),
        test.different.len()
    );
    println!(
        "threshold {best:.3} (chosen on the tuning half): balanced accuracy {:.4}",
        test.accuracy(best)
    );
    for rate in [0.01, 0.001] {
        let threshold = tune.threshold_at(rate);
        println!(
            "threshold {threshold:.3} for FMR {rate}: measured FMR {:.5}, TAR {:.4}",
            share_at_least(&test.different, threshold),
            share_at_least(&test.same, threshold),
        );
    }
    Ok(())
}

/// Similarities of all pairs, sorted from low to high.
struct Pairs {
    same: Vec<f32>,
    different: Vec<f32>,
}

impl Pairs {
    /// Mean of the shares of both kinds that are called rightly.
    fn accuracy(&self, threshold: f32) -> f64 {
        let hits = share_at_least(&self.same, threshold);
        let refused = 1.0 - share_at_least(&self.different, threshold);
        0.5 * (hits + refused)
    }

    fn threshold_at(&self, rate: f64) -> f32 {
        let above = (self.different.len() as f64 * rate) as usize;
        self.different[self.different.len() - 1 - above]
    }
}

pub(crate) fn is_tuning(person: &str) -> bool {
    Sha256::digest(person.as_bytes())[0] % 2 == 0
}

fn pairs(identifier: &Identifier, samples: &[&Sample]) -> Pairs {
    let identities: Vec<Option<Identity>> = samples.iter().map(|s| embed(identifier, s)).collect();
    let (mut same, mut different) = (Vec::new(), Vec::new());
    for i in 0..samples.len() {
        for j in 0..i {
            if let (Some(a), Some(b)) = (&identities[i], &identities[j]) {
                let kind = if samples[i].person == samples[j].person {
                    &mut same
                } else {
                    &mut different
                };
                kind.push(a.similarity(b));
            }
        }
    }
    same.sort_by(f32::total_cmp);
    different.sort_by(f32::total_cmp);
    Pairs { same, different }
}

fn embed(identifier: &Identifier, sample: &Sample) -> Option<Identity> {
    let view = aligned_view(&sample.points, Identifier::SIDE_PX, IDENTITY_EXTENT)?;
    let crop = crop(&sample.picture, view, Identifier::SIDE_PX);
    identifier.embed(&[crop]).pop()
}

fn best_threshold(pairs: &Pairs) -> f32 {
    let candidates = (0..200).map(|i| i as f32 / 200.0);
    candidates
        .max_by(|&a, &b| pairs.accuracy(a).total_cmp(&pairs.accuracy(b)))
        .unwrap_or(0.5)
}

fn share_at_least(sorted: &[f32], threshold: f32) -> f64 {
    let below = sorted.partition_point(|&v| v < threshold);
    (sorted.len() - below) as f64 / sorted.len().max(1) as f64
}
