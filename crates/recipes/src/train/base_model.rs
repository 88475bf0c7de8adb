//! Trains the base of face models: an encoder and a decoder that have seen many people.
//!
//! Every person's decoder starts as a copy of this one, so that the first minutes of a training
//! are not spent on learning what a face is.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Result;
use effigy_face::align::{MODEL_EXTENT, aligned_view};
use effigy_frame::{Picture, Point2, Point3};
use effigy_model::face_model::store::{Start, Training};
use effigy_model::{FaceModel, Weights};
use effigy_train::{BaseSet, Budget, Settings, Size};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::data::people::{self, Sample, Split};
use crate::train::augment::normal;
use crate::train::pose_augmentation::{Surface, Turn};
use crate::train::run::{self, Args};

/// Part of the faces that are shown turned as well.
const TURNED: f64 = 0.4;
const SAVE_EVERY_SECS: f64 = 120.0;

/// Trains and writes the weights.
pub(crate) fn train(data: &Path, args: &Args) -> Result<()> {
    let samples = people::read(data, Split::Train, |_| true)?;
    let mut faces = all_faces(&samples, args.seed)?;
    println!("base: {} faces", faces.n_faces());
    let settings = Settings {
        shape: Size::Small.shape(),
        budget: Budget::Steps(args.steps),
        training: Training {
            seed: args.seed,
            n_faces_each: args.batch,
            learning_rate: args.rate,
            start: Start::Nothing,
        },
        save_every_secs: SAVE_EVERY_SECS,
        checkpoint: None,
        weights: Weights::from_source_tree()?,
    };
    let device = args.device.open()?;
    let mut saved_step = 0;
    let mut watch = |report: &effigy_train::Report| {
        if saved_step < report.saved_step {
            saved_step = report.saved_step;
            println!(
                "base step {}/{} {:.0} faces/s error {:.4}, on faces held back {:.4}",
                report.step,
                args.steps,
                report.faces_per_sec,
                report.training_error,
                report.validation_error
            );
        }
        ControlFlow::Continue(())
    };
    effigy_train::train_base(
        &args.checkpoints,
        &settings,
        &mut faces,
        &device,
        &mut watch,
    )?;
    let model = FaceModel::open(&args.checkpoints, &device)?;
    run::write_weights("base", model.net(), &args.output)
}

/// All training faces as if they were one person's, some of them turned further as well.
fn all_faces(samples: &[Sample], seed: u64) -> Result<BaseSet> {
    let side = Size::Small.shape().side as u32;
    let surface = Surface::new()?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut people = BaseSet::new(side);
    let mut add = |person: &str, picture: &Picture, points: &[Point3]| {
        if let Some(view) = aligned_view(points, side, MODEL_EXTENT) {
            let flat: Vec<Point2> = points.iter().map(|p| p.xy()).collect();
            people.add(person, picture, view, &flat);
        }
    };
    for sample in samples {
        add(&sample.person, &sample.picture, &sample.points);
        if random.random_bool(TURNED) {
            let turn = Turn {
                yaw: (0.4 * normal(&mut random)).clamp(-0.8, 0.8),
                pitch: 0.2 * normal(&mut random),
            };
            let (picture, points) = surface.turn(&sample.picture, &sample.points, turn);
            add(&sample.person, &picture, &points);
        }
    }
    Ok(people)
}
