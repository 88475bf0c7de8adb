//! What can go wrong with sound.

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, sorted by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A sample is no number: what wrote the file was broken. Export the sound again.
    #[error("a sample at {at_secs:.2} s is no number")]
    NotANumber {
        /// Where the first one is.
        at_secs: f64,
    },
}
