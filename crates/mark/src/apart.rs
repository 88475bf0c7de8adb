//! Reading files from others in a process of its own, within limits of time and memory.
//!
//! A library that parses a hostile file may run for minutes, take all memory or crash, and cannot
//! be interrupted from inside. So the program starts itself again for each file: the child reads,
//! answers in JSON, and is killed when a limit is hit or the user stops.

use std::error::Error as _;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::credentials::Trust;
use crate::error::{Error, Result};
use crate::verify::{Report, Said, Search};

/// How to start the child.
#[derive(Clone, Debug)]
pub struct Apart {
    /// The program itself.
    pub program: PathBuf,
    /// What makes it call [`answer`] for the path that follows.
    pub command: &'static str,
    /// How much processor time a file of up to 50 MB may take; larger ones have a second more for every
    /// 10 MB. Where the system cannot bound it, this is by the clock.
    pub most_secs: f64,
    /// Where the watermark is looked for.
    pub search: Search,
}

/// What the child is told on its standard input.
#[derive(serde::Serialize, serde::Deserialize)]
struct Request {
    trust: Trust,
    search: Search,
    memory_bytes: u64,
    cpu_secs: u64,
}

/// What the child says on its standard output, a line each.
#[derive(serde::Serialize, serde::Deserialize)]
enum Answer {
    /// What is known before the pictures are looked at.
    Said(Box<Said>),
    Report(Box<Report>),
    Refused {
        reason: String,
        message: String,
    },
}

/// Memory that reading one file may take: four times what a picture of 8K does.
const MEMORY_BYTES: u64 = 4 << 30;
/// Files up to this size have the same time.
const USUAL_BYTES: u64 = 50 << 20;
/// How fast larger files are read at the least, in bytes a second: they are hashed as a whole.
const SLOWEST: f64 = 10e6;
/// Longest answer. Credentials are far shorter.
const LONGEST_ANSWER: u64 = 64 << 20;
/// How much longer the child may take by the clock than on the processor: others may be at work, or
/// the disk slow.
const CLOCK_OVER_CPU: f64 = if cfg!(target_os = "linux") { 10.0 } else { 1.0 };
/// How often the parent looks whether it was asked to stop.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// As [`crate::verify`], in a child process. `is_stopped` is asked all the while whether to give up.
///
/// # Errors
/// As [`crate::verify`], and [`Error::OverLimit`] when the child took too much of anything before it
/// said anything, [`Error::Stopped`] when `is_stopped` said so.
pub fn verify_apart(
    path: &Path,
    trust: &Trust,
    apart: &Apart,
    is_stopped: &dyn Fn() -> bool,
) -> Result<Report> {
    let read_error = |source| Error::Read {
        source,
        path: path.to_owned(),
    };
    let n_bytes = std::fs::metadata(path).map_err(read_error)?.len();
    let most_secs = apart.most_secs + more_secs(n_bytes);
    let start = Instant::now();
    let mut child = Reaped(apart.start(path).map_err(read_error)?);
    let answers = child
        .converse(trust, apart.search, most_secs)
        .map_err(read_error)?;
    let over = |what: String| Error::OverLimit {
        what,
        path: path.to_owned(),
    };
    let mut said = None;
    loop {
        match answers.recv_timeout(LOOK_EVERY) {
            Ok(Answer::Said(early)) => said = Some(early),
            Ok(Answer::Report(report)) => {
                return Ok(Report {
                    file: path.to_owned(),
                    ..*report
                });
            }
            Ok(Answer::Refused { reason, message }) => {
                return Err(Error::Refused { reason, message });
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let ended = child.0.wait().map_err(read_error)?;
                if is_stopped() || was_asked_to_stop(ended) {
                    return Err(Error::Stopped);
                }
                let how = match limit_of(ended, most_secs) {
                    Some(what) => over(what),
                    None => Error::Crashed {
                        how: ended.to_string(),
                        path: path.to_owned(),
                    },
                };
                return given_up(said, how, path);
            }
        }
        if is_stopped() {
            return Err(Error::Stopped);
        }
        let clock_secs = most_secs * CLOCK_OVER_CPU;
        if clock_secs < start.elapsed().as_secs_f64() {
            return given_up(said, over(format!("{clock_secs:.0} s")), path);
        }
    }
}

