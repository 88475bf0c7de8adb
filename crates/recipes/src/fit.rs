//! What is fitted rather than trained: the mean mesh, and how cues are weighed.

pub(crate) mod fuse;
pub(crate) mod mean_mesh;
