//! The whole run: draw faces → forward → backward → step → now and then measure and save.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use burn::prelude::*;
use burn::tensor::TensorData;
use effigy_model::face_model::store::{self, Checkpoint, Manifest, Start};
use effigy_model::face_model::weights::{weights_of, with_weights};
use effigy_model::face_model::{FaceNet, base};
use effigy_model::tensors::values;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::adam::State;
use crate::appearance::AppearanceAugmentation;
use crate::augment::{Batch, Strength, Subject, append, append_plain};
use crate::centroids::{LatentCentroids, LatentShift};
use crate::checkpoint::{self, Measured};
use crate::error::{Error, Result};
use crate::faces::FaceSet;
use crate::folder::{add_poses, check_same, new_manifest};
use crate::gradients::gradients_of;
use crate::judge::{encode, error_of};
use crate::schedule::{rate, strength};
use crate::settings::{Budget, Outcome, Report, Settings};
use crate::start::{start, start_from_base};

/// Faces of each person the error is measured on.
const N_MEASURED: usize = 16;
/// How many times a training may roll back before it is given up.
const MAX_ROLLBACKS: u32 = 3;
/// Early stopping: saves without progress that end a training, and what counts as progress.
const PATIENCE_SAVES: u32 = 5;
const PROGRESS: f64 = 0.01;

/// The run behind both doors, [`crate::train`] and [`crate::train_base`], which say whom it may
/// learn.
pub(crate) fn train(
    folder: &Path,
    settings: &Settings,
    sets: &[FaceSet],
    device: &Device,
    watch: &mut dyn FnMut(&Report) -> ControlFlow<()>,
) -> Result<Outcome> {
    let mut run = Run::open(folder, settings, sets, device)?;
    let mut was_stopped = false;
    while !was_stopped && !run.is_over() {
        run.step()?;
        if run.is_save_due() {
            run.save()?;
        }
        was_stopped = watch(&run.report()).is_break();
    }
    run.save()?;
    Ok(Outcome {
        last: run.report(),
        was_stopped,
    })
}

/// A training under way.
struct Run<'a> {
    folder: &'a Path,
    settings: &'a Settings,
    sets: &'a [FaceSet],
    /// Of each person with the appearance of each of the others.
    augmentations: Vec<Vec<AppearanceAugmentation>>,
    centroids: LatentCentroids,
    device: Device,
    manifest: Manifest,
    state: State,
    net: FaceNet,
    spent_before_secs: f64,
    started: Instant,
    first_step: u64,
    saved_secs: f64,
    training_error: f64,
    rollbacks: u32,
    best_error: f64,
    saves_without_progress: u32,
}

impl<'a> Run<'a> {
    fn open(
        folder: &'a Path,
        settings: &'a Settings,
        sets: &'a [FaceSet],
        device: &Device,
    ) -> Result<Self> {
        let device = device.clone().autodiff();
        let net = settings.shape.init(sets.len(), &device);
        let mut wanted = weights_of(&net);
        let is_new = !folder.join(store::MANIFEST).exists();
        let (manifest, state) = if is_new {
            match settings.training.start {
                Start::Nothing => start(&mut wanted, sets, settings.training.seed),
                Start::Base => start_from_base(&mut wanted, &base(&settings.weights)?),
            }
            (new_manifest(folder, settings, sets)?, State::new(wanted))
        } else {
            let mut manifest = store::read_manifest_at(folder, settings.checkpoint)?;
            check_same(folder, &manifest, settings, sets)?;
            add_poses(&mut manifest, sets);
            let state = checkpoint::load(folder, &manifest, &wanted)?;
            (manifest, state)
        };
        let newest = manifest.checkpoints.first();
        let spent_before_secs = newest.map_or(0.0, |checkpoint| checkpoint.spent_secs);
        let best_error = newest.map_or(f64::INFINITY, |checkpoint| checkpoint.validation_error);
        let mut run = Self {
            folder,
            settings,
            sets,
            augmentations: augmentations(sets),
            centroids: newest.map_or_else(LatentCentroids::default, centroids_of),
            net: with_weights(net, &state.weights),
            device,
            manifest,
            first_step: state.step,
            state,
            spent_before_secs,
            started: Instant::now(),
            saved_secs: spent_before_secs,
            training_error: f64::NAN,
            rollbacks: 0,
            best_error,
            saves_without_progress: 0,
        };
        if is_new {
            run.save()?;
        }
        Ok(run)
    }

    fn spent_secs(&self) -> f64 {
        self.spent_before_secs + self.started.elapsed().as_secs_f64()
    }

