//! How many faces the finder finds, and how many it makes up.
//!
//! Two readings: the finder alone, and as `effigy faces` begins a track: with a closer look, and
//! the mesh network's word on whether there is a face. The people are parted once more, by a hash
//! of the name: on one half the least score is chosen, on the other, and on the pictures without
//! a face, everything is reported.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use effigy_face::align::{mesh_view, mesh_view_from_found};
use effigy_face::track::find_closely;
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
    /// The finder's score at first sight.
    score: f32,
    /// Its score in the closer look.
    close_score: f32,
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
enum Least {
    /// Those with this score at first sight.
    AtFirst(f32),
    /// Those with this score in the closer look, in which the mesh network sees a face too.
    Closely(f32),
}

impl Least {
    fn counts(self, report: &Report) -> bool {
        match self {
            Self::AtFirst(least) => report.score >= least,
            Self::Closely(least) => {
                report.close_score >= least && report.presence >= LEAST_PRESENCE
            }
        }
    }
}

/// What the mesh network must say of a new face.
const LEAST_PRESENCE: f32 = 0.6;

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
    let readings: [(&str, fn(f32) -> Least); 2] = [
        ("finder alone", Least::AtFirst),
        ("with a closer look and the mesh network", Least::Closely),
    ];
    for (name, least) in readings {
        let chosen = choose(&tune, least);
        println!("{name}: least score {chosen:.3}");
        for score in [0.5, 0.7, 0.8, 0.9, chosen] {
            let (recall, precision, _) = rates(&test, least(score));
            let (_, _, n_false) = rates(&empty.iter().collect::<Vec<_>>(), least(score));
            println!(
                "  score {score:.3}: recall {recall:.4} precision {precision:.4}, {n_false} false faces in {} pictures without one",
                empty.len()
            );
        }
    }
    let least = Least::Closely(choose(&tune, Least::Closely));
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
    let first = finder.find(picture, &settings);
    let closer = find_closely(finder, picture, &settings, &[]);
    for (at_first, found) in first.iter().zip(closer) {
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
            score: at_first.score,
            close_score: found.score,
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
    let counts = |r: &&Report| least.counts(r);
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
fn choose(tune: &[&Looked], least: fn(f32) -> Least) -> f32 {
    let mut candidates = (0..200).rev().map(|i| i as f32 / 200.0);
    candidates
        .find(|&score| rates(tune, least(score)).0 >= LEAST_RECALL)
        .unwrap_or(LOWEST_SCORE)
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
        .filter(|r| !r.is_true && r.presence >= LEAST_PRESENCE)
        .collect();
    wrong.sort_by(|a, b| b.close_score.total_cmp(&a.close_score));
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
