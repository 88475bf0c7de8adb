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

/// What is said of a file that does not tell its rate.
const NO_RATE: &str = "does not show how many frames a second has; say it with --fps";
/// Rates of cameras and animators, the exact ones of television among them.
const RATES: [Rational; 11] = [
    Rational {
        num: 24_000,
        den: 1001,
    },
    Rational { num: 24, den: 1 },
    Rational { num: 25, den: 1 },
    Rational {
        num: 30_000,
        den: 1001,
    },
    Rational { num: 30, den: 1 },
    Rational { num: 50, den: 1 },
    Rational {
        num: 60_000,
        den: 1001,
    },
    Rational { num: 60, den: 1 },
    Rational { num: 90, den: 1 },
    Rational { num: 100, den: 1 },
    Rational { num: 120, den: 1 },
];

/// Reads files one after the other; `rate` says how many frames a second there are where the files do
/// not.
///
/// # Errors
/// When a file cannot be read, has other columns, or has values that no face has; the row is named.
pub(super) fn read(paths: &[PathBuf], rate: Option<Rational>) -> Result<Curves> {
    let mut moments = Vec::new();
    let (mut begins, mut fastest) = (0.0, 0.0_f64);
    for path in paths {
        let rows = rows(path, rate)?;
        let said = rate.map(Rational::to_f64);
        let fps = frames_a_second(&rows)
            .or(said)
            .ok_or_else(|| Error::NoCurves {
                why: NO_RATE.to_owned(),
                path: path.clone(),
            })?;
        let first = rows.first().map_or(0.0, |row| row.time_secs);
        for row in &rows {
            let secs = begins + row.time_secs - first;
            let ticks = (secs * f64::from(TICKS)).round() as i64;
            moments.push(Moment {
                time: Timestamp::new(ticks, Rational::new(1, TICKS)),
                clip: 0,
                pose: row.face.as_ref().map(Face::pose),
            });
        }
        begins += rows.last().map_or(0.0, |row| row.time_secs - first) + 1.0 / fps;
        fastest = fastest.max(fps);
    }
    Ok(Curves {
        moments,
        rate: usual_rate(fastest),
    })
}

/// The rate of cameras that is nearest, or the rate itself where none is near.
fn usual_rate(fps: f64) -> Rational {
    let off = |rate: &Rational| (rate.to_f64() / fps - 1.0).abs();
    let nearest = RATES.into_iter().min_by(|a, b| off(a).total_cmp(&off(b)));
    let exact = Rational::new((fps * 1000.0).round().clamp(1.0, 1e6) as i32, 1000);
    nearest.filter(|rate| off(rate) < 0.002).unwrap_or(exact)
}

/// The middle of some numbers.
fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}

fn rows(path: &Path, rate: Option<Rational>) -> Result<Vec<Row>> {
    let ending = effigy_files::extension(path);
    if !["csv", "jsonl"].contains(&ending.as_str()) {
        return Err(Error::NoCurves {
            why: "its name does not end in .csv or .jsonl".to_owned(),
            path: path.to_owned(),
        });
    }
    let bytes = read_bounded(path, MOST_BYTES).map_err(|source| Error::Read {
        source,
        path: path.to_owned(),
    })?;
    let rows = if ending == "jsonl" {
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
    if rows.is_empty() {
        return Err("holds no frame".to_owned());
    }
    for (number, row) in (1..).zip(rows) {
        let Some(face) = &row.face else { continue };
        let angles = face.gaze.iter().flat_map(|gaze| [gaze.yaw, gaze.pitch]);
        let is_face = face.weights.iter().all(|w| COEFFICIENTS.contains(w))
            && angles.chain(face.head).all(|a| a.abs() <= MOST_DEGREES)
            && face.position.iter().flatten().all(|p| p.is_finite());
        if !is_face {
            return Err(format!(
                "frame {number} has a value that no face has: coefficients lie between -1 and 2, \
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
        return Err("a face is seen in no frame".to_owned());
    }
    Ok(())
}

/// The frames between which there is no gap tell.
fn frames_a_second(rows: &[Row]) -> Option<f64> {
    let steps = rows
        .windows(2)
        .map(|two| two[1].time_secs - two[0].time_secs);
    let usual = median(steps.clone().collect())?;
    let (mut secs, mut n) = (0.0, 0);
    for step in steps.filter(|step| *step < 1.5 * usual) {
        (secs, n) = (secs + step, n + 1);
    }
    Some(f64::from(n) / secs)
}

impl Face {
    fn pose(&self) -> Pose {
        let [yaw, pitch, roll] = self.head;
        // Distance at which the scale is 1; only changes of it count.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_cameras() {
        let row = |secs: f64| Row {
            time_secs: (secs * 1e4).round() / 1e4,
            face: None,
        };
        for rate in RATES {
            // As JSON lines round them, with a gap.
            let n = (0..400).filter(|n| !(100..130).contains(n));
            let rows: Vec<Row> = n.map(|n| row(f64::from(n) / rate.to_f64())).collect();
            let found = usual_rate(frames_a_second(&rows).unwrap());
            assert!(
                (found.to_f64() / rate.to_f64() - 1.0).abs() < 2e-3,
                "{rate:?}: {found:?}"
            );
        }
        assert_eq!(usual_rate(15.0), Rational::new(15_000, 1000));
    }
}
