//! Matched filters: directions in which makers' fakes leave their originals, against how real faces
//! differ.

use nalgebra::{DMatrix, DVector};

use super::{Clip, mean, of_frames};
use crate::data::footage::Kind;

/// Which makers a bank may have met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Makers {
    /// Those whose clips stand on other pages too.
    OfOtherPages,
    /// None of those on the pages that are left out.
    Unknown,
}

/// What one filter is made of.
struct Recipe {
    wants: fn(Kind, &str) -> bool,
    /// Whether fakes are compared with what they were made of.
    with_originals: bool,
    /// Whether they are compared with real clips.
    with_real: bool,
}

/// In the order of the cue's measures.
const RECIPES: [Recipe; 4] = [
    Recipe {
        wants: |kind, _| kind == Kind::Swap,
        with_originals: true,
        with_real: false,
    },
    Recipe {
        wants: |_, maker| maker == "deepfacelab",
        with_originals: true,
        with_real: false,
    },
    Recipe {
        wants: |kind, _| kind == Kind::LipSync,
        with_originals: true,
        with_real: true,
    },
    Recipe {
        wants: |kind, _| matches!(kind, Kind::Talking | Kind::Reenacted),
        with_originals: false,
        with_real: true,
    },
];
/// Added to the variance of every number: there are fewer clips than numbers.
const RIDGE: f64 = 1.0;
/// A number that hardly differs among real clips is no measure.
const LEAST_DEVIATION: f32 = 1e-6;

/// How many real people differ among themselves: pictures, one of each.
pub(super) struct Strangers {
    /// Less their mean: `[number, person]`.
    centred: DMatrix<f64>,
}

impl Strangers {
    pub(super) fn new(people: &[Vec<f32>]) -> Self {
        let mean = mean(people.iter().map(Vec::as_slice));
        let centred = DMatrix::from_fn(mean.len(), people.len(), |number, person| {
            f64::from(people[person][number] - mean[number])
        });
        Self { centred }
    }
}

/// The filters: what each gives of a vector is `bias + Σ weight · number`.
pub(super) struct Bank {
    /// `[number][filter]`
    pub(super) weights: Vec<f32>,
    pub(super) biases: Vec<f32>,
}

impl Bank {
    /// Fits the filters to some clips, of which some are real.
    pub(super) fn fit(clips: &[&Clip], strangers: &Strangers) -> Self {
        let real: Vec<&Clip> = clips.iter().filter(|c| is_real_video(c)).copied().collect();
        let centre = mean(real.iter().map(|clip| clip.mean.as_slice()));
        let deviations: Vec<f64> = (0..centre.len())
            .map(|i| {
                let squares = real
                    .iter()
                    .map(|c| f64::from(c.mean[i] - centre[i]).powi(2));
                (squares.sum::<f64>() / real.len() as f64).sqrt() + f64::from(LEAST_DEVIATION)
            })
            .collect();
        let spread = spread(&real, &centre, &deviations, strangers);
        let towards: Vec<DVector<f64>> = RECIPES
            .iter()
            .map(|recipe| direction(recipe, clips, &centre, &deviations))
            .collect();
        let Some(factors) = spread.clone().cholesky() else {
            unreachable!("a covariance with a ridge is positive definite")
        };
        let mut bank = Self {
            weights: vec![0.0; centre.len() * RECIPES.len()],
            biases: vec![0.0; RECIPES.len()],
        };
        for (filter, towards) in towards.iter().enumerate() {
            let found = factors.solve(towards);
            let length = found.dot(&(&spread * &found)).sqrt().max(f64::MIN_POSITIVE);
            let mut bias = 0.0;
            for (i, found) in found.iter().enumerate() {
                let weight = found / length / deviations[i];
                bank.weights[i * RECIPES.len() + filter] = weight as f32;
                bias -= weight * f64::from(centre[i]);
            }
            bank.biases[filter] = bias as f32;
        }
        bank
    }

    /// What each filter makes of a clip.
    pub(super) fn score(&self, clip: &Clip) -> Vec<f32> {
        let of_frame = |numbers: &Vec<f32>| {
            let mut scores: Vec<f64> = self.biases.iter().map(|b| f64::from(*b)).collect();
            let weights = self.weights.chunks_exact(scores.len());
            for (number, weights) in numbers.iter().zip(weights) {
                for (score, weight) in scores.iter_mut().zip(weights) {
                    *score += f64::from(*number) * f64::from(*weight);
                }
            }
            scores.into_iter().map(|score| score as f32).collect()
        };
        let frames: Vec<Vec<f32>> = clip.frames.iter().map(of_frame).collect();
        of_frames(&frames)
    }

