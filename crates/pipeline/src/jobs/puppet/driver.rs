//! Who or what moves the portrait.

use effigy_face::rig::Rig;
use effigy_files::is_picture;
use effigy_mark::consent::{Claim, Seen, Template, Use};

use super::curves::{self, Curves};
use super::{Drive, PuppetJob};
use crate::error::{Error, Result};
use crate::steps::consent::claim;
use crate::steps::footage::Clips;
use crate::steps::making::Timing;
use crate::steps::networks::Networks;
use crate::steps::people::{Chosen, cluster_identities};
use crate::steps::performance::{Moment, performance};
use crate::steps::progress::Progress;

/// Who or what moves the portrait.
pub(super) enum Driver {
    /// A person in a clip.
    Seen {
        clips: Box<Clips>,
        chosen: Box<Chosen>,
    },
    /// Numbers in files.
    Written(Curves),
}

impl Driver {
    /// Finds who moves in a clip, or reads what is written.
    pub(super) fn find(
        job: &PuppetJob,
        networks: &Networks,
        progress: &mut dyn Progress,
    ) -> Result<Self> {
        let clip = match &job.drive {
            Drive::Clip(clip) => clip,
            Drive::Curves { files, rate } => return Ok(Self::Written(curves::read(files, *rate)?)),
        };
        let mut clips = Clips::whole(vec![clip.clone()]);
        // What the driver does at rest is learned from the whole clip where one frame of it is wanted.
        if !is_picture(&job.output) {
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
        let chosen = chosen.ok_or_else(|| Error::NoFace { path: clip.clone() })?;
        if job.driver.is_none() && !chosen.others.is_empty() {
            return Err(Error::SeveralDrivers {
                n: 1 + chosen.others.len(),
                path: clip.clone(),
            });
        }
        Ok(Self::Seen {
            clips: Box::new(clips),
            chosen: Box::new(chosen),
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
            Self::Seen { clips, chosen } => performance(rig, clips, chosen, networks, progress),
            Self::Written(curves) => Ok(curves.moments.clone()),
        }
    }

    /// What the result has its times from.
    pub(super) fn timing(&self) -> Timing<'_> {
        match self {
            Self::Seen { clips, .. } => Timing::Clip(&clips.paths[0]),
            Self::Written(curves) => Timing::Rate(curves.rate),
        }
    }
}
