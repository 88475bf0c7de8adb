//! Files that were marked, read again whole, changed and hostile.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

mod hostile;
mod marking;
#[path = "../../../../testdata/proof.rs"]
mod proof;
