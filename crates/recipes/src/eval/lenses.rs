//! Dark lenses: how much of an eye's place the occlusion segmenter takes for covered, in faces as they
//! are and with lenses drawn before them.
//!
//! For people of the validation split, for an actor, and for clips. Some people do wear dark glasses:
//! they count as bare.

use std::path::Path;

use anyhow::{Context as _, Result};
use effigy_actors::truth::{Points, Record};
use effigy_face::align::{MODEL_EXTENT, aligned_view};
use effigy_face::landmarks::{EYES, eye_distance};
use effigy_frame::resample::crop;
use effigy_frame::{Picture, Point2, Point3};
use effigy_media::{Limits, VideoReader};
use effigy_model::{FaceMesh, Finder, OcclusionSegmenter, PictureNet, Weights};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::data::people::{self, Split};
use crate::device::DeviceArgs;
use crate::train::blending::points_of_largest;

/// How many frames.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    /// Frames looked at in each clip
    #[arg(long, default_value_t = 12)]
    frames: usize,
}

/// Sources of modern pictures.
const SOURCES: [&str; 5] = ["congress", "senate", "interfaces", "ytf", "lfw-grey"];
/// An actor of whom nothing was chosen.
const ACTORS: [&str; 2] = ["ben-1", "ada-1-as-ben"];

/// How far the place of an eye reaches, in eye distances from its middle.
const REACH: [f32; 2] = [0.2, 0.12];
/// How sure the network is of a cell that counts as covered.
const COVERED: f32 = 0.5;
/// Part of an eye's place from which on it counts as behind a lens.
const LENS: f32 = 0.5;

/// Covered shares of the places of eyes: of bare ones, and of such behind drawn lenses.
#[derive(Default)]
struct Shares {
    bare: Vec<f32>,
    covered: Vec<f32>,
}

impl Shares {
    fn add(
        &mut self,
        net: &OcclusionSegmenter,
        picture: &Picture,
        points: &[Point3],
        random: &mut ChaCha8Rng,
    ) {
        let of = |picture: &Picture| lens_shares(net, picture, points).into_iter().flatten();
        self.bare.extend(of(picture));
        self.covered
            .extend(of(&with_lenses(picture, points, random)));
    }

    /// Parts of the bare eyes taken for a lens, and of the lenses that are missed.
    fn errors(&self) -> [f64; 2] {
        let part = |shares: &[f32], is_wrong: fn(f32) -> bool| {
            let n_wrong = shares.iter().filter(|&&share| is_wrong(share)).count();
            n_wrong as f64 / shares.len().max(1) as f64
        };
        [
            part(&self.bare, |share| LENS <= share),
            part(&self.covered, |share| share < LENS),
        ]
    }

    fn print(&self, whose: &str) {
        let [alarms, missed] = self.errors();
        println!(
            "{whose:10}: {:.2} % of {} bare eyes taken for a lens, {:.1} % of {} lenses missed",
            100.0 * alarms,
            self.bare.len(),
            100.0 * missed,
            self.covered.len(),
        );
    }
}

/// Prints how many are wrong.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let (weights, device) = (Weights::from_source_tree()?, args.device.open()?);
    let pictures = PictureNet::load(&weights, &device)?;
    let net = OcclusionSegmenter::load(&weights, pictures, &device)?;
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut people = Shares::default();
    for sample in people::read(data, Split::Validation, |s| SOURCES.contains(&s))? {
        people.add(&net, &sample.picture, &sample.points, &mut random);
    }
    people.print("people");
    let mut actor = Shares::default();
    for clip in ACTORS {
        of_actor(&net, clip, &mut actor, &mut random)?;
    }
    actor.print("an actor");
    of_clips(&net, data, args, &mut random)
}

/// A frame in ten of an actor's clip.
fn of_actor(
    net: &OcclusionSegmenter,
    name: &str,
    shares: &mut Shares,
    random: &mut ChaCha8Rng,
) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    let path = folder.join(name).with_extension("mp4");
    let truth = Points::read(&path, Record::read(&path)?.people.len())?;
    let frames = VideoReader::open(&path, &Limits::default())?;
    for (frame, people) in frames.zip(&truth.points).step_by(10) {
        let picture = frame?.picture;
        for points in people {
            shares.add(net, &picture, points, random);
        }
    }
    Ok(())
}

