//! The program in two processes: one that works, and one that only watches it.
//!
//! What reads files of others may crash, take all memory, or hang where nobody can interrupt it. So
//! the work is done in a fork, which is made before anything else happens; it costs a millisecond,
//! and no frame has to be copied. What is left watches: it passes signals on and ends the work that
//! does not hear them, says what became of work that died and which file it was reading, removes
//! what that left unfinished, and begins anew without that file where others are to be read.

mod memory;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use effigy_files::{GivenUp, remove_unfinished};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigHandler, SigSet, Signal, kill, signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, getppid};

use crate::board::Board;
use crate::output::{Care, Exit, said_before};
use crate::rights::{Needs, give_back};

/// What a command may take, and what happens when it took too much.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// Memory that it may take while it reads one file.
    pub(crate) memory_bytes: u64,
    /// Whether its other files are read when one was given up.
    pub(crate) goes_on: bool,
    /// What it needs to do its work; `None` where that is too much to be bounded.
    pub(crate) needs: Option<Needs>,
}

/// How often a command begins anew, each time without one more file.
const MOST_ATTEMPTS: usize = 8;
/// How long the work has to hear a signal. It gives itself a little less.
const PATIENCE: Duration = Duration::from_millis(400);

/// What is known from earlier attempts.
#[derive(Default)]
struct Attempt {
    given_up: Vec<GivenUp>,
    /// Whether files are read one after the other, so that it is certain which is to blame.
    is_careful: bool,
    /// Lines that were told by then.
    n_told: u64,
}

/// Does `work` in a process of its own, and gives what it ends with.
pub(crate) fn run(bounds: &Bounds, work: impl Fn(Care) -> Exit) -> ExitCode {
    let Ok(board) = Board::new() else {
        // No memory for a page: the work will say so better.
        return work(Care::Usual).into();
    };
    let (watcher, watched) = (Pid::this(), watched());
    let mut attempt = Attempt::default();
    loop {
        match start(&watched) {
            Err(error) => return failed(&format!("cannot start the work: {error}")),
            Ok(ForkResult::Child) => {
                let care = if attempt.is_careful {
                    Care::OneAtATime
                } else {
                    Care::Usual
                };
                begin(attempt, board, bounds, watcher);
                return work(care).into();
            }
            Ok(ForkResult::Parent { child }) => {
                let ended = watch(child, &watched, &board);
                if let Some(code) = attempt.conclude(&ended, &board, bounds) {
                    return code;
                }
            }
        }
    }
}

/// The signals that the watching process waits for.
fn watched() -> SigSet {
    let mut watched = SigSet::empty();
    for signal in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGCHLD,
    ] {
        watched.add(signal);
    }
    watched
}

#[expect(unsafe_code, reason = "forks, and sets what a shell may have changed")]
fn start(watched: &SigSet) -> nix::Result<ForkResult> {
    // SAFETY: this process has one thread, so that the fork may do everything; the default handler
    // of a signal is no code of ours.
    let forked = unsafe {
        // Ignored by whoever started us, it would not tell us of the end.
        signal(Signal::SIGCHLD, SigHandler::SigDfl)?;
        // A signal that comes from now on waits.
        watched.thread_block()?;
        fork()?
    };
    Ok(forked)
}

/// The first steps of the process that works.
fn begin(attempt: Attempt, board: Board, bounds: &Bounds, watcher: Pid) {
    // It ends with whoever watches it. Where that is gone already, nobody is left to tell.
    let is_watched = set_pdeathsig(Signal::SIGKILL).is_ok() && getppid() == watcher;
    if !is_watched || watched().thread_unblock().is_err() {
        eprintln!("nobody watches this program; it goes on");
    }
    for file in attempt.given_up {
        effigy_files::give_up(file);
    }
    said_before(attempt.n_told);
    board.post_from_now_on(attempt.n_told);
    if let Some(needs) = &bounds.needs {
        give_back(needs);
    }
    memory::watch(bounds.memory_bytes);
}

