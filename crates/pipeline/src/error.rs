//! What can end a job, sorted by what the caller can do about it.

/// What a job returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a job ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller's [`crate::Progress`] asked to stop. Nothing half-written was left.
    #[error("stopped on request; nothing half-written was kept")]
    Cancelled,
}
