//! A performance written down as numbers: an animator's curves, or what `track` or Live Link Face wrote.
//!
//! ARKit's 52 coefficients, head and eyes, frame by frame, as CSV in Live Link Face's columns or as the
//! JSON lines of `track`. Several files follow one another.

mod csv_rows;
mod json_lines;

use std::path::{Path, PathBuf};

use effigy_face::pose::{self, facing};
use effigy_face::rig::{Gaze, Placement, Pose, from_arkit};
use effigy_files::read_bounded;
use effigy_frame::{Rational, Timestamp};

use crate::error::{Error, Result};
use crate::steps::performance::Moment;

/// What a file says of one frame.
#[derive(Clone, Debug)]
struct Row {
    /// Seconds by the clock of the file.
    time_secs: f64,
    /// `None` where the face was not seen.
    face: Option<Face>,
}

#[derive(Clone, Debug)]
struct Face {
    /// ARKit's coefficients.
    weights: [f32; 52],
    /// Yaw, pitch and roll in degrees: right in the picture, up, and clockwise.
    head: [f32; 3],
    /// Centimetres from the camera: right, up, towards it.
    position: Option<[f32; 3]>,
    /// The right eye first.
    gaze: [Gaze; 2],
}

/// A performance of as many frames as the files have rows.
pub(super) struct Curves {
    pub(super) moments: Vec<Moment>,
    /// Frames a second.
    pub(super) rate: Rational,
}

/// More is no performance: some days of frames.
const MOST_BYTES: u64 = 1 << 30;
/// Coefficients lie from 0 to 1; animators go a little further.
const COEFFICIENTS: std::ops::RangeInclusive<f32> = -1.0..=2.0;
/// Nothing of a head or an eye turns further, in degrees.
const MOST_DEGREES: f32 = 180.0;
/// Ticks of a second: whole frames of every usual rate.
const TICKS: i32 = 90_000;

/// Reads files one after the other; `rate` says how many frames a second there are where the files do
/// not.
///
/// # Errors
/// When a file cannot be read, has other columns, or has values that no face has; the row is named.
pub(super) fn read(paths: &[PathBuf], rate: Option<Rational>) -> Result<Curves> {
    let mut moments = Vec::new();
    let mut rates = Vec::new();
    let mut begins = 0.0;
    for path in paths {
        let wrong = |why: String| Error::NoCurves {
            why,
            path: path.clone(),
        };
        let rows = rows(path, rate)?;
        let fps = frames_a_second(&rows).or(rate.map(Rational::to_f64));
        let fps = fps.ok_or_else(|| wrong("holds no frame".to_owned()))?;
        let first = rows.first().map_or(0.0, |row| row.time_secs);
        for row in &rows {
            let secs = begins + row.time_secs - first;
            let ticks = (secs * f64::from(TICKS)).round() as i64;
            moments.push(Moment {
                time: Timestamp::new(ticks, Rational::new(1, TICKS)),
                pose: row.face.as_ref().map(Face::pose),
            });
        }
        begins += rows.last().map_or(0.0, |row| row.time_secs - first) + 1.0 / fps;
        rates.push(fps);
    }
    let mean = rates.iter().sum::<f64>() / rates.len().max(1) as f64;
    let rate = rate.unwrap_or(Rational::new((mean * 1000.0).round() as i32, 1000));
    Ok(Curves { moments, rate })
}

fn rows(path: &Path, rate: Option<Rational>) -> Result<Vec<Row>> {
    let bytes = read_bounded(path, MOST_BYTES).map_err(|source| Error::Read {
        source,
        path: path.to_owned(),
    })?;
    let is_json = path.extension().is_some_and(|ending| ending == "jsonl");
    let rows = if is_json {
        json_lines::read(&bytes)
    } else {
        csv_rows::read(&bytes, rate.map(Rational::to_f64))
    };
    let rows = rows.and_then(|rows| check(&rows).map(|()| rows));
    rows.map_err(|why| Error::NoCurves {
        why,
        path: path.to_owned(),
    })
}

/// Refuses what no face does, and time that runs back.
fn check(rows: &[Row]) -> Result<(), String> {
    for (number, row) in (1..).zip(rows) {
        let Some(face) = &row.face else { continue };
        let angles = face.gaze.iter().flat_map(|gaze| [gaze.yaw, gaze.pitch]);
        let is_face = face.weights.iter().all(|w| COEFFICIENTS.contains(w))
            && angles.chain(face.head).all(|a| a.abs() <= MOST_DEGREES)
            && face.position.iter().flatten().all(|p| p.is_finite());
        if !is_face {
            return Err(format!(
                "frame {number} has a value that no face has: coefficients lie between 0 and 1, \
                 angles within half a turn"
            ));
        }
    }
    if let Some(at) = rows
        .windows(2)
        .position(|two| two[1].time_secs <= two[0].time_secs)
    {
        return Err(format!("time does not go on at frame {}", at + 2));
    }
    if rows.iter().all(|row| row.face.is_none()) {
        return Err("a face is seen in none of its frames".to_owned());
    }
    Ok(())
}

/// The usual distance of two frames tells; gaps do not.
fn frames_a_second(rows: &[Row]) -> Option<f64> {
    let mut steps: Vec<f64> = rows
        .windows(2)
        .map(|two| two[1].time_secs - two[0].time_secs)
        .collect();
    steps.sort_by(f64::total_cmp);
    Some(1.0 / steps.get(steps.len() / 2)?)
}

impl Face {
    fn pose(&self) -> Pose {
        let [yaw, pitch, roll] = self.head;
        // A camera that is this far away sees a head as large as it is.
        const USUAL_CM: f32 = 50.0;
        let [x, y, z] = self.position.unwrap_or([0.0, 0.0, -USUAL_CM]);
        let scale = USUAL_CM / z.abs().max(1.0);
        Pose {
            weights: from_arkit(&self.weights),
            gaze: self.gaze,
            head: Placement {
                rotation: facing(pose::Pose { yaw, pitch, roll }),
                scale,
                shift: [x * scale, -y * scale, 0.0],
            },
            residual: 0.0,
        }
    }
}
