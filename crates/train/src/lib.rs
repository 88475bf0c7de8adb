//! Training a face model: faces → augment → loss → run → checkpoint.
//!
//! [`FaceSet`] holds the faces of one person; [`train()`] is the whole run and takes the consent of
//! each person in a [`ConsentedSet`]; [`train_driver`] learns how one of them moves; [`train_base`] makes the base that face models start from.
//! Shapes are `[n, channel, y, x]`; colour is sRGB scaled to `0..=1`. The same faces, settings and
//! seed give the same bytes on the CPU, interrupted or not.

mod adam;
mod appearance;
mod augment;
mod base_training;
mod centroids;
mod checkpoint;
mod consented;
mod driver;
mod error;
mod expression;
mod faces;
mod folder;
mod gradients;
mod judge;
mod loss;
mod normal;
mod run;
mod schedule;
mod settings;
mod start;
pub mod testing;
mod warp;

pub use base_training::{BaseSet, FEWEST_PEOPLE, train_base};
pub use consented::{ConsentedSet, train};
pub use driver::{ConsentedMoves, DriverSettings, Moves, train_driver};
pub use error::{Error, Result};
pub use faces::FaceSet;
pub use settings::{Budget, Outcome, Report, Settings, Size};
