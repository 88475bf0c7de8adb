//! How many faces the finder finds, and how many it makes up.

use std::fs;
use std::path::Path;

use anyhow::Result;
use effigy_frame::Rect;
use effigy_model::finder::FindSettings;
use effigy_model::{Finder, Found, device};

use crate::data::{self, Sample, Split};

/// Prints recall and precision at IoU 0.5 on validation pictures, and false faces in pictures
/// without one.
pub(crate) fn measure(data: &Path) -> Result<()> {
    let finder = Finder::load(&device::open(device::Choice::Cpu)?)?;
    let samples = data::read(data, Split::Validation, |_| true)?;
    let settings = FindSettings::default();
    let found: Vec<Vec<Found>> = samples
        .iter()
        .map(|s| finder.find(&s.picture, &settings))
        .collect();
    for source in sources(&samples) {
        let these = samples
            .iter()
            .zip(&found)
            .filter(|(s, _)| source == "all" || s.source == source);
        let (mut hits, mut faces, mut extra) = (0, 0, 0);
        for (sample, found) in these {
            let hit = found.iter().any(|f| f.rect.iou(truth(sample)) >= 0.5);
            faces += 1;
            hits += usize::from(hit);
            extra += found.len() - usize::from(hit);
        }
        let recall = hits as f64 / faces as f64;
        let precision = hits as f64 / (hits + extra).max(1) as f64;
        println!("{source:20} {faces:5} faces  recall {recall:.4}  precision {precision:.4}");
    }
    let (mut pictures, mut false_faces) = (0, 0);
    for entry in fs::read_dir(data.join("no-face"))? {
        let picture = data::read_picture(&entry?.path())?;
        false_faces += finder.find(&picture, &settings).len();
        pictures += 1;
    }
    println!("{pictures} pictures without a face: {false_faces} false faces");
    println!(
        "{}",
        serde_json::json!({"pictures": pictures, "false_faces": false_faces})
    );
    Ok(())
}

fn truth(sample: &Sample) -> Rect {
    Rect::around(sample.points.iter().map(|p| p.xy())).unwrap_or_default()
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