/// How the work ended.
struct Ended {
    status: WaitStatus,
    was_asked: bool,
}

/// Waits for the end of `work`, and passes signals on to it.
fn watch(work: Pid, watched: &SigSet, board: &Board) -> Ended {
    let mut was_asked = false;
    loop {
        let heard = watched.wait();
        if matches!(heard, Ok(signal) if signal != Signal::SIGCHLD) {
            was_asked = true;
            if let Some(status) = stop(work, board) {
                return Ended { status, was_asked };
            }
        }
        if let Some(status) = end_of(work) {
            return Ended { status, was_asked };
        }
    }
}

/// Asks the work to end, and ends it unless it saves.
fn stop(work: Pid, board: &Board) -> Option<WaitStatus> {
    const STEP: Duration = Duration::from_millis(10);
    // It may have ended by now.
    kill(work, Signal::SIGTERM).ok();
    let mut waited = Duration::ZERO;
    loop {
        if let Some(status) = end_of(work) {
            return Some(status);
        }
        if PATIENCE <= waited {
            break;
        }
        std::thread::sleep(STEP);
        waited += STEP;
    }
    if board.read().saves {
        return None;
    }
    kill(work, Signal::SIGKILL).ok();
    waitpid(work, None).ok()
}

fn end_of(work: Pid) -> Option<WaitStatus> {
    match waitpid(work, Some(WaitPidFlag::WNOHANG)) {
        Ok(status @ (WaitStatus::Exited(..) | WaitStatus::Signaled(..))) => Some(status),
        _ => None,
    }
}

impl Attempt {
    /// What the program ends with; `None` when it is to begin anew.
    fn conclude(&mut self, ended: &Ended, board: &Board, bounds: &Bounds) -> Option<ExitCode> {
        let signal = match ended.status {
            WaitStatus::Exited(_, code) => return Some(u8::try_from(code).unwrap_or(2).into()),
            WaitStatus::Signaled(_, signal, _) => signal,
            _ => return Some(failed("the work is lost")),
        };
        let left = board.read();
        if remove_unfinished(left.unfinished.into_iter()).is_err() {
            eprintln!("unfinished files whose names begin with .part- may be left");
        }
        if left.has_said_why {
            return Some(Exit::Failed.into());
        }
        let is_asked = matches!(signal, Signal::SIGINT | Signal::SIGTERM | Signal::SIGHUP);
        if ended.was_asked || is_asked {
            return Some(failed("stopped before the end"));
        }
        let why = left.over.unwrap_or_else(|| how(signal, &left.read));
        self.n_told = left.n_told;
        match &left.read[..] {
            [] => Some(failed(&why)),
            [path] => {
                let file = GivenUp {
                    why,
                    path: path.clone(),
                };
                if bounds.goes_on && self.given_up.len() < MOST_ATTEMPTS {
                    self.given_up.push(file);
                    return None;
                }
                Some(failed(&format!(
                    "{}; it may be made to do harm: {path:?}",
                    file.why
                )))
            }
            _ if bounds.goes_on && !self.is_careful => {
                self.is_careful = true;
                None
            }
            several => Some(failed(&format!("{why}: {}", listed(several)))),
        }
    }
}

fn listed(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|path| format!("{path:?}")).collect();
    names.join(", ")
}

/// What a signal says of the work that it ended.
fn how(signal: Signal, read: &[PathBuf]) -> String {
    let when = match read {
        [] => "",
        [_] => " while it read this file",
        _ => " while it read one of these files",
    };
    match signal {
        Signal::SIGKILL => {
            format!("the system ended the program{when}, most likely because memory ran out")
        }
        other => format!("the program crashed{when} ({other})"),
    }
}

fn failed(why: &str) -> ExitCode {
    eprintln!("error: {why}");
    Exit::Failed.into()
}
