//! Which parts of a recording are speech.
//!
//! The network judges blocks of 32 ms. As where the network of voices was trained, flags are smoothed over eight
//! blocks and speech is widened by three on either side, so that short pauses stay in and a click does not.

use std::collections::VecDeque;

use effigy_model::VoiceActivity;
use effigy_model::voice_activity::Heard;

/// Samples of a block.
pub(crate) const N_BLOCK: usize = VoiceActivity::N_BLOCK;
/// Seconds of a block.
pub(crate) const BLOCK_SECS: f64 = N_BLOCK as f64 / VoiceActivity::RATE_HZ as f64;
/// Probability from which a block may be speech.
const LEAST_PROBABILITY: f32 = 0.5;
/// Blocks before and behind one that are counted with it, and how many of them must be speech.
const N_BEFORE: usize = 3;
const N_BEHIND: usize = 4;
const LEAST_OF_EIGHT: usize = 5;
/// Blocks by which speech is widened.
const N_WIDER: usize = 3;
/// Blocks that follow before it is certain what one is.
const N_DELAY: usize = N_BEHIND + N_WIDER;

/// Finds speech in sound that comes bit by bit.
pub(crate) struct SpeechGate {
    network: VoiceActivity,
    heard: Heard,
    /// Samples of the next block.
    begun: Vec<f32>,
    /// Blocks that are not decided on yet.
    pending: VecDeque<[f32; N_BLOCK]>,
    /// Whether each block so far may be speech.
    flags: Vec<bool>,
}

impl SpeechGate {
    pub(crate) fn new(network: &VoiceActivity) -> Self {
        Self {
            network: network.clone(),
            heard: network.begin(),
            begun: Vec::with_capacity(N_BLOCK),
            pending: VecDeque::new(),
            flags: Vec::new(),
        }
    }

    /// Takes more samples; `speech` is given every block of speech with its number.
    pub(crate) fn take(&mut self, mut samples: &[f32], speech: &mut dyn FnMut(usize, &[f32])) {
        while !samples.is_empty() {
            let n = samples.len().min(N_BLOCK - self.begun.len());
            self.begun.extend_from_slice(&samples[..n]);
            samples = &samples[n..];
            let Some(&block) = self.begun.as_array::<N_BLOCK>() else {
                return;
            };
            self.begun.clear();
            let probability = self.network.hear(&block, &mut self.heard);
            self.flags.push(LEAST_PROBABILITY <= probability);
            self.pending.push_back(block);
            if N_DELAY < self.pending.len() {
                self.decide(speech);
            }
        }
    }

    /// Decides on the blocks that are left; the last samples, fewer than a block, are nothing.
    pub(crate) fn finish(&mut self, speech: &mut dyn FnMut(usize, &[f32])) {
        while !self.pending.is_empty() {
            self.decide(speech);
        }
    }

    fn decide(&mut self, speech: &mut dyn FnMut(usize, &[f32])) {
        let number = self.flags.len() - self.pending.len();
        if let Some(block) = self.pending.pop_front()
            && self.is_speech(number)
        {
            speech(number, &block);
        }
    }

    fn is_speech(&self, number: usize) -> bool {
        let near = number.saturating_sub(N_WIDER)..=number + N_WIDER;
        near.into_iter().any(|number| self.is_dense(number))
    }

    fn is_dense(&self, number: usize) -> bool {
        let near = number.saturating_sub(N_BEFORE)..=number + N_BEHIND;
        let flags = near.filter(|&i| self.flags.get(i).is_some_and(|&flag| flag));
        LEAST_OF_EIGHT <= flags.count()
    }
}
