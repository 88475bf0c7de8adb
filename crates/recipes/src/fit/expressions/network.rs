//! The training of the reader's layers, on movements that are narrowed already.

use anyhow::Result;
use burn::module::Param;
use burn::nn::Linear;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::leaky_relu;
use effigy_face::rig::N_EXPRESSIONS;
use effigy_model::expression_reader::N_HIDDEN;
use effigy_model::tensors::values;
use nalgebra::{DMatrix, DVector};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::{Movement, N_NARROW, Narrow};
use crate::device::DeviceArgs;
use crate::train::augment::normal;

/// The layers by columns of outputs; the first gives the hidden layer and what is told directly.
pub(super) struct Trained {
    pub(super) first: DMatrix<f32>,
    pub(super) first_bias: DVector<f32>,
    pub(super) second: DMatrix<f32>,
    pub(super) second_bias: DVector<f32>,
    pub(super) last: DMatrix<f32>,
    pub(super) last_bias: DVector<f32>,
}

#[derive(Module, Debug)]
struct Layers {
    hidden: Linear,
    directly: Linear,
    second: Linear,
    last: Linear,
}

/// Movements a step.
const BATCH: usize = 256;
const RATE: f64 = 2e-3;
/// Steps over which the learning rate rises, and the part of them over which it falls.
const WARM_UP_STEPS: f64 = 100.0;
const FALL: f64 = 0.4;
/// The share of faces that are given another expression.
const EXCHANGED: f64 = 0.7;
/// What is done to each number that is shown: how often it is left out, and noise.
const LEFT_OUT: f64 = 0.1;
const NOISE: f32 = 0.1;
/// Errors beyond this weight count by their size, not by their square.
const KNEE: f32 = 0.05;
/// How strongly what an expression does is drawn to nothing.
const PULL: f32 = 3.0;
/// The slope of the activation below zero, as `effigy_model` has it.
const SLOPE: f64 = 0.1;

impl Layers {
    fn new(random: &mut ChaCha8Rng, device: &Device) -> Self {
        let mut layer = |n_inputs: usize, n_outputs: usize, deviation: f32| {
            let weights = (0..n_inputs * n_outputs).map(|_| deviation * normal(random));
            let weights = TensorData::new(weights.collect::<Vec<f32>>(), [n_inputs, n_outputs]);
            Linear {
                weight: Param::from_tensor(Tensor::from_data(weights, device)),
                bias: Some(Param::from_tensor(Tensor::zeros([n_outputs], device))),
            }
        };
        let usual = |n_inputs: usize| (2.0 / n_inputs as f32).sqrt();
        Self {
            hidden: layer(N_NARROW, N_HIDDEN, usual(N_NARROW)),
            directly: layer(N_NARROW, N_EXPRESSIONS, 0.0),
            second: layer(N_HIDDEN, N_HIDDEN, usual(N_HIDDEN)),
            last: layer(N_HIDDEN, N_EXPRESSIONS, 0.0),
        }
    }

    /// `[n, 112]` → `[n, 57]`
    fn forward(&self, narrowed: Tensor<2>) -> Tensor<2> {
        let hidden = leaky_relu(self.hidden.forward(narrowed.clone()), SLOPE);
        let hidden = leaky_relu(self.second.forward(hidden), SLOPE);
        self.last.forward(hidden) + self.directly.forward(narrowed)
    }
}

/// Trains the layers for so many steps.
pub(super) fn train(
    narrow: &Narrow,
    movements: &[&Movement],
    steps: u32,
    seed: u64,
    device: &DeviceArgs,
) -> Result<Trained> {
    let device = device.open()?.autodiff();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut layers = Layers::new(&mut random, &device);
    let mut optimizer = AdamWConfig::new().with_weight_decay(1e-3).init();
    let shown = Shown::new(narrow, movements);
    for step in 0..steps {
        let (seen, truth) = shown.batch(&mut random);
        let tensor = |values: Vec<f32>, width: usize| {
            Tensor::<2>::from_data(TensorData::new(values, [BATCH, width]), &device)
        };
        let off = layers.forward(tensor(seen, N_NARROW)) - tensor(truth, N_EXPRESSIONS);
        let size = off.abs();
        let within = size.clone().clamp_max(KNEE);
        let loss = (within.clone() * (size - within * 0.5)).mean() / KNEE;
        if (step + 1).is_multiple_of(500) {
            println!(
                "step {} loss {:.5}",
                step + 1,
                values(loss.clone().inner())[0]
            );
        }
        let grads = GradientsParams::from_grads(loss.backward(), &layers);
        layers = optimizer.step(rate(step, steps), layers, grads);
    }
    Ok(Trained::of(&layers))
}

