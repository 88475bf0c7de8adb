//! Files in, frames out, and back, with everything that real files get wrong.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and write nothing synthetic of anybody"
)]

mod animations;
mod broken;
mod clips;
mod clocks;
mod colours;
mod fuzz;
mod pictures;
#[path = "../../../../testdata/proof.rs"]
mod proof;
mod real;
mod rounds;
mod sound;
mod stills;
mod tracks;
mod write;
