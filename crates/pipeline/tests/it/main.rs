//! The jobs, run whole: on drawn people, on bad input and, where the data are there, on real ones.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod actors;
mod chain;
mod covered;
mod faces;
mod heads;
mod portraits;
#[path = "../../../../testdata/proof.rs"]
mod proof;
mod puppet;
mod replica;
mod rig;
mod scan;
mod speak;
mod studio;
mod voices;
