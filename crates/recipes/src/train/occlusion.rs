//! Trains the occlusion segmenter on real faces and on strangers, covered by drawn things and by
//! parts of other pictures.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::{sigmoid, softplus};
use effigy_actors::{Clip, Head, Line, Set};
use effigy_face::align::{MODEL_EXTENT, aligned_view};
use effigy_face::mask::hull_mask;
use effigy_frame::resample::crop;
use effigy_frame::{Picture, Plane, Point2, Point3};
use effigy_model::occlusion_segmenter::Seen;
use effigy_model::tensors::sum4;
use effigy_model::{OcclusionHead, OcclusionSegmenter, PictureNet, Weights, weights};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::data::people::{self, Split};
use crate::train::occluders::{Covered, Face, KINDS, any_kind, covered, covered_part};
use crate::train::pose_augmentation::{Surface, Turn};
use crate::train::run;

/// Where the faces come from, and how often each source is shown.
const SOURCES: [(&str, u32); 6] = [
    ("congress", 26),
    ("senate", 4),
    ("interfaces", 12),
    ("ytf", 34),
    ("voteview-wiki", 12),
    (STRANGERS, 12),
];
const STRANGERS: &str = "strangers";
/// Strangers with these numbers are trained on, and how many of their acts.
const TRAINING_STRANGERS: std::ops::Range<u32> = 5000..5006;
const ACTS_OF_EACH: u32 = 8;
/// Width and height of a stranger's picture.
const STRANGER_PX: usize = 320;
/// What is kept around a face, in distances between the outer eye corners, and in how many pixels.
const KEPT_EXTENT: f32 = 2.6;
const KEPT_PX: u32 = 208;
/// Part of the faces that are turned further than their picture shows them.
const TURNED: f64 = 0.15;
/// Weight of cells beside the face, whose truth nobody asks for.
const BESIDE: f32 = 0.02;
/// Weight of the overlap against the cells.
const OVERLAP: f64 = 0.5;

/// Part of a face that an earlier training may take for covered before its picture is left out.
const MOST_COVERED: f32 = 0.03;

/// How to train, and on what.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    run: run::Args,
    /// Weights of an earlier training: pictures in which they see something real before the face,
    /// which would count as bare, are left out
    #[arg(long, value_name = "FILE")]
    clear_by: Option<PathBuf>,
}

/// The faces of each source.
pub(crate) struct Faces {
    by_source: Vec<(u32, Vec<Face>)>,
    surface: Surface,
}

/// Crops as the network sees them, and the truth.
#[derive(Default)]
struct Batch {
    seen: Seen,
    /// `[n, 1, 48, 48]`, as the weights.
    cover: Vec<f32>,
    weights: Vec<f32>,
}

/// Trains the network's head.
pub(crate) fn train(data: &Path, args: &Args) -> Result<()> {
    let device = args.run.device.open()?.autodiff();
    let mut faces = Faces::read(data)?;
    if let Some(path) = &args.clear_by {
        faces.clear(&segmenter(path)?)?;
    }
    // What a crop looks like is worked out by the threads that draw it.
    let pictures = PictureNet::load(&Weights::from_source_tree()?, &Device::flex())?;
    let n_crops = args.run.batch;
    run::run(
        "occlusion-segmenter",
        OcclusionHead::new(&device),
        &args.run,
        move |random| faces.batch(n_crops, &pictures, random),
        |head, batch| loss(head, batch, &device),
    )
}

/// The network with a head that is in no table yet.
pub(crate) fn segmenter(head: &Path) -> Result<OcclusionSegmenter> {
    let device = Device::flex();
    let bytes = std::fs::read(head).with_context(|| format!("cannot read {head:?}"))?;
    let head = weights::from_bytes("occlusion-segmenter", bytes, OcclusionHead::new(&device))?;
    let pictures = PictureNet::load(&Weights::from_source_tree()?, &device)?;
    Ok(OcclusionSegmenter::new(pictures, head, &device))
}

