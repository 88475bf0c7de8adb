//! The picture that is moved: the person in it, the size it is drawn in, and what about it will show.

use std::path::Path;

use effigy_face::Observation;
use effigy_face::landmarks::{eye_distance, eye_openness};
use effigy_face::pose::pose;
use effigy_face::recognise::covered_eyes_share;
use effigy_frame::{Frame, Picture, Point3, resample};

use crate::error::{Error, Result};
use crate::steps::footage::Clips;
use crate::steps::networks::Networks;
use crate::steps::people::Chosen;
use crate::steps::performance::theirs;
use crate::steps::progress::Progress;

/// The longer side of what is drawn lies between these, in pixels.
const SIDES_PX: [u32; 2] = [512, 1280];
/// A face that is turned further shows too little of its other side, in degrees.
const FURTHEST_YAW_DEGREES: f32 = 40.0;
/// Lids that are nearer are shut, in shares of the distance between the eyes' outer corners.
const SHUT: f32 = 0.05;
/// Eyes of which more is covered are behind glasses or a hand.
const MOST_COVERED: f32 = 0.5;
/// A face that is smaller is drawn enlarged, in pixels between the eyes' outer corners.
const SMALL_PX: f32 = 60.0;

/// Finds the portrait of the person `chosen`, at the size it is drawn in, and the mesh of their face. Passes on
/// what the result will not show well.
///
/// # Errors
/// When the portrait cannot be read, or the face is turned too far.
pub(crate) fn find(
    path: &Path,
    chosen: &Chosen,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<(Picture, Vec<Point3>)> {
    let clips = Clips::whole(vec![path.to_owned()]);
    let mut seen = None;
    chosen.again(&clips, networks, progress, &mut |_, frame, faces| {
        if let (None, Some(points)) = (&seen, theirs(&faces, chosen)) {
            seen = Some((frame, points.to_vec(), faces.len() - 1));
        }
        Ok(())
    })?;
    let no_face = || Error::NoFace {
        path: path.to_owned(),
    };
    let (frame, points, n_others) = seen.ok_or_else(no_face)?;
    let yaw = pose(&points).yaw;
    if FURTHEST_YAW_DEGREES < yaw.abs() {
        return Err(Error::TurnedAway {
            yaw_degrees: yaw.abs(),
            most_degrees: FURTHEST_YAW_DEGREES,
            path: path.to_owned(),
        });
    }
    for what in shortcomings(&frame, &points, n_others, networks)? {
        progress.note(&format!("{what}: {path:?}"));
    }
    Ok(sized(&frame.picture, &points))
}

/// What the result will not show well, and what to do.
fn shortcomings(
    frame: &Frame,
    points: &[Point3],
    n_others: usize,
    networks: &Networks,
) -> Result<Vec<&'static str>> {
    let face = Observation::of_points(frame, 0, points);
    let covered = covered_eyes_share(&face, &networks.segmenter()?);
    let are_covered = covered.is_some_and(|share| MOST_COVERED < share);
    let mut all = Vec::new();
    if are_covered {
        all.push(
            "something is before the eyes in this portrait, and moves as if it were painted on the face; choose \
             one that shows the eyes",
        );
    } else if eye_openness(points) < SHUT {
        all.push(
            "the eyes are shut in this portrait, and what is behind the lids is not in it: they stay almost \
             shut; choose one with open eyes",
        );
    }
    if eye_distance(points) < SMALL_PX {
        all.push("the face in this portrait is small, so that the result is blurred; choose a larger one");
    }
    if 0 < n_others {
        all.push(
            "there are other people in this portrait, who are bent along with what is around the face; cut \
             them off",
        );
    }
    Ok(all)
}

/// The picture in the size it is drawn in, and the points in it.
fn sized(picture: &Picture, points: &[Point3]) -> (Picture, Vec<Point3>) {
    let longer = picture.width().max(picture.height());
    let scale = longer.clamp(SIDES_PX[0], SIDES_PX[1]) as f32 / longer as f32;
    // Video has an even number of columns and rows.
    let even = |side: u32| ((side as f32 * scale * 0.5).round() as u32).max(1) * 2;
    let (width, height) = (even(picture.width()), even(picture.height()));
    let across = width as f32 / picture.width() as f32;
    let down = height as f32 / picture.height() as f32;
    let points = points.iter().map(|p| Point3 {
        x: p.x * across,
        y: p.y * down,
        z: p.z * across,
    });
    (resample::resize(picture, width, height), points.collect())
}
