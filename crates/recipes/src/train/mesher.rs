//! Trains the mesh network on the annotated points.

use std::path::Path;

use anyhow::Result;
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::softplus;
use effigy_face::align::mesh_view;
use effigy_face::landmarks::{N_SKIN_POINTS, UPPER_LIP_INNER};
use effigy_frame::resample::crop;
use effigy_frame::{Picture, Point2, Point3, Similarity};
use effigy_model::tensors::{PATCH_CHANNELS, append_space_to_depth, mean2};
use effigy_model::{FaceMesh, N_MESH_POINTS, mean_mesh};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::data::people::{self, Sample, Split};
use crate::mirror::mirror_of;
use crate::train::augment::{Jitter, normal, occlude, spoil, strayed};
use crate::train::negatives::{blotches, negative};
use crate::train::pose_augmentation::{Surface, Turn};
use crate::train::run::{self, Args};

const SIDE: u32 = FaceMesh::SIDE_PX;
/// Part of the crops that show no face.
const EMPTY: f64 = 0.25;
/// Part of the faces that are turned further.
const TURNED: f64 = 0.35;
/// Furthest extra turn to the side, in radians.
const MOST_YAW: f32 = 0.9;
const JITTER: Jitter = Jitter {
    turn: 0.12,
    scale: 0.1,
    shift: 0.04,
};

/// `n` crops and what they show.
struct Batch {
    /// `[n, 48, 32, 32]`
    crops: Vec<f32>,
    /// `[n, 1434]`, zero where there is no face.
    points: Vec<f32>,
    /// `[n]`: 1 for a face, 0 for none.
    presence: Vec<f32>,
}

/// Draws crops to train on.
pub(crate) struct Crops {
    samples: Vec<Sample>,
    mirror: Vec<usize>,
    surface: Surface,
}

/// Trains and writes the weights.
pub(crate) fn train(data: &Path, args: &Args) -> Result<()> {
    let crops = Crops::new(people::read(data, Split::Train, |_| true)?)?;
    println!("mesher: {} faces", crops.samples.len());
    let device = args.device.open()?.autodiff();
    let n = args.batch;
    let draw = move |random: &mut ChaCha8Rng| crops.draw(n, random);
    let weights = point_weights();
    run::run(
        "mesher",
        FaceMesh::new(&device),
        args,
        draw,
        move |net, batch: &Batch| {
            let n = batch.presence.len();
            let side = SIDE as usize / 4;
            let crops = TensorData::new(batch.crops.clone(), [n, PATCH_CHANNELS, side, side]);
            let points = TensorData::new(batch.points.clone(), [n, N_MESH_POINTS * 3]);
            let presence = TensorData::new(batch.presence.clone(), [n, 1]);
            let presence = Tensor::<2>::from_data(presence, &device);
            let weights = TensorData::new(weights.clone(), [1, N_MESH_POINTS * 3]);
            let weights = Tensor::<2>::from_data(weights, &device);
            let output = net.forward(Tensor::from_data(crops, &device));
            let gap = (output.points - Tensor::from_data(points, &device)).abs();
            let mesh = mean2(gap * weights * presence.clone());
            // Binary cross-entropy of a logit: softplus(logit) − logit · truth.
            let logit = output.presence;
            let seen = mean2(softplus(logit.clone(), 1.0) - logit * presence);
            let total = mesh.clone() * 100.0 + seen.clone() * 0.3;
            (total, vec![("mesh", mesh * 100.0), ("presence", seen)])
        },
    )
}

impl Crops {
    pub(crate) fn new(samples: Vec<Sample>) -> Result<Self> {
        Ok(Self {
            samples,
            mirror: mirror_of(mean_mesh())?,
            surface: Surface::new()?,
        })
    }

    pub(crate) fn samples(&self) -> &[Sample] {
        &self.samples
    }

    pub(crate) fn surface(&self) -> &Surface {
        &self.surface
    }

    /// Draws one crop, and where its points are.
    pub(crate) fn shown(&self, random: &mut ChaCha8Rng) -> (Picture, Vec<Point2>) {
        let (picture, points) = self.draw_one(random);
        let flat = points.into_iter().flatten().map(|p| p.xy());
        (picture, flat.collect())
    }

    fn draw(&self, n: usize, random: &mut ChaCha8Rng) -> Batch {
        let mut batch = Batch {
            crops: Vec::new(),
            points: Vec::new(),
            presence: Vec::new(),
        };
        for _ in 0..n {
            let (picture, points) = self.draw_one(random);
            append_space_to_depth(&picture, &mut batch.crops);
            batch
                .presence
                .push(if points.is_some() { 1.0 } else { 0.0 });
            append_points(points.as_deref(), &mut batch.points);
        }
        batch
    }