fn loss(
    head: &OcclusionHead,
    batch: &Batch,
    device: &Device,
) -> (Tensor<1>, Vec<(&'static str, Tensor<1>)>) {
    let n = batch.seen.n();
    let side = OcclusionSegmenter::MASK_SIDE;
    let of_cells = |values: &[f32]| {
        let data = TensorData::new(values.to_vec(), [n, 1, side, side]);
        Tensor::<4>::from_data(data, device)
    };
    let logit = head.forward(&batch.seen, device);
    let (cover, weights) = (of_cells(&batch.cover), of_cells(&batch.weights));
    // Binary cross-entropy of a logit: softplus(logit) − logit · truth.
    let cells = softplus(logit.clone(), 1.0) - logit.clone() * cover.clone();
    let cells = sum4(cells * weights.clone()) / sum4(weights.clone());
    let seen = sigmoid(logit);
    let both = sum4(seen.clone() * cover.clone() * weights.clone());
    let either = sum4((seen + cover) * weights) - both.clone();
    let overlap = both / (either + 1.0);
    let total = cells.clone() - overlap.clone() * OVERLAP;
    (total, vec![("cells", cells), ("overlap", overlap)])
}

/// Draws the faces that have something real before them, as the network with this head sees it: the
/// most covered first.
pub(crate) fn preview_of_left_out(data: &Path, head: &Path) -> Result<image::RgbImage> {
    const COLUMNS: usize = 16;
    const ROWS: usize = 16;
    const SIDE: usize = OcclusionSegmenter::SIDE_PX as usize;
    let net = segmenter(head)?;
    let faces = Faces::read(data)?;
    let all = faces.by_source.iter().flat_map(|(_, faces)| faces);
    let mut shares: Vec<(f32, &Face)> = all.map(|face| (covered_share(face, &net), face)).collect();
    shares.sort_by(|a, b| b.0.total_cmp(&a.0));
    let n = shares.iter().filter(|(share, _)| MOST_COVERED < *share);
    println!("{} of {} are left out", n.count(), shares.len());
    let mut sheet = image::RgbImage::new((COLUMNS * SIDE) as u32, (ROWS * SIDE) as u32);
    for (i, (_, face)) in shares.iter().take(COLUMNS * ROWS).enumerate() {
        let Some((crop, belongs)) = cut(&face.picture, &face.points) else {
            continue;
        };
        let seen = net.segment(&crop);
        for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
            let mut rgb = crop.get(x as u32, y as u32);
            if 0.5 < seen.get(x / 2, y / 2).min(belongs.get(x / 2, y / 2)) {
                rgb[0] = rgb[0] / 2 + 127;
            }
            let (left, top) = (i % COLUMNS * SIDE, i / COLUMNS * SIDE);
            sheet.put_pixel((left + x) as u32, (top + y) as u32, image::Rgb(rgb));
        }
    }
    Ok(sheet)
}

/// Draws a sheet of what the network is shown, a row for each kind: the crop, and in red what is
/// covered of the face, in grey what is not.
pub(crate) fn preview(data: &Path, seed: u64) -> Result<image::RgbImage> {
    const COLUMNS: u32 = 8;
    const SIDE: u32 = OcclusionSegmenter::SIDE_PX;
    let faces = Faces::read(data)?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut sheet = image::RgbImage::new(COLUMNS * 2 * SIDE, KINDS.len() as u32 * SIDE);
    for (row, (kind, _)) in (0..).zip(KINDS) {
        for column in 0..COLUMNS {
            let Covered { crop, cover, face } = faces.covered(kind, &mut random);
            for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
                let (left, top) = (column * 2 * SIDE, row * SIDE);
                sheet.put_pixel(left + x, top + y, image::Rgb(crop.get(x, y)));
                let cell = |plane: &Plane| plane.get(x as usize / 2, y as usize / 2);
                let (cover, face) = (cell(&cover), 0.3 + 0.7 * cell(&face));
                let grey = 110.0 * face * (1.0 - cover);
                let rgb = [grey + 255.0 * face * cover, grey, grey].map(|v| v as u8);
                sheet.put_pixel(left + SIDE + x, top + y, image::Rgb(rgb));
            }
        }
    }
    Ok(sheet)
}

