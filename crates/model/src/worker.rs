//! A worker thread for a network.
//!
//! Left alone, the processor backend splits each layer over all cores, and every layer then waits
//! for the slowest of them. Several networks that each run on one core finish more work together,
//! and far more when the machine has other things to do.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use crate::error::{Error, Result};

/// One thread that runs networks; clones share it.
#[derive(Clone)]
pub struct WorkerThread {
    pool: Arc<rayon::ThreadPool>,
}

/// A result that a [`WorkerThread`] is computing.
#[derive(Debug)]
pub struct Pending<T>(Receiver<T>);

impl WorkerThread {
    /// Starts the thread. It ends with the last clone.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub fn start() -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let pool = pool.map_err(|err| Error::NoThread {
            reason: err.to_string(),
        })?;
        Ok(Self {
            pool: Arc::new(pool),
        })
    }

    /// Runs `work` on the thread and waits for it.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.install(work)
    }

    /// Runs `work` on the thread when it is free, and does not wait.
    pub fn begin<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Pending<T> {
        let (done, pending) = sync_channel(1);
        self.pool.spawn(move || {
            // The receiver may be gone already; that is no failure.
            drop(done.send(work()));
        });
        Pending(pending)
    }
}

impl<T> Pending<T> {
    /// Waits for the result.
    ///
    /// # Panics
    /// If the work panicked.
    pub fn wait(self) -> T {
        match self.0.recv() {
            Ok(result) => result,
            Err(_gone) => unreachable!("the worker ended without a result"),
        }
    }
}

impl fmt::Debug for WorkerThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkerThread")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_in_order_on_one_other_thread() {
        let worker = WorkerThread::start().unwrap();
        let here = std::thread::current().id();
        let first = worker.begin(|| std::thread::current().id());
        let second = worker.run(|| std::thread::current().id());
        let first = first.wait();
        assert_eq!(first, second);
        assert_ne!(first, here);
        assert_eq!(worker.run(rayon::current_num_threads), 1);
    }
}
