//! Trains the blending judge on real faces and the same faces blended onto themselves, changed or
//! drawn again.

use std::path::Path;

use anyhow::{Context as _, Result};
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::softplus;
use effigy_face::align::{aligned_view, mesh_view_from_found};
use effigy_frame::resample::crop;
use effigy_frame::{Picture, Point3};
use effigy_media::{Limits, VideoReader};
use effigy_model::finder::FindSettings;
use effigy_model::tensors::{mean2, mean4};
use effigy_model::{BlendJudge, FaceMesh, Finder, Weights};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::data::people::{self, Split};
use crate::train::run::{self, Args};
use crate::train::self_blend::{Redrawer, Redrawn, Twins, twins};

const SIDE: u32 = BlendJudge::SIDE_PX;

/// Where the faces come from, and how often each source is shown. Engravings, halftones and
/// enlarged pictures have none of a camera's traces and are left out.
pub(crate) const SOURCES: [(&str, u32); 5] = [
    ("congress", 30),
    ("senate", 8),
    ("interfaces", 12),
    ("ytf", 20),
    (CLIPS, 30),
];

/// Frames of these clips are trained on; the people in them appear in no other clip; those are for
/// evaluations.
pub(crate) const TRAINING_CLIPS: [&str; 10] = [
    "latentsync-demo1",
    "liveportrait-d3",
    "liveportrait-d6",
    "liveportrait-d10",
    "liveportrait-d12",
    "liveportrait-d18",
    "liveportrait-d20",
    "liveportrait-s13",
    "liveportrait-s18",
    "musetalk-sun",
];

const CLIPS: &str = "clips";
const FRAMES_PER_CLIP: u64 = 24;
/// Pictures are kept in so many pixels a side: more than any working view needs.
const KEPT_PX: u32 = 360;
/// Part of the blended faces that a face model drew.
const REDRAWN: f64 = 0.6;
/// What is kept around a face, in distances between the outer eye corners.
const KEPT_EXTENT: f32 = 4.2;

/// A face and its surroundings.
struct Face {
    picture: Picture,
    points: Vec<Point3>,
    redrawn: Redrawn,
}

/// The faces of each source.
struct Faces {
    by_source: Vec<(u32, Vec<Face>)>,
}

/// `n` crops: real, blended, real, blended…
struct Batch {
    /// `[n, 64, 32, 32]`
    crops: TensorData,
    /// `[n, 1]`
    blended: Vec<f32>,
    /// `[n, 1, 16, 16]`
    seam: Vec<f32>,
}

/// Trains and writes the weights.
pub(crate) fn train(data: &Path, args: &Args) -> Result<()> {
    let device = args.device.open()?;
    let faces = Faces::read(data, &device)?;
    let device = device.autodiff();
    let n_pairs = args.batch / 2;
    let draw = move |random: &mut ChaCha8Rng| faces.draw(n_pairs, random);
    run::run(
        "blend-judge",
        BlendJudge::new(&device),
        args,
        draw,
        move |net, batch: &Batch| {
            let n = batch.blended.len();
            let cells = BlendJudge::MAP_SIDE;
            let blended = TensorData::new(batch.blended.clone(), [n, 1]);
            let seam = TensorData::new(batch.seam.clone(), [n, 1, cells, cells]);
            let output = net.forward(Tensor::from_data(batch.crops.clone(), &device));
            // Binary cross-entropy of a logit: softplus(logit) − logit · truth.
            let blended = Tensor::<2>::from_data(blended, &device);
            let right = output.blended.clone() * (blended.clone() * 2.0 - 1.0);
            let right = mean2(right.greater_elem(0.0).float());
            let logit = output.blended;
            let answer = mean2(softplus(logit.clone(), 1.0) - logit * blended);
            let seam = Tensor::<4>::from_data(seam, &device);
            let logit = output.seam;
            let map = mean4(softplus(logit.clone(), 1.0) - logit * seam);
            let total = answer.clone() + map.clone() * 2.0;
            (
                total,
                vec![("answer", answer), ("right", right), ("map", map)],
            )
        },
    )
}

/// Draws a sheet of what the network is shown: real, blended, what differs fourfold, the seam.
pub(crate) fn preview(data: &Path, device: &Device, seed: u64) -> Result<image::RgbImage> {
    const COLUMNS: u32 = 3;
    const ROWS: u32 = 7;
    let faces = Faces::read(data, device)?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut sheet = image::RgbImage::new(COLUMNS * 4 * SIDE, ROWS * SIDE);
    for i in 0..COLUMNS * ROWS {
        let twins = faces.twins(&mut random);
        let (left, top) = (i % COLUMNS * 4 * SIDE, i / COLUMNS * SIDE);
        for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
            let (real, blended) = (twins.real.get(x, y), twins.blended.get(x, y));
            let gap = std::array::from_fn(|c| real[c].abs_diff(blended[c]).saturating_mul(4));
            let seam = twins.seam.get(x as usize / 8, y as usize / 8);
            let shown = [real, blended, gap, [(255.0 * seam) as u8; 3]];
            for (column, rgb) in (0..4).zip(shown) {
                sheet.put_pixel(left + column * SIDE + x, top + y, image::Rgb(rgb));
            }
        }
    }
    Ok(sheet)
}

