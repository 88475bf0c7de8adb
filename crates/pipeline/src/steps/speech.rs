//! From sound to what a face does, never to pixels: phones, then lips, with the rules that viewers see, and a head and
//! lids that live.

mod alive;
mod lips;

use std::path::Path;

use effigy_frame::TimeRange;
use effigy_media::Limits;
use effigy_model::{PhoneScorer, SpokenFace};
use effigy_sound::{PhoneListener, Utterance};

use crate::error::{Error, Result};
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;
use crate::steps::voices::{ComparedVoice, Voices, VoicesListener, each_block};
pub(crate) use alive::Alive;
pub(crate) use lips::{Lips, Said};

/// What was heard of a file, and what its phones are told by.
pub(crate) struct Heard {
    pub(crate) utterance: Utterance,
    pub(crate) scorer: PhoneScorer,
    pub(crate) face: SpokenFace,
}

/// Less sound than this says little.
const SHORT_SECS: f64 = 1.0;

/// Listens to the sound of a file, once for what is said, and who says it there and in the part that is `used`.
///
/// # Errors
/// When it cannot be read, has no sound, or nobody speaks in it.
pub(crate) fn hear(
    path: &Path,
    used: TimeRange,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<(Heard, Voices)> {
    let voice_networks = networks.voices()?;
    let mut listener = PhoneListener::new(&voice_networks.activity);
    let mut voices = VoicesListener::new(&voice_networks, used);
    each_block(path, &Limits::default(), progress, &mut |block| {
        listener.hear(block)?;
        voices.hear(block)
    })?;
    let utterance = listener.finish();
    if utterance.speech.is_empty() || utterance.n_moments() == 0 {
        return Err(Error::NobodySpeaks {
            path: path.to_owned(),
        });
    }
    let voices = voices.finish();
    for note in notes(&ComparedVoice::of(voices.used())) {
        progress.note(note);
    }
    let heard = Heard {
        utterance,
        scorer: PhoneScorer::load(&networks.weights)?,
        face: SpokenFace::load(&networks.weights)?,
    };
    Ok((heard, voices))
}

/// What makes phones less sure.
fn notes(heard: &ComparedVoice) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if heard.is_clipped {
        notes.push("the sound is clipped: lips follow it less surely");
    }
    if heard.is_narrow {
        notes.push("the sound ends at 4 kHz, as a telephone's: lips follow it less surely");
    }
    if heard.secs < SHORT_SECS {
        notes.push("the sound is shorter than a second: lips follow it less surely");
    }
    notes
}

/// 0 up to 0, 1 from 1 on, smooth in between.
fn smooth(t: f64) -> f32 {
    let t = t.clamp(0.0, 1.0);
    (t * t * (3.0 - 2.0 * t)) as f32
}
