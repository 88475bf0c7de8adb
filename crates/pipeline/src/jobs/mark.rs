//! The job `mark`: a file that was made elsewhere gets our marks.

use std::path::{Path, PathBuf};
use std::slice;

use effigy_files::{Destination, Existing, Format, Kind, check_destinations, named_after};
use effigy_frame::Rational;
use effigy_mark::label::Source;
use effigy_mark::{Marked, Policy, mark_file, mark_frames, mark_frames_as_video};
use effigy_media::{Limits, probe, track_notes};

use crate::error::{Error, Result};
use crate::steps::consent::Safeguards;
use crate::steps::inputs::{self, Input};
use crate::steps::progress::Progress;

/// Everything one marking needs.
#[derive(Clone, Debug)]
pub struct MarkJob {
    /// The picture or video.
    pub input: PathBuf,
    /// The marked copy.
    pub output: PathBuf,
    /// Pictures a second of the video that the pictures of a folder or pattern become; `None` keeps
    /// them pictures, in a folder.
    pub fps: Option<Rational>,
    /// What becomes of a file that is where the copy goes.
    pub existing: Existing,
    /// How much of it was made by a network.
    pub source: Source,
    /// Keys and marks; no consent is asked for what is not drawn here.
    pub safeguards: Safeguards,
}

/// The name of the copy where none is given: `NAME-marked` beside the input.
pub fn default_output(input: &Path, fps: Option<Rational>) -> PathBuf {
    if let Input::Sequence(path) = inputs::one(input) {
        return inputs::named_after_frames(&path, "-marked", fps.is_some());
    }
    // The extension as it is written: `a.JPG` and `a.jpg` are two files.
    let written = input.extension().unwrap_or_default().to_string_lossy();
    let is_picture = inputs::is_single_picture(input);
    let extension = match effigy_files::format_of(input) {
        // By another name, or by none.
        Some(format) if is_picture != (format.kind == Kind::Picture) => as_content(is_picture),
        None => as_content(is_picture),
        Some(format) if format.signed_media_type.is_some() => written.as_ref(),
        // JPEG by another name.
        Some(Format {
            extension: "jpe" | "jfif" | "mpo",
            ..
        }) => "jpg",
        Some(_) => as_content(is_picture),
    };
    named_after(input, "-marked", extension)
}

/// The ending of what can hold everything that a picture has, or a video.
fn as_content(is_picture: bool) -> &'static str {
    if is_picture { "png" } else { "mp4" }
}

impl MarkJob {
    /// Checks that the copy may go where it is to. [`mark`] begins with it.
    ///
    /// # Errors
    /// When it may not.
    pub fn check(&self) -> Result<()> {
        let input = [inputs::one(&self.input)];
        let mut originals = inputs::originals(slice::from_ref(&self.input), &input);
        originals.extend(self.safeguards.originals());
        let copy = [match self.form() {
            Form::Frames => Destination::Whole(self.output.clone()),
            Form::File | Form::FramesAsVideo(_) => Destination::File(self.output.clone()),
        }];
        Ok(check_destinations(&copy, &originals, self.existing)?)
    }
}

/// What becomes of the input.
enum Form {
    /// A file of its kind.
    File,
    /// A folder of pictures.
    Frames,
    /// A video of pictures.
    FramesAsVideo(Rational),
}

impl MarkJob {
    fn form(&self) -> Form {
        match (inputs::one(&self.input), self.fps) {
            (Input::Sequence(_), None) => Form::Frames,
            (Input::Sequence(_), Some(rate)) => Form::FramesAsVideo(rate),
            (Input::Picture(_) | Input::Video(_), _) => Form::File,
        }
    }
}

/// Writes a marked copy of `job.input`.
///
/// # Errors
/// When it cannot be read, the output's format does not fit, or any mark cannot be written. No
/// output is left then.
pub fn mark(job: &MarkJob, progress: &mut dyn Progress) -> Result<Marked> {
    job.check()?;
    let keys = job.safeguards.open_signing_keys()?;
    let info = probe(&job.input, &Limits::default())?;
    let notes = track_notes(&job.input, &job.output, &Limits::default())?;
    for note in notes.iter().chain(&inputs::left_out_of_frames(&job.input)) {
        progress.note(note);
    }
    progress.begin("marking", info.video.and_then(|video| video.frames));
    let policy = Policy {
        source: job.source,
        ..job
            .safeguards
            .policy(&keys, Some(&inputs::first_of(&job.input)?), None)
    };
    let (input, output, step) = (&job.input, &job.output, &mut || progress.step());
    let marked = match job.form() {
        Form::File => mark_file(input, output, &policy, step),
        Form::Frames => mark_frames(input, (output, job.existing), &policy, step),
        Form::FramesAsVideo(rate) => mark_frames_as_video(input, (output, rate), &policy, step),
    };
    marked.map_err(|error| match error {
        effigy_mark::Error::Stopped => Error::Cancelled,
        other => other.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_keeps_an_ending_that_can_carry_credentials() {
        for (input, output) in [
            ("a/talk.mp4", "a/talk-marked.mp4"),
            ("a/face.JPG", "a/face-marked.JPG"),
            ("a/talk.mkv", "a/talk-marked.mkv.mp4"),
            ("a/talk", "a/talk-marked.mp4"),
            ("a/face.heic", "a/face-marked.heic.png"),
            ("a/face.JFIF", "a/face-marked.JFIF.jpg"),
            ("a/laugh.gif", "a/laugh-marked.gif.mp4"),
            ("a/shot-%05d.png", "a/shot-marked"),
        ] {
            assert_eq!(default_output(Path::new(input), None), Path::new(output));
        }
    }
}
