//! The figures of a quality card, in numbers and in words.

use std::path::Path;

use serde::Serialize;

use super::ground_truth::GroundTruth;
use crate::error::Result;
use crate::steps::atomic::AtomicFile;

/// What was reached: averages over the faces or frames that were measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Quality {
    /// Faces whose identity and expression were measured.
    pub n_faces_measured: u64,
    /// Frames in which flicker, seam and pixels outside the mask were measured.
    pub n_frames_measured: u64,
    /// Cosine similarity to the source, the person who was drawn.
    pub identity_to_source: Option<f64>,
    /// Cosine similarity to the performer, whose face was replaced.
    pub identity_to_target: Option<f64>,
    /// Share of faces that are more similar to the source than to the performer.
    pub share_nearer_to_source: Option<f64>,
    /// Cosine similarity of the two people to each other, by their consents.
    pub source_to_target_identity: Option<f64>,
    /// Cosine similarity from which the network takes two faces for one person's.
    #[serde(skip)]
    pub one_person_from: f64,
    /// How far mouth and eyes are from the target's expression, in % of eye distance.
    pub expression_error: Option<f64>,
    /// The same between two fits to the target alone: the noise of the mesh.
    pub expression_noise: Option<f64>,
    /// The mouth's part of `expression_error`.
    pub mouth_error: Option<f64>,
    /// The eyes' part of `expression_error`.
    pub eyes_error: Option<f64>,
    /// How far mouth and eyes lie from the target's, the difference of the two faces included.
    pub shape_error: Option<f64>,
    /// Mean angle between the head poses of result and target, in degrees.
    pub pose_error_degrees: Option<f64>,
    /// The same between two fits to the target alone.
    pub pose_noise_degrees: Option<f64>,
    /// Mean colour difference along the edge of the mask, CIE76.
    pub seam_delta_e: Option<f64>,
    /// Change from frame to frame inside the face, as a multiple of the target's.
    pub flicker_ratio: Option<f64>,
    /// Share of the faces that were turned into profile, or further than the source was ever seen,
    /// and faded or left as they were.
    pub turned_share: Option<f64>,
    /// Places of the target that could not be read and were left out, as was asked for.
    pub n_damaged_places: u64,
    /// Pixels changed outside the mask. Anything but 0 is a defect of this program.
    pub pixels_changed_outside: u64,
    /// Against the ground truth, where there is one.
    pub ground_truth: Option<GroundTruth>,
}

/// One line of the card.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What was measured.
    pub name: &'static str,
    /// The number, `None` where it could not be measured.
    pub value: Option<f64>,
    /// What follows the number.
    pub unit: &'static str,
    /// What a good result reaches, where that is known.
    pub target: Target,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// No target.
    Unsaid,
    /// The measure means nothing here: the identity network cannot distinguish the two people.
    NotJudged,
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl Figure {
    pub(super) fn new(name: &'static str, value: Option<f64>, unit: &'static str) -> Self {
        Self {
            name,
            value,
            unit,
            target: Target::Unsaid,
        }
    }

    pub(super) fn at_least(self, least: f64) -> Self {
        let target = Target::AtLeast(least);
        Self { target, ..self }
    }

    pub(super) fn at_most(self, most: f64) -> Self {
        let target = Target::AtMost(most);
        Self { target, ..self }
    }

    pub(super) fn not_judged(self) -> Self {
        let target = Target::NotJudged;
        Self { target, ..self }
    }

    /// Whether the target is reached; `None` where there is none or nothing was measured.
    pub(crate) fn is_reached(&self) -> Option<bool> {
        let value = self.value?;
        match self.target {
            Target::Unsaid | Target::NotJudged => None,
            Target::AtLeast(least) => Some(least <= value),
            Target::AtMost(most) => Some(value <= most),
        }
    }

    /// The number with its unit.
    pub fn text(&self) -> String {
        let digits = if self.unit == " pixels" { 0 } else { 2 };
        self.value.map_or("not measured".to_owned(), |value| {
            format!("{value:.digits$}{}", self.unit)
        })
    }

    /// Name, number and target in one line.
    pub(super) fn line(&self) -> String {
        let text = self.text();
        let verdict = match self.is_reached() {
            Some(false) => format!("   missed: {}", self.target_text()),
            _ => format!("   {}", self.target_text()),
        };
        format!("{:<42}{text:<14}{verdict}", self.name)
            .trim_end()
            .to_owned()
    }

    /// The target in words; empty where there is none.
    pub(crate) fn target_text(&self) -> String {
        match self.target {
            Target::Unsaid => String::new(),
            Target::NotJudged => {
                "not judged: our identity network cannot distinguish the two people".to_owned()
            }
            Target::AtLeast(least) => format!("at least {least}{}", self.unit),
            Target::AtMost(most) => format!("at most {most}{}", self.unit),
        }
    }
}

impl Quality {
    /// All figures, in the order in which they matter.
    pub fn figures(&self) -> Vec<Figure> {
        let mut figures = self.of_identity();
        figures.extend(self.of_movement());
        figures.extend(self.of_pixels());
        figures.extend(self.ground_truth.iter().flat_map(of_ground_truth));
        figures
    }

