//! How far the mesh network's points are from the annotations.

use std::path::{Path, PathBuf};

use anyhow::Result;
use effigy_face::align::mesh_view;
use effigy_face::landmarks::{LEFT_EYE, RIGHT_EYE, eye_distance};
use effigy_face::pose::pose;
use effigy_frame::resample::crop;
use effigy_model::FaceMesh;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::finder::sources;
use super::{Weights, actors};
use crate::data::people::{self, Sample, Split};
use crate::device::DeviceArgs;
use crate::train::augment::{Jitter, strayed};

/// What to measure against.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    weights: Weights,
    /// Measure on the drawn people in this folder, whose points are known, finder included
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "testdata/actors")]
    actors: Option<PathBuf>,
}

/// Prints the mean error of the 68-point subset and of all points, as a share of the distance
/// between the outer corners of the eyes.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let weights = &args.weights;
    let device = args.device.open()?;
    let face_mesh = weights.face_mesh(&device)?;
    if let Some(folder) = &args.actors {
        let networks = weights.search(&device)?;
        actors::measure(folder, &networks.finder, &face_mesh)?;
        return actors::measure_turned(data, &networks, &face_mesh);
    }
    let samples = people::read(data, Split::Validation, |_| true)?;
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let errors: Vec<[f64; 3]> = samples
        .iter()
        .map(|s| errors(&face_mesh, s, &mut random))
        .collect();
    for source in sources(&samples) {
        let these = samples
            .iter()
            .zip(&errors)
            .filter(|(s, _)| source == "all" || s.source == source);
        let these: Vec<&[f64; 3]> = these.map(|(_, e)| e).collect();
        let mean = |i: usize| these.iter().map(|e| e[i]).sum::<f64>() / these.len() as f64;
        println!(
            "{source:20} {:5} faces  68 points {:.2} %  478 points {:.2} %  presence {:.3}",
            these.len(),
            100.0 * mean(0),
            100.0 * mean(1),
            mean(2),
        );
    }
    println!("by yaw of the annotation, eyes measured in depth too:");
    for (from, below) in YAW_BINS {
        let these = samples.iter().zip(&errors);
        let these = these.filter(|(s, _)| (from..below).contains(&pose(&s.points).yaw.abs()));
        let these: Vec<f64> = these.map(|(s, e)| e[0] * foreshortened(s)).collect();
        let mean = these.iter().sum::<f64>() / these.len() as f64;
        let n = these.len();
        println!(
            "{from:3}° to {below:3}° {n:5} faces  68 points {:.2} %",
            100.0 * mean
        );
    }
    Ok(())
}

/// Degrees to either side.
const YAW_BINS: [(f32, f32); 5] = [
    (0.0, 15.0),
    (15.0, 30.0),
    (30.0, 45.0),
    (45.0, 60.0),
    (60.0, 90.0),
];

/// The distance between the eyes in the picture as a share of that in space: a turned head's eyes
/// come closer together in the picture, which would count the same error twice.
fn foreshortened(sample: &Sample) -> f64 {
    let (a, b) = (
        sample.points[RIGHT_EYE.outer],
        sample.points[LEFT_EYE.outer],
    );
    let flat = f64::from(a.xy().distance(b.xy()));
    flat / flat.hypot(f64::from(a.z - b.z))
}

fn errors(face_mesh: &FaceMesh, sample: &Sample, random: &mut ChaCha8Rng) -> [f64; 3] {
    let Some(view) = mesh_view(&sample.points, FaceMesh::SIDE_PX) else {
        return [1.0, 1.0, 0.0];
    };
    let view = strayed(view, FaceMesh::SIDE_PX, Jitter::TRACKED, random);
    let mesh = face_mesh.fit(&crop(&sample.picture, view, FaceMesh::SIDE_PX));
    let eyes = eye_distance(&sample.points);
    let gap = |i: usize| {
        view.apply(mesh.points[i].xy())
            .distance(sample.points[i].xy())
            / eyes
    };
    let mean = |of: &[usize]| of.iter().map(|&i| f64::from(gap(i))).sum::<f64>() / of.len() as f64;
    let all: Vec<usize> = (0..mesh.points.len()).collect();
    [
        mean(&effigy_face::ibug68::IBUG_68),
        mean(&all),
        f64::from(mesh.presence),
    ]
}
