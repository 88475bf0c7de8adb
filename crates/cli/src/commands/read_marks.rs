//! The hidden command that reads one file for `verify` and `scan`, in a process of its own.

use std::path::PathBuf;

use anyhow::Context as _;
use effigy_mark::{Apart, Search, answer};

use crate::output::Exit;

/// Its name on the command line.
pub(crate) const NAME: &str = "read-marks";

/// Read one file within limits; `verify` and `scan` start it for themselves
#[derive(clap::Args, Debug)]
#[command(name = NAME, hide = true)]
pub(crate) struct Args {
    /// Picture or video
    file: PathBuf,
}

/// Answers the parent. Signals end this process at once: it has nothing to clean up.
pub(crate) fn run(args: &Args) -> Exit {
    #[cfg(target_os = "linux")]
    crate::rights::give_back(&crate::rights::Needs::to_read());
    match answer(
        &args.file,
        std::io::stdin().lock(),
        std::io::stdout().lock(),
    ) {
        Ok(()) => Exit::Nothing,
        // Nobody listens any more.
        Err(_unheard) => Exit::Failed,
    }
}

/// How this program reads a file apart; `most_secs` is how much processor time one of usual
/// size may take.
pub(crate) fn apart(search: Search, most_secs: f64) -> anyhow::Result<Apart> {
    Ok(Apart {
        program: std::env::current_exe().context("cannot find this program itself")?,
        command: NAME,
        most_secs,
        search,
    })
}
