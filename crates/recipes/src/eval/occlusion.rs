//! The occlusion segmenter: how well its mask lies on what covers a face, by kind of occluder, and
//! how much of bare faces it takes for one.
//!
//! Thresholds are compared on one half of people of the validation split; figures are for the other
//! half, for strangers it was not trained on, for the actor whom a microphone passes, and for clips,
//! which are bare but for hair.

use std::path::Path;

use anyhow::{Context as _, Result};
use effigy_actors::truth::{Masks, Points, Record};
use effigy_frame::{Picture, Plane};
use effigy_media::{Limits, VideoReader};
use effigy_model::{FaceMesh, Finder, OcclusionHead, OcclusionSegmenter, PictureNet};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::Weights;
use crate::data::people::{self, Split, is_tuning};
use crate::device::DeviceArgs;
use crate::train::blending::points_of_largest;
use crate::train::occluders::{Covered, Face, KINDS, Kind, covered};
use crate::train::occlusion::{cut, kept, strangers};

/// A cell is covered from this on, where tables say what a threshold does.
const OCCLUDED: f32 = 0.5;

/// Which weights, and on how many faces.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    weights: Weights,
    /// Faces of each kind in each group
    #[arg(long, default_value_t = 120)]
    faces: usize,
    /// Frames looked at in each clip
    #[arg(long, default_value_t = 12)]
    frames: usize,
}

const SOURCES: [&str; 5] = [
    "interfaces",
    "ytf",
    "voteview-bio_guide",
    "voteview-wiki",
    "lfw-grey",
];
/// Strangers whom no network has seen.
const STRANGERS: std::ops::Range<u32> = 9000..9006;
/// A cell belongs to the face or to an occluder from this share on.
const HALF: f32 = 0.5;

/// Prints the figures.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let device = args.device.open()?;
    let head = OcclusionHead::new(&device);
    let head = args.weights.fill("occlusion-segmenter", head)?;
    let committed = effigy_model::Weights::from_source_tree()?;
    let pictures = PictureNet::load(&committed, &device)?;
    let net = OcclusionSegmenter::new(pictures, head, &device);
    let (mut tuning, mut others) = (Vec::new(), Vec::new());
    for sample in people::read(data, Split::Validation, |s| SOURCES.contains(&s))? {
        let half = if is_tuning(&sample.person) {
            &mut tuning
        } else {
            &mut others
        };
        half.extend(kept(&sample.picture, &sample.points));
    }
    let tuning = Judged::of_all(&net, &tuning, args.faces);
    for twentieths in 4..=18 {
        let from = 0.05 * twentieths as f32;
        let (mean, bare) = (tuning.mean_overlap(from), tuning.false_share(from));
        println!(
            "  one half of people from {from:.2}: IoU {mean:.3}, {:.2} % of bare faces",
            100.0 * bare
        );
    }
    Judged::of_all(&net, &others, args.faces).print("the other half");
    Judged::of_all(&net, &strangers(data, STRANGERS)?, args.faces).print("strangers");
    of_microphone(&net)?;
    of_clips(data, args, &net)
}

/// What the network said of a face, and the truth: by cells that belong to the face.
struct Look {
    kind: Kind,
    cells: Vec<(f32, bool)>,
}

#[derive(Default)]
struct Judged {
    looks: Vec<Look>,
}

impl Judged {
    /// Looks at faces with something of every kind before them.
    fn of_all(net: &OcclusionSegmenter, faces: &[Face], n_faces: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut judged = Self::default();
        for (kind, _) in KINDS {
            for _ in 0..n_faces {
                let [face, other] = [0, 1].map(|_| &faces[random.random_range(0..faces.len())]);
                if let Some(covered) = covered(face, other, kind, &mut random) {
                    judged.looks.push(Look::at(net, kind, &covered));
                }
            }
        }
        judged
    }

    fn overlap(&self, kind: Kind, from: f32) -> f64 {
        let looks = self.looks.iter().filter(|look| look.kind == kind);
        let (mut both, mut either) = (0_u32, 0_u32);
        for &(seen, truth) in looks.flat_map(|look| &look.cells) {
            let seen = from <= seen;
            both += u32::from(seen && truth);
            either += u32::from(seen || truth);
        }
        f64::from(both) / f64::from(either.max(1))
    }

    fn mean_overlap(&self, from: f32) -> f64 {
        let kinds = KINDS.iter().filter(|(kind, _)| *kind != Kind::Bare);
        let overlaps: Vec<f64> = kinds.map(|(kind, _)| self.overlap(*kind, from)).collect();
        overlaps.iter().sum::<f64>() / overlaps.len() as f64
    }

