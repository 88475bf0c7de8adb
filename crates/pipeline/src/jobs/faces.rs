//! The job `faces`: who appears in videos and pictures, when, where, and facing which way.
//!
//! One loop over the frames of each input; memory stays at a few frames and a summary per track,
//! however long the video. People are joined when all inputs have been seen.

mod angles;
mod crops;
mod draw;
mod gather;
mod lines;
mod outputs;
mod overlay;
mod report;
mod sheet;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use effigy_face::people::{self, SeenTogether};
use effigy_face::{Face, Observation, Pose, TrackSettings, quality};
use effigy_files::{Existing, check_destinations};
use effigy_media::{Limits, VideoInfo, VideoReader};

use crate::error::{Error, Result};
use crate::steps::damage::{Damage, DamagedPlaces, with_remedy};
use crate::steps::footage::{Followed, Follower};
use crate::steps::inputs::{self, Input};
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;

pub use angles::AngleRange;
pub use crops::{CropFilter, CropOrder, CropSettings};
pub use lines::PointScheme;
pub use report::{FacesReport, FailedInput, PersonReport};

use gather::{Gatherer, Recogniser, TrackRecord};
use outputs::Outputs;

/// Everything the job needs. Built once by the caller, never changed while it runs.
#[derive(Clone, Debug)]
pub struct FacesJob {
    /// Videos, pictures, folders of them, and patterns such as `shot-%05d.png`.
    pub inputs: Vec<PathBuf>,
    /// How faces are found and followed.
    pub tracking: TrackSettings,
    /// How much a file may ask of us.
    pub limits: Limits,
    /// What to do about frames of a video that cannot be read.
    pub damage: Damage,
    /// What to write, if anything.
    pub output: Option<FacesOutput>,
}

impl FacesJob {
    /// Looks for faces in `inputs` with the usual settings, and writes nothing.
    pub fn new(inputs: Vec<PathBuf>) -> Self {
        Self {
            inputs,
            tracking: TrackSettings::default(),
            limits: Limits::default(),
            damage: Damage::Ends,
            output: None,
        }
    }
}

/// What to write besides the summary.
#[derive(Clone, Debug)]
pub struct FacesOutput {
    /// Where it goes; made if it is not there. `faces.jsonl` is always written.
    pub folder: PathBuf,
    /// What becomes of files in it that are called like those to write.
    pub existing: Existing,
    /// Which points each line of `faces.jsonl` carries.
    pub points: PointScheme,
    /// Whether each line carries the identity vector. Slows the job down.
    pub identity: bool,
    /// Whether each input is written again with the mesh drawn on it.
    pub overlay: bool,
    /// Aligned crops to write.
    pub crops: Option<CropSettings>,
    /// Whether a contact sheet is made of each person.
    pub sheet: bool,
}

/// What is kept of an observation: numbers, no pixels.
#[derive(Clone, Copy, Debug)]
struct Measures {
    frame_index: u64,
    time_secs: f64,
    pose: Pose,
    /// `0..=1`
    sharpness: f32,
    light: quality::Light,
    /// Longer side of the face's box.
    size_px: f32,
}

impl FacesJob {
    /// Finds the inputs, and checks that what is to be written may go where it is to. [`faces`]
    /// begins with it.
    ///
    /// # Errors
    /// When there is nothing to read, or something may not be written.
    pub fn check(&self) -> Result<()> {
        self.inputs().map(drop)
    }

    fn inputs(&self) -> Result<Vec<Input>> {
        let inputs = inputs::expand(&self.inputs)?;
        if let Some(output) = &self.output {
            let originals = inputs::originals(&self.inputs, &inputs);
            let destinations = outputs::destinations(output, &inputs);
            check_destinations(&destinations, &originals, output.existing)?;
        }
        Ok(inputs)
    }
}

