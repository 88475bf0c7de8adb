//! The only way out for rendered frames: label, watermark, encode, sign, verify, rename.
//!
//! If any step fails there is no output file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use effigy_files::{AtomicFile, Scratch};
use effigy_frame::{Frame, Picture, resample};
use effigy_media::{Limits, Original, VideoWriter, WriteSettings};

use crate::consent::Token;
use crate::credentials::{self, Authorisation, Before, Manifest, ModelName, State, Trust};
use crate::error::{Error, Result};
use crate::files;
use crate::foreign;
use crate::keys::Keys;
use crate::label::{Label, Language, Profiles, Source, Stamps};
use crate::log::{Event, Log};
use crate::utc_time::Clock;
use crate::verify;
use crate::watermark::Embedder;
use crate::xmp;

/// How outputs are marked. There is no setting that leaves a mark out.
pub struct Policy<'a> {
    /// What signs the credentials.
    pub keys: &'a Keys,
    /// Rules that the visible label follows.
    pub profiles: Profiles,
    /// Language of the label.
    pub language: Language,
    /// How much of the picture was made by a network.
    pub source: Source,
    /// Who makes it, in the label and the credentials.
    pub provider: String,
    /// The file that was edited; its own credentials are kept.
    pub parent: Option<PathBuf>,
    /// Other files that went into it, such as the clip that moved a portrait; their credentials are kept
    /// too.
    pub inputs: Vec<PathBuf>,
    /// The face model that drew it.
    pub model: Option<ModelName>,
    /// Tells the time of what is written.
    pub clock: Clock,
}

/// A marked file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// Where it is.
    pub path: PathBuf,
    /// The identifier in its watermark and credentials.
    pub identifier: u64,
    /// How long it took to sign what was encoded and to verify it.
    pub signing: Duration,
    /// What of the edited file is not in it, in words.
    pub lost: Vec<String>,
}

/// Writes a video of rendered frames. Dropping it before [`MarkedWriter::finish`] leaves nothing.
pub struct MarkedWriter<'a> {
    job: Job<'a>,
    writer: VideoWriter,
    stamps: Stamps,
    watermark: Embedder,
    first_secs: Option<f64>,
    thumbnail: Option<Picture>,
    unsigned: Scratch,
}

impl<'a> MarkedWriter<'a> {
    /// Starts a video at `path`.
    ///
    /// # Errors
    /// When the format cannot carry credentials, or the file cannot be begun.
    pub fn create(
        path: &Path,
        settings: &WriteSettings,
        token: &Token,
        policy: &'a Policy<'a>,
    ) -> Result<Self> {
        Self::begin(path, settings, Authorisation::of(token), policy)
    }

    /// As [`MarkedWriter::create`], for frames that were read from a file and not drawn here.
    pub(crate) fn begin(
        path: &Path,
        settings: &WriteSettings,
        authorisation: Authorisation,
        policy: &'a Policy<'a>,
    ) -> Result<Self> {
        let job = Job::new(path, authorisation, policy)?;
        let unsigned = files::scratch_beside(path)?;
        let settings = &WriteSettings {
            cover: job.marked_cover(settings)?,
            ..settings.clone()
        };
        #[expect(clippy::disallowed_methods, reason = "this is the marked writer")]
        let writer = VideoWriter::create(unsigned.path(), settings);
        let writer = writer.map_err(|error| named(path, error))?;
        let stamps = Stamps::draw(&job.label, settings.width, settings.height);
        let watermark = Embedder::new(job.label.identifier);
        Ok(Self {
            job,
            writer,
            stamps,
            watermark,
            first_secs: None,
            thumbnail: None,
            unsigned,
        })
    }

    /// Marks and encodes a frame.
    ///
    /// # Errors
    /// When the frame does not fit the settings or the disk is full.
    pub fn write(&mut self, mut frame: Frame) -> Result<()> {
        let secs = frame.time.secs();
        let since_start = secs - *self.first_secs.get_or_insert(secs);
        self.stamps.lay_over(&mut frame.picture, since_start);
        self.watermark.embed(&mut frame.picture);
        if self.thumbnail.is_none() {
            self.thumbnail = Some(thumbnail(&frame.picture));
        }
        let written = self.writer.write(&frame);
        written.map_err(|error| named(&self.job.path, error))
    }

    /// Completes, signs and verifies the file, then gives it its name.
    ///
    /// # Errors
    /// When any of it fails; there is no output then.
    pub fn finish(self) -> Result<Marked> {
        let written = self.writer.finish();
        written.map_err(|error| named(&self.job.path, error))?;
        let thumbnail = self
            .thumbnail
            .unwrap_or_else(|| Picture::filled(1, 1, [0; 3]));
        let unsigned = Unsigned {
            file: &self.unsigned,
            original: None,
            lost: Vec::new(),
        };
        self.job.finish(unsigned, &thumbnail)
    }
}

