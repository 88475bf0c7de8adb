//! The puppet job: one portrait, moved as a driver moves, marked.

mod curves;
mod driver;
mod trained;

use std::path::{Path, PathBuf};

use effigy_face::rig::{Pose, Rig};
use effigy_files::{Destination, Existing, Original, check_destinations, is_picture, named_after};
use effigy_frame::{Picture, Point3, Rational, TimeRange};
use effigy_mark::Marked;
use effigy_mark::consent::{Audience, Use};
use effigy_media::{Limits, probe};
use effigy_model::Weights;
use effigy_model::device::Choice;
pub use effigy_render::Gains;
use effigy_render::{Drawer, Movement, Portrait, Replica, Retargeting};
pub use effigy_train::DriverSettings;

use crate::error::{Error, Result};
use crate::steps::consent::Safeguards;
use crate::steps::damage::Damage;
use crate::steps::inputs;
use crate::steps::making::{self, Animating, Form, Making, Posed, View};
use crate::steps::networks::Networks;
use crate::steps::performance::Moment;
use crate::steps::portrait;
use crate::steps::progress::Progress;
use crate::steps::quality::{MovedMeasuring, MovedQuality, path_beside};
use crate::steps::trained::model_name;
use driver::Driver;
use trained::TrainedModel;

/// Everything one puppet needs.
#[derive(Clone, Debug)]
pub struct PuppetJob {
    /// The portrait: a picture of the person, or a clip, of which the first frame that shows them is
    /// taken.
    pub portrait: PathBuf,
    /// Whose portrait it is, by name or identifier of their consent.
    pub subject: String,
    /// A face model that draws the person; without one, the portrait alone is moved.
    pub trained: Option<Trained>,
    /// What the movement is taken from.
    pub drive: Drive,
    /// Who moves in it, by name or identifier of their consent; needed where the result is to be
    /// published.
    pub driver: Option<String>,
    /// The marked result: a video, or a picture of the first frame in `range`.
    pub output: PathBuf,
    /// What becomes of a file that is where the result goes.
    pub existing: Existing,
    /// The part of the movement, in seconds.
    pub range: TimeRange,
    /// How much of the movement is taken over.
    pub gains: Gains,
    /// What the result should look like at the same moments, where that is known: the same performance by
    /// the person in the portrait.
    pub ground_truth: Option<PathBuf>,
    /// Where to compute.
    pub device: Choice,
    /// Where the networks come from.
    pub weights: Weights,
    /// Consent and marks.
    pub safeguards: Safeguards,
}

/// A face model of the person who is moved.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Its folder. How its person moves is kept there, once it is learned.
    pub model: PathBuf,
    /// Clips of the person to learn that from; where none are named and it is not known yet, the
    /// portrait, if that is a clip.
    pub learn: Vec<PathBuf>,
    /// How long that is learned.
    pub settings: DriverSettings,
    /// The kept checkpoint of the model to use; the newest by default.
    pub checkpoint: Option<u64>,
}

/// What movement is taken from.
#[derive(Clone, Debug)]
pub enum Drive {
    /// Somebody in clips that follow one another.
    Clips(Vec<PathBuf>),
    /// Files of numbers that follow one another: `.csv` in Live Link Face's columns, or `.jsonl` as
    /// [`crate::track()`] writes it.
    Curves {
        /// The files.
        files: Vec<PathBuf>,
        /// Frames a second, where the files do not say.
        rate: Option<Rational>,
    },
}

impl Drive {
    /// The files that are read.
    pub(crate) fn files(&self) -> &[PathBuf] {
        match self {
            Self::Clips(files) | Self::Curves { files, .. } => files,
        }
    }

    /// The first of them, for messages.
    fn path(&self) -> PathBuf {
        self.files().first().cloned().unwrap_or_default()
    }
}

/// What a puppet job made.
#[derive(Clone, Debug)]
pub struct Puppet {
    /// Where the result is, and what it is marked with.
    pub marked: Marked,
    /// Frames drawn.
    pub n_frames: u64,
    /// Frames in which the driver was not seen, so that the portrait stayed as it was before.
    pub n_still: u64,
    /// Seconds spent on all of it.
    pub took_secs: f64,
    /// What was reached.
    pub quality: MovedQuality,
    /// Where that is written.
    pub quality_path: PathBuf,
}