/// Real clips, in which nobody wears dark glasses.
fn of_clips(
    net: &OcclusionSegmenter,
    data: &Path,
    args: &Args,
    random: &mut ChaCha8Rng,
) -> Result<()> {
    let (from, device) = (Weights::from_source_tree()?, args.device.open()?);
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
    let mut shares = Shares::default();
    for path in &paths {
        let reader = VideoReader::open(path, &Limits::default())
            .with_context(|| format!("cannot read {path:?}"))?;
        let n = reader.info().video.as_ref().and_then(|video| video.frames);
        let every = (n.unwrap_or(250) as usize / args.frames.max(1)).max(1);
        for frame in reader.step_by(every) {
            let picture = frame
                .with_context(|| format!("cannot read {path:?}"))?
                .picture;
            if let Some(points) = points_of_largest(&picture, &finder, &face_mesh) {
                shares.add(net, &picture, &points, random);
            }
        }
    }
    shares.print(&format!("{} clips", paths.len()));
    Ok(())
}

/// How much of the place of each eye the network takes for covered.
fn lens_shares(net: &OcclusionSegmenter, picture: &Picture, points: &[Point3]) -> Option<[f32; 2]> {
    let side = OcclusionSegmenter::SIDE_PX;
    let view = aligned_view(points, side, MODEL_EXTENT)?;
    let from_picture = view.inverse()?;
    let seen = net.segment(&crop(picture, view, side));
    let flat: Vec<Point2> = points.iter().map(|p| from_picture.apply(p.xy())).collect();
    let unit = eye_distance(&flat);
    Some(EYES.map(|eye| {
        let middle = eye.centre(&flat);
        let cell = side as f32 / seen.width() as f32;
        let is_eye = |i: &usize| {
            let at = |n: usize| (n as f32 + 0.5) * cell;
            let (x, y) = (at(i % seen.width()), at(i / seen.width()));
            let (u, v) = (
                (x - middle.x) / (REACH[0] * unit),
                (y - middle.y) / (REACH[1] * unit),
            );
            u * u + v * v <= 1.0
        };
        let cells: Vec<usize> = (0..seen.values().len()).filter(is_eye).collect();
        let covered = cells
            .iter()
            .filter(|&&i| COVERED < seen.values()[i])
            .count();
        covered as f32 / cells.len().max(1) as f32
    }))
}

/// Draws two dark lenses, lighter towards their lower rims, now and then with a reflection.
fn with_lenses(picture: &Picture, points: &[Point3], random: &mut ChaCha8Rng) -> Picture {
    let flat: Vec<Point2> = points.iter().map(|p| p.xy()).collect();
    let unit = eye_distance(&flat);
    let half: [f32; 2] = [
        random.random_range(0.23..0.3),
        random.random_range(0.14..0.22),
    ];
    let (dark, fall) = (
        random.random_range(4.0..45.0),
        random.random_range(0.0..25.0),
    );
    let glint: Option<f32> = random
        .random_bool(0.3)
        .then(|| random.random_range(-0.6..0.6));
    let mut worn = picture.clone();
    for eye in EYES {
        let (corner, other) = (flat[eye.outer], flat[eye.inner]);
        let middle = eye.centre(&flat);
        let turn = (other.y - corner.y).atan2(other.x - corner.x);
        let (sin, cos) = turn.sin_cos();
        let reach = half[0].max(half[1]) * unit;
        let within = |middle: f32, side: u32| {
            let at = |v: f32| v.clamp(0.0, side as f32) as u32;
            at(middle - reach)..at(middle + reach + 1.0)
        };
        let columns = within(middle.x, worn.width());
        for (y, x) in
            within(middle.y, worn.height()).flat_map(|y| columns.clone().map(move |x| (y, x)))
        {
            let (dx, dy) = (x as f32 + 0.5 - middle.x, y as f32 + 0.5 - middle.y);
            let u = (cos * dx + sin * dy) / (half[0] * unit);
            let v = (cos * dy - sin * dx) / (half[1] * unit);
            if u * u + v * v < 1.0 {
                let bright = glint.is_some_and(|at| (u + 0.5 * v - at).abs() < 0.08);
                let level = dark + fall * v.max(0.0) + if bright { 120.0 } else { 0.0 };
                worn.set(x, y, [level as u8; 3]);
            }
        }
    }
    worn
}
