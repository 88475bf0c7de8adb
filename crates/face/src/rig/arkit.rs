//! The 52 coefficients of ARKit, in the order in which Live Link Face writes them.

use super::names::{N_EXPRESSIONS, expression};

/// ARKit's coefficients.
pub const ARKIT: [&str; 52] = [
    "eyeBlinkLeft",
    "eyeLookDownLeft",
    "eyeLookInLeft",
    "eyeLookOutLeft",
    "eyeLookUpLeft",
    "eyeSquintLeft",
    "eyeWideLeft",
    "eyeBlinkRight",
    "eyeLookDownRight",
    "eyeLookInRight",
    "eyeLookOutRight",
    "eyeLookUpRight",
    "eyeSquintRight",
    "eyeWideRight",
    "jawForward",
    "jawRight",
    "jawLeft",
    "jawOpen",
    "mouthClose",
    "mouthFunnel",
    "mouthPucker",
    "mouthRight",
    "mouthLeft",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
];

/// The coefficients that ARKit has one of for both sides.
const OF_BOTH_SIDES: [&str; 2] = ["browInnerUp", "cheekPuff"];

/// Gives ARKit's coefficients for the weights of the rig.
///
/// Where ARKit has one for both sides it is their mean. The rig's head has no `tongueOut`, which
/// stays 0; `cheekRaiser` and the pupils have no counterpart.
pub fn arkit(weights: &[f32; N_EXPRESSIONS]) -> [f32; 52] {
    ARKIT.map(|name| {
        if name == "tongueOut" {
            return 0.0;
        }
        let of = |name: &str| weights[expression(name)];
        if OF_BOTH_SIDES.contains(&name) {
            return 0.5 * (of(&format!("{name}_L")) + of(&format!("{name}_R")));
        }
        of(&rig_name(name))
    })
}

/// Gives the weights of the rig for ARKit's coefficients: the way back from [`arkit`]. What ARKit has
/// no coefficient for stays 0.
pub fn from_arkit(coefficients: &[f32; 52]) -> [f32; N_EXPRESSIONS] {
    let mut weights = [0.0; N_EXPRESSIONS];
    for (name, value) in ARKIT.into_iter().zip(coefficients) {
        if name == "tongueOut" {
            continue;
        }
        if OF_BOTH_SIDES.contains(&name) {
            for side in ["L", "R"] {
                weights[expression(&format!("{name}_{side}"))] = *value;
            }
        } else {
            weights[expression(&rig_name(name))] = *value;
        }
    }
    weights
}

/// What the rig calls a coefficient of ARKit that it has one of as well.
fn rig_name(name: &str) -> String {
    let sided = [("Left", "_L"), ("Right", "_R")].into_iter();
    let mut sided = sided.filter_map(|(ending, side)| {
        let stem = name.strip_suffix(ending)?;
        // Jaw and mouth as a whole go left and right; they have no sides.
        (!matches!(stem, "jaw" | "mouth")).then(|| format!("{stem}{side}"))
    });
    sided.next().unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_come_back_from_weights() {
        let given: [f32; 52] = std::array::from_fn(|i| 0.01 * (i + 1) as f32);
        let mut back = given;
        back[ARKIT.iter().position(|name| *name == "tongueOut").unwrap()] = 0.0;
        assert_eq!(arkit(&from_arkit(&given)), back);
    }
}