/// What credentials and metadata said counts; the pictures were not judged.
fn given_up(said: Option<Box<Said>>, error: Error, path: &Path) -> Result<Report> {
    match said.filter(|said| said.is_anything()) {
        Some(said) => Ok(said.with(path, None, Some(error.to_string()))),
        None => Err(error),
    }
}

/// An error with what caused it, which does not cross over to the parent otherwise.
fn with_causes(error: &Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some errors name their cause themselves.
        if !words.contains(&said) {
            words = format!("{words}: {said}");
        }
        cause = error.source();
    }
    words
}

fn more_secs(n_bytes: u64) -> f64 {
    n_bytes.saturating_sub(USUAL_BYTES) as f64 / SLOWEST
}

/// Whether the child heard what the terminal tells everybody in it, before its parent did.
fn was_asked_to_stop(ended: ExitStatus) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        // SIGHUP, SIGINT and SIGTERM.
        return matches!(ended.signal(), Some(1 | 2 | 15));
    }
    #[expect(unreachable_code, reason = "where there are no signals")]
    false
}

/// Which limit ended the child, as far as the system says.
fn limit_of(ended: ExitStatus, most_secs: f64) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        // Memory that was refused ends in SIGABRT, processor time that was used up in SIGXCPU.
        return match ended.signal() {
            Some(6 | 9) => Some(format!("{} GiB of memory", MEMORY_BYTES >> 30)),
            Some(24) => Some(format!("{most_secs:.0} s of processor time")),
            _ => None,
        };
    }
    #[expect(unreachable_code, reason = "where there are no signals")]
    None
}

impl Apart {
    fn start(&self, path: &Path) -> std::io::Result<Child> {
        Command::new(&self.program)
            .arg(self.command)
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
    }
}

/// A child that does not outlive its scope.
struct Reaped(Child);

impl Reaped {
    /// Tells the child what to do; gives what it answers.
    fn converse(
        &mut self,
        trust: &Trust,
        search: Search,
        most_secs: f64,
    ) -> std::io::Result<Receiver<Answer>> {
        let request = Request {
            trust: trust.clone(),
            search,
            memory_bytes: MEMORY_BYTES,
            cpu_secs: (most_secs.ceil() as u64).max(1),
        };
        let (sender, receiver) = sync_channel(2);
        if let Some(mut input) = self.0.stdin.take() {
            // A child that died already is noticed below.
            drop(input.write_all(&serde_json::to_vec(&request)?));
        }
        if let Some(output) = self.0.stdout.take() {
            std::thread::spawn(move || {
                let lines = BufReader::new(output.take(LONGEST_ANSWER)).lines();
                for line in lines.map_while(std::io::Result::ok) {
                    let Ok(answer) = serde_json::from_str(&line) else {
                        break;
                    };
                    // Nobody listens any more where the user stopped.
                    if sender.send(answer).is_err() {
                        break;
                    }
                }
            });
        }
        Ok(receiver)
    }
}

