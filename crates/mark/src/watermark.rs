//! The imperceptible watermark: 64 bits in luma, read without the original.
//!
//! The mark is a sum of waves (`carrier`) that repeats over the picture, drawn where the eye
//! forgives it (`forgiven`) and strongest where the picture would drown it (`embed`, `pen`). The bits are coded
//! against errors (`code`); the detector (`detect`) folds all repetitions and all frames into one
//! square, so that what one place or frame loses another still has, and tries many scales and all
//! shifts, so that cropping does not hide the mark.

mod carrier;
mod code;
mod detect;
mod embed;
mod field;
mod forgiven;
mod pen;
mod spectrum;

pub use detect::{Detector, Found};
pub use embed::Embedder;

#[cfg(test)]
mod tests;
