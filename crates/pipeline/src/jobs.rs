//! One file a job: a struct of settings and a function that runs it to the end.

pub mod bench;
pub mod compare;
pub mod compare_voices;
pub(crate) mod demo;
pub mod faces;
pub mod mark;
pub mod puppet;
pub mod scan;
pub mod speak;
pub mod swap;
pub mod track;
pub mod train;
