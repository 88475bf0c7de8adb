//! The job `speak`: one portrait, moved by what is said in a sound, marked.

use std::path::{Path, PathBuf};

use effigy_face::rig::{EXPRESSIONS, Gaze, N_EXPRESSIONS, Pose, Rig};
use effigy_files::{Destination, Existing, check_destinations, is_picture, named_after};
use effigy_frame::{Rational, TimeRange, Timestamp};
use effigy_mark::Marked;
use effigy_mark::consent::{Audience, Claim, Use};
use effigy_model::Weights;
use effigy_model::device::Choice;
use effigy_render::{Movement, Portrait};

use crate::error::{Error, Result};
use crate::steps::consent::{Safeguards, voices as consented};
use crate::steps::damage::Damage;
use crate::steps::inputs;
use crate::steps::making::{self, Animating, Form, Making, Posed, Timing, View};
use crate::steps::networks::Networks;
use crate::steps::performance::Moment;
use crate::steps::portrait;
use crate::steps::progress::Progress;
use crate::steps::quality::{SpokenMeasuring, SpokenQuality, path_beside};
use crate::steps::speech::{Alive, Heard, Lips, Said, hear};
use crate::steps::voices::{Voices, note_other_sounds};

/// Everything that a portrait needs to speak.
#[derive(Clone, Debug)]
pub struct SpeakJob {
    /// The portrait: a picture of the person, or a clip, of which the first frame that shows them is
    /// taken.
    pub portrait: PathBuf,
    /// Whose portrait it is, by name or identifier of their consent.
    pub subject: String,
    /// The sound, or a clip with sound.
    pub sound: PathBuf,
    /// Who is heard in it, by name or identifier of their consent; needed where the result is to be
    /// published.
    pub voice: Option<String>,
    /// The marked video.
    pub output: PathBuf,
    /// What becomes of a file that is where the result goes.
    pub existing: Existing,
    /// The part of the sound, in seconds.
    pub range: TimeRange,
    /// Frames a second.
    pub rate: Rational,
    /// How much later than the sound lips move, in seconds.
    pub offset_secs: f64,
    /// What the head does.
    pub head: SpokenHead,
    /// Where to compute.
    pub device: Choice,
    /// Where the networks come from.
    pub weights: Weights,
    /// Consent and marks.
    pub safeguards: Safeguards,
}

/// What head and lids do while a portrait speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpokenHead {
    /// The head moves a little and lids blink, the same for the same seed.
    Lives {
        /// The seed.
        seed: u64,
    },
    /// The head stays where it is; lids blink.
    Stays {
        /// The seed.
        seed: u64,
    },
}

/// What a portrait that speaks became.
#[derive(Clone, Debug)]
pub struct Spoken {
    /// Where the result is, and what it is marked with.
    pub marked: Marked,
    /// Frames drawn.
    pub n_frames: u64,
    /// Seconds spent on all of it.
    pub took_secs: f64,
    /// What was reached.
    pub quality: SpokenQuality,
    /// Where that is written.
    pub quality_path: PathBuf,
}

impl SpeakJob {
    /// Checks that the result may go where it is to. [`speak`] begins with it.
    ///
    /// # Errors
    /// When it may not.
    pub fn check(&self) -> Result<()> {
        if is_picture(&self.output) {
            return Err(Error::PictureCannotSpeak {
                path: self.output.clone(),
            });
        }
        if self.voice.is_none() && self.safeguards.audience == Audience::Publish {
            return Err(Error::VoiceNotNamed {
                path: self.sound.clone(),
            });
        }
        let read = [self.portrait.clone(), self.sound.clone()];
        let named: Vec<_> = read.iter().map(|path| inputs::one(path)).collect();
        let mut originals = inputs::originals(&read, &named);
        originals.extend(self.safeguards.originals());
        let results = [self.output.clone(), path_beside(&self.output)].map(Destination::File);
        Ok(check_destinations(&results, &originals, self.existing)?)
    }

    /// Whoever is heard must consent where they are named; whose voice is on record, anyhow.
    fn voice_claims(&self, voices: &Voices) -> Result<Vec<Claim>> {
        if let Some(who) = &self.voice {
            return Ok(vec![consented::claim(who, voices.used(), &self.sound)?]);
        }
        for recording in voices.both() {
            consented::refuse_unwilling(&self.safeguards, recording, &self.weights, &self.sound)?;
        }
        Ok(Vec::new())
    }
}

