//! One training run: batches, steps, a learning rate, checkpoints, resuming.
//!
//! A run is `steps` long; the learning rate rises over the first 200 steps, stays, and falls to
//! zero over the last third. A run that was killed goes on with the batches it would have seen.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use burn::grad_clipping::GradientClippingConfig;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use burn::store::{BurnpackStore, ModuleSnapshot};
use effigy_files::{AtomicFolder, recover_folder, write_atomically};
use effigy_model::tensors::values;
use effigy_model::weights;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::batches::Batches;
use crate::device::DeviceArgs;

/// How long to train and where to keep things.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    /// Steps in all, counted from the start of the run
    #[arg(long)]
    pub(crate) steps: u64,
    /// Faces a step
    #[arg(long, default_value_t = 32)]
    pub(crate) batch: usize,
    /// Highest learning rate
    #[arg(long, default_value_t = 1e-3)]
    pub(crate) rate: f64,
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
    /// Folder for checkpoints; a run found there is resumed
    #[arg(long)]
    pub(crate) checkpoints: PathBuf,
    /// Weights to write at the end
    #[arg(short, long)]
    pub(crate) output: PathBuf,
}

/// Steps between lines of the log.
const LOG_STEPS: u64 = 50;
const SAVE_EVERY: Duration = Duration::from_secs(60);
const WARM_UP_STEPS: f64 = 200.0;
/// Part of the run in which the learning rate falls.
const FALL: f64 = 0.34;

/// Trains `network` and writes its weights.
///
/// `draw` makes a batch from a generator; `loss` judges the network on it and names its parts.
pub(crate) fn run<M, B>(
    name: &'static str,
    mut network: M,
    args: &Args,
    draw: impl Fn(&mut ChaCha8Rng) -> B + Send + Sync + 'static,
    loss: impl Fn(&M, &B) -> (Tensor<1>, Vec<(&'static str, Tensor<1>)>),
) -> Result<()>
where
    M: Module + ModuleSnapshot,
    B: Send + 'static,
{
    let mut optimizer = AdamWConfig::new()
        .with_epsilon(1e-8)
        .with_weight_decay(1e-4)
        .with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)))
        .init();
    let mut progress = Progress {
        step: 0,
        seed: args.seed,
    };
    if let Some(found) = resume(&args.checkpoints, network.clone(), optimizer.clone())? {
        (network, optimizer, progress) = found;
        println!("{name}: resuming at step {}", progress.step);
    }
    let batches = Batches::prepare(progress.step..args.steps, args.seed, draw);
    let (mut saved, mut logged) = (Instant::now(), Instant::now());
    for batch in batches {
        let batch = batch?;
        let (total, parts) = loss(&network, &batch);
        let grads = GradientsParams::from_grads(total.backward(), &network);
        network = optimizer.step(learning_rate(progress.step, args), network, grads);
        progress.step += 1;
        if progress.step.is_multiple_of(LOG_STEPS) {
            log(name, progress.step, args, logged.elapsed(), &parts);
            logged = Instant::now();
        }
        if saved.elapsed() > SAVE_EVERY {
            save(&args.checkpoints, &network, &optimizer, &progress)?;
            write_weights(name, &network, &args.output)?;
            saved = Instant::now();
        }
    }
    save(&args.checkpoints, &network, &optimizer, &progress)?;
    write_weights(name, &network, &args.output)
}

/// Writes the weights, so that there is always a whole file.
pub(crate) fn write_weights<M: ModuleSnapshot>(
    name: &'static str,
    network: &M,
    output: &Path,
) -> Result<()> {
    write_atomically(output, &weights::to_bytes(name, network)?)
        .with_context(|| format!("cannot write {output:?}"))
}

/// How far a run has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Progress {
    step: u64,
    seed: u64,
}

