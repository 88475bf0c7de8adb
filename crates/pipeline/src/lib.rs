//! The jobs: steps in order, progress and cancelling.
//!
//! Each job is one struct of settings and one function that runs it to the end. Jobs report to a
//! [`Progress`] and stop cleanly when it says so; what they write appears only when complete.
//! `jobs` holds one file for each, `steps` what they share.

mod error;
mod jobs;
mod steps;

pub use effigy_frame::{Rational, TimeRange};
/// Who somebody is, as numbers.
pub use effigy_model::Identity;
/// Which device the user asked for.
pub use effigy_model::device::{Choice, list as devices};
pub use effigy_model::face_model::store::Start;
/// Where weights come from.
pub use effigy_model::weights::{BuiltIn, Weights};
/// What a recording tells besides words.
pub use effigy_sound as sound;
pub use error::{Error, Result};
pub use jobs::bench::{BenchJob, BenchReport, bench};
pub use jobs::compare::{MatchJob, MatchReport, match_faces};
pub use jobs::compare_voices::{VoiceMatchJob, VoiceMatchReport, match_voices};
pub use jobs::demo::{DemoJob, DemoReport, demo};
pub use jobs::faces::{FacesJob, FacesReport, faces};
pub use jobs::mark::{MarkJob, mark};
pub use jobs::puppet::{Puppet, PuppetJob, puppet};
pub use jobs::scan::batch::{BatchJob, Scanned, scan_all};
pub use jobs::scan::{ScanJob, scan, scan_footage};
pub use jobs::speak::{SpeakJob, Spoken, speak};
pub use jobs::swap::{SwapJob, swap};
pub use jobs::track::{TrackJob, TrackReport, track};
pub use jobs::train::{Subject, TrainJob, train};
pub use jobs::{
    bench, compare, compare_voices, faces, mark, puppet, scan, speak, swap, track, train,
};
pub use steps::consent::{self, Safeguards};
pub use steps::damage::{Damage, DamagedPlace, REMEDY};
pub use steps::footage::{Followed, Follower};
pub use steps::inputs::{files_of, is_frames};
pub use steps::likeness::{MatchLikeness, MatchVerdict, PRIOR};
pub use steps::making::Made;
pub use steps::networks::Networks;
pub use steps::progress::{Progress, Quiet};
pub use steps::quality::{
    Figure, GroundTruth, Likeness, MovedQuality, MovedTruth, Quality, Region, SpokenQuality, Target,
};
pub use steps::voices;
