//! A skeleton of head and eyes with its movement (Biovision hierarchy). Centimetres and degrees; y
//! points up, z towards the camera.

use std::fmt::Write as _;

use effigy_face::pose::Rotation;

use super::take::{Take, eye_rotation, upright};

/// Where the eyes are on the head that is written, and how long a joint's end is.
const HIERARCHY: &str = "\
HIERARCHY
ROOT Head
{
  OFFSET 0.0 0.0 0.0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT LeftEye
  {
    OFFSET 3.1 3.6 7.9
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0.0 0.0 1.5
    }
  }
  JOINT RightEye
  {
    OFFSET -3.1 3.6 7.9
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0.0 0.0 1.5
    }
  }
}
";

/// The whole file. Its frames follow one another evenly: where those of the take do not, as behind a
/// camera, each is the last that there was by then.
pub(super) fn text(take: &Take) -> String {
    let mut text = format!(
        "{HIERARCHY}MOTION\nFrames: {}\nFrame Time: {:.7}\n",
        take.frames.len(),
        1.0 / take.fps
    );
    let first_secs = take.frames.first().map_or(0.0, |frame| frame.time_secs);
    for step in 0..take.frames.len() {
        // Half a step of grace, so that frames that are only rounded stay where they are.
        let by_secs = first_secs + (step as f64 + 0.5) / take.fps;
        let n_by_then = take.frames.partition_point(|f| f.time_secs < by_secs);
        let frame = &take.frames[n_by_then.saturating_sub(1)];
        let head = zxy(&upright(&frame.rotation));
        let [right, left] = frame.gaze.map(|gaze| zxy(&upright(&eye_rotation(gaze))));
        let values = frame
            .position
            .into_iter()
            .chain(head)
            .chain(left)
            .chain(right);
        let values: Vec<String> = values.map(|v| format!("{:.4}", v + 0.0)).collect();
        writeln!(text, "{}", values.join(" ")).unwrap_or_default();
    }
    text
}

/// Turns about z, then x, then y of what is turned already, in degrees: `Z · X · Y`.
fn zxy(r: &Rotation) -> [f32; 3] {
    let x = r[2][1].clamp(-1.0, 1.0).asin();
    let z = (-r[0][1]).atan2(r[1][1]);
    let y = (-r[2][0]).atan2(r[2][2]);
    [z, x, y].map(f32::to_degrees)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::track::take::tests::take;
    use effigy_face::rig::Gaze;

    #[test]
    fn rows_have_a_number_for_every_channel() {
        let text = text(&take(3));
        let rows: Vec<&str> = text
            .lines()
            .skip_while(|l| !l.starts_with("Frame Time"))
            .collect();
        assert_eq!(rows.len(), 4);
        assert_eq!(rows[1].split(' ').count(), 12);
        assert!(
            rows[1]
                .split(' ')
                .all(|n| n.parse::<f32>().unwrap().is_finite())
        );
    }

    #[test]
    fn frames_that_are_missing_are_held() {
        let mut take = take(5);
        // The third came a frame late.
        take.frames[2].time_secs += 0.04;
        take.frames[3].time_secs += 0.04;
        take.frames[4].time_secs += 0.04;
        take.fps = 4.0 / 0.2;
        for (n, frame) in take.frames.iter_mut().enumerate() {
            frame.position[0] = n as f32;
        }
        let text = text(&take);
        let rows = text.lines().skip_while(|l| !l.starts_with("Frame Time"));
        let across: Vec<&str> = rows.skip(1).filter_map(|r| r.split(' ').next()).collect();
        // At 0, 50, 100, 150 and 200 ms, and half a step later, of frames at 0, 40, 120, 160 and 200 ms.
        let expected = ["0.0000", "1.0000", "2.0000", "3.0000", "4.0000"];
        assert_eq!(across, expected);
    }

    #[test]
    fn an_eye_to_the_right_and_up_turns_about_y_and_x() {
        let r = upright(&eye_rotation(Gaze {
            yaw: 20.0,
            pitch: 10.0,
        }));
        let [_, x, y] = zxy(&r);
        assert!(x < -8.0 && y > 18.0, "{x} {y}");
    }
}
