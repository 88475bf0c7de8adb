//! Consent before, marks after: nothing synthetic leaves unmarked.
//!
//! [`consent::require`] gives the token without which nothing is trained or written;
//! [`MarkedWriter`] is the only encoder of rendered frames. It labels, watermarks, encodes, signs,
//! verifies what it wrote, and only then gives the file its name.

pub mod consent;
mod credentials;
mod elsewhere;
mod error;
mod files;
mod foreign;
pub mod keys;
pub mod label;
pub mod log;
pub mod moment;
mod verify;
pub mod watermark;
mod writer;
mod xmp;

pub use credentials::{Action, Credentials, State};
pub use elsewhere::mark_file;
pub use error::{Error, Result};
/// Names a file by what is in it.
pub use foreign::Foreign;
pub use keys::Keys;
pub use moment::{Clock, Moment};
pub use verify::{Report, Trust, read_credentials, verify};
pub use writer::{Marked, MarkedWriter, Policy, write_marked_picture};
