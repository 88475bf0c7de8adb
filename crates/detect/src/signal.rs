//! What is computed of pixels and of numbers over time, whoever asks for it.

pub(crate) mod blocks;
pub(crate) mod series;
pub(crate) mod spectrum;
