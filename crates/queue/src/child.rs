//! A program that does one job: started with limits, listened to, and ended with all that it started.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::Command;

use crate::error::{Error, Result};

/// What is started.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// What it is told.
    pub arguments: Vec<OsString>,
    /// Variables of its environment, besides ours.
    pub environment: Vec<(OsString, OsString)>,
    /// Where it works.
    pub folder: PathBuf,
}

/// What a program may take. Its memory it bounds itself, knowing what for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long it may run.
    pub wall: Duration,
    /// How much it may print to its standard output.
    pub most_output_bytes: u64,
}

/// How a program ended.
#[derive(Debug)]
pub enum Ended {
    /// By itself, or by a signal; with all that it printed.
    ByItself {
        /// Its exit code or signal.
        status: ExitStatus,
        /// What it printed to its standard output.
        output: Vec<u8>,
    },
    /// It ran for too long.
    TooLong,
    /// It printed too much.
    TooMuch,
}

/// What a program has said so far, for those who wait for it.
#[derive(Debug, Default)]
pub struct Said(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    progress: Option<String>,
    log: VecDeque<String>,
}

/// Lines that are kept: the last.
const MOST_LINES: usize = 100;
/// Bytes of a line that are kept: the first.
const MOST_LINE_BYTES: usize = 500;
/// What lines begin with that tell how far it is.
const PROGRESS: &str = "progress: ";

impl Said {
    /// Adds a line of standard error, or of our own.
    pub fn add(&self, line: &str) {
        let mut lines = self.lines();
        if let Some(progress) = line.strip_prefix(PROGRESS) {
            lines.progress = Some(progress.to_owned());
            return;
        }
        lines.log.push_back(line.to_owned());
        if MOST_LINES < lines.log.len() {
            lines.log.pop_front();
        }
    }

    /// How far it is, in its own words.
    pub fn progress(&self) -> Option<String> {
        self.lines().progress.clone()
    }

    /// The last lines.
    pub fn log(&self) -> String {
        let lines = self.lines();
        let lines: Vec<&str> = lines.log.iter().map(String::as_str).collect();
        lines.join("\n")
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // Lines are whole even when somebody panicked beside them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Program {
    /// Runs it to its end. Dropping the future ends the program at once; so does the end of ours.
    ///
    /// # Errors
    /// When it cannot be started or listened to.
    pub async fn run(&self, limits: Limits, said: &Said) -> Result<Ended> {
        let failed = |source| Error::File {
            source,
            what: format!("cannot run {:?}", self.path),
        };
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        end_with_us(&mut command);
        let mut child = command.spawn().map_err(failed)?;
        let (output, words) = (child.stdout.take(), child.stderr.take());
        let talk = async {
            let read = read_bounded(output, limits.most_output_bytes);
            let (read, ()) = tokio::join!(read, listen(words, said));
            read
        };
        let whole = async {
            let Some(output) = talk.await? else {
                return Ok(Ended::TooMuch);
            };
            let status = child.wait().await?;
            Ok(Ended::ByItself { status, output })
        };
        match tokio::time::timeout(limits.wall, whole).await {
            Ok(ended) => ended.map_err(failed),
            Err(_) => Ok(Ended::TooLong),
        }
    }
}

/// The program ends when we do, however that is. It passes that on to its own children.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "one call between fork and exec")]
fn end_with_us(command: &mut Command) {
    use nix::sys::prctl::set_pdeathsig;
    use nix::sys::signal::Signal;
    // SAFETY: the closure makes one system call, and allocates nothing.
    unsafe {
        command.pre_exec(|| Ok(set_pdeathsig(Signal::SIGKILL)?));
    }
}

#[cfg(not(target_os = "linux"))]
fn end_with_us(_command: &mut Command) {}

/// All that comes; `None` when it is too much.
async fn read_bounded(
    output: Option<impl AsyncRead + Unpin>,
    most_bytes: u64,
) -> std::io::Result<Option<Vec<u8>>> {
    let mut read = Vec::new();
    if let Some(output) = output {
        output.take(most_bytes + 1).read_to_end(&mut read).await?;
    }
    Ok((read.len() as u64 <= most_bytes).then_some(read))
}

/// Notes each line until nothing more comes; of long ones the beginning.
async fn listen(words: Option<impl AsyncRead + Unpin>, said: &Said) {
    let Some(words) = words else { return };
    let mut words = BufReader::new(words);
    let mut line = Vec::new();
    loop {
        let (n, is_whole) = match words.fill_buf().await {
            Ok([]) | Err(_) => break,
            Ok(bytes) => {
                let end = bytes
                    .iter()
                    .position(|&byte| byte == b'\n' || byte == b'\r');
                let text = &bytes[..end.unwrap_or(bytes.len())];
                let room = MOST_LINE_BYTES.saturating_sub(line.len()).min(text.len());
                line.extend_from_slice(&text[..room]);
                (end.map_or(bytes.len(), |end| end + 1), end.is_some())
            }
        };
        words.consume(n);
        if is_whole {
            said_line(&mut line, said);
        }
    }
    said_line(&mut line, said);
}

fn said_line(line: &mut Vec<u8>, said: &Said) {
    if !line.is_empty() {
        said.add(&String::from_utf8_lossy(line));
        line.clear();
    }
}
