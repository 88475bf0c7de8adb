//! The job `scan`: does a face in a file show signs of manipulation, where, when, and how do we
//! know.
//!
//! One loop over the frames; every face goes to the cues of `effigy_detect`. Memory stays at a
//! few frames and a few numbers a second and face.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use effigy_detect::report::{FaceReport, MadeBy, REPORT_VERSION};
use effigy_detect::{Judges, Report, ScanSettings, Scanner, Verdict};
use effigy_face::{TrackSettings, Tracker};
use effigy_frame::{Frame, Picture};
use effigy_media::{Limits, VideoReader};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::faces::follow;
use crate::networks::Networks;
use crate::progress::Progress;

/// Everything that one scan of one file needs.
#[derive(Clone, Debug)]
pub struct ScanJob {
    /// A video or a picture.
    pub input: PathBuf,
    /// Judge only this part of every frame, as if the rest was not there.
    pub window: Option<Window>,
    /// How closely to look.
    pub settings: ScanSettings,
    /// How faces are found and followed.
    pub tracking: TrackSettings,
    /// How much a file may ask of us.
    pub limits: Limits,
}

impl ScanJob {
    /// Scans the whole of `input` with usual settings.
    pub fn new(input: PathBuf) -> Self {
        Self {
            input,
            window: None,
            settings: ScanSettings::default(),
            tracking: TrackSettings::default(),
            limits: Limits::default(),
        }
    }
}

/// A part of a frame, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// Frames to judge, from wherever they come: a file, or one that was changed in memory.
pub struct Footage<'a> {
    /// In presentation order.
    pub frames: Box<dyn Iterator<Item = effigy_media::Result<Frame>> + Send + 'a>,
    /// How many there will be, where that is known.
    pub n_frames: Option<u64>,
}

/// Judges one file.
///
/// # Errors
/// When the file cannot be read to its end, or `progress` asks to stop.
pub fn scan(job: &ScanJob, networks: &Networks, progress: &mut dyn Progress) -> Result<Report> {
    let reader = VideoReader::open(&job.input, &job.limits)?;
    let n_frames = reader.info().video.as_ref().and_then(|video| video.frames);
    let footage = Footage {
        frames: Box::new(reader),
        n_frames,
    };
    let mut report = scan_footage(job, footage, networks, progress)?;
    report.sha256 = Some(sha256_of(&job.input)?);
    Ok(report)
}

/// Judges frames that are there already; cues that look at the file itself do not judge.
///
/// `job.input` is only the name in the report.
///
/// # Errors
/// When a frame is an error, or `progress` asks to stop.
pub fn scan_footage(
    job: &ScanJob,
    footage: Footage<'_>,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<Report> {
    let (finder, mesher) = (networks.finder.clone(), networks.mesher.clone());
    let mut tracker = Tracker::new(finder, mesher, job.tracking)?;
    let judges = Judges {
        identifier: networks.identifier.clone(),
    };
    let mut scanner = Scanner::new(job.settings, judges);
    progress.begin("scan", footage.n_frames);
    let window = job.window;
    let frames = footage
        .frames
        .map(move |frame| frame.map(|frame| cut_out(frame, window)));
    let mut last_secs = 0.0;
    follow(frames, &mut tracker, &mut |followed| {
        let followed = followed?;
        last_secs = followed.frame.time.secs();
        scanner.look(&followed.frame, &followed.faces);
        if progress.step().is_break() {
            return Err(Error::Cancelled);
        }
        Ok(())
    })?;
    let n_frames = scanner.n_frames();
    let faces: Vec<FaceReport> = scanner.finish().iter().map(FaceReport::of).collect();
    Ok(Report {
        version: REPORT_VERSION,
        file: job.input.clone(),
        sha256: None,
        verdict: Verdict::NotJudged,
        marked_as_synthetic: false,
        fake_probability: None,
        prevalence: 0.5,
        reasons: Vec::new(),
        not_judged: Vec::new(),
        faces,
        cues: Vec::new(),
        n_frames,
        duration_secs: last_secs,
        samples_per_sec: job.settings.samples_per_sec,
        made_by: MadeBy {
            program: format!("effigy {}", env!("CARGO_PKG_VERSION")),
            weights: Vec::new(),
        },
    })
}

/// Leaves of a frame what lies in the window.
fn cut_out(frame: Frame, window: Option<Window>) -> Frame {
    let Some(window) = window else { return frame };
    let (width, height) = (frame.picture.width(), frame.picture.height());
    let (left, top) = (window.x.min(width - 1), window.y.min(height - 1));
    let columns = window.width.clamp(1, width - left);
    let rows = window.height.clamp(1, height - top);
    let line_bytes = width as usize * 3;
    let lines = frame.picture.pixels().chunks_exact(line_bytes);
    let (from, n) = (left as usize * 3, columns as usize * 3);
    let pixels = lines
        .skip(top as usize)
        .take(rows as usize)
        .flat_map(|line| line[from..from + n].iter().copied())
        .collect();
    Frame {
        picture: Picture::new(columns, rows, pixels),
        ..frame
    }
}

fn sha256_of(path: &Path) -> Result<String> {
    let unreadable = |source| Error::Read {
        source,
        path: path.to_owned(),
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let mut digest = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        let n = file.read(&mut block).map_err(unreadable)?;
        if n == 0 {
            break;
        }
        digest.update(&block[..n]);
    }
    Ok(digest
        .finalize()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect())
}
