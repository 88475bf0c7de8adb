//! Makes the expression reader: what expressions do to the points of the mesh network, learned backwards.
//!
//! Strangers whom `recipes drawn-acts` filmed are shown as they are and in the mirror. Their movements are narrowed to
//! the directions in which points move most. A shown face is often given another expression: what the network is seen to
//! make of each is taken away and that of another act is added, so that few faces do for many expressions. How much the
//! reader counts beside the solver is chosen for each expression on strangers whom it was not trained on: it is trained
//! five times without a fifth of them, then on all.

mod movements;
mod network;
mod shares;

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use burn::tensor::f16;
use effigy_face::rig::{N_EXPRESSIONS, Rig};
use effigy_files::{sha256, write_atomically};
use effigy_model::Weights;
use effigy_model::expression_reader::{N_HIDDEN, N_MOVED};
use nalgebra::{DMatrix, DVector};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::device::DeviceArgs;
use crate::train::drawn;
use movements::Movement;
use network::Trained;

/// What to learn from.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    /// Folder with the strangers that `recipes drawn-acts` filmed
    #[arg(long, default_value = "target/strangers")]
    drawn: PathBuf,
    /// Steps of the training
    #[arg(long, default_value_t = 1500)]
    steps: u32,
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to write the reader
    #[arg(
        short,
        long,
        default_value = "crates/model/weights/expressions.safetensors"
    )]
    output: PathBuf,
}

/// Trainings that leave out some of the strangers, each others.
const N_FOLDS: usize = 5;

/// Makes the reader and writes it.
pub(crate) fn make(args: &Args) -> Result<()> {
    let rig = Rig::from_bytes(&Weights::from_source_tree()?.bytes("rig")?)?;
    let strangers = drawn::read(&args.drawn)?;
    ensure!(
        strangers.len() >= N_FOLDS,
        "{} strangers are too few; film more with recipes drawn-acts",
        strangers.len()
    );
    let movements: Vec<Vec<Movement>> = strangers
        .iter()
        .map(|(_, acts)| movements::of(&rig, acts))
        .collect::<Result<_>>()?;
    let all: Vec<&Movement> = movements.iter().flatten().collect();
    let narrow = Narrow::of(&all);
    let (mut truth, mut told) = (Vec::new(), Vec::new());
    for fold in 0..N_FOLDS {
        let (kept, learned) = parted(&movements, fold);
        println!(
            "{} movements to learn from, {} to choose on",
            learned.len(),
            kept.len()
        );
        let trained = network::train(&narrow, &learned, args.steps, args.seed, &args.device)?;
        told.extend(trained.tell(&narrow.all(&kept)));
        truth.extend(kept);
    }
    let shares = shares::choose(&truth, &told);
    let trained = network::train(&narrow, &all, args.steps, args.seed, &args.device)?;
    let file = folded(&narrow, &trained, &shares)?;
    write_atomically(&args.output, &file)
        .with_context(|| format!("cannot write {:?}", args.output))?;
    println!("{} bytes, sha256 = {:?}", file.len(), sha256(&file));
    Ok(())
}

/// The movements of the strangers that a training leaves out, and those of all others.
fn parted(strangers: &[Vec<Movement>], fold: usize) -> (Vec<&Movement>, Vec<&Movement>) {
    let is_kept = |i: &usize| i % N_FOLDS == fold;
    let of = |wanted: bool| {
        let strangers = strangers.iter().enumerate();
        let some = strangers.filter(|(i, _)| is_kept(i) == wanted);
        some.flat_map(|(_, movements)| movements).collect()
    };
    (of(true), of(false))
}

/// Directions in which points move most, each as wide as another.
pub(super) struct Narrow {
    mean: DVector<f32>,
    /// A column for each direction.
    directions: DMatrix<f32>,
}

/// How many.
pub(super) const N_NARROW: usize = 112;

impl Narrow {
    fn of(movements: &[&Movement]) -> Self {
        let rows = rows(movements);
        let mean = rows.row_mean().transpose();
        let mut centred = rows;
        for mut row in centred.row_iter_mut() {
            row -= mean.transpose();
        }
        let covariance = centred.tr_mul(&centred) / centred.nrows() as f32;
        let eigen = covariance.symmetric_eigen();
        let mut order: Vec<usize> = (0..N_MOVED).collect();
        order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
        let columns: Vec<DVector<f32>> = order[..N_NARROW]
            .iter()
            .map(|&i| eigen.eigenvectors.column(i) / eigen.eigenvalues[i].max(1e-9).sqrt())
            .collect();
        Self {
            mean,
            directions: DMatrix::from_columns(&columns),
        }
    }

    /// A row for each movement.
    fn all(&self, movements: &[&Movement]) -> DMatrix<f32> {
        let mut rows = rows(movements);
        for mut row in rows.row_iter_mut() {
            row -= self.mean.transpose();
        }
        rows * &self.directions
    }
}

fn rows(movements: &[&Movement]) -> DMatrix<f32> {
    let values = movements.iter().flat_map(|movement| *movement.moved);
    DMatrix::from_row_iterator(movements.len(), N_MOVED, values)
}

/// The file of the reader: the narrowing becomes part of its first layer.
fn folded(narrow: &Narrow, trained: &Trained, shares: &[f32; N_EXPRESSIONS]) -> Result<Vec<u8>> {
    let first = &narrow.directions * &trained.first; // [moved, hidden and told]
    let bias = &trained.first_bias - first.tr_mul(&narrow.mean);
    let by_rows = |weights: &DMatrix<f32>| weights.as_slice().to_vec(); // columns of inputs: rows of outputs
    let layers = [
        (
            "first.weight",
            by_rows(&first),
            vec![N_HIDDEN + N_EXPRESSIONS, N_MOVED],
        ),
        (
            "first.bias",
            bias.as_slice().to_vec(),
            vec![N_HIDDEN + N_EXPRESSIONS],
        ),
        (
            "second.weight",
            by_rows(&trained.second),
            vec![N_HIDDEN, N_HIDDEN],
        ),
        (
            "second.bias",
            trained.second_bias.as_slice().to_vec(),
            vec![N_HIDDEN],
        ),
        (
            "last.weight",
            by_rows(&trained.last),
            vec![N_EXPRESSIONS, N_HIDDEN],
        ),
        (
            "last.bias",
            trained.last_bias.as_slice().to_vec(),
            vec![N_EXPRESSIONS],
        ),
        ("shares", shares.to_vec(), vec![N_EXPRESSIONS]),
    ];
    let halves: Vec<(&str, Vec<u8>, Vec<usize>)> = layers
        .into_iter()
        .map(|(name, values, shape)| {
            let bytes = values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes());
            (name, bytes.collect(), shape)
        })
        .collect();
    let views: Vec<(&str, TensorView<'_>)> = halves
        .iter()
        .map(|(name, bytes, shape)| Ok((*name, TensorView::new(Dtype::F16, shape.clone(), bytes)?)))
        .collect::<Result<_>>()?;
    Ok(safetensors::serialize(views, None)?)
}
