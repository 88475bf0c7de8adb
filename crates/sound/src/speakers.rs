//! Who speaks when, coarsely: windows of speech that sound alike are one voice.
//!
//! The two groups of windows whose mean voices are most alike become one, again and again, until no two are
//! alike enough.

use effigy_model::Voice;

use crate::activity::BLOCK_SECS;
use crate::stretch::{Stretch, stretches, total_secs};

/// One voice of a recording.
#[derive(Clone, Debug)]
pub struct Speaker {
    /// The mean over its windows.
    pub voice: Voice,
    /// When it speaks.
    pub stretches: Vec<Stretch>,
}

impl Speaker {
    /// How long it speaks.
    pub fn secs(&self) -> f64 {
        total_secs(&self.stretches)
    }
}

/// The speech of a recording.
pub(crate) struct Spoken<'a> {
    /// Of each window.
    pub(crate) voices: Vec<Option<Voice>>,
    /// Where the middle of each window lies, in seconds of speech.
    pub(crate) middles_secs: Vec<f64>,
    /// Numbers of the blocks that are speech.
    pub(crate) blocks: &'a [u32],
}

/// Groups whose mean voices are less alike are two people's.
const LEAST_ALIKE: f32 = 0.3;
/// A voice in fewer windows is no voice of its own: a window over a change of speakers, a laugh.
const LEAST_WINDOWS: usize = 3;

/// Gives the voices, the one that speaks most first.
pub(crate) fn speakers(spoken: &Spoken<'_>) -> Vec<Speaker> {
    let there = spoken.voices.iter().zip(&spoken.middles_secs);
    let (voices, middles): (Vec<&Voice>, Vec<f64>) = there
        .filter_map(|(voice, &middle)| Some((voice.as_ref()?, middle)))
        .unzip();
    let groups = groups(&voices);
    let mut speakers: Vec<Speaker> = groups
        .iter()
        .filter_map(|group| {
            let voice = Voice::mean(group.iter().map(|&window| voices[window]))?;
            Some(Speaker {
                voice,
                stretches: stretches(&blocks_of(group, &middles, spoken.blocks)),
            })
        })
        .collect();
    speakers.sort_by(|a, b| b.secs().total_cmp(&a.secs()));
    speakers
}

/// The blocks whose nearest window is in `group`; `middles` are in order.
fn blocks_of(group: &[usize], middles: &[f64], blocks: &[u32]) -> Vec<u32> {
    let nearest = |secs: f64| {
        let next = middles.partition_point(|&middle| middle < secs);
        let before = next.saturating_sub(1);
        let is_next = next < middles.len() && middles[next] - secs < secs - middles[before];
        if is_next { next } else { before }
    };
    let spoken = blocks.iter().enumerate();
    let theirs = spoken.filter(|&(i, _)| {
        let middle_secs = (i as f64 + 0.5) * BLOCK_SECS;
        group.binary_search(&nearest(middle_secs)).is_ok()
    });
    theirs.map(|(_, &block)| block).collect()
}

/// Windows of the same voice, each group in order.
fn groups(voices: &[&Voice]) -> Vec<Vec<usize>> {
    let mut groups = Groups::new(voices);
    while let Some((a, b)) = groups.most_alike() {
        groups.join(a, b);
    }
    groups.members.retain(|group| !group.is_empty());
    groups.members
}

/// Groups of windows, and how alike they are.
struct Groups<'a> {
    voices: &'a [&'a Voice],
    /// Empty where a group was joined to another.
    members: Vec<Vec<usize>>,
    means: Vec<Voice>,
    /// Of each group, similarities to those before it.
    alike: Vec<Vec<f32>>,
}

