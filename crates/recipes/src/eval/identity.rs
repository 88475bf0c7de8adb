//! How well the identity network tells whether two faces are one person's.
//!
//! Pairs of people it was not trained on. The people are parted once more, by a hash of the
//! name: on one half the threshold is chosen, on the other everything is reported.

use std::path::{Path, PathBuf};

use anyhow::Result;
use effigy_face::align::identity_crop;
use effigy_frame::Picture;
use effigy_model::{FaceEmbedder, Identity};
use sha2::{Digest as _, Sha256};

use super::Weights;
use crate::data::people::{self, Sample, Split};
use crate::device::DeviceArgs;

/// Which weights, and what to write.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    weights: Weights,
    /// Write the pairs that are judged most wrongly as one picture: above, different people who
    /// look alike; below, one person who does not
    #[arg(long, value_name = "PNG")]
    sheet: Option<PathBuf>,
}

/// Prints accuracy and the rates at fixed thresholds.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let weights = &args.weights;
    let device = args.device.open()?;
    let face_embedder = weights.fill("identifier", FaceEmbedder::new(&device))?;
    let samples = people::read(data, Split::Validation, |s| s == "ytf" || s == "lfw-grey")?;
    let (tune, test): (Vec<&Sample>, Vec<&Sample>) =
        samples.iter().partition(|s| is_tuning(&s.person));
    let teacher = [&tune, &test].map(|half| teacher_pairs(half));
    let tune = pairs(&Faces::embed(&face_embedder, &tune));
    let shown = Faces::embed(&face_embedder, &test);
    let test = pairs(&shown);
    let best = best_threshold(&tune);
    println!(
        "tuning: {} same, {} different; test: {} same, {} different",
        tune.same.len(),
        tune.different.len(),
        test.same.len(),
        test.different.len()
    );
    println!(
        "threshold {best:.3} (chosen on the tuning half): balanced accuracy {:.4}",
        test.accuracy(best)
    );
    println!(
        "the teacher's own vectors on the same pairs: balanced accuracy {:.4}",
        teacher[1].accuracy(best_threshold(&teacher[0]))
    );
    for rate in [0.01, 0.001] {
        let threshold = tune.threshold_at(rate);
        println!(
            "threshold {threshold:.3} for FMR {rate}: measured FMR {:.5}, TAR {:.4}",
            share_at_least(&test.different, threshold),
            share_at_least(&test.same, threshold),
        );
    }
    if let Some(path) = &args.sheet {
        shown.sheet().save(path)?;
    }
    Ok(())
}

/// Similarities of all pairs, sorted from low to high.
struct Pairs {
    same: Vec<f32>,
    different: Vec<f32>,
}

impl Pairs {
    /// Takes similarities and whether both faces are one person's.
    fn from_judged(judged: impl Iterator<Item = (f32, bool)>) -> Self {
        let (mut same, mut different) = (Vec::new(), Vec::new());
        for (similarity, is_same) in judged {
            if is_same {
                same.push(similarity);
            } else {
                different.push(similarity);
            }
        }
        same.sort_by(f32::total_cmp);
        different.sort_by(f32::total_cmp);
        Self { same, different }
    }

    /// Mean of the shares of both kinds that are called rightly.
    fn accuracy(&self, threshold: f32) -> f64 {
        let hits = share_at_least(&self.same, threshold);
        let refused = 1.0 - share_at_least(&self.different, threshold);
        0.5 * (hits + refused)
    }

    fn threshold_at(&self, rate: f64) -> f32 {
        let above = (self.different.len() as f64 * rate) as usize;
        self.different[self.different.len() - 1 - above]
    }
}

pub(crate) fn is_tuning(person: &str) -> bool {
    Sha256::digest(person.as_bytes())[0] % 2 == 0
}

/// Faces with their identities and crops.
struct Faces<'a> {
    samples: Vec<&'a Sample>,
    identities: Vec<Identity>,
    crops: Vec<Picture>,
}

impl<'a> Faces<'a> {
    fn embed(face_embedder: &FaceEmbedder, samples: &[&'a Sample]) -> Self {
        let mut faces = Self {
            samples: Vec::new(),
            identities: Vec::new(),
            crops: Vec::new(),
        };
        for &sample in samples {
            let Some(crop) = identity_crop(&sample.picture, &sample.points) else {
                continue;
            };
            faces
                .identities
                .extend(face_embedder.embed(std::slice::from_ref(&crop)));
            faces.samples.push(sample);
            faces.crops.push(crop);
        }
        faces
    }

    /// All pairs: how alike, and whose.
    fn pairs(&self) -> impl Iterator<Item = (f32, usize, usize)> {
        (0..self.samples.len()).flat_map(move |i| {
            (0..i).map(move |j| (self.identities[i].similarity(&self.identities[j]), i, j))
        })
    }

    fn is_same(&self, i: usize, j: usize) -> bool {
        self.samples[i].person == self.samples[j].person
    }

    /// The pairs that are judged most wrongly.
    fn sheet(&self) -> image::RgbImage {
        const COLUMNS: u32 = 12;
        const ROWS: u32 = 6;
        let half = (COLUMNS / 2 * ROWS / 2) as usize;
        let mut ordered: Vec<(f32, usize, usize)> = self.pairs().collect();
        ordered.sort_by(|a, b| b.0.total_cmp(&a.0));
        let alike = ordered
            .iter()
            .filter(|p| !self.is_same(p.1, p.2))
            .take(half);
        let unlike = ordered
            .iter()
            .rev()
            .filter(|p| self.is_same(p.1, p.2))
            .take(half);
        let shown: Vec<&Picture> = alike
            .chain(unlike)
            .flat_map(|&(_, i, j)| [&self.crops[i], &self.crops[j]])
            .collect();
        super::sheet(&shown, COLUMNS, ROWS)
    }
}

/// The similarities of all pairs of one person and of two.
fn pairs(faces: &Faces<'_>) -> Pairs {
    let judged = faces.pairs();
    Pairs::from_judged(judged.map(|(similarity, i, j)| (similarity, faces.is_same(i, j))))
}

/// The same with the teacher's vectors, of which the distance counts: what ours can hope for.
fn teacher_pairs(samples: &[&Sample]) -> Pairs {
    let taught: Vec<(&str, &Vec<f32>)> = samples
        .iter()
        .filter_map(|s| Some((s.person.as_str(), s.identity.as_ref()?)))
        .collect();
    let gap = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
    let judged = (0..taught.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
    Pairs::from_judged(judged.map(|(i, j)| {
        let distance = gap(taught[i].1, taught[j].1).sqrt();
        (-distance, taught[i].0 == taught[j].0)
    }))
}

/// The similarity of a same pair at which the accuracy is best.
fn best_threshold(pairs: &Pairs) -> f32 {
    let candidates = pairs.same.iter().copied();
    candidates
        .max_by(|&a, &b| pairs.accuracy(a).total_cmp(&pairs.accuracy(b)))
        .unwrap_or(0.5)
}

fn share_at_least(sorted: &[f32], threshold: f32) -> f64 {
    let below = sorted.partition_point(|&v| v < threshold);
    (sorted.len() - below) as f64 / sorted.len().max(1) as f64
}
