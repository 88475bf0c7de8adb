//! The swapping job: one person's face in a clip replaced by another's, marked.

use std::path::{Path, PathBuf};

use effigy_face::Face;
use effigy_face::align::{MODEL_EXTENT, aligned_view};
use effigy_face::pose::pose;
use effigy_frame::{Frame, Picture, Point2, Similarity, resample};
use effigy_mark::consent::{Claim, Seen, Token};
use effigy_mark::{Keys, Marked, MarkedWriter};
use effigy_media::{Limits, WriteSettings, probe};
use effigy_model::FaceModel;
use effigy_model::device::{self, Choice};
use effigy_render::{Place, Steady, overlay};

use crate::error::{Error, Result};
use crate::networks::Networks;
use crate::progress::Progress;
use crate::quality::{Measuring, Quality, Replaced};
use crate::safeguards::{Safeguards, claim, same_person};
use crate::survey::{Chosen, Clips, Damage, follow, survey};

/// Everything one swap needs.
#[derive(Clone, Debug)]
pub struct SwapJob {
    /// The clip whose face is replaced.
    pub input: PathBuf,
    /// The marked result.
    pub output: PathBuf,
    /// Folder of the face model.
    pub model: PathBuf,
    /// Whom to draw.
    pub face: String,
    /// Whose face is replaced; needed where the model draws more than two people.
    pub onto: Option<String>,
    /// The part of the clip to work on, in seconds.
    pub range: Range,
    /// What the output shows.
    pub view: View,
    /// The kept checkpoint of the model to use; the newest by default.
    pub checkpoint: Option<u64>,
    /// Where to compute.
    pub device: Choice,
    /// Consent and marks.
    pub safeguards: Safeguards,
}

/// A part of a clip, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Range {
    /// First moment.
    pub from_secs: f64,
    /// First moment after; `None` is the end.
    pub to_secs: Option<f64>,
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
    /// Where that is written.
    pub quality_path: PathBuf,
}

/// Yaw from which a drawn face begins to fade, and from which it is gone, in degrees.
const FADE_YAW_DEGREES: [f32; 2] = [50.0, 68.0];

/// Replaces the face of one person in `job.input` and writes a marked copy.
///
/// Frames pass one at a time, so that memory stays the same however long the clip is. The clip is
/// read twice: first to find out who is in it and whether they consent.
///
/// # Errors
/// When a consent is missing, the person is not in the clip, or any frame cannot be read, drawn or
/// written. No output is left then.
pub fn swap(job: &SwapJob, progress: &mut dyn Progress) -> Result<SwapReport> {
    let started = std::time::Instant::now();
    let keys = job.safeguards.open_keys()?;
    let model = FaceModel::open_at(&job.model, job.checkpoint, &device::open(job.device)?)?;
    let person = model
        .person(&job.face)
        .ok_or_else(|| not_in_model(job, &model))?;
    let onto = performer(job, &model)?;
    let networks = Networks::load(job.device)?;
    let clips = Clips {
        paths: vec![job.input.clone()],
        from_secs: job.range.from_secs,
        to_secs: job.range.to_secs,
        damage: Damage::Ends,
    };
    let chosen = choose(job, &keys, &networks, (&clips, &onto), progress)?;
    let token = allow(job, &keys, &model, (person, &onto, &chosen))?;
    let drawn = job
        .safeguards
        .template(&keys, &model.manifest().people[person].consent)?;
    let replaced = job.safeguards.template(&keys, &onto)?;
    let mut renderer = Renderer {
        model: &model,
        person,
        chosen: &chosen,
        steady: Vec::new(),
        measuring: Measuring::new(&networks, drawn.as_ref(), replaced.as_ref()),
        n_swapped: 0,
    };
    let papers = (&keys, &token);
    let footage = (&clips, &networks);
    let (marked, n_frames) = write(job, papers, footage, &mut renderer, progress)?;
    let quality = renderer.measuring.finish();
    Ok(SwapReport {
        n_frames,
        n_swapped: renderer.n_swapped,
        took_secs: started.elapsed().as_secs_f64(),
        quality_path: quality.write_beside(&marked.path)?,
        quality,
        marked,
    })
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
    progress.begin(
        &format!("looking for {onto}"),
        crate::survey::n_frames(clips),
    );
    let survey = survey(clips, networks, progress)?;
    let chosen = survey.choose(template.as_ref(), same_person().similarity);
    chosen.ok_or_else(|| Error::NoFace {
        path: job.input.clone(),
    })
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
    job.safeguards
        .require(keys, &[drawn, claim(onto, &chosen.identities)])
}

