//! The table of weights, `weights.toml`: what each file is and where its scores part.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// The table's file name.
pub(super) const FILE: &str = "weights.toml";

/// Where two faces or voices are called the same person, as measured on people not trained on.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Threshold {
    /// Least similarity for "the same person".
    pub similarity: f32,
    /// Share of pairs of different people that reach it.
    pub false_match_rate: f32,
}

/// What a similarity of two faces says, as measured on people not trained on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IdentityScale {
    /// One false match in 100 pairs of strangers, in 1000, and in 10,000, of whatever group of
    /// people is confused most.
    pub thresholds: [Threshold; 3],
    /// Least similarity for "the same person" of people who are drawn, not filmed.
    pub synthetic: f32,
    likelihood_ratio: LikelihoodRatio,
}

/// What a similarity of two voices says, as measured on people on whom nothing was chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VoiceScale {
    /// One false match in 100 pairs of strangers, and in 1000, in whatever condition of sound confuses
    /// them most.
    pub thresholds: [Threshold; 2],
    likelihood_ratio: LikelihoodRatio,
}

/// How much likelier a similarity is for one person than for strangers: its logarithm is `slope`
/// times what it is above `at`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
struct LikelihoodRatio {
    at: f32,
    slope: f32,
}

impl LikelihoodRatio {
    /// At most `most_likely`, either way.
    fn of(self, similarity: f32, most_likely: f64) -> f64 {
        let logarithm = f64::from(self.slope * (similarity - self.at));
        logarithm.exp().clamp(1.0 / most_likely, most_likely)
    }
}

impl VoiceScale {
    /// A likelihood ratio beyond which none is told: a hundred people were listened to.
    pub const MOST_LIKELY: f64 = 1e2;

    /// Gives the threshold for "the same person" in everyday use: one in 100.
    pub fn usual(&self) -> Threshold {
        self.thresholds[0]
    }

    /// Gives the threshold where much depends on it: one in 1000.
    pub fn strict(&self) -> Threshold {
        self.thresholds[1]
    }

    /// How many times likelier a similarity is between two recordings of one person than of two.
    ///
    /// At most what was measured can show, [`Self::MOST_LIKELY`], either way.
    pub fn likelihood_ratio(&self, similarity: f32) -> f64 {
        self.likelihood_ratio.of(similarity, Self::MOST_LIKELY)
    }
}

impl IdentityScale {
    /// Gives the threshold for "the same person" in everyday use: one in 1000.
    pub fn usual(&self) -> Threshold {
        self.thresholds[1]
    }

    /// Gives the threshold below which faces are not even alike: one in 100.
    pub fn lenient(&self) -> Threshold {
        self.thresholds[0]
    }

    /// Gives the threshold where a false match does harm: one in 10,000.
    pub fn strict(&self) -> Threshold {
        self.thresholds[2]
    }

    /// How many times likelier a similarity is between two faces of one person than of two.
    ///
    /// At most what was measured can show, [`MOST_LIKELY`], either way.
    pub fn likelihood_ratio(&self, similarity: f32) -> f64 {
        self.likelihood_ratio.of(similarity, MOST_LIKELY)
    }
}

/// A likelihood ratio beyond which none is told: strangers who look alike are among those in use, and not
/// among those that were measured.
pub const MOST_LIKELY: f64 = 1e3;

/// The whole table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) entries: BTreeMap<String, Entry>,
    pub(super) detector_least_score: f32,
    pub(super) identity: IdentityScale,
    pub(super) voice: VoiceScale,
}

/// One file of weights.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    /// The file's name, in the table's folder.
    pub(super) file: String,
    /// The file's SHA-256 as hexadecimal digits.
    pub(super) sha256: String,
    #[serde(flatten)]
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "read so that a table without it is refused")
    )]
    about: About,
    least_score: Option<f32>,
    #[serde(default)]
    thresholds: Vec<Threshold>,
    synthetic: Option<f32>,
    likelihood_ratio: Option<LikelihoodRatio>,
}

/// What people read about a file of weights. The program needs none of it, but refuses a table
/// that does not say it.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "read so that a table without it is refused")]
struct About {
    /// As an SPDX expression.
    licence: String,
    #[serde(flatten)]
    origin: Origin,
    /// How good it is, and on what that was measured.
    figures: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "origin", rename_all = "lowercase")]
#[expect(dead_code, reason = "read so that a table without it is refused")]
enum Origin {
    /// Trained by a command of `recipes`.
    Trained {
        recipe: String,
        data: Vec<String>,
        split: String,
        seed: Option<u64>,
    },
    /// Taken from a package of a registry.
    Imported {
        package: String,
        version: String,
        /// Of the package as it was fetched.
        package_sha256: String,
        licence_text: String,
    },
}

impl Table {
    /// Reads the table; says in words what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let entries: BTreeMap<String, Entry> =
            toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let stray =
            |entry: &&Entry| Path::new(&entry.file).file_name() != Some(entry.file.as_ref());
        if let Some(entry) = entries.values().find(stray) {
            return Err(format!(
                "{:?} is not the name of a file beside it",
                entry.file
            ));
        }
        let least_score = entries.get("detector").and_then(|entry| entry.least_score);
        let identity = entries.get("identifier").and_then(Entry::identity_scale);
        let voice = entries.get("speaker").and_then(Entry::voice_scale);
        Ok(Self {
            detector_least_score: least_score.ok_or("it states no least_score of the detector")?,
            identity: identity.ok_or(
                "it does not state three thresholds, a likelihood_ratio and synthetic of the identifier",
            )?,
            voice: voice.ok_or("it does not state two thresholds and a likelihood_ratio of the speaker")?,
            entries,
        })
    }
}