impl Faces {
    fn read(data: &Path) -> Result<Self> {
        let mut by_source = Vec::new();
        for (source, often) in SOURCES {
            let faces = if source == STRANGERS {
                strangers(data, TRAINING_STRANGERS)?
            } else {
                of_people(data, Split::Train, source)?
            };
            println!("occlusion-segmenter: {} faces of {source}", faces.len());
            by_source.push((often, faces));
        }
        Ok(Self {
            by_source,
            surface: Surface::new()?,
        })
    }

    /// Leaves out the faces that have something real before them.
    fn clear(&mut self, net: &OcclusionSegmenter) -> Result<()> {
        for (_, faces) in &mut self.by_source {
            let before = faces.len();
            faces.retain(|face| covered_share(face, net) <= MOST_COVERED);
            let left = before - faces.len();
            println!("occlusion-segmenter: {left} of {before} left out, something is before them");
            ensure!(
                !faces.is_empty(),
                "these weights take every face for covered"
            );
        }
        Ok(())
    }

    fn batch(&self, n: usize, pictures: &PictureNet, random: &mut ChaCha8Rng) -> Batch {
        let mut batch = Batch::default();
        for _ in 0..n {
            let kind = any_kind(random);
            let Covered { crop, cover, face } = self.covered(kind, random);
            batch.seen.add(&crop, pictures);
            batch.cover.extend(cover.values());
            batch
                .weights
                .extend(face.values().iter().map(|face| face.max(BESIDE)));
        }
        batch
    }

    fn covered(&self, kind: crate::train::occluders::Kind, random: &mut ChaCha8Rng) -> Covered {
        loop {
            let (face, other) = (self.any(random), self.any(random));
            let turned = random
                .random_bool(TURNED)
                .then(|| self.turned(face, random));
            let face = turned.as_ref().unwrap_or(face);
            if let Some(covered) = covered(face, other, kind, random) {
                return covered;
            }
        }
    }

    fn any(&self, random: &mut ChaCha8Rng) -> &Face {
        let all: u32 = self.by_source.iter().map(|(often, _)| often).sum();
        let mut chance = random.random_range(0..all);
        let mut found = 0;
        for (i, (often, _)) in self.by_source.iter().enumerate() {
            if chance < *often {
                found = i;
                break;
            }
            chance -= often;
        }
        let faces = &self.by_source[found].1;
        &faces[random.random_range(0..faces.len())]
    }

    fn turned(&self, face: &Face, random: &mut ChaCha8Rng) -> Face {
        let turn = Turn {
            yaw: random.random_range(-0.6..0.6),
            pitch: random.random_range(-0.25..0.25),
        };
        let (picture, points) = self.surface.turn(&face.picture, &face.points, turn);
        Face {
            picture,
            points,
            is_grey: face.is_grey,
        }
    }
}

/// The people of a source, each cut out with the surroundings.
pub(crate) fn of_people(data: &Path, split: Split, source: &str) -> Result<Vec<Face>> {
    let samples = people::read(data, split, |s| s == source)?;
    Ok(samples
        .iter()
        .filter_map(|sample| kept(&sample.picture, &sample.points))
        .collect())
}

/// Actors made up from these numbers, each in some of their acts.
pub(crate) fn strangers(data: &Path, numbers: std::ops::Range<u32>) -> Result<Vec<Face>> {
    let head = Head::open(&data.join("head/head.safetensors"))?;
    let mut faces = Vec::new();
    for number in numbers {
        let clip = Clip::of_stranger(number);
        let set = Set::new(&head, &clip, &Line::default(), STRANGER_PX)?;
        let mut canvas = set.canvas();
        for act in 0..ACTS_OF_EACH {
            let shot = set.shot(&mut canvas, 2 * act)?;
            let points = shot.points.first().context("nobody in a shot")?;
            faces.extend(kept(&shot.picture, points));
        }
    }
    Ok(faces)
}