fn learning_rate(step: u64, args: &Args) -> f64 {
    let (step, steps) = (step as f64, args.steps as f64);
    let rise = ((step + 1.0) / WARM_UP_STEPS).min(1.0);
    let fall = ((steps - step) / (FALL * steps)).min(1.0);
    args.rate * rise * fall
}

fn log(name: &str, step: u64, args: &Args, took: Duration, parts: &[(&'static str, Tensor<1>)]) {
    let faces_per_sec = LOG_STEPS as f64 * args.batch as f64 / took.as_secs_f64();
    let parts: Vec<String> = parts
        .iter()
        .map(|(part, value)| format!("{part} {:.5}", values(value.clone().inner())[0]))
        .collect();
    println!(
        "{name} step {step}/{} {:.0} faces/s {}",
        args.steps,
        faces_per_sec,
        parts.join(" ")
    );
}

/// Saves into a fresh folder that takes the place of `folder`, so that a kill leaves one of both.
fn save<M: ModuleSnapshot>(
    folder: &Path,
    network: &M,
    optimizer: &ModuleOptimizer,
    progress: &Progress,
) -> Result<()> {
    if let Some(around) = folder.parent() {
        fs::create_dir_all(around)?;
    }
    let draft = AtomicFolder::replace(folder).context("cannot keep the checkpoint")?;
    let fresh = draft.temporary_path();
    let mut store = BurnpackStore::from_file(fresh.join("network.bpk"));
    network
        .save_into(&mut store)
        .map_err(|err| anyhow::anyhow!("cannot save the network: {err}"))?;
    let state = optimizer
        .into_bytes()
        .map_err(|err| anyhow::anyhow!("cannot save the optimizer: {err:?}"))?;
    fs::write(fresh.join("optimizer.bin"), &*state)?;
    fs::write(fresh.join("progress.json"), serde_json::to_vec(progress)?)?;
    draft.commit().context("cannot keep the checkpoint")
}

fn resume<M: ModuleSnapshot>(
    folder: &Path,
    mut network: M,
    optimizer: ModuleOptimizer,
) -> Result<Option<(M, ModuleOptimizer, Progress)>> {
    recover_folder(folder)?;
    if !folder.join("progress.json").exists() {
        return Ok(None);
    }
    let progress = serde_json::from_slice(&fs::read(folder.join("progress.json"))?)?;
    let mut store = BurnpackStore::from_file(folder.join("network.bpk"));
    network
        .load_from(&mut store)
        .map_err(|err| anyhow::anyhow!("cannot read the checkpoint: {err}"))?;
    let state = fs::read(folder.join("optimizer.bin"))?;
    let optimizer = optimizer
        .from_bytes(burn::tensor::Bytes::from_bytes_vec(state))
        .map_err(|err| anyhow::anyhow!("cannot read the optimizer's state: {err:?}"))?;
    Ok(Some((network, optimizer, progress)))
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};

    use super::*;

    fn network() -> Linear {
        LinearConfig::new(2, 3).init(&Device::flex().autodiff())
    }

    fn optimizer() -> ModuleOptimizer {
        AdamWConfig::new().init()
    }

    #[test]
    fn a_run_killed_between_the_renames_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = folder.path().join("runs/finder.v2");
        let resumed = || resume(&checkpoints, network(), optimizer()).unwrap();
        assert!(resumed().is_none());
        let first = network();
        for step in [7, 8] {
            let progress = Progress { step, seed: 1 };
            save(&checkpoints, &first, &optimizer(), &progress).unwrap();
            assert_eq!(resumed().map(|(_, _, found)| found.step), Some(step));
        }
        // A kill after the last save was moved away and before the new one had its name.
        fs::rename(&checkpoints, effigy_files::backup_of(&checkpoints).unwrap()).unwrap();
        let (kept, _, progress) = resumed().unwrap();
        assert_eq!(progress.step, 8);
        assert_eq!(values(kept.weight.val()), values(first.weight.val()));
    }
}
