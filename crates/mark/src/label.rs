//! The visible label: words on every frame that say what the viewer sees.
//!
//! What each profile asks for, and by which law, stands in `docs/law.md`. The labels of all
//! chosen profiles are drawn into one [`Stamps`], once; laying it over a frame touches only the
//! pixels under it.

mod canvas;
mod font;
mod stamp;

use std::fmt;
use std::str::FromStr;

pub(crate) use stamp::Stamps;

use crate::utc_time::UtcTime;

/// A set of rules that a label follows.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// European Union: an icon and words at the top right, from the first frame to the last.
    Eu,
    /// China: words of at least 5 % of the height, for at least two seconds from the start.
    Cn,
    /// California: provider, system and version, time and identifier, on every frame.
    UsCa,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Eu, Self::Cn, Self::UsCa];

    /// The written form.
    pub fn word(self) -> &'static str {
        match self {
            Self::Eu => "eu",
            Self::Cn => "cn",
            Self::UsCa => "us-ca",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fits = |profile: &Self| profile.word() == text;
        let words = Self::ALL.map(Self::word).join(", ");
        Self::ALL
            .into_iter()
            .find(fits)
            .ok_or_else(|| format!("{text:?} is not one of {words}"))
    }
}

/// The profiles that a label follows: at least one.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Profiles(Vec<Profile>);

impl Profiles {
    /// Follows every profile.
    pub fn all() -> Self {
        Self(Profile::ALL.to_vec())
    }

    /// Follows those named; `None` when none is, because every output is labelled.
    pub fn of(profiles: &[Profile]) -> Option<Self> {
        let mut profiles = profiles.to_vec();
        profiles.sort_unstable();
        profiles.dedup();
        (!profiles.is_empty()).then_some(Self(profiles))
    }

    /// Those it follows, in order.
    pub fn as_slice(&self) -> &[Profile] {
        &self.0
    }
}

/// Language of the words. The Chinese profile always speaks Chinese.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
    /// Italian.
    It,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::En, Self::De, Self::Fr, Self::Es, Self::It];

    /// The two letters of ISO 639-1.
    pub fn word(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
            Self::It => "it",
        }
    }

    /// How the language shortens "artificial intelligence".
    fn acronym(self) -> &'static str {
        match self {
            Self::En => "AI",
            Self::De => "KI",
            Self::Fr | Self::Es | Self::It => "IA",
        }
    }

    /// What happened to the picture, in words.
    fn says(self, source: Source) -> &'static str {
        match (self, source) {
            (Self::En, Source::Altered) => "AI-ALTERED",
            (Self::En, Source::Generated) => "AI-GENERATED",
            (Self::De, Source::Altered) => "MIT KI VERÄNDERT",
            (Self::De, Source::Generated) => "KI-GENERIERT",
            (Self::Fr, Source::Altered) => "MODIFIÉ PAR IA",
            (Self::Fr, Source::Generated) => "GÉNÉRÉ PAR IA",
            (Self::Es, Source::Altered) => "ALTERADO CON IA",
            (Self::Es, Source::Generated) => "GENERADO CON IA",
            (Self::It, Source::Altered) => "ALTERATO CON IA",
            (Self::It, Source::Generated) => "GENERATO CON IA",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Language {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fits = |language: &Self| language.word() == text;
        let words = Self::ALL.map(Self::word).join(", ");
        Self::ALL
            .into_iter()
            .find(fits)
            .ok_or_else(|| format!("{text:?} is not one of {words}"))
    }
}

/// How much of the picture was made by a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Something was filmed; parts were redrawn.
    Altered,
    /// Nothing was filmed.
    Generated,
}

/// What the label says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    /// The rules it follows.
    pub profiles: Profiles,
    /// Its language.
    pub language: Language,
    /// What happened to the picture.
    pub source: Source,
    /// Who made it.
    pub provider: String,
    /// When.
    pub made: UtcTime,
    /// The identifier that the watermark carries as well.
    pub identifier: u64,
}

impl Label {
    /// The line that California asks for.
    fn disclosure(&self) -> String {
        format!(
            "{} · {} · EFFIGY {} · {} · {:016X}",
            self.language.says(self.source),
            self.provider,
            env!("CARGO_PKG_VERSION"),
            self.made.to_string().replace(['T', 'Z'], " ").trim(),
            self.identifier,
        )
    }
}