impl<'a> Groups<'a> {
    fn new(voices: &'a [&'a Voice]) -> Self {
        let before = |(b, voice): (usize, &&Voice)| {
            let before = voices[..b].iter();
            before.map(|other| other.similarity(voice)).collect()
        };
        Self {
            voices,
            members: (0..voices.len()).map(|window| vec![window]).collect(),
            means: voices.iter().map(|&voice| voice.clone()).collect(),
            alike: voices.iter().enumerate().map(before).collect(),
        }
    }

    /// The two groups to be joined, the first of which comes before the second; `None` when all are
    /// apart.
    fn most_alike(&self) -> Option<(usize, usize)> {
        let is_there = |&group: &usize| !self.members[group].is_empty();
        let is_small = |group: usize| self.members[group].len() < LEAST_WINDOWS;
        let groups = (0..self.members.len()).filter(is_there);
        let pairs = groups.flat_map(|b| (0..b).filter(is_there).map(move |a| (a, b)));
        let (mut best, mut best_small) = (None, None);
        let is_better = |similarity: f32, best: Option<(f32, _)>| {
            best.is_none_or(|(before, _)| before < similarity)
        };
        for (a, b) in pairs {
            let similarity = self.alike[b][a];
            if is_better(similarity, best) {
                best = Some((similarity, (a, b)));
            }
            if (is_small(a) || is_small(b)) && is_better(similarity, best_small) {
                best_small = Some((similarity, (a, b)));
            }
        }
        let alike = best.filter(|(similarity, _)| LEAST_ALIKE <= *similarity);
        // What is left over goes to whomever it is most like.
        alike.or(best_small).map(|(_, pair)| pair)
    }

    /// Joins the second group to the first.
    fn join(&mut self, a: usize, b: usize) {
        let more = std::mem::take(&mut self.members[b]);
        self.members[a].extend(more);
        self.members[a].sort_unstable();
        let voices = self.members[a].iter().map(|&window| self.voices[window]);
        // Voices that cancel out are not alike, and not joined.
        if let Some(mean) = Voice::mean(voices) {
            self.means[a] = mean;
        }
        for other in 0..self.members.len() {
            let similarity = self.means[a].similarity(&self.means[other]);
            if other != a {
                self.alike[a.max(other)][a.min(other)] = similarity;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use effigy_model::N_VOICE;

    use super::*;

    /// A voice between two others that are nothing alike.
    fn voice(share: f32) -> Voice {
        let mut values = [0.0; N_VOICE];
        (values[0], values[1]) = (share, 1.0 - share);
        Voice::from_values(values).unwrap()
    }

    /// Windows half a second apart.
    fn speakers_of(shares: &[f32]) -> Vec<Speaker> {
        let n_blocks = (0.5 * shares.len() as f64 / BLOCK_SECS) as u32;
        speakers(&Spoken {
            voices: shares.iter().map(|&share| Some(voice(share))).collect(),
            middles_secs: (0..shares.len()).map(|i| 0.5 * i as f64 + 0.25).collect(),
            blocks: &(0..n_blocks).collect::<Vec<_>>(),
        })
    }

    #[test]
    fn two_voices_are_told_apart_with_their_times() {
        let two = speakers_of(&[0.9, 1.0, 0.95, 0.1, 0.0, 0.05, 0.02, 0.1, 0.9]);
        assert_eq!(two.len(), 2);
        assert!(
            two[0].voice.similarity(&voice(0.0)) > 0.99,
            "the one that speaks most"
        );
        assert_eq!(two[0].stretches.len(), 1);
        assert!((two[0].stretches[0].from_secs - 1.5).abs() < 0.05);
        assert!((two[0].secs() - 2.5).abs() < 0.1 && (two[1].secs() - 2.0).abs() < 0.1);
        assert_eq!(two[1].stretches.len(), 2);
    }

    #[test]
    fn a_window_over_a_change_of_speakers_is_nobodys() {
        assert_eq!(speakers_of(&[1.0, 1.0, 0.5, 0.0, 0.0, 0.0]).len(), 2);
    }

    #[test]
    fn one_window_is_one_voice_and_none_is_none() {
        assert_eq!(speakers_of(&[0.5]).len(), 1);
        assert!(speakers_of(&[]).is_empty());
    }
}
