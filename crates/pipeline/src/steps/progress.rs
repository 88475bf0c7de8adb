//! How a job tells its caller how far it is, and how the caller stops it.

use std::ops::ControlFlow;

/// Told about each step of a job; says whether to go on.
pub trait Progress {
    /// Begins a stretch of work named `what`, of so many steps where that is known.
    fn begin(&mut self, what: &str, steps: Option<u64>);

    /// Counts one step. On `Break` the job cleans up and returns [`crate::Error::Cancelled`].
    fn step(&mut self) -> ControlFlow<()>;

    /// Shows `text` beside the progress in place of what stood there.
    fn detail(&mut self, text: &str);

    /// Passes on something worth reading that does not end the job.
    fn note(&mut self, text: &str);
}

/// Shows nothing and never stops a job.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn begin(&mut self, _what: &str, _steps: Option<u64>) {}

    fn step(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn detail(&mut self, _text: &str) {}

    fn note(&mut self, _text: &str) {}
}
