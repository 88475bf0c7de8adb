//! The sequence of every job that makes something synthetic: keys, memory, who is seen, consent
//! for this use, driver, marked writer, quality card.
//!
//! Each step is a type that only the step before it gives, so that none can be left out:
//! [`begin`] opens the keys, [`Begun::find`] finds the performer, [`Cast::allow`] asks for
//! everyone's consent, and only [`Allowed::make`] draws and writes.

mod animate;
mod behind;
mod gaps;
mod write;

use std::path::{Path, PathBuf};
use std::time::Instant;

use effigy_files::{Existing, is_picture};
use effigy_frame::{Rational, TimeRange};
use effigy_mark::consent::{Claim, Match, Template, Token, Use};
use effigy_mark::{Keys, Marked, ModelName, media_type};
use effigy_media::{Info, Limits, probe, track_notes};
use effigy_render::Driver;

use crate::error::{Error, Result};
use crate::steps::consent::{Authorisation, Safeguards, claim, same_person};
use crate::steps::damage::{Damage, DamagedPlace};
use crate::steps::footage::Clips;
use crate::steps::inputs;
use crate::steps::memory;
use crate::steps::networks::Networks;
use crate::steps::people::{Chosen, Sight, cluster_identities};
use crate::steps::progress::Progress;
use crate::steps::quality::{Measuring, Quality};
pub(crate) use animate::{Animating, Posed, Timing};
use write::write;

/// What is made of which clip.
#[derive(Clone, Debug)]
pub(crate) struct Making<'a> {
    /// The clip in which a face is drawn.
    pub(crate) target: &'a Path,
    /// The marked result: a video, or a picture of the first frame in `range`.
    pub(crate) output: &'a Path,
    /// Whether that is a file, or a folder of frames.
    pub(crate) form: Form,
    /// Pictures a second, where the target is a sequence of pictures.
    pub(crate) fps: Option<Rational>,
    /// The part of the clip to work on.
    pub(crate) range: TimeRange,
    /// What the output shows.
    pub(crate) view: View,
    /// What to do about frames that cannot be read.
    pub(crate) damage: Damage,
    /// What is done with the faces: every consent must name it.
    pub(crate) usage: Use,
    /// Consent and marks.
    pub(crate) safeguards: &'a Safeguards,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A video, or a picture, as its name says.
    File,
    /// A folder of pictures, one for each of the target's; and what becomes of one that is there.
    Frames(Existing),
}

/// What an output shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// The result.
    #[default]
    Result,
    /// The target clip on the left, the result on the right.
    SideBySide,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Where the result is, and what it is marked with.
    pub marked: Marked,
    /// Frames drawn or copied.
    pub n_frames: u64,
    /// Frames in which a face was drawn.
    pub n_drawn: u64,
    /// Frames that could not be read and were left out, where that was asked for.
    pub damaged: Vec<DamagedPlace>,
    /// Seconds spent on all of it.
    pub took_secs: f64,
    /// What was reached.
    pub quality: Quality,
    /// Where that is written, for programs and for people.
    pub quality_paths: [PathBuf; 2],
}

/// Opens the keys, and refuses frames that there is no memory for.
///
/// # Errors
/// When the keys cannot be opened, the output can carry no credentials, the part lies behind the end of
/// the clip, or the frames do not fit.
pub(crate) fn begin(mut making: Making<'_>) -> Result<Begun<'_>> {
    let started = Instant::now();
    let keys = making.safeguards.open_signing_keys()?;
    if making.form == Form::File {
        // What can carry no credentials is refused before any work.
        media_type(making.output)?;
    }
    let mut clip_secs = None;
    // A clip that cannot be read is reported later, by what reads it.
    if let Ok(info) = probe(making.target, &Limits::default()) {
        check_memory(&making, &info)?;
        clip_secs = check_range(&mut making, &info)?;
    }
    Ok(Begun {
        making,
        keys,
        clip_secs,
        started,
    })
}

/// Refuses frames that there is no memory for.
fn check_memory(making: &Making<'_>, info: &Info) -> Result<()> {
    let Some(video) = &info.video else {
        return Ok(());
    };
    let n_beside = match making.view {
        View::Result => 1,
        View::SideBySide => 2,
    };
    memory::check_making(
        made_for(making.usage),
        n_beside * video.width,
        video.height,
        memory::available_bytes(),
    )
}

/// Refuses a part behind the end of the clip, and gives its length. A picture of a moment within the
/// last frame is one of that frame.
fn check_range(making: &mut Making<'_>, info: &Info) -> Result<Option<f64>> {
    let from_secs = making.range.from_secs;
    let clip_secs = length_within(making.target, from_secs, info)?;
    let (Some(clip_secs), Some(video)) = (clip_secs, &info.video) else {
        return Ok(clip_secs);
    };
    let last_secs = clip_secs - 1.0 / video.frame_rate.to_f64();
    if is_picture(making.output) && last_secs < from_secs {
        // A hair before, so that rounding does not miss it.
        making.range.from_secs = (last_secs - 1e-3).max(0.0);
    }
    Ok(Some(clip_secs))
}

/// Gives the length of a clip, where it is known; refuses a beginning that lies behind its end.
pub(crate) fn length_within(clip: &Path, from_secs: f64, info: &Info) -> Result<Option<f64>> {
    let video = info.video.as_ref();
    let clip_secs = video
        .and_then(|video| video.duration_secs)
        .or(info.duration_secs);
    if 0.0 < from_secs && clip_secs.is_some_and(|end| end <= from_secs) {
        return Err(Error::BeyondEnd {
            asked_secs: from_secs,
            clip_secs,
            path: clip.to_owned(),
        });
    }
    Ok(clip_secs)
}

/// What is made for a use, in words.
fn made_for(usage: Use) -> &'static str {
    match usage {
        Use::Swap => "a swap",
        Use::Puppet | Use::Drive => "a puppet",
        Use::Speech => "made speech",
        Use::Age => "another age",
        Use::TrainDetector => "a fake to train a detector with",
    }
}