impl Drop for Reaped {
    fn drop(&mut self) {
        // It ended already, or it is ended now.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The child's part: sets its own limits, reads `path`, and answers what `input` asks.
///
/// # Errors
/// When the request cannot be read, the limits cannot be set, or nobody listens.
pub fn answer(path: &Path, input: impl Read, mut output: impl Write) -> std::io::Result<()> {
    let request: Request = serde_json::from_reader(input)?;
    limit(&request)?;
    let mut say = |answer: &Answer| {
        let mut line = serde_json::to_vec(answer)?;
        line.push(b'\n');
        output.write_all(&line)?;
        output.flush()
    };
    let refused = |error: Error| Answer::Refused {
        reason: error.reason().to_owned(),
        message: with_causes(&error),
    };
    let said = match Said::read(path, &request.trust) {
        Ok(said) => Box::new(said),
        Err(error) => return say(&refused(error)),
    };
    say(&Answer::Said(said.clone()))?;
    say(&match said.look(path, request.search) {
        Ok(report) => Answer::Report(Box::new(Report {
            // The parent knows its name, which JSON may not be able to hold.
            file: PathBuf::new(),
            ..report
        })),
        Err(error) => refused(error),
    })
}

/// Bounds what this process may take from now on. It ends with its parent, and writes no file.
#[cfg(target_os = "linux")]
fn limit(request: &Request) -> std::io::Result<()> {
    use nix::sys::prctl::set_pdeathsig;
    use nix::sys::resource::{Resource, setrlimit};
    use nix::sys::signal::Signal;

    set_pdeathsig(Signal::SIGKILL)?;
    // At the hard limit the system says no more which limit it was.
    let (cpu, cpu_hard) = (request.cpu_secs, request.cpu_secs + 5);
    for (resource, most, hard) in [
        (
            Resource::RLIMIT_AS,
            request.memory_bytes,
            request.memory_bytes,
        ),
        (Resource::RLIMIT_CPU, cpu, cpu_hard),
        (Resource::RLIMIT_CORE, 0, 0),
        (Resource::RLIMIT_FSIZE, 0, 0),
    ] {
        setrlimit(resource, most, hard)?;
    }
    Ok(())
}

/// Elsewhere the parent's clock is the only bound.
#[cfg(not(target_os = "linux"))]
fn limit(_request: &Request) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_files_have_more_time() {
        assert!(more_secs(50 << 20) < 0.1);
        assert!(more_secs(5 << 30) > 300.0);
    }

    #[test]
    fn what_was_said_counts_when_the_pictures_take_too_long() {
        let over = || Error::OverLimit {
            what: "9 s".to_owned(),
            path: PathBuf::new(),
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        let said = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let said = Said::read(&path, &Trust::default()).unwrap();
            given_up(Some(Box::new(said)), over(), &path)
        };
        let uri = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
        let report = said(&format!("Iptc4xmpExt:DigitalSourceType=\"{uri}\"")).unwrap();
        assert!(report.marked && report.unreadable.unwrap().contains("9 s"));
        assert!(matches!(said("nothing"), Err(Error::OverLimit { .. })));
        assert!(matches!(
            given_up(None, over(), &path),
            Err(Error::OverLimit { .. })
        ));
    }

    /// A machine with other work to do is slow, and no file is to blame for it.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_child_that_waits_is_not_given_up_soon() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("waits");
        let answer = r#"{"Refused":{"reason":"r","message":"waited"}}"#;
        let script = format!("#!/bin/sh\ncat >/dev/null\nsleep 1.5\necho '{answer}'\n");
        std::fs::write(&program, script).unwrap();
        let runnable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, runnable).unwrap();
        let apart = Apart {
            program: program.clone(),
            command: "read",
            most_secs: 1.0,
            search: Search::Upright,
        };
        let read = verify_apart(&program, &Trust::default(), &apart, &|| false);
        assert!(
            matches!(&read, Err(Error::Refused { message, .. }) if message == "waited"),
            "{read:?}"
        );
    }

    #[test]
    fn report_comes_through_as_it_was_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let picture = effigy_frame::Picture::filled(64, 48, [9, 80, 200]);
        #[expect(clippy::disallowed_methods, reason = "a test picture of nobody")]
        effigy_media::write_picture(&path, &picture).unwrap();
        let report = crate::verify(&path, &Trust::default()).unwrap();
        let said = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&said).unwrap(), report);
    }
}
