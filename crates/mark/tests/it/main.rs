//! Files that were marked here and signed elsewhere, read again whole, changed and hostile.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

mod credentials;
mod hostile;
mod maker;
mod marking;
mod originals;
#[path = "../../../../testdata/proof.rs"]
mod proof;
mod reposted;
mod stamps;
