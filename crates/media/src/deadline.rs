//! A bound on how long libav may look into a file before anything is read of it.
//!
//! Headers and indexes are read, and some frames decoded, in one call that nobody can interrupt from
//! outside; libav asks between its steps whether to give up. It asks on the thread that called it,
//! and so the deadline is this thread's.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::time::{Duration, Instant};

use ffmpeg_next::ffi;

thread_local! {
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// While it lives, libav gives up on this thread once the time is over.
pub(crate) struct Deadline {
    at: Option<Instant>,
}

impl Deadline {
    pub(crate) fn in_secs(secs: f64) -> Self {
        // What is too long for the clock is no bound.
        let span = Duration::try_from_secs_f64(secs).ok();
        let at = span.and_then(|span| Instant::now().checked_add(span));
        DEADLINE.set(at);
        Self { at }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.at.is_some_and(|at| at <= Instant::now())
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        DEADLINE.set(None);
    }
}

/// What libav asks.
pub(crate) fn asked() -> ffi::AVIOInterruptCB {
    ffi::AVIOInterruptCB {
        callback: Some(is_over),
        opaque: ptr::null_mut(),
    }
}

#[expect(unsafe_code, reason = "libav calls it")]
unsafe extern "C" fn is_over(_nothing: *mut c_void) -> c_int {
    DEADLINE.get().is_some_and(|at| at <= Instant::now()).into()
}
