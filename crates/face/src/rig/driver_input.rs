//! What a face does, as the driver of a face model is shown it.

use effigy_model::face_model::driver::{DriverInput, N_INPUTS};

use super::{N_EXPRESSIONS, Pose};

/// Degrees of a gaze or a turn that count as much as a whole expression.
const FULL_DEGREES: f32 = 30.0;

/// Gives the weights, both gazes and the head's yaw and pitch, all of about `-1..=1`. The crops that a
/// model draws are upright, so that a tilt is no matter.
pub fn driver_input(pose: &Pose) -> DriverInput {
    let mut numbers = [0.0; N_INPUTS];
    numbers[..N_EXPRESSIONS].copy_from_slice(&pose.weights);
    let [right, left] = pose.gaze;
    let head = pose.head.angles();
    let degrees = [
        right.yaw,
        right.pitch,
        left.yaw,
        left.pitch,
        head.yaw,
        head.pitch,
    ];
    for (number, degrees) in numbers[N_EXPRESSIONS..].iter_mut().zip(degrees) {
        *number = degrees / FULL_DEGREES;
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::{Gaze, Placement};

    #[test]
    fn every_number_has_its_place() {
        let mut weights = [0.0; N_EXPRESSIONS];
        weights[N_EXPRESSIONS - 1] = 0.5;
        let gaze = |yaw: f32| Gaze { yaw, pitch: 0.0 };
        let numbers = driver_input(&Pose {
            weights,
            gaze: [gaze(15.0), gaze(-30.0)],
            head: Placement::default(),
            residual: 0.0,
        });
        assert_eq!(numbers[N_EXPRESSIONS - 1], 0.5);
        assert_eq!(numbers[N_EXPRESSIONS..], [0.5, 0.0, -1.0, 0.0, 0.0, 0.0]);
    }
}
