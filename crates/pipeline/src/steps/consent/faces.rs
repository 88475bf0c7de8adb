//! Faces for consent: of the person who consents, and of those a clip shows.

use std::path::{Path, PathBuf};

use effigy_face::recognise::TooLittle;
use effigy_frame::Point2;
use effigy_mark::UtcTime;
use effigy_media::{Limits, probe};
use effigy_model::{Identity, Weights};

use crate::error::{Error, Result};
use crate::steps::footage::Clips;
use crate::steps::inputs::refuse_videos_in;
use crate::steps::networks::Networks;
use crate::steps::people::cluster_identities;
use crate::steps::progress::Progress;

/// Faces of one person in pictures and clips.
#[derive(Clone, Debug)]
pub struct SubjectFaces {
    /// Identity vectors of crops spread over them.
    pub identities: Vec<Identity>,
    /// In which input each other person is first seen, who is seen as well.
    pub others: Vec<PathBuf>,
}

/// Collects the faces of the person seen most in `inputs`.
///
/// # Errors
/// When an input cannot be read, none shows a face, or the face says too little of who it is.
pub fn subject_faces(
    inputs: &[PathBuf],
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<SubjectFaces> {
    inputs
        .iter()
        .try_for_each(|input| refuse_videos_in(input))?;
    let clips = Clips::whole(inputs.to_vec());
    progress.begin("identifying the person", None);
    let seen = cluster_identities(&clips, networks, progress)?;
    let chosen = seen.choose(None, &networks.weights.identity_scale());
    let chosen = chosen.filter(|chosen| !chosen.identities.is_empty());
    let path = || {
        let first = inputs.first().map_or(Path::new(""), PathBuf::as_path);
        first.to_owned()
    };
    let chosen = chosen.ok_or_else(|| Error::NoFace { path: path() })?;
    if let Some(why) = chosen.too_little {
        return Err(Error::TooLittle { why, path: path() });
    }
    Ok(SubjectFaces {
        identities: chosen.identities,
        others: chosen
            .others
            .iter()
            .map(|other| inputs[other.clip].clone())
            .collect(),
    })
}

/// A face of a clip.
#[derive(Clone, Debug)]
pub struct ShownFace {
    /// Its mean identity.
    pub identity: Identity,
    /// When it is first seen, in seconds.
    pub from_secs: f64,
    /// The middle of the face then, in pixels.
    pub place: Point2,
    /// Why it says too little of who it is, where it does.
    pub too_little: Option<TooLittle>,
}

/// Collects the faces of all people in a clip, one for each track.
///
/// # Errors
/// When the clip cannot be read.
pub fn faces_shown(
    input: &Path,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<Vec<ShownFace>> {
    refuse_videos_in(input)?;
    let clips = Clips::whole(vec![input.to_owned()]);
    progress.begin("identifying the people", None);
    let seen = cluster_identities(&clips, networks, progress)?;
    let faces = seen.tracks.iter().filter_map(|track| {
        Some(ShownFace {
            identity: Identity::mean(&track.identities)?,
            from_secs: track.from_secs,
            place: track.place,
            too_little: track.too_little,
        })
    });
    Ok(faces.collect())
}

/// Whether `input` is a video of at least two seconds that was recorded within the last day, by its
/// own metadata or its file's: people can film themselves on the spot, while pictures of others are
/// easy to find.
///
/// # Errors
/// When it cannot be read.
pub fn is_fresh_clip(input: &Path, now: UtcTime) -> Result<bool> {
    const LEAST_SECS: f64 = 2.0;
    const DAY_SECS: i64 = 86_400;
    const HOUR_SECS: i64 = 3600;
    let info = probe(input, &Limits::default()).map_err(Error::at(input))?;
    let is_clip = info.container != "pictures"
        && info.video.is_some()
        && info.duration_secs.is_some_and(|secs| LEAST_SECS <= secs);
    // Cameras write `2026-11-23T09:00:00.000000Z`.
    let said = info.creation_time.as_deref();
    let said = said.and_then(|text| text.split_once('.').map_or(text, |(t, _)| t).get(..19));
    let said = said.and_then(|text| format!("{text}Z").parse::<UtcTime>().ok());
    let recorded = said.map(UtcTime::unix_secs).or_else(|| {
        let modified = std::fs::metadata(input).ok()?.modified().ok()?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    });
    let age = recorded.map(|recorded| now.unix_secs() - recorded);
    Ok(is_clip && age.is_some_and(|age| (-HOUR_SECS..DAY_SECS).contains(&age)))
}

/// Similarity from which a face is surely that of the person in a consent.
pub fn surely_from(weights: &Weights) -> f32 {
    weights.identity_scale().strict().similarity
}