    /// The share of bare faces that is taken for an occluder.
    fn false_share(&self, from: f32) -> f64 {
        let bare = self.looks.iter().filter(|look| look.kind == Kind::Bare);
        let (mut wrong, mut all) = (0_u32, 0_u32);
        for &(seen, _) in bare.flat_map(|look| &look.cells) {
            wrong += u32::from(from <= seen);
            all += 1;
        }
        f64::from(wrong) / f64::from(all.max(1))
    }

    fn print(&self, whose: &str) {
        println!("{whose}: IoU by kind from {OCCLUDED:.2} on");
        for (kind, _) in KINDS {
            if kind != Kind::Bare {
                println!(
                    "  {:12} {:.3}",
                    format!("{kind:?}"),
                    self.overlap(kind, OCCLUDED)
                );
            }
        }
        println!(
            "  mean {:.3}; {:.2} % of bare faces taken for covered",
            self.mean_overlap(OCCLUDED),
            100.0 * self.false_share(OCCLUDED),
        );
    }
}

impl Look {
    fn at(net: &OcclusionSegmenter, kind: Kind, covered: &Covered) -> Self {
        let seen = net.segment(&covered.crop);
        Self::of(kind, &seen, &covered.cover, &covered.face)
    }

    fn of(kind: Kind, seen: &Plane, cover: &Plane, face: &Plane) -> Self {
        let cells = seen.values().iter().zip(cover.values());
        let cells = cells.zip(face.values()).filter(|(_, face)| HALF < **face);
        Self {
            kind,
            cells: cells
                .map(|((&seen, &cover), _)| (seen, HALF < cover))
                .collect(),
        }
    }
}

/// The rendered actor whom a microphone passes.
fn of_microphone(net: &OcclusionSegmenter) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    let path = folder.join("ada-microphone.mp4");
    let truth = Points::read(&path, Record::read(&path)?.people.len())?;
    let masks = Masks::read(&path)?;
    let frames = VideoReader::open(&path, &Limits::default())?;
    let mut judged = Judged::default();
    for (i, (frame, people)) in frames.zip(&truth.points).enumerate().step_by(3) {
        let picture = frame?.picture;
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let occluder = masks.occluder(i, width, height);
        let pixels = occluder
            .iter()
            .flat_map(|&is| [if is { 255 } else { 0 }; 3]);
        let occluder = Picture::new(picture.width(), picture.height(), pixels.collect());
        for points in people {
            let (Some((crop, face)), Some((cover, _))) =
                (cut(&picture, points), cut(&occluder, points))
            else {
                continue;
            };
            let cells = OcclusionSegmenter::MASK_SIDE;
            let small = effigy_frame::resample::resize(&cover, cells as u32, cells as u32);
            let levels = small
                .pixels()
                .chunks_exact(3)
                .map(|rgb| f32::from(rgb[0]) / 255.0);
            let cover = Plane::new(cells, cells, levels.collect());
            let is_covered = cover
                .values()
                .iter()
                .zip(face.values())
                .any(|(c, f)| HALF < c.min(*f));
            let kind = if is_covered {
                Kind::Microphone
            } else {
                Kind::Bare
            };
            judged
                .looks
                .push(Look::of(kind, &net.segment(&crop), &cover, &face));
        }
    }
    println!(
        "ada-microphone: IoU {:.3}; {:.2} % of the bare face taken for covered",
        judged.overlap(Kind::Microphone, OCCLUDED),
        100.0 * judged.false_share(OCCLUDED),
    );
    Ok(())
}

/// Real clips, most of them bare.
fn of_clips(data: &Path, args: &Args, net: &OcclusionSegmenter) -> Result<()> {
    let device = args.device.open()?;
    let from = effigy_model::Weights::from_source_tree()?;
    let (finder, face_mesh) = (
        Finder::load(&from, &device)?,
        FaceMesh::load(&from, &device)?,
    );
    let folder = data.join("video");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {folder:?}"))?;
    let mut paths: Vec<_> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.retain(|path| path.is_file());
    paths.sort();
    for path in &paths {
        let mut judged = Judged::default();
        let reader = VideoReader::open(path, &Limits::default())
            .with_context(|| format!("cannot read {path:?}"))?;
        let n = reader.info().video.as_ref().and_then(|video| video.frames);
        let every = (n.unwrap_or(250) as usize / args.frames.max(1)).max(1);
        for frame in reader.step_by(every) {
            let picture = frame
                .with_context(|| format!("cannot read {path:?}"))?
                .picture;
            let points = points_of_largest(&picture, &finder, &face_mesh);
            if let Some((crop, face)) = points.and_then(|points| cut(&picture, &points)) {
                let none = Plane::filled(face.width(), face.height(), 0.0);
                judged
                    .looks
                    .push(Look::of(Kind::Bare, &net.segment(&crop), &none, &face));
            }
        }
        let name = path.file_stem().unwrap_or_default().display();
        println!(
            "  {name}: {:.2} % taken for covered",
            100.0 * judged.false_share(OCCLUDED)
        );
    }
    Ok(())
}
