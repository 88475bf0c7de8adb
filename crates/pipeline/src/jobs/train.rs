//! The training job: clips of consenting people in, a face model out.

mod dashboard;
mod preview;

use std::ops::ControlFlow;
use std::path::PathBuf;

use effigy_face::pose::pose;
use effigy_files::{Destination, Existing, check_destinations};
use effigy_frame::Point2;
use effigy_mark::Keys;
use effigy_mark::consent::Use;
use effigy_mark::log::{Event, Log};
use effigy_model::device::{self, Choice};
use effigy_model::face_model::store::{self, Start, Training};
use effigy_model::face_model::{BASE_SHAPE, Shape};
use effigy_model::{FaceModel, Weights};
use effigy_train::{Budget, ConsentedSet, FaceSet, Outcome, Report, Settings, Size};

use crate::error::{Error, Result};
use crate::steps::consent::{Authorisation, Safeguards, claim, same_person};
use crate::steps::footage::Clips;
use crate::steps::inputs;
use crate::steps::learning::{Learning, MOST_FACES, view_to_learn};
use crate::steps::memory;
use crate::steps::networks::Networks;
use crate::steps::people::Chosen;
use crate::steps::progress::Progress;
use dashboard::Dashboard;

/// Everything one training needs.
#[derive(Clone, Debug)]
pub struct TrainJob {
    /// Whom to learn, and from what.
    pub people: Vec<Subject>,
    /// What the model is for, which their consents must cover.
    pub usage: Use,
    /// Folder of the model; a training is continued if it exists.
    pub output: PathBuf,
    /// Size of the network; `None` keeps that of an existing model, or takes what suits the device.
    pub size: Option<Size>,
    /// When to end.
    pub budget: Budget,
    /// Seed of all randomness.
    pub seed: u64,
    /// What a new model starts from.
    pub start: Start,
    /// The checkpoint to return to; the newest by default.
    pub checkpoint: Option<u64>,
    /// Where to compute.
    pub device: Choice,
    /// Where the networks and the base come from.
    pub weights: Weights,
    /// Consent and marks.
    pub safeguards: Safeguards,
}

/// A person to learn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Name or identifier in their consent.
    pub name: String,
    /// Videos, pictures and folders that show them.
    pub inputs: Vec<PathBuf>,
}

/// Faces of each person in a step.
const N_FACES_EACH: usize = 8;
const LEARNING_RATE: f64 = 1e-3;
const SAVE_EVERY_SECS: f64 = 60.0;

impl TrainJob {
    /// Checks that there are people to learn, and that the model may go where it is to. [`train`]
    /// begins with it.
    ///
    /// # Errors
    /// When nobody is named, one is named twice, a clip is missing, or the model's folder
    /// holds anything else.
    pub fn check(&self) -> Result<()> {
        self.check_names()?;
        let paths: Vec<PathBuf> = self.people.iter().flat_map(|s| s.inputs.clone()).collect();
        let mut originals = inputs::originals(&paths, &inputs::expand(&paths)?);
        originals.extend(self.safeguards.originals());
        let model = [Destination::Folder(self.output.clone())];
        check_destinations(&model, &originals, Existing::Kept)?;
        Ok(store::check_place(&self.output)?)
    }

    fn check_names(&self) -> Result<()> {
        if self.people.is_empty() {
            return Err(Error::NobodyToLearn);
        }
        let names = self
            .people
            .iter()
            .map(|subject| subject.name.to_lowercase());
        self.refuse_one_person_twice(&names.collect::<Vec<_>>())
    }

    /// Refuses people of whom two are the same, by what identifies each.
    fn refuse_one_person_twice<T: PartialEq>(&self, identities: &[T]) -> Result<()> {
        for (later, identity) in identities.iter().enumerate() {
            let same = identities[..later]
                .iter()
                .position(|other| other == identity);
            if let Some(earlier) = same {
                let [first, second] = [earlier, later].map(|i| self.people[i].name.clone());
                return Err(Error::NamedTwice { first, second });
            }
        }
        Ok(())
    }
}

/// Learns the people of `job` and keeps the model in its folder.
///
/// Stopping through `progress` saves first, so that the same job continues where it stopped.
///
/// # Errors
/// When a consent is missing or does not cover the faces, there are too few of them, or the model
/// cannot be written.
pub fn train(job: &TrainJob, progress: &mut dyn Progress) -> Result<Outcome> {
    job.check()?;
    let keys = job.safeguards.open_keys()?;
    let people = job.people.iter();
    let consents = people.map(|subject| job.safeguards.consent_id(&keys, &subject.name, job.usage));
    job.refuse_one_person_twice(&consents.collect::<Result<Vec<_>>>()?)?;
    let networks = Networks::load(&job.weights, job.device)?;
    let shape = shape(job, progress)?;
    let mut chosen = Vec::new();
    let learning = Learning {
        safeguards: &job.safeguards,
        keys: &keys,
        networks: &networks,
        usage: job.usage,
    };
    for subject in &job.people {
        chosen.push(learning.find(&subject.name, &subject.inputs, progress)?);
    }
    let claims = job.people.iter().zip(&chosen);
    let claims: Vec<_> = claims
        .map(|(s, (_, chosen))| claim(&s.name, &chosen.identities, job.usage))
        .collect();
    let token = job
        .safeguards
        .require(&keys, &claims, job.usage, same_person(&job.weights))?;
    let mut sets = Vec::new();
    for (position, (clips, chosen)) in chosen.iter().enumerate() {
        let subject = &job.people[position];
        let set = FaceSet::new(&subject.name, shape.side as u32);
        let set = gather(set, &networks, clips, chosen, progress)?;
        sets.push(match token.of_claim(position) {
            Some(record) => set.with_consent(record),
            None => set,
        });
    }
    let sets = &sets;
    let consented = ConsentedSet {
        token: &token,
        sets,
    };
    let began = Event::TrainingBegan {
        consents: token.consents().iter().map(|r| r.id.to_string()).collect(),
        model: job.output.display().to_string(),
    };
    Log::of(&keys).append(began, job.safeguards.clock.now())?;
    run(job, shape, &keys, &consented, progress)
}

