//! The training job: clips of consenting people in, a face model out.

use std::ops::ControlFlow;
use std::path::PathBuf;

use effigy_face::align::{MODEL_EXTENT, aligned_view};
use effigy_face::pose::pose;
use effigy_frame::Point2;
use effigy_mark::Keys;
use effigy_mark::log::{Event, Log};
use effigy_model::FaceModel;
use effigy_model::device::{self, Choice};
use effigy_model::face_model::BASE_SHAPE;
use effigy_model::face_model::store::{Start, Training};
use effigy_train::{Budget, FaceSet, Lesson, Outcome, Report, Settings, Size};

use crate::error::{Error, Result};
use crate::inputs;
use crate::networks::Networks;
use crate::preview;
use crate::progress::Progress;
use crate::safeguards::{Safeguards, claim, same_person};
use crate::survey::{Chosen, Clips, Damage, follow, n_frames, survey};

/// Everything one training needs.
#[derive(Clone, Debug)]
pub struct TrainJob {
    /// Whom to learn, and from what.
    pub people: Vec<Subject>,
    /// Folder of the model; gone on with if it is there.
    pub output: PathBuf,
    /// Size of the network.
    pub size: Size,
    /// When to end.
    pub budget: Budget,
    /// Where all randomness starts.
    pub seed: u64,
    /// What a new model starts from.
    pub start: Start,
    /// The kept checkpoint to go back to; the newest by default.
    pub checkpoint: Option<u64>,
    /// Where to compute.
    pub device: Choice,
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

/// More faces of one person teach nothing new and fill the memory.
const MOST_FACES: u64 = 1500;
/// Faces turned further than this show too little.
const MOST_YAW_DEGREES: f32 = 65.0;
/// Smaller faces hold less than the network could draw; in pixels between the outer eye corners.
const SMALLEST_EYE_DISTANCE_PX: f32 = 18.0;
/// Faces of each person in a step.
const N_FACES_EACH: usize = 8;
const LEARNING_RATE: f64 = 1e-3;
const SAVE_EVERY_SECS: f64 = 60.0;

/// Learns the people of `job` and keeps the model in its folder.
///
/// Stopping through `progress` saves first, so that the same job goes on where it stopped.
///
/// # Errors
/// When a consent is missing or does not cover the faces, there are too few of them, or the model
/// cannot be written.
pub fn train(job: &TrainJob, progress: &mut dyn Progress) -> Result<Outcome> {
    let keys = job.safeguards.open_keys()?;
    let networks = Networks::load(job.device)?;
    let mut chosen = Vec::new();
    for subject in &job.people {
        chosen.push(choose(job, &keys, &networks, subject, progress)?);
    }
    let claims = job.people.iter().zip(&chosen);
    let claims: Vec<_> = claims
        .map(|(s, (_, chosen))| claim(&s.name, &chosen.identities))
        .collect();
    let token = job.safeguards.require(&keys, &claims)?;
    let mut sets = Vec::new();
    for (position, (clips, chosen)) in chosen.iter().enumerate() {
        let subject = &job.people[position];
        let set = gather(job, &networks, subject, (clips, chosen), progress)?;
        sets.push(match token.of_claim(position) {
            Some(record) => set.with_consent(record),
            None => set,
        });
    }
    let sets = &sets;
    let lesson = Lesson {
        token: &token,
        sets,
    };
    let began = Event::TrainingBegan {
        consents: token.consents().iter().map(|r| r.id.to_string()).collect(),
        model: job.output.display().to_string(),
    };
    Log::of(&keys).append(began, job.safeguards.now)?;
    run(job, &keys, &lesson, progress)
}

/// Finds the faces of one person in their clips.
fn choose(
    job: &TrainJob,
    keys: &Keys,
    networks: &Networks,
    subject: &Subject,
    progress: &mut dyn Progress,
) -> Result<(Clips, Chosen)> {
    let template = job.safeguards.template(keys, &subject.name)?;
    let inputs = inputs::expand(&subject.inputs)?;
    let paths = inputs.iter().map(|input| input.path().to_owned()).collect();
    let clips = Clips {
        paths,
        from_secs: 0.0,
        to_secs: None,
        damage: Damage::IsNoted,
    };
    progress.begin(&format!("looking for {}", subject.name), n_frames(&clips));
    let survey = survey(&clips, networks, progress)?;
    let chosen = survey.choose(template.as_ref(), same_person().similarity);
    let chosen = chosen.ok_or_else(|| Error::NoFace {
        path: subject.inputs[0].clone(),
    })?;
    if 0 < chosen.n_others {
        let (n, name) = (chosen.n_others, &subject.name);
        progress.note(&format!(
            "{n} other people are seen in the clips of {name}; they are left out"
        ));
    }
    Ok((clips, chosen))
}

/// Takes aligned crops of one person out of their clips.
fn gather(
    job: &TrainJob,
    networks: &Networks,
    subject: &Subject,
    (clips, chosen): (&Clips, &Chosen),
    progress: &mut dyn Progress,
) -> Result<FaceSet> {
    let side = job.size.shape().side as u32;
    let mut set = FaceSet::new(&subject.name, side);
    let total = n_frames(clips);
    let every = total.unwrap_or(0).div_ceil(MOST_FACES).max(1);
    progress.begin(&format!("gathering faces of {}", subject.name), total);
    let mut n_seen = 0;
    follow(clips, networks, progress, &mut |frame, faces| {
        for face in faces
            .iter()
            .filter(|face| chosen.tracks.contains(&face.track))
        {
            let eyes = face.points[33].xy().distance(face.points[263].xy());
            let is_good =
                SMALLEST_EYE_DISTANCE_PX <= eyes && pose(&face.points).yaw.abs() < MOST_YAW_DEGREES;
            n_seen += u64::from(is_good);
            let is_wanted = is_good && (n_seen - 1).is_multiple_of(every);
            let view = aligned_view(&face.points, side, MODEL_EXTENT);
            if let Some(view) = view.filter(|_| is_wanted && (set.len() as u64) < MOST_FACES) {
                let points: Vec<Point2> = face.points.iter().map(|p| p.xy()).collect();
                set.add(&frame.picture, view, &points);
            }
        }
        Ok(())
    })?;
    set.balance()?;
    progress.note(&format!("{}: {} faces", subject.name, set.len()));
    Ok(set)
}

fn run(
    job: &TrainJob,
    keys: &Keys,
    lesson: &Lesson<'_>,
    progress: &mut dyn Progress,
) -> Result<Outcome> {
    let Lesson { token, sets } = *lesson;
    let device = device::open(job.device)?;
    let settings = Settings {
        shape: job.size.shape(),
        budget: job.budget,
        training: Training {
            seed: job.seed,
            n_faces_each: N_FACES_EACH,
            learning_rate: LEARNING_RATE,
            start: start(job, progress),
        },
        save_every_secs: SAVE_EVERY_SECS,
        checkpoint: job.checkpoint,
    };
    let steps = match job.budget {
        Budget::Steps(steps) => Some(steps),
        Budget::Secs(_) | Budget::Settled => None,
    };
    progress.begin("training", steps);
    let policy = job.safeguards.policy(keys, None, None);
    let show = |progress: &mut dyn Progress| {
        let model = FaceModel::open(&job.output, &device).map_err(Error::from);
        let shown = model.and_then(|m| preview::write(&job.output, &m, sets, (token, &policy)));
        // A sheet that cannot be marked is not written; what was learned is worth more.
        if let Err(error) = shown {
            progress.note(&format!("no preview: {error}"));
        }
    };
    let mut shown_step = 0;
    let mut watch = |report: &Report| -> ControlFlow<()> {
        progress.detail(&describe(report));
        if shown_step < report.saved_step {
            shown_step = report.saved_step;
            show(progress);
        }
        progress.step()
    };
    let outcome = effigy_train::train(&job.output, &settings, lesson, &device, &mut watch)?;
    show(progress);
    Ok(outcome)
}

/// What the model starts from: there is a base for one size only.
fn start(job: &TrainJob, progress: &mut dyn Progress) -> Start {
    if job.start == Start::Base && job.size.shape() != BASE_SHAPE {
        let side = BASE_SHAPE.side;
        progress.note(&format!(
            "the base is of {side} px faces: this size starts from nothing and takes hours"
        ));
        return Start::Nothing;
    }
    job.start
}

/// A report in one line.
fn describe(report: &Report) -> String {
    let left = match report.done {
        Some(done) if 0.0 < done => {
            let left = report.spent_secs / done * (1.0 - done).max(0.0);
            format!(" · {:.0} min left", (left / 60.0).ceil())
        }
        _ => String::new(),
    };
    format!(
        "step {} · error {:.3} (held back {:.3}) · {:.0} faces/s{left}",
        report.step, report.training_error, report.validation_error, report.faces_per_sec
    )
}
