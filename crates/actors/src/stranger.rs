//! Strangers: people made up from a number, who do something else in every picture.
//!
//! They are for learning and measuring, not for looking at: each expression comes alone and
//! together with others, on one side or both, as no talk would show it.

use std::f32::consts::TAU;

use super::cast::{Costume, HairStyle, Looks};
use super::clips::{Clip, Light, Role};
use super::head::Head;
use super::noise::{chance, stir};
use super::person::Moment;
use super::space::{V3, mix, mix3, v3};
use super::speech::Voice;

/// How many different things a stranger does; frames go round them.
pub const N_ACTS: u32 = 16;
/// A shot is smeared by what comes next, so that every act lasts for two frames.
pub(crate) const FRAMES_OF_ACT: u32 = 2;

/// Numbers by chance, one after the other.
struct Dice {
    seed: u32,
    n: u32,
}

impl Dice {
    fn new(seed: u32, what: u32) -> Self {
        Self {
            seed: stir(seed.wrapping_mul(31).wrapping_add(what)),
            n: 0,
        }
    }

    /// In `0..1`.
    fn any(&mut self) -> f32 {
        self.n += 1;
        chance(self.n, self.seed)
    }

    fn between(&mut self, least: f32, most: f32) -> f32 {
        mix(least, most, self.any())
    }

    fn one_in(&mut self, n: f32) -> bool {
        n * self.any() < 1.0
    }

    /// With mean 0 and deviation 1.
    fn normal(&mut self) -> f32 {
        let radius = (-2.0 * self.any().max(1e-6).ln()).sqrt();
        radius * (TAU * self.any()).cos()
    }
}

impl Clip {
    /// A clip of the stranger with this number; frame `2 n` shows act `n` of [`N_ACTS`].
    pub fn of_stranger(seed: u32) -> Self {
        let mut dice = Dice::new(seed, 1);
        let lights = [Light::Day, Light::Evening, Light::Cloudy, Light::Cloudy];
        Self {
            name: "stranger",
            roles: vec![Role {
                looks: "stranger",
                costume: "stranger",
                seed,
                place: V3::ZERO,
                facing: 0.0,
                spirit: 1.0,
                speaks: false,
                is_stranger: true,
            }],
            voice: Voice {
                name: "",
                rate: 0,
                pitch: 0,
            },
            text: "",
            secs: 1.0,
            light: lights[(4.0 * dice.any()) as usize % 4],
            room: seed % 16,
            has_microphone: false,
        }
    }
}

/// How a stranger looks, and what they wear.
pub(crate) fn dressed(seed: u32, n_modes: usize) -> (Looks, Costume) {
    let mut dice = Dice::new(seed, 2);
    let identity: Vec<f32> = (0..n_modes)
        .map(|_| (0.8 * dice.normal()).clamp(-2.0, 2.0))
        .collect();
    let melanin = dice.any().powf(1.5);
    let is_grey = dice.one_in(5.0);
    let dark = v3(0.014, 0.010, 0.008);
    let fair = v3(0.20, 0.13, 0.07);
    let grey = v3(0.25, 0.25, 0.25);
    let shade = dice.any() * (1.0 - melanin);
    let hair = if is_grey {
        grey
    } else {
        mix3(dark, fair, shade)
    };
    let is_shaven = dice.one_in(2.0);
    let looks = Looks {
        seed,
        melanin,
        redness: dice.any(),
        freckles: (dice.any() - 0.6).max(0.0),
        stubble: if is_shaven { 0.0 } else { dice.any() },
        make_up: if is_shaven { dice.any() } else { 0.0 },
        lines: dice.any(),
        brow: hair * 0.9,
        brow_thickness: dice.between(0.6, 1.3),
        lash_length: dice.between(0.5, 1.1),
        iris: mix3(v3(0.04, 0.022, 0.012), v3(0.12, 0.18, 0.26), shade),
        identity: identity.clone(),
    };
    let styles = [HairStyle::Short, HairStyle::Long, HairStyle::Back];
    let costume = Costume {
        seed: seed ^ 0x55,
        cut_for: identity,
        hair: styles[(3.0 * dice.any()) as usize % 3],
        hair_colour: hair,
        cloth: v3(dice.any(), dice.any(), dice.any()) * 0.4,
        knit: dice.any(),
    };
    (looks, costume)
}

