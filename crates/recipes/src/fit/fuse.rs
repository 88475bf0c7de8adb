//! Makes `fuse.toml`: mean and standard deviation of each measure on real faces, how each cue's
//! measures become its score, and how scores become a probability.
//!
//! Fitted on the development footage: real clips and pictures, and face swaps beside their
//! originals. Fakes that are no swaps are only printed: nothing is fitted to them. What it prints
//! is cross-validated: every driver is judged by weights that were fitted without them.

mod fit;
mod measures;
mod second;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use effigy_detect::CueKind;
use effigy_detect::calibration::{Calibration, CueCalibration, MeasureCalibration, Takes};
use effigy_detect::observe::measures;
use effigy_detect::sound::{LEVELS_PER_SEC, Sound};
use effigy_detect::{Report, ScanSettings};
use effigy_files::write_atomically;
use effigy_media::{VideoReader, read_audio};
use effigy_model::Weights;
use effigy_pipeline::{Networks, Quiet, ScanJob, scan, scan_footage};
use serde::{Deserialize, Serialize};

use crate::data::footage::{Fake, Footage, Truth, footage};
use crate::device::DeviceArgs;
use crate::fit::traces::{Scored, is_chosen_on};
use crate::train::blending::{SOURCES, TRAINING_CLIPS};
use fit::{Example, Kind, fit};

/// How to make the weights
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the numbers of each clip are kept; clips that are there are not scanned again
    #[arg(long, value_name = "FILE")]
    readings: PathBuf,
    /// What `recipes traces` wrote of each clip by a bank that was fitted without it: the bank in use
    /// knows them all
    #[arg(long, value_name = "FILE")]
    traces: PathBuf,
    /// Weights to write
    #[arg(short, long, default_value = "crates/detect/weights/fuse.toml")]
    output: PathBuf,
    #[command(flatten)]
    device: DeviceArgs,
}

/// What the cues took of the largest face of one clip.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ClipMeasures {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) truth: Truth,
    #[serde(default)]
    pub(crate) fake: Option<Fake>,
    /// By cue, in the cue's order.
    pub(crate) measures: BTreeMap<String, Vec<f32>>,
}

/// Makes the weights and prints how good they are.
pub(crate) fn make(data: &Path, args: &Args) -> Result<()> {
    let mut readings = readings(data, args)?;
    with_traces_unseen(&mut readings, &args.traces)?;
    let mut calibration = calibrate(&readings, &|_| true);
    let hashes = Weights::from_source_tree()?.hashes();
    for known in &mut calibration.cue {
        known.network_sha256 = network_sha256(&known.name, &hashes);
    }
    measures::print(&readings);
    table::print(&readings);
    let text = format!(
        "# Made by `recipes fuse`.\n{}",
        toml::to_string(&calibration)?
    );
    write_atomically(&args.output, text.as_bytes())
        .with_context(|| format!("cannot write {:?}", args.output))
}

/// Adds what a bank says of each clip that was fitted without it.
pub(crate) fn with_traces_unseen(readings: &mut [ClipMeasures], path: &Path) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path:?}"))?;
    let mut scores: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    for line in text.lines() {
        let Scored {
            name,
            scores: of_clip,
        } = serde_json::from_str(line)?;
        scores.insert(name, of_clip);
    }
    for reading in readings {
        if let Some(scores) = scores.remove(&reading.name) {
            let cue = CueKind::Traces.name().to_owned();
            reading.measures.insert(cue, scores);
        }
    }
    Ok(())
}

/// Scans what was not scanned yet.
fn readings(data: &Path, args: &Args) -> Result<Vec<ClipMeasures>> {
    let path = &args.readings;
    let mut readings: Vec<ClipMeasures> = Vec::new();
    if path.is_file() {
        for line in fs::read_to_string(path)?.lines() {
            readings.push(serde_json::from_str(line)?);
        }
    }
    let known: BTreeSet<String> = readings.iter().map(|r| r.name.clone()).collect();
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    let networks = args.device.networks()?;
    for footage in footage(data)? {
        if known.contains(&footage.name) {
            continue;
        }
        let reading = read(&footage, &networks)?;
        println!("{}: {:?}", reading.name, reading.measures);
        writeln!(file, "{}", serde_json::to_string(&reading)?)?;
        readings.push(reading);
    }
    Ok(readings)
}

fn read(footage: &Footage, networks: &Networks) -> Result<ClipMeasures> {
    let job = ScanJob {
        window: footage.window,
        ..ScanJob::new(footage.path.clone())
    };
    let report = match footage.truth {
        Truth::Dubbed => scan_dubbed(job, networks)?,
        _ => scan(&job, networks, &mut Quiet)?,
    };
    Ok(measures_of(footage, &report))
}

/// Settings that ask every network.
pub(crate) fn everything() -> ScanSettings {
    ScanSettings {
        asks_all: true,
        ..ScanSettings::default()
    }
}

