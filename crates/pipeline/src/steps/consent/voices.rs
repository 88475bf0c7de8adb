//! Voices for consent: of the person who consents, and of those who are heard.

use std::path::{Path, PathBuf};

use effigy_mark::consent::{
    Claim, Record, Seen, Standing, Store, Use, VOICE_LENGTH, VoiceTemplate,
};
use effigy_media::{Limits, n_sounds};
use effigy_model::Weights;
use effigy_model::weights::VoiceScale;
use effigy_sound::{Networks, Recording, Speaker};

use super::Safeguards;
use crate::error::{Error, Result};
use crate::steps::progress::Progress;
use crate::steps::voices::{ComparedVoice, listen};

/// Listens to recordings in which one person speaks alone.
///
/// # Errors
/// When one cannot be read, has too little speech or another voice as well, or they do not sound like one
/// person.
pub fn subject_voice(
    inputs: &[PathBuf],
    networks: &Networks,
    scale: &VoiceScale,
    progress: &mut dyn Progress,
) -> Result<VoiceTemplate> {
    let mut voices = Vec::new();
    for path in inputs {
        let n = n_sounds(path, &Limits::default()).map_err(Error::at(path))?;
        if 1 < n {
            let path = path.clone();
            return Err(Error::SeveralSounds { n, path });
        }
        let recording = listen(path, &Limits::default(), networks, progress)?;
        let compared = ComparedVoice::of(&recording);
        let too_little = |why: String| Error::TooLittleSpeech {
            why,
            path: path.clone(),
        };
        if let Some(why) = compared.too_little {
            return Err(too_little(why.to_string()));
        }
        if let Some(other) = compared.others.first().and_then(|other| other.first()) {
            return Err(Error::AnotherVoice {
                at_secs: other.from_secs,
                path: path.clone(),
            });
        }
        let voice = leading(&recording).ok_or_else(|| too_little("nobody speaks".to_owned()))?;
        let unlike = VoiceTemplate::from_voices(&voices)
            .is_some_and(|known| known.similarity(&voice) < scale.usual().similarity);
        if unlike {
            return Err(Error::UnlikeVoice { path: path.clone() });
        }
        voices.push(voice);
    }
    VoiceTemplate::from_voices(&voices).ok_or_else(|| Error::TooLittleSpeech {
        why: "nobody speaks".to_owned(),
        path: inputs.first().cloned().unwrap_or_default(),
    })
}

/// The numbers of the voice that speaks most.
fn leading(recording: &Recording) -> Option<[f32; VOICE_LENGTH]> {
    recording
        .speakers
        .first()
        .map(|leading| *leading.voice.values())
}

/// A claim that it is `who` that speaks.
///
/// # Errors
/// When `recording` says too little of who speaks, or more than one voice is heard.
pub fn claim(who: &str, recording: &Recording, path: &Path) -> Result<Claim> {
    let compared = ComparedVoice::of(recording);
    if let Some(other) = compared.others.first().and_then(|other| other.first()) {
        return Err(Error::AnotherVoice {
            at_secs: other.from_secs,
            path: path.to_owned(),
        });
    }
    let voice = match (compared.too_little, leading(recording)) {
        (None, Some(voice)) => voice,
        (why, _) => {
            return Err(Error::TooLittleSpeech {
                why: why.map_or_else(|| "nobody speaks".to_owned(), |why| why.to_string()),
                path: path.to_owned(),
            });
        }
    };
    Ok(Claim {
        who: who.to_owned(),
        seen: Seen::Voice(Box::new(voice)),
        usage: Use::Speech,
    })
}

/// Refuses a recording in which somebody is heard whose voice is on record and who did not agree to speech for
/// this audience: a voice is not borrowed without a word.
///
/// # Errors
/// When there is such a voice, or a record cannot be read.
pub fn refuse_unwilling(
    safeguards: &Safeguards,
    recording: &Recording,
    weights: &Weights,
    path: &Path,
) -> Result<()> {
    let keys = safeguards.open_keys()?;
    let store = Store::open(&safeguards.consents, &keys);
    let now = safeguards.clock.now();
    let alike_from = weights.voice_scale().strict().similarity;
    for Speaker { voice, .. } in &recording.speakers {
        let known = store.with_voice(voice.values(), alike_from)?;
        let Some((record, _)) = known.first() else {
            continue;
        };
        // Whoever sounds alike and agreed speaks for nobody else.
        let name = |record: &Record| record.subject.to_lowercase();
        let theirs = known
            .iter()
            .filter(|(other, _)| name(other) == name(record));
        let mut agrees = false;
        for (record, _) in theirs {
            let holds = store.standing(record, now)? == Standing::Valid;
            agrees |= holds && record.covers(Use::Speech, safeguards.audience);
        }
        if !agrees {
            return Err(Error::UnwillingVoice {
                subject: record.subject.clone(),
                id: record.id.to_string(),
                path: path.to_owned(),
            });
        }
    }
    Ok(())
}
