//! Training a face model: faces → augment → loss → run → checkpoint.
//!
//! [`FaceSet`] holds what is known of a person, [`train`] is the whole run; it takes the consent of
//! everyone in a [`Lesson`]. Shapes are `[n, channel, y, x]`; colour is sRGB scaled to `0..=1`. The
//! same faces, settings and seed give the same bytes on the CPU, interrupted or not.

mod acts;
mod adam;
mod augment;
mod bend;
mod centres;
mod checkpoint;
mod crowd;
mod disguise;
mod error;
mod faces;
mod folder;
mod gradients;
mod judge;
mod lesson;
mod loss;
mod normal;
mod run;
mod schedule;
mod settings;
mod start;
pub mod testing;

pub use crowd::{Crowd, FEWEST_PEOPLE, train_base};
pub use error::{Error, Result};
pub use faces::{FEWEST_FACES, FaceSet, wide_side};
pub use lesson::{Lesson, train};
pub use settings::{Budget, Outcome, Report, Settings, Size};
