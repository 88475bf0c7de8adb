//! A face model that moves: opened with its driver, or with one that is learned first.

use std::path::PathBuf;
use std::time::Instant;

use effigy_face::rig::{Acquaintance, Rig, Solver, SolverSettings, driver_input};
use effigy_frame::{Point2, Point3};
use effigy_mark::consent::{Claim, Seen, Use};
use effigy_mark::log::{Event, Log};
use effigy_model::device;
use effigy_model::face_model::driver::store;
use effigy_model::face_model::{FaceDriver, FaceModel};
use effigy_render::Drawer;
use effigy_train::{ConsentedMoves, DriverSettings, Moves, train_driver};

use super::{PuppetJob, Trained};
use crate::error::{Error, Result};
use crate::steps::consent::{claim, same_person};
use crate::steps::footage::Clips;
use crate::steps::inputs::is_single_picture;
use crate::steps::learning::{Learning, MOST_FACES, view_to_learn};
use crate::steps::networks::Networks;
use crate::steps::people::Chosen;
use crate::steps::performance::theirs;
use crate::steps::progress::Progress;
use crate::steps::trained::person_in;

/// A model of the person who is moved.
pub(super) struct TrainedModel {
    pub(super) model: FaceModel,
    pub(super) folder: PathBuf,
    person: usize,
    /// Clips to learn from first, where there are any.
    learn: Vec<PathBuf>,
    settings: DriverSettings,
    driver: Option<FaceDriver>,
}

impl TrainedModel {
    /// Opens the model, and its driver unless that is to be learned.
    ///
    /// # Errors
    /// When the model cannot be read or does not draw the person, or its driver cannot be used and there
    /// is no clip to learn another from.
    pub(super) fn open(job: &PuppetJob, trained: &Trained) -> Result<Self> {
        let folder = &trained.model;
        let model = FaceModel::open_at(folder, trained.checkpoint, &device::open(job.device)?)?;
        let person = person_in(&model, folder, &job.subject)?;
        let mut opened = Self {
            model,
            folder: folder.clone(),
            person,
            learn: trained.learn.clone(),
            settings: trained.settings,
            driver: None,
        };
        if opened.learn.is_empty() {
            let found = store::read(folder, &opened.model, person)?;
            opened.driver = found.map(|(driver, _)| driver);
            if opened.driver.is_none() {
                opened.learn = clips_of(job, trained)?;
            }
        }
        Ok(opened)
    }

    /// The person agreed to be learned; whoever uses the model asks whether to be moved as well.
    pub(super) fn claim(&self) -> Claim {
        Claim {
            who: self.model.manifest().people[self.person].consent.clone(),
            seen: Seen::Model,
            usage: Use::Puppet,
        }
    }

