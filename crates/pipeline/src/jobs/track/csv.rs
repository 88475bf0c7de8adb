//! One row a frame, in the columns that Epic's Live Link Face writes.

use std::fmt::Write as _;

use effigy_face::rig::ARKIT;

use super::take::Take;

/// Columns of angles, in radians: right in the picture, up, and clockwise are positive.
pub(in crate::jobs) const ANGLES: [&str; 9] = [
    "HeadYaw",
    "HeadPitch",
    "HeadRoll",
    "LeftEyeYaw",
    "LeftEyePitch",
    "LeftEyeRoll",
    "RightEyeYaw",
    "RightEyePitch",
    "RightEyeRoll",
];

/// The whole file.
pub(super) fn text(take: &Take) -> String {
    let mut text = "Timecode,BlendShapeCount".to_owned();
    for name in ARKIT {
        text.push(',');
        text.push_str(&capitalised(name));
    }
    for name in ANGLES {
        text.push(',');
        text.push_str(name);
    }
    text.push('\n');
    for frame in &take.frames {
        text.push_str(&timecode(frame.time_secs, take.fps));
        text.push_str(",61");
        let [yaw, pitch, roll] = frame.angles().map(f32::to_radians);
        let [right, left] = frame.gaze;
        let eye =
            |gaze: effigy_face::rig::Gaze| [gaze.yaw.to_radians(), gaze.pitch.to_radians(), 0.0];
        let angles = [yaw, pitch, roll]
            .into_iter()
            .chain(eye(left))
            .chain(eye(right));
        for value in frame.weights.into_iter().chain(angles) {
            // A number never is -0.
            write!(text, ",{:.6}", value + 0.0).unwrap_or_default();
        }
        text.push('\n');
    }
    text
}

/// `eyeBlinkLeft` as `EyeBlinkLeft`.
pub(super) fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Hours, minutes, seconds, frames and thousandths of a frame.
fn timecode(secs: f64, fps: f64) -> String {
    let whole = secs.max(0.0).floor();
    let frames = ((secs.max(0.0) - whole) * fps * 1000.0).round() / 1000.0;
    let clock = whole as u64;
    format!(
        "{:02}:{:02}:{:02}:{:06.3}",
        clock / 3600,
        clock / 60 % 60,
        clock % 60,
        frames
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::track::take::tests::take;

    #[test]
    fn every_row_has_every_column() {
        let text = text(&take(3));
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows.len(), 4);
        assert!(rows[0].starts_with("Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft"));
        for row in &rows {
            assert_eq!(row.split(',').count(), 63, "{row}");
        }
        let jaw = rows[0].split(',').position(|c| c == "JawOpen").unwrap();
        assert_eq!(rows[2].split(',').nth(jaw), Some("0.500000"));
    }

    #[test]
    fn timecodes_count_frames_within_the_second() {
        assert_eq!(timecode(3723.48, 25.0), "01:02:03:12.000");
        assert_eq!(timecode(0.0, 30.0), "00:00:00:00.000");
    }
}