    /// Share of the budget that is used up, where that is known.
    fn done(&self) -> Option<f64> {
        match self.settings.budget {
            Budget::Steps(steps) => Some(self.state.step as f64 / steps.max(1) as f64),
            Budget::Secs(secs) => Some(self.spent_secs() / secs),
            Budget::EarlyStopping => None,
        }
    }

    fn is_over(&self) -> bool {
        match self.done() {
            Some(done) => 1.0 <= done,
            None => PATIENCE_SAVES <= self.saves_without_progress,
        }
    }

    fn is_save_due(&self) -> bool {
        self.settings.save_every_secs <= self.spent_secs() - self.saved_secs
    }

    fn report(&self) -> Report {
        let n_steps = (self.state.step - self.first_step) as f64;
        let n_faces = n_steps * (self.sets.len() * self.manifest.training.n_faces_each) as f64;
        let newest = self.manifest.checkpoints.first();
        Report {
            step: self.state.step,
            done: self.done(),
            spent_secs: self.spent_secs(),
            training_error: self.training_error,
            saved_step: newest.map_or(0, |newest| newest.step),
            validation_error: newest.map_or(f64::NAN, |newest| newest.validation_error),
            faces_per_sec: n_faces / self.started.elapsed().as_secs_f64().max(1e-9),
        }
    }

    fn step(&mut self) -> Result<()> {
        let done = self.done().unwrap_or(0.0);
        let (batch, moves) = self.draw(strength(done));
        let n_each = self.manifest.training.n_faces_each;
        let latent = encode(&self.net, &batch, &self.device);
        let latents = values(latent.clone().inner());
        let shifts = self.centroids.shifts(&moves, n_each, latent.dims()[1]);
        let shifts = TensorData::new(shifts, latent.dims());
        let moved = latent + Tensor::from_data(shifts, &self.device); // [n, z]
        let counts = vec![n_each; self.sets.len()];
        let error = error_of(&self.net, moved, &batch, &counts);
        let mut gradients = error.backward();
        let error = f64::from(values(error.inner())[0]);
        let gradients = gradients_of(&self.net, &mut gradients);
        let rate = self.manifest.training.learning_rate * rate(self.state.step, done);
        let length = self.state.descend(&gradients, rate);
        if !(length.is_finite() && error.is_finite()) {
            return self.roll_back();
        }
        self.centroids.follow(&latents, self.sets.len(), n_each);
        let follow = if self.training_error.is_nan() {
            1.0
        } else {
            0.02
        };
        self.training_error = (1.0 - follow) * self.training_error.max(0.0) + follow * error;
        self.net = with_weights(self.net.clone(), &self.state.weights);
        Ok(())
    }

    /// The faces of the next step, which depend on the seed and its number alone.
    fn draw(&self, strength: Strength) -> (Batch, Vec<Option<LatentShift>>) {
        let mut generator = ChaCha8Rng::seed_from_u64(self.manifest.training.seed);
        generator.set_stream(self.state.step + 1);
        let mut batch = Batch::default();
        for (set, augmentations) in self.sets.iter().zip(&self.augmentations) {
            append(
                &mut batch,
                Subject { set, augmentations },
                self.manifest.training.n_faces_each,
                strength,
                &mut generator,
            );
        }
        let n_each = self.manifest.training.n_faces_each;
        let n_people = self.sets.len();
        let moves = (0..n_people * n_each)
            .map(|i| LatentShift::draw(i / n_each, n_people, strength.appearance, &mut generator))
            .collect();
        (batch, moves)
    }

    /// Rolls back to the newest checkpoint, at half the rate.
    fn roll_back(&mut self) -> Result<()> {
        self.rollbacks += 1;
        let (step, learning_rate) = (self.state.step, self.manifest.training.learning_rate);
        if MAX_ROLLBACKS < self.rollbacks {
            return Err(Error::Diverged {
                step,
                learning_rate,
            });
        }
        self.manifest.training.learning_rate = 0.5 * learning_rate;
        self.state = checkpoint::load(self.folder, &self.manifest, &self.state.weights)?;
        self.centroids = centroids_of(&self.manifest.checkpoints[0]);
        self.first_step = self.first_step.min(self.state.step);
        self.net = with_weights(self.net.clone(), &self.state.weights);
        Ok(())
    }