fn rate(step: u32, steps: u32) -> f64 {
    let (step, steps) = (f64::from(step), f64::from(steps));
    let rise = ((step + 1.0) / WARM_UP_STEPS).min(1.0);
    let fall = ((steps - step) / (FALL * steps)).min(1.0);
    RATE * rise * fall
}

/// What is learned from.
struct Shown {
    narrowed: DMatrix<f32>,
    truth: DMatrix<f32>,
    /// What the full weight of each expression does, `[expression, narrowed]`.
    does: DMatrix<f32>,
}

impl Shown {
    fn new(narrow: &Narrow, movements: &[&Movement]) -> Self {
        let narrowed = narrow.all(movements);
        let truth = movements.iter().flat_map(|movement| movement.truth);
        let truth = DMatrix::from_row_iterator(movements.len(), N_EXPRESSIONS, truth);
        let pull = DMatrix::identity(N_EXPRESSIONS, N_EXPRESSIONS) * PULL;
        let squares = truth.tr_mul(&truth) + pull;
        let products = truth.tr_mul(&narrowed);
        let does = squares.cholesky().map(|c| c.solve(&products));
        Self {
            does: does.unwrap_or_else(|| DMatrix::zeros(N_EXPRESSIONS, N_NARROW)),
            narrowed,
            truth,
        }
    }

    /// Movements and what is done in them, row by row.
    fn batch(&self, random: &mut ChaCha8Rng) -> (Vec<f32>, Vec<f32>) {
        let n = self.truth.nrows();
        let (mut seen, mut truth) = (Vec::new(), Vec::new());
        for _ in 0..BATCH {
            let face = random.random_range(0..n);
            let mut narrowed = self.narrowed.row(face).into_owned();
            let mut done = self.truth.row(face).into_owned();
            if random.random_bool(EXCHANGED) {
                let other = self.truth.row(random.random_range(0..n)).into_owned();
                narrowed += (&other - &done) * &self.does;
                done = other;
            }
            seen.extend(narrowed.iter().map(|value| {
                let kept = if random.random_bool(LEFT_OUT) {
                    0.0
                } else {
                    *value
                };
                kept + NOISE * normal(random)
            }));
            truth.extend(done.iter());
        }
        (seen, truth)
    }
}

impl Trained {
    fn of(layers: &Layers) -> Self {
        let matrix = |linear: &Linear| {
            let weight = linear.weight.val().inner();
            let [n_inputs, n_outputs] = weight.dims();
            DMatrix::from_row_slice(n_inputs, n_outputs, &values(weight))
        };
        let bias = |linear: &Linear| {
            let biases = linear
                .bias
                .iter()
                .flat_map(|bias| values(bias.val().inner()));
            biases.collect::<Vec<f32>>()
        };
        let (hidden, directly) = (matrix(&layers.hidden), matrix(&layers.directly));
        let first: Vec<DVector<f32>> = hidden
            .column_iter()
            .chain(directly.column_iter())
            .map(|column| column.into_owned())
            .collect();
        let mut biases = bias(&layers.hidden);
        biases.extend(bias(&layers.directly));
        Self {
            first: DMatrix::from_columns(&first),
            first_bias: DVector::from_vec(biases),
            second: matrix(&layers.second),
            second_bias: DVector::from_vec(bias(&layers.second)),
            last: matrix(&layers.last),
            last_bias: DVector::from_vec(bias(&layers.last)),
        }
    }

    /// What is told of each row of narrowed movements.
    pub(super) fn tell(&self, narrowed: &DMatrix<f32>) -> Vec<[f32; N_EXPRESSIONS]> {
        let slope = |v: f32| v.max(SLOPE as f32 * v);
        let told = narrowed.row_iter().map(|row| {
            let first = self.first.tr_mul(&row.transpose()) + &self.first_bias;
            let hidden = first.rows(0, N_HIDDEN).map(slope);
            let hidden = (self.second.tr_mul(&hidden) + &self.second_bias).map(slope);
            let told = self.last.tr_mul(&hidden) + &self.last_bias;
            let told = told + first.rows(N_HIDDEN, N_EXPRESSIONS);
            std::array::from_fn(|k| told[k].clamp(0.0, 1.0))
        });
        told.collect()
    }
}
