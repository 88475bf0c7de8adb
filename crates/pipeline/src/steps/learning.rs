//! Whose faces are learned from which clips: shared by training a face model and its driver.

use std::path::PathBuf;

use effigy_face::align::{MODEL_EXTENT, aligned_view};
use effigy_face::landmarks::eye_distance;
use effigy_face::pose::pose;
use effigy_files::is_unread_media;
use effigy_frame::{Point3, Similarity};
use effigy_mark::Keys;
use effigy_mark::consent::Use;

use crate::error::{Error, Result};
use crate::steps::consent::Safeguards;
use crate::steps::footage::{AtDamage, Clips};
use crate::steps::inputs;
use crate::steps::networks::Networks;
use crate::steps::people::{Chosen, Sight, cluster_identities};
use crate::steps::progress::Progress;

/// More faces of one person teach nothing new and fill the memory.
pub(crate) const MOST_FACES: u64 = 1500;
/// Faces turned further than this show too little.
const MOST_YAW_DEGREES: f32 = 65.0;
/// Smaller faces hold less than the network could draw; in pixels between the outer eye corners.
const SMALLEST_EYE_DISTANCE_PX: f32 = 18.0;

/// What is known of a job that learns somebody.
#[derive(Clone, Copy)]
pub(crate) struct Learning<'a> {
    pub(crate) safeguards: &'a Safeguards,
    pub(crate) keys: &'a Keys,
    pub(crate) networks: &'a Networks,
    /// What their consent must cover.
    pub(crate) usage: Use,
}

impl Learning<'_> {
    /// Finds the faces of the person called `name` in their clips.
    ///
    /// # Errors
    /// When their consent does not hold, a clip cannot be read, or nobody there can be told to be them.
    pub(crate) fn find(
        &self,
        name: &str,
        files: &[PathBuf],
        progress: &mut dyn Progress,
    ) -> Result<(Clips, Chosen)> {
        let template = self.safeguards.template(self.keys, name, self.usage)?;
        let inputs = inputs::expand(files)?;
        let paths = inputs.iter().map(|input| input.path().to_owned());
        let (unread, paths): (Vec<PathBuf>, Vec<PathBuf>) =
            paths.partition(|path| is_unread_media(path));
        for path in unread {
            progress.note(&format!("left out, its format is not read: {path:?}"));
        }
        let clips = Clips {
            at_damage: AtDamage::IsNoted,
            ..Clips::whole(paths)
        };
        progress.begin(&format!("looking for {name}"), clips.n_frames());
        let clusters = cluster_identities(&clips, self.networks, progress)?;
        let path = || files[0].clone();
        let scale = self.networks.weights.identity_scale();
        let chosen = clusters.choose(Some(&template), &scale);
        let chosen = chosen.ok_or_else(|| Error::NoFace { path: path() })?;
        if let Some(why) = chosen.too_little {
            return Err(Error::TooLittle { why, path: path() });
        }
        if !chosen.others.is_empty() {
            progress.note(&others_in_words(name, &clips, &chosen));
        }
        Ok((clips, chosen))
    }
}

/// The view of a face that a model of `side` pixels learns from; `None` where it shows too little.
pub(crate) fn view_to_learn(points: &[Point3], side: u32) -> Option<Similarity> {
    let is_good = SMALLEST_EYE_DISTANCE_PX <= eye_distance(points)
        && pose(points).yaw.abs() < MOST_YAW_DEGREES;
    aligned_view(points, side, MODEL_EXTENT).filter(|_| is_good)
}

/// Says who else appears, and who is learned.
fn others_in_words(name: &str, clips: &Clips, chosen: &Chosen) -> String {
    let other = |other: &Sight| {
        let clip = clips.paths[other.clip].file_name().unwrap_or_default();
        format!(
            "one in {} frames of {}, from {:.1} s on",
            other.n_frames,
            clip.to_string_lossy(),
            other.from_secs
        )
    };
    let others: Vec<String> = chosen.others.iter().map(other).collect();
    format!(
        "other people appear in the clips of {name} and are left out: {}. {name} is taken to be the \
         person most similar to the pictures in the consent; if that is wrong, give clips of {name} \
         alone",
        others.join("; "),
    )
}