/// Reads, draws and writes every frame.
fn write(
    job: &SwapJob,
    (keys, token): (&Keys, &Token),
    (clips, networks): (&Clips, &Networks),
    renderer: &mut Renderer<'_>,
    progress: &mut dyn Progress,
) -> Result<(Marked, u64)> {
    let settings = settings(job)?;
    let newest = &renderer.model.manifest().checkpoints[0].weights;
    let name = job
        .model
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let policy = job
        .safeguards
        .policy(keys, Some(&job.input), Some((name, newest.sha256.clone())));
    let mut writer = MarkedWriter::create(&job.output, &settings, token, &policy)?;
    progress.begin(
        &format!("drawing {}", job.face),
        crate::survey::n_frames(clips),
    );
    let mut n_frames = 0;
    follow(clips, networks, progress, &mut |mut frame, faces| {
        let source = frame.picture.clone();
        renderer.draw(&mut frame, &faces, &source);
        if job.view == View::SideBySide {
            frame.picture = beside(&source, &frame.picture);
        }
        n_frames += 1;
        Ok(writer.write(frame)?)
    })?;
    Ok((writer.finish()?, n_frames))
}

/// Size, times and colours of the source, and its sound where all of it is used.
fn settings(job: &SwapJob) -> Result<WriteSettings> {
    let info = probe(&job.input, &Limits::default())?;
    let video = info.video.ok_or_else(|| Error::NoInput {
        path: job.input.clone(),
    })?;
    let mut settings = WriteSettings::like(&video);
    if job.view == View::SideBySide {
        settings.width *= 2;
    }
    let is_whole = job.range == Range::default();
    settings.audio_from = (info.audio.is_some() && is_whole).then(|| job.input.clone());
    Ok(settings)
}

/// Draws one person over the chosen tracks.
struct Renderer<'a> {
    model: &'a FaceModel,
    person: usize,
    chosen: &'a Chosen,
    steady: Vec<(u32, Steady)>,
    measuring: Measuring<'a>,
    n_swapped: u64,
}

impl Renderer<'_> {
    fn draw(&mut self, frame: &mut Frame, faces: &[Face], source: &Picture) {
        let side = self.model.side_px();
        let theirs = faces
            .iter()
            .filter(|face| self.chosen.tracks.contains(&face.track));
        let views: Vec<(&Face, Similarity)> = theirs
            .filter_map(|face| Some((face, aligned_view(&face.points, side, MODEL_EXTENT)?)))
            .collect();
        let cut = |(_, view): &(&Face, Similarity)| resample::crop(source, *view, side);
        let crops: Vec<Picture> = views.iter().map(cut).collect();
        let drawn = self.model.redraw(&crops, self.person);
        let secs = frame.time.secs();
        let mut replaced = Vec::new();
        for ((face, frame_from_crop), drawn) in views.into_iter().zip(&drawn) {
            let points: Vec<Point2> = face.points.iter().map(|p| p.xy()).collect();
            let opacity = opacity(pose(&face.points).yaw);
            if opacity <= 0.0 {
                continue;
            }
            let place = Place {
                frame_from_crop,
                points,
                opacity,
            };
            let steady = steady_of(&mut self.steady, face.track);
            if let Some(laid) = overlay(&mut frame.picture, &place, drawn, secs, steady) {
                replaced.push(Replaced {
                    track: face.track,
                    points: &face.points,
                    laid,
                });
            }
        }
        self.n_swapped += u64::from(!replaced.is_empty());
        self.measuring.take(source, &frame.picture, &replaced);
    }
}

fn steady_of(all: &mut Vec<(u32, Steady)>, track: u32) -> &mut Steady {
    let place = match all.iter().position(|(other, _)| *other == track) {
        Some(place) => place,
        None => {
            all.push((track, Steady::default()));
            all.len() - 1
        }
    };
    &mut all[place].1
}

/// Full when the face is seen from the front, nothing in profile.
fn opacity(yaw_degrees: f32) -> f32 {
    let [from, to] = FADE_YAW_DEGREES;
    1.0 - ((yaw_degrees.abs() - from) / (to - from)).clamp(0.0, 1.0)
}

/// Two pictures of one size side by side.
fn beside(left: &Picture, right: &Picture) -> Picture {
    let row_bytes = left.width() as usize * 3;
    let rows = left
        .pixels()
        .chunks_exact(row_bytes)
        .zip(right.pixels().chunks_exact(row_bytes));
    let pixels = rows
        .flat_map(|(left, right)| left.iter().chain(right))
        .copied()
        .collect();
    Picture::new(2 * left.width(), left.height(), pixels)
}

/// What a result is called when no name is given: `NAME-as-FACE.mp4` beside the source.
pub fn default_output(input: &Path, face: &str) -> PathBuf {
    let stem = input.file_stem().unwrap_or_default().to_string_lossy();
    input.with_file_name(format!("{stem}-as-{face}.mp4"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_fades_out() {
        assert!((opacity(10.0) - 1.0).abs() < 1e-6);
        assert!(opacity(-59.0) < 0.6 && 0.4 < opacity(-59.0));
        assert!(opacity(80.0) <= 0.0);
    }

    #[test]
    fn side_by_side_keeps_both() {
        let (left, right) = (Picture::filled(3, 2, [1; 3]), Picture::filled(3, 2, [9; 3]));
        let both = beside(&left, &right);
        assert_eq!((both.width(), both.height()), (6, 2));
        assert_eq!((both.get(2, 1), both.get(3, 0)), ([1; 3], [9; 3]));
    }
}
