//! What is heard, against the numbers of the programs that the networks were taken from.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod listen;
mod peers;
