//! What is heard of a file: who speaks when, and whether it sounds like the person of the references.

use effigy_detect::CueKind;
use effigy_detect::note::{Note, Role};
use effigy_detect::report::{Heard, HeardVoice, VoiceLikeness};
use effigy_media::Info;
use effigy_model::weights::VoiceScale;
use effigy_sound::{Recording, Speaker, Stretch};

use super::ScanJob;
use super::references::KnownVoice;
use crate::error::{Error, Result};
use crate::steps::likeness::{MatchLikeness, MatchVerdict, Measured};
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;
use crate::steps::voices::{ComparedVoice, TooLittleSpeech, listen};

/// Whether the voice is that of the references.
pub(super) type Said = (Note, Option<VoiceLikeness>);

/// Listens to a clip where there is a voice to compare with. Sound that cannot be read is not judged; the
/// picture is judged all the same.
pub(super) fn of_clip(
    job: &ScanJob,
    info: &Info,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<(Option<Heard>, Option<Said>)> {
    let Some(known) = &job.voice else {
        return Ok((None, None));
    };
    let not_judged = |why: &str| (None, Some((Note::not_judged(CueKind::Voice, why), None)));
    if info.audio.is_none() {
        return Ok(not_judged("there is no sound"));
    }
    if known.voice.is_err() {
        return Ok((None, Some(unknown(known))));
    }
    match listen(&job.input, &job.limits, &networks.voices()?, progress) {
        Ok(recording) => {
            let said = compare(known, &recording, &networks.weights.voice_scale());
            Ok((Some(heard(&recording)), Some(said)))
        }
        Err(Error::Cancelled) => Err(Error::Cancelled),
        Err(error) => Ok(not_judged(&format!("the sound cannot be read ({error})"))),
    }
}

/// What is told of a recording.
pub(super) fn heard(recording: &Recording) -> Heard {
    let voice = |speaker: &Speaker| HeardVoice {
        secs: tenths(speaker.secs()),
        stretches: speaker.stretches.iter().map(stretch).collect(),
    };
    Heard {
        speech_secs: tenths(recording.speech_secs()),
        voices: recording.speakers.iter().map(voice).collect(),
    }
}

fn stretch(stretch: &Stretch) -> [f64; 2] {
    [tenths(stretch.from_secs), tenths(stretch.to_secs)]
}

fn tenths(secs: f64) -> f64 {
    (10.0 * secs).round() / 10.0
}

fn unknown(known: &KnownVoice) -> Said {
    let why = known.voice.as_ref().err().map_or("", String::as_str);
    let mut note = Note::not_judged(CueKind::Voice, why);
    append(&mut note, &known.left_out);
    (note, None)
}

fn append(note: &mut Note, sentences: &[String]) {
    for sentence in sentences {
        note.sentence = format!("{} {sentence}", note.sentence);
    }
}

/// What beats every comparison of voices.
const CLONES: &str = "A cloned voice may sound just like the person's: this counts in no verdict.";

/// Compares the voice that speaks most with that of the references.
pub(super) fn compare(known: &KnownVoice, recording: &Recording, scale: &VoiceScale) -> Said {
    let Ok(voice) = &known.voice else {
        return unknown(known);
    };
    let compared = ComparedVoice::of(recording);
    let likeness = recording.speakers.first().map(|leading| {
        let measured = Measured::of_voices(leading.voice.similarity(voice), scale);
        MatchLikeness::of(measured, compared.too_little.is_none())
            .by_one_telephone([compared.is_narrow, known.is_narrow])
    });
    let verdict = likeness.map_or(MatchVerdict::TooLittle, |likeness| likeness.verdict);
    let said = VoiceLikeness {
        verdict: verdict.name(),
        similarity: likeness.map(|likeness| digits(likeness.similarity)),
        threshold: digits(scale.usual().similarity),
        false_match_rate: digits(scale.usual().false_match_rate),
        speech_secs: tenths(compared.speech_secs()),
        reference_secs: tenths(known.secs),
        voices_not_compared: compared.others.len(),
    };
    let mut note = match (compared.too_little, &likeness) {
        (None, Some(likeness)) => {
            let sentence = format!(
                "{} ({:.1} s of speech, against {:.1} s): {}.",
                likes(verdict),
                said.speech_secs,
                said.reference_secs,
                likeness.evidence(),
            );
            let mut note = Note::words(CueKind::Voice, Role::Noted, sentence);
            append(&mut note, compared.reason().map(as_sentence).as_slice());
            append(&mut note, &others(said.voices_not_compared));
            append(&mut note, &[CLONES.to_owned()]);
            note
        }
        (why, _) => {
            let why = why.unwrap_or(TooLittleSpeech::None).to_string();
            Note::not_judged(CueKind::Voice, &why)
        }
    };
    append(&mut note, &known.left_out);
    (note, Some(said))
}

fn likes(verdict: MatchVerdict) -> &'static str {
    match verdict {
        MatchVerdict::Same => "The voice that speaks most sounds like the person of the references",
        MatchVerdict::Different => {
            "The voice that speaks most does not sound like the person of the references"
        }
        MatchVerdict::Uncertain | MatchVerdict::TooLittle => {
            "Whether the voice that speaks most is that of the person of the references is uncertain"
        }
    }
}

fn others(n: usize) -> Vec<String> {
    match n {
        0 => Vec::new(),
        1 => vec!["1 other voice was not compared.".to_owned()],
        n => vec![format!("{n} other voices were not compared.")],
    }
}

/// Begins with a capital letter and ends with a full stop.
fn as_sentence(words: String) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

/// The number with the fewest digits that means the same: 0.714, not 0.7139999866485596.
fn digits(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}