    /// What draws the person: with the driver that was there, or with what is learned now, which is kept
    /// beside the model.
    ///
    /// # Errors
    /// When the person did not agree, too little is seen of them, or the driver cannot be written.
    pub(super) fn drawer(
        &mut self,
        job: &PuppetJob,
        rig: &Rig,
        networks: &Networks,
        progress: &mut dyn Progress,
    ) -> Result<Drawer<'_>> {
        let driver = match self.driver.take() {
            Some(driver) => driver,
            None => self.learn(job, rig, networks, progress)?,
        };
        Ok(Drawer {
            driver: self.driver.insert(driver),
            model: &self.model,
        })
    }

    fn learn(
        &self,
        job: &PuppetJob,
        rig: &Rig,
        networks: &Networks,
        progress: &mut dyn Progress,
    ) -> Result<FaceDriver> {
        let started = Instant::now();
        let folder = &self.folder;
        let name = &job.subject;
        progress.note(&format!(
            "the model does not know yet how {name} moves: it is learned once, in a few minutes, and kept in the model's folder"
        ));
        let keys = job.safeguards.open_keys()?;
        let learning = Learning {
            safeguards: &job.safeguards,
            keys: &keys,
            networks,
            usage: Use::Puppet,
        };
        let (clips, chosen) = learning.find(name, &self.learn, progress)?;
        let claims = [claim(name, &chosen.identities, Use::Puppet)];
        let same = same_person(&job.weights);
        let token = job.safeguards.require(&keys, &claims, Use::Puppet, same)?;
        let began = Event::TrainingBegan {
            consents: token.consents().iter().map(|r| r.id.to_string()).collect(),
            model: folder.display().to_string(),
        };
        Log::of(&keys).append(began, job.safeguards.clock.now())?;
        let moves = moves(&self.model, rig, (&clips, &chosen), networks, progress)?;
        progress.begin(&format!("learning how {name} moves"), Some(TICKS));
        let mut n_told = 0;
        let consented = ConsentedMoves {
            token: &token,
            moves: &moves,
        };
        let learned = train_driver(
            &self.model,
            self.person,
            &consented,
            self.settings,
            &mut |done| {
                let mut flow = std::ops::ControlFlow::Continue(());
                while n_told < (done * TICKS as f64) as u64 && flow.is_continue() {
                    n_told += 1;
                    flow = progress.step();
                }
                flow
            },
        )?;
        let learned = learned.ok_or(Error::Cancelled)?;
        store::write(folder, &self.model, self.person, &learned)?;
        let [driven, own] = learned.errors;
        progress.note(&format!(
            "learned from {} faces in {:.1} minutes; error on faces held back {driven:.3}, from their own pictures {own:.3}",
            learned.n_faces,
            started.elapsed().as_secs_f64() / 60.0,
        ));
        Ok(learned.driver)
    }
}

/// Steps of the progress bar.
const TICKS: u64 = 200;

/// The clips that are learned from where none are named: the portrait, if it is one.
fn clips_of(job: &PuppetJob, trained: &Trained) -> Result<Vec<PathBuf>> {
    if is_single_picture(&job.portrait) {
        return Err(Error::CannotMove {
            who: job.subject.clone(),
            path: trained.model.clone(),
        });
    }
    Ok(vec![job.portrait.clone()])
}

/// What a person does in their clips, as the rig measures it on faces that the model would see.
fn moves(
    model: &FaceModel,
    rig: &Rig,
    (clips, chosen): (&Clips, &Chosen),
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<Moves> {
    let side = model.side_px();
    let total = clips.n_frames();
    let every = total.unwrap_or(0).div_ceil(MOST_FACES).max(1);
    progress.begin("gathering faces", total);
    let mut known = Acquaintance::default();
    let mut moves = Moves::new(side);
    let mut seen: Vec<(f64, Vec<Point3>)> = Vec::new();
    let mut n_seen = 0_u64;
    let _noted = chosen.again(clips, networks, progress, &mut |clip, frame, faces| {
        let points = theirs(&faces, chosen);
        let good = points.and_then(|points| Some((points, view_to_learn(points, side)?)));
        let Some((points, view)) = good else {
            return Ok(());
        };
        known.add(points);
        n_seen += 1;
        if (n_seen - 1).is_multiple_of(every) && (moves.len() as u64) < MOST_FACES {
            let flat: Vec<Point2> = points.iter().map(|p| p.xy()).collect();
            if moves.add(clip, &frame.picture, view, &flat) {
                seen.push((frame.time.secs(), points.to_vec()));
            }
        }
        Ok(())
    })?;
    let Some(person) = known.person(rig) else {
        return Err(Error::NoFace {
            path: clips.paths[0].clone(),
        });
    };
    let mut solver = Solver::new(SolverSettings::default());
    let inputs = seen
        .iter()
        .map(|(secs, points)| driver_input(&solver.solve(rig, &person, points, *secs)));
    moves.set_inputs(&inputs.collect::<Vec<_>>());
    Ok(moves)
}
