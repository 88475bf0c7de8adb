//! What the rig makes of faces: weights, gaze and fit, on people whose every weight is known.

mod draw;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use effigy_actors::truth::{Played, Points, Record};
use effigy_face::rig::{
    ARKIT, Acquaintance, N_EXPRESSIONS, Pose, Rest, Rig, Solver, SolverSettings, arkit, expression,
    relative,
};
use effigy_face::{SearchNetworks, TrackSettings, Tracker};
use effigy_frame::{Frame, Point3, Rect};
use effigy_media::{Limits, VideoReader};
use effigy_model::Weights;

use crate::device::DeviceArgs;
use crate::train::acts;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    /// Clips to look at; those of the actors are compared with what is known [default: all actors]
    clips: Vec<PathBuf>,
    /// Look at this many strangers whom the rig was not fitted on, in 16 acts each
    #[arg(long, value_name = "N")]
    strangers: Option<u32>,
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
    /// What is known of each of them.
    truth: Option<Vec<Known>>,
}

/// What is known of a frame.
struct Known {
    weights: [f32; 52],
    /// To the picture's right and up, in degrees.
    gaze: [f32; 2],
    /// Yaw and pitch.
    pose: [f32; 2],
}

/// Prints how well weights and gaze are found.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let weights = Weights::from_source_tree()?;
    let mut rig = Rig::load(&weights)?;
    if args.true_points {
        rig = rig.for_true_points();
    }
    let clips = match args.clips.is_empty() {
        true => actors()?,
        false => args.clips.clone(),
    };
    let mut scores = Scores::default();
    if let Some(n) = args.strangers {
        for seen in strangers(data, n, args, &weights)? {
            judge(&rig, &seen, args, &mut scores)?;
        }
        scores.print();
        return Ok(());
    }
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
    let true_points = |n: usize| {
        truth
            .as_ref()
            .and_then(|t| Some(t.points.get(n)?[k].clone()))
    };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut seen = Seen {
        name: format!("{stem} {k}"),
        path: path.to_owned(),
        frames: Vec::new(),
        truth: None,
    };
    let played = record.map(|r| &r.people[k]);
    if args.true_points {
        let n_frames = record.map_or(0, |r| r.frames);
        seen.frames = (0..n_frames)
            .filter_map(|n| Some((n, n as f64 / 25.0, true_points(n)?)))
            .collect();
        seen.truth = played.map(|played| known(played, &seen.frames));
        return Ok(seen);
    }
    let mut tracker = tracker(weights, &args.device)?;
    for (n, frame) in VideoReader::open(path, &Limits::default())?.enumerate() {
        let frame: Frame = frame?;
        let faces = tracker.follow(&frame.picture, frame.time.secs());
        let wanted = true_points(n).and_then(|points| Rect::around(points.iter().map(|p| p.xy())));
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
    seen.truth = played.map(|played| known(played, &seen.frames));
    Ok(seen)
}

/// A tracker with the usual settings.
pub(super) fn tracker(weights: &Weights, device: &DeviceArgs) -> Result<Tracker> {
    let device = device.open()?;
    let search = SearchNetworks {
        finder: effigy_model::Finder::load(weights, &device)?,
        detector: effigy_model::FaceDetector::load(weights, &device)?,
    };
    let face_mesh = effigy_model::FaceMesh::load(weights, &device)?;
    Ok(Tracker::new(search, face_mesh, TrackSettings::default())?)
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
        let at_rest = rest.weights();
        for (known, pose) in truth.iter().zip(&poses) {
            own.add(arkit(&relative(&pose.weights, &at_rest)), known, pose);
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
        Some(_) if args.strangers.is_some() => Ok(()),
        Some(folder) => draw::frames(folder, rig, &person, seen, &poses),
        None => Ok(()),
    }
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

fn mean_size(values: &[f32]) -> f32 {
    values.iter().map(|v| v.abs()).sum::<f32>() / values.len().max(1) as f32
}

/// The first number of strangers that nothing is fitted on.
const UNSEEN: u32 = 1_000_000;

fn strangers(data: &Path, n: u32, args: &Args, weights: &Weights) -> Result<Vec<Seen>> {
    let face_mesh = effigy_model::FaceMesh::load(weights, &args.device.open()?)?;
    let all = acts::film(data, UNSEEN, n, &face_mesh)?;
    let seen = all.into_iter().enumerate().map(|(k, acts)| {
        let truth = acts.iter().map(|act| Known {
            weights: arkit(&act.weights()),
            gaze: act.done.gaze,
            pose: [act.done.pose[0], act.done.pose[1]],
        });
        Seen {
            name: format!("stranger {k}"),
            path: PathBuf::new(),
            truth: Some(truth.collect()),
            // Each act by itself: what lies a second apart is solved afresh.
            frames: acts
                .into_iter()
                .enumerate()
                .map(|(n, act)| {
                    let points = if args.true_points {
                        act.truth
                    } else {
                        act.found
                    };
                    (n, n as f64, points)
                })
                .collect(),
        }
    });
    Ok(seen.collect())
}

/// What is known of the frames of an actor's clip.
fn known(played: &Played, frames: &[(usize, f64, Vec<Point3>)]) -> Vec<Known> {
    let tenth = |tenths: i32| tenths as f32 / 10.0;
    let known = frames.iter().map(|&(n, _, _)| Known {
        weights: known_weights(played, n),
        gaze: played.gaze[n].map(tenth),
        pose: [tenth(played.pose[n][0]), tenth(played.pose[n][1])],
    });
    known.collect()
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
    yaw_degrees: Vec<f32>,
    pitch_degrees: Vec<f32>,
}

impl Scores {
    fn add(&mut self, found: [f32; 52], known: &Known, pose: &Pose) {
        self.pairs.push((found, known.weights));
        let angles = pose.head.angles();
        let [yaw, pitch] = known.pose;
        self.yaw_degrees.push(angles.yaw - yaw);
        self.pitch_degrees.push(angles.pitch - pitch);
        let is_lid = |k: &usize| ARKIT[*k].starts_with("eyeBlink");
        // Nobody sees where shut eyes look.
        if (0..52).filter(is_lid).any(|k| known.weights[k] > 0.5) {
            return;
        }
        let [yaw, pitch] = known.gaze;
        for eye in pose.gaze {
            self.gaze_degrees
                .push((eye.yaw - yaw).hypot(eye.pitch - pitch));
        }
    }

    fn join(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
        self.gaze_degrees.extend(other.gaze_degrees);
        self.yaw_degrees.extend(other.yaw_degrees);
        self.pitch_degrees.extend(other.pitch_degrees);
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
        mean(&self.gaze_degrees)
    }

    fn in_short(&self) -> String {
        if self.pairs.is_empty() {
            return String::new();
        }
        format!(
            "weights {:.3}  gaze {:.1}°  yaw {:+.1}° ({:.1}°)  pitch {:+.1}° ({:.1}°)",
            self.mean_error(),
            self.gaze(),
            mean(&self.yaw_degrees),
            mean_size(&self.yaw_degrees),
            mean(&self.pitch_degrees),
            mean_size(&self.pitch_degrees)
        )
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
