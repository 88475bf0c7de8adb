//! What the expressions are called.

/// How many expressions the rig has.
pub const N_EXPRESSIONS: usize = 57;

/// The expressions in the order of their weights: ARKit's names, left and right apart.
pub const EXPRESSIONS: [&str; N_EXPRESSIONS] = [
    "PupilDilate_L",
    "PupilDilate_R",
    "browDown_L",
    "browDown_R",
    "browInnerUp_L",
    "browInnerUp_R",
    "browOuterUp_L",
    "browOuterUp_R",
    "cheekPuff_L",
    "cheekPuff_R",
    "cheekRaiser_L",
    "cheekRaiser_R",
    "cheekSquint_L",
    "cheekSquint_R",
    "eyeBlink_L",
    "eyeBlink_R",
    "eyeLookDown_L",
    "eyeLookDown_R",
    "eyeLookIn_L",
    "eyeLookIn_R",
    "eyeLookOut_L",
    "eyeLookOut_R",
    "eyeLookUp_L",
    "eyeLookUp_R",
    "eyeSquint_L",
    "eyeSquint_R",
    "eyeWide_L",
    "eyeWide_R",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimple_L",
    "mouthDimple_R",
    "mouthFrown_L",
    "mouthFrown_R",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDown_L",
    "mouthLowerDown_R",
    "mouthPress_L",
    "mouthPress_R",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmile_L",
    "mouthSmile_R",
    "mouthStretch_L",
    "mouthStretch_R",
    "mouthUpperUp_L",
    "mouthUpperUp_R",
    "noseSneer_L",
    "noseSneer_R",
];

/// Gives the place of an expression among the weights.
///
/// # Panics
/// If there is none of that name.
pub fn expression(name: &str) -> usize {
    let found = EXPRESSIONS.iter().position(|n| *n == name);
    assert!(found.is_some(), "no expression is called {name}");
    found.unwrap_or_default()
}
