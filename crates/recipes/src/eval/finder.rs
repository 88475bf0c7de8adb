//! How many faces the finder finds, and how many it makes up.
//!
//! Two readings: the finder alone at a least score, and the finder with the mesh network's word
//! on whether there is a face, which is how `effigy faces` starts a track. The people are parted
//! once more, by a hash of the name: on one half the least score is chosen, on the other, and on
//! the pictures without a face, everything is reported.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use effigy_face::align::{mesh_view, mesh_view_from_found};
use effigy_frame::resample::crop;
use effigy_frame::{Picture, Point3, Rect};
use effigy_model::finder::FindSettings;
use effigy_model::weights::{FINDER, MESHER};
use effigy_model::{Finder, Mesher, device};

use super::Weights;
use super::identity::is_tuning;
use crate::data::{self, Sample, Split};

/// Which weights, and what to write.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    weights: Weights,
    /// Write the false faces, surest first, as one picture
    #[arg(long, value_name = "PNG")]
    sheet: Option<PathBuf>,
}

/// Faces with a lower score are not looked at.
const LOWEST_SCORE: f32 = 0.2;
/// Recall on the tuning half that the least score must leave.
const LEAST_RECALL: f64 = 0.985;

/// A face the networks report in some picture.
struct Report {
    score: f32,
    presence: f32,
    is_true: bool,
    /// A small picture of it.
    shown: Picture,
}

/// What the networks report in one picture.
struct Looked {
    n_faces: usize,
    reports: Vec<Report>,
}

/// Which reports count.
#[derive(Clone, Copy)]
struct Least {
    score: f32,
    presence: f32,
}

/// Prints recall and precision at IoU 0.5 on validation pictures, and false faces in pictures
/// without one.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let device = device::open(device::Choice::Cpu)?;
    let weights = &args.weights;
    let finder = weights.fill("finder", FINDER, Finder::new(&device))?;
    let mesher = weights.fill("mesher", MESHER, Mesher::new(&device))?;
    let look = |picture: &Picture, truth: Option<Rect>| look(&finder, &mesher, picture, truth);
    let samples = data::read(data, Split::Validation, |_| true)?;
    let looked: Vec<Looked> = samples
        .iter()
        .map(|s| look(&s.picture, Some(truth(s))))
        .collect();
    let mut empty = Vec::new();
    for entry in fs::read_dir(data.join("no-face"))? {
        empty.push(look(&data::read_picture(&entry?.path())?, None));
    }
    let half = |tuning: bool| {
        let theirs = samples.iter().zip(&looked);
        let theirs = theirs.filter(move |(s, _)| is_tuning(&s.person) == tuning);
        theirs.map(|(_, l)| l).collect::<Vec<_>>()
    };
    let (tune, test) = (half(true), half(false));
    for (name, presence) in [("finder alone", 0.0), ("finder and mesh", 0.6)] {
        let chosen = choose(&tune, presence);
        println!("{name}: least score {:.3}", chosen.score);
        for score in [0.5, 0.7, chosen.score, 0.9] {
            let least = Least { score, presence };
            let (recall, precision, _) = rates(&test, least);
            let (_, _, n_false) = rates(&empty.iter().collect::<Vec<_>>(), least);
            println!(
                "  score {score:.3}: recall {recall:.4} precision {precision:.4}, {n_false} false faces in {} pictures without one",
                empty.len()
            );
        }
    }
    let least = choose(&tune, 0.6);
    for source in sources(&samples) {
        let these = samples.iter().zip(&looked);
        let these = these.filter(|(s, _)| !is_tuning(&s.person));
        let these = these.filter(|(s, _)| source == "all" || s.source == source);
        let these: Vec<&Looked> = these.map(|(_, l)| l).collect();
        let (recall, precision, _) = rates(&these, least);
        println!(
            "{source:20} {:5} pictures  recall {recall:.4}  precision {precision:.4}",
            these.len()
        );
    }
    if let Some(path) = &args.sheet {
        sheet(looked.iter().chain(&empty)).save(path)?;
    }
    Ok(())
}

fn look(finder: &Finder, mesher: &Mesher, picture: &Picture, truth: Option<Rect>) -> Looked {
    let settings = FindSettings {
        least_score: LOWEST_SCORE,
        ..FindSettings::default()
    };
    let mut seen = false;
    let mut reports = Vec::new();
    for found in finder.find(picture, &settings) {
        let is_true = !seen && truth.is_some_and(|t| found.rect.iou(t) >= 0.5);
        seen |= is_true;
        let Some(view) = mesh_view_from_found(&found, Mesher::SIDE_PX) else {
            continue;
        };
        let shown = crop(picture, view, Mesher::SIDE_PX);
        let rough = mesher.fit(&shown);
        let points: Vec<Point3> = rough.points.iter().map(|&p| view.apply3(p)).collect();
        let closer = mesh_view(&points, Mesher::SIDE_PX).unwrap_or(view);
        let presence = mesher.fit(&crop(picture, closer, Mesher::SIDE_PX)).presence;
        reports.push(Report {
            score: found.score,
            presence,
            is_true,
            shown,
        });
    }
    Looked {
        n_faces: usize::from(truth.is_some()),
        reports,
    }
}

/// Recall, precision, and how many reports are false.
fn rates(looked: &[&Looked], least: Least) -> (f64, f64, usize) {
    let counts = |r: &&Report| r.score >= least.score && r.presence >= least.presence;
    let reports = || looked.iter().flat_map(|l| &l.reports).filter(counts);
    let n_true = reports().filter(|r| r.is_true).count();
    let n_all = reports().count();
    let n_faces: usize = looked.iter().map(|l| l.n_faces).sum();
    (
        n_true as f64 / n_faces.max(1) as f64,
        n_true as f64 / n_all.max(1) as f64,
        n_all - n_true,
    )
}

/// The highest least score that leaves enough recall.
fn choose(tune: &[&Looked], presence: f32) -> Least {
    let candidates = (0..200).rev().map(|i| Least {
        score: i as f32 / 200.0,
        presence,
    });
    let enough = |least: &Least| rates(tune, *least).0 >= LEAST_RECALL;
    candidates.clone().find(enough).unwrap_or(Least {
        score: LOWEST_SCORE,
        presence,
    })
}

fn truth(sample: &Sample) -> Rect {
    Rect::around(sample.points.iter().map(|p| p.xy())).unwrap_or_default()
}

/// The surest false faces, side by side.
fn sheet<'a>(looked: impl Iterator<Item = &'a Looked>) -> image::RgbImage {
    const COLUMNS: u32 = 12;
    const ROWS: u32 = 10;
    let mut wrong: Vec<&Report> = looked
        .flat_map(|l| &l.reports)
        .filter(|r| !r.is_true && r.presence >= 0.6)
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
