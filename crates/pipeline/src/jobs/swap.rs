//! The swapping job: one person's face in a clip replaced by another's, marked.

mod draw;
mod gaps;
mod write;

use std::path::{Path, PathBuf};

use effigy_files::is_picture;
use effigy_frame::TimeRange;
use effigy_mark::consent::{Claim, Seen, Token};
use effigy_mark::{Keys, Marked, Policy};
use effigy_media::{Limits, probe};
use effigy_model::device::{self, Choice};
use effigy_model::{FaceModel, Weights};
pub use effigy_render::Complexion;

use crate::error::{Error, Result};
use crate::steps::consent::{Safeguards, claim, same_person};
use crate::steps::footage::Clips;
use crate::steps::memory;
use crate::steps::networks::Networks;
use crate::steps::people::{Chosen, survey};
use crate::steps::progress::Progress;
use crate::steps::quality::{Measuring, Quality};
use draw::Renderer;
use write::write;

/// Everything one swap needs.
#[derive(Clone, Debug)]
pub struct SwapJob {
    /// The clip whose face is replaced.
    pub input: PathBuf,
    /// The marked result: a video, or a picture of the first frame in `range`.
    pub output: PathBuf,
    /// Folder of the face model.
    pub model: PathBuf,
    /// Whom to draw.
    pub face: String,
    /// Whose face is replaced; needed where the model draws more than two people.
    pub onto: Option<String>,
    /// The part of the clip to work on, in seconds.
    pub range: TimeRange,
    /// What the output shows.
    pub view: View,
    /// Whose complexion the result has.
    pub complexion: Complexion,
    /// The exact answer, where there is one: an actor's clip, with its masks beside it.
    pub exact: Option<PathBuf>,
    /// The kept checkpoint of the model to use; the newest by default.
    pub checkpoint: Option<u64>,
    /// Where to compute.
    pub device: Choice,
    /// Where the networks come from.
    pub weights: Weights,
    /// Consent and marks.
    pub safeguards: Safeguards,
}

/// What an output shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// The result.
    #[default]
    Result,
    /// Source on the left, result on the right.
    SideBySide,
}

/// What a swap did.
#[derive(Clone, Debug)]
pub struct SwapReport {
    /// Where the result is, and what it is marked with.
    pub marked: Marked,
    /// Frames written.
    pub n_frames: u64,
    /// Frames with a replaced face.
    pub n_swapped: u64,
    /// Seconds spent on all of it.
    pub took_secs: f64,
    /// What was reached.
    pub quality: Quality,
    /// Where that is written, for programs and for people.
    pub quality_paths: [PathBuf; 2],
}

/// Replaces the face of one person in `job.input` and writes a marked copy.
///
/// Frames pass one at a time, so that memory stays the same however long the clip is. The clip is
/// read twice: first to find out who is in it and whether they consent. What was followed then is
/// kept, unless the clip is very long.
///
/// # Errors
/// When there is too little memory for the frames, a consent is missing, the person is not in the
/// clip, or any frame cannot be read, drawn or written. No output is left then.
pub fn swap(job: &SwapJob, progress: &mut dyn Progress) -> Result<SwapReport> {
    let started = std::time::Instant::now();
    let keys = job.safeguards.open_keys()?;
    check_memory(job)?;
    let model = FaceModel::open_at(&job.model, job.checkpoint, &device::open(job.device)?)?;
    let person = model
        .person(&job.face)
        .ok_or_else(|| not_in_model(job, &model))?;
    let onto = performer(job, &model)?;
    let networks = Networks::load(&job.weights, job.device)?;
    let clips = Clips {
        from_secs: job.range.from_secs,
        to_secs: end(job),
        ..Clips::whole(vec![job.input.clone()])
    };
    let chosen = choose(job, &keys, &networks, (&clips, &onto), progress)?;
    let token = allow(job, &keys, &model, (person, &onto, &chosen))?;
    let drawn = job
        .safeguards
        .template(&keys, &model.manifest().people[person].consent)?;
    let replaced = job.safeguards.template(&keys, &onto)?;
    let templates = [drawn.as_ref(), replaced.as_ref()];
    let mut renderer = Renderer {
        model: &model,
        face_mesh: &networks.face_mesh,
        person,
        own: model.person(&onto),
        complexion: job.complexion,
        steady: Vec::new(),
        measuring: Measuring::new(&networks, (&model, person), templates, job.exact.as_deref())?,
        n_swapped: 0,
    };
    let policy = policy(job, &keys, &model);
    let papers = (&token, &policy);
    let footage = (&clips, &networks, &chosen);
    let (marked, n_frames) = write(job, papers, footage, &mut renderer, progress)?;
    let n_swapped = renderer.n_swapped;
    let (quality, shown) = renderer.measuring.finish();
    Ok(SwapReport {
        n_frames,
        n_swapped,
        took_secs: started.elapsed().as_secs_f64(),
        quality_paths: quality.write_beside(&marked.path, &shown, papers)?,
        quality,
        marked,
    })
}

