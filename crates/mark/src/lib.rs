//! Consent before, marks after: nothing synthetic leaves unmarked.
//!
//! [`consent::require`] gives the token without which nothing is trained or written;
//! [`MarkedWriter`] is the only encoder of rendered frames. It labels, watermarks, encodes, signs,
//! verifies what it wrote, and only then gives the file its name.

mod apart;
pub mod consent;
mod credentials;
mod error;
mod external;
mod files;
mod foreign;
mod frames;
pub mod keys;
pub mod label;
pub mod log;
mod utc_time;
mod verify;
pub mod watermark;
mod writer;
mod xmp;

pub use apart::{Apart, answer, verify_apart};
pub use credentials::{
    Action, BrokenIngredient, Credentials, ModelName, Reason, State, Trust, media_type,
};
pub use error::{Error, Result};
pub use external::mark_file;
/// Names a file by what is in it.
pub use foreign::Foreign;
pub use frames::{MarkedFrames, mark_frames, mark_frames_as_video};
pub use keys::Keys;
pub use utc_time::{Clock, NotADate, UtcTime};
pub use verify::{Report, Search, has_certificate, read_credentials, verify, verify_quickly};
pub use writer::{Marked, MarkedWriter, Policy, write_marked_edit, write_marked_picture};