/// Takes from a report what its cues took of the face that the clip is about: the one that is
/// seen longest.
pub(crate) fn measures_of(footage: &Footage, report: &Report) -> ClipMeasures {
    let face = report.faces.iter().max_by_key(|face| face.n_frames);
    let cues = face.into_iter().flat_map(|face| &face.cues);
    let counts = |name: &str| footage.truth != Truth::Dubbed || name == CueKind::Speech.name();
    // The bank in use was fitted to all of this: what it says of it counts for nothing.
    let unseen = |name: &str| {
        let is_trained = name == CueKind::Blending.name() && is_trained_on(&footage.name);
        name != CueKind::Traces.name() && !is_trained
    };
    let wanted = |name: &str| counts(name) && unseen(name);
    let taken = cues.filter(|cue| !cue.measures.is_empty() && wanted(cue.name));
    let values = taken.map(|cue| {
        let values = cue.measures.iter().map(|(_, v)| *v);
        (cue.name.to_owned(), values.collect())
    });
    ClipMeasures {
        name: footage.name.clone(),
        group: footage.group.clone(),
        truth: footage.truth,
        fake: footage.fake.clone(),
        measures: values.collect(),
    }
}

/// Whether the blending judge may have been shown this footage in training: what it says of it
/// then counts for nothing.
fn is_trained_on(name: &str) -> bool {
    let (source, stem) = name.split_once('/').unwrap_or((name, ""));
    SOURCES.iter().any(|(known, _)| *known == source) || TRAINING_CLIPS.contains(&stem)
}

/// Scans a clip with its sound moved by one and a half seconds.
fn scan_dubbed(job: ScanJob, networks: &Networks) -> Result<Report> {
    let samples = read_audio(&job.input, DUBBED_RATE_HZ, &job.limits)?;
    let mut sound = Sound::of_samples(&samples, DUBBED_RATE_HZ);
    if let Sound::Levels(levels) = &mut sound {
        let by = (3 * LEVELS_PER_SEC as usize / 2).min(levels.len());
        levels.rotate_left(by);
    }
    let footage = scan::Footage {
        frames: Box::new(VideoReader::open(&job.input, &job.limits)?),
        n_frames: None,
        sound,
    };
    Ok(scan_footage(&job, footage, networks, &mut Quiet)?)
}

const DUBBED_RATE_HZ: u32 = 4000;

/// Fits everything on the readings whose group passes `wanted`.
pub(crate) fn calibrate(readings: &[ClipMeasures], wanted: &dyn Fn(&str) -> bool) -> Calibration {
    let wanted = readings.iter().filter(|r| wanted(&r.group));
    let readings: Vec<&ClipMeasures> = wanted.collect();
    let cues = calibrated(&readings);
    let worth: Vec<f64> = cues.iter().map(|known| worth(known, &readings)).collect();
    let undubbed = readings.into_iter().filter(|r| r.truth != Truth::Dubbed);
    second::fuse(cues, &worth, &undubbed.collect::<Vec<_>>())
}

/// Finds how each cue's measures become its score.
fn calibrated(readings: &[&ClipMeasures]) -> Vec<CueCalibration> {
    let cues = CueKind::ALL
        .iter()
        .filter(|cue| !measures(**cue).is_empty());
    cues.filter_map(|&cue| {
        let of_cue: Vec<&ClipMeasures> = readings
            .iter()
            .filter(|reading| is_for(cue, reading.truth))
            .copied()
            .collect();
        calibrate_cue(cue, &of_cue)
    })
    .collect()
}

/// Whether a cue is fitted to footage of this kind: what a generator leaves is looked for in faces
/// that one drew, what a swap leaves in swaps, traces know both, and sound that was moved is no fake.
fn is_for(cue: CueKind, truth: Truth) -> bool {
    match truth {
        Truth::Real => true,
        Truth::Generated => matches!(cue, CueKind::Synthesis | CueKind::Traces),
        Truth::Swap => !matches!(cue, CueKind::Synthesis | CueKind::Speech),
        Truth::Dubbed => cue == CueKind::Speech,
        Truth::Own => false,
    }
}

/// How well a cue parts fakes from real footage on each half of the groups when it is fitted to the
/// other: the worse of the two areas under the curve. 0.5 where one half is too small to fit.
fn worth(cue: &CueCalibration, readings: &[&ClipMeasures]) -> f64 {
    let Some(kind) = CueKind::ALL.iter().find(|kind| kind.name() == cue.name) else {
        return CHANCE;
    };
    // A dubbed clip is no manipulated face.
    if *kind == CueKind::Speech {
        return CHANCE;
    }
    let of_half = |half: bool| -> Option<f64> {
        let (fitted, judged): (Vec<&ClipMeasures>, Vec<&ClipMeasures>) = readings
            .iter()
            .filter(|reading| is_for(*kind, reading.truth))
            .partition(|reading| is_chosen_on(&reading.group) == half);
        let known = calibrate_cue(*kind, &fitted)?;
        let scores = |is_real: bool| -> Vec<f32> {
            let wanted = judged
                .iter()
                .filter(|r| (r.truth == Truth::Real) == is_real);
            wanted
                .filter_map(|r| Some(known.logit(r.measures.get(&known.name)?)))
                .collect()
        };
        Some(table::auc(&scores(false), &scores(true)))
    };
    match (of_half(true), of_half(false)) {
        (Some(a), Some(b)) => a.min(b),
        _ => CHANCE,
    }
}