/// Refuses frames that there is no memory for. What cannot be read is told by who reads it.
fn check_memory(job: &SwapJob) -> Result<()> {
    let info = probe(&job.input, &Limits::default());
    let Some(video) = info.ok().and_then(|info| info.video) else {
        return Ok(());
    };
    let beside = match job.view {
        View::Result => 1,
        View::SideBySide => 2,
    };
    memory::check_swap(
        beside * video.width,
        video.height,
        memory::available_bytes(),
    )
}

/// Until when the clip is looked at: for a picture just long enough to tell who is there.
fn end(job: &SwapJob) -> Option<f64> {
    let enough = job.range.from_secs + STILL_SECS;
    if is_picture(&job.output) {
        Some(job.range.to_secs.map_or(enough, |to| to.min(enough)))
    } else {
        job.range.to_secs
    }
}

/// How much of a clip is looked at for a picture, in seconds.
const STILL_SECS: f64 = 1.0;

/// Whose face is replaced: the one named, or the other of two.
fn performer(job: &SwapJob, model: &FaceModel) -> Result<String> {
    if let Some(onto) = &job.onto {
        return Ok(onto.clone());
    }
    let mut others = model
        .manifest()
        .people
        .iter()
        .filter(|person| person.name != job.face);
    match (others.next(), others.next()) {
        (Some(other), None) => Ok(other.name.clone()),
        _ => Err(Error::NobodyNamed {
            path: job.model.clone(),
        }),
    }
}

fn not_in_model(job: &SwapJob, model: &FaceModel) -> Error {
    let names: Vec<&str> = model
        .manifest()
        .people
        .iter()
        .map(|p| p.name.as_str())
        .collect();
    Error::NotInModel {
        wanted: job.face.clone(),
        known: names.join(", "),
        path: job.model.clone(),
    }
}

/// Finds the performer in the clip.
fn choose(
    job: &SwapJob,
    keys: &Keys,
    networks: &Networks,
    (clips, onto): (&Clips, &str),
    progress: &mut dyn Progress,
) -> Result<Chosen> {
    let template = job.safeguards.template(keys, onto)?;
    progress.begin(&format!("looking for {onto}"), clips.n_frames());
    let survey = survey(clips, networks, progress)?;
    let least = same_person(&job.weights).similarity;
    let no_face = || Error::NoFace {
        path: job.input.clone(),
    };
    let chosen = survey
        .choose(template.as_ref(), least)
        .ok_or_else(no_face)?;
    if chosen.likeness.is_some_and(|likeness| likeness < least) {
        return Err(Error::NotSeen {
            who: onto.to_owned(),
            n_people: 1 + chosen.others.len(),
            path: job.input.clone(),
        });
    }
    Ok(chosen)
}

/// Checks the consents of the person drawn and of the performer.
fn allow(
    job: &SwapJob,
    keys: &Keys,
    model: &FaceModel,
    (person, onto, chosen): (usize, &str, &Chosen),
) -> Result<Token> {
    let drawn = &model.manifest().people[person];
    let drawn = Claim {
        who: drawn.consent.clone(),
        seen: Seen::Model,
    };
    let claims = [drawn, claim(onto, &chosen.identities)];
    let same = same_person(&job.weights);
    job.safeguards.require(keys, &claims, same)
}

/// How the result is marked.
fn policy<'a>(job: &SwapJob, keys: &'a Keys, model: &FaceModel) -> Policy<'a> {
    let newest = &model.manifest().checkpoints[0].weights;
    let name = job.model.file_name().unwrap_or_default();
    let model = (name.to_string_lossy().into_owned(), newest.sha256.clone());
    job.safeguards.policy(keys, Some(&job.input), Some(model))
}

/// What a result is called when no name is given: `NAME-as-FACE` beside the source, a picture where
/// the source is one or a still is wanted.
pub fn default_output(input: &Path, face: &str, is_still: bool) -> PathBuf {
    let stem = input.file_stem().unwrap_or_default().to_string_lossy();
    let ending = if is_still || is_picture(input) {
        "png"
    } else {
        "mp4"
    };
    input.with_file_name(format!("{stem}-as-{face}.{ending}"))
}