/// The output by its own name, not by that of the temporary file.
fn named(path: &Path, error: effigy_media::Error) -> Error {
    match error {
        effigy_media::Error::Write { source, .. } => Error::Write {
            source,
            path: path.to_owned(),
        },
        other => other.into(),
    }
}

/// Marks a single rendered picture and writes it as PNG, JPEG or WebP.
///
/// # Errors
/// As [`MarkedWriter`].
pub fn write_marked_picture(
    path: &Path,
    mut picture: Picture,
    token: &Token,
    policy: &Policy<'_>,
) -> Result<Marked> {
    let job = Job::new(path, Authorisation::of(token), policy)?;
    let file = files::scratch_beside(path)?;
    job.mark(&mut picture);
    #[expect(clippy::disallowed_methods, reason = "this is the marked writer")]
    let written = effigy_media::write_picture(file.path(), &picture);
    written.map_err(|error| named(path, error))?;
    let unsigned = Unsigned {
        file: &file,
        original: None,
        lost: Vec::new(),
    };
    job.finish(unsigned, &thumbnail(&picture))
}

/// As [`write_marked_picture`], for `picture` that is an edit of `original`: what the edit does not
/// touch stays, and so does what the original says beside its pixels. [`Marked::lost`] names what
/// has no place in the output's format.
///
/// # Errors
/// As [`MarkedWriter`].
pub fn write_marked_edit(
    path: &Path,
    picture: Picture,
    original: Original,
    token: &Token,
    policy: &Policy<'_>,
) -> Result<Marked> {
    let job = Job::new(path, Authorisation::of(token), policy)?;
    write_edit(&job, picture, original)
}

/// As [`write_marked_edit`], for a picture that is one of many frames of a work: it has the
/// identifier of the work, which is logged as a whole.
pub(crate) fn write_frame(
    path: &Path,
    (picture, original): (Picture, Original),
    (authorisation, identifier): (Authorisation, u64),
    policy: &Policy<'_>,
) -> Result<Marked> {
    let mut job = Job::new(path, authorisation, policy)?;
    job.label.identifier = identifier;
    job.logged = Logged::WithOthers;
    write_edit(&job, picture, original)
}

/// As [`write_marked_edit`], for a picture that was read from a file and not drawn in here.
pub(crate) fn write_original(
    path: &Path,
    original: Original,
    policy: &Policy<'_>,
) -> Result<Marked> {
    let job = Job::new(path, Authorisation::default(), policy)?;
    let picture = original.picture.clone();
    write_edit(&job, picture, original)
}

fn write_edit(job: &Job<'_>, mut picture: Picture, original: Original) -> Result<Marked> {
    let file = files::scratch_beside(&job.path)?;
    let cover = job.mark(&mut picture);
    let write = |original: &Original| {
        #[expect(clippy::disallowed_methods, reason = "this is the marked writer")]
        let written = effigy_media::write_copy(file.path(), original, &picture, &cover);
        written.map_err(|error| named(&job.path, error))
    };
    let mut lost = write(&original)?;
    let mut original = original;
    // Where hardly anything is opaque, too little of the watermark is left to be read.
    if original.keeps_alpha(&job.path) && verify::watermark(file.path())?.is_none() {
        original = original.flattened();
        lost = write(&original)?;
    }
    let unsigned = Unsigned {
        file: &file,
        original: Some(&original),
        lost,
    };
    job.finish(unsigned, &thumbnail(&picture))
}

/// What was encoded and is not signed yet.
struct Unsigned<'a> {
    file: &'a Scratch,
    /// The picture that it is an edit of.
    original: Option<&'a Original>,
    lost: Vec<String>,
}

/// What videos and pictures have in common.
struct Job<'a> {
    path: PathBuf,
    authorisation: Authorisation,
    policy: &'a Policy<'a>,
    label: Label,
    logged: Logged,
}

/// How an output gets into the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Logged {
    /// On a line of its own.
    Alone,
    /// On one line with the other frames of its work.
    WithOthers,
}

impl<'a> Job<'a> {
    fn new(path: &Path, authorisation: Authorisation, policy: &'a Policy<'a>) -> Result<Self> {
        credentials::media_type(path)?;
        policy.keys.check_signer(policy.clock.now())?;
        let label = Label {
            profiles: policy.profiles.clone(),
            language: policy.language,
            source: policy.source,
            provider: policy.provider.clone(),
            made: policy.clock.now(),
            identifier: u64::from_be_bytes(files::random()?),
        };
        Ok(Self {
            path: path.to_owned(),
            authorisation,
            policy,
            label,
            logged: Logged::Alone,
        })
    }

