//! The job `scan`: does a face in a file show signs of manipulation; where, when, and what shows
//! it? Of a file without a picture it tells who speaks when, and judges nothing.
//!
//! One loop over the frames; every face goes to the cues of `effigy_detect`. Memory stays at a
//! few frames and a few numbers a second and face.

pub mod batch;
mod references;
mod sound_alone;
mod voice;

use std::path::PathBuf;

use effigy_detect::Sound;
use effigy_detect::container::rhythm::MOST_PACKETS;
use effigy_detect::container::{self, Container};
use effigy_detect::report::{Damaged, Footing, MadeBy};
use effigy_detect::{Calibration, CueKind, Models, Person, Report, ScanSettings, Scanner};
use effigy_face::TrackSettings;
use effigy_frame::{Frame, Picture};
use effigy_mark::{Apart, Trust};
use effigy_media::{Info, Limits, Orientation, VideoReader, packets, read_audio};

pub use crate::jobs::compare::person;
pub use references::{KnownVoice, References, references};

use crate::error::{DAMAGED, Error, Result};
use crate::steps::damage::{Damage, DamagedPlace, DamagedPlaces};
use crate::steps::footage::Follower;
use crate::steps::inputs;
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;

/// Everything that one scan of one file needs.
#[derive(Clone, Debug)]
pub struct ScanJob {
    /// A video, a picture, or sound.
    pub input: PathBuf,
    /// Judge only this part of every frame, as if there were nothing else.
    pub window: Option<Window>,
    /// How closely to look.
    pub settings: ScanSettings,
    /// How faces are found and followed.
    pub tracking: TrackSettings,
    /// How much a file may ask of us.
    pub limits: Limits,
    /// What to do about frames that cannot be read.
    pub damage: Damage,
    /// Whose signatures are believed.
    pub trust: Trust,
    /// The process that reads the marks of the file; `None` reads them in this one.
    pub apart: Option<Apart>,
    /// The person each face is compared with, if any.
    pub person: Option<Person>,
    /// The voice that the one that speaks most is compared with, if any.
    pub voice: Option<KnownVoice>,
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
            damage: Damage::Ends,
            trust: Trust::default(),
            apart: None,
            person: None,
            voice: None,
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

/// Judges one file.
///
/// # Errors
/// When the file cannot be read to its end, or `progress` asks to stop.
pub fn scan(job: &ScanJob, networks: &Networks, progress: &mut dyn Progress) -> Result<Report> {
    let mut reader = match VideoReader::open(&job.input, &job.limits) {
        Err(effigy_media::Error::NoVideo { path }) => {
            return sound_alone::scan(job, path, networks, progress);
        }
        reader => reader?,
    };
    if job.damage == Damage::IsSkipped {
        reader = reader.skip_damaged();
    }
    let info = reader.info().clone();
    let sha256 = hash(job)?;
    let skips_damaged = job.damage == Damage::IsSkipped;
    let marks = match marks(job) {
        Err(error) if skips_damaged && error.reason() == DAMAGED => None,
        marks => Some(marks?),
    };
    let mut container = headers(job)?;
    let mut first = None;
    if container.steps.is_some() && is_upright(&info) {
        first = reader.next();
        if let Some(Ok(frame)) = &first {
            container.look_for_earlier_save(&frame.picture);
        }
    }
    let packets = packets(&job.input, MOST_PACKETS, &job.limits)?;
    container.look_for_earlier_encoding(&packets);
    let (heard, voice) = voice::of_clip(job, &info, networks, progress)?;
    let footage = Footage {
        frames: Box::new(first.into_iter().chain(reader)),
        n_frames: info.video.as_ref().and_then(|video| video.frames),
        sound: sound(job, &info),
    };
    let footing = Footing {
        sha256: Some(sha256),
        marks,
        claims: claims(&info),
        unread: inputs::unread_pictures(&info),
        container: container.in_words(),
        heard,
        voice,
        ..footing(job, networks)
    };
    judge(job, footage, footing, networks, progress)
}

fn hash(job: &ScanJob) -> Result<String> {
    effigy_files::sha256_file(&job.input).map_err(|source| Error::Read {
        source,
        path: job.input.clone(),
    })
}

fn marks(job: &ScanJob) -> effigy_mark::Result<effigy_mark::Report> {
    match &job.apart {
        Some(apart) => effigy_mark::verify_apart(&job.input, &job.trust, apart, &|| false),
        None => effigy_mark::verify_quickly(&job.input, &job.trust),
    }
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
    judge(job, footage, footing(job, networks), networks, progress)
}

fn judge(
    job: &ScanJob,
    footage: Footage<'_>,
    mut footing: Footing,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<Report> {
    let mut follower = Follower::new(networks, job.tracking)?;
    let calibration = Calibration::built_in(&networks.weights);
    let asks_for_seams = job.settings.asks_all || calibration.counts(CueKind::Blending);
    // Slow, and for a cue that counts nothing there is no need to know who it is.
    let asks_who =
        job.settings.asks_all || job.person.is_some() || calibration.counts(CueKind::Identity);
    let models = Models {
        face_embedder: asks_who.then(|| networks.face_embedder.clone()),
        blend_judge: asks_for_seams.then(|| networks.blend_judge.clone()),
        trace_judge: Some(networks.trace_judge.clone()),
    };
    let mut scanner = Scanner::new(job.settings, models, calibration.clone());
    progress.begin("scan", footage.n_frames);
    let window = job.window;
    let frames = footage
        .frames
        .map(move |frame| frame.map(|frame| cut_out(frame, window)));
    let mut damaged = DamagedPlaces::default();
    damaged.begin_clip(footage.n_frames);
    follower.follow(frames, &mut |followed| {
        let followed = match followed {
            Ok(followed) => followed,
            Err(error) if job.damage == Damage::IsSkipped => {
                damaged.note(&job.input, error)?;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        damaged.read(followed.frame.index, followed.frame.time.secs());
        footing.duration_secs = followed.frame.time.secs();
        scanner.look(&followed.frame, &followed.faces);
        if progress.step().is_break() {
            return Err(Error::Cancelled);
        }
        Ok(())
    })?;
    footing.n_frames = scanner.n_frames();
    footing.damaged = damaged.into_places().into_iter().map(reported).collect();
    Ok(Report::of(
        footing,
        scanner.finish(&footage.sound),
        &calibration,
    ))
}

fn reported(place: DamagedPlace) -> Damaged {
    Damaged {
        frame: place.frame,
        from_secs: place.from_secs,
        until_secs: place.until.map(|(_, secs)| secs),
        n_frames: place.n_frames,
        why: place.why,
    }
}

/// Samples a second that are read of the sound: enough for its loudness.
const SOUND_RATE_HZ: u32 = 4000;
/// Longer sound is not read: memory is bounded.
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
fn footing(job: &ScanJob, networks: &Networks) -> Footing {
    let mut weights = networks.weights.hashes();
    for (name, text) in [
        ("fuse.toml", effigy_detect::calibration::FUSE),
        ("motion.toml", effigy_detect::motion::MOTION),
    ] {
        weights.push((name.to_owned(), effigy_files::sha256(text.as_bytes())));
    }
    Footing {
        file: job.input.clone(),
        sha256: None,
        marks: None,
        claims: Vec::new(),
        unread: None,
        container: None,
        person: job.person.clone(),
        heard: None,
        voice: None,
        n_frames: 0,
        damaged: Vec::new(),
        duration_secs: 0.0,
        samples_per_sec: job.settings.samples_per_sec,
        made_by: MadeBy {
            program: format!("effigy {}", env!("CARGO_PKG_VERSION")),
            weights,
        },
    }
}

/// How a file was put together, as its headers show.
fn headers(job: &ScanJob) -> Result<Container> {
    // A sequence of pictures has no headers of its own.
    if !job.input.is_file() {
        return Ok(Container::default());
    }
    container::look(&job.input).map_err(|source| Error::Read {
        source,
        path: job.input.clone(),
    })
}

/// Whether pixels lie as they were stored: those of a turned picture have their blocks elsewhere.
fn is_upright(info: &Info) -> bool {
    let video = info.video.as_ref();
    video.is_some_and(|video| video.orientation == Orientation::default())
}

/// What the metadata of a file claim, in words.
fn claims(info: &Info) -> Vec<String> {
    let mut claims = Vec::new();
    if let Some(video) = &info.video {
        let (width, height) = (video.width, video.height);
        claims.push(format!(
            "{} in {}, {width} × {height}",
            video.codec, info.container
        ));
    } else if let Some(audio) = &info.audio {
        let (codec, rate_hz) = (&audio.codec, audio.sample_rate_hz);
        claims.push(format!("{codec} in {}, {rate_hz} Hz", info.container));
    }
    if let Some(tool) = &info.creation_tool {
        claims.push(format!("made with {tool}"));
    }
    if let Some(time) = &info.creation_time {
        claims.push(format!("made at {time}"));
    }
    claims
}

/// Cuts the window out of a frame.
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
