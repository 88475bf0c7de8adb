//! A folder of marked pictures: the frames of one work, which share an identifier.
//!
//! Each frame carries every mark, so that one alone is known for what it is, and all of them name the
//! same work. The folder appears when all frames are in it.

use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use effigy_files::{
    AtomicFolder, Existing, format_of, named_after, sha256, without_temporary_names,
};
use effigy_frame::{Picture, Rational};
use effigy_media::{Limits, Original, VideoReader, pictures_of, read_original};

use crate::consent::Token;
use crate::credentials::Authorisation;
use crate::error::{Error, Result};
use crate::external::{External, mark_video};
use crate::files;
use crate::log::{Event, Log};
use crate::writer::{Marked, Policy, write_frame};

/// Writes a folder of rendered frames. Dropping it before [`MarkedFrames::finish`] leaves nothing.
pub struct MarkedFrames<'a> {
    folder: AtomicFolder,
    authorisation: Authorisation,
    policy: &'a Policy<'a>,
    identifier: u64,
    signing: Duration,
    n_frames: u64,
    /// Hash and name of each, a line a frame.
    hashes: String,
    /// What of any original has no place in its frame.
    lost: Vec<String>,
}

impl<'a> MarkedFrames<'a> {
    /// Begins a folder that will be called `path`.
    ///
    /// # Errors
    /// When there is one that is to stay, or it cannot be begun.
    pub fn create(
        path: &Path,
        existing: Existing,
        token: &Token,
        policy: &'a Policy<'a>,
    ) -> Result<Self> {
        Self::begin(path, existing, Authorisation::of(token), policy)
    }

    fn begin(
        path: &Path,
        existing: Existing,
        authorisation: Authorisation,
        policy: &'a Policy<'a>,
    ) -> Result<Self> {
        let folder = match existing {
            Existing::Kept => AtomicFolder::create(path),
            Existing::Replaced => AtomicFolder::replace(path),
        };
        Ok(Self {
            folder: folder.map_err(|source| write_error(path, source))?,
            authorisation,
            policy,
            identifier: u64::from_be_bytes(files::random()?),
            signing: Duration::ZERO,
            n_frames: 0,
            hashes: String::new(),
            lost: Vec::new(),
        })
    }

    /// Marks `picture`, an edit of the picture `parent`, and writes it under the same name, as PNG
    /// where its format can carry no credentials. What the edit does not touch stays.
    ///
    /// # Errors
    /// When `parent` cannot be read, or any mark cannot be written.
    pub fn write(&mut self, parent: &Path, picture: Picture) -> Result<()> {
        let original = read_original(parent, &Limits::default())?;
        self.write_edit(parent, picture, original)
    }

    fn write_edit(&mut self, parent: &Path, picture: Picture, original: Original) -> Result<()> {
        let name = frame_name(parent);
        let path = self.folder.temporary_path().join(&name);
        let policy = Policy {
            keys: self.policy.keys,
            profiles: self.policy.profiles.clone(),
            language: self.policy.language,
            source: self.policy.source,
            provider: self.policy.provider.clone(),
            parent: Some(parent.to_owned()),
            inputs: self.policy.inputs.clone(),
            model: self.policy.model.clone(),
            clock: self.policy.clock,
        };
        let authorisation = (self.authorisation.clone(), self.identifier);
        let marked = write_frame(&path, (picture, original), authorisation, &policy)
            .map_err(|error| self.named(&name, error))?;
        self.signing += marked.signing;
        let unsaid = marked.lost.into_iter();
        let unsaid: Vec<String> = unsaid.filter(|what| !self.lost.contains(what)).collect();
        self.lost.extend(unsaid);
        self.n_frames += 1;
        let hash = files::sha256(&path)?;
        self.hashes += &format!("{hash}  {}\n", name.display());
        Ok(())
    }

    /// Logs all frames and gives the folder its name.
    ///
    /// # Errors
    /// When there are none, or the folder cannot be completed; there is no output then.
    pub fn finish(self) -> Result<Marked> {
        let path = self.folder.path().to_owned();
        if self.n_frames == 0 {
            return Err(Error::NoPicture { path });
        }
        let event = Event::FramesWritten {
            consents: self.authorisation.consents,
            identifier: format!("{:016x}", self.identifier),
            frames: self.n_frames,
            sha256: sha256(self.hashes.as_bytes()),
        };
        Log::of(self.policy.keys).append(event, self.policy.clock.now())?;
        let kept = self.folder.commit();
        kept.map_err(|source| write_error(&path, source))?;
        Ok(Marked {
            path,
            identifier: self.identifier,
            signing: self.signing,
            lost: self.lost,
        })
    }

    /// The frame by its own name, not by that of the temporary folder.
    fn named(&self, name: &Path, error: Error) -> Error {
        match error {
            Error::Write { source, .. } => write_error(&self.folder.path().join(name), source),
            Error::NotMarked { reason } => Error::NotMarked {
                reason: format!("{name:?}: {}", without_temporary_names(&reason)),
            },
            other => other,
        }
    }
}

fn write_error(path: &Path, source: std::io::Error) -> Error {
    Error::Write {
        source,
        path: path.to_owned(),
    }
}

/// What the marked copy of a frame is called.
fn frame_name(parent: &Path) -> PathBuf {
    let can_be_signed = format_of(parent).is_some_and(|format| format.signed_media_type.is_some());
    if can_be_signed {
        return parent.file_name().unwrap_or(OsStr::new("frame.png")).into();
    }
    let named = named_after(parent, "", "png");
    named.file_name().unwrap_or(OsStr::new("frame.png")).into()
}

/// Marks the pictures of a folder or pattern, frames of one work, and writes them into the folder
/// `output`. `step` is called after every frame, and asks to stop with [`ControlFlow::Break`].
///
/// # Errors
/// When a frame is missing or cannot be read, or any mark cannot be written. There is no output then.
pub fn mark_frames(
    input: &Path,
    (output, existing): (&Path, Existing),
    policy: &Policy<'_>,
    step: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Marked> {
    let limits = Limits::default();
    let mut frames = MarkedFrames::begin(output, existing, Authorisation::default(), policy)?;
    for path in pictures_of(input, &limits)? {
        let original = read_original(&path, &limits)?;
        frames.write_edit(&path, original.picture.clone(), original)?;
        if step().is_break() {
            return Err(Error::Stopped);
        }
    }
    frames.finish()
}

/// Marks the pictures of a folder or pattern and writes them as a video of `rate` pictures a second.
///
/// # Errors
/// As [`mark_frames`].
pub fn mark_frames_as_video(
    input: &Path,
    (output, rate): (&Path, Rational),
    policy: &Policy<'_>,
    step: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Marked> {
    let reader = VideoReader::open_at_rate(input, rate, &Limits::default())?;
    mark_video(reader, External { input, output }, policy, step)
}