impl PuppetJob {
    /// Checks that the result may go where it is to. [`puppet`] begins with it.
    ///
    /// # Errors
    /// When it may not.
    pub fn check(&self) -> Result<()> {
        if self.driver.is_none() && self.safeguards.audience == Audience::Publish {
            return Err(Error::DriverNotNamed {
                path: self.drive.path(),
            });
        }
        if let Drive::Clips(clips) = &self.drive {
            if let Some(still) = clips.iter().find(|clip| inputs::is_single_picture(clip)) {
                return Err(Error::DriverDoesNotMove {
                    path: still.clone(),
                });
            }
            // What cannot be read is told later.
            if let [clip] = &clips[..]
                && let Ok(info) = probe(clip, &Limits::default())
            {
                making::length_within(clip, self.range.from_secs, &info)?;
            }
        }
        let mut read = vec![self.portrait.clone()];
        read.extend_from_slice(self.drive.files());
        read.extend(self.ground_truth.clone());
        let trained = self.trained.as_ref();
        read.extend(
            trained
                .into_iter()
                .flat_map(|trained| trained.learn.clone()),
        );
        let named: Vec<_> = read.iter().map(|path| inputs::one(path)).collect();
        let mut originals = inputs::originals(&read, &named);
        originals.extend(trained.map(|trained| Original::Tree(trained.model.clone())));
        originals.extend(self.safeguards.originals());
        let results = [self.output.clone(), path_beside(&self.output)].map(Destination::File);
        Ok(check_destinations(&results, &originals, self.existing)?)
    }
}

/// Moves the person in `job.portrait` as somebody moves in `job.drive`, and writes a marked clip.
///
/// # Errors
/// When a consent is missing, the person is not in the portrait or the model, the portrait is too far from
/// frontal, nobody is seen in the driver's clip, or anything cannot be read, drawn or written. No
/// output is left then, unless it is only the quality card that cannot be written.
pub fn puppet(job: &PuppetJob, progress: &mut dyn Progress) -> Result<Puppet> {
    job.check()?;
    let begun = making::begin(making_of(job))?;
    let mut trained = job
        .trained
        .as_ref()
        .map(|trained| TrainedModel::open(job, trained))
        .transpose()?;
    let networks = Networks::load(&job.weights, job.device)?;
    let rig = Rig::load(&job.weights)?;
    let cast = begun.find(&job.subject, &networks, progress)?;
    let (picture, points) = portrait::find(&job.portrait, cast.chosen(), &networks, progress)?;
    let driver = Driver::find(job, &networks, progress)?;
    let claims = driver.claim(job).into_iter();
    let allowed = cast.allow(
        claims
            .chain(trained.as_ref().map(TrainedModel::claim))
            .collect(),
    )?;
    let all = driver.perform(&rig, &networks, progress)?;
    let moments = wanted(job, &all)?;
    let likeness = allowed.template(&job.subject)?;
    let from_secs = moments.first().map_or(0.0, |moment| moment.time.secs());
    let truth = job.ground_truth.as_deref();
    let truth = truth.map(|path| (path, from_secs));
    let mut measuring = MovedMeasuring::new(&networks, likeness, driver.template(), truth)?;
    let model = trained.as_ref().map(|t| model_name(&t.model, &t.folder));
    let drawer = trained.as_mut();
    let drawer = drawer.map(|trained| trained.drawer(job, &rig, &networks, progress));
    let mut figure = Figure::of(job, &rig, (&picture, &points), drawer.transpose()?)?;
    let retargetings = retargetings(job, &all, &figure)?;
    let mut movement = Movement::default();
    let mut n_still = 0;
    let animating = Animating {
        timing: driver.timing(),
        range: job.range,
        moments,
        draw: &mut |_, moment| {
            match &moment.pose {
                Some(pose) => movement = retargetings[moment.clip].movement(pose),
                None => n_still += 1,
            }
            Ok(Posed {
                picture: figure.draw(&movement),
                points: figure.points(&movement),
            })
        },
        measure: &mut |_, posed| measuring.take(&posed.picture, &posed.points),
        title: format!("moving {}", job.subject),
        model,
    };
    let (marked, took_secs) = allowed.animate(animating, progress)?;
    let quality = measuring.finish();
    Ok(Puppet {
        quality_path: quality.write_beside(&job.output)?,
        quality,
        marked,
        n_frames: moments.len() as u64,
        n_still,
        took_secs,
    })
}

