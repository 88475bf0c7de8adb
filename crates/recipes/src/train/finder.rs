//! Trains the finder on mosaics of portraits.
//!
//! Each grid is asked for the faces of its size; cells near the middle of one are positive, those
//! further out are left alone, all others are negative. Scores by focal loss (Lin et al., ICCV
//! 2017, equation 5), boxes and points by absolute difference.

use std::ops::Range;
use std::path::Path;

use anyhow::Result;
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::{sigmoid, softplus};
use effigy_frame::Point2;
use effigy_model::finder::{CELL_CHANNELS, STRIDES, UNIT_STRIDES};
use effigy_model::tensors::{PATCH_CHANNELS, append_space_to_depth, sum4};
use effigy_model::{Finder, Weights};
use rand_chacha::ChaCha8Rng;

use crate::data::people::{self, Sample, Split};
use crate::train::mosaic::{CANVAS, Placed, mosaic};
use crate::train::pose_augmentation::Surface;
use crate::train::run;

/// Faces each grid is asked for, by their longer side in pixels; neighbours overlap.
const SIZES: [Range<f32>; 3] = [9.0..46.0, 36.0..100.0, 80.0..400.0];
/// Cells nearer to the middle than this share of the face's size are positive.
const POSITIVE_REACH: f32 = 0.16;
/// Cells nearer than this, but not positive, are left alone.
const NEUTRAL_REACH: f32 = 0.4;

/// How to train.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    run: run::Args,
    /// Go on from the committed weights
    #[arg(long)]
    from_committed: bool,
}

/// What one grid should show for `n` pictures.
struct GridTruth {
    side: usize,
    /// `[n, 15, side, side]`: score 0 or 1, box and points.
    cells: Vec<f32>,
    /// `[n, 1, side, side]`: whether the score counts.
    counts: Vec<f32>,
}

/// `n` mosaics and the truth for each grid.
struct Batch {
    n: usize,
    pictures: Vec<f32>,
    grids: Vec<GridTruth>,
}

/// Trains and writes the weights.
pub(crate) fn train(data: &Path, args: &Args) -> Result<()> {
    let samples = people::read(data, Split::Train, |_| true)?;
    println!("finder: {} faces", samples.len());
    let device = args.run.device.open()?.autodiff();
    let n = args.run.batch;
    let fresh = Finder::new(&device);
    let start = if args.from_committed {
        Weights::from_source_tree()?.fill("finder", fresh)?
    } else {
        fresh
    };
    let surface = Surface::new()?;
    let draw = move |random: &mut ChaCha8Rng| draw(&samples, &surface, n, random);
    run::run(
        "finder",
        start,
        &args.run,
        draw,
        move |net, batch: &Batch| {
            let side = CANVAS as usize / 4;
            let pictures = TensorData::new(
                batch.pictures.clone(),
                [batch.n, PATCH_CHANNELS, side, side],
            );
            let grids = net.forward(Tensor::from_data(pictures, &device));
            let losses = grids
                .into_iter()
                .zip(&batch.grids)
                .map(|(grid, truth)| grid_loss(grid, truth, &device));
            let sum = losses.reduce(|a, b| [0, 1, 2, 3].map(|i| a[i].clone() + b[i].clone()));
            let Some([score, boxes, points, positives]) = sum else {
                unreachable!("there are three grids")
            };
            let share = |x: Tensor<1>| x / (positives.clone() + 1.0);
            let (score, boxes, points) = (share(score), share(boxes), share(points));
            let total = score.clone() + boxes.clone() * 0.5 + points.clone() * 0.5;
            (
                total,
                vec![("score", score), ("box", boxes), ("points", points)],
            )
        },
    )
}

