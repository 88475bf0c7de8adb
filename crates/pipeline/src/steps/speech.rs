//! From sound to what a face does, never to pixels: phones, then lips, with the rules that viewers see, and a head and
//! lids that live.

mod alive;
mod lips;

use std::path::Path;

use effigy_media::{AudioReader, Limits};
use effigy_model::{PhoneScorer, SpokenFace, VoiceActivity};
use effigy_sound::{PhoneListener, RATE_HZ, Utterance};

use crate::error::{Error, Result};
use crate::steps::inputs;
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;
pub(crate) use alive::Alive;
pub(crate) use lips::{Lips, Said};

/// What was heard of a file, and what its phones are told by.
pub(crate) struct Heard {
    pub(crate) utterance: Utterance,
    pub(crate) scorer: PhoneScorer,
    pub(crate) face: SpokenFace,
}

/// From this share of clipped samples on, they are noticed.
const MOST_CLIPPED: f32 = 1e-3;
/// A telephone's rate, and below.
const NARROW_HZ: u32 = 8000;
/// Less sound than this says little.
const SHORT_SECS: f64 = 1.0;

/// Listens to the sound of a file.
///
/// # Errors
/// When it cannot be read, has no sound, or nobody speaks in it.
pub(crate) fn hear(path: &Path, networks: &Networks, progress: &mut dyn Progress) -> Result<Heard> {
    if inputs::is_single_picture(path) {
        let path = path.to_owned();
        return Err(effigy_media::Error::NoAudio { path }.into());
    }
    progress.begin(&format!("listening to {path:?}"), None);
    let mut listener = PhoneListener::new(&VoiceActivity::load(&networks.weights)?);
    let limits = Limits::default();
    for block in AudioReader::open(path, RATE_HZ, &limits).map_err(Error::at(path))? {
        let heard = listener.hear(&block.map_err(Error::at(path))?);
        heard.map_err(|source| Error::Sound {
            source,
            path: path.to_owned(),
        })?;
        if progress.step().is_break() {
            return Err(Error::Cancelled);
        }
    }
    let utterance = listener.finish();
    if utterance.speech.is_empty() || utterance.n_moments() == 0 {
        return Err(Error::NobodySpeaks {
            path: path.to_owned(),
        });
    }
    let info = effigy_media::probe(path, &limits).map_err(Error::at(path))?;
    let rate_hz = info.audio.map(|audio| audio.sample_rate_hz);
    for note in notes(utterance.clipped_share, utterance.secs, rate_hz) {
        progress.note(note);
    }
    Ok(Heard {
        utterance,
        scorer: PhoneScorer::load(&networks.weights)?,
        face: SpokenFace::load(&networks.weights)?,
    })
}

/// What makes phones less sure.
fn notes(clipped_share: f32, secs: f64, rate_hz: Option<u32>) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if MOST_CLIPPED <= clipped_share {
        notes.push("the sound is clipped: lips follow it less surely");
    }
    if rate_hz.is_some_and(|hz| hz <= NARROW_HZ) {
        notes.push("the sound ends at 4 kHz, as a telephone's: lips follow it less surely");
    }
    if secs < SHORT_SECS {
        notes.push("the sound is shorter than a second: lips follow it less surely");
    }
    notes
}

/// 0 up to 0, 1 from 1 on, smooth in between.
fn smooth(t: f64) -> f32 {
    let t = t.clamp(0.0, 1.0);
    (t * t * (3.0 - 2.0 * t)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_phones_less_sure_is_said() {
        assert!(notes(0.0, 5.0, Some(16_000)).is_empty());
        assert!(notes(0.02, 5.0, Some(48_000))[0].contains("clipped"));
        assert!(notes(0.0, 5.0, Some(8_000))[0].contains("telephone"));
        assert!(notes(0.0, 0.7, Some(48_000))[0].contains("second"));
    }
}
