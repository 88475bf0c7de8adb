//! Who or what moves the portrait.

use std::path::{Path, PathBuf};

use effigy_face::rig::Rig;
use effigy_files::is_picture;
use effigy_frame::Rational;
use effigy_mark::consent::{Audience, Claim, Seen, Template, Use};
use effigy_media::{Limits, probe};

use super::curves::{self, Curves};
use super::{Drive, PuppetJob};
use crate::error::{Error, Result};
use crate::steps::consent::voices::{claim as voice_claim, refuse_unwilling};
use crate::steps::consent::{claim, same_person};
use crate::steps::footage::Clips;
use crate::steps::making::Timing;
use crate::steps::networks::Networks;
use crate::steps::people::{Chosen, cluster_identities};
use crate::steps::performance::{Moment, performance};
use crate::steps::progress::Progress;
use crate::steps::voices::{Voices, VoicesListener, each_block, note_other_sounds};

/// Who or what moves the portrait.
pub(super) enum Driver {
    /// A person in clips that follow one another.
    Seen {
        clips: Box<Clips>,
        chosen: Box<Chosen>,
        /// Frames a second of the fastest.
        rate: Rational,
        /// Whether the result has the sound of the clip.
        with_sound: bool,
    },
    /// Numbers in files.
    Written(Curves),
}

impl Driver {
    /// Finds who moves in clips, or reads what is written.
    pub(super) fn find(
        job: &PuppetJob,
        networks: &Networks,
        progress: &mut dyn Progress,
    ) -> Result<Self> {
        let paths = match &job.drive {
            Drive::Clips(paths) => paths,
            Drive::Curves { files, rate } => return Ok(Self::Written(curves::read(files, *rate)?)),
        };
        let path = || job.drive.path();
        let rate = fastest(paths)?;
        let mut clips = Clips::whole(paths.clone());
        // What the driver does at rest is learned from the whole clip where one frame of it is wanted.
        if paths.len() == 1 && !is_picture(&job.output) {
            clips.from_secs = job.range.from_secs;
            clips.to_secs = job.range.to_secs;
        }
        progress.begin("looking for the driver", clips.n_frames());
        let clusters = cluster_identities(&clips, networks, progress)?;
        let template = match &job.driver {
            Some(driver) => {
                let keys = job.safeguards.open_keys()?;
                Some(job.safeguards.template(&keys, driver, Use::Drive)?)
            }
            None => None,
        };
        let scale = networks.weights.identity_scale();
        let chosen = clusters.choose(template.as_ref(), &scale);
        let chosen = chosen.ok_or_else(|| Error::NoFace { path: path() })?;
        if job.driver.is_none() && !chosen.others.is_empty() {
            return Err(Error::SeveralDrivers {
                n: 1 + chosen.others.len(),
                path: path(),
            });
        }
        if 1 < paths.len() {
            progress.note("several clips drive: the result has no sound");
        }
        Ok(Self::Seen {
            clips: Box::new(clips),
            chosen: Box::new(chosen),
            rate,
            with_sound: goes_along(job, networks, progress)?,
        })
    }

    /// Whose movement it is: whoever is named must consent.
    pub(super) fn claim(&self, job: &PuppetJob) -> Option<Claim> {
        let who = job.driver.as_ref()?;
        Some(match self {
            Self::Seen { chosen, .. } => claim(who, &chosen.identities, Use::Drive),
            Self::Written(_) => Claim {
                who: who.clone(),
                seen: Seen::Movement,
                usage: Use::Drive,
            },
        })
    }

    /// What they look like, where they are seen.
    pub(super) fn template(&self) -> Option<Template> {
        let Self::Seen { chosen, .. } = self else {
            return None;
        };
        let vectors: Vec<_> = chosen.identities.iter().map(|face| face.0).collect();
        Template::from_faces(&vectors)
    }

    /// What is done, frame by frame.
    pub(super) fn perform(
        &self,
        rig: &Rig,
        networks: &Networks,
        progress: &mut dyn Progress,
    ) -> Result<Vec<Moment>> {
        match self {
            Self::Seen { clips, chosen, .. } => performance(rig, clips, chosen, networks, progress),
            Self::Written(curves) => Ok(curves.moments.clone()),
        }
    }

    /// What the result has its times from.
    pub(super) fn timing(&self) -> Timing<'_> {
        match self {
            Self::Seen {
                clips,
                rate,
                with_sound,
                ..
            } => match &clips.paths[..] {
                [clip] => Timing::Clip {
                    clip,
                    with_sound: *with_sound,
                },
                clips => Timing::Clips(clips, *rate),
            },
            Self::Written(curves) => Timing::Rate(curves.rate),
        }
    }
}

/// Whether the sound of the driver's clip goes along: not where somebody is heard who did not agree to it, or, in what is
/// published, whose voice is not the driver's by their consent to speech. Says so where it does not.
fn goes_along(job: &PuppetJob, networks: &Networks, progress: &mut dyn Progress) -> Result<bool> {
    let Drive::Clips(clips) = &job.drive else {
        return Ok(false);
    };
    let [clip] = &clips[..] else {
        return Ok(false);
    };
    let info = probe(clip, &Limits::default()).map_err(Error::at(clip))?;
    if is_picture(&job.output) || info.audio.is_none() {
        return Ok(false);
    }
    note_other_sounds(clip, progress)?;
    let voice_networks = networks.voices()?;
    let mut listener = VoicesListener::new(&voice_networks, job.range);
    each_block(clip, &Limits::default(), progress, &mut |block| {
        listener.hear(block)
    })?;
    let voices = listener.finish();
    if voices.both().all(|recording| recording.speech.is_empty()) {
        return Ok(true);
    }
    let Err(why) = agreed(job, &voices, clip) else {
        return Ok(true);
    };
    progress.note(&format!("the result has no sound: {why}"));
    Ok(false)
}

/// Refuses voices that may not go along.
fn agreed(job: &PuppetJob, voices: &Voices, clip: &Path) -> Result<()> {
    let safeguards = &job.safeguards;
    for recording in voices.both() {
        refuse_unwilling(safeguards, recording, &job.weights, clip)?;
    }
    if let (Audience::Publish, Some(driver)) = (safeguards.audience, &job.driver) {
        let theirs = [voice_claim(driver, voices.used(), clip)?];
        let same = same_person(&job.weights);
        safeguards.require(&safeguards.open_keys()?, &theirs, Use::Speech, same)?;
    }
    Ok(())
}

/// The rate of the fastest clip.
fn fastest(clips: &[PathBuf]) -> Result<Rational> {
    let mut fastest = Rational::new(1, 1);
    for clip in clips {
        let no_video = || Error::NoInput { path: clip.clone() };
        let info = probe(clip, &Limits::default()).map_err(Error::at(clip))?;
        let rate = info.video.ok_or_else(no_video)?.frame_rate;
        if fastest.to_f64() < rate.to_f64() {
            fastest = rate;
        }
    }
    Ok(fastest)
}
