//! How many faces the finder finds, and how many it makes up.
//!
//! Faces are found in two ways: by the finder alone, and as `effigy faces` begins a track: with a
//! closer look, and the mesh network's word on whether there is a face. The people are parted once
//! more, by a hash of the name: on one half the least score is chosen, on the other, and on the
//! pictures without a face, everything is reported.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use effigy_face::align::{mesh_view, mesh_view_from_found};
use effigy_face::track::{TrackSettings, find_closely};
use effigy_frame::resample::crop;
use effigy_frame::{Picture, Point3, Rect, Similarity};
use effigy_model::{FaceMesh, Finder};

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
    /// Write the false faces, surest first, as one picture
    #[arg(long, value_name = "PNG")]
    sheet: Option<PathBuf>,
}

/// Recall on the tuning half that the least score must leave.
const LEAST_RECALL: f64 = 0.985;

/// A face reported in some picture.
struct Report {
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

/// Two boxes that share more than this show one face.
const SAME_FACE_IOU: f32 = 0.4;

/// Prints recall and precision at IoU 0.5 on validation pictures, and false faces in pictures
/// without one.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let device = args.device.open()?;
    let weights = &args.weights;
    let finder = weights.fill("finder", Finder::new(&device))?;
    let face_mesh = weights.fill("mesher", FaceMesh::new(&device))?;
    let look = |picture: &Picture, truth: Option<Rect>| look(&finder, &face_mesh, picture, truth);
    let samples = people::read(data, Split::Validation, |_| true)?;
    let looked: Vec<Looked> = samples
        .iter()
        .map(|s| look(&s.picture, Some(truth(s))))
        .collect();
    let mut empty = Vec::new();
    let mut names = Vec::new();
    for entry in fs::read_dir(data.join("no-face"))? {
        let entry = entry?;
        empty.push(look(&people::read_picture(&entry.path())?, None));
        names.push(entry.file_name());
    }
    let half = |tuning: bool| {
        let theirs = samples.iter().zip(&looked);
        let theirs = theirs.filter(move |(s, _)| is_tuning(&s.person) == tuning);
        theirs.map(|(_, l)| l).collect::<Vec<_>>()
    };
    let (tune, test) = (half(true), half(false));
    let ways: [(&str, Detections); 2] = [
        ("finder alone", |l| &l.at_first),
        ("with a closer look and the mesh network", |l| &l.closely),
    ];
    let empty: Vec<&Looked> = empty.iter().collect();
    for (name, detections) in ways {
        let chosen = choose(&tune, detections);
        println!("{name}: least score {chosen:.3}");
        for score in [0.5, 0.7, 0.8, 0.9, chosen] {
            let (recall, precision, _) = rates(&test, detections, score);
            let (_, _, n_false) = rates(&empty, detections, score);
            println!(
                "  score {score:.3}: recall {recall:.4} precision {precision:.4}, {n_false} false faces in {} pictures without one",
                empty.len()
            );
        }
    }
    let (_, detections) = ways[1];
    let chosen = choose(&tune, detections);
    name_false_faces(names.iter().zip(&empty), detections, chosen);
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
        sheet(looked.iter().chain(empty)).save(path)?;
    }
    Ok(())
}

fn name_false_faces<'a>(
    pictures: impl Iterator<Item = (&'a OsString, &'a &'a Looked)>,
    detections: Detections,
    least_score: f32,
) {
    for (name, looked) in pictures {
        for report in detections(looked).iter().filter(|r| r.score >= least_score) {
            println!("  false face of score {:.3} in {name:?}", report.score);
        }
    }
}

fn look(finder: &Finder, face_mesh: &FaceMesh, picture: &Picture, truth: Option<Rect>) -> Looked {
    let tracking = TrackSettings::default();
    let settings = tracking.find;
    let is_face = |rect: Rect| truth.is_some_and(|t| rect.iou(t) >= 0.5);
    let at_first = finder.find(picture, &settings).into_iter().map(|found| {
        let report = Report {
            score: found.score,
            is_true: is_face(found.rect),
            shown: Picture::filled(1, 1, [0; 3]),
        };
        (found.rect, report)
    });
    let closer = find_closely(finder, picture, &settings);
    let closer = closer.iter().filter_map(|found| {
        let view = mesh_view_from_found(found, FaceMesh::SIDE_PX)?;
        let (rough, _) = fit(face_mesh, picture, view);
        let view = mesh_view(&rough, FaceMesh::SIDE_PX)?;
        let (points, presence) = fit(face_mesh, picture, view);
        let rect = Rect::around(points.iter().map(|p| p.xy()))?;
        let report = Report {
            score: found.score,
            is_true: is_face(rect),
            shown: crop(picture, view, FaceMesh::SIDE_PX),
        };
        (presence >= tracking.least_presence_at_first).then_some((rect, report))
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
fn rates(looked: &[&Looked], detections: Detections, least_score: f32) -> (f64, f64, usize) {
    let all = looked.iter().flat_map(|l| detections(l));
    let counted: Vec<&Report> = all.filter(|r| r.score >= least_score).collect();
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
    let mut candidates = (0..200).rev().map(|i| i as f32 / 200.0);
    candidates
        .find(|&score| rates(tune, detections, score).0 >= LEAST_RECALL)
        .unwrap_or(0.0)
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