    /// The same in deviations of real clips.
    pub(super) fn scaled(mut self, scale: &Scale) -> Self {
        for (i, weight) in self.weights.iter_mut().enumerate() {
            *weight /= scale.deviation[i % RECIPES.len()];
        }
        self.biases = scale.apply(&self.biases);
        self
    }
}

/// How the scores of real clips are distributed that a bank was not fitted on.
pub(super) struct Scale {
    median: Vec<f32>,
    deviation: Vec<f32>,
}

impl Scale {
    pub(super) fn of(clips: &[Clip], scores: &[Vec<f32>]) -> Self {
        let real = clips
            .iter()
            .zip(scores)
            .filter(|(clip, _)| is_real_video(clip));
        let real: Vec<&Vec<f32>> = real.map(|(_, scores)| scores).collect();
        let (mut median, mut deviation) = (Vec::new(), Vec::new());
        for k in 0..RECIPES.len() {
            let mut values: Vec<f32> = real.iter().map(|scores| scores[k]).collect();
            values.sort_by(f32::total_cmp);
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            let squares: f32 = values.iter().map(|v| (v - mean).powi(2)).sum();
            median.push(values[values.len() / 2]);
            deviation.push((squares / values.len() as f32).sqrt());
        }
        Self { median, deviation }
    }

    pub(super) fn apply(&self, scores: &[f32]) -> Vec<f32> {
        let scale = self.median.iter().zip(&self.deviation);
        let scaled = scores.iter().zip(scale);
        scaled
            .map(|(score, (median, deviation))| (score - median) / deviation)
            .collect()
    }
}

/// Single pictures vary more than clips, and are not what a clip is measured by.
pub(super) fn is_real_video(clip: &Clip) -> bool {
    clip.fake.is_none() && 1 < clip.frames.len()
}

/// How real clips and real people differ, in deviations of real clips, and the ridge.
fn spread(
    real: &[&Clip],
    centre: &[f32],
    deviations: &[f64],
    strangers: &Strangers,
) -> DMatrix<f64> {
    let n = centre.len();
    let clips = DMatrix::from_fn(n, real.len(), |i, k| {
        f64::from(real[k].mean[i] - centre[i]) / deviations[i]
    });
    let mut people = strangers.centred.clone();
    for (mut row, deviation) in people.row_iter_mut().zip(deviations) {
        row /= *deviation;
    }
    let covariance = |m: &DMatrix<f64>| m * m.transpose() / (m.ncols() as f64 - 1.0).max(1.0);
    covariance(&clips) + covariance(&people) + DMatrix::identity(n, n) * RIDGE
}

/// Where the fakes that a filter is for lie; every maker counts alike.
fn direction(recipe: &Recipe, clips: &[&Clip], centre: &[f32], deviations: &[f64]) -> DVector<f64> {
    let mut towards = DVector::zeros(centre.len());
    let from_real = |clip: &Clip| Some(difference(&clip.mean, centre, deviations));
    let from_original = |clip: &Clip| {
        let original = clip.fake.as_ref()?.original.as_deref()?;
        let original = clips.iter().find(|other| other.name == original)?;
        Some(difference(&clip.mean, &original.mean, deviations))
    };
    if recipe.with_originals {
        towards += mean_by_maker(recipe, clips, &from_original, centre.len());
    }
    if recipe.with_real {
        towards += mean_by_maker(recipe, clips, &from_real, centre.len());
    }
    towards
}

fn difference(a: &[f32], b: &[f32], deviations: &[f64]) -> DVector<f64> {
    let differences = a.iter().zip(b).zip(deviations);
    let differences = differences.map(|((a, b), deviation)| f64::from(a - b) / deviation);
    DVector::from_iterator(a.len(), differences)
}

/// The mean over makers of the means of their clips.
fn mean_by_maker(
    recipe: &Recipe,
    clips: &[&Clip],
    from: &dyn Fn(&Clip) -> Option<DVector<f64>>,
    n: usize,
) -> DVector<f64> {
    let mut makers: std::collections::BTreeMap<&str, (DVector<f64>, f64)> = Default::default();
    for clip in clips {
        let Some(fake) = clip
            .fake
            .as_ref()
            .filter(|f| (recipe.wants)(f.kind, &f.maker))
        else {
            continue;
        };
        if let Some(difference) = from(clip) {
            let entry = makers.entry(&fake.maker);
            let (sum, count) = entry.or_insert_with(|| (DVector::zeros(n), 0.0));
            *sum += difference;
            *count += 1.0;
        }
    }
    let n_makers = makers.len().max(1) as f64;
    let means = makers.into_values().map(|(sum, count)| sum / count);
    means.fold(DVector::zeros(n), |all, mean| all + mean) / n_makers
}