/// Sums over one grid: score loss, box loss, point loss, positive cells.
fn grid_loss(grid: Tensor<4>, truth: &GridTruth, device: &Device) -> [Tensor<1>; 4] {
    let [n, _, side, _] = grid.dims();
    let cells = TensorData::new(truth.cells.clone(), [n, CELL_CHANNELS, side, side]);
    let cells = Tensor::<4>::from_data(cells, device);
    let counts = TensorData::new(truth.counts.clone(), [n, 1, side, side]);
    let counts = Tensor::<4>::from_data(counts, device);
    let (logit, wanted) = (grid.clone().narrow(1, 0, 1), cells.clone().narrow(1, 0, 1));
    let chance = sigmoid(logit.clone());
    let miss = wanted.clone() * (-chance.clone() + 1.0) + (-wanted.clone() + 1.0) * chance;
    let balance = wanted.clone() * 0.5 + (-wanted.clone() + 1.0) * 0.5;
    let entropy = softplus(logit.clone(), 1.0) - logit * wanted.clone();
    let score = sum4(entropy * miss.powi_scalar(2) * balance * counts) * 4.0;
    let gap = (grid.narrow(1, 1, CELL_CHANNELS - 1) - cells.narrow(1, 1, CELL_CHANNELS - 1)).abs();
    let boxes = sum4(gap.clone().narrow(1, 0, 4) * wanted.clone());
    let points = sum4(gap.narrow(1, 4, 10) * wanted.clone());
    [score, boxes, points, sum4(wanted)]
}

fn draw(samples: &[Sample], surface: &Surface, n: usize, random: &mut ChaCha8Rng) -> Batch {
    let mut pictures = Vec::new();
    let mut grids = STRIDES.map(|stride| {
        let side = CANVAS as usize / stride;
        GridTruth {
            side,
            cells: Vec::new(),
            counts: Vec::new(),
        }
    });
    for _ in 0..n {
        let (picture, placed) = mosaic(samples, surface, random);
        append_space_to_depth(&picture, &mut pictures);
        for ((grid, stride), sizes) in grids.iter_mut().zip(STRIDES).zip(SIZES) {
            append_truth(grid, stride as f32, &sizes, &placed);
        }
    }
    Batch {
        n,
        pictures,
        grids: grids.into(),
    }
}

fn append_truth(grid: &mut GridTruth, stride: f32, sizes: &Range<f32>, placed: &[Placed]) {
    let area = grid.side * grid.side;
    let mut cells = vec![0.0; CELL_CHANNELS * area];
    let mut counts = vec![1.0; area];
    for face in placed {
        let size = face.rect.width.max(face.rect.height);
        let is_asked_for = face.wanted && sizes.contains(&size);
        // A face a little too small or large for this grid is neither right nor wrong on it.
        let about_as_large = sizes.start / 1.5..sizes.end * 1.5;
        let is_neutral = about_as_large.contains(&size) || !face.wanted;
        for at in 0..area {
            let middle = Point2::new(
                ((at % grid.side) as f32 + 0.5) * stride,
                ((at / grid.side) as f32 + 0.5) * stride,
            );
            let away = middle.distance(face.rect.centre());
            if is_asked_for && away < (POSITIVE_REACH * size).max(0.71 * stride) {
                counts[at] = 1.0;
                encode(face, middle, stride, |channel, value| {
                    cells[channel * area + at] = value
                });
            } else if is_neutral && away < NEUTRAL_REACH * size && cells[at] < 0.5 {
                counts[at] = 0.0;
            }
        }
    }
    grid.cells.extend(cells);
    grid.counts.extend(counts);
}

/// Writes a face the way `Finder` reads it.
fn encode(face: &Placed, middle: Point2, stride: f32, mut set: impl FnMut(usize, f32)) {
    let unit = UNIT_STRIDES * stride;
    let centre = face.rect.centre();
    set(0, 1.0);
    set(1, (centre.x - middle.x) / stride);
    set(2, (centre.y - middle.y) / stride);
    set(3, (face.rect.width / unit).ln());
    set(4, (face.rect.height / unit).ln());
    for (i, p) in face.points.iter().enumerate() {
        set(5 + 2 * i, (p.x - middle.x) / unit);
        set(6 + 2 * i, (p.y - middle.y) / unit);
    }
}
