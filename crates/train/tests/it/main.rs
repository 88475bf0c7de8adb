//! What may be learned, and from whom.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

mod consent;
mod driver;
mod studio;
