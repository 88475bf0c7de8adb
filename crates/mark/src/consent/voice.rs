//! Voice templates: what a consenting person sounds like to the speaker network.

use crate::consent::Id;
use crate::consent::sealed::Network;
use crate::error::Result;

/// Numbers of a voice.
pub const VOICE_LENGTH: usize = 256;
/// The speaker network whose numbers a template holds, and the space that they lie in.
const NETWORK: Network = Network {
    name: b"\nresemblyzer-v1",
    earlier: &[],
};

/// The mean of a person's voice in one or several recordings, of length one.
#[derive(Clone, Debug, PartialEq)]
pub struct VoiceTemplate([f32; VOICE_LENGTH]);

impl VoiceTemplate {
    /// Averages the voice of one person in several recordings. `None` when there are none, or when they
    /// cancel out.
    pub fn from_voices(voices: &[[f32; VOICE_LENGTH]]) -> Option<Self> {
        let mut sum = [0.0_f32; VOICE_LENGTH];
        for voice in voices {
            let length = norm(voice);
            if length.is_finite() && length > f32::MIN_POSITIVE {
                for (total, value) in sum.iter_mut().zip(voice) {
                    *total += value / length;
                }
            }
        }
        let length = norm(&sum);
        (length > 1e-3).then(|| Self(sum.map(|value| value / length)))
    }

    /// Says how alike the person's voice and another are, up to 1: the cosine of the angle between the vectors, as
    /// the similarity of `effigy_model`'s voices.
    pub fn similarity(&self, voice: &[f32; VOICE_LENGTH]) -> f32 {
        let length = norm(voice);
        if length.is_nan() || length < f32::MIN_POSITIVE {
            return 0.0;
        }
        let dot: f32 = self.0.iter().zip(voice).map(|(a, b)| a * b).sum();
        (dot / length).min(1.0)
    }

    /// The vector.
    pub(super) fn values(&self) -> &[f32; VOICE_LENGTH] {
        &self.0
    }

    /// As the seal of an identity template.
    pub(super) fn seal(&self, key: &[u8; 32], id: &Id) -> Result<(Vec<u8>, String)> {
        NETWORK.seal(&self.0, key, id)
    }

    /// Decrypts what [`VoiceTemplate::seal`] made and compares it with the record's salted hash.
    ///
    /// # Errors
    /// When it was made with other keys, for another record, or by another speaker network.
    pub(super) fn unseal(sealed: &[u8], key: &[u8; 32], id: &Id, commitment: &str) -> Result<Self> {
        NETWORK.unseal(sealed, key, id, commitment).map(Self)
    }
}

/// Length of the vector.
fn norm(values: &[f32; VOICE_LENGTH]) -> f32 {
    values.iter().map(|value| value * value).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(seed: f32) -> [f32; VOICE_LENGTH] {
        std::array::from_fn(|i| (seed * (i as f32 + 1.0)).sin())
    }

    #[test]
    fn template_is_like_the_voices_it_was_made_of() {
        let loud = voice(0.7).map(|value| 8.0 * value);
        let template = VoiceTemplate::from_voices(&[voice(0.7), loud]).unwrap();
        assert!(template.similarity(&voice(0.7)) > 0.999);
        assert!(template.similarity(&voice(2.3)) < 0.5);
        assert_eq!(template.similarity(&[0.0; VOICE_LENGTH]), 0.0);
        assert_eq!(template.similarity(&[f32::NAN; VOICE_LENGTH]), 0.0);
    }

    #[test]
    fn no_voice_makes_no_template() {
        assert_eq!(VoiceTemplate::from_voices(&[]), None);
        let broken = [[f32::NAN; VOICE_LENGTH], [0.0; VOICE_LENGTH]];
        assert_eq!(VoiceTemplate::from_voices(&broken), None);
        let opposite = voice(0.7).map(|value| -value);
        assert_eq!(VoiceTemplate::from_voices(&[voice(0.7), opposite]), None);
    }
}
