//! Consent before, marks after: nothing synthetic leaves unmarked.

pub mod consent;
mod error;
mod files;
pub mod keys;
pub mod moment;

pub use error::{Error, Result};
pub use keys::Keys;
pub use moment::Moment;
