//! How a job reports its progress to its caller, and how the caller stops it.

use std::ops::ControlFlow;

/// Receives each step of a job; says whether to continue.
pub trait Progress {
    /// Begins a stretch of work named `what`; `steps` is its length where that is known.
    fn begin(&mut self, what: &str, steps: Option<u64>);

    /// Counts one step. On `Break` the job cleans up and returns [`crate::Error::Cancelled`].
    fn step(&mut self) -> ControlFlow<()>;

    /// Whether the job is asked to stop, for one that waits and has no step to count. Whoever never stops a
    /// job that waits has nothing to say here.
    fn is_stopped(&self) -> bool {
        false
    }

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
