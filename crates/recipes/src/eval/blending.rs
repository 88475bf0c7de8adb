//! The blending judge alone, frame by frame, on swaps made by others and on real footage.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burn::prelude::Device;
use effigy_face::align::aligned_view;
use effigy_frame::Picture;
use effigy_frame::resample::{crop, resize};
use effigy_media::{Limits, VideoReader};
use effigy_model::{BlendJudge, FaceMesh, Finder};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::Weights;
use super::pairs::{PAIRS, halves};
use crate::data::people::{self, Split};
use crate::device::DeviceArgs;
use crate::statistics::{Interval, Judged, auc, equal_error_rate, with_interval};
use crate::train::blending::{TRAINING_CLIPS, points_of_largest};
use crate::train::self_blend::{Redrawer, twins};

/// Which weights, how many frames, and what to write.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    weights: Weights,
    /// Frames looked at in each clip
    #[arg(long, default_value_t = 10)]
    frames: u64,
    /// Write the crops with their maps as one picture, a row per clip
    #[arg(long, value_name = "PNG")]
    sheet: Option<PathBuf>,
}

struct Networks {
    judge: BlendJudge,
    finder: Finder,
    face_mesh: FaceMesh,
}

/// Prints how well swaps are distinguished from their originals, and how real footage scores.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let device = args.device.open()?;
    let (weights, from) = (&args.weights, effigy_model::Weights::from_source_tree()?);
    let judge = weights.fill("blend-judge", BlendJudge::new(&device))?;
    let networks = Networks {
        judge: judge.packed(&device),
        finder: Finder::load(&from, &device)?,
        face_mesh: FaceMesh::load(&from, &device)?,
    };
    of_twins(data, &networks, &device)?;
    of_pairs(data, args, &networks)?;
    of_real(data, args, &networks)
}

/// Blends of people not trained on: changed copies, and drawings of the base.
fn of_twins(data: &Path, networks: &Networks, device: &Device) -> Result<()> {
    let samples = people::read(data, Split::Validation, |s| s == "ytf" || s == "interfaces")?;
    let redrawer = Redrawer::load(device)?;
    for (what, is_redrawn) in [("self-blends", false), ("faces drawn again", true)] {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut judged = Vec::new();
        for (group, sample) in samples.iter().enumerate() {
            let (picture, points) = (&sample.picture, &sample.points);
            let redrawn = is_redrawn.then(|| redrawer.redraw(picture, points));
            let redrawn = redrawn.flatten();
            if let Some(twins) = twins(picture, points, redrawn.as_ref(), &mut random) {
                for (picture, fake) in [(&twins.real, false), (&twins.blended, true)] {
                    let score = f64::from(networks.judge.score(picture).score);
                    judged.push(Judged { score, fake, group });
                }
            }
        }
        if let Some(found) = with_interval(&judged, auc) {
            println!(
                "{what} of {} unseen faces: AUC {}",
                samples.len(),
                shown(found)
            );
        }
    }
    Ok(())
}

/// Swaps by others against their originals.
fn of_pairs(data: &Path, args: &Args, networks: &Networks) -> Result<()> {
    let (mut frames, mut videos) = (Vec::new(), Vec::new());
    let mut rows = Vec::new();
    for (name, group) in PAIRS {
        let path = data
            .join("fakes-dev/dfl-pairs")
            .join(name)
            .with_extension("mp4");
        let mut scores = [Vec::new(), Vec::new()];
        for picture in some_frames(&path, args.frames)? {
            for (half, scores) in halves(&picture).iter().zip(&mut scores) {
                if let Some(seen) = look(half, networks) {
                    scores.push(f64::from(seen.score));
                    rows.push((scores.len() == 1, seen));
                }
            }
        }
        for (fake, scores) in [false, true].into_iter().zip(&scores) {
            let of = |&score: &f64| Judged { score, fake, group };
            frames.extend(scores.iter().map(of));
            videos.extend(mean(scores).as_ref().map(of));
        }
        println!(
            "{name:20} driver {group:2}: original {:.3}, swap {:.3}",
            mean(&scores[0]).unwrap_or(f64::NAN),
            mean(&scores[1]).unwrap_or(f64::NAN)
        );
    }
    for (what, judged) in [("frame", &frames), ("video", &videos)] {
        if let Some((auc, rate)) =
            with_interval(judged, auc).zip(with_interval(judged, equal_error_rate))
        {
            println!("per {what}: AUC {}, EER {}", shown(auc), shown(rate));
        }
    }
    if let Some(path) = &args.sheet {
        let first = rows
            .iter()
            .filter(|(first, _)| *first)
            .map(|(_, seen)| seen);
        sheet(&first.collect::<Vec<_>>()).save(path)?;
    }
    Ok(())
}

