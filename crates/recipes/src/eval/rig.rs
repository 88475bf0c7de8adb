//! What the rig makes of faces: weights, gaze and fit, on people whose every weight is known.

mod draw;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use effigy_actors::truth::{Played, Points, Record};
use effigy_face::rig::{
    ARKIT, Acquaintance, N_EXPRESSIONS, Pose, Rest, Rig, Solver, SolverSettings, arkit, expression,
};
use effigy_face::{TrackSettings, Tracker};
use effigy_frame::{Frame, Point3, Rect};
use effigy_media::{Limits, VideoReader};
use effigy_model::Weights;

use crate::device::DeviceArgs;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    /// Clips to look at; those of the actors are compared with what is known [default: all actors]
    clips: Vec<PathBuf>,
    /// Solve from the true points rather than those that the mesh network finds
    #[arg(long)]
    true_points: bool,
    /// Write pictures with the head drawn over the face to this folder
    #[arg(long, value_name = "DIR")]
    draw: Option<PathBuf>,
}

/// A clip with the points of one person, frame by frame.
struct Seen {
    name: String,
    path: PathBuf,
    /// Time and points of the frames in which the face was seen.
    frames: Vec<(usize, f64, Vec<Point3>)>,
    truth: Option<Played>,
}

/// Prints how well weights and gaze are found.
pub(crate) fn measure(args: &Args) -> Result<()> {
    let weights = Weights::from_source_tree()?;
    let rig = Rig::load(&weights)?;
    let clips = match args.clips.is_empty() {
        true => actors()?,
        false => args.clips.clone(),
    };
    let mut scores = Scores::default();
    for path in clips {
        let record = Record::read(&path).ok();
        let n_people = record.as_ref().map_or(1, |r| r.people.len());
        for k in 0..n_people {
            let seen = look(&path, record.as_ref(), k, args, &weights)?;
            ensure!(!seen.frames.is_empty(), "no face in {path:?}");
            judge(&rig, &seen, args, &mut scores)?;
        }
    }
    scores.print();
    Ok(())
}

fn actors() -> Result<Vec<PathBuf>> {
    let folder = Path::new("testdata/actors");
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {folder:?}"))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "mp4") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn look(
    path: &Path,
    record: Option<&Record>,
    k: usize,
    args: &Args,
    weights: &Weights,
) -> Result<Seen> {
    let truth = match record {
        Some(record) => Some(Points::read(path, record.people.len())?),
        None => None,
    };
    let known = |n: usize| {
        truth
            .as_ref()
            .and_then(|t| Some(t.points.get(n)?[k].clone()))
    };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut seen = Seen {
        name: format!("{stem} {k}"),
        path: path.to_owned(),
        frames: Vec::new(),
        truth: record.map(|r| r.people[k].clone()),
    };
    if args.true_points {
        let n_frames = record.map_or(0, |r| r.frames);
        seen.frames = (0..n_frames)
            .filter_map(|n| Some((n, n as f64 / 25.0, known(n)?)))
            .collect();
        return Ok(seen);
    }
    let device = args.device.open()?;
    let mut tracker = Tracker::new(
        effigy_model::Finder::load(weights, &device)?,
        effigy_model::FaceMesh::load(weights, &device)?,
        TrackSettings::default(),
    )?;
    for (n, frame) in VideoReader::open(path, &Limits::default())?.enumerate() {
        let frame: Frame = frame?;
        let faces = tracker.follow(&frame.picture, frame.time.secs());
        let wanted = known(n).and_then(|points| Rect::around(points.iter().map(|p| p.xy())));
        let face = match wanted {
            Some(rect) => faces.into_iter().find(|f| f.rect.iou(rect) > 0.4),
            None => faces
                .into_iter()
                .max_by(|a, b| a.rect.area().total_cmp(&b.rect.area())),
        };
        if let Some(face) = face {
            seen.frames.push((n, frame.time.secs(), face.points));
        }
    }
    Ok(seen)
}

fn judge(rig: &Rig, seen: &Seen, args: &Args, scores: &mut Scores) -> Result<()> {
    let mut acquaintance = Acquaintance::default();
    for (_, _, points) in &seen.frames {
        acquaintance.add(points);
    }
    let person = acquaintance.person(rig).context("nobody was seen")?;
    let mut solver = Solver::new(SolverSettings::default());
    let started = Instant::now();
    let poses: Vec<Pose> = seen
        .frames
        .iter()
        .map(|(_, secs, points)| solver.solve(rig, &person, points, *secs))
        .collect();
    let millis = 1e3 * started.elapsed().as_secs_f64() / poses.len() as f64;
    let mut rest = Rest::default();
    poses.iter().for_each(|pose| rest.add(&pose.weights));
    let residual = poses.iter().map(|p| p.residual).sum::<f32>() / poses.len() as f32;
    let mut own = Scores::default();
    if let Some(truth) = &seen.truth {
        for ((n, _, _), pose) in seen.frames.iter().zip(&poses) {
            let found = arkit(&rest.relative(&pose.weights));
            own.add(&found, &known_weights(truth, *n), pose, truth.gaze[*n]);
        }
    }
    println!(
        "{:20} {:4} frames  {millis:.2} ms  off {:.2} %  {}",
        seen.name,
        poses.len(),
        100.0 * residual,
        own.in_short()
    );
    scores.join(own);
    match &args.draw {
        Some(folder) => draw::frames(folder, rig, &person, seen, &poses),
        None => Ok(()),
    }
}

