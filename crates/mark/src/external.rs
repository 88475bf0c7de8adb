//! Marking an external file: one that was not made here.
//!
//! No consent is needed: nothing is drawn, and a file that is synthetic already is better marked
//! than not. Frames come from the file alone, so that nothing rendered here can leave this way.

use std::ops::ControlFlow;
use std::path::Path;

use effigy_media::{Limits, VideoReader, WriteSettings, read_original};

use crate::credentials::{self, Authorisation};
use crate::error::{Error, Result};
use crate::writer::{Marked, MarkedWriter, Policy, write_original};

/// Marks `input` as synthetic and writes it to `output`, which may not be the same file. `step` is
/// called after every frame, and asks to stop with [`ControlFlow::Break`].
///
/// # Errors
/// When the input cannot be read, the output's format does not fit or cannot carry credentials,
/// or any mark cannot be written. There is no output then.
pub fn mark_file(
    input: &Path,
    output: &Path,
    policy: &Policy<'_>,
    step: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Marked> {
    let is_video_output = credentials::media_type(output)?.starts_with("video/");
    if let (Ok(from), Ok(to)) = (input.canonicalize(), output.canonicalize())
        && from == to
    {
        return Err(Error::SameFile { path: from });
    }
    let extension = || {
        let extension = output.extension().unwrap_or_default();
        extension.to_string_lossy().into_owned()
    };
    let reader = VideoReader::open(input, &Limits::default())?;
    match (reader.info().container == PICTURES, is_video_output) {
        (true, false) => {
            let original = read_original(input, &Limits::default())?;
            write_original(output, original, policy)
        }
        (false, true) => mark_video(reader, External { input, output }, policy, step),
        (true, true) => Err(Error::OtherKind {
            what: "a picture",
            extension: extension(),
            allowed: "jpg, png, webp",
        }),
        (false, false) => Err(Error::OtherKind {
            what: "a video",
            extension: extension(),
            allowed: "mp4, mov, m4v",
        }),
    }
}

/// What the media crate calls the container of pictures.
const PICTURES: &str = "pictures";

/// The file to mark, and the marked one.
pub(crate) struct External<'a> {
    pub(crate) input: &'a Path,
    pub(crate) output: &'a Path,
}

/// Marks every frame of `reader`.
pub(crate) fn mark_video(
    reader: VideoReader,
    External { input, output }: External<'_>,
    policy: &Policy<'_>,
    step: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Marked> {
    let mut settings = match &reader.info().video {
        Some(video) => WriteSettings::like(video),
        None => {
            return Err(Error::NoPicture {
                path: input.to_owned(),
            });
        }
    };
    settings.tracks_from = Some(input.to_owned());
    let mut writer = MarkedWriter::begin(output, &settings, Authorisation::default(), policy)?;
    for frame in reader {
        writer.write(frame?)?;
        if step().is_break() {
            return Err(Error::Stopped);
        }
    }
    writer.finish()
}
