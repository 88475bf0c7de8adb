//! How many faces the finder finds, and how many it makes up.
//!
//! Faces are found in two ways: by the finder alone, and as `effigy faces` begins a track: in
//! turned copies too, with the detector and a closer look, and the mesh network's word on whether there
//! is a face. The people are parted once more, by a hash of the name: on one half the least score is
//! chosen, on the other, and on the pictures without a face, everything is reported.

mod turns;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use effigy_face::align::{mesh_view, mesh_view_from_found};
use effigy_face::track::{SearchNetworks, TrackSettings, credibility, find_closely};
use effigy_frame::resample::crop;
use effigy_frame::{Picture, Point3, Rect, Similarity};
use effigy_model::FaceMesh;

use super::Weights;
use super::identity::is_tuning;
use crate::data::people::{self, Sample, Split};
use crate::device::DeviceArgs;

/// Which weights, and what to write.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    weights: Weights,
    /// Measure how many faces are found at every turn in the picture's plane, and all `interfaces`
    #[arg(long)]
    turns: bool,
    /// Write the false faces, surest first, as one picture
    #[arg(long, value_name = "PNG")]
    sheet: Option<PathBuf>,
}

/// Recall on the tuning half that the least score must leave.
const LEAST_RECALL: f64 = 0.995;

/// A face reported in some picture.
struct Report {
    /// Of the finder, or how credible it is, `0..=1`.
    score: f32,
    is_true: bool,
    /// A small picture of it.
    shown: Picture,
}

/// What is reported in one picture.
struct Looked {
    n_faces: usize,
    /// By the finder alone.
    at_first: Vec<Report>,
    /// With a closer look, where the mesh network sees a face too.
    closely: Vec<Report>,
}

/// Which of the reports to count.
type Detections = fn(&Looked) -> &[Report];

/// Pictures of `no-face` that plainly show people, found by looking at everything that was reported in
/// them: faces there are no mistakes.
const SHOWING_PEOPLE: [&str; 6] = [
    "0000.jpg", "0016.jpg", "0028.jpg", "0050.jpg", "0113.jpg", "0148.jpg",
];

/// Two boxes that share more than this show one face.
const SAME_FACE_IOU: f32 = 0.4;

/// Prints recall and precision at IoU 0.5 on validation pictures, and false faces in pictures
/// without one.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let device = args.device.open()?;
    let weights = &args.weights;
    let (networks, face_mesh) = (weights.search(&device)?, weights.face_mesh(&device)?);
    if args.turns {
        return turns::measure(data, &networks, &face_mesh);
    }
    let look = |picture: &Picture, truth: Option<Rect>| look(&networks, &face_mesh, picture, truth);
    let samples = people::read(data, Split::Validation, |_| true)?;
    let looked: Vec<Looked> = samples
        .iter()
        .map(|s| look(&s.picture, Some(truth(s))))
        .collect();
    let mut others = Vec::new();
    for entry in fs::read_dir(data.join("no-face"))? {
        let entry = entry?;
        let looked = look(&people::read_picture(&entry.path())?, None);
        others.push((entry.file_name(), looked));
    }
    let half = |tuning: bool| {
        let theirs = samples.iter().zip(&looked);
        let theirs = theirs.filter(move |(s, _)| is_tuning(&s.person) == tuning);
        theirs.map(|(_, l)| l).collect::<Vec<_>>()
    };
    let halves = [half(true), half(false)];
    let shows_people = |name: &OsString| SHOWING_PEOPLE.iter().any(|&shown| *name == *shown);
    let empty = others.iter().filter(|(name, _)| !shows_people(name));
    let empty: Vec<&Looked> = empty.map(|(_, looked)| looked).collect();
    print_rates("finder alone", |l| &l.at_first, &halves, &empty);
    let detections: Detections = |l| &l.closely;
    let chosen = print_rates("as tracks begin", detections, &halves, &empty);
    for (name, looked) in &others {
        for report in detections(looked).iter().filter(|r| chosen <= r.score) {
            let shows_people = if shows_people(name) {
                ", which shows people"
            } else {
                ""
            };
            println!(
                "  face of score {:.3} in {name:?}{shows_people}",
                report.score
            );
        }
    }
    for source in sources(&samples) {
        let these = samples.iter().zip(&looked);
        let these = these.filter(|(s, _)| !is_tuning(&s.person));
        let these = these.filter(|(s, _)| source == "all" || s.source == source);
        let these: Vec<&Looked> = these.map(|(_, l)| l).collect();
        let (recall, precision, _) = rates(&these, detections, chosen);
        println!(
            "{source:20} {:5} pictures  recall {recall:.4}  precision {precision:.4}",
            these.len()
        );
    }
    if let Some(path) = &args.sheet {
        sheet(looked.iter().chain(others.iter().map(|(_, l)| l))).save(path)?;
    }
    Ok(())
}

