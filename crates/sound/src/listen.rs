//! Listens to a recording from its beginning to its end.

use effigy_model::{SpeakerEncoder, Voice, VoiceActivity, VoiceSpace, Weights};

use crate::activity::{N_BLOCK, SpeechGate};
use crate::error::{Error, Result};
use crate::mel::{self, MelBands};
use crate::rumble::HighPass;
use crate::speakers::{Speaker, Spoken, speakers};
use crate::stretch::{Stretch, stretches, total_secs};
use crate::windows::{Window, Windows};

/// Samples a second.
pub const RATE_HZ: u32 = VoiceActivity::RATE_HZ;

/// From here on a sample counts as clipped: a decoder rounds, and a resampler rings.
const FULL_SCALE: f32 = 0.99;

/// The networks that listening needs, cheap to clone.
#[derive(Clone, Debug)]
pub struct Networks {
    /// Hears whether somebody speaks.
    pub activity: VoiceActivity,
    /// Knows voices.
    pub encoder: SpeakerEncoder,
    /// Where they are compared.
    pub space: VoiceSpace,
}

impl Networks {
    /// Loads the networks, which run on the processor.
    ///
    /// # Errors
    /// When `weights` lack one or hold another.
    pub fn load(weights: &Weights) -> effigy_model::Result<Self> {
        Ok(Self {
            activity: VoiceActivity::load(weights)?,
            encoder: SpeakerEncoder::load(weights)?,
            space: VoiceSpace::load(weights)?,
        })
    }
}

/// What was heard.
#[derive(Clone, Debug)]
pub struct Recording {
    /// How long it is.
    pub secs: f64,
    /// When somebody speaks.
    pub speech: Vec<Stretch>,
    /// The voices, the one that speaks most first.
    pub speakers: Vec<Speaker>,
    /// Samples that lie at the ends of the scale, to those of speech.
    pub clipped_share: f32,
    /// Share of the power of speech that lies above 4 kHz, `0..=1`; of a telephone there is none.
    pub high_share: f32,
}

impl Recording {
    /// How long somebody speaks.
    pub fn speech_secs(&self) -> f64 {
        total_secs(&self.speech)
    }
}

/// Listens to samples as they come.
pub struct Listener<'a> {
    networks: &'a Networks,
    high_pass: HighPass,
    gate: SpeechGate,
    n_samples: u64,
    n_clipped: u64,
    so_far: Speech,
}

/// What is kept of speech.
#[derive(Default)]
struct Speech {
    mel: MelBands,
    windows: Windows,
    /// Numbers of the blocks that are speech.
    blocks: Vec<u32>,
    /// Sum of squared samples.
    energy: f64,
}

impl<'a> Listener<'a> {
    /// Begins.
    pub fn new(networks: &'a Networks) -> Self {
        Self {
            networks,
            high_pass: HighPass::new(),
            gate: SpeechGate::new(&networks.activity),
            n_samples: 0,
            n_clipped: 0,
            so_far: Speech::default(),
        }
    }

    /// Takes the next samples.
    ///
    /// # Errors
    /// When one of them is no number.
    pub fn hear(&mut self, samples: &[f32]) -> Result<()> {
        self.n_clipped += check_numbers(samples, self.n_samples)?;
        self.n_samples += samples.len() as u64;
        let speech = &mut self.so_far;
        let voices = self.high_pass.take(samples);
        self.gate
            .take(&voices, &mut |number, block| speech.take(number, block));
        Ok(())
    }

    /// Ends, and says what was heard.
    pub fn finish(mut self) -> Recording {
        let mut speech = self.so_far;
        self.gate
            .finish(&mut |number, block| speech.take(number, block));
        let n_spoken = (speech.blocks.len() * N_BLOCK).max(1) as f64;
        let windows = speech.windows.finish();
        let gain = gain((speech.energy / n_spoken).sqrt() as f32);
        let spoken = Spoken {
            voices: embed(&windows, gain, self.networks),
            middles_secs: windows.iter().map(middle_secs).collect(),
            blocks: &speech.blocks,
        };
        Recording {
            secs: self.n_samples as f64 / f64::from(RATE_HZ),
            speech: stretches(&speech.blocks),
            speakers: speakers(&spoken),
            clipped_share: (self.n_clipped as f64 / n_spoken) as f32,
            high_share: speech.mel.high_share(),
        }
    }
}

/// Counts the samples that are clipped; refuses those that are no number. `n_before` came before.
pub(crate) fn check_numbers(samples: &[f32], n_before: u64) -> Result<u64> {
    if let Some(at) = samples.iter().position(|sample| !sample.is_finite()) {
        return Err(Error::NotANumber {
            at_secs: (n_before + at as u64) as f64 / f64::from(RATE_HZ),
        });
    }
    let clipped = samples.iter().filter(|s| FULL_SCALE <= s.abs());
    Ok(clipped.count() as u64)
}

impl Speech {
    fn take(&mut self, number: usize, block: &[f32]) {
        self.blocks.push(u32::try_from(number).unwrap_or(u32::MAX));
        self.energy += block.iter().map(|&s| f64::from(s * s)).sum::<f64>();
        for frame in self.mel.take(block) {
            self.windows.take(&frame);
        }
    }
}

/// What speech of this level is multiplied by. The network was shown speech of one level, and bands of
/// power say how loud it is.
fn gain(level: f32) -> f32 {
    /// 30 dB below full scale.
    const LEVEL: f32 = 0.031_622_78;
    LEVEL / level.max(f32::MIN_POSITIVE)
}

fn embed(windows: &[Window], gain: f32, networks: &Networks) -> Vec<Option<Voice>> {
    let power = gain * gain;
    let of_some = |windows: &[Window]| {
        let scaled = |window: &Window| window.bands.iter().map(|band| power * band).collect();
        let scaled: Vec<Vec<f32>> = windows.iter().map(scaled).collect();
        let scaled: Vec<&[f32]> = scaled.iter().map(Vec::as_slice).collect();
        networks.encoder.embed(&scaled)
    };
    windows
        .chunks(SpeakerEncoder::N_TOGETHER)
        .flat_map(of_some)
        .map(|voice| networks.space.place(&voice?))
        .collect()
}

/// Where the middle of a window lies, in seconds of speech.
fn middle_secs(window: &Window) -> f64 {
    let frame = window.first + SpeakerEncoder::N_FRAMES / 2;
    (frame * mel::N_STEP) as f64 / f64::from(RATE_HZ)
}