/// The network to train: the size asked for, that of an existing model, or what suits the device.
///
/// A processor learns the small one in minutes and a larger one in days; a graphics card gets the
/// largest that there is memory for.
fn shape(job: &TrainJob, progress: &mut dyn Progress) -> Result<Shape> {
    let is_there = job.output.join(store::MANIFEST).exists();
    let (n_people, available) = (job.people.len(), memory::available_bytes());
    if job.size.is_none() && is_there {
        let shape = store::read_manifest(&job.output)?.shape;
        if let Some(size) = memory::size_of(shape) {
            memory::check_training(size, n_people, available)?;
        }
        return Ok(shape);
    }
    let sizes: &[Size] = match (job.size, job.device) {
        (Some(size), _) => &[size],
        (None, Choice::Cpu) => &[Size::Small],
        (None, _) => &[Size::Large, Size::Medium, Size::Small],
    };
    let fits = |size: &&Size| memory::check_training(**size, n_people, available).is_ok();
    let size = *sizes.iter().find(fits).unwrap_or(&sizes[sizes.len() - 1]);
    memory::check_training(size, n_people, available)?;
    let (name, side) = (memory::name_of(size), size.shape().side);
    progress.note(&format!("size: {name}, faces of {side} px"));
    Ok(size.shape())
}

/// Takes aligned crops of one person out of their clips.
fn gather(
    mut set: FaceSet,
    networks: &Networks,
    clips: &Clips,
    chosen: &Chosen,
    progress: &mut dyn Progress,
) -> Result<FaceSet> {
    let side = set.side_px();
    let total = clips.n_frames();
    let every = total.unwrap_or(0).div_ceil(MOST_FACES).max(1);
    progress.begin(&format!("gathering faces of {}", set.person), total);
    let mut n_seen = 0;
    // What is damaged was noted when the person was looked for.
    let _noted = chosen.again(clips, networks, progress, &mut |_, frame, faces| {
        for face in faces
            .iter()
            .filter(|face| chosen.tracks.contains(&face.track))
        {
            let Some(view) = view_to_learn(&face.points, side) else {
                continue;
            };
            n_seen += 1;
            let is_wanted = (n_seen - 1_u64).is_multiple_of(every);
            if is_wanted && (set.len() as u64) < MOST_FACES {
                let points: Vec<Point2> = face.points.iter().map(|p| p.xy()).collect();
                set.add(&frame.picture, view, &points);
                set.note_pose(pose(&face.points));
            }
        }
        Ok(())
    })?;
    set.balance()?;
    progress.note(&format!("{}: {} faces", set.person, set.len()));
    Ok(set)
}

fn run(
    job: &TrainJob,
    shape: Shape,
    keys: &Keys,
    consented: &ConsentedSet<'_>,
    progress: &mut dyn Progress,
) -> Result<Outcome> {
    let ConsentedSet { token, sets } = *consented;
    let device = device::open(job.device)?;
    let settings = Settings {
        shape,
        budget: job.budget,
        training: Training {
            seed: job.seed,
            n_faces_each: N_FACES_EACH,
            learning_rate: LEARNING_RATE,
            start: start(job, shape, progress),
        },
        save_every_secs: SAVE_EVERY_SECS,
        checkpoint: job.checkpoint,
        weights: job.weights.clone(),
    };
    progress.begin("training", None);
    let policy = job.safeguards.policy(keys, None, None);
    let authorisation = Authorisation {
        token,
        policy: &policy,
    };
    let show = |dashboard: &Dashboard, progress: &mut dyn Progress| {
        let shown = FaceModel::open(&job.output, &device)
            .map_err(Error::from)
            .and_then(|model| {
                let shown = preview::Shown {
                    model: &model,
                    sets,
                    dashboard: &dashboard.html(),
                };
                preview::write(&job.output, &shown, authorisation)
            });
        // A sheet that cannot be marked is not written; what was learned is worth more.
        if let Err(error) = shown {
            progress.note(&format!("no preview: {error}"));
        }
    };
    let mut dashboard = Dashboard::default();
    let mut watch = |report: &Report| -> ControlFlow<()> {
        let is_saved = dashboard.take(report);
        progress.detail(&dashboard.lines());
        if is_saved {
            show(&dashboard, progress);
        }
        progress.step()
    };
    let outcome = effigy_train::train(&job.output, &settings, consented, &device, &mut watch)?;
    show(&dashboard, progress);
    Ok(outcome)
}

/// What the model starts from: there is a base for one size only.
fn start(job: &TrainJob, shape: Shape, progress: &mut dyn Progress) -> Start {
    if job.start == Start::Base && shape != BASE_SHAPE {
        let side = BASE_SHAPE.side;
        progress.note(&format!(
            "the base model draws faces of {side} px; this size is trained from scratch, which takes hours"
        ));
        return Start::Nothing;
    }
    job.start
}