/// Prints how well one way finds faces; gives the score from which its reports are best believed.
fn print_rates(
    name: &str,
    detections: Detections,
    [tune, test]: &[Vec<&Looked>; 2],
    empty: &[&Looked],
) -> f32 {
    let chosen = choose(tune, detections);
    println!("{name}: chosen score {chosen:.3}");
    for least in [0.3, 0.5, 0.7, 0.75, 0.8, 0.85, 0.9, chosen] {
        let (recall, precision, _) = rates(test, detections, least);
        let (_, _, n_false) = rates(empty, detections, least);
        println!(
            "  score {least:.3}: recall {recall:.4} precision {precision:.4}, {n_false} false faces in \
             {} pictures without one",
            empty.len()
        );
    }
    chosen
}

fn look(
    networks: &SearchNetworks,
    face_mesh: &FaceMesh,
    picture: &Picture,
    truth: Option<Rect>,
) -> Looked {
    let tracking = TrackSettings::default();
    let settings = tracking.find;
    let is_face = |rect: Rect| truth.is_some_and(|t| rect.iou(t) >= 0.5);
    let at_first = networks
        .finder
        .find(picture, &settings)
        .into_iter()
        .map(|found| {
            let report = Report {
                score: found.score,
                is_true: is_face(found.rect),
                shown: Picture::filled(1, 1, [0; 3]),
            };
            (found.rect, report)
        });
    let closer = find_closely(networks, picture, &settings);
    let closer = closer.iter().filter_map(|found| {
        let view = mesh_view_from_found(found, FaceMesh::SIDE_PX)?;
        let (rough, _) = fit(face_mesh, picture, view);
        let view = mesh_view(&rough, FaceMesh::SIDE_PX)?;
        let (points, presence) = fit(face_mesh, picture, view);
        let rect = Rect::around(points.iter().map(|p| p.xy()))?;
        let report = Report {
            score: credibility(found.score, presence),
            is_true: is_face(rect),
            shown: crop(picture, view, FaceMesh::SIDE_PX),
        };
        Some((rect, report))
    });
    Looked {
        n_faces: usize::from(truth.is_some()),
        at_first: without_repeats(at_first.collect()),
        closely: without_repeats(closer.collect()),
    }
}

fn fit(face_mesh: &FaceMesh, picture: &Picture, view: Similarity) -> (Vec<Point3>, f32) {
    let mesh = face_mesh.fit(&crop(picture, view, FaceMesh::SIDE_PX));
    let points = mesh.points.iter().map(|&p| view.apply3(p));
    (points.collect(), mesh.presence)
}

/// Keeps the surest of those in one place; only one of them can be the face that was meant.
fn without_repeats(mut reports: Vec<(Rect, Report)>) -> Vec<Report> {
    reports.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
    let mut kept: Vec<(Rect, Report)> = Vec::new();
    for (rect, mut report) in reports {
        if kept
            .iter()
            .all(|(other, _)| other.iou(rect) < SAME_FACE_IOU)
        {
            report.is_true &= !kept.iter().any(|(_, other)| other.is_true);
            kept.push((rect, report));
        }
    }
    kept.into_iter().map(|(_, report)| report).collect()
}

/// Recall, precision, and how many reports are false.
fn rates(looked: &[&Looked], detections: Detections, least: f32) -> (f64, f64, usize) {
    let all = looked.iter().flat_map(|l| detections(l));
    let counted: Vec<&Report> = all.filter(|r| least <= r.score).collect();
    let n_true = counted.iter().filter(|r| r.is_true).count();
    let n_faces: usize = looked.iter().map(|l| l.n_faces).sum();
    (
        n_true as f64 / n_faces.max(1) as f64,
        n_true as f64 / counted.len().max(1) as f64,
        counted.len() - n_true,
    )
}

/// The highest least score that leaves enough recall.
fn choose(tune: &[&Looked], detections: Detections) -> f32 {
    let mut scores = (0..200).rev().map(|i| i as f32 / 200.0);
    let enough = |&least: &f32| rates(tune, detections, least).0 >= LEAST_RECALL;
    scores.find(enough).unwrap_or(0.0)
}

fn truth(sample: &Sample) -> Rect {
    Rect::around(sample.points.iter().map(|p| p.xy())).unwrap_or_default()
}

/// The surest false faces, side by side.
fn sheet<'a>(looked: impl Iterator<Item = &'a Looked>) -> image::RgbImage {
    const COLUMNS: u32 = 12;
    const ROWS: u32 = 10;
    let mut wrong: Vec<&Report> = looked
        .flat_map(|l| &l.closely)
        .filter(|r| !r.is_true)
        .collect();
    wrong.sort_by(|a, b| b.score.total_cmp(&a.score));
    let wrong: Vec<&Picture> = wrong.iter().map(|r| &r.shown).collect();
    super::sheet(&wrong, COLUMNS, ROWS)
}

/// The sources in the order they appear, and `all`.
pub(crate) fn sources(samples: &[Sample]) -> Vec<String> {
    let mut names: Vec<String> = vec!["all".to_owned()];
    for sample in samples {
        if !names.contains(&sample.source) {
            names.push(sample.source.clone());
        }
    }
    names
}