    /// The cover picture of the edited file. It may show what the frames show, so it is marked too.
    fn marked_cover(&self, settings: &WriteSettings) -> Result<Option<Picture>> {
        let Some(from) = &settings.tracks_from else {
            return Ok(None);
        };
        let mut cover = effigy_media::read_cover(from, &Limits::default())?;
        if let Some(cover) = &mut cover {
            self.mark(cover);
        }
        Ok(cover)
    }

    /// Lays label and watermark over a picture; gives how much the label hides of each pixel.
    fn mark(&self, picture: &mut Picture) -> Vec<u8> {
        let (width, height) = (picture.width(), picture.height());
        let stamps = Stamps::draw(&self.label, width, height);
        stamps.lay_over(picture, 0.0);
        Embedder::new(self.label.identifier).embed(picture);
        stamps.cover(width, height)
    }

    fn finish(&self, unsigned: Unsigned<'_>, thumbnail: &Picture) -> Result<Marked> {
        let start = Instant::now();
        let media_type = credentials::media_type(&self.path)?;
        let Unsigned {
            file: unsigned,
            original,
            mut lost,
        } = unsigned;
        let packet = xmp::packet(&self.label, original.map(|original| &original.metadata));
        lost.extend(xmp::embed(unsigned.path(), media_type, &packet)?);
        let write_error = |source| Error::Write {
            source,
            path: self.path.clone(),
        };
        let signed = AtomicFile::create(&self.path).map_err(write_error)?;
        let manifest = Manifest {
            title: self
                .path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            authorisation: &self.authorisation,
            before: self.before()?,
            label: &self.label,
            parent: self.policy.parent.clone(),
            inputs: &self.policy.inputs,
            model: self.policy.model.as_ref(),
            thumbnail: jpeg(&self.path, thumbnail)?,
        };
        credentials::sign(unsigned.path(), &signed, &manifest, self.policy.keys)?;
        self.check(signed.temporary_path())?;
        if self.logged == Logged::Alone {
            self.log(signed.temporary_path())?;
        }
        signed.commit().map_err(write_error)?;
        Ok(Marked {
            path: self.path.clone(),
            identifier: self.label.identifier,
            signing: start.elapsed(),
            lost,
        })
    }

    fn log(&self, signed: &Path) -> Result<()> {
        let event = Event::Written {
            consents: self.authorisation.consents.clone(),
            identifier: format!("{:016x}", self.label.identifier),
            sha256: files::sha256(signed)?,
        };
        Log::of(self.policy.keys).append(event, self.policy.clock.now())
    }

    /// Looks for marks in the edited file, which its own credentials do not name.
    fn before(&self) -> Result<Before> {
        let Some(parent) = &self.policy.parent else {
            return Ok(Before::default());
        };
        let found = verify::watermark_at_start(parent)?;
        Ok(Before {
            watermark: found.map(|found| format!("{:016x}", found.identifier)),
            metadata: foreign::find(parent)?,
        })
    }

    /// Reads back what was written, as any verifier that trusts our root would.
    fn check(&self, signed: &Path) -> Result<()> {
        let failed = |reason: String| Error::NotMarked { reason };
        let file = fs::File::open(signed).map_err(|source| Error::Read {
            source,
            path: signed.to_owned(),
        })?;
        let trust = Trust {
            roots_pem: vec![self.policy.keys.root_pem().to_owned()],
            now: Some(self.policy.clock.now()),
            ..Trust::default()
        };
        let read = credentials::read(credentials::media_type(signed)?, file, None, &trust)
            .map_err(|error| failed(error.to_string()))?
            .ok_or_else(|| failed("no credentials".to_owned()))?;
        let identifier = format!("{:016x}", self.label.identifier);
        if read.state != State::Trusted {
            return Err(failed(read.problems.join(", ")));
        }
        if !read.synthetic || read.watermark != Some(identifier) {
            return Err(failed(
                "the credentials do not say what was done".to_owned(),
            ));
        }
        let found = verify::watermark(signed)?;
        if found.map(|found| found.identifier) != Some(self.label.identifier) {
            return Err(failed(
                "the watermark cannot be read back; the picture is too small or too plain for it"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

/// Longer side of the picture in the credentials.
const THUMBNAIL_PX: u32 = 320;

fn thumbnail(picture: &Picture) -> Picture {
    let longer = picture.width().max(picture.height());
    if longer <= THUMBNAIL_PX {
        return picture.clone();
    }
    let scaled = |side: u32| (side * THUMBNAIL_PX / longer).max(1);
    resample::resize(picture, scaled(picture.width()), scaled(picture.height()))
}

fn jpeg(beside: &Path, picture: &Picture) -> Result<Vec<u8>> {
    let file = files::scratch_beside(&beside.with_extension("jpg"))?;
    #[expect(clippy::disallowed_methods, reason = "this is the marked writer")]
    effigy_media::write_picture(file.path(), picture)?;
    files::read(file.path(), files::SMALL_FILE_BYTES)
}
