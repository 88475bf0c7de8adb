//! What is fitted rather than trained: the mean mesh, how people move, and how cues are weighed.

pub(crate) mod fuse;
pub(crate) mod mean_mesh;
pub(crate) mod motion_signature;
