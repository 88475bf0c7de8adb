//! The pages, one file each, and what they share.

pub(crate) mod check;
pub(crate) mod jobs;
pub(crate) mod layout;
mod report;
