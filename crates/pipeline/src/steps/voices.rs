//! Voices in files: listening to one, and whether it says enough of who speaks.

use std::ops::Range;
use std::path::Path;

use effigy_frame::TimeRange;
use effigy_media::{AudioReader, Limits, n_sounds};
use effigy_sound::{Listener, Networks, RATE_HZ, Recording, Speaker, Stretch, total_secs};

use crate::error::{Error, Result};
use crate::steps::inputs::is_single_picture;
use crate::steps::progress::Progress;

/// The voice of one input that was compared.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedVoice {
    /// How long the recording is.
    pub secs: f64,
    /// When the voice speaks.
    pub stretches: Vec<Stretch>,
    /// When each of the others does, which were not compared.
    pub others: Vec<Vec<Stretch>>,
    /// Why it says too little of who speaks, if so.
    pub too_little: Option<TooLittleSpeech>,
    /// Whether the sound is clipped, which distorts voices.
    pub is_clipped: bool,
    /// Whether it ends at 4 kHz, as a telephone's does.
    pub is_narrow: bool,
}

/// Why a recording says too little of who speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TooLittleSpeech {
    /// Nobody speaks: silence, noise, music.
    None,
    /// Fewer seconds than [`LEAST_SECS`].
    Short {
        /// How long the voice speaks.
        secs: f64,
    },
}

/// Seconds of speech that a voice needs; with fewer, errors grow quickly. See `docs/decisions/055-voices.md`.
pub const LEAST_SECS: f64 = 2.0;
/// Share of clipped samples from which it is said.
const MOST_CLIPPED: f32 = 0.001;
/// Share of power above 4 kHz below which sound is a telephone's, sampled at 8 kHz or coded by GSM: of readers it is
/// 4e-5 and more, of the same by either 5e-7 and less (`docs/decisions/055-voices.md`).
const LEAST_HIGH: f32 = 1e-5;

impl std::fmt::Display for TooLittleSpeech {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("nobody speaks"),
            Self::Short { secs } => {
                write!(
                    f,
                    "only {secs:.1} s of speech by one voice, {LEAST_SECS} s are needed"
                )
            }
        }
    }
}

/// Listens to the sound of a file.
///
/// # Errors
/// When it cannot be read or has no sound, or `progress` asks to stop.
pub fn listen(
    path: &Path,
    limits: &Limits,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<Recording> {
    let mut listener = Listener::new(networks);
    each_block(path, limits, progress, &mut |block| listener.hear(block))?;
    Ok(listener.finish())
}

/// Who speaks in a recording, and in the part of it that is used.
#[derive(Clone, Debug)]
pub(crate) struct Voices {
    pub(crate) whole: Recording,
    /// Where a part is used, that.
    pub(crate) part: Option<Recording>,
}

impl Voices {
    /// What is used.
    pub(crate) fn used(&self) -> &Recording {
        self.part.as_ref().unwrap_or(&self.whole)
    }

    /// What is used, and all of it.
    pub(crate) fn both(&self) -> impl Iterator<Item = &Recording> {
        self.part.iter().chain([&self.whole])
    }
}

/// Hears who speaks in a recording, and in a part of it.
pub(crate) struct VoicesListener<'a> {
    whole: Listener<'a>,
    part: Option<Listener<'a>>,
    /// The samples of the part.
    used: Range<usize>,
    n_heard: usize,
}

impl<'a> VoicesListener<'a> {
    pub(crate) fn new(networks: &'a Networks, used: TimeRange) -> Self {
        let TimeRange { from_secs, to_secs } = used;
        let sample = |secs: f64| (secs * f64::from(RATE_HZ)) as usize;
        let is_part = 0.0 < from_secs || to_secs.is_some();
        Self {
            whole: Listener::new(networks),
            part: is_part.then(|| Listener::new(networks)),
            used: sample(from_secs)..to_secs.map_or(usize::MAX, sample),
            n_heard: 0,
        }
    }

    pub(crate) fn hear(&mut self, block: &[f32]) -> effigy_sound::Result<()> {
        self.whole.hear(block)?;
        if let Some(part) = &mut self.part {
            let within = |sample: usize| sample.saturating_sub(self.n_heard).min(block.len());
            let (from, to) = (within(self.used.start), within(self.used.end));
            part.hear(&block[from..to.max(from)])?;
        }
        self.n_heard += block.len();
        Ok(())
    }

    pub(crate) fn finish(self) -> Voices {
        Voices {
            whole: self.whole.finish(),
            part: self.part.map(Listener::finish),
        }
    }
}

/// Says that a file has more sounds than the one that is heard, and that goes along.
pub(crate) fn note_other_sounds(path: &Path, progress: &mut dyn Progress) -> Result<()> {
    let n = n_sounds(path, &Limits::default()).map_err(Error::at(path))?;
    if 1 < n {
        progress.note(&format!(
            "{path:?} has {n} sounds, of which one is listened to and taken along; to have another, cut it out first"
        ));
    }
    Ok(())
}

/// Reads the sound of a file, mono and [`RATE_HZ`] samples a second, and hands it on block by block.
///
/// # Errors
/// As [`listen`], or when `hear` fails.
pub(crate) fn each_block(
    path: &Path,
    limits: &Limits,
    progress: &mut dyn Progress,
    hear: &mut dyn FnMut(&[f32]) -> effigy_sound::Result<()>,
) -> Result<()> {
    if is_single_picture(path) {
        let path = path.to_owned();
        return Err(effigy_media::Error::NoAudio { path }.into());
    }
    progress.begin(&path.to_string_lossy(), None);
    for block in AudioReader::open(path, RATE_HZ, limits).map_err(Error::at(path))? {
        hear(&block.map_err(Error::at(path))?).map_err(|source| Error::Sound {
            source,
            path: path.to_owned(),
        })?;
        if progress.step().is_break() {
            return Err(Error::Cancelled);
        }
    }
    Ok(())
}

impl ComparedVoice {
    pub(crate) fn of(recording: &Recording) -> Self {
        let mut speakers = recording.speakers.iter();
        let leading = speakers.next();
        let too_little = match leading.map(Speaker::secs) {
            None => Some(TooLittleSpeech::None),
            Some(secs) if secs < LEAST_SECS => Some(TooLittleSpeech::Short { secs }),
            Some(_) => None,
        };
        Self {
            secs: recording.secs,
            stretches: leading.map_or_else(Vec::new, |speaker| speaker.stretches.clone()),
            others: speakers.map(|other| other.stretches.clone()).collect(),
            too_little,
            is_clipped: MOST_CLIPPED <= recording.clipped_share,
            is_narrow: recording.high_share < LEAST_HIGH,
        }
    }

    /// How long the voice speaks.
    pub fn speech_secs(&self) -> f64 {
        total_secs(&self.stretches)
    }

    /// What it was short of, or what makes a comparison less sure.
    pub fn reason(&self) -> Option<String> {
        let clipped = "the sound is clipped, which distorts voices";
        let clipped = self.is_clipped.then(|| clipped.to_owned());
        let narrow = "the sound ends at 4 kHz, as a telephone's, which changes voices";
        let narrow = self.is_narrow.then(|| narrow.to_owned());
        let too_little = self.too_little.map(|why| why.to_string());
        too_little.or(clipped).or(narrow)
    }
}