/// Expressions of both sides.
const SIDED: [&str; 16] = [
    "browDown",
    "browInnerUp",
    "browOuterUp",
    "cheekPuff",
    "cheekSquint",
    "eyeBlink",
    "eyeSquint",
    "eyeWide",
    "mouthDimple",
    "mouthFrown",
    "mouthLowerDown",
    "mouthPress",
    "mouthSmile",
    "mouthStretch",
    "mouthUpperUp",
    "noseSneer",
];
/// Expressions of the whole jaw or mouth.
const WHOLE: [&str; 13] = [
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthFunnel",
    "mouthLeft",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
];
/// Of how many expressions one is used.
const ONE_OF: f32 = 5.0;
/// Of how many acts one is calm.
const CALM_OF: f32 = 4.0;

/// What a stranger does, act by act.
pub(crate) fn acts(head: &Head, seed: u32) -> Vec<Moment> {
    let act = |n: u32| {
        let mut dice = Dice::new(seed, 100 + n);
        Moment {
            yaw: (0.28 * dice.normal()).clamp(-0.8, 0.8),
            pitch: (0.15 * dice.normal()).clamp(-0.4, 0.4),
            roll: (0.12 * dice.normal()).clamp(-0.4, 0.4),
            shift: v3(
                dice.between(-3.0, 3.0),
                dice.between(-3.0, 3.0),
                dice.between(-25.0, 5.0),
            ),
            gaze: [dice.between(-0.45, 0.45), dice.between(-0.3, 0.3)],
            weights: weights(head, &mut dice),
        }
    };
    (0..N_ACTS).map(act).collect()
}

fn weights(head: &Head, dice: &mut Dice) -> Vec<f32> {
    let mut weights = vec![0.0; head.names.len()];
    if dice.one_in(CALM_OF) {
        return weights;
    }
    let mut set = |name: &str, weight: f32| {
        if let Some(i) = head.expression(name) {
            weights[i] = weight;
        }
    };
    for name in SIDED {
        let (is_used, weight) = (dice.one_in(ONE_OF), dice.any().powf(0.8));
        let (alone, other) = (dice.any(), dice.any());
        if is_used {
            let [left, right] = match alone {
                a if a < 0.15 => [weight, 0.0],
                a if a < 0.3 => [0.0, weight],
                a if a < 0.4 => [weight, weight * other],
                _ => [weight, weight],
            };
            set(&format!("{name}_L"), left);
            set(&format!("{name}_R"), right);
        }
    }
    for name in WHOLE {
        let (is_used, weight) = (dice.one_in(ONE_OF), dice.any().powf(0.8));
        if is_used {
            set(name, weight);
        }
    }
    without_contradictions(head, &mut weights);
    weights
}

/// A jaw does not go left and right at once, nor is an eye shut and wide.
fn without_contradictions(head: &Head, weights: &mut [f32]) {
    let at = |name: &str| head.expression(name);
    for (kept, gone) in [
        ("jawLeft", "jawRight"),
        ("mouthLeft", "mouthRight"),
        ("eyeBlink_L", "eyeWide_L"),
        ("eyeBlink_R", "eyeWide_R"),
        ("mouthSmile_L", "mouthFrown_L"),
        ("mouthSmile_R", "mouthFrown_R"),
        ("mouthPucker", "mouthStretch_L"),
        ("mouthPucker", "mouthStretch_R"),
        ("mouthPucker", "mouthFunnel"),
    ] {
        if let (Some(kept), Some(gone)) = (at(kept), at(gone))
            && weights[kept] > 0.0
        {
            weights[gone] = 0.0;
        }
    }
    if let (Some(close), Some(open)) = (at("mouthClose"), at("jawOpen")) {
        weights[close] = weights[close].min(weights[open]);
    }
}
