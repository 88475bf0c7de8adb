//! Genuine recordings of a person: how they look and move, and how they sound.

use std::path::{Path, PathBuf};

use effigy_detect::Person;
use effigy_media::{Limits, probe};
use effigy_model::Voice;
use effigy_model::weights::VoiceScale;
use effigy_sound::Networks as VoiceNetworks;

use crate::error::{Error, Result};
use crate::jobs::compare::person;
use crate::steps::inputs::is_single_picture;
use crate::steps::likeness::{MatchLikeness, MatchVerdict, Measured};
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;
use crate::steps::voices::{ComparedVoice, listen};

/// What is known of a person.
#[derive(Clone, Debug, Default)]
pub struct References {
    /// How they look and move; `None` where all references are sound alone.
    pub person: Option<Person>,
    /// How they sound; `None` without references.
    pub voice: Option<KnownVoice>,
}

/// How a person sounds.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownVoice {
    /// The mean over the references, or why there is none, as the end of a sentence.
    pub voice: Result<Voice, String>,
    /// How long they speak in the references that were taken.
    pub secs: f64,
    /// Whether most of that came by telephone.
    pub is_narrow: bool,
    /// References that say too little, in sentences.
    pub left_out: Vec<String>,
}

/// Looks at pictures, clips and sound files of a person, and listens to those with sound: of each the face
/// seen most and the voice that speaks most are taken.
///
/// # Errors
/// When a reference cannot be read, or has a picture and shows no face, or `progress` asks to stop. Of a clip
/// whose sound cannot be read the picture is taken.
pub fn references(
    paths: &[PathBuf],
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<References> {
    if paths.is_empty() {
        return Ok(References::default());
    }
    let limits = Limits::default();
    let (mut seen, mut heard) = (Vec::new(), Vec::new());
    for path in paths {
        let holds = Holds::of(path, &limits);
        if holds.sound {
            heard.push((path.as_path(), holds));
        }
        if holds.picture {
            seen.push(path.clone());
        }
    }
    Ok(References {
        person: person(&seen, networks, progress)?,
        voice: Some(known_voice(&heard, networks, progress)?),
    })
}

/// What a file holds.
#[derive(Clone, Copy, Debug)]
struct Holds {
    picture: bool,
    sound: bool,
}

impl Holds {
    /// What cannot be opened is taken for a picture: whoever reads it will say why.
    fn of(path: &Path, limits: &Limits) -> Self {
        let unknown = Self {
            picture: true,
            sound: false,
        };
        if !path.is_file() || is_single_picture(path) {
            return unknown;
        }
        probe(path, limits).map_or(unknown, |info| Self {
            picture: info.video.is_some() || info.audio.is_none(),
            sound: info.audio.is_some(),
        })
    }
}

/// One reference that says enough.
struct Heard<'a> {
    path: &'a Path,
    voice: Voice,
    secs: f64,
    is_narrow: bool,
}

fn known_voice(
    references: &[(&Path, Holds)],
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<KnownVoice> {
    let unknown = |why: &str, left_out| KnownVoice {
        voice: Err(why.to_owned()),
        secs: 0.0,
        is_narrow: false,
        left_out,
    };
    if references.is_empty() {
        return Ok(unknown("no reference has sound", Vec::new()));
    }
    let (mut taken, mut left_out) = (Vec::new(), Vec::new());
    let voices = networks.voices()?;
    for (path, holds) in references {
        match take(path, &voices, progress) {
            Ok(heard) => taken.push(heard),
            Err(NotTaken::For(why)) => {
                left_out.push(format!("{} is left out: {why}.", named(path)));
            }
            Err(NotTaken::Failed(Error::Cancelled)) => return Err(Error::Cancelled),
            Err(NotTaken::Failed(error)) if holds.picture => {
                left_out.push(format!("{} is left out: {error}.", named(path)));
            }
            Err(NotTaken::Failed(error)) => return Err(error),
        }
    }
    let scale = networks.weights.voice_scale();
    let unlike: Vec<String> = unlike(&taken, &scale).into_iter().map(named).collect();
    if !unlike.is_empty() {
        let why = format!(
            "the references do not sound like one person ({})",
            unlike.join(", ")
        );
        return Ok(unknown(&why, left_out));
    }
    let Some(voice) = Voice::mean(taken.iter().map(|heard| &heard.voice)) else {
        let why = "no reference has two seconds of speech by one voice";
        return Ok(unknown(why, left_out));
    };
    let secs = taken.iter().map(|heard| heard.secs).sum();
    let narrow = taken.iter().filter(|heard| heard.is_narrow);
    Ok(KnownVoice {
        voice: Ok(voice),
        is_narrow: 0.5 * secs < narrow.map(|heard| heard.secs).sum(),
        secs,
        left_out,
    })
}

/// Why a reference is not taken.
enum NotTaken {
    /// It says too little: the end of a sentence.
    For(String),
    /// It cannot be read.
    Failed(Error),
}

fn take<'a>(
    path: &'a Path,
    networks: &VoiceNetworks,
    progress: &mut dyn Progress,
) -> Result<Heard<'a>, NotTaken> {
    let recording =
        listen(path, &Limits::default(), networks, progress).map_err(NotTaken::Failed)?;
    let ComparedVoice {
        too_little,
        is_narrow,
        ..
    } = ComparedVoice::of(&recording);
    if let Some(why) = too_little {
        return Err(NotTaken::For(why.to_string()));
    }
    let leading = recording.speakers.into_iter().next();
    leading
        .map(|leading| Heard {
            path,
            secs: leading.secs(),
            voice: leading.voice,
            is_narrow,
        })
        .ok_or_else(|| NotTaken::For("nobody speaks".to_owned()))
}

/// The references that sound like somebody else than the others do together.
fn unlike<'a>(taken: &[Heard<'a>], scale: &VoiceScale) -> Vec<&'a Path> {
    let is_unlike = |i: usize| {
        let others = taken.iter().enumerate().filter(|&(other, _)| other != i);
        let others = Voice::mean(others.map(|(_, heard)| &heard.voice));
        others.is_some_and(|others| {
            let measured = Measured::of_voices(taken[i].voice.similarity(&others), scale);
            let is_mixed = taken.iter().any(|one| one.is_narrow != taken[0].is_narrow);
            let likeness = MatchLikeness::of(measured, true).by_one_telephone([false, is_mixed]);
            likeness.verdict == MatchVerdict::Different
        })
    };
    let unlike = (0..taken.len()).filter(|&i| is_unlike(i));
    unlike.map(|i| taken[i].path).collect()
}

/// The name of a file, without its folder.
fn named(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}
