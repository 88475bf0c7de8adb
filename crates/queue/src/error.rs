//! What can go wrong with jobs and stored files, sorted by what the caller can do about it.

use std::io;

/// What this crate's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a job or a stored file cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database cannot be reached, or refuses. Try again later, or look at the database.
    #[error("the database of jobs does not answer: {0}")]
    Database(#[from] sqlx::Error),

    /// The tables cannot be made or brought up to date.
    #[error("the tables of jobs cannot be brought up to date: {0}")]
    Schema(#[from] sqlx::migrate::MigrateError),

    /// The address names no database that is known here.
    #[error("jobs are kept in sqlite: or postgres: databases, not in {scheme:?}")]
    Address {
        /// What stands before the colon.
        scheme: String,
    },

    /// Another version of the program made the queue. Update the older of the two.
    #[error(
        "these jobs are of protocol {found}, and this program speaks {ours}: update {}",
        if ours < found { "this program" } else { "the programs that serve them" }
    )]
    Protocol {
        /// What the database states.
        found: i64,
        /// What this program speaks.
        ours: i64,
    },

    /// A job cannot be made of this.
    #[error("this is no job: {why}")]
    NoJob {
        /// What is wrong with it.
        why: String,
    },

    /// What the database holds was not written by this program.
    #[error("the job {id} cannot be read back: {why}")]
    Damaged {
        /// Whose row it is.
        id: String,
        /// What is wrong with it.
        why: String,
    },

    /// Nothing is stored under this hash.
    #[error("no file {sha256} is stored")]
    NotStored {
        /// The hash asked for.
        sha256: String,
    },

    /// The file is larger than is allowed.
    #[error("the file is larger than {most} bytes")]
    TooLarge {
        /// The limit in bytes.
        most: u64,
    },

    /// The stored bytes are not those that were stored.
    #[error("the stored file {sha256} was changed")]
    Changed {
        /// The hash it had.
        sha256: String,
    },

    /// The store refuses: most often the disk is full.
    #[error("the store refuses: {0}")]
    Store(#[from] object_store::Error),

    /// A file outside the store cannot be read or written.
    #[error("{what}: {source}")]
    File {
        /// What the system says.
        source: io::Error,
        /// What was to be done.
        what: String,
    },
}
