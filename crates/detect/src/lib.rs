//! Judging: a cue per thing looked at, over time, fused into a verdict and put into a report.
//!
//! Frames with their faces go into a [`Scanner`] in presentation order, which shows each face to
//! the [cues](cue). At the end every cue gives a measurement or the reason why it has none; `fuse`
//! weighs them and makes a [note](note::Note) of each, and a [`Report`] gathers them for a file.
//! Nothing here depends on what makes fakes.

pub mod calibration;
pub mod container;
pub mod cue;
mod fuse;
mod kind;
mod measurement;
pub mod motion;
pub mod note;
pub mod observe;
pub mod person;
pub mod report;
mod signal;
pub mod sound;
pub mod verdict;

pub use calibration::Calibration;
pub use cue::interface::{Models, TraceJudge};
pub use kind::CueKind;
pub use observe::{ScanSettings, Scanner, Unfit};
pub use person::Person;
pub use report::{FaceReport, Report};
pub use sound::Sound;
pub use verdict::Verdict;
