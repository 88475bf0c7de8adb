//! Reading on a thread of its own, which is left alone when it no longer gets on.
//!
//! No decoder can be interrupted from outside, and some files are made to hold one for hours. Who
//! waits for it looks at its pulse, gives the file up when there was none for too long, and goes on
//! with the next; the thread ends with the program. A decoder that breaks down takes its file along,
//! and not the program.

use std::any::Any;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use effigy_files::Reading;

use crate::error::{Error, Result};
use crate::limits::Limits;

/// How often a waiting thread looks. Only the time between two looks counts as waiting, so that a
/// program that was stopped in between has not waited.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Beats whenever reading gets on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulse(Arc<AtomicU64>);

impl Pulse {
    pub(crate) fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn beats(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long to wait for the reader of a file.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    pulse: Pulse,
    max_pause_secs: f64,
}

impl Patience {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            pulse: Pulse::default(),
            max_pause_secs: limits.max_pause_secs,
        }
    }

    pub(crate) fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// What comes next, `None` where the other side is gone.
    ///
    /// # Errors
    /// If nothing comes, and the pulse stops.
    pub(crate) fn receive<T>(&self, from: &Receiver<T>, path: &Path) -> Result<Option<T>> {
        let mut waited = Waited::new(self);
        loop {
            match from.recv_timeout(LOOK_EVERY) {
                Ok(next) => return Ok(Some(next)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => waited.longer(path)?,
            }
        }
    }

    /// What the thread gives at its end.
    ///
    /// # Errors
    /// If it does not end, and its pulse stops, or if it broke down.
    pub(crate) fn join<T>(&self, thread: JoinHandle<T>, path: &Path) -> Result<T> {
        const SOON: Duration = Duration::from_micros(200);
        let mut waited = Waited::new(self);
        let mut n_looks: u64 = 0;
        while !thread.is_finished() {
            thread::sleep(SOON);
            n_looks += 1;
            if n_looks.is_multiple_of(250) {
                waited.longer(path)?;
            }
        }
        thread.join().map_err(|panic| broke_down(path, &*panic))
    }
}

/// How long there was no pulse.
struct Waited<'a> {
    patience: &'a Patience,
    beats: u64,
    pause: Duration,
}

impl<'a> Waited<'a> {
    fn new(patience: &'a Patience) -> Self {
        Self {
            beats: patience.pulse.beats(),
            pause: Duration::ZERO,
            patience,
        }
    }

    fn longer(&mut self, path: &Path) -> Result<()> {
        let beats = self.patience.pulse.beats();
        self.pause += LOOK_EVERY;
        if beats != self.beats {
            (self.beats, self.pause) = (beats, Duration::ZERO);
        }
        let most = self.patience.max_pause_secs;
        if self.pause.as_secs_f64() <= most {
            return Ok(());
        }
        Err(Error::GivenUp {
            why: format!("reading it stood still for {most} s"),
            path: path.to_owned(),
        })
    }
}

/// Does `work`, which reads `path` in a library that cannot be interrupted, on a thread of its own.
///
/// # Errors
/// If it takes longer than [`Limits::max_pause_secs`], or panics.
pub fn read_in_time<T: Send + 'static>(
    path: &Path,
    limits: &Limits,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    read(path, limits, |_, _, _| Ok(work()))
}

/// Does `work`, which reads `path`, on a thread of its own.
///
/// # Errors
/// What `work` says, or that it stood still or broke down.
pub(crate) fn read<T: Send + 'static>(
    path: &Path,
    limits: &Limits,
    work: impl FnOnce(&Path, &Limits, &Pulse) -> Result<T> + Send + 'static,
) -> Result<T> {
    let _reading = Reading::begin(path)?;
    let patience = Patience::new(limits);
    let (send, answer) = sync_channel(1);
    let (owned, limits, pulse) = (path.to_owned(), *limits, patience.pulse());
    let thread = thread::spawn(move || {
        // Nobody listens any more where the file was given up.
        drop(send.send(work(&owned, &limits, &pulse)));
    });
    match patience.receive(&answer, path)? {
        Some(answer) => answer,
        None => Err(match thread.join() {
            Err(panic) => broke_down(path, &*panic),
            Ok(()) => broke_down(path, &"it said nothing"),
        }),
    }
}

fn broke_down(path: &Path, panic: &(dyn Any + Send)) -> Error {
    let said = panic.downcast_ref::<&str>().map(ToString::to_string);
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
    Error::GivenUp {
        why: format!(
            "its decoder broke down ({})",
            said.as_deref().unwrap_or("without a word")
        ),
        path: path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_pause_secs: f64) -> Limits {
        Limits {
            max_pause_secs,
            ..Limits::default()
        }
    }

    #[test]
    fn reader_that_stands_still_is_given_up() {
        let stuck = read(Path::new("stuck.mp4"), &limits(0.1), |_, _, _| {
            thread::sleep(Duration::from_secs(600));
            Ok(())
        });
        let said = stuck.unwrap_err().to_string();
        assert!(said.contains("stood still for 0.1 s"), "{said}");
        assert!(said.ends_with("\"stuck.mp4\""), "{said}");
    }

    #[test]
    fn reader_with_a_pulse_may_take_its_time() {
        let slow = read(Path::new("slow.mp4"), &limits(0.3), |_, _, pulse| {
            for _ in 0..50 {
                thread::sleep(Duration::from_millis(20));
                pulse.beat();
            }
            Ok(7)
        });
        assert_eq!(slow.unwrap(), 7);
    }

    #[test]
    fn reader_that_panics_takes_only_its_file_along() {
        let broken: Result<()> = read(Path::new("a.jxl"), &limits(9.0), |_, _, _| {
            panic!("index out of bounds")
        });
        let said = broken.unwrap_err().to_string();
        assert!(said.contains("broke down (index out of bounds)"), "{said}");
    }
}
