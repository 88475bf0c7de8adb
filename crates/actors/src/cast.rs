//! Who plays: the looks of each actor, and what belongs to the costume.

use super::error::{Error, Result};
use super::space::{V3, v3};

/// What a head is born with and what is painted onto its skin.
#[derive(Clone, Debug)]
pub(crate) struct Looks {
    pub(crate) seed: u32,
    pub(crate) identity: Vec<f32>,
    /// 0 pale, 1 very dark.
    pub(crate) melanin: f32,
    /// 0 sallow, 1 ruddy.
    pub(crate) redness: f32,
    pub(crate) freckles: f32,
    pub(crate) stubble: f32,
    pub(crate) make_up: f32,
    /// Lines of age.
    pub(crate) lines: f32,
    /// Of the brows, in linear light.
    pub(crate) brow: V3,
    pub(crate) brow_thickness: f32,
    pub(crate) lash_length: f32,
    pub(crate) iris: V3,
}

/// How hair is worn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HairStyle {
    /// Combed forward and to the side, short at the sides.
    Short,
    /// Parted, falling to the shoulders.
    Long,
    /// Combed back.
    Back,
}

/// What a swap leaves alone: hair and clothes.
#[derive(Clone, Debug)]
pub(crate) struct Costume {
    pub(crate) seed: u32,
    /// Identity of whom it was made for.
    pub(crate) cut_for: Vec<f32>,
    pub(crate) hair: HairStyle,
    pub(crate) hair_colour: V3,
    pub(crate) cloth: V3,
    pub(crate) knit: f32,
}

/// The actors that can be asked for.
const NAMES: [&str; 4] = ["ada", "ben", "cleo", "dan"];

/// Gives an actor's looks and own costume.
pub(crate) fn actor(name: &'static str) -> Result<(Looks, Costume)> {
    match name {
        "ada" => Ok(ada()),
        "ben" => Ok(ben()),
        "cleo" => Ok(cleo()),
        "dan" => Ok(dan()),
        _ => Err(Error::UnknownActor {
            name,
            known: &NAMES,
        }),
    }
}

fn ada() -> (Looks, Costume) {
    let looks = Looks {
        seed: 11,
        identity: vec![
            1.7, -0.5, 0.35, -0.5, 0.3, 0.9, 0.4, 0.5, -0.2, 0.4, 0.3, -0.3,
        ],
        melanin: 0.2,
        redness: 0.5,
        freckles: 0.45,
        stubble: 0.0,
        make_up: 0.6,
        lines: 0.15,
        brow: v3(0.05, 0.030, 0.018),
        brow_thickness: 0.7,
        lash_length: 1.0,
        iris: v3(0.10, 0.16, 0.15),
    };
    let costume = Costume {
        cut_for: looks.identity.clone(),
        seed: 21,
        hair: HairStyle::Long,
        hair_colour: v3(0.085, 0.043, 0.022),
        cloth: v3(0.06, 0.11, 0.17),
        knit: 0.8,
    };
    (looks, costume)
}

fn ben() -> (Looks, Costume) {
    let looks = Looks {
        seed: 12,
        identity: vec![
            -0.9, 0.25, 0.3, 0.3, 0.5, -0.3, -0.5, 0.4, 0.5, -0.4, 0.2, 0.4,
        ],
        melanin: 0.42,
        redness: 0.4,
        freckles: 0.05,
        stubble: 0.75,
        make_up: 0.0,
        lines: 0.5,
        brow: v3(0.018, 0.013, 0.010),
        brow_thickness: 1.15,
        lash_length: 0.75,
        iris: v3(0.065, 0.034, 0.016),
    };
    let costume = Costume {
        cut_for: looks.identity.clone(),
        seed: 22,
        hair: HairStyle::Short,
        hair_colour: v3(0.018, 0.013, 0.010),
        cloth: v3(0.28, 0.27, 0.25),
        knit: 0.25,
    };
    (looks, costume)
}

fn cleo() -> (Looks, Costume) {
    let looks = Looks {
        seed: 13,
        identity: vec![
            1.4, 0.4, -1.6, -0.3, -0.2, 0.8, 0.5, -0.4, -0.4, 0.3, -0.5, 0.2,
        ],
        melanin: 0.78,
        redness: 0.35,
        freckles: 0.0,
        stubble: 0.0,
        make_up: 0.4,
        lines: 0.2,
        brow: v3(0.012, 0.010, 0.009),
        brow_thickness: 0.8,
        lash_length: 1.0,
        iris: v3(0.04, 0.022, 0.012),
    };
    let costume = Costume {
        cut_for: looks.identity.clone(),
        seed: 23,
        hair: HairStyle::Back,
        hair_colour: v3(0.011, 0.009, 0.008),
        cloth: v3(0.30, 0.06, 0.05),
        knit: 0.5,
    };
    (looks, costume)
}

fn dan() -> (Looks, Costume) {
    let looks = Looks {
        seed: 14,
        identity: vec![
            -0.6, -0.9, 1.3, 0.2, 0.6, -0.2, 0.3, -0.5, 0.4, 0.2, 0.4, -0.2,
        ],
        melanin: 0.1,
        redness: 0.75,
        freckles: 0.3,
        stubble: 0.35,
        make_up: 0.0,
        lines: 0.8,
        brow: v3(0.12, 0.075, 0.04),
        brow_thickness: 0.9,
        lash_length: 0.6,
        iris: v3(0.12, 0.18, 0.26),
    };
    let costume = Costume {
        cut_for: looks.identity.clone(),
        seed: 24,
        hair: HairStyle::Short,
        hair_colour: v3(0.20, 0.13, 0.07),
        cloth: v3(0.05, 0.055, 0.06),
        knit: 0.4,
    };
    (looks, costume)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_cast_is_an_actor() {
        for name in NAMES {
            assert!(actor(name).is_ok(), "{name}");
        }
        assert!(actor("nobody").is_err());
    }
}
