//! iFacialMocap's protocol (<https://www.ifacialmocap.com/for-developer/>): one line of text a frame,
//! `eyeBlink_L-12|…|=head#x,y,z,px,py,pz|rightEye#x,y,z|leftEye#x,y,z|`.
//!
//! Coefficients are whole hundredths. Turns are degrees about ARKit's axes, which point to the picture's right,
//! up, and towards the camera: down, to the right and counter-clockwise are positive. Places are metres. Where the face is not seen, the protocol
//! has no word for it: what it did before is told again.

use std::fmt::Write as _;

use effigy_face::rig::{ARKIT, Gaze};

use super::take::Moved;

/// A face at rest.
pub(super) fn hello() -> Vec<u8> {
    line(&[0.0; ARKIT.len()], [0.0; 6], [[0.0; 3]; 2])
}

/// A frame.
pub(super) fn packet(frame: &Moved) -> Vec<u8> {
    let [yaw, pitch, roll] = frame.angles();
    let [x, y, z] = frame.position.map(|cm| 0.01 * cm);
    let eyes = frame.gaze.map(|Gaze { yaw, pitch }| [-pitch, yaw, 0.0]);
    line(&frame.weights, [-pitch, yaw, -roll, x, y, z], eyes)
}

fn line(weights: &[f32; ARKIT.len()], head: [f32; 6], [right, left]: [[f32; 3]; 2]) -> Vec<u8> {
    let mut line = String::new();
    for (name, weight) in ARKIT.iter().zip(weights) {
        let hundredths = (100.0 * weight).round().max(0.0);
        write!(line, "{}-{hundredths}|", sided(name)).unwrap_or_default();
    }
    for (what, numbers) in [
        ("=head", &head[..]),
        ("rightEye", &right),
        ("leftEye", &left),
    ] {
        // No number is -0.
        let numbers: Vec<String> = numbers.iter().map(|n| format!("{:.4}", n + 0.0)).collect();
        write!(line, "{what}#{}|", numbers.join(",")).unwrap_or_default();
    }
    line.into_bytes()
}

/// `eyeBlinkLeft` as `eyeBlink_L`; the jaw and the mouth as a whole have no sides.
fn sided(name: &str) -> String {
    if matches!(name, "jawLeft" | "jawRight" | "mouthLeft" | "mouthRight") {
        return name.to_owned();
    }
    let side = |ending: &str, short: &str| Some(format!("{}{short}", name.strip_suffix(ending)?));
    side("Left", "_L")
        .or_else(|| side("Right", "_R"))
        .unwrap_or_else(|| name.to_owned())
}
