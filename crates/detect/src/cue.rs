//! The cues, one file each.
//!
//! A cue is a struct that takes observations in order and keeps a few numbers a second; `finish` makes
//! a [`crate::reading::Reading`] of them. A cue that cannot judge says why and gives no numbers.

pub mod blending;
pub mod compression;
pub mod identity;
pub mod light;
pub mod movement;
pub mod noise;
pub mod pulse;
pub mod speech;
pub mod splice;
pub mod synthesis;

use crate::finding::Cue;
use crate::reading::Measure;

/// What each cue measures; nothing for those that need no calibration.
pub fn measures(cue: Cue) -> &'static [Measure] {
    match cue {
        Cue::Blending => blending::MEASURES,
        Cue::Noise => noise::MEASURES,
        Cue::Compression => compression::MEASURES,
        Cue::Synthesis => synthesis::MEASURES,
        Cue::Identity => identity::MEASURES,
        Cue::Movement => movement::MEASURES,
        Cue::Light => light::MEASURES,
        Cue::Pulse => pulse::MEASURES,
        Cue::Speech => speech::MEASURES,
        _ => &[],
    }
}
