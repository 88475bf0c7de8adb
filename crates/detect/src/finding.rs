//! What a cue says: a score with where, when and a sentence, or why it could not judge.

use effigy_frame::{Plane, Rect};

/// The cues. Each looks at one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cue {
    /// Seams of a face blended into a picture.
    Blending,
    /// Noise and sharpness of the face against its surroundings.
    Noise,
    /// How the face was compressed against its surroundings.
    Compression,
    /// Traces that generators leave in the spectrum.
    Synthesis,
    /// Whether a picture's face comes from elsewhere.
    Splice,
    /// Whether the face stays the same person's.
    Identity,
    /// Whether head and face move together as they should.
    Movement,
    /// Whether the light on the face stays and fits.
    Light,
    /// The pulse in the skin.
    Pulse,
    /// Whether lips and sound fit.
    Speech,
    /// How the file was put together.
    Container,
    /// Credentials, watermarks and metadata.
    Provenance,
    /// Whether this is the person of the reference, who moves like them.
    Person,
}

impl Cue {
    /// All cues, in the order in which reports show them.
    pub const ALL: [Self; 13] = [
        Self::Blending,
        Self::Noise,
        Self::Compression,
        Self::Synthesis,
        Self::Splice,
        Self::Identity,
        Self::Movement,
        Self::Light,
        Self::Pulse,
        Self::Speech,
        Self::Container,
        Self::Provenance,
        Self::Person,
    ];

    /// The name in reports, weights and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blending => "blending",
            Self::Noise => "noise",
            Self::Compression => "compression",
            Self::Synthesis => "synthesis",
            Self::Splice => "splice",
            Self::Identity => "identity",
            Self::Movement => "movement",
            Self::Light => "light",
            Self::Pulse => "pulse",
            Self::Speech => "speech",
            Self::Container => "container",
            Self::Provenance => "provenance",
            Self::Person => "person",
        }
    }
}

/// What one cue says of one face, or of one file.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which cue.
    pub cue: Cue,
    /// What it says.
    pub outcome: Outcome,
}

/// A score, or why there is none.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The cue could judge.
    Judged(Evidence),
    /// It could not; why, as the end of a sentence: "the face is too small, 31 px".
    NotJudged(String),
}

/// What a cue saw.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// `0..=1`: 0 as in real material, 1 as far from it as can be. Not a probability: fusion
    /// makes one.
    pub score: f32,
    /// One sentence for the reader.
    pub sentence: String,
    /// The score over time, in order.
    pub timeline: Vec<Moment>,
    /// When it was worst.
    pub when: Vec<Span>,
    /// Where it was worst.
    pub places: Vec<Place>,
}

/// The score at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// When.
    pub time_secs: f64,
    /// `0..=1`
    pub score: f32,
}

/// A stretch of time, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// From when.
    pub from_secs: f64,
    /// Until when.
    pub to_secs: f64,
}

/// A place in a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// When.
    pub time_secs: f64,
    /// Which frame.
    pub frame_index: u64,
    /// Where, in pixels of the frame.
    pub rect: Rect,
    /// How bad each part of `rect` is, `0..=1`; the plane is stretched over `rect`.
    pub map: Option<Plane>,
}

impl Finding {
    /// What `cue` saw.
    pub fn judged(cue: Cue, evidence: Evidence) -> Self {
        Self {
            cue,
            outcome: Outcome::Judged(evidence),
        }
    }

    /// Why `cue` could not judge.
    pub fn not_judged(cue: Cue, why: impl Into<String>) -> Self {
        Self {
            cue,
            outcome: Outcome::NotJudged(why.into()),
        }
    }

    /// The score, if there is one.
    pub fn score(&self) -> Option<f32> {
        match &self.outcome {
            Outcome::Judged(evidence) => Some(evidence.score),
            Outcome::NotJudged(_) => None,
        }
    }
}
