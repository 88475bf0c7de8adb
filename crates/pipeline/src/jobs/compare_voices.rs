//! The job `match --voice`: does the same person speak in two recordings?
//!
//! Of each input the voice that speaks most is compared, by the mean over its windows of 1.6 s.

use std::path::PathBuf;

use effigy_media::Limits;
use effigy_model::weights::VoiceScale;
use effigy_sound::{Networks, Speaker};

use crate::error::Result;
use crate::steps::likeness::{MatchLikeness, Measured};
use crate::steps::progress::Progress;
use crate::steps::voices::{ComparedVoice, listen};

/// Two recordings to compare.
#[derive(Clone, Debug)]
pub struct VoiceMatchJob {
    /// Sound files, or clips with sound.
    pub inputs: [PathBuf; 2],
    /// How much a file may ask of us.
    pub limits: Limits,
}

/// How alike the two voices are.
#[derive(Clone, Debug)]
pub struct VoiceMatchReport {
    /// By [`effigy_model::Voice::similarity`]; `None` where nobody speaks.
    pub likeness: Option<MatchLikeness>,
    /// What was compared, for each input.
    pub compared: [ComparedVoice; 2],
}

impl VoiceMatchJob {
    /// Compares two inputs with usual settings.
    pub fn new(a: PathBuf, b: PathBuf) -> Self {
        Self {
            inputs: [a, b],
            limits: Limits::default(),
        }
    }
}

/// Compares the voices that speak most in two inputs.
///
/// # Errors
/// When an input cannot be read or has no sound, or `progress` asks to stop.
pub fn match_voices(
    job: &VoiceMatchJob,
    networks: &Networks,
    scale: &VoiceScale,
    progress: &mut dyn Progress,
) -> Result<VoiceMatchReport> {
    let [a, b] = &job.inputs;
    let a = listen(a, &job.limits, networks, progress)?;
    let b = listen(b, &job.limits, networks, progress)?;
    let compared = [ComparedVoice::of(&a), ComparedVoice::of(&b)];
    let tells = compared.iter().all(|input| input.too_little.is_none());
    let likeness = |(a, b): (&Speaker, &Speaker)| {
        let similarity = a.voice.similarity(&b.voice);
        let likeness = MatchLikeness::of(Measured::of_voices(similarity, scale), tells);
        likeness.by_one_telephone(compared.each_ref().map(|input| input.is_narrow))
    };
    Ok(VoiceMatchReport {
        likeness: a.speakers.first().zip(b.speakers.first()).map(likeness),
        compared,
    })
}
