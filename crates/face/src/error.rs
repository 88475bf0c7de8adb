//! What can go wrong while following faces.

/// What this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why faces cannot be followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A network could not be set up.
    #[error(transparent)]
    Model(#[from] effigy_model::Error),
}