    fn save(&mut self) -> Result<()> {
        let newest = self.manifest.checkpoints.first();
        if newest.is_some_and(|newest| newest.step == self.state.step) {
            return Ok(());
        }
        let validation_error = self.validation_error();
        if validation_error < self.best_error * (1.0 - PROGRESS) {
            self.best_error = validation_error;
            self.saves_without_progress = 0;
        } else {
            self.saves_without_progress += 1;
        }
        let measured = Measured {
            spent_secs: self.spent_secs(),
            validation_error,
            centroids: &self.centroids.0,
        };
        checkpoint::save(self.folder, &mut self.manifest, &self.state, measured)?;
        self.saved_secs = self.spent_secs();
        Ok(())
    }

    /// How wrong the averaged weights draw the faces held back.
    fn validation_error(&self) -> f64 {
        let device = self.device.clone().inner();
        let net = self.settings.shape.init(self.sets.len(), &device);
        let net = with_weights(net, &self.state.averaged);
        let mut batch = Batch::default();
        let mut counts = Vec::new();
        for set in self.sets {
            let faces = set.held_back(N_MEASURED);
            append_plain(&mut batch, &faces, set.side_px());
            counts.push(faces.len());
        }
        let latent = encode(&net, &batch, &device);
        f64::from(values(error_of(&net, latent, &batch, &counts))[0])
    }
}

fn centroids_of(checkpoint: &Checkpoint) -> LatentCentroids {
    LatentCentroids(checkpoint.centroids.clone())
}

/// Of each person with the appearance of each of the others.
fn augmentations(sets: &[FaceSet]) -> Vec<Vec<AppearanceAugmentation>> {
    let of = |(own, set): (usize, &FaceSet)| {
        let others = sets.iter().enumerate().filter(|(other, _)| *other != own);
        others
            .map(|(_, other)| {
                AppearanceAugmentation::new(set.appearance(), other.appearance(), set.side_px())
            })
            .collect()
    };
    sets.iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::synthetic_set;
    use effigy_model::Weights;
    use effigy_model::face_model::Shape;
    use effigy_model::face_model::store::Training;
    use effigy_model::face_model::weights::Weight;

    fn sets() -> Vec<FaceSet> {
        let mut sets = vec![
            synthetic_set("ada", 32, 48, 1),
            synthetic_set("ben", 32, 48, 2),
        ];
        sets.iter_mut().for_each(|set| set.balance().unwrap());
        sets
    }

    fn settings(steps: u64) -> Settings {
        Settings {
            shape: Shape {
                side: 32,
                channels: 8,
                latent: 16,
            },
            budget: Budget::Steps(steps),
            training: Training {
                seed: 7,
                n_faces_each: 4,
                learning_rate: 2e-3,
                start: Start::Nothing,
            },
            save_every_secs: 1e9,
            checkpoint: None,
            weights: Weights::from_source_tree().unwrap(),
        }
    }

    fn averaged(folder: &Path) -> Vec<Weight> {
        let net = settings(1).shape.init(2, &Device::flex());
        let manifest = store::read_manifest(folder).unwrap();
        store::read_weights(folder, &manifest, &weights_of(&net)).unwrap()
    }

    #[test]
    fn error_on_faces_held_back_falls() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("model");
        let mut first = f64::NAN;
        let outcome = train(
            &folder,
            &settings(150),
            &sets(),
            &Device::flex(),
            &mut |report| {
                if report.step == 1 {
                    first = report.validation_error;
                }
                ControlFlow::Continue(())
            },
        );
        let last = outcome.unwrap().last.validation_error;
        assert!(last < 0.7 * first, "{first} to {last}");
    }

    #[test]
    fn interrupted_training_gives_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
        let (sets, device) = (sets(), Device::flex());
        let mut go_on = |_: &Report| ControlFlow::Continue(());
        train(&whole, &settings(8), &sets, &device, &mut go_on).unwrap();
        let mut stop = |report: &Report| {
            if report.step == 3 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let outcome = train(&broken, &settings(8), &sets, &device, &mut stop).unwrap();
        assert!(outcome.was_stopped);
        train(&broken, &settings(8), &sets, &device, &mut go_on).unwrap();
        assert_eq!(averaged(&broken), averaged(&whole));
    }

    #[test]
    fn other_people_and_other_folders_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut go_on = |_: &Report| ControlFlow::Continue(());
        let model = folder.path().join("model");
        let device = Device::flex();
        train(&model, &settings(1), &sets(), &device, &mut go_on).unwrap();
        let mut others = sets();
        others[1].person = "cleo".to_owned();
        let error = train(&model, &settings(1), &others, &device, &mut go_on).unwrap_err();
        assert!(matches!(error, Error::OtherModel { .. }), "{error}");
        let error = train(folder.path(), &settings(1), &sets(), &device, &mut go_on).unwrap_err();
        assert!(matches!(error, Error::NotAModel { .. }), "{error}");
    }
}
