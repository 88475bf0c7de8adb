//! The studio in a browser, and its API: files come in, jobs are asked for, results are shown.
//!
//! Pages are HTML that works without script. Nothing here decodes a file: that is done by a process that a
//! worker of the queue starts. What a browser is told, and what it may ask, is decided in `guard`.

mod api;
mod app;
mod guard;
mod pages;
mod problem;
mod receive;
mod run;
mod studio;
mod words;

pub use api::openapi_json;
pub use app::router;
pub use run::{Error, Settings, run};
pub use studio::Studio;
