//! Trains the identity network to point where the teacher's vectors point.
//!
//! The teacher's vectors all lie in one corner of their space; taken from their mean, people
//! spread over the whole sphere, which is what a cosine needs. Most of the people are white men:
//! faces with few others like them are drawn more often, and half of each batch are faces that
//! look like the other half, because telling those apart is what has to be learned.

use std::path::Path;

use anyhow::Result;
use burn::prelude::*;
use burn::tensor::TensorData;
use effigy_face::align::{IDENTITY_EXTENT, aligned_view};
use effigy_frame::resample::crop;
use effigy_model::FaceEmbedder;
use effigy_model::face_embedder::N_IDENTITY;
use effigy_model::tensors::{PATCH_CHANNELS, append_space_to_depth, mean2};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::data::people::{self, Sample, Split};
use crate::train::augment::{Jitter, occlude, spoil, strayed};
use crate::train::run::{self, Args};

const SIDE: u32 = FaceEmbedder::SIDE_PX;
const JITTER: Jitter = Jitter {
    turn: 0.06,
    scale: 0.06,
    shift: 0.025,
};
/// How much the likeness between the faces of a batch counts beside each face's own vector.
const RELATION: f32 = 2.0;

/// `n` crops and where the teacher points.
struct Batch {
    /// `[n, 48, 24, 24]`
    crops: Vec<f32>,
    /// `[n, 128]`, rows of length one.
    identities: Vec<f32>,
}

/// Trains and writes the weights.
pub(crate) fn train(data: &Path, args: &Args) -> Result<()> {
    let mut samples = people::read(data, Split::Train, |_| true)?;
    samples.retain(|s| s.identity.is_some());
    println!("identifier: {} faces", samples.len());
    let device = args.device.open()?.autodiff();
    let faces = Faces::new(samples);
    let n = args.batch;
    let draw = move |random: &mut ChaCha8Rng| faces.batch(n, random);
    run::run(
        "identifier",
        FaceEmbedder::new(&device),
        args,
        draw,
        move |net, batch: &Batch| {
            let n = batch.identities.len() / N_IDENTITY;
            let side = SIDE as usize / 4;
            let crops = TensorData::new(batch.crops.clone(), [n, PATCH_CHANNELS, side, side]);
            let truth = TensorData::new(batch.identities.clone(), [n, N_IDENTITY]);
            let truth = Tensor::<2>::from_data(truth, &device);
            let drawn = net.forward(Tensor::from_data(crops, &device));
            let gap =
                mean2((drawn.clone() - truth.clone()).powi_scalar(2)) * (N_IDENTITY as f32 / 2.0);
            let likeness = |x: Tensor<2>| x.clone().matmul(x.transpose());
            let relation = mean2((likeness(drawn) - likeness(truth)).powi_scalar(2));
            let total = gap.clone() + relation.clone() * RELATION;
            (total, vec![("gap", gap), ("relation", relation)])
        },
    )
}

/// The faces to draw from.
struct Faces {
    samples: Vec<Sample>,
    targets: Vec<Vec<f32>>,
    /// The faces most like each.
    nearest: Vec<[usize; N_NEAREST]>,
    /// Running sum of how often each is to be drawn.
    shares: Vec<f32>,
}

/// How many of the faces most like one are drawn beside it.
const N_NEAREST: usize = 16;
/// Cosine above which the teacher sees two faces as of one kind.
const ONE_KIND: f32 = 0.3;

impl Faces {
    fn new(samples: Vec<Sample>) -> Self {
        let targets = directions(&samples);
        let (mut nearest, mut shares) = (Vec::new(), Vec::new());
        let mut sum = 0.0;
        for (i, target) in targets.iter().enumerate() {
            let cosine = |other: &Vec<f32>| target.iter().zip(other).map(|(a, b)| a * b).sum();
            let mut cosines: Vec<(f32, usize)> = targets.iter().map(cosine).zip(0..).collect();
            let n_of_kind = cosines.iter().filter(|(c, _)| *c > ONE_KIND).count();
            sum += (n_of_kind.max(1) as f32).sqrt().recip();
            shares.push(sum);
            cosines.swap_remove(i);
            cosines.select_nth_unstable_by(N_NEAREST, |a, b| b.0.total_cmp(&a.0));
            nearest.push(std::array::from_fn(|k| cosines[k].1));
        }
        Self {
            samples,
            targets,
            nearest,
            shares,
        }
    }

    fn batch(&self, n: usize, random: &mut ChaCha8Rng) -> Batch {
        let mut batch = Batch {
            crops: Vec::new(),
            identities: Vec::new(),
        };
        while batch.identities.len() < n * N_IDENTITY {
            let all = self.shares.last().copied().unwrap_or(1.0);
            let at = random.random_range(0.0..all);
            let i = self.shares.partition_point(|&s| s < at);
            let like = self.nearest[i][random.random_range(0..N_NEAREST)];
            for i in [i, like] {
                self.append(i, &mut batch, random);
            }
        }
        batch.identities.truncate(n * N_IDENTITY);
        batch.crops.truncate(n * (SIDE * SIDE * 3) as usize);
        batch
    }

    fn append(&self, i: usize, batch: &mut Batch, random: &mut ChaCha8Rng) {
        let other = &self.samples[random.random_range(0..self.samples.len())];
        let Some(view) = aligned_view(&self.samples[i].points, SIDE, IDENTITY_EXTENT) else {
            return;
        };
        let view = strayed(view, SIDE, JITTER, random);
        let mut picture = crop(&self.samples[i].picture, view, SIDE);
        if random.random_bool(0.5) {
            picture = picture.mirrored();
        }
        if random.random_bool(0.1) {
            occlude(&mut picture, &other.picture, random);
        }
        if random.random_bool(0.5) {
            spoil(&mut picture, random);
        }
        append_space_to_depth(&picture, &mut batch.crops);
        batch.identities.extend(&self.targets[i]);
    }
}

/// The teacher's vectors from their mean, scaled to length one.
fn directions(samples: &[Sample]) -> Vec<Vec<f32>> {
    let vectors: Vec<&Vec<f32>> = samples.iter().filter_map(|s| s.identity.as_ref()).collect();
    let mut mean = [0.0_f64; N_IDENTITY];
    for vector in &vectors {
        for (m, &v) in mean.iter_mut().zip(vector.iter()) {
            *m += f64::from(v) / vectors.len() as f64;
        }
    }
    let direction = |vector: &Vec<f32>| {
        let from_mean: Vec<f32> = vector
            .iter()
            .zip(&mean)
            .map(|(&v, &m)| v - m as f32)
            .collect();
        let length = from_mean
            .iter()
            .map(|v| v * v)
            .sum::<f32>()
            .sqrt()
            .max(1e-6);
        from_mean.iter().map(|v| v / length).collect()
    };
    vectors.into_iter().map(direction).collect()
}