/// Finds and follows the faces of all inputs, and joins those of one person.
///
/// An input that cannot be read to its end is reported and leaves nothing behind; the others are
/// read all the same.
///
/// # Errors
/// When there is nothing to read, the output cannot be written, or `progress` asks to stop.
pub fn faces(
    job: &FacesJob,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<FacesReport> {
    let inputs = job.inputs()?;
    let mut outputs = job.output.as_ref().map(Outputs::begin).transpose()?;
    let mut session = Session::new(job, networks)?;
    let bars = Bars::of(&inputs);
    if bars == Bars::One {
        progress.begin("pictures", Some(inputs.len() as u64));
    }
    for (i, input) in inputs.iter().enumerate() {
        let title = title(input, i, inputs.len());
        if bars == Bars::EachInput {
            progress.begin(&title, None);
        }
        let mut report = Reporting {
            progress: &mut *progress,
            bars,
            title,
        };
        let read = session.read_input(input, outputs.as_mut(), &mut report);
        match read {
            Ok(()) => {}
            Err(err) if ends_the_job(&err) => return Err(err),
            Err(err) => {
                session.failed.push(note_failure(input, &err, progress));
                if let Some(outputs) = &mut outputs {
                    outputs.take_back(session.input_index)?;
                }
            }
        }
    }
    session.finish(&inputs, outputs)
}

/// Whether an error is not the input's, so that the others would fail alike.
fn ends_the_job(err: &Error) -> bool {
    use effigy_media::Error as Media;
    match err {
        Error::Media(err) => matches!(err, Media::Write { .. } | Media::NoEncoder { .. }),
        Error::Read { .. } => false,
        _ => true,
    }
}

/// What the progress bars stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bars {
    /// One for all inputs: they are pictures, each done at once.
    One,
    /// One after the other.
    EachInput,
}

impl Bars {
    fn of(inputs: &[Input]) -> Self {
        let pictures_only = inputs.iter().all(|i| matches!(i, Input::Picture(_)));
        if pictures_only {
            Self::One
        } else {
            Self::EachInput
        }
    }
}

/// How the progress of one input is reported.
struct Reporting<'a> {
    progress: &'a mut dyn Progress,
    bars: Bars,
    title: String,
}

impl Reporting<'_> {
    /// Begins a bar of its own, where the input has one.
    fn begin(&mut self, video: Option<&VideoInfo>) {
        let frames = |v: &VideoInfo| {
            let guess = |secs: f64| (secs * v.frame_rate.to_f64()).round() as u64;
            v.frames.or_else(|| v.duration_secs.map(guess))
        };
        if self.bars == Bars::EachInput {
            self.progress.begin(&self.title, video.and_then(frames));
        }
    }
}

fn title(input: &Input, i: usize, n: usize) -> String {
    let name = input.path().file_name().unwrap_or(input.path().as_os_str());
    let name = name.to_string_lossy();
    if n > 1 {
        format!("{}/{n} {name}", i + 1)
    } else {
        name.into_owned()
    }
}

/// The state of the job over all inputs.
struct Session<'a> {
    job: &'a FacesJob,
    follower: Follower,
    recogniser: Recogniser,
    /// Similarity from which two faces count as one person's.
    same_from: f32,
    input_index: usize,
    records: Vec<TrackRecord>,
    together: SeenTogether,
    failed: Vec<FailedInput>,
    damaged: DamagedPlaces,
    n_frames: u64,
    start: Instant,
}

impl<'a> Session<'a> {
    fn new(job: &'a FacesJob, networks: &Networks) -> Result<Self> {
        Ok(Self {
            job,
            follower: Follower::new(networks, job.tracking)?,
            recogniser: Recogniser::new(networks.face_embedder.clone())?,
            same_from: networks.weights.identity_scale().usual().similarity,
            input_index: 0,
            records: Vec::new(),
            together: BTreeSet::new(),
            failed: Vec::new(),
            damaged: DamagedPlaces::default(),
            n_frames: 0,
            start: Instant::now(),
        })
    }

