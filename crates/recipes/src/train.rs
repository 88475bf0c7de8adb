//! The trainings of the networks, and what they are shown.

pub(crate) mod acts;
pub(crate) mod augment;
pub(crate) mod base_model;
mod batches;
pub(crate) mod blending;
pub(crate) mod finder;
mod mosaic;
mod negatives;
pub(crate) mod occluders;
pub(crate) mod occlusion;
mod pose_augmentation;
pub(crate) mod preview;
pub(crate) mod run;
pub(crate) mod self_blend;
