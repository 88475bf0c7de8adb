//! The swapping job: one person's face in a clip replaced by another's, marked.

use std::path::{Path, PathBuf};
use std::slice;

use effigy_files::{Destination, Existing, Original, check_destinations, is_picture, named_after};
use effigy_frame::{Rational, TimeRange};
use effigy_mark::consent::{Claim, Seen, Use};
use effigy_model::device::{self, Choice};
use effigy_model::{FaceModel, Weights};
pub use effigy_render::SkinTone;
use effigy_render::drive::swap::{Roles, Swap};

use crate::error::{Error, Result};
use crate::steps::consent::Safeguards;
use crate::steps::damage::Damage;
use crate::steps::inputs::{self, is_frames};
pub use crate::steps::making::View;
use crate::steps::making::{self, Drawing, Form, Made, Making};
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;
use crate::steps::quality::{Comparison, Looks, Measuring, Redrawing, paths_beside};
use crate::steps::trained::{model_name, person_in};

/// Everything one swap needs.
#[derive(Clone, Debug)]
pub struct SwapJob {
    /// The target clip, in which a face is replaced.
    pub input: PathBuf,
    /// The marked result: a video, or a picture of the first frame in `range`.
    pub output: PathBuf,
    /// Pictures a second of the video that the pictures of a folder or pattern become; `None` keeps
    /// them pictures, in a folder.
    pub fps: Option<Rational>,
    /// What becomes of files that are where the result and its quality card go.
    pub existing: Existing,
    /// Folder of the face model.
    pub model: PathBuf,
    /// The source: the person whose face is drawn.
    pub face: String,
    /// The performer whose face is replaced; needed where the model draws more than two people.
    pub onto: Option<String>,
    /// The part of the clip to work on, in seconds.
    pub range: TimeRange,
    /// What the output shows.
    pub view: View,
    /// What to do about frames that cannot be read.
    pub damage: Damage,
    /// Whose skin tone the result has.
    pub skin_tone: SkinTone,
    /// The ground truth, where there is one: an actor's clip, with its masks beside it.
    pub ground_truth: Option<PathBuf>,
    /// The kept checkpoint of the model to use; the newest by default.
    pub checkpoint: Option<u64>,
    /// Where to compute.
    pub device: Choice,
    /// Where the networks come from.
    pub weights: Weights,
    /// Consent and marks.
    pub safeguards: Safeguards,
}

impl SwapJob {
    fn is_frames(&self) -> bool {
        is_frames(&self.input) && self.fps.is_none() && !is_picture(&self.output)
    }

    /// Checks that the result and its quality card may go where they are to: what is read stays as
    /// it is. [`swap`] begins with it.
    ///
    /// # Errors
    /// When they may not.
    pub fn check(&self) -> Result<()> {
        let input = [inputs::one(&self.input)];
        let mut originals = inputs::originals(slice::from_ref(&self.input), &input);
        originals.push(Original::Tree(self.model.clone()));
        if let Some(truth) = &self.ground_truth {
            let masks = truth.with_extension("masks.png");
            originals.extend([truth.clone(), masks].map(Original::File));
        }
        originals.extend(self.safeguards.originals());
        let [json, html] = paths_beside(&self.output);
        let result = if self.is_frames() {
            Destination::Whole(self.output.clone())
        } else {
            Destination::File(self.output.clone())
        };
        let results = [result, Destination::File(html), Destination::File(json)];
        Ok(check_destinations(&results, &originals, self.existing)?)
    }
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
pub fn swap(job: &SwapJob, progress: &mut dyn Progress) -> Result<Made> {
    job.check()?;
    let begun = making::begin(making_of(job))?;
    let model = FaceModel::open_at(&job.model, job.checkpoint, &device::open(job.device)?)?;
    let source = person_in(&model, &job.model, &job.face)?;
    let performer = performer(job, &model)?;
    let networks = Networks::load(&job.weights, job.device)?;
    let cast = begun.find(&performer, &networks, progress)?;
    let consent = &model.manifest().people[source].consent;
    let allowed = cast.allow(vec![Claim {
        who: consent.clone(),
        seen: Seen::Model,
        usage: Use::Swap,
    }])?;
    let (intended, original) = (allowed.template(consent)?, allowed.template(&performer)?);
    let looks = Looks {
        intended: Some(&intended),
        original: Some(&original),
    };
    let redrawing = Redrawing {
        model: &model,
        person: source,
    };
    let truth = job.ground_truth.as_deref();
    let truth = truth.map(|truth| Comparison::open(truth, &networks.face_mesh, redrawing));
    let roles = Roles {
        source,
        target: model.person(&performer),
    };
    let (face_mesh, segmenter) = (&networks.face_mesh, networks.segmenter()?);
    let drawing = Drawing {
        driver: &mut Swap::new(&model, face_mesh, &segmenter, roles, job.skin_tone),
        measuring: Measuring::new(&networks, looks, truth.transpose()?),
        title: format!("drawing {}", job.face),
        model: Some(model_name(&model, &job.model)),
    };
    allowed.make(drawing, &networks, progress)
}

fn making_of(job: &SwapJob) -> Making<'_> {
    Making {
        target: &job.input,
        output: &job.output,
        form: if job.is_frames() {
            Form::Frames(job.existing)
        } else {
            Form::File
        },
        fps: job.fps,
        range: job.range,
        view: job.view,
        damage: job.damage,
        usage: Use::Swap,
        safeguards: &job.safeguards,
    }
}

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
        _ => Err(Error::PerformerNotNamed {
            path: job.model.clone(),
        }),
    }
}

/// What a result is called when no name is given: `NAME-as-FACE` beside the target clip, a picture
/// where the target is one or a still is wanted.
pub fn default_output(input: &Path, face: &str, is_still: bool, fps: Option<Rational>) -> PathBuf {
    let suffix = format!("-as-{face}");
    if is_frames(input) && !is_still {
        return inputs::named_after_frames(input, &suffix, fps.is_some());
    }
    let is_still = is_still || inputs::is_single_picture(input);
    let ending = if is_still { "png" } else { "mp4" };
    named_after(input, &suffix, ending)
}
