//! Training a face model: faces → augment → loss → run → checkpoint.
//!
//! [`FaceSet`] holds what is known of a person, [`train`] is the whole run. Shapes are
//! `[n, channel, y, x]`; colour is sRGB scaled to `0..=1`. The same faces, settings and seed give
//! the same bytes on the CPU, interrupted or not.

mod adam;
mod augment;
mod checkpoint;
mod error;
mod faces;
mod gradients;
mod loss;
mod normal;
mod run;
mod start;
pub mod testing;

pub use error::{Error, Result};
pub use faces::{FEWEST_FACES, FaceSet, wide_side};
pub use run::{Budget, Outcome, Report, Settings, Size, train};