impl Faces {
    fn read(data: &Path, device: &Device) -> Result<Self> {
        let redrawer = Redrawer::load(device)?;
        let mut by_source = Vec::new();
        for (source, often) in SOURCES {
            let faces = if source == CLIPS {
                of_clips(data, device, &redrawer)?
            } else {
                let samples = people::read(data, Split::Train, |s| s == source)?;
                let kept = |s: &people::Sample| kept(&s.picture, &s.points, &redrawer);
                samples.iter().filter_map(kept).collect()
            };
            println!("blend-judge: {} faces of {source}", faces.len());
            by_source.push((often, faces));
        }
        Ok(Self { by_source })
    }

    fn draw(&self, n_pairs: usize, random: &mut ChaCha8Rng) -> Batch {
        let (mut crops, mut blended, mut seam) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..n_pairs {
            let twins = self.twins(random);
            crops.extend([twins.real, twins.blended]);
            blended.extend([0.0, 1.0]);
            let cells = twins.seam.values();
            seam.extend(cells.iter().map(|_| 0.0));
            seam.extend(cells);
        }
        Batch {
            crops: BlendJudge::inputs(&crops, &Device::flex()).into_data(),
            blended,
            seam,
        }
    }

    fn twins(&self, random: &mut ChaCha8Rng) -> Twins {
        let all: u32 = self.by_source.iter().map(|(often, _)| often).sum();
        loop {
            let mut chance = random.random_range(0..all);
            let source = self.by_source.iter().find(|(often, _)| {
                let here = chance < *often;
                chance = chance.saturating_sub(*often);
                here
            });
            let Some((_, faces)) = source.filter(|(_, faces)| !faces.is_empty()) else {
                continue;
            };
            let face = &faces[random.random_range(0..faces.len())];
            let redrawn = random.random_bool(REDRAWN).then_some(&face.redrawn);
            if let Some(twins) = twins(&face.picture, &face.points, redrawn, random) {
                return twins;
            }
        }
    }
}

/// Cuts a face with its surroundings out of a picture, never enlarged.
fn kept(picture: &Picture, points: &[Point3], redrawer: &Redrawer) -> Option<Face> {
    let own = aligned_view(points, 1000, KEPT_EXTENT)?.scale() * 1000.0;
    let side = (own as u32).min(KEPT_PX);
    let view = aligned_view(points, side, KEPT_EXTENT)?;
    let from_picture = view.inverse()?;
    let picture = crop(picture, view, side);
    let points: Vec<Point3> = points.iter().map(|&p| from_picture.apply3(p)).collect();
    Some(Face {
        redrawn: redrawer.redraw(&picture, &points)?,
        picture,
        points,
    })
}

/// Finds the faces in frames spread over the training clips.
fn of_clips(data: &Path, device: &Device, redrawer: &Redrawer) -> Result<Vec<Face>> {
    let from = Weights::from_source_tree()?;
    let (finder, face_mesh) = (Finder::load(&from, device)?, FaceMesh::load(&from, device)?);
    let mut faces = Vec::new();
    for clip in TRAINING_CLIPS {
        let path = data.join("video").join(clip).with_extension("mp4");
        let reader = VideoReader::open(&path, &Limits::default())
            .with_context(|| format!("cannot read {path:?}"))?;
        let n = reader.info().video.as_ref().and_then(|video| video.frames);
        let every = (n.unwrap_or(250) / FRAMES_PER_CLIP).max(1);
        for frame in reader {
            let frame = frame.with_context(|| format!("cannot read {path:?}"))?;
            if frame.index.is_multiple_of(every) {
                let points = points_of_largest(&frame.picture, &finder, &face_mesh);
                faces.extend(points.and_then(|p| kept(&frame.picture, &p, redrawer)));
            }
        }
    }
    Ok(faces)
}

/// The mesh of the largest face in a picture, in its pixels.
pub(crate) fn points_of_largest(
    picture: &Picture,
    finder: &Finder,
    face_mesh: &FaceMesh,
) -> Option<Vec<Point3>> {
    let found = finder.find(picture, &FindSettings::default());
    let largest = found
        .iter()
        .max_by(|a, b| a.rect.width.total_cmp(&b.rect.width))?;
    let view = mesh_view_from_found(largest, FaceMesh::SIDE_PX)?;
    let mesh = face_mesh.fit(&crop(picture, view, FaceMesh::SIDE_PX));
    (mesh.presence > 0.7).then(|| mesh.points.iter().map(|&p| view.apply3(p)).collect())
}
