//! Judging: a cue per thing looked at, over time, fused into a verdict, told in a report.
//!
//! Frames with their faces go into a [`Scanner`] in presentation order; each face's [`Watch`]
//! shows them to the cues, which keep sums and no pictures. At the end every cue gives a
//! [`Finding`]: a score with where, when and one sentence, or the reason why it could not judge.
//! [`Report`] tells them for a file. Nothing here depends on what makes fakes.

pub mod blocks;
pub mod calibration;
pub mod container;
pub mod cue;
mod error;
pub mod exhibit;
pub mod finding;
pub mod fuse;
pub mod matter;
pub mod person;
pub mod reading;
pub mod report;
pub mod scanner;
mod series;
pub mod spectrum;
pub mod unfit;

pub use calibration::Calibration;
pub use error::{Error, Result};
pub use finding::{Cue, Evidence, Finding, Moment, Outcome, Place, Span};
pub use fuse::{Fused, fuse};
pub use person::Person;
pub use report::{FaceReport, Report, Verdict};
pub use scanner::{Judges, ScanSettings, Scanner, Watch, Watched};
pub use unfit::Unfit;
