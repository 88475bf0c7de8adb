//! Which phones are said when.
//!
//! [`Utterance`] keeps little of a recording: thirteen numbers each hundredth of a second, and when somebody
//! speaks. Phones are worked out for a part at a time, by the forward-backward algorithm (Rabiner, "A Tutorial on
//! Hidden Markov Models", Proc. IEEE 1989) over a loop in which every phone may follow every other.

use std::ops::Range;

use effigy_model::phone_scorer::{N_PHONES, N_STATES, Streams};
use effigy_model::{PhoneScorer, VoiceActivity};

use crate::activity::SpeechGate;
use crate::cepstra::{Cepstra, Cepstrum, N_CEPSTRUM, N_STEP};
use crate::error::Result;
use crate::listen::{RATE_HZ, check_numbers};
use crate::rumble::HighPass;
use crate::stretch::{Stretch, stretches};

/// Seconds from one moment to the next.
pub const MOMENT_SECS: f64 = N_STEP as f64 / RATE_HZ as f64;
/// Where the middle of the first moment lies, in seconds.
pub const FIRST_SECS: f64 = 205.0 / RATE_HZ as f64;
/// How likely each phone is, in the order of [`effigy_model::phone_scorer::PHONES`]; together 1.
pub type PhoneShares = [f32; N_PHONES];

/// Hears what is said.
pub struct PhoneListener {
    high_pass: HighPass,
    gate: SpeechGate,
    cepstra: Cepstra,
    n_samples: u64,
    n_clipped: u64,
    so_far: Utterance,
    blocks: Vec<u32>,
}

/// What is kept of a recording: 6 kB a second.
#[derive(Clone, Debug, Default)]
pub struct Utterance {
    /// How long it is.
    pub secs: f64,
    /// When somebody speaks.
    pub speech: Vec<Stretch>,
    /// Share of samples that lie at the ends of the scale, `0..=1`.
    pub clipped_share: f32,
    cepstra: Vec<Cepstrum>,
    /// The mean cepstrum of speech, or of all where there is none.
    mean: Cepstrum,
}

/// How much of the difference between phones is believed: moments that follow one another are no independent
/// witnesses.
const BELIEVED: f32 = 0.3;
/// How likely a state lasts for another moment.
const STAYS: f32 = 0.6;
/// Moments before and behind a part that are heard with it.
const N_AROUND: usize = 60;

impl PhoneListener {
    /// Begins to listen.
    pub fn new(activity: &VoiceActivity) -> Self {
        Self {
            high_pass: HighPass::new(),
            gate: SpeechGate::new(activity),
            cepstra: Cepstra::default(),
            n_samples: 0,
            n_clipped: 0,
            so_far: Utterance::default(),
            blocks: Vec::new(),
        }
    }

    /// Takes the next samples.
    ///
    /// # Errors
    /// When one of them is no number.
    pub fn hear(&mut self, samples: &[f32]) -> Result<()> {
        self.n_clipped += check_numbers(samples, self.n_samples)?;
        self.n_samples += samples.len() as u64;
        self.so_far.cepstra.extend(self.cepstra.take(samples));
        let voices = self.high_pass.take(samples);
        let blocks = &mut self.blocks;
        self.gate
            .take(&voices, &mut |number, _| blocks.push(as_u32(number)));
        Ok(())
    }

    /// Ends, and gives what was heard.
    pub fn finish(mut self) -> Utterance {
        let blocks = &mut self.blocks;
        self.gate
            .finish(&mut |number, _| blocks.push(as_u32(number)));
        let mut heard = self.so_far;
        heard.secs = self.n_samples as f64 / f64::from(RATE_HZ);
        heard.clipped_share = self.n_clipped as f32 / self.n_samples.max(1) as f32;
        heard.speech = stretches(&self.blocks);
        heard.mean = heard.mean_of_speech();
        heard
    }
}

