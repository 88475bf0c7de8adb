//! The imperceptible watermark: 64 bits in luma, read without the original.
//!
//! The mark is a spread-spectrum pattern (`spread_spectrum`): a sum of waves that repeats over the
//! picture. It is scaled by a perceptual mask (`perceptual_mask`), so that it stays where the eye
//! does not notice it, and each wave is made strong enough to be told from the picture (`embedder`);
//! `dither` adds it to the pixels. All of this happens on luma at a canonical size
//! (`canonical_luma`). The bits carry an error-correcting code (`code`). The detector (`detect`)
//! folds all repetitions and all frames into one square, so that what is lost in one place or frame
//! survives in another. `search` finds it in pictures that were cropped, turned, mirrored or put into
//! others: it guesses how they lie (`place`), and correlates the waves that a part of them holds
//! (`window_spectrum`) with those of known sign (`correlation`).

mod blur;
mod canonical_luma;
mod code;
mod correlation;
mod detect;
mod dither;
mod embedder;
mod perceptual_mask;
mod place;
mod plane;
mod search;
mod spectrum;
mod spread_spectrum;
mod window_spectrum;

pub use detect::{Detector, Found, Try};
pub use embedder::Embedder;

#[cfg(test)]
mod tests;
