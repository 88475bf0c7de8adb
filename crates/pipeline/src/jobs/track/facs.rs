//! Action units of the Facial Action Coding System (Ekman, Friesen and Hager, 2002) by ARKit's
//! coefficients. The mean of both sides; the table stands in `docs/tracking.md` too.

use effigy_face::rig::ARKIT;

/// Each unit and the coefficients whose mean it is.
pub(super) const UNITS: [(&str, &[&str]); 24] = [
    ("AU1", &["browInnerUp"]),
    ("AU2", &["browOuterUpLeft", "browOuterUpRight"]),
    ("AU4", &["browDownLeft", "browDownRight"]),
    ("AU5", &["eyeWideLeft", "eyeWideRight"]),
    ("AU6", &["cheekSquintLeft", "cheekSquintRight"]),
    ("AU7", &["eyeSquintLeft", "eyeSquintRight"]),
    ("AU9", &["noseSneerLeft", "noseSneerRight"]),
    ("AU10", &["mouthUpperUpLeft", "mouthUpperUpRight"]),
    ("AU12", &["mouthSmileLeft", "mouthSmileRight"]),
    ("AU14", &["mouthDimpleLeft", "mouthDimpleRight"]),
    ("AU15", &["mouthFrownLeft", "mouthFrownRight"]),
    ("AU16", &["mouthLowerDownLeft", "mouthLowerDownRight"]),
    ("AU17", &["mouthShrugLower"]),
    ("AU18", &["mouthPucker"]),
    ("AU19", &["tongueOut"]),
    ("AU20", &["mouthStretchLeft", "mouthStretchRight"]),
    ("AU22", &["mouthFunnel"]),
    ("AU24", &["mouthPressLeft", "mouthPressRight"]),
    ("AU26", &["jawOpen"]),
    ("AU28", &["mouthRollLower", "mouthRollUpper"]),
    ("AU29", &["jawForward"]),
    ("AU30", &["jawLeft", "jawRight"]),
    ("AU34", &["cheekPuff"]),
    ("AU45", &["eyeBlinkLeft", "eyeBlinkRight"]),
];

/// Gives each unit, `0..=1`. A jaw that goes to one side goes there whole.
pub(super) fn action_units(weights: &[f32; 52]) -> impl Iterator<Item = (&'static str, f32)> {
    let units = UNITS.map(|(unit, names)| {
        let of = |name: &&str| {
            let found = ARKIT.iter().position(|n| n == name);
            found.map_or(0.0, |k| weights[k])
        };
        let sum: f32 = names.iter().map(of).sum();
        let is_either = unit == "AU30";
        (
            unit,
            if is_either {
                sum
            } else {
                sum / names.len() as f32
            },
        )
    });
    units.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_coefficient_of_the_table_exists() {
        for (unit, names) in UNITS {
            for name in names {
                assert!(ARKIT.contains(name), "{unit}: {name}");
            }
        }
    }

    #[test]
    fn one_eye_that_closes_is_half_a_blink() {
        let mut weights = [0.0; 52];
        weights[0] = 1.0;
        let (_, blink) = action_units(&weights)
            .find(|(unit, _)| *unit == "AU45")
            .unwrap();
        assert_eq!(blink, 0.5);
    }
}
