//! One JSON object a frame.

use effigy_face::rig::{ARKIT, Gaze};
use serde_json::{Map, Value, json};

use super::facs;
use super::take::{Moved, Take};

/// The whole file.
pub(super) fn text(take: &Take) -> String {
    let frames = take.frames.iter().enumerate();
    frames
        .map(|(n, frame)| format!("{}\n", line(n, frame)))
        .collect()
}

fn line(n: usize, frame: &Moved) -> Value {
    if !frame.is_seen {
        return json!({ "frame": n, "time_secs": rounded(frame.time_secs), "seen": false });
    }
    let named = |values: &mut dyn Iterator<Item = (&'static str, f32)>| -> Value {
        let map: Map<String, Value> = values
            .map(|(name, value)| (name.to_owned(), rounded(f64::from(value))))
            .collect();
        map.into()
    };
    let [yaw, pitch, roll] = frame.angles().map(|a| rounded(f64::from(a)));
    let eye = |gaze: Gaze| json!({ "yaw": rounded(f64::from(gaze.yaw)), "pitch": rounded(f64::from(gaze.pitch)) });
    json!({
        "frame": n,
        "time_secs": rounded(frame.time_secs),
        "seen": true,
        "weights": named(&mut ARKIT.into_iter().zip(frame.weights)),
        "action_units": named(&mut facs::action_units(&frame.weights)),
        "head": {
            "yaw": yaw,
            "pitch": pitch,
            "roll": roll,
            "position_cm": frame.position.map(|p| rounded(f64::from(p))),
        },
        "eyes": { "left": eye(frame.gaze[1]), "right": eye(frame.gaze[0]) },
    })
}

/// Four digits: more were not measured.
fn rounded(value: f64) -> Value {
    let rounded = (value * 1e4).round() / 1e4;
    json!(rounded + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::track::take::tests::take;

    #[test]
    fn each_line_is_json_and_says_whether_the_face_was_seen() {
        let mut take = take(2);
        take.frames[1].is_seen = false;
        let text = text(&take);
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines[0]["weights"]["jawOpen"], 0.0);
        assert_eq!(lines[0]["weights"].as_object().unwrap().len(), 52);
        assert_eq!(lines[0]["action_units"]["AU12"], 0.0);
        assert_eq!(lines[1]["seen"], false);
        assert!(lines[1].get("weights").is_none());
    }
}
