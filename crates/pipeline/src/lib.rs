//! The jobs: steps in order, progress and cancelling.
//!
//! Each job is one struct of settings and one function that runs it to the end. Jobs report to a
//! [`Progress`] and stop cleanly when it says so.

mod error;
mod progress;

pub use error::{Error, Result};
pub use progress::{Progress, Quiet};