/// A making job whose keys are open.
pub(crate) struct Begun<'a> {
    making: Making<'a>,
    keys: Keys,
    /// Length of the clip, where that is known.
    clip_secs: Option<f64>,
    started: Instant,
}

impl<'a> Begun<'a> {
    /// Finds `performer`, the name or identifier in a consent, in the clip.
    ///
    /// # Errors
    /// When their consent does not hold, the clip cannot be read, they are not seen in it, or it is
    /// uncertain which of several people they are.
    pub(crate) fn find(
        self,
        performer: &str,
        networks: &Networks,
        progress: &mut dyn Progress,
    ) -> Result<Cast<'a>> {
        let making = &self.making;
        let notes = track_notes(making.target, making.output, &Limits::default())?;
        for note in notes
            .iter()
            .chain(&inputs::left_out_of_frames(making.target))
        {
            progress.note(note);
        }
        let clips = Clips {
            from_secs: making.range.from_secs,
            to_secs: making.last_moment(),
            at_damage: making.damage.into(),
            rate: making.rate(),
            ..Clips::whole(vec![making.target.to_owned()])
        };
        if let (Some(to_secs), Some(clip_secs)) = (making.range.to_secs, self.clip_secs)
            && clip_secs < to_secs
        {
            progress.note(&format!(
                "the clip is {clip_secs:.2} s long and ends before {to_secs:.2} s"
            ));
        }
        let usage = making.usage;
        let (template, basis) = making.safeguards.likeness(&self.keys, performer, usage)?;
        progress.begin(&format!("looking for {performer}"), clips.n_frames());
        let clusters = cluster_identities(&clips, networks, progress)?;
        if clusters.n_frames == 0 && 0.0 < making.range.from_secs {
            return Err(making.beyond_end(None));
        }
        let scale = networks.weights.identity_scale();
        let path = || making.target.to_owned();
        let chosen = clusters
            .choose(Some(&template), &scale)
            .ok_or_else(|| Error::NoFace { path: path() })?;
        if let Some(why) = chosen.too_little {
            return Err(Error::TooLittle { why, path: path() });
        }
        let same = same_person(&networks.weights);
        making.check_who(
            performer,
            &chosen,
            [same.least(basis), scale.usual().similarity],
        )?;
        Ok(Cast {
            performer: performer.to_owned(),
            begun: self,
            clips,
            chosen,
            same,
        })
    }
}

impl Making<'_> {
    /// Pictures a second, where the target is a sequence of pictures.
    fn rate(&self) -> Rational {
        self.fps.unwrap_or(USUAL_RATE)
    }

    fn beyond_end(&self, clip_secs: Option<f64>) -> Error {
        Error::BeyondEnd {
            asked_secs: self.range.from_secs,
            clip_secs,
            path: self.target.to_owned(),
        }
    }

    /// Refuses somebody less alike to the performer than `least`, and others seen who could be them, alike by
    /// `alike` or more.
    fn check_who(&self, performer: &str, chosen: &Chosen, [least, alike]: [f32; 2]) -> Result<()> {
        let is_at_least = |sight: &Sight, least| sight.similarity.is_some_and(|s| least <= s);
        if !is_at_least(&chosen.sight, least) {
            return Err(Error::NotSeen {
                who: performer.to_owned(),
                seen: in_words(chosen),
                path: self.target.to_owned(),
            });
        }
        if chosen.others.iter().any(|other| is_at_least(other, alike)) {
            return Err(Error::Uncertain {
                who: performer.to_owned(),
                seen: in_words(chosen),
                path: self.target.to_owned(),
            });
        }
        Ok(())
    }

    /// Until when the clip is read: for a picture just long enough to find out who is there.
    fn last_moment(&self) -> Option<f64> {
        let enough = self.range.from_secs + STILL_SECS;
        if is_picture(self.output) {
            Some(self.range.to_secs.map_or(enough, |to| to.min(enough)))
        } else {
            self.range.to_secs
        }
    }
}