const CHANCE: f64 = 0.5;

/// Finds mean, standard deviation and weight of each of a cue's measures.
fn calibrate_cue(cue: CueKind, readings: &[&ClipMeasures]) -> Option<CueCalibration> {
    let of_cue = |r: &&&ClipMeasures| r.measures.contains_key(cue.name());
    let readings: Vec<&&ClipMeasures> = readings.iter().filter(of_cue).collect();
    let mut measure: Vec<MeasureCalibration> = Vec::new();
    for (k, wanted) in measures(cue).iter().enumerate() {
        let real = readings.iter().filter(|r| r.truth == Truth::Real);
        let values: Vec<f32> = real.map(|r| r.measures[cue.name()][k]).collect();
        let (mean, std) = mean_and_std(&values)?;
        measure.push(MeasureCalibration {
            name: wanted.name.to_owned(),
            mean,
            std,
            weight: 0.0,
        });
    }
    let mut known = CueCalibration {
        name: cue.name().to_owned(),
        weight: 0.0,
        bias: 0.0,
        network_sha256: None,
        takes: Takes::Sum,
        measure,
    };
    let readings: Vec<&ClipMeasures> = readings.iter().map(|r| **r).collect();
    if cue == CueKind::Traces {
        known.takes = Takes::Loudest;
    }
    let inputs = |r: &ClipMeasures| {
        let deviations = deviations(&known, &r.measures[cue.name()]);
        match known.takes {
            Takes::Sum => deviations,
            Takes::Loudest => deviations
                .into_iter()
                .reduce(f32::max)
                .into_iter()
                .collect(),
        }
    };
    let fitted = fit(&examples(&readings, &inputs), CUE_RIDGE)?;
    known.bias = fitted.bias;
    // Where one decides, all have the same weight.
    let last = *fitted.weights.last()?;
    let weights = fitted.weights.into_iter().chain(std::iter::repeat(last));
    for (measure, weight) in known.measure.iter_mut().zip(weights) {
        measure.weight = weight;
    }
    Some(known)
}

/// What to fit to: each face by itself, and what parts each swap from its own original.
fn examples(
    readings: &[&ClipMeasures],
    inputs: &dyn Fn(&ClipMeasures) -> Vec<f32>,
) -> Vec<Example> {
    let face = |r: &&ClipMeasures| Example {
        inputs: inputs(r),
        kind: match r.truth {
            Truth::Real => Kind::Real,
            _ => Kind::Fake,
        },
    };
    let original_of = |swap: &ClipMeasures| {
        let name = swap.fake.as_ref()?.original.as_deref()?;
        readings.iter().copied().find(|r| r.name == name)
    };
    let difference = |swap: &&ClipMeasures| {
        let original = inputs(original_of(swap)?);
        let inputs = inputs(swap).into_iter().zip(original);
        Some(Example {
            inputs: inputs.map(|(swap, original)| swap - original).collect(),
            kind: Kind::Difference,
        })
    };
    let faces = readings.iter().map(face);
    faces
        .chain(readings.iter().filter_map(difference))
        .collect()
}

/// The hash of the weights that a cue's numbers come from.
fn network_sha256(cue: &str, hashes: &[(String, String)]) -> Option<String> {
    let file = if cue == CueKind::Blending.name() {
        "blend-judge.safetensors"
    } else if cue == CueKind::Identity.name() {
        "identifier.safetensors"
    } else if cue == CueKind::Traces.name() {
        "traces.safetensors"
    } else {
        return None;
    };
    let found = hashes.iter().find(|(name, _)| name == file);
    found.map(|(_, sha256)| sha256.clone())
}

/// Pulls weights towards zero: there are a few dozen clips.
const CUE_RIDGE: f32 = 0.03;

fn deviations(known: &CueCalibration, values: &[f32]) -> Vec<f32> {
    let bounded = |k| known.z_score(values, k).clamp(-4.0, 4.0);
    (0..values.len()).map(bounded).collect()
}

fn mean_and_std(values: &[f32]) -> Option<(f32, f32)> {
    if values.len() < 8 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let square = |v: &f32| (f64::from(*v) - mean).powi(2);
    let std = (values.iter().map(square).sum::<f64>() / n).sqrt();
    Some((mean as f32, std.max(1e-4) as f32))
}

fn is_judged(reading: &ClipMeasures) -> bool {
    reading.measures.contains_key(CueKind::Noise.name())
}

/// The probability of a reading; `None` when it cannot be judged.
pub(crate) fn probability(calibration: &Calibration, reading: &ClipMeasures) -> Option<f32> {
    let logits = calibration.cue.iter().filter_map(|known| {
        let values = reading.measures.get(&known.name)?;
        Some((known.name.as_str(), known.logit(values)))
    });
    is_judged(reading).then(|| calibration.probability(logits))
}
