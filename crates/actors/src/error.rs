//! What can go wrong with actors and their truth, sorted by what the caller can do about it.

use std::io;
use std::path::PathBuf;

/// What a step of filming or of reading the truth returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no clip, or no truth.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The head file is missing. Say where it is.
    #[error(
        "cannot read the head {path:?}; it is the ICT-FaceKit light model (MIT, \
         https://github.com/ICT-VGL/ICT-FaceKit) as one safetensors file; \
         name the folder that has head/head.safetensors with --data"
    )]
    NoHead {
        /// What the system said.
        source: io::Error,
        /// Where it was looked for.
        path: PathBuf,
    },

    /// The head file is not what it should be. Fetch it again.
    #[error("the head is damaged ({why}); fetch it again and compare its sha256: {path:?}")]
    DamagedHead {
        /// What is wrong with it.
        why: String,
        /// The file.
        path: PathBuf,
    },

    /// A weight of the head model makes no face.
    #[error("{what} is {weight}; it must lie between {least} and {most}")]
    Weight {
        /// Which weight.
        what: String,
        /// Its value.
        weight: f32,
        /// The least that it may be.
        least: f32,
        /// The most that it may be.
        most: f32,
    },

    /// A clip asks for an actor who is not in the cast.
    #[error("no actor is called {name}; there are {known:?}")]
    UnknownActor {
        /// Who was asked for.
        name: &'static str,
        /// The cast.
        known: &'static [&'static str],
    },

    /// The size of the picture does not suit masks and flow.
    #[error("side {side} must be a multiple of 16 between 64 and {most}")]
    Side {
        /// Width and height in pixels.
        side: usize,
        /// The largest.
        most: usize,
    },

    /// The caller asked to stop. No clip was written.
    #[error("cancelled at frame {frame}; no clip was written")]
    Cancelled {
        /// The frame that was next.
        frame: u32,
    },

    /// The program does not carry such a clip: a mistake in the program.
    #[error("the program has no clip {name}")]
    NotKept {
        /// The file.
        name: &'static str,
    },

    /// A thread that draws ended without a frame: a mistake in the program.
    #[error("a thread that films has died")]
    Thread,

    /// The truth beside a clip could not be read.
    #[error("cannot read {path:?}: {source}")]
    Read {
        /// What the system said.
        source: io::Error,
        /// The file.
        path: PathBuf,
    },

    /// The truth beside a clip is not what it should be.
    #[error("damaged ({why}): {path:?}")]
    Damaged {
        /// What is wrong with it.
        why: String,
        /// The file.
        path: PathBuf,
    },

    /// The truth could not be written. Nothing half-written was left.
    #[error("cannot write {path:?}: {source}")]
    Write {
        /// What the system said.
        source: io::Error,
        /// The file.
        path: PathBuf,
    },

    /// A picture or clip could not be read or written.
    #[error(transparent)]
    Media(#[from] effigy_media::Error),
}
