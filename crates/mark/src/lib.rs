//! Consent before, marks after: nothing synthetic leaves unmarked.
//!
//! [`consent::require`] gives the token without which nothing is trained or written;
//! [`MarkedWriter`] is the only encoder of rendered frames. It labels, watermarks, encodes, signs,
//! verifies what it wrote, and only then gives the file its name.

pub mod consent;
mod credentials;
mod error;
mod files;
pub mod keys;
pub mod label;
pub mod moment;
mod writer;

pub use credentials::{Action, Credentials, State};
pub use error::{Error, Result};
pub use keys::Keys;
pub use moment::Moment;
pub use writer::{Marked, MarkedWriter, Policy, write_marked_picture};
