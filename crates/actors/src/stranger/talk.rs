//! What a stranger does in a talk: expressions that come together, each by as much as chance has it.
//!
//! A smile raises the cheeks and narrows the eyes, raised brows widen them, lowered ones wrinkle the nose, and
//! lips speak. How strongly one goes with another differs from act to act, so that nobody who learns from it
//! can take the one for the other.

use super::Dice;
use crate::head::Head;
use crate::speech::Viseme;

/// Expressions that come together, with the share of acts that show them. Of each the least and the greatest
/// share of the strength of all.
type Group = (f32, &'static [(&'static str, f32, f32)]);

/// What the upper face and the cheeks do.
const MOODS: [Group; 5] = [
    (
        0.45,
        &[
            ("mouthSmile", 0.5, 1.0),
            ("cheekSquint", 0.2, 1.0),
            ("eyeSquint", 0.0, 0.8),
            ("mouthDimple", 0.0, 0.6),
        ],
    ),
    (
        0.35,
        &[
            ("browOuterUp", 0.3, 1.0),
            ("browInnerUp", 0.3, 1.0),
            ("eyeWide", 0.0, 0.7),
        ],
    ),
    (
        0.3,
        &[
            ("browDown", 0.4, 1.0),
            ("noseSneer", 0.0, 0.7),
            ("eyeSquint", 0.0, 0.6),
        ],
    ),
    (
        0.12,
        &[
            ("mouthFrown", 0.3, 1.0),
            ("browInnerUp", 0.0, 1.0),
            ("mouthShrugLower", 0.0, 0.8),
        ],
    ),
    (0.25, &[("eyeWide", 0.0, 0.4)]),
];
/// What a mouth does that does not speak; one of them.
const MOUTHS: [&[(&str, f32, f32)]; 9] = [
    &[("mouthPucker", 0.4, 1.0)],
    &[("mouthFunnel", 0.4, 1.0), ("jawOpen", 0.0, 0.5)],
    &[("mouthRollLower", 0.3, 1.0), ("mouthRollUpper", 0.0, 1.0)],
    &[("mouthPress", 0.3, 1.0), ("mouthShrugLower", 0.0, 0.6)],
    &[("cheekPuff", 0.4, 1.0), ("mouthPress", 0.0, 0.4)],
    &[("mouthLeft", 0.3, 1.0), ("jawLeft", 0.0, 0.7)],
    &[("mouthRight", 0.3, 1.0), ("jawRight", 0.0, 0.7)],
    &[("jawOpen", 0.4, 1.0), ("mouthStretch", 0.0, 0.5)],
    &[("mouthShrugUpper", 0.2, 0.8), ("jawForward", 0.0, 1.0)],
];
/// Of how many acts one is calm.
const CALM_OF: f32 = 6.0;
/// Shares of acts in which lips speak and in which lids shut; of the latter half are shut whole.
const SPEAKS: f32 = 0.6;
const BLINKS: f32 = 0.25;
/// How much stronger or weaker one side is, at most.
const ASKEW: f32 = 0.2;

/// Gives the weights of an act.
pub(super) fn weights(head: &Head, dice: &mut Dice) -> Vec<f32> {
    let mut weights = vec![0.0; head.names.len()];
    if dice.one_in(CALM_OF) {
        return weights;
    }
    for (share, group) in MOODS {
        if dice.any() < share {
            show(head, &mut weights, group, dice);
        }
    }
    if dice.any() < SPEAKS {
        speak(head, &mut weights, dice);
    } else {
        let which = (MOUTHS.len() as f32 * dice.any()) as usize;
        show(head, &mut weights, MOUTHS[which % MOUTHS.len()], dice);
    }
    if dice.any() < BLINKS {
        let by_half = dice.between(0.0, 1.0);
        let shut = if dice.one_in(2.0) {
            dice.between(0.9, 1.0)
        } else {
            by_half
        };
        add(head, &mut weights, "eyeBlink", [shut, shut]);
        for side in ["eyeWide_L", "eyeWide_R"] {
            if let Some(wide) = head.expression(side) {
                weights[wide] *= 1.0 - shut;
            }
        }
    }
    weights
}

fn show(head: &Head, weights: &mut [f32], group: &[(&str, f32, f32)], dice: &mut Dice) {
    let strength = dice.any().powf(1.2);
    let askew = ASKEW * (2.0 * dice.any() - 1.0);
    for &(name, least, most) in group {
        let amount = strength * dice.between(least, most);
        add(
            head,
            weights,
            name,
            [amount * (1.0 + askew), amount * (1.0 - askew)],
        );
    }
}

/// Two mouth shapes that mix, each expression stronger or weaker than usual.
fn speak(head: &Head, weights: &mut [f32], dice: &mut Dice) {
    let n = Viseme::ALL.len() as f32;
    let mix = dice.any();
    for share in [mix, 1.0 - mix] {
        let viseme = Viseme::ALL[(n * dice.any()) as usize % Viseme::ALL.len()];
        for &(name, amount) in viseme.shapes() {
            let amount = share * amount * dice.between(0.4, 1.8);
            add(head, weights, name, [amount; 2]);
        }
    }
}

/// Adds to an expression, to its left and its right where it has sides.
fn add(head: &Head, weights: &mut [f32], name: &str, [left, right]: [f32; 2]) {
    let middle = 0.5 * (left + right);
    for (side, amount) in [("", middle), ("_L", left), ("_R", right)] {
        if let Some(i) = head.expression(&format!("{name}{side}")) {
            weights[i] = (weights[i] + amount).clamp(0.0, 1.0);
        }
    }
}
