//! The cues by name.

/// Which cue. Its order is that of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CueKind {
    /// What known makers of deepfakes leave in the fine structure of a face.
    Traces,
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
    /// Whether the voice is that of the person of the reference.
    Voice,
    /// Counts frames.
    #[cfg(test)]
    Dummy,
}

impl CueKind {
    /// All of them, in the order in which reports show them.
    pub const ALL: &[Self] = &[
        Self::Traces,
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
        Self::Voice,
        #[cfg(test)]
        Self::Dummy,
    ];

    /// The name in reports, weights and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
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
            Self::Voice => "voice",
            #[cfg(test)]
            Self::Dummy => "dummy",
        }
    }
}