    /// Follows the faces of one input to its end.
    fn read_input(
        &mut self,
        input: &Input,
        mut outputs: Option<&mut Outputs>,
        report: &mut Reporting<'_>,
    ) -> Result<()> {
        self.input_index += 1;
        let mut reader = VideoReader::open(input.path(), &self.job.limits)?;
        if let Some(unread) = inputs::unread_pictures(reader.info()) {
            let path = input.path();
            report.progress.note(&format!("{path:?}: {unread}"));
        }
        let skips_damaged = self.job.damage == Damage::IsSkipped;
        if skips_damaged {
            reader = reader.skip_damaged();
        }
        let video = reader.info().video.clone();
        self.damaged
            .begin_clip(video.as_ref().and_then(|video| video.frames));
        report.begin(video.as_ref());
        if let Some(outputs) = outputs.as_deref_mut() {
            outputs.begin_input(input, reader.info(), self.input_index)?;
        }
        let frame_secs = match input {
            Input::Picture(_) => 0.0,
            _ => video.map_or(0.0, |v| 1.0 / v.frame_rate.to_f64()),
        };
        let wants_sheet = self.job.output.as_ref().is_some_and(|o| o.sheet);
        let mut gatherer = Gatherer::new(self.input_index, frame_secs, wants_sheet);
        let Self {
            follower,
            recogniser,
            failed,
            damaged,
            ..
        } = self;
        let mut n_frames = 0;
        follower.follow(reader, &mut |followed| {
            match followed {
                Ok(followed) => {
                    n_frames += 1;
                    damaged.read(followed.frame.index, followed.frame.time.secs());
                    take_frame(followed, &mut gatherer, outputs.as_deref_mut(), recogniser)?;
                }
                Err(err) if skips_damaged => damaged.note(input.path(), err)?,
                // One bad picture does not spoil the rest of a sequence.
                Err(err) if matches!(input, Input::Sequence(_)) => {
                    failed.push(note_failure(input, &err.into(), report.progress));
                }
                Err(err) => return Err(err.into()),
            }
            if report.progress.step().is_break() {
                return Err(Error::Cancelled);
            }
            Ok(())
        })?;
        let sheets = outputs.as_deref_mut().and_then(|o| o.sheets.as_mut());
        let gathered = gatherer.finish(&self.recogniser, sheets)?;
        if let Some(outputs) = outputs {
            outputs.end_input()?;
        }
        self.records.extend(gathered.records);
        self.together.extend(gathered.together);
        self.n_frames += n_frames;
        Ok(())
    }

    fn finish(self, inputs: &[Input], outputs: Option<Outputs>) -> Result<FacesReport> {
        let known: Vec<people::TrackIdentity> = self
            .records
            .iter()
            .filter_map(TrackRecord::identified)
            .collect();
        let people = people::join(&known, &self.together, self.same_from);
        match outputs {
            // An empty result would look like one that was looked for.
            Some(outputs) if self.n_frames == 0 && !self.failed.is_empty() => outputs.abandon(),
            Some(outputs) => outputs.finish(&people, &self.records)?,
            None => {}
        }
        let crops = self
            .job
            .output
            .as_ref()
            .and_then(|output| output.crops.as_ref());
        let wanted = crops.map_or(&[][..], |crops| &crops.filter.people);
        let is_unseen = |&&number: &&u32| !(1..=people.len()).contains(&(number as usize));
        Ok(FacesReport {
            unseen: wanted.iter().filter(is_unseen).copied().collect(),
            inputs: inputs.iter().map(|input| input.path().to_owned()).collect(),
            n_frames: self.n_frames,
            took_secs: self.start.elapsed().as_secs_f64(),
            failed: self.failed,
            damaged: self.damaged.into_places(),
            people: report::people(&people, &self.records),
            strangers: report::strangers(&self.records),
        })
    }
}

/// Takes in one frame.
fn take_frame(
    followed: Followed,
    gatherer: &mut Gatherer,
    mut outputs: Option<&mut Outputs>,
    recogniser: &Recogniser,
) -> Result<()> {
    let Followed { mut frame, faces } = followed;
    let measures = |face: &Face| Measures::of(&Observation::new(&frame, face));
    let measures: Vec<Measures> = faces.iter().map(measures).collect();
    gatherer.take(&frame, &faces, &measures);
    let sheets = outputs.as_deref_mut().and_then(|o| o.sheets.as_mut());
    gatherer.settle(frame.time.secs(), recogniser, sheets)?;
    match outputs {
        Some(outputs) => outputs.write(&mut frame, &faces, &measures, recogniser),
        None => Ok(()),
    }
}

/// Notes that an input was left out, or a part of it.
fn note_failure(input: &Input, err: &Error, progress: &mut dyn Progress) -> FailedInput {
    let failed = FailedInput {
        path: input.path().to_owned(),
        reason: with_remedy(err),
    };
    progress.note(&format!("left out: {failed}"));
    failed
}

impl Measures {
    fn of(seen: &Observation<'_>) -> Self {
        let quality = seen.quality();
        Self {
            frame_index: seen.frame.index,
            time_secs: seen.time_secs(),
            pose: seen.pose(),
            sharpness: quality.sharpness,
            light: quality.light,
            size_px: seen.size_px(),
        }
    }
}
