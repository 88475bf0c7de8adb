//! Files in, frames out, and back, with everything that real files get wrong.

mod broken;
mod clips;
mod colours;
mod fuzz;
mod pictures;
mod real;
mod rounds;
mod sound;
mod write;