/// Who is seen in a clip, the most similar first.
fn in_words(chosen: &Chosen) -> String {
    let mut seen: Vec<&Sight> = chosen.others.iter().chain([&chosen.sight]).collect();
    let similarity = |sight: &Sight| sight.similarity.unwrap_or(0.0);
    seen.sort_by(|a, b| similarity(b).total_cmp(&similarity(a)));
    let one = |(i, sight): (usize, &&Sight)| {
        let Sight {
            from_secs,
            place,
            n_frames,
            ..
        } = sight;
        format!(
            "person {} (similarity {:.3}, from {from_secs:.1} s in {n_frames} frames, first at {:.0},{:.0})",
            i + 1,
            similarity(sight),
            place.x,
            place.y,
        )
    };
    let all: Vec<String> = seen.iter().enumerate().map(one).collect();
    all.join(", ")
}

/// Pictures a second of a sequence of pictures that says nothing of it.
const USUAL_RATE: Rational = Rational { num: 25, den: 1 };

/// How much of a clip is read for a picture, in seconds.
const STILL_SECS: f64 = 1.0;

/// A making job whose performer was found in the clip.
pub(crate) struct Cast<'a> {
    begun: Begun<'a>,
    performer: String,
    clips: Clips,
    chosen: Chosen,
    /// When a face counts as the performer's.
    same: Match,
}

impl<'a> Cast<'a> {
    /// The performer, as they are seen in the target.
    pub(crate) fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    /// Checks that the performer, and the `others` whose faces or movements are used, consent to what
    /// is done with them.
    ///
    /// # Errors
    /// When any consent is missing, does not hold, or does not cover the use or the face.
    pub(crate) fn allow(self, others: Vec<Claim>) -> Result<Allowed<'a>> {
        let mut claims = others;
        claims.push(claim(
            &self.performer,
            &self.chosen.identities,
            self.begun.making.usage,
        ));
        let Begun { making, keys, .. } = &self.begun;
        let token = making
            .safeguards
            .require(keys, &claims, making.usage, self.same)?;
        Ok(Allowed { cast: self, token })
    }
}

/// A making job that everyone concerned consents to.
pub(crate) struct Allowed<'a> {
    cast: Cast<'a>,
    token: Token,
}

/// What an allowed making job draws with.
pub(crate) struct Drawing<'a> {
    /// Draws the faces.
    pub(crate) driver: &'a mut dyn Driver,
    /// Measures what is drawn.
    pub(crate) measuring: Measuring<'a>,
    /// Whose face is drawn, for the progress bar.
    pub(crate) title: String,
    /// The face model, where there is one.
    pub(crate) model: Option<ModelName>,
}

impl Allowed<'_> {
    /// What `who` looks like by their consent.
    ///
    /// # Errors
    /// When the consent does not hold.
    pub(crate) fn template(&self, who: &str) -> Result<Template> {
        let Begun { making, keys, .. } = &self.cast.begun;
        making.safeguards.template(keys, who, making.usage)
    }

    /// Draws, marks and writes every frame, and the quality card beside the result.
    ///
    /// # Errors
    /// When any frame cannot be read, drawn or written. No output is left then.
    pub(crate) fn make(
        self,
        mut drawing: Drawing<'_>,
        networks: &Networks,
        progress: &mut dyn Progress,
    ) -> Result<Made> {
        let Self { cast, token } = self;
        let Begun { making, keys, .. } = &cast.begun;
        let model = drawing.model.take();
        let parent = inputs::first_of(making.target)?;
        let policy = making.safeguards.policy(keys, Some(&parent), model);
        let authorisation = Authorisation {
            token: &token,
            policy: &policy,
        };
        let (marked, counts) = write(&cast, authorisation, &mut drawing, networks, progress)?;
        let (mut quality, samples) = drawing.measuring.finish();
        quality.n_damaged_places = counts.damaged.len() as u64;
        Ok(Made {
            n_frames: counts.n_frames,
            n_drawn: counts.n_drawn,
            damaged: counts.damaged,
            took_secs: cast.begun.started.elapsed().as_secs_f64(),
            quality_paths: quality.write_beside(&marked.path, &samples, authorisation)?,
            quality,
            marked,
        })
    }
}

#[cfg(test)]
mod tests;
