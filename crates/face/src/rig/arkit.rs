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
        if matches!(name, "browInnerUp" | "cheekPuff") {
            return 0.5 * (of(&format!("{name}_L")) + of(&format!("{name}_R")));
        }
        let sided = [("Left", "_L"), ("Right", "_R")].into_iter();
        let mut sided = sided.filter_map(|(ending, side)| {
            let stem = name.strip_suffix(ending)?;
            // Jaw and mouth as a whole go left and right; they have no sides.
            (!matches!(stem, "jaw" | "mouth")).then(|| of(&format!("{stem}{side}")))
        });
        sided.next().unwrap_or_else(|| of(name))
    })
}
