//! Consent: who agreed to what, for whom, and until when.
//!
//! A [`Record`] is signed as a JSON Web Signature and kept in a [`Store`]. [`require`] checks the
//! records of all people concerned and is the only source of a [`Token`]; training and marked
//! writing take the token as an argument, so that no program compiles that skips the check.

mod export;
mod jws;
mod likeness;
mod record;
mod require;
mod sealed;
mod store;
mod template;
mod templates;
mod voice;

pub use export::{Foreign, read_export};
pub use likeness::{Likeness, Portrait, Speech};
pub use record::{Audience, Basis, Draft, Evidence, Id, Record, Use};
pub use require::{Claim, Match, Purpose, Seen, Token, check_standing, require};
pub use store::{Listed, Standing, Store};
pub use template::{IDENTITY_LENGTH, Template};
pub use templates::{Covered, Templates};
pub use voice::{VOICE_LENGTH, VoiceTemplate};

#[cfg(test)]
mod tests;
