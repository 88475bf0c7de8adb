//! The skin's texture and the footage's grain, which a drawn face takes over from the face it
//! replaces.
//!
//! A model draws no detail finer than its own pixels. What the footage shows below that size, up to
//! the strength of pores and noise, is kept; what is stronger belongs to a feature or to an edge,
//! and would show twice.

use effigy_frame::Plane;

use crate::mask::blur;

/// Detail finer than this many pixels of the drawn crop is kept.
const FINER_PX: f32 = 0.8;
/// Texture is at most this many times as strong as the median; the second around the eyes, where lids
/// lie on lids and glasses are worn.
const STRONGEST: [f32; 2] = [2.5, 12.0];
/// The median is taken of every pixel in this many.
const STEP: usize = 5;

/// The texture of `luma`, held to what is common under `mask`. A pixel of the crop covers `scale`
/// pixels of it; `eyes` is the share of each that lies around the eyes.
pub(crate) fn texture(luma: Plane, scale: f32, mask: &[[f32; 1]], eyes: &[[f32; 1]]) -> Plane {
    let reach = ((FINER_PX * scale).round() as usize).max(1);
    // What is coarser than a pixel of the crop was drawn; what is finer could not be.
    let coarse = blur(&luma, reach);
    let mut fine = luma;
    let pairs = fine.values_mut().iter_mut().zip(coarse.values());
    pairs.for_each(|(fine, coarse)| *fine -= coarse);
    let inside = fine.values().iter().zip(mask).step_by(STEP);
    let mut strengths: Vec<f32> = inside
        .filter(|(_, [weight])| 0.5 < *weight)
        .map(|(fine, _)| fine.abs())
        .collect();
    let median = match strengths.len() {
        0 => 0.0,
        n => *strengths.select_nth_unstable_by(n / 2, f32::total_cmp).1,
    };
    let values = fine.values_mut().iter_mut().zip(eyes);
    // Stronger detail is an edge of the performer's face, and would show beside the drawn one.
    values.for_each(|(fine, [eyes])| {
        let most = median * (STRONGEST[0] + eyes * (STRONGEST[1] - STRONGEST[0]));
        *fine = fine.clamp(-most, most);
    });
    fine
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey with every other pixel brighter by `strength`.
    fn specked(strength: f32) -> Plane {
        let value = |i: usize| 100.0 + strength * ((i % 60 + i / 60) % 2) as f32;
        Plane::new(60, 60, (0..3600).map(value).collect())
    }

    #[test]
    fn pores_are_kept_and_slopes_are_not() {
        let fine = texture(specked(6.0), 3.0, &[[1.0]; 3600], &[[0.0]; 3600]);
        let spread = fine.get(30, 30) - fine.get(31, 30);
        assert!((spread.abs() - 6.0).abs() < 0.5, "{spread}");
        let slope = Plane::new(60, 60, (0..3600).map(|i| 2.0 * (i % 60) as f32).collect());
        let fine = texture(slope, 3.0, &[[1.0]; 3600], &[[0.0]; 3600]);
        assert!((10..50).all(|x| fine.get(x, 30).abs() < 0.01));
    }

    #[test]
    fn edge_is_held_to_the_strength_of_pores() {
        let mut picture = specked(4.0);
        (0..60).for_each(|y| picture.values_mut()[y * 60 + 30] = 0.0);
        let fine = texture(picture, 3.0, &[[1.0]; 3600], &[[0.0]; 3600]);
        let strongest = fine.values().iter().map(|v| v.abs()).fold(0.0, f32::max);
        assert!(strongest < 12.0, "{strongest}"); // the edge has 100 levels
    }

    #[test]
    fn rim_of_glasses_is_kept_around_the_eyes() {
        let mut picture = specked(4.0);
        (0..60).for_each(|y| picture.values_mut()[y * 60 + 30] = 120.0);
        let [aside, around] = [0.0, 1.0].map(|eyes| {
            let fine = texture(picture.clone(), 3.0, &[[1.0]; 3600], &[[eyes]; 3600]);
            fine.get(30, 31)
        });
        assert!(aside < 7.0 && 12.0 < around, "{aside} {around}");
    }

    #[test]
    fn clean_footage_has_no_texture() {
        let fine = texture(
            Plane::filled(60, 60, 90.0),
            3.0,
            &[[1.0]; 3600],
            &[[0.0]; 3600],
        );
        assert!((10..50).all(|x| fine.get(x, 30).abs() < 1e-3));
    }
}