fn as_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Utterance {
    /// Moments that were heard.
    pub fn n_moments(&self) -> usize {
        self.cepstra.len()
    }

    /// How loud each moment of a part is, as a natural logarithm of its power: 0 as speech is in the mean.
    pub fn loudness(&self, part: Range<usize>) -> Vec<f32> {
        // The first number adds up the logarithms of 25 bands, and divides by the root of 25.
        let of = |cepstrum: &Cepstrum| 0.2 * (cepstrum[0] - self.mean[0]);
        self.cepstra[part].iter().map(of).collect()
    }

    /// How likely each phone is in each moment of a part.
    pub fn phones(&self, scorer: &PhoneScorer, part: Range<usize>) -> Vec<PhoneShares> {
        let from = part.start.saturating_sub(N_AROUND);
        let to = (part.end + N_AROUND).min(self.cepstra.len());
        let scores: Vec<_> = (from..to)
            .map(|moment| likelihoods(&scorer.score(&self.streams(moment))))
            .collect();
        let shares = smoothed(&scores);
        shares[part.start - from..part.end - from].to_vec()
    }

    /// What a moment is judged by. Beyond the ends are the first and last moments again.
    pub fn streams(&self, moment: usize) -> Streams {
        let at = |by: i64| -> &Cepstrum {
            let last = self.cepstra.len() as i64 - 1;
            &self.cepstra[(moment as i64 + by).clamp(0, last) as usize]
        };
        let number = |k: usize| {
            let change = |by: i64| at(by + 2)[k] - at(by - 2)[k];
            [at(0)[k] - self.mean[k], change(0), change(1) - change(-1)]
        };
        let numbers: [[f32; 3]; N_CEPSTRUM] = std::array::from_fn(number);
        std::array::from_fn(|stream| numbers.map(|number| number[stream]))
    }

    fn mean_of_speech(&self) -> Cepstrum {
        let moments = |stretch: &Stretch| {
            let at = |secs: f64| (secs / MOMENT_SECS) as usize;
            let to = at(stretch.to_secs).min(self.cepstra.len());
            &self.cepstra[at(stretch.from_secs).min(to)..to]
        };
        let spoken: Vec<&Cepstrum> = self.speech.iter().flat_map(moments).collect();
        if spoken.is_empty() {
            return mean_of(&self.cepstra.iter().collect::<Vec<_>>());
        }
        mean_of(&spoken)
    }
}

fn mean_of(cepstra: &[&Cepstrum]) -> Cepstrum {
    std::array::from_fn(|k| {
        let sum: f64 = cepstra.iter().map(|cepstrum| f64::from(cepstrum[k])).sum();
        (sum / cepstra.len().max(1) as f64) as f32
    })
}

type States = [[f32; N_STATES]; N_PHONES];

/// From logarithms of likelihoods to what is believed of them, at most 1.
fn likelihoods(scores: &States) -> States {
    let best = scores.iter().flatten().copied().fold(f32::MIN, f32::max);
    scores.map(|states| states.map(|score| (BELIEVED * (score - best)).exp()))
}

/// How likely each phone is in each moment, by what comes before and behind it.
fn smoothed(moments: &[States]) -> Vec<PhoneShares> {
    let Some(first) = moments.first() else {
        return Vec::new();
    };
    let mut forward = Vec::with_capacity(moments.len());
    let mut now: States = first.map(|states| [states[0], 0.0, 0.0]);
    for (i, likely) in moments.iter().enumerate() {
        if 0 < i {
            now = multiplied(&followed(&now), likely);
        }
        now = scaled(&now);
        forward.push(now);
    }
    let mut behind = [[1.0; N_STATES]; N_PHONES];
    let mut shares = vec![[0.0; N_PHONES]; moments.len()];
    for (i, likely) in moments.iter().enumerate().rev() {
        let both = scaled(&multiplied(&forward[i], &behind));
        shares[i] = both.map(|states| states.iter().sum());
        behind = scaled(&led_to(&multiplied(&behind, likely)));
    }
    shares
}

fn multiplied(a: &States, b: &States) -> States {
    std::array::from_fn(|p| std::array::from_fn(|s| a[p][s] * b[p][s]))
}

/// The same, adding up to 1.
fn scaled(states: &States) -> States {
    let sum: f32 = states.iter().flatten().sum();
    let scale = 1.0 / sum.max(f32::MIN_POSITIVE);
    states.map(|states| states.map(|state| scale * state))
}

const LAST: usize = N_STATES - 1;

/// Where one is a moment later.
fn followed(now: &States) -> States {
    let ended: f32 = now.iter().map(|states| states[LAST]).sum();
    let begins = (1.0 - STAYS) * ended / N_PHONES as f32;
    now.map(|states| {
        let came = |s: usize| match s {
            0 => begins,
            _ => (1.0 - STAYS) * states[s - 1],
        };
        std::array::from_fn(|s| STAYS * states[s] + came(s))
    })
}

/// How likely what comes is from where one was a moment before.
fn led_to(next: &States) -> States {
    let begins: f32 = next.iter().map(|states| states[0]).sum();
    next.map(|states| {
        let goes = |s: usize| match s {
            LAST => begins / N_PHONES as f32,
            _ => states[s + 1],
        };
        std::array::from_fn(|s| STAYS * states[s] + (1.0 - STAYS) * goes(s))
    })
}