/// What is moved.
enum Figure<'a> {
    /// The portrait's own pixels.
    Portrait(Box<Portrait<'a>>),
    /// The same, with what a model knows of the person.
    Replica(Box<Replica<'a>>),
}

impl<'a> Figure<'a> {
    fn of(
        job: &PuppetJob,
        rig: &'a Rig,
        (picture, points): (&Picture, &[Point3]),
        drawer: Option<Drawer<'a>>,
    ) -> Result<Self> {
        let Some(drawer) = drawer else {
            return Ok(Self::Portrait(Box::new(Portrait::new(
                rig, picture, points,
            ))));
        };
        let no_face = || Error::NoFace {
            path: job.portrait.clone(),
        };
        let replica = Replica::new(rig, picture, points, drawer).ok_or_else(no_face)?;
        Ok(Self::Replica(Box::new(replica)))
    }

    fn pose(&self) -> &Pose {
        match self {
            Self::Portrait(portrait) => portrait.pose(),
            Self::Replica(replica) => replica.pose(),
        }
    }

    fn room(&self) -> [[f32; 2]; 2] {
        match self {
            Self::Portrait(portrait) => portrait.room(),
            Self::Replica(replica) => replica.room(),
        }
    }

    fn points(&self, movement: &Movement) -> Vec<Point3> {
        match self {
            Self::Portrait(portrait) => portrait.points(movement),
            Self::Replica(replica) => replica.points(movement),
        }
    }

    fn draw(&mut self, movement: &Movement) -> Picture {
        match self {
            Self::Portrait(portrait) => portrait.draw(movement),
            Self::Replica(replica) => replica.draw(movement),
        }
    }
}

/// How what the driver does is put onto the portrait, clip by clip.
fn retargetings(job: &PuppetJob, all: &[Moment], figure: &Figure<'_>) -> Result<Vec<Retargeting>> {
    let portrait = figure.pose();
    let poses: Vec<&Pose> = all.iter().filter_map(|m| m.pose.as_ref()).collect();
    let over_all = Retargeting::of(&poses, portrait, job.gains);
    let no_face = || Error::NoFace {
        path: job.drive.path(),
    };
    let over_all = over_all.ok_or_else(no_face)?.within(figure.room());
    let clips = match &job.drive {
        Drive::Curves { .. } => return Ok(vec![over_all.from_rest()]),
        Drive::Clips(clips) => clips,
    };
    let in_clip = |clip: usize| {
        let theirs = all.iter().filter(|moment| moment.clip == clip);
        let poses: Vec<&Pose> = theirs.filter_map(|moment| moment.pose.as_ref()).collect();
        over_all.filmed_apart(&poses, portrait)
    };
    Ok(match clips.len() {
        1 => vec![over_all],
        n => (0..n).map(in_clip).collect(),
    })
}

fn making_of(job: &PuppetJob) -> Making<'_> {
    Making {
        target: &job.portrait,
        output: &job.output,
        form: Form::File,
        fps: None,
        range: TimeRange::default(),
        view: View::Result,
        damage: Damage::Ends,
        usage: Use::Puppet,
        safeguards: &job.safeguards,
    }
}

/// What is drawn of a performance: the part that is wanted, or one moment as a picture.
fn wanted<'m>(job: &PuppetJob, all: &'m [Moment]) -> Result<&'m [Moment]> {
    let TimeRange { from_secs, to_secs } = job.range;
    let first = all.partition_point(|moment| moment.time.secs() < from_secs);
    let end_secs = match all {
        [.., before, last] => 2.0 * last.time.secs() - before.time.secs(),
        _ => f64::INFINITY,
    };
    let part = if is_picture(&job.output) {
        let first = if from_secs < end_secs {
            first.min(all.len().saturating_sub(1))
        } else {
            all.len()
        };
        let moment = all.get(first..=first).unwrap_or_default();
        if !moment.is_empty() && moment.iter().all(|moment| moment.pose.is_none()) {
            return Err(Error::DriverNotSeen {
                path: job.drive.path(),
            });
        }
        moment
    } else {
        let is_within = |moment: &Moment| to_secs.is_none_or(|to| moment.time.secs() < to);
        let part = &all[first..];
        &part[..part.partition_point(is_within)]
    };
    if part.is_empty() && end_secs <= from_secs {
        return Err(Error::BeyondEnd {
            asked_secs: from_secs,
            clip_secs: Some(end_secs),
            path: job.drive.path(),
        });
    }
    if part.is_empty() {
        return Err(Error::DriverNotSeen {
            path: job.drive.path(),
        });
    }
    Ok(part)
}

/// What a result is called when no name is given: `NAME-moved` beside the portrait.
pub fn default_output(portrait: &Path, is_still: bool) -> PathBuf {
    named_after(portrait, "-moved", if is_still { "png" } else { "mp4" })
}
