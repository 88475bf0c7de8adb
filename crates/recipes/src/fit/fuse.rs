//! Makes `fuse.toml`: mean and standard deviation of each measure on real faces, how each cue's
//! measures become its score, and how scores become a probability.
//!
//! Fitted on the development footage: real clips and pictures, and face swaps beside their
//! originals. Fakes that are no swaps are only printed: nothing is fitted to them. What it prints
//! is cross-validated: every driver is judged by weights that were fitted without them.

mod fit;
mod measures;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use effigy_detect::CueKind;
use effigy_detect::calibration::{Calibration, CueCalibration, MeasureCalibration};
use effigy_detect::observe::measures;
use effigy_detect::sound::{LEVELS_PER_SEC, Sound};
use effigy_detect::{Report, ScanSettings};
use effigy_files::write_atomically;
use effigy_media::{VideoReader, read_audio};
use effigy_model::Weights;
use effigy_pipeline::{Networks, Quiet, ScanJob, scan, scan_footage};
use serde::{Deserialize, Serialize};

use self::fit::{Example, Kind, fit};
use crate::data::footage::{Footage, Truth, footage};
use crate::device::DeviceArgs;
use crate::train::blending::{SOURCES, TRAINING_CLIPS};

/// How to make the weights
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the numbers of each clip are kept; clips that are there are not scanned again
    #[arg(long, value_name = "FILE")]
    readings: PathBuf,
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
    /// By cue, in the cue's order.
    pub(crate) measures: BTreeMap<String, Vec<f32>>,
}

/// Makes the weights and prints how good they are.
pub(crate) fn make(data: &Path, args: &Args) -> Result<()> {
    let readings = readings(data, args)?;
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
        settings: everything(),
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
    let unseen = |name: &str| name != CueKind::Blending.name() || !is_trained_on(&footage.name);
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
    let (drawn, others): (Vec<&ClipMeasures>, Vec<&ClipMeasures>) =
        wanted.partition(|r| r.truth == Truth::Generated);
    // What a generator leaves is looked for in faces that one drew, not in swaps.
    let real = others.iter().filter(|r| r.truth == Truth::Real);
    let drawn_or_real: Vec<&ClipMeasures> = drawn.iter().chain(real).copied().collect();
    let cues: Vec<CueCalibration> = CueKind::ALL
        .iter()
        .filter(|cue| !measures(**cue).is_empty())
        .filter_map(|cue| match cue {
            CueKind::Synthesis => calibrate_cue(*cue, &drawn_or_real),
            _ => calibrate_cue(*cue, &others),
        })
        .collect();
    fuse(cues, &others)
}

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
        measure,
    };
    let readings: Vec<&ClipMeasures> = readings.iter().map(|r| **r).collect();
    let inputs = |r: &ClipMeasures| deviations(&known, &r.measures[cue.name()]);
    let fitted = fit(&examples(&readings, &inputs), CUE_RIDGE)?;
    known.bias = fitted.bias;
    for (measure, weight) in known.measure.iter_mut().zip(fitted.weights) {
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
        let name = format!("{}/original", swap.name.strip_suffix("/swap")?);
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
    } else {
        return None;
    };
    let found = hashes.iter().find(|(name, _)| name == file);
    found.map(|(_, sha256)| sha256.clone())
}

/// Cues that are reported but do not count: a dubbed clip is no manipulated face, and what the
/// blending network, light and pulse say was chance on swaps.
const NOT_COUNTED: [CueKind; 4] = [
    CueKind::Blending,
    CueKind::Light,
    CueKind::Pulse,
    CueKind::Speech,
];

/// Pulls weights towards zero: there are a few dozen clips.
const CUE_RIDGE: f32 = 0.03;
const FUSE_RIDGE: f32 = 0.03;

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

/// Fits the second layer and sets where the verdicts begin.
fn fuse(mut cues: Vec<CueCalibration>, readings: &[&ClipMeasures]) -> Calibration {
    let logits = |cues: &[CueCalibration], r: &ClipMeasures| -> Vec<f32> {
        let logit = |known: &CueCalibration| {
            let counts = NOT_COUNTED.iter().all(|cue| known.name != cue.name());
            let values = r.measures.get(&known.name).filter(|_| counts);
            values.map_or(0.0, |values| known.logit(values))
        };
        cues.iter().map(logit).collect()
    };
    let judged: Vec<&ClipMeasures> = readings.iter().filter(|r| is_judged(r)).copied().collect();
    let fitted = fit(&examples(&judged, &|r| logits(&cues, r)), FUSE_RIDGE);
    let bias = fitted.as_ref().map_or(0.0, |f| f.bias);
    for (known, weight) in cues
        .iter_mut()
        .zip(fitted.into_iter().flat_map(|f| f.weights))
    {
        known.weight = weight;
    }
    let mut calibration = Calibration {
        prevalence: 0.5,
        signs_from: 1.0,
        no_signs_to: 0.5,
        bias,
        made_from: "clips of ../shared/data: dfl-pairs against their originals, video, people"
            .to_owned(),
        cue: cues,
    };
    let sorted = |truth: Truth| {
        let chosen = readings.iter().filter(|r| r.truth == truth);
        let mut found: Vec<f32> = chosen
            .filter_map(|r| probability(&calibration, r))
            .collect();
        found.sort_by(f32::total_cmp);
        found
    };
    let (real, swaps) = (sorted(Truth::Real), sorted(Truth::Swap));
    let at = |sorted: &[f32], share: f32| {
        let last = sorted.len().saturating_sub(1);
        sorted
            .get(((sorted.len() as f32 * share) as usize).min(last))
            .copied()
    };
    let signs_from = at(&real, 1.0 - MOST_FALSE_ALARMS).unwrap_or(1.0);
    let no_signs_to = at(&swaps, MOST_MISSED).unwrap_or(0.0);
    calibration.signs_from = signs_from.max(LEAST_FOR_SIGNS);
    calibration.no_signs_to = no_signs_to.min(MOST_FOR_NO_SIGNS);
    calibration
}

/// Share of real faces that may show signs. Half of what is aimed at: real material never seen
/// differs from this.
const MOST_FALSE_ALARMS: f32 = 0.025;
/// Share of swaps that may be said to show none.
const MOST_MISSED: f32 = 0.1;
/// No signs are claimed up to this probability at most.
const MOST_FOR_NO_SIGNS: f32 = 0.4;
/// Signs are claimed from this probability on at least.
const LEAST_FOR_SIGNS: f32 = 0.7;

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
