//! How wrong a network draws a batch: encode all faces, draw each person's, compare.
//!
//! `n` faces of side `s`, latents of `z` numbers.

use burn::prelude::*;
use burn::tensor::TensorData;
use effigy_model::face_model::FaceNet;

use crate::augment::Batch;
use crate::loss::{Wanted, loss};

/// The latents of all faces of `batch`: `[n, z]`.
pub(crate) fn encode(net: &FaceNet, batch: &Batch, device: &Device) -> Tensor<2> {
    let (n, side) = batch.size();
    net.encode(tensor(
        &batch.input_blocks,
        [n, 48, side / 4, side / 4],
        device,
    ))
}

/// Draws each person's faces with their own decoder, from `latent` `[n, z]`, and measures them:
/// `[1]`.
pub(crate) fn error_of(
    net: &FaceNet,
    latent: Tensor<2>,
    batch: &Batch,
    counts: &[usize],
) -> Tensor<1> {
    let width = latent.dims()[1];
    let mut first = 0;
    let mut drawn = Vec::new();
    for (person, count) in counts.iter().enumerate() {
        let theirs = latent.clone().slice([first..first + count, 0..width]);
        drawn.push(net.decode(theirs, person)); // [count, 4, s, s]
        first += count;
    }
    let wanted = wanted(batch, &latent.device());
    loss(Tensor::cat(drawn, 0), &wanted)
}

/// What the faces of `batch` should be drawn as.
pub(crate) fn wanted(batch: &Batch, device: &Device) -> Wanted {
    let (n, side) = batch.size();
    Wanted {
        colours: tensor(&batch.colours, [n, 3, side, side], device),
        masks: tensor(&batch.masks, [n, 1, side, side], device),
        weights: tensor(&batch.weights, [n, 1, side, side], device),
    }
}

fn tensor(values: &[f32], shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}
