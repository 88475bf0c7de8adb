//! People who talk on camera, with the sound that belongs to their lips: what `effigy track` sees of them, and what is heard.
//!
//! Most clips in the data folder come with other sound. Those listed here were found by lips that follow the phones best
//! at no lag.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use effigy_media::{Limits, read_audio};
use effigy_model::spoken_face::{HeadPlace, N_SHAPES, SHAPES};
use effigy_model::{VoiceActivity, Weights};
use effigy_pipeline::{Choice, Networks, Quiet, TrackJob, track};
use effigy_sound::{PhoneListener, RATE_HZ, Utterance};
use serde::Deserialize;

/// Somebody who talks.
pub(crate) struct Talker {
    /// Whether nothing may be chosen on this person.
    pub(crate) is_for_reporting: bool,
    pub(crate) utterance: Utterance,
    pub(crate) frames: Vec<TalkerFrame>,
}

/// What is seen of them.
pub(crate) struct TalkerFrame {
    pub(crate) secs: f64,
    /// The mean of both sides.
    pub(crate) shapes: [f32; N_SHAPES],
}

/// Clips of one sentence each, every one of another person; and of a few sentences.
const GRID: [&str; 11] = [
    "bbaf2n",
    "brbk7n",
    "id2_vcd_swwp2s",
    "lbax4n",
    "lbbc2a",
    "lrwp9a",
    "lwbsza",
    "pwij3p",
    "sbia1a",
    "sbwe5n",
    "swiz3n",
];
const TALKING: &str = "retalking-1";

/// What `effigy track` writes of a frame.
#[derive(Deserialize)]
struct Line {
    time_secs: f64,
    seen: bool,
    #[serde(default)]
    weights: BTreeMap<String, f32>,
    #[serde(default)]
    head: Head,
}

#[derive(Default, Deserialize)]
struct Head {
    yaw: f32,
    pitch: f32,
    roll: f32,
    position_cm: [f32; 3],
}

/// All talkers. What is seen of them is kept in `takes`.
pub(crate) fn talkers(data: &Path, takes: &Path) -> Result<Vec<Talker>> {
    let activity = VoiceActivity::load(&Weights::from_source_tree()?)?;
    let grid = GRID.iter().map(|name| format!("grid/{name}.mpg"));
    let files = grid.chain([format!("{TALKING}.mp4")]);
    let talker = |(i, file): (usize, String)| {
        let clip = data.join("video").join(file);
        let samples = read_audio(&clip, RATE_HZ, &Limits::default())?;
        let mut listener = PhoneListener::new(&activity);
        listener.hear(&samples)?;
        let frames = lines(&clip, takes)?.into_iter().filter(|line| line.seen);
        let frames = frames.map(|line| TalkerFrame {
            secs: line.time_secs,
            shapes: SHAPES.map(|shape| shape_of(&line, shape)),
        });
        Ok(Talker {
            is_for_reporting: i % 2 == 1,
            utterance: listener.finish(),
            frames: frames.collect(),
        })
    };
    files.enumerate().map(talker).collect()
}

/// How heads move in all clips, whether their sound belongs to them or not: of each frame the time, and where the head
/// is.
pub(crate) fn heads(data: &Path, takes: &Path) -> Result<Vec<Vec<(f64, HeadPlace)>>> {
    let folder = data.join("video");
    let mut clips: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("cannot list {folder:?}"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    clips.sort();
    let is_portrait = |clip: &PathBuf| {
        let name = name_of(clip);
        name.starts_with("latentsync") || name.starts_with("liveportrait")
    };
    let heads = |clip: &PathBuf| {
        let lines = lines(clip, takes)?.into_iter().filter(|line| line.seen);
        let place = |line: Line| {
            let Head {
                yaw,
                pitch,
                roll,
                position_cm: [right, up, _],
            } = line.head;
            (line.time_secs, [yaw, pitch, roll, right, -up])
        };
        Ok(lines.map(place).collect())
    };
    clips
        .iter()
        .filter(|clip| is_portrait(clip))
        .map(heads)
        .collect()
}

fn name_of(clip: &Path) -> String {
    let stem = clip.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// What is seen in a clip: as it was written before, or seen now and written.
fn lines(clip: &Path, takes: &Path) -> Result<Vec<Line>> {
    let take = takes.join(name_of(clip)).with_extension("jsonl");
    if !take.exists() {
        println!("tracking {clip:?}");
        fs::create_dir_all(takes).with_context(|| format!("cannot make {takes:?}"))?;
        let networks = Networks::load(&Weights::from_source_tree()?, Choice::Cpu)?;
        let mut job = TrackJob::new(clip.to_owned());
        job.outputs = vec![take.clone()];
        track(&job, &networks, &mut Quiet)?;
    }
    let text = fs::read_to_string(&take).with_context(|| format!("cannot read {take:?}"))?;
    let lines: Vec<Line> = text
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("cannot read {take:?}")))
        .collect::<Result<_>>()?;
    ensure!(
        lines.iter().any(|line| line.seen),
        "nobody is seen in {clip:?}"
    );
    if let Some(line) = lines.iter().find(|l| l.seen && l.weights.is_empty()) {
        bail!("{take:?} has no weights at {} s", line.time_secs);
    }
    Ok(lines)
}

/// The mean of both sides of a shape.
fn shape_of(line: &Line, shape: &str) -> f32 {
    let sides = ["", "Left", "Right"].map(|side| format!("{shape}{side}"));
    let found: Vec<f32> = sides
        .iter()
        .filter_map(|name| line.weights.get(name).copied())
        .collect();
    found.iter().sum::<f32>() / found.len().max(1) as f32
}
