//! Faces over time: what is taken of a frame, who is shown what, and what is kept for the eye.

pub mod evidence;
mod material;
mod scanner;
mod track;
mod unfit;

pub use scanner::{ScanSettings, Scanner};
pub use track::{AnalysedTrack, measures};
pub use unfit::Unfit;
