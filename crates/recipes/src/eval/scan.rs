//! How well `effigy scan` tells manipulated faces from real ones, and how often it is wrong.
//!
//! Every clip is judged by a calibration that was fitted without its person: on the unchanged
//! clips of all others. Intervals are bootstraps over people. Sound is not looked at: the swaps
//! come without.

mod change;
mod table;
pub(super) mod tone;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use effigy_detect::Sound;
use effigy_frame::Frame;
use effigy_media::{Limits, VideoReader};
use effigy_pipeline::{Networks, Quiet, ScanJob, scan, scan_footage};
use serde::{Deserialize, Serialize};

use crate::data::footage::{Footage, Truth, footage};
use crate::device::DeviceArgs;
use crate::fit::fuse::{ClipMeasures, everything, measures_of};
use change::Change;
use table::Table;

/// What to scan, and where to keep it.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    /// Where scans are kept, a line each; what is there is taken as it is and not scanned again,
    /// so delete it when a cue has changed
    #[arg(long, value_name = "FILE")]
    cache: PathBuf,
    /// Scan only so many pieces of footage of each source, swaps and originals counted apart
    #[arg(long, value_name = "N")]
    clips: Option<usize>,
    /// Leave the changed copies out
    #[arg(long)]
    quick: bool,
    /// Seconds looked at of each clip
    #[arg(long, default_value_t = 3.0)]
    secs: f64,
    /// Folder with swaps of our own, of people who allow it; only their pixels are judged, as if
    /// the marks had been stripped
    #[arg(long, value_name = "DIR")]
    own: Option<PathBuf>,
}

/// What the cues took of one piece of footage after one change.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Scanned {
    change: String,
    reading: ClipMeasures,
}

/// Prints the tables and one line of JSON.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let pieces = chosen(data, args)?;
    let mut cache = Cache::open(&args.cache)?;
    let networks = args.device.networks()?;
    let changes: &[Change] = if args.quick {
        &[Change::Clean]
    } else {
        &Change::ALL
    };
    for piece in &pieces {
        let wanted: Vec<Change> = changes
            .iter()
            .copied()
            .filter(|&change| is_changed(piece, change) && !cache.has(piece, change))
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let frames = first_frames(piece, args.secs)?;
        for change in wanted {
            let reading = read(piece, change.apply(frames.clone())?, &networks)?;
            println!("{} {}: {:?}", piece.name, change.name(), reading.measures);
            cache.add(Scanned {
                change: change.name(),
                reading,
            })?;
        }
    }
    let names: BTreeSet<&str> = pieces.iter().map(|piece| piece.name.as_str()).collect();
    let scanned: Vec<&Scanned> = cache
        .scanned
        .iter()
        .filter(|s| names.contains(s.reading.name.as_str()))
        .collect();
    let table = Table::new(&scanned);
    let mut tones = BTreeMap::new();
    for piece in &pieces {
        tones.insert(piece.name.as_str(), tone::tone(piece, &networks)?);
    }
    table.print_tones(&tones);
    table.print()
}

/// Changed copies are made of the swaps and their originals only.
fn is_changed(piece: &Footage, change: Change) -> bool {
    change == Change::Clean || piece.name.starts_with("dfl-pairs")
}

/// The footage to scan: all, or the first few of each source and kind.
fn chosen(data: &Path, args: &Args) -> Result<Vec<Footage>> {
    let mut pieces = footage(data)?;
    pieces.retain(|piece| piece.truth != Truth::Dubbed);
    if let Some(folder) = &args.own {
        pieces.extend(own(folder)?);
    }
    let Some(n) = args.clips else {
        return Ok(pieces);
    };
    let mut seen: BTreeMap<(String, Truth), usize> = BTreeMap::new();
    pieces.retain(|piece| {
        let source = piece.name.split('/').next().unwrap_or_default();
        let count = seen.entry((source.to_owned(), piece.truth)).or_default();
        *count += 1;
        *count <= n
    });
    Ok(pieces)
}

fn own(folder: &Path) -> Result<Vec<Footage>> {
    let mut pieces = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {folder:?}"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "mp4") {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            pieces.push(Footage {
                name: format!("own/{stem}"),
                group: format!("own/{stem}"),
                truth: Truth::Own,
                fake: None,
                path: path.clone(),
                window: None,
            });
        }
    }
    pieces.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pieces)
}

/// The frames of a clip's first seconds, cut to its window; of a picture, the picture.
fn first_frames(piece: &Footage, secs: f64) -> Result<Vec<Frame>> {
    let path = &piece.path;
    let reader = VideoReader::open(path, &Limits::default())
        .with_context(|| format!("cannot read {path:?}"))?;
    let mut frames = Vec::new();
    for frame in reader {
        let frame = frame.with_context(|| format!("cannot read {path:?}"))?;
        if frame.time.secs() > secs {
            break;
        }
        frames.push(scan::cut_out(frame, piece.window));
    }
    Ok(frames)
}

fn read(piece: &Footage, frames: Vec<Frame>, networks: &Networks) -> Result<ClipMeasures> {
    let job = ScanJob {
        settings: everything(),
        ..ScanJob::new(piece.path.clone())
    };
    let footage = scan::Footage {
        n_frames: Some(frames.len() as u64),
        frames: Box::new(frames.into_iter().map(Ok)),
        sound: Sound::Unusable("it is not looked at".to_owned()),
    };
    let report = scan_footage(&job, footage, networks, &mut Quiet)?;
    Ok(measures_of(piece, &report))
}

/// What was scanned so far, in memory and in a file.
struct Cache {
    scanned: Vec<Scanned>,
    file: fs::File,
}

impl Cache {
    fn open(path: &Path) -> Result<Self> {
        let mut scanned = Vec::new();
        if path.is_file() {
            for line in fs::read_to_string(path)?.lines() {
                scanned.push(serde_json::from_str(line)?);
            }
        }
        let file = fs::OpenOptions::new().create(true).append(true).open(path);
        let file = file.with_context(|| format!("cannot write {path:?}"))?;
        Ok(Self { scanned, file })
    }

    fn has(&self, piece: &Footage, change: Change) -> bool {
        let change = change.name();
        let same = |s: &Scanned| s.reading.name == piece.name && s.change == change;
        self.scanned.iter().any(same)
    }

    fn add(&mut self, scanned: Scanned) -> Result<()> {
        writeln!(self.file, "{}", serde_json::to_string(&scanned)?)?;
        self.scanned.push(scanned);
        Ok(())
    }
}