/// Makes the person in `job.portrait` speak what is said in `job.sound`, and writes a marked clip as long as the
/// sound.
///
/// # Errors
/// When a consent is missing, the person is not in the portrait, the portrait is too far from frontal, nobody
/// speaks in the sound, or anything cannot be read, drawn or written. No output is left then, unless it is only the
/// quality card that cannot be written.
pub fn speak(job: &SpeakJob, progress: &mut dyn Progress) -> Result<Spoken> {
    job.check()?;
    let begun = making::begin(making_of(job))?;
    if let Some(who) = &job.voice {
        job.safeguards.check_named(who, Use::Speech)?;
    }
    let networks = Networks::load(&job.weights, job.device)?;
    let rig = Rig::load(&job.weights)?;
    let cast = begun.find(&job.subject, &networks, progress)?;
    let (picture, points) = portrait::find(&job.portrait, cast.chosen(), &networks, progress)?;
    note_other_sounds(&job.sound, progress)?;
    let (heard, voices) = hear(&job.sound, job.range, &networks, progress)?;
    let allowed = cast.allow(job.voice_claims(&voices)?)?;
    let (moments, said) = perform(job, &heard)?;
    let mut measuring = SpokenMeasuring::new(&networks, allowed.template(&job.subject)?)?;
    let mut portrait = Portrait::new(&rig, &picture, &points);
    let animating = Animating {
        timing: Timing::Sound {
            rate: job.rate,
            sound: &job.sound,
        },
        range: job.range,
        moments: &moments,
        draw: &mut |index, moment| {
            let movement = match &moment.pose {
                Some(pose) => movement(pose, &said[index], portrait.pose()),
                None => Movement::default(),
            };
            Ok(Posed {
                picture: portrait.draw(&movement),
                points: portrait.points(&movement),
            })
        },
        measure: &mut |index, posed| measuring.take(&posed.picture, &posed.points, &said[index]),
        title: format!("{} speaks", job.subject),
        model: None,
    };
    let (marked, took_secs) = allowed.animate(animating, progress)?;
    let quality = measuring.finish();
    Ok(Spoken {
        quality_path: quality.write_beside(&job.output)?,
        quality,
        marked,
        n_frames: moments.len() as u64,
        took_secs,
    })
}

fn making_of(job: &SpeakJob) -> Making<'_> {
    Making {
        target: &job.portrait,
        output: &job.output,
        form: Form::File,
        fps: None,
        range: TimeRange::default(),
        view: View::Result,
        damage: Damage::Ends,
        usage: Use::Speech,
        safeguards: &job.safeguards,
    }
}

/// Ticks of a second: whole frames of every usual rate.
const TICKS: i32 = 90_000;

/// What the face does in every frame, and what is said in it.
fn perform(job: &SpeakJob, heard: &Heard) -> Result<(Vec<Moment>, Vec<Said>)> {
    let TimeRange { from_secs, to_secs } = job.range;
    let sound_secs = heard.utterance.secs;
    if sound_secs <= from_secs {
        return Err(Error::BeyondEnd {
            asked_secs: from_secs,
            clip_secs: Some(sound_secs),
            path: job.sound.clone(),
        });
    }
    let frame_secs = 1.0 / job.rate.to_f64();
    let to_secs = to_secs.map_or(sound_secs, |to_secs| to_secs.min(sound_secs));
    // A frame that the sound still reaches into; a hair less, so that rounding adds none.
    let n = ((to_secs - from_secs) / frame_secs - 1e-6).ceil().max(1.0);
    let mut lips = Lips::new(heard, frame_secs);
    let (SpokenHead::Lives { seed } | SpokenHead::Stays { seed }) = job.head;
    let mut alive = Alive::new(&heard.face, seed);
    let moment = |i: usize| {
        let into_secs = i as f64 * frame_secs;
        let secs = from_secs + into_secs;
        let said = lips.at(secs - job.offset_secs);
        let mut weights = said.weights;
        let lids = alive.lids(into_secs);
        for (weight, name) in weights.iter_mut().zip(EXPRESSIONS) {
            if name.starts_with("eyeBlink") {
                *weight = lids;
            }
        }
        let head = match job.head {
            SpokenHead::Lives { .. } => alive.head(into_secs, said.speaks),
            SpokenHead::Stays { .. } => Default::default(),
        };
        let pose = Pose {
            weights,
            gaze: [Gaze::default(); 2],
            head,
            residual: 0.0,
        };
        let ticks = (secs * f64::from(TICKS)).round() as i64;
        let time = Timestamp::new(ticks, Rational::new(1, TICKS));
        let moment = Moment {
            time,
            pose: Some(pose),
            clip: 0,
        };
        (moment, said)
    };
    Ok((0..n as usize).map(moment).unzip())
}

/// What the portrait is to do: what is asked, on top of what it keeps of its own expression; lids go the rest of the
/// way down.
fn movement(asked: &Pose, said: &Said, portrait: &Pose) -> Movement {
    let weights: [f32; N_EXPRESSIONS] = std::array::from_fn(|i| {
        let (asked, own) = (asked.weights[i], portrait.weights[i]);
        match EXPRESSIONS[i] {
            name if name.starts_with("eyeBlink") => asked * (1.0 - own),
            name => asked - own * (1.0 - said.keeps(name)),
        }
    });
    Movement {
        weights,
        turn: asked.head.rotation,
        shift: [asked.head.shift[0], asked.head.shift[1]],
        ..Movement::default()
    }
}

/// What a result is called when no name is given: `NAME-speaks.mp4` beside the portrait.
pub fn default_output(portrait: &Path) -> PathBuf {
    named_after(portrait, "-speaks", "mp4")
}
