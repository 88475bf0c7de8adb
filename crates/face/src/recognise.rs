//! Whether a face shows enough to tell who it is.

use std::fmt;

use crate::landmarks::eye_distance;
use crate::observation::Observation;

/// Why a face says too little of who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TooLittle {
    /// Fewer than 25 px between the outer corners of the eyes.
    Small,
    /// Out of focus, or blurred by motion or compression.
    Blurred,
    /// Turned, raised or lowered too far from the camera.
    Turned,
}

/// In pixels between the outer corners of the eyes. `recipes eval identity` prints what these limits
/// buy together.
const LEAST_EYE_DISTANCE_PX: f32 = 25.0;
/// On the scale of [`crate::quality::sharpness`].
const LEAST_SHARPNESS: f32 = 0.10;
/// Degrees to either side, and up or down.
const MOST_YAW: f32 = 40.0;
const MOST_PITCH: f32 = 30.0;

impl TooLittle {
    /// Why this face says too little of who it is, if it does.
    pub fn of(face: &Observation<'_>) -> Option<Self> {
        let pose = face.pose();
        if eye_distance(face.points) < LEAST_EYE_DISTANCE_PX {
            Some(Self::Small)
        } else if MOST_YAW < pose.yaw.abs() || MOST_PITCH < pose.pitch.abs() {
            Some(Self::Turned)
        } else if face.quality().sharpness < LEAST_SHARPNESS {
            Some(Self::Blurred)
        } else {
            None
        }
    }
}

impl fmt::Display for TooLittle {
    /// As the end of a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Small => {
                "the face is too small: 25 px between the eyes' outer corners are needed"
            }
            Self::Blurred => "the face is too blurred",
            Self::Turned => "the face is turned too far from the camera",
        })
    }
}

#[cfg(test)]
mod tests {
    use effigy_frame::{Frame, Picture, Point3, Rational, Timestamp};
    use effigy_model::mean_mesh;

    use super::*;

    /// What is missing of a face as large as `scale` says, turned by `yaw_degrees`, in a picture of
    /// noise or of one colour.
    fn missing(scale: f32, yaw_degrees: f32, is_sharp: bool) -> Option<TooLittle> {
        let (sin, cos) = yaw_degrees.to_radians().sin_cos();
        let points: Vec<Point3> = mean_mesh()
            .iter()
            .map(|p| {
                let (x, z) = (cos * p.x + sin * p.z, cos * p.z - sin * p.x);
                Point3::new(150.0 + scale * x, 150.0 + scale * p.y, scale * z)
            })
            .collect();
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if is_sharp { (state >> 24) as u8 } else { 128 }
        };
        let pixels = (0..300 * 300 * 3).map(|_| noise()).collect();
        let frame = Frame {
            index: 0,
            time: Timestamp::new(0, Rational::new(1, 1)),
            picture: Picture::new(300, 300, pixels),
        };
        TooLittle::of(&Observation::of_points(&frame, 0, &points))
    }

    #[test]
    fn small_blurred_and_turned_faces_say_too_little() {
        assert_eq!(missing(90.0, 0.0, true), None);
        assert_eq!(missing(90.0, 30.0, true), None);
        assert_eq!(missing(20.0, 0.0, true), Some(TooLittle::Small));
        assert_eq!(missing(90.0, -55.0, true), Some(TooLittle::Turned));
        assert_eq!(missing(90.0, 0.0, false), Some(TooLittle::Blurred));
    }
}