    fn draw_one(&self, random: &mut ChaCha8Rng) -> (Picture, Option<Vec<Point3>>) {
        let sample = &self.samples[random.random_range(0..self.samples.len())];
        let other = &self.samples[random.random_range(0..self.samples.len())];
        let (mut picture, points) = if !random.random_bool(EMPTY) {
            self.face(sample, random)
        } else if random.random_bool(0.6) {
            (negative(&self.samples, SIDE, random), None)
        } else {
            (empty_crop(sample, random), None)
        };
        if random.random_bool(0.25) {
            occlude(&mut picture, &other.picture, random);
        }
        spoil(&mut picture, random);
        (picture, points)
    }

    /// A crop of a face, sometimes turned further than it was, and its points.
    fn face(&self, sample: &Sample, random: &mut ChaCha8Rng) -> (Picture, Option<Vec<Point3>>) {
        if !random.random_bool(TURNED) {
            return self.cut(&sample.picture, &sample.points, random);
        }
        // Twice the size of the crop is enough to turn in, and quicker than the whole picture.
        let Some(view) = mesh_view(&sample.points, 2 * SIDE) else {
            return (blotches(SIDE, random), None);
        };
        let wide = view.of(Similarity::about(
            Point2::new(SIDE as f32, SIDE as f32),
            Point2::new(SIDE as f32, SIDE as f32),
            1.6,
            0.0,
        ));
        let Some(wide_from_frame) = wide.inverse() else {
            return (blotches(SIDE, random), None);
        };
        let picture = crop(&sample.picture, wide, 2 * SIDE);
        let points: Vec<Point3> = sample
            .points
            .iter()
            .map(|&p| wide_from_frame.apply3(p))
            .collect();
        let turn = Turn {
            yaw: (MOST_YAW * normal(random) * 0.5).clamp(-MOST_YAW, MOST_YAW),
            pitch: 0.2 * normal(random),
        };
        let (picture, points) = self.surface.turn(&picture, &points, turn);
        self.cut(&picture, &points, random)
    }

    fn cut(
        &self,
        picture: &Picture,
        points: &[Point3],
        random: &mut ChaCha8Rng,
    ) -> (Picture, Option<Vec<Point3>>) {
        let Some(view) = mesh_view(points, SIDE) else {
            return (blotches(SIDE, random), None);
        };
        let view = strayed(view, SIDE, JITTER, random);
        let picture = crop(picture, view, SIDE);
        let Some(crop_from_frame) = view.inverse() else {
            return (blotches(SIDE, random), None);
        };
        let points: Vec<Point3> = points.iter().map(|&p| crop_from_frame.apply3(p)).collect();
        if random.random_bool(0.5) {
            return (picture, Some(points));
        }
        let flipped = self.mirror.iter().map(|&j| Point3 {
            x: SIDE as f32 - points[j].x,
            ..points[j]
        });
        (picture.mirrored(), Some(flipped.collect()))
    }
}

/// A crop beside the face, of a small part of it, or of nothing at all.
fn empty_crop(sample: &Sample, random: &mut ChaCha8Rng) -> Picture {
    let Some(view) = mesh_view(&sample.points, SIDE) else {
        return blotches(SIDE, random);
    };
    let side = SIDE as f32;
    let turn = random.random_range(-3.0..3.0_f32);
    let (scale, away) = match random.random_range(0..4) {
        0 => (random.random_range(0.1..0.3), random.random_range(0.0..0.5)), // part of a face
        1 => (random.random_range(2.5..5.0), random.random_range(0.0..0.6)), // far away
        2 => return blotches(SIDE, random),
        _ => (
            random.random_range(0.4..1.0),
            random.random_range(0.75..1.2),
        ), // beside it
    };
    let angle = random.random_range(0.0..std::f32::consts::TAU);
    let middle = Point2::new(0.5 * side, 0.5 * side);
    let to = Point2::new(
        middle.x + away * side * angle.cos(),
        middle.y + away * side * angle.sin(),
    );
    crop(
        &sample.picture,
        view.of(Similarity::about(middle, to, scale, turn)),
        SIDE,
    )
}

fn append_points(points: Option<&[Point3]>, values: &mut Vec<f32>) {
    let side = SIDE as f32;
    match points {
        None => values.extend(std::iter::repeat_n(0.0, N_MESH_POINTS * 3)),
        Some(points) => values.extend(
            points
                .iter()
                .flat_map(|p| [p.x / side - 0.5, p.y / side - 0.5, p.z / side]),
        ),
    }
}

/// Eyes, lips and irises count double, depth a third.
fn point_weights() -> Vec<f32> {
    let busy = |i: usize| {
        let p = mean_mesh()[i];
        let eye = p.y.abs() < 0.12 && p.x.abs() < 0.6 && p.x.abs() > 0.1;
        let mouth = p.x.abs() < 0.32 && (p.y - mean_mesh()[UPPER_LIP_INNER].y).abs() < 0.2;
        eye || mouth || i >= N_SKIN_POINTS
    };
    let weight = |i: usize| if busy(i) { 2.0 } else { 1.0 };
    (0..N_MESH_POINTS)
        .flat_map(|i| [weight(i), weight(i), weight(i) / 3.0])
        .collect()
}