/// The true weights of a frame, as ARKit has them.
fn known_weights(truth: &Played, n: usize) -> [f32; 52] {
    let mut weights = [0.0; N_EXPRESSIONS];
    for (name, percent) in &truth.expression {
        weights[expression(name)] = percent[n] as f32 / 100.0;
    }
    // The lids follow the eyes; they have turned all the way at 0.52 and 0.42 radians.
    let [right, up] = truth.gaze[n].map(|tenths| (tenths as f32 / 10.0).to_radians());
    let share = |angle: f32, full: f32| (angle / full).clamp(0.0, 1.0);
    for (name, value) in [
        ("eyeLookOut_R", share(-right, 0.52)),
        ("eyeLookIn_R", share(right, 0.52)),
        ("eyeLookOut_L", share(right, 0.52)),
        ("eyeLookIn_L", share(-right, 0.52)),
        ("eyeLookUp_R", share(up, 0.42)),
        ("eyeLookUp_L", share(up, 0.42)),
        ("eyeLookDown_R", share(-up, 0.42)),
        ("eyeLookDown_L", share(-up, 0.42)),
    ] {
        weights[expression(name)] = value;
    }
    arkit(&weights)
}

/// Found and true values of each coefficient.
type Pair = ([f32; 52], [f32; 52]);

/// What was found over many frames beside what is true, and how far gaze is off.
#[derive(Default)]
struct Scores {
    pairs: Vec<Pair>,
    gaze_degrees: Vec<f32>,
}

impl Scores {
    fn add(&mut self, found: &[f32; 52], truth: &[f32; 52], pose: &Pose, gaze: [i32; 2]) {
        self.pairs.push((*found, *truth));
        let [yaw, pitch] = gaze.map(|tenths| tenths as f32 / 10.0);
        for eye in pose.gaze {
            self.gaze_degrees
                .push((eye.yaw - yaw).hypot(eye.pitch - pitch));
        }
    }

    fn join(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
        self.gaze_degrees.extend(other.gaze_degrees);
    }

    fn error(&self, k: usize) -> f32 {
        let sum: f32 = self.pairs.iter().map(|(f, t)| (f[k] - t[k]).abs()).sum();
        sum / self.pairs.len().max(1) as f32
    }

    fn correlation(&self, k: usize) -> Option<f32> {
        let n = self.pairs.len() as f64;
        let mean = |pick: fn(&Pair) -> &[f32; 52]| {
            self.pairs
                .iter()
                .map(|p| f64::from(pick(p)[k]))
                .sum::<f64>()
                / n
        };
        let (found, truth) = (mean(|p| &p.0), mean(|p| &p.1));
        let (mut both, mut a, mut b) = (0.0, 0.0, 0.0);
        for (f, t) in &self.pairs {
            let (f, t) = (f64::from(f[k]) - found, f64::from(t[k]) - truth);
            both += f * t;
            a += f * f;
            b += t * t;
        }
        // What hardly varies in truth cannot be correlated with.
        (b / n > 1e-4).then(|| (both / (a * b).sqrt().max(1e-12)) as f32)
    }

    fn mean_error(&self) -> f32 {
        (0..52).map(|k| self.error(k)).sum::<f32>() / 52.0
    }

    fn gaze(&self) -> f32 {
        self.gaze_degrees.iter().sum::<f32>() / self.gaze_degrees.len().max(1) as f32
    }

    fn in_short(&self) -> String {
        if self.pairs.is_empty() {
            return String::new();
        }
        format!("weights {:.3}  gaze {:.1}°", self.mean_error(), self.gaze())
    }

    fn print(&self) {
        if self.pairs.is_empty() {
            return;
        }
        println!("{:20} error  correlation", "");
        for (k, name) in ARKIT.iter().enumerate() {
            let correlation = self.correlation(k);
            let correlation = correlation.map_or("   –".to_owned(), |c| format!("{c:5.2}"));
            println!("{name:20} {:.3}  {correlation}", self.error(k));
        }
        println!("all: {}", self.in_short());
        println!(
            "{{\"weights_error\":{:.4},\"gaze_degrees\":{:.2}}}",
            self.mean_error(),
            self.gaze()
        );
    }
}
