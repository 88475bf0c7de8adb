//! What can go wrong while faces are drawn.

/// What this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a face cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A network could not be loaded or run.
    #[error(transparent)]
    Model(#[from] effigy_model::Error),
}
