//! The job `scan`: does a face in a file show signs of manipulation, where, when, and how do we
//! know.
//!
//! One loop over the frames; every face goes to the cues of `effigy_detect`. Memory stays at a
//! few frames and a few numbers a second and face.

pub mod batch;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use effigy_detect::container;
use effigy_detect::cue::speech::Sound;
use effigy_detect::report::{Footing, MadeBy};
use effigy_detect::{Calibration, Cue, Judges, Person, Report, ScanSettings, Scanner};
use effigy_face::{TrackSettings, Tracker};
use effigy_frame::{Frame, Picture};
use effigy_mark::Trust;
use effigy_media::{Info, Limits, Orientation, VideoReader, read_audio, read_picture};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::faces::follow;
use crate::matching::person_of;
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
    /// Whose signatures are believed.
    pub trust: Trust,
    /// Who each face is compared with, if with anybody.
    pub person: Option<Person>,
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
            trust: Trust::default(),
            person: None,
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
    /// How loud it is over time.
    pub sound: Sound,
}

/// Gives who is seen most in real pictures or clips of somebody, and how they move, to compare
/// faces with.
///
/// # Errors
/// When a reference cannot be read or shows no face, or `progress` asks to stop.
pub fn person(
    references: &[PathBuf],
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<Option<Person>> {
    person_of(references, networks, progress)
}

/// Judges one file.
///
/// # Errors
/// When the file cannot be read to its end, or `progress` asks to stop.
pub fn scan(job: &ScanJob, networks: &Networks, progress: &mut dyn Progress) -> Result<Report> {
    let reader = VideoReader::open(&job.input, &job.limits)?;
    let info = reader.info().clone();
    let sha256 = sha256_of(&job.input)?;
    let marks = effigy_mark::verify(&job.input, &job.trust)?;
    let footage = Footage {
        frames: Box::new(reader),
        n_frames: info.video.as_ref().and_then(|video| video.frames),
        sound: sound(job, &info),
    };
    let footing = Footing {
        sha256: Some(sha256),
        marks: Some(marks),
        claims: claims(&info),
        container: container(job, &info)?,
        ..footing(job)
    };
    judge(job, footage, footing, networks, progress)
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
    judge(job, footage, footing(job), networks, progress)
}

fn judge(
    job: &ScanJob,
    footage: Footage<'_>,
    mut footing: Footing,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<Report> {
    let (finder, mesher) = (networks.finder.clone(), networks.mesher.clone());
    let mut tracker = Tracker::new(finder, mesher, job.tracking)?;
    let calibration = Calibration::built_in();
    let counts = |cue| calibration.cue(cue).is_some_and(|known| 0.0 < known.weight);
    let asks_for_seams = job.settings.asks_all || counts(Cue::Blending);
    let judges = Judges {
        identifier: networks.identifier.clone(),
        blend_judge: asks_for_seams.then(|| networks.blend_judge.clone()),
        calibration: calibration.clone(),
    };
    let mut scanner = Scanner::new(job.settings, judges);
    progress.begin("scan", footage.n_frames);
    let window = job.window;
    let frames = footage
        .frames
        .map(move |frame| frame.map(|frame| cut_out(frame, window)));
    follow(frames, &mut tracker, &mut |followed| {
        let followed = followed?;
        footing.duration_secs = followed.frame.time.secs();
        scanner.look(&followed.frame, &followed.faces);
        if progress.step().is_break() {
            return Err(Error::Cancelled);
        }
        Ok(())
    })?;
    footing.n_frames = scanner.n_frames();
    Ok(Report::of(
        footing,
        scanner.finish(&footage.sound),
        &calibration,
    ))
}

/// Samples a second that are read of the sound: enough for its loudness.
const SOUND_RATE_HZ: u32 = 4000;
/// Longer sound is not looked at: memory is bounded.
const LONGEST_SOUND_SECS: f64 = 3600.0;

/// How loud a file is over time. Sound that cannot be read leaves its cue without a judgement;
/// the picture is judged all the same.
fn sound(job: &ScanJob, info: &Info) -> Sound {
    let unusable = |why: &str| Sound::Unusable(why.to_owned());
    if info.audio.is_none() {
        return unusable("there is no sound");
    }
    if LONGEST_SOUND_SECS < info.duration_secs.unwrap_or(0.0) {
        return unusable("the sound is longer than an hour");
    }
    match read_audio(&job.input, SOUND_RATE_HZ, &job.limits) {
        Ok(samples) => Sound::of_samples(&samples, SOUND_RATE_HZ),
        Err(err) => Sound::Unusable(format!("the sound cannot be read ({err})")),
    }
}

/// What is known before anything is read.
fn footing(job: &ScanJob) -> Footing {
    let mut weights = effigy_model::weights::hashes();
    let fuse = Sha256::digest(effigy_detect::calibration::FUSE);
    weights.push(("fuse.toml".to_owned(), hex(&fuse)));
    let manner = Sha256::digest(effigy_detect::person::MANNER);
    weights.push(("manner.toml".to_owned(), hex(&manner)));
    Footing {
        file: job.input.clone(),
        sha256: None,
        marks: None,
        claims: Vec::new(),
        container: None,
        person: job.person.clone(),
        n_frames: 0,
        duration_secs: 0.0,
        samples_per_sec: job.settings.samples_per_sec,
        made_by: MadeBy {
            program: format!("effigy {}", env!("CARGO_PKG_VERSION")),
            weights,
        },
    }
}

/// How a file was put together, in words.
fn container(job: &ScanJob, info: &Info) -> Result<Option<String>> {
    let unreadable = |source| Error::Read {
        source,
        path: job.input.clone(),
    };
    // A sequence of pictures has no headers of its own.
    if !job.input.is_file() {
        return Ok(None);
    }
    let mut container = container::look(&job.input).map_err(unreadable)?;
    // A picture that was turned has its blocks elsewhere.
    let upright = info
        .video
        .as_ref()
        .is_some_and(|video| video.orientation == Orientation::default());
    if container.steps.is_some() && upright {
        container.look_for_earlier_save(&read_picture(&job.input, &job.limits)?);
    }
    Ok(container.in_words())
}

/// What a file says of itself, in words.
fn claims(info: &Info) -> Vec<String> {
    let mut claims = Vec::new();
    if let Some(video) = &info.video {
        let (width, height) = (video.width, video.height);
        claims.push(format!(
            "{} in {}, {width} × {height}",
            video.codec, info.container
        ));
    }
    if let Some(tool) = &info.creation_tool {
        claims.push(format!("made with {tool}"));
    }
    if let Some(time) = &info.creation_time {
        claims.push(format!("made at {time}"));
    }
    claims
}

/// Leaves of a frame what lies in the window.
pub fn cut_out(frame: Frame, window: Option<Window>) -> Frame {
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

pub(crate) fn sha256_of(path: &Path) -> Result<String> {
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
    Ok(hex(&digest.finalize()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
