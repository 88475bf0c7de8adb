//! Jobs that survive crashes, and the files they read and write.
//!
//! [`Queue`] has six verbs: `push`, `take`, `beat`, `finish`, `fail`, `cancel`. It lives in SQLite or in
//! PostgreSQL and behaves the same in both. A job that was pushed is done once or ends as dead, with
//! a reason: whoever takes it holds a lease that ends by the clock of the database, and only the
//! holder of the newest lease may finish it. [`Store`] keeps files under the SHA-256 of their content.
//! [`work`] takes jobs and has each done by a process of its own.

mod child;
mod database;
mod error;
mod id;
mod job;
mod look;
mod queue;
mod row;
mod scan;
mod store;
mod worker;

pub use child::{Ended, Limits, Program, Said};
pub use database::PROTOCOL;
pub use error::{Error, Result};
pub use id::random_id;
pub use job::{Done, Job, NewJob, State, Tenant};
pub use look::{Counts, Page};
pub use queue::{Beat, Lease, Pushed, Queue, Retry};
pub use scan::{
    MOST_REPORT_BYTES, REPORT, REPORT_PAGE, SCAN, Scan, safe_name, scan_job, scanned_name,
};
pub use store::{Sha256, Store, Stored, Upload};
pub use worker::{Employment, Outcome, Task, work};
