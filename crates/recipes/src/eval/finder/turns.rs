//! Faces turned in the picture's plane, as tracks begin; and all portraits of `interfaces`.

use std::fs;
use std::path::Path;

use anyhow::Result;
use effigy_face::track::SearchNetworks;
use effigy_frame::resample::warp;
use effigy_frame::{Picture, Point2, Rect, Similarity};
use effigy_model::FaceMesh;

use super::look;
use crate::data::people::{self, Sample, Split};
use crate::eval::identity::is_tuning;

/// Degrees from one turn to the next.
const STEP: usize = 30;
/// Of the people not used for choosing, every eighth picture is looked at.
const EVERY: usize = 8;
/// A picture is cut down to this many sizes of the face, so that turning it keeps the face inside.
const SURROUNDINGS: f32 = 3.0;

/// Prints recall by turn, and which of the portraits are missed.
pub(super) fn measure(data: &Path, networks: &SearchNetworks, face_mesh: &FaceMesh) -> Result<()> {
    let least = networks.detector.least_score();
    let samples = people::read(data, Split::Validation, |_| true)?;
    let samples = samples.iter().filter(|s| !is_tuning(&s.person));
    let samples: Vec<&Sample> = samples.step_by(EVERY).collect();
    for degrees in (0..360).step_by(STEP) {
        let found = samples.iter().filter(|sample| {
            let (picture, truth) = turned(sample, (degrees as f32).to_radians());
            let looked = look(networks, face_mesh, &picture, Some(truth));
            let mut sure = looked.closely.iter().filter(|r| least <= r.score);
            sure.any(|r| r.is_true)
        });
        let recall = found.count() as f64 / samples.len() as f64;
        println!(
            "turned {degrees:3}°: recall {recall:.3} of {}",
            samples.len()
        );
    }
    let mut missed = Vec::new();
    let mut n = 0;
    let mut names: Vec<_> =
        fs::read_dir(data.join("people/interfaces"))?.collect::<Result<_, _>>()?;
    names.sort_by_key(fs::DirEntry::file_name);
    for entry in names {
        n += 1;
        let looked = look(
            networks,
            face_mesh,
            &people::read_picture(&entry.path())?,
            None,
        );
        if !looked.closely.iter().any(|r| least <= r.score) {
            missed.push(entry.file_name());
        }
    }
    println!(
        "interfaces: {} of {n} found; not {missed:?}",
        n - missed.len()
    );
    Ok(())
}

/// The face with its surroundings, turned, and the box around it then.
fn turned(sample: &Sample, radians: f32) -> (Picture, Rect) {
    let points = || sample.points.iter().map(|p| p.xy());
    let face = Rect::around(points()).unwrap_or_default();
    let side = (SURROUNDINGS * face.width.max(face.height))
        .round()
        .max(64.0);
    let middle = Point2::new(0.5 * side, 0.5 * side);
    let frame_from_view = Similarity::about(middle, face.centre(), 1.0, radians);
    let picture = warp(&sample.picture, frame_from_view, side as u32, side as u32);
    let view_from_frame = frame_from_view.inverse().unwrap_or(Similarity::IDENTITY);
    let truth = Rect::around(points().map(|p| view_from_frame.apply(p)));
    (picture, truth.unwrap_or_default())
}
