//! The jobs: steps in order, progress and cancelling.
//!
//! Each job is one struct of settings and one function that runs it to the end. Jobs report to a
//! [`Progress`] and stop cleanly when it says so; what they write appears only when complete.

pub mod bench;
mod clips;
pub mod consents;
mod demo;
mod draft;
mod error;
pub mod faces;
mod inputs;
pub mod marking;
pub mod matching;
mod memory;
mod networks;
mod preview;
mod progress;
mod quality;
mod safeguards;
pub mod scan;
mod survey;
pub mod swap;
pub mod train;

pub use bench::{BenchJob, BenchReport, bench};
pub use demo::{DemoJob, DemoReport, demo};
/// Which device the user asked for.
pub use effigy_model::device::{Choice, list as devices};
pub use effigy_model::face_model::store::Start;
pub use error::{Error, Result};
pub use faces::{FacesJob, FacesReport, faces};
pub use inputs::Input;
pub use marking::{MarkJob, mark};
pub use matching::{MatchJob, MatchReport, match_faces};
pub use networks::Networks;
pub use progress::{Progress, Quiet};
pub use quality::{Exact, Figure, Likeness, Quality, Region, Target};
pub use safeguards::Safeguards;
pub use scan::batch::{BatchJob, Scanned, scan_all};
pub use scan::{ScanJob, scan, scan_footage};
pub use swap::{SwapJob, SwapReport, swap};
pub use train::{Subject, TrainJob, train};
