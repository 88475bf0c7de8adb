//! What can go wrong while judging, sorted by what the caller can do about it.

use std::path::PathBuf;

/// What a step of judging returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a file could not be judged at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read. Check that it is there and may be read.
    #[error("cannot read {path:?}: {source}")]
    Read {
        /// What the system said.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },

    /// The marks of the file could not be looked for.
    #[error(transparent)]
    Mark(#[from] effigy_mark::Error),
}
