//! What is fitted rather than trained: the mean mesh, how people move, how cues are weighed,
//! faces of nobody, filters that know makers, what recordings do to voices, and how lips follow phones.

pub(crate) mod fuse;
pub(crate) mod mean_mesh;
pub(crate) mod motion_signature;
pub(crate) mod rig;
pub(crate) mod speech;
pub(crate) mod strangers;
pub(crate) mod traces;
pub(crate) mod voices;
