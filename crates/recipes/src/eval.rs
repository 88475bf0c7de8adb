//! Measures the networks on people that none was trained on.

mod actors;
mod blending;
mod blinks;
mod consent;
mod finder;
mod identity;
mod lenses;
mod mesh;
mod motion_signature;
mod occlusion;
mod pairs;
mod persons;
mod rhythm;
mod rig;
mod scan;
mod splice;
mod video;
mod voice;
mod watermark;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burn::module::Module;
use burn::prelude::Device;
use burn::store::ModuleSnapshot;
use effigy_face::track::SearchNetworks;
use effigy_frame::Picture;
use effigy_frame::resample::resize;
use effigy_model::{FaceDetector, FaceMesh, Finder, weights};

/// What to measure
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Recall and precision of the finder, and false faces in pictures without one
    Finder(finder::Args),
    /// Error of the mesh network against the annotations
    Mesh(mesh::Args),
    /// Accuracy of the identity network on pairs
    Identity(identity::Args),
    /// Trainings with wrong people, of which none may start, and with right ones
    Consent(consent::Args),
    /// How well tracks of several people are joined into people
    Persons(persons::Args),
    /// How well movement tells people apart
    #[command(alias = "manner")]
    MotionSignature(motion_signature::Args),
    /// The blending judge alone, on swaps made by others and on real footage
    Blending(blending::Args),
    /// How well manipulated faces are distinguished from real ones, by each cue and by all together
    Scan(scan::Args),
    /// Faces put into portraits or copied in them, and false alarms on untouched ones
    Splice(splice::Args),
    /// Whether clips that were encoded twice are distinguished from those encoded once
    Rhythm,
    /// Tremble of the points on a still head, and their lag on a moving one
    Video(video::Args),
    /// Dark lenses before eyes that the occlusion segmenter misses, and bare eyes that it takes for covered
    Lenses(lenses::Args),
    /// How well the mask of what covers a face lies on it, by kind, and how much of bare faces is taken for covered
    Occlusion(occlusion::Args),
    /// Weights of expressions and gaze, on people whose every weight is known
    Rig(rig::Args),
    /// Blinks in real clips, against those counted by hand
    Blinks(blinks::Args),
    /// How well the same voice is known again, through telephones, rooms and noise
    Voice,
    /// Identifiers recovered from marked pictures and clips after attacks
    Watermark(watermark::Args),
}

/// Prints one evaluation.
pub(crate) fn run(data: &Path, command: &Command) -> Result<()> {
    match command {
        Command::Finder(args) => finder::measure(data, args),
        Command::Mesh(args) => mesh::measure(data, args),
        Command::Identity(args) => identity::measure(data, args),
        Command::Consent(args) => consent::measure(data, args),
        Command::Persons(args) => persons::measure(data, args),
        Command::MotionSignature(args) => motion_signature::measure(data, args),
        Command::Blending(args) => blending::measure(data, args),
        Command::Scan(args) => scan::measure(data, args),
        Command::Splice(args) => splice::measure(data, args),
        Command::Rhythm => rhythm::measure(data),
        Command::Video(args) => video::measure(data, args),
        Command::Lenses(args) => lenses::measure(data, args),
        Command::Occlusion(args) => occlusion::measure(data, args),
        Command::Rig(args) => rig::measure(data, args),
        Command::Blinks(args) => blinks::measure(data, args),
        Command::Voice => voice::measure(data),
        Command::Watermark(args) => watermark::evaluate(data, args),
    }
}

/// Which weights to measure.
#[derive(clap::Args)]
pub(crate) struct Weights {
    /// Folder with the weights to measure [default: those that are committed]
    #[arg(long, value_name = "DIR")]
    weights: Option<PathBuf>,
}

impl Weights {
    /// The finder, packed for the processor where it is the committed one.
    fn finder(&self, device: &Device) -> Result<Finder> {
        if self.weights.is_some() {
            return self.fill("finder", Finder::new(device));
        }
        let committed = effigy_model::Weights::from_source_tree()?;
        Ok(Finder::load(&committed, device)?)
    }

    /// The finder with the committed detector.
    fn search(&self, device: &Device) -> Result<SearchNetworks> {
        let committed = effigy_model::Weights::from_source_tree()?;
        Ok(SearchNetworks {
            finder: self.finder(device)?,
            detector: FaceDetector::load(&committed, device)?,
        })
    }

    /// The mesh network, likewise.
    fn face_mesh(&self, device: &Device) -> Result<FaceMesh> {
        if self.weights.is_some() {
            return self.fill("mesher", FaceMesh::new(device));
        }
        let committed = effigy_model::Weights::from_source_tree()?;
        Ok(FaceMesh::load(&committed, device)?)
    }

    /// Fills a fresh network with the weights in the folder, or with the committed ones. Weights
    /// just trained are in no table yet.
    fn fill<M: Module + ModuleSnapshot>(&self, name: &'static str, fresh: M) -> Result<M> {
        let Some(folder) = &self.weights else {
            return Ok(effigy_model::Weights::from_source_tree()?.fill(name, fresh)?);
        };
        let path = folder.join(name).with_extension("safetensors");
        let bytes = fs::read(&path).with_context(|| format!("cannot read {path:?}"))?;
        Ok(weights::from_bytes(name, bytes, fresh)?)
    }
}

/// Small pictures side by side, row after row.
fn sheet(pictures: &[&Picture], columns: u32, rows: u32) -> image::RgbImage {
    const SIDE: u32 = 96;
    let mut sheet = image::RgbImage::new(columns * SIDE, rows * SIDE);
    for (i, picture) in (0..columns * rows).zip(pictures) {
        let small = resize(picture, SIDE, SIDE);
        for y in 0..SIDE {
            for x in 0..SIDE {
                let at = (i % columns * SIDE + x, i / columns * SIDE + y);
                sheet.put_pixel(at.0, at.1, image::Rgb(small.get(x, y)));
            }
        }
    }
    sheet
}