/// The part of a face that the network takes for covered.
fn covered_share(face: &Face, net: &OcclusionSegmenter) -> f32 {
    let Some((crop, belongs)) = cut(&face.picture, &face.points) else {
        return 0.0;
    };
    let seen = net.segment(&crop);
    let cover: Vec<f32> = seen.values().iter().map(|seen| seen.round()).collect();
    covered_part(&cover, belongs.values())
}

/// The network's crop of a face, and the share of each of its cells within the mesh.
pub(crate) fn cut(picture: &Picture, points: &[Point3]) -> Option<(Picture, Plane)> {
    let (side, cells) = (OcclusionSegmenter::SIDE_PX, OcclusionSegmenter::MASK_SIDE);
    let view = aligned_view(points, side, MODEL_EXTENT)?;
    let from_picture = view.inverse()?;
    let cell = side as f32 / cells as f32;
    let in_cells = |p: &Point3| {
        let at = from_picture.apply(p.xy());
        Point2::new(at.x / cell, at.y / cell)
    };
    let corners: Vec<Point2> = points.iter().map(in_cells).collect();
    Some((crop(picture, view, side), hull_mask(&corners, cells, cells)))
}

/// Cuts a face with its surroundings out of a picture, never enlarged.
pub(crate) fn kept(picture: &Picture, points: &[Point3]) -> Option<Face> {
    const LEAST_PX: f32 = 48.0;
    let own = aligned_view(points, 1000, KEPT_EXTENT)?.scale() * 1000.0;
    let side = (own.max(LEAST_PX) as u32).min(KEPT_PX);
    let view = aligned_view(points, side, KEPT_EXTENT)?;
    let from_picture = view.inverse()?;
    let picture = crop(picture, view, side);
    Some(Face {
        is_grey: is_grey(&picture),
        points: points.iter().map(|&p| from_picture.apply3(p)).collect(),
        picture,
    })
}

/// Whether a picture has no colours worth the name.
pub(crate) fn is_grey(picture: &Picture) -> bool {
    const LEAST_LEVELS: f32 = 6.0;
    let gaps = picture.pixels().chunks_exact(3).map(|rgb| {
        let (most, least) = (rgb.iter().max(), rgb.iter().min());
        most.zip(least)
            .map_or(0.0, |(most, least)| f32::from(most - least))
    });
    gaps.sum::<f32>() < LEAST_LEVELS * (picture.width() * picture.height()) as f32
}

#[cfg(test)]
mod tests {
    use burn::optim::{AdamWConfig, GradientsParams};
    use effigy_frame::Similarity;
    use effigy_model::mean_mesh;
    use effigy_model::tensors::values;

    use super::*;

    /// Two plain faces, one dark and one fair, each the other's neighbour.
    fn faces() -> Faces {
        let frame_from_mean =
            Similarity::about(Point2::new(0.0, 0.35), Point2::new(120.0, 120.0), 90.0, 0.0);
        let face = |rgb| Face {
            picture: Picture::filled(240, 240, rgb),
            points: mean_mesh()
                .iter()
                .map(|&p| frame_from_mean.apply3(p))
                .collect(),
            is_grey: false,
        };
        Faces {
            by_source: vec![(1, vec![face([205, 160, 130]), face([90, 60, 50])])],
            surface: Surface::new().unwrap(),
        }
    }

    #[test]
    fn loss_falls_on_eight_crops() {
        let device = Device::flex().autodiff();
        let from = Weights::from_source_tree().unwrap();
        let pictures = PictureNet::load(&from, &Device::flex()).unwrap();
        let batch = faces().batch(8, &pictures, &mut ChaCha8Rng::seed_from_u64(5));
        let mut net = OcclusionHead::new(&device);
        let mut optimizer = AdamWConfig::new().init();
        let mut losses = Vec::new();
        for _ in 0..12 {
            let (total, _) = loss(&net, &batch, &device);
            losses.push(values(total.clone().inner())[0]);
            let grads = GradientsParams::from_grads(total.backward(), &net);
            net = optimizer.step(2e-3, net, grads);
        }
        let [first, .., last] = losses[..] else {
            unreachable!("twelve steps give twelve losses")
        };
        assert!(last < first - 0.1, "{losses:?}"); // untrained, the cells alone give 0.69
    }
}
