//! How sure it is that something is a face, when several networks were asked.

/// What the search said of a face and what the mesh network says of it, as one score, `0..=1`.
///
/// A presence of less than 0.9999 takes something off the search's odds, but not much: what is taken for a
/// face by mistake seldom has as much, and nor have profiles and dark glasses.
pub fn credibility(score: f32, presence: f32) -> f32 {
    let absence = (1.0 - presence).max(LEAST_ABSENCE);
    logistic(logit(score) - PRESENCE_WEIGHT * (absence / LEAST_ABSENCE).ln())
}

/// What the mesh network still leaves open of the surest faces.
const LEAST_ABSENCE: f32 = 1e-4;
/// Of the logarithm of how much more it leaves open, what counts.
const PRESENCE_WEIGHT: f32 = 0.067;

/// The logarithm of a score's odds, bounded.
pub(super) fn logit(score: f32) -> f32 {
    let bounded = score.clamp(1e-3, 0.999);
    (bounded / (1.0 - bounded)).ln()
}

/// The score whose odds have this logarithm.
pub(super) fn logistic(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mesh_that_is_sure_leaves_the_score_as_it_is() {
        assert!((credibility(0.9, 1.0) - 0.9).abs() < 1e-4);
        assert!((credibility(0.9, 0.9999) - 0.9).abs() < 1e-3);
        assert!(credibility(0.9, 0.05) < credibility(0.9, 0.9));
    }
}
