//! What a studio has at hand when it answers.

use std::sync::Arc;

use effigy_queue::{Queue, Store, Tenant};

use crate::words::Library;

/// What a studio shows, and takes.
#[derive(Clone, Debug)]
pub struct Studio {
    /// The jobs.
    pub queue: Queue,
    /// Their files.
    pub store: Store,
    /// Whose jobs they are: on one's own machine there is one tenant.
    pub tenant: Tenant,
    /// The largest file that is taken, in bytes.
    pub most_file_bytes: u64,
}

/// What every handler has at hand.
pub(crate) type Shared = Arc<App>;

pub(crate) struct App {
    pub(crate) studio: Studio,
    pub(crate) library: Library,
    /// The names under which browsers reach it, each with its port.
    pub(crate) hosts: Vec<String>,
}
