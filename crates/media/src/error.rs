//! What can go wrong while reading or writing, sorted by what the caller can do about it.

use std::path::{Path, PathBuf};

use effigy_frame::Timestamp;

/// What everything here returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why media could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is missing or may not be read. Ask for another.
    #[error("cannot open {path:?}: {source}")]
    Open {
        /// What the system said.
        source: std::io::Error,
        /// The file or folder.
        path: PathBuf,
    },

    /// The file has no bytes. It was probably never written or copied to the end.
    #[error("the file is empty (0 bytes): {path:?}")]
    Empty {
        /// The file.
        path: PathBuf,
    },

    /// The bytes are no media that we know, or the part that describes them is missing.
    #[error("not a readable video, audio or picture file, or its header is damaged: {path:?}")]
    NotMedia {
        /// What libav said.
        source: ffmpeg_next::Error,
        /// The file.
        path: PathBuf,
    },

    /// A known kind of file that is not read. Convert it.
    #[error("files of this kind are not read; convert it to PNG, JPEG or MP4 first: {path:?}")]
    UnreadKind {
        /// The file.
        path: PathBuf,
    },

    /// The part that describes the file is missing because the file stops before it says it does.
    #[error(
        "the file is truncated, {missing_bytes} bytes are missing; get a complete copy: {path:?}"
    )]
    CutShort {
        /// How much is not there.
        missing_bytes: u64,
        /// The file.
        path: PathBuf,
    },

    /// The file holds no moving picture.
    #[error("there is no video in {path:?}")]
    NoVideo {
        /// The file.
        path: PathBuf,
    },

    /// The file holds no sound.
    #[error("there is no sound in {path:?}")]
    NoAudio {
        /// The file.
        path: PathBuf,
    },

    /// The camera cannot be used. Connect one, or do what is said.
    #[error("cannot use the camera {path:?}: {why}")]
    NoCamera {
        /// What is in the way, and what to do.
        why: String,
        /// The device.
        path: PathBuf,
    },

    /// The camera went away while it filmed; every frame before was good.
    #[error("the camera was lost: {why}: {path:?}")]
    CameraLost {
        /// What happened.
        why: String,
        /// The device.
        path: PathBuf,
    },

    /// The folder or pattern names no picture.
    #[error("no pictures found at {path:?}")]
    NoPictures {
        /// The folder or pattern.
        path: PathBuf,
    },

    /// The system's libav has no decoder for the codec. Convert the file.
    #[error("the installed libav cannot decode {codec}; convert the file to H.264 first")]
    NoDecoder {
        /// libav's name of the codec.
        codec: String,
    },

    /// The system's libav has no encoder for the codec. Choose another.
    #[error("the installed libav cannot encode {codec}; it can encode: {available}")]
    NoEncoder {
        /// The codec that was asked for.
        codec: String,
        /// Those that would work.
        available: String,
    },

    /// The name of the output does not say a format that we write.
    #[error("cannot tell the format of {path:?} from its name; use one of {known}")]
    UnknownFormat {
        /// The output.
        path: PathBuf,
        /// The extensions that work.
        known: &'static str,
    },

    /// A picture could not be decoded. Others of the same sequence are not affected.
    #[error("the picture is damaged or not a picture ({why}): {path:?}")]
    BadPicture {
        /// What the decoder said.
        why: String,
        /// The picture.
        path: PathBuf,
    },

    /// The stream broke; every frame before was good. Never treated as the end.
    #[error("damaged at {:.3} s, frame {index}: {why}", at.secs())]
    Damaged {
        /// What is wrong.
        why: String,
        /// The first frame that could not be given.
        index: u64,
        /// When it would have been shown.
        at: Timestamp,
    },

    /// The file stops before it says it does; every frame before was good.
    #[error("truncated at {:.3} s, frame {index}: {why}; get a complete copy of the file", at.secs())]
    Truncated {
        /// What is missing.
        why: String,
        /// The first frame that is missing.
        index: u64,
        /// When it would have been shown.
        at: Timestamp,
    },

    /// The sound broke at this moment.
    #[error("the sound is damaged at {at_secs:.3} s: {why}")]
    DamagedAudio {
        /// What is wrong.
        why: String,
        /// Where.
        at_secs: f64,
    },

    /// A picture without width or height.
    #[error("a picture of {width}x{height} has no pixels")]
    NoPixels {
        /// Columns.
        width: u64,
        /// Rows.
        height: u64,
    },

    /// The file asks for more pixels than `Limits` allows. Raise the limit or refuse the file.
    #[error("{width}x{height} is over the limit of {limit} pixels")]
    TooLarge {
        /// Columns.
        width: u64,
        /// Rows.
        height: u64,
        /// `Limits::max_pixels`.
        limit: u64,
    },

    /// The file is longer than `Limits` allows.
    #[error("{secs:.0} s is over the limit of {limit_secs:.0} s")]
    TooLong {
        /// How long the file is.
        secs: f64,
        /// `Limits::max_duration_secs`.
        limit_secs: f64,
    },

    /// Reading would need more memory or pictures than `Limits` allows.
    #[error("{what} is over the limit of {limit}")]
    TooMuch {
        /// What there is too much of.
        what: String,
        /// How much is allowed.
        limit: String,
    },

    /// Its reader stood still, failed or took too much: the file may be made to do harm.
    #[error("{why}; it may be made to do harm: {path:?}")]
    GivenUp {
        /// What its reader did.
        why: String,
        /// The file.
        path: PathBuf,
    },

    /// A frame that does not fit the video being written: another size, or not later than the last.
    #[error("frame {index} does not fit the video: {why}")]
    BadFrame {
        /// What does not fit.
        why: String,
        /// Which frame, counted by the writer.
        index: u64,
    },

    /// Settings that no encoder can follow.
    #[error("cannot write a video with these settings: {why}")]
    BadSettings {
        /// What is wrong with them.
        why: String,
    },

    /// The encoder or the container refused.
    #[error("cannot encode frame {index}: {why}")]
    Encode {
        /// What it said.
        why: String,
        /// The frame that was being written.
        index: u64,
    },

    /// The disk is full or the output may not be written. Nothing is left behind.
    #[error("cannot write {path:?}: {source}")]
    Write {
        /// What the system said.
        source: std::io::Error,
        /// The output.
        path: PathBuf,
    },

    /// libav failed in a way that the file is not to blame for.
    #[error("libav cannot {doing}: {source}")]
    Libav {
        /// What was being done.
        doing: &'static str,
        /// What libav said.
        source: ffmpeg_next::Error,
    },
}

impl From<effigy_files::GivenUp> for Error {
    fn from(file: effigy_files::GivenUp) -> Self {
        Self::GivenUp {
            why: file.why,
            path: file.path,
        }
    }
}

impl Error {
    /// The file that the words of this error name; `None` where whoever reads must say which it was.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Open { path, .. }
            | Self::Empty { path }
            | Self::NotMedia { path, .. }
            | Self::UnreadKind { path }
            | Self::CutShort { path, .. }
            | Self::NoVideo { path }
            | Self::NoAudio { path }
            | Self::NoCamera { path, .. }
            | Self::CameraLost { path, .. }
            | Self::NoPictures { path }
            | Self::UnknownFormat { path, .. }
            | Self::BadPicture { path, .. }
            | Self::GivenUp { path, .. }
            | Self::Write { path, .. } => Some(path),
            _ => None,
        }
    }

    /// Turns what the system said while `path` was written into an error.
    pub(crate) fn write(path: &Path) -> impl Fn(std::io::Error) -> Self {
        |source| Self::Write {
            source,
            path: path.to_owned(),
        }
    }
}