/// Footage of real people whom the judge was not trained on.
fn of_real(data: &Path, args: &Args, networks: &Networks) -> Result<()> {
    for folder in ["video", "video/grid"] {
        let folder = data.join(folder);
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&folder).with_context(|| format!("no {folder:?}"))? {
            paths.push(entry?.path());
        }
        paths.sort();
        for path in paths.iter().filter(|path| path.is_file()) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let frames = some_frames(path, args.frames)?;
            let scores = frames.iter().filter_map(|frame| look(frame, networks));
            let scores: Vec<f64> = scores.map(|seen| f64::from(seen.score)).collect();
            let trained = TRAINING_CLIPS.contains(&&*name);
            println!(
                "real {name:20} {:.3}{}",
                mean(&scores).unwrap_or(f64::NAN),
                if trained { " (trained on)" } else { "" }
            );
        }
    }
    Ok(())
}

/// A crop and what is said of it.
struct Seen {
    crop: Picture,
    score: f32,
    seam: effigy_frame::Plane,
}

fn look(picture: &Picture, networks: &Networks) -> Option<Seen> {
    let points = points_of_largest(picture, &networks.finder, &networks.face_mesh)?;
    let view = aligned_view(&points, BlendJudge::SIDE_PX, BlendJudge::EXTENT)?;
    let crop = crop(picture, view, BlendJudge::SIDE_PX);
    let blend = networks.judge.score(&crop);
    Some(Seen {
        crop,
        score: blend.score,
        seam: blend.seam,
    })
}

/// Frames spread evenly over a clip.
fn some_frames(path: &Path, n_frames: u64) -> Result<Vec<Picture>> {
    let reader = VideoReader::open(path, &Limits::default())
        .with_context(|| format!("cannot read {path:?}"))?;
    let n = reader.info().video.as_ref().and_then(|video| video.frames);
    let every = (n.unwrap_or(250) / n_frames.max(1)).max(1);
    let mut frames = Vec::new();
    for frame in reader {
        let frame = frame.with_context(|| format!("cannot read {path:?}"))?;
        if frame.index % every == every / 2 {
            frames.push(frame.picture);
        }
    }
    Ok(frames)
}

fn mean(scores: &[f64]) -> Option<f64> {
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

fn shown(interval: Interval) -> String {
    let Interval { value, low, high } = interval;
    format!("{value:.3} [{low:.3}, {high:.3}]")
}

/// Original, its map, swap, its map; two clips a row.
fn sheet(seen: &[&Seen]) -> image::RgbImage {
    const SIDE: u32 = BlendJudge::SIDE_PX;
    const COLUMNS: u32 = 8;
    let rows = (seen.len() as u32 * 2).div_ceil(COLUMNS).max(1);
    let mut sheet = image::RgbImage::new(COLUMNS * SIDE, rows * SIDE);
    let pictures = seen.iter().flat_map(|seen| {
        let level = |&v: &f32| [(255.0 * v) as u8; 3];
        let map = seen.seam.values().iter().flat_map(level).collect();
        let cells = BlendJudge::MAP_SIDE as u32;
        let map = resize(&Picture::new(cells, cells, map), SIDE, SIDE);
        [seen.crop.clone(), map]
    });
    for (i, picture) in (0..).zip(pictures) {
        for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
            let at = (i % COLUMNS * SIDE + x, i / COLUMNS * SIDE + y);
            sheet.put_pixel(at.0, at.1, image::Rgb(picture.get(x, y)));
        }
    }
    sheet
}
