//! What changes over a training: how hard faces are changed, and how fast is learned.
//!
//! Both depend on the share of the budget that is used up, 0 to 1.

use crate::augment::Strength;

/// Share of the budget after which faces are no longer warped.
const WARP_UNTIL: f64 = 0.65;
/// Share of the faces that are shown with another person's appearance.
const AUGMENTED: f32 = 0.5;
/// Share of the budget after which the rate falls.
const FALL_FROM: f64 = 0.5;
/// What the rate falls to, as a share of the largest.
const FALL_TO: f64 = 0.05;
/// Steps over which the rate rises at the start.
const RISE_STEPS: f64 = 50.0;

/// Warps and mirrors early; late, draws what is really there.
pub(crate) fn strength(done: f64) -> Strength {
    let left = (1.0 - done / WARP_UNTIL).clamp(0.0, 1.0) as f32;
    let is_early = done < WARP_UNTIL;
    Strength {
        warp: (2.0 * left).min(1.0),
        mirror: if is_early { 0.3 } else { 0.0 },
        colour: if is_early { 1.0 } else { 0.4 },
        appearance: AUGMENTED,
    }
}

/// Rises quickly, stays, and falls along half a cosine.
pub(crate) fn rate(step: u64, done: f64) -> f64 {
    let rise = ((step + 1) as f64 / RISE_STEPS).min(1.0);
    let falling = ((done - FALL_FROM) / (1.0 - FALL_FROM)).clamp(0.0, 1.0);
    let fall = FALL_TO + (1.0 - FALL_TO) * 0.5 * (1.0 + (std::f64::consts::PI * falling).cos());
    rise * fall
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_rises_stays_and_falls() {
        assert!(rate(0, 0.0) < 0.05);
        assert_eq!(rate(1000, 0.3), 1.0);
        assert!((rate(1000, 1.0) - FALL_TO).abs() < 1e-9);
    }
}