impl Entry {
    fn identity_scale(&self) -> Option<IdentityScale> {
        Some(IdentityScale {
            thresholds: self.stricter_and_stricter()?,
            synthetic: self.synthetic?,
            likelihood_ratio: self.likelihood_ratio?,
        })
    }

    fn voice_scale(&self) -> Option<VoiceScale> {
        Some(VoiceScale {
            thresholds: self.stricter_and_stricter()?,
            likelihood_ratio: self.likelihood_ratio?,
        })
    }

    fn stricter_and_stricter<const N: usize>(&self) -> Option<[Threshold; N]> {
        let thresholds = <[Threshold; N]>::try_from(&self.thresholds[..]).ok()?;
        let is_stricter = |pair: &[Threshold]| pair[0].similarity < pair[1].similarity;
        thresholds.windows(2).all(is_stricter).then_some(thresholds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAINED: &str = r#"
        [finder]
        file = "finder.safetensors"
        origin = "trained"
        sha256 = "00"
        licence = "MIT OR Apache-2.0"
        recipe = "recipes finder"
        data = ["people"]
        split = "train, by person"
        seed = 1
    "#;
    const IMPORTED: &str = r#"
        [detector]
        file = "detector.safetensors"
        origin = "imported"
        sha256 = "03"
        licence = "MIT"
        package = "PyPI other-models"
        version = "4.5.6"
        package_sha256 = "04"
        licence_text = "Keep this notice."
        least_score = 0.9

        [identifier]
        file = "identifier.safetensors"
        origin = "imported"
        sha256 = "01"
        licence = "CC0-1.0"
        package = "PyPI some-models"
        version = "1.2.3"
        package_sha256 = "02"
        licence_text = "Do what you like."
        thresholds = [
            { similarity = 0.8, false_match_rate = 0.01 },
            { similarity = 0.9, false_match_rate = 0.001 },
            { similarity = 0.95, false_match_rate = 0.0001 },
        ]
        synthetic = 0.97
        likelihood_ratio = { at = 0.85, slope = 100.0 }

        [speaker]
        file = "speaker.safetensors"
        origin = "imported"
        sha256 = "05"
        licence = "MIT"
        package = "PyPI voices"
        version = "7.8.9"
        package_sha256 = "06"
        licence_text = "Keep this one too."
        thresholds = [
            { similarity = 0.75, false_match_rate = 0.01 },
            { similarity = 0.85, false_match_rate = 0.001 },
        ]
        likelihood_ratio = { at = 0.7, slope = 30.0 }
    "#;

    #[test]
    fn trained_and_imported_weights_are_read() {
        let table = Table::parse(&format!("{TRAINED}{IMPORTED}")).unwrap();
        assert_eq!(table.detector_least_score, 0.9);
        assert_eq!(table.identity.usual().false_match_rate, 0.001);
        assert_eq!(table.identity.strict().similarity, 0.95);
        assert_eq!(table.identity.likelihood_ratio(0.85), 1.0);
        let likely = table.identity.likelihood_ratio(0.87);
        assert!((likely - 2_f64.exp()).abs() < 1e-3, "{likely}");
        assert_eq!(table.identity.likelihood_ratio(1.0), MOST_LIKELY);
        assert_eq!(table.voice.usual().similarity, 0.75);
        assert_eq!(
            table.voice.likelihood_ratio(0.2),
            1.0 / VoiceScale::MOST_LIKELY
        );
        let imported = &table.entries["identifier"];
        assert!(
            matches!(&imported.about.origin, Origin::Imported { version, .. } if version == "1.2.3")
        );
        assert_eq!(imported.about.licence, "CC0-1.0");
    }

    #[test]
    fn each_origin_must_say_where_the_weights_come_from() {
        for (line, complaint) in [
            ("recipe =", "missing field `recipe`"),
            ("package_sha256 =", "missing field `package_sha256`"),
            ("licence_text =", "missing field `licence_text`"),
            ("origin =", "missing field `origin`"),
            ("least_score =", "it states no least_score of the detector"),
        ] {
            let whole = format!("{TRAINED}{IMPORTED}");
            let kept = whole.lines().filter(|kept| !kept.trim().starts_with(line));
            let text: Vec<&str> = kept.collect();
            let refused = Table::parse(&text.join("\n")).unwrap_err();
            assert_eq!(refused.trim(), complaint);
        }
    }

    #[test]
    fn files_lie_beside_the_table() {
        let text = format!("{TRAINED}{IMPORTED}").replace("finder.safetensors", "../f");
        let complaint = "\"../f\" is not the name of a file beside it";
        assert_eq!(Table::parse(&text).unwrap_err(), complaint);
    }

    #[test]
    fn a_table_without_thresholds_is_refused() {
        let complaint = "it does not state three thresholds, a likelihood_ratio and synthetic of the identifier";
        for (stated, instead) in [("thresholds", "others"), ("0.95", "0.7")] {
            let text = format!("{TRAINED}{}", IMPORTED.replace(stated, instead));
            assert_eq!(Table::parse(&text).unwrap_err(), complaint);
        }
        let text = format!("{TRAINED}{}", IMPORTED.replace("0.75", "0.9"));
        let complaint = "it does not state two thresholds and a likelihood_ratio of the speaker";
        assert_eq!(Table::parse(&text).unwrap_err(), complaint);
    }
}
