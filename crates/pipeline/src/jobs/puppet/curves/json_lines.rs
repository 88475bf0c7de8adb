//! The JSON lines that `track` writes.

use std::collections::BTreeMap;

use effigy_face::rig::{ARKIT, Gaze};
use serde::Deserialize;

use super::{Face, Row};

#[derive(Deserialize)]
struct Line {
    time_secs: f64,
    #[serde(default = "yes")]
    seen: bool,
    weights: Option<BTreeMap<String, f32>>,
    #[serde(default)]
    head: Head,
    #[serde(default)]
    eyes: Eyes,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    yaw: f32,
    pitch: f32,
    roll: f32,
    position_cm: Option<[f32; 3]>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Eyes {
    left: Eye,
    right: Eye,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Eye {
    yaw: f32,
    pitch: f32,
}

fn yes() -> bool {
    true
}

/// Reads a whole file.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Row>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_other| "is no text".to_owned())?;
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| row(line).map_err(|why| format!("line {number}: {why}")))
        .collect()
}

fn row(line: &str) -> Result<Row, String> {
    let line: Line = serde_json::from_str(line).map_err(|err| err.to_string())?;
    let time_secs = line.time_secs;
    if !line.seen {
        return Ok(Row {
            time_secs,
            face: None,
        });
    }
    let mut weights = [0.0; ARKIT.len()];
    for (name, value) in line.weights.ok_or("it has no weights")? {
        let at = ARKIT.iter().position(|known| *known == name);
        let at = at.ok_or_else(|| format!("{name:?} is none of ARKit's coefficients"))?;
        weights[at] = value;
    }
    let gaze = |Eye { yaw, pitch }| Gaze { yaw, pitch };
    Ok(Row {
        time_secs,
        face: Some(Face {
            weights,
            head: [line.head.yaw, line.head.pitch, line.head.roll],
            position: line.head.position_cm,
            gaze: [gaze(line.eyes.right), gaze(line.eyes.left)],
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::track::tests::{lines_text, opening_and_closing};

    #[test]
    fn what_track_writes_is_read() {
        let mut take = opening_and_closing(4);
        take.frames[2].is_seen = false;
        let rows = read(lines_text(&take).as_bytes()).unwrap();
        let seen: Vec<bool> = rows.iter().map(|row| row.face.is_some()).collect();
        assert_eq!(seen, [true, true, false, true]);
        let face = rows[1].face.as_ref().unwrap();
        assert_eq!(face.weights, take.frames[1].weights);
        assert!(face.position.unwrap()[2] < 0.0);
    }

    #[test]
    fn other_lines_are_refused_with_their_place() {
        let said = |line: &str| read(line.as_bytes()).unwrap_err();
        assert!(said("{\"time_secs\":0,\"seen\":false}\n{\"weights\":{}}").contains("line 2"));
        assert!(said("{\"time_secs\":0,\"weights\":{\"jaw\":1}}").contains("\"jaw\""));
        assert!(said("{\"time_secs\":0,\"blendshapes\":{}}").contains("no weights"));
    }
}