    fn of_identity(&self) -> Vec<Figure> {
        let percent = self.share_nearer_to_source.map(|share| 100.0 * share);
        let (to, from) = (self.identity_to_source, self.identity_to_target);
        let nearer = Figure::new("more similar to the source", percent, " %");
        // Where the network takes both for one person, which of them is closer is chance.
        let is_told_apart = self
            .source_to_target_identity
            .is_none_or(|likeness| likeness < self.one_person_from);
        vec![
            if is_told_apart {
                nearer.at_least(90.0)
            } else {
                nearer.not_judged()
            },
            Figure::new("identity similarity to the source", to, ""),
            Figure::new("identity similarity to the performer", from, ""),
        ]
    }

    fn of_movement(&self) -> Vec<Figure> {
        let (error, noise) = (self.expression_error, self.expression_noise);
        let ratio = error
            .zip(noise)
            .map(|(error, noise)| error / noise.max(1e-6));
        let (pose, pose_noise) = (self.pose_error_degrees, self.pose_noise_degrees);
        vec![
            Figure::new("expression error, over mesh noise", ratio, "×").at_most(1.5),
            Figure::new("  mouth, of eye distance", self.mouth_error, " %"),
            Figure::new("  eyes, of eye distance", self.eyes_error, " %"),
            Figure::new("  mesh noise", noise, " %"),
            Figure::new("  face shape included", self.shape_error, " %"),
            Figure::new("head pose error", pose, "°"),
            Figure::new("  mesh noise", pose_noise, "°"),
        ]
    }

    fn of_pixels(&self) -> Vec<Figure> {
        let outside = Some(self.pixels_changed_outside as f64);
        let flicker = self.flicker_ratio;
        let turned = self.turned_share.map(|share| 100.0 * share);
        vec![
            Figure::new(
                "colour step at the edge of the mask",
                self.seam_delta_e,
                " ΔE",
            ),
            Figure::new("flicker, over the target's own", flicker, "×").at_most(1.2),
            Figure::new("changed outside the mask", outside, " pixels").at_most(0.0),
            Figure::new("turned too far, and faded", turned, " % of faces"),
        ]
    }

    /// The card in words, one line for each figure.
    pub fn lines(&self) -> Vec<String> {
        self.figures().iter().map(Figure::line).collect()
    }
}

fn of_ground_truth(truth: &GroundTruth) -> Vec<Figure> {
    let after = truth.after;
    let mut figures = vec![
        Figure::new("against ground truth, PSNR", Some(after.psnr_db), " dB").at_least(28.0),
        Figure::new("against ground truth, SSIM", Some(after.ssim), "").at_least(0.9),
    ];
    let others = [
        (
            ["  the target before, PSNR", "  the target before, SSIM"],
            truth.before,
        ),
        (
            [
                "  ground truth redrawn, PSNR",
                "  ground truth redrawn, SSIM",
            ],
            truth.redrawn,
        ),
        (
            ["  without alignment, PSNR", "  without alignment, SSIM"],
            truth.in_place,
        ),
    ];
    for ([psnr, ssim], likeness) in others {
        figures.push(Figure::new(psnr, Some(likeness.psnr_db), " dB"));
        figures.push(Figure::new(ssim, Some(likeness.ssim), ""));
    }
    let regions = truth.regions.iter();
    figures.extend(regions.map(|r| Figure::new(r.name, Some(r.psnr_db), " dB")));
    figures
}

/// Writes the card for programs.
pub(super) fn write(quality: &impl Serialize, path: &Path) -> Result<()> {
    let mut file = AtomicFile::create(path)?;
    let json = serde_json::to_vec_pretty(quality).unwrap_or_default();
    file.write(&json)?;
    file.write(b"\n")?;
    file.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_judged_by_their_targets() {
        let quality = Quality {
            share_nearer_to_source: Some(0.8),
            expression_error: Some(1.2),
            expression_noise: Some(1.0),
            ..Quality::default()
        };
        let figures = quality.figures();
        let of = |name: &str| figures.iter().find(|f| f.name.contains(name)).unwrap();
        assert_eq!(of("more similar").is_reached(), Some(false));
        assert_eq!(of("expression error").is_reached(), Some(true));
        assert_eq!(of("outside").is_reached(), Some(true));
        assert_eq!(of("flicker").is_reached(), None);
        let lines = quality.lines();
        assert!(lines[0].ends_with("missed: at least 90 %"), "{}", lines[0]);
        assert!(lines.iter().any(|line| line.contains("not measured")));
    }

    #[test]
    fn people_who_look_alike_are_not_judged_by_similarity() {
        let with = |likeness: f64| Quality {
            share_nearer_to_source: Some(0.1),
            source_to_target_identity: Some(likeness),
            one_person_from: 0.66,
            ..Quality::default()
        };
        assert_eq!(with(0.9).figures()[0].is_reached(), None);
        assert!(with(0.9).lines()[0].contains("not judged"));
        assert_eq!(with(0.3).figures()[0].is_reached(), Some(false));
    }
}
