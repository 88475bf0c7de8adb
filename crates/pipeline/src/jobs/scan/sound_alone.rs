//! A file with sound and without a picture: who speaks when, and what its marks say.

use std::path::PathBuf;

use effigy_detect::report::Footing;
use effigy_detect::{Calibration, Report};
use effigy_mark::Report as Marks;
use effigy_media::probe;

use super::{ScanJob, claims, footing, hash, marks, voice};
use crate::error::Result;
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;
use crate::steps::voices::listen;

/// Tells what is heard of the file at `path`, in which there is no picture.
pub(super) fn scan(
    job: &ScanJob,
    path: PathBuf,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<Report> {
    let info = probe(&path, &job.limits)?;
    if info.audio.is_none() {
        return Err(effigy_media::Error::NoVideo { path }.into());
    }
    let sha256 = hash(job)?;
    let marks = match marks(job) {
        // Nothing is written in it, and there is no picture that could carry a watermark.
        Err(error) if error.reason() == NOT_READABLE => unmarked(path),
        marks => marks?,
    };
    let recording = listen(&job.input, &job.limits, &networks.voices()?, progress)?;
    let scale = networks.weights.voice_scale();
    let known = job.voice.as_ref();
    let footing = Footing {
        sha256: Some(sha256),
        marks: Some(marks),
        claims: claims(&info),
        duration_secs: recording.secs,
        voice: known.map(|known| voice::compare(known, &recording, &scale)),
        heard: Some(voice::heard(&recording)),
        ..footing(job, networks)
    };
    let calibration = Calibration::built_in(&networks.weights);
    Ok(Report::of(footing, Vec::new(), &calibration))
}

/// What `effigy_mark` gives as the reason for a file without marks that holds no picture either.
const NOT_READABLE: &str = "not-readable";

fn unmarked(path: PathBuf) -> Marks {
    Marks {
        unreadable: Some("there is no picture".to_owned()),
        file: path,
        marked: false,
        watermark: None,
        watermark_fits: None,
        credentials: None,
        foreign: Vec::new(),
        label: None,
    }
}
