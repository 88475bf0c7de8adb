//! Makes the bank of filters that know makers of deepfakes by their traces, and measures it.
//!
//! A filter is Fisher's discriminant: the mean difference between fakes and what they were made of,
//! or real clips where that is not there, every maker counting alike, divided by how real clips and
//! real people differ among themselves. Nothing is learned by gradient.
//!
//! Everything printed is of pages and drivers that the filters were fitted without: clips of one page
//! share an encoder and people. The last settings were chosen on one half of the pages; the other half
//! is printed apart.

mod clips;
mod filters;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use effigy_detect::cue::traces::upper_means;
use effigy_files::write_atomically;
use effigy_model::trace_bank::TraceBankFile;
use effigy_model::weights::to_bytes;
use serde::{Deserialize, Serialize};

use crate::data::footage::{Fake, Footage, footage};
use crate::device::DeviceArgs;
use filters::{Bank, Makers};
pub(crate) use table::is_chosen_on;

/// What the bank is made of, and where it goes
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    /// Folder in which the numbers of each clip are kept; what is there is not looked at again
    #[arg(long, value_name = "DIR")]
    cache: PathBuf,
    /// Bank to write
    #[arg(
        short,
        long,
        default_value = "crates/model/weights/traces.safetensors",
        value_name = "FILE"
    )]
    output: PathBuf,
    /// File for the scores of every clip by a bank that was fitted without its page, for `fuse`
    #[arg(long, value_name = "FILE")]
    scores: PathBuf,
}

/// A clip, and its numbers frame by frame.
pub(super) struct Clip {
    name: String,
    group: String,
    /// `None` of what is real.
    fake: Option<Fake>,
    frames: Vec<Vec<f32>>,
    mean: Vec<f32>,
}

/// What a bank says of a clip that was not among those it was fitted on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Scored {
    pub(crate) name: String,
    /// In the order of the cue's measures, in deviations of real clips.
    pub(crate) scores: Vec<f32>,
}

/// Fits the bank, prints what it does on what it was not fitted on, and writes it.
pub(crate) fn make(data: &Path, args: &Args) -> Result<()> {
    fs::create_dir_all(&args.cache).with_context(|| format!("cannot make {:?}", args.cache))?;
    let source = clips::Source::new(data, &args.cache, args.device)?;
    let footage: Vec<Footage> = footage(data)?;
    let clips = source.clips(&footage)?;
    let people = source.people()?;
    println!(
        "{} clips, {} of them fakes; {} people",
        clips.len(),
        clips.iter().filter(|clip| clip.fake.is_some()).count(),
        people.len()
    );
    let strangers = filters::Strangers::new(&people);
    let known = scores_without_page(&clips, &strangers, Makers::OfOtherPages);
    let unknown = scores_without_page(&clips, &strangers, Makers::Unknown);
    table::print(&clips, &known, &unknown);
    let scale = filters::Scale::of(&clips, &known);
    let bank = Bank::fit(&clips.iter().collect::<Vec<_>>(), &strangers).scaled(&scale);
    let device = args.device.open()?;
    let file = TraceBankFile::new(bank.weights, bank.biases, &device);
    write_atomically(&args.output, &to_bytes("traces", &file)?)?;
    let mut lines = String::new();
    for (clip, scores) in clips.iter().zip(&known) {
        let scored = Scored {
            name: clip.name.clone(),
            scores: scale.apply(scores),
        };
        lines += &serde_json::to_string(&scored)?;
        lines.push('\n');
    }
    write_atomically(&args.scores, lines.as_bytes())?;
    println!("wrote {:?} and {:?}", args.output, args.scores);
    Ok(())
}

/// Pages are left out in so many parts.
pub(crate) const N_FOLDS: usize = 6;

/// Each clip's scores by a bank that was fitted without the clips of its page.
fn scores_without_page(
    clips: &[Clip],
    strangers: &filters::Strangers,
    makers: Makers,
) -> Vec<Vec<f32>> {
    let mut scores = vec![Vec::new(); clips.len()];
    for fold in 0..N_FOLDS {
        let is_left_out = |clip: &Clip| fold_of(&clip.group) == fold;
        let theirs: Vec<&str> = clips
            .iter()
            .filter(|clip| is_left_out(clip))
            .filter_map(|clip| Some(clip.fake.as_ref()?.maker.as_str()))
            .collect();
        let may_be_known = |clip: &Clip| match (&clip.fake, makers) {
            (Some(fake), Makers::Unknown) => !theirs.contains(&fake.maker.as_str()),
            _ => true,
        };
        let others = clips
            .iter()
            .filter(|clip| !is_left_out(clip) && may_be_known(clip));
        let bank = Bank::fit(&others.collect::<Vec<_>>(), strangers);
        for (clip, scores) in clips.iter().zip(&mut scores) {
            if is_left_out(clip) {
                *scores = bank.score(clip);
            }
        }
    }
    scores
}

/// Spreads pages over the folds by name alone.
pub(crate) fn fold_of(group: &str) -> usize {
    group.bytes().fold(7_usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(byte))
    }) % N_FOLDS
}

impl Clip {
    fn new(footage: &Footage, frames: Vec<Vec<f32>>) -> Self {
        Self {
            name: footage.name.clone(),
            group: footage.group.clone(),
            fake: footage.fake.clone(),
            mean: mean(frames.iter().map(Vec::as_slice)),
            frames,
        }
    }
}

/// The mean of some vectors of one length, of which there is at least one.
fn mean<'a>(vectors: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
    let (mut sums, mut n) = (Vec::new(), 0);
    for vector in vectors {
        sums.resize(vector.len(), 0.0_f64);
        for (sum, value) in sums.iter_mut().zip(vector) {
            *sum += f64::from(*value);
        }
        n += 1;
    }
    sums.into_iter()
        .map(|sum| (sum / f64::from(n)) as f32)
        .collect()
}

/// What the filters make of a clip, given what they make of each frame.
fn of_frames(frames: &[Vec<f32>]) -> Vec<f32> {
    upper_means(frames.iter().map(Vec::as_slice))
}
