//! Where words go: data to stdout, everything else to stderr, and how the program ends.

use std::io::{IsTerminal as _, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use effigy_files::without_temporary_names;
use effigy_pipeline::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or looked for and not found: 0.
    Nothing,
    /// What was looked for is there: 1.
    Found,
    /// Could not be done: 2.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Nothing => Self::from(0),
            Exit::Found => Self::from(1),
            Exit::Failed => Self::from(2),
        }
    }
}

/// How many files may be read at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// As many as is fastest.
    Usual,
    /// One, since one of several took everything along.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "needs a watcher")
    )]
    OneAtATime,
}

/// Lines that an earlier attempt at the same work has told.
static TOLD_BEFORE: AtomicU64 = AtomicU64::new(0);

/// Leaves out the first lines that are told: the same work told them before it was ended.
#[cfg(target_os = "linux")]
pub(crate) fn said_before(n_lines: u64) {
    TOLD_BEFORE.store(n_lines, Ordering::Relaxed);
}

/// Whether the next line was told by an earlier attempt; one of its lines is then used up.
fn was_told() -> bool {
    let one_less = |left: u64| left.checked_sub(1);
    let (read, write) = (Ordering::Relaxed, Ordering::Relaxed);
    TOLD_BEFORE.fetch_update(read, write, one_less).is_ok()
}

/// Whether the error that ends the program was said.
static HAS_SAID_WHY: AtomicBool = AtomicBool::new(false);

/// Says the error that ends the program, unless another was said: a job may end by itself in the moment in
/// which it is ended.
pub(crate) fn say_why(error: impl std::fmt::Display) {
    if !HAS_SAID_WHY.swap(true, Ordering::Relaxed) {
        eprintln!("error: {error}");
        #[cfg(target_os = "linux")]
        crate::board::note_end();
    }
}

/// Notes for whoever watches that a line was told.
fn note_told() {
    #[cfg(target_os = "linux")]
    crate::board::note_told();
}

/// The terminal, and whether the user asked to stop.
pub(crate) struct Output {
    stopped: Arc<AtomicBool>,
    saves_when_stopped: Arc<AtomicBool>,
    /// Whether the job ended, by itself or because it was asked to.
    is_over: Arc<AtomicBool>,
    care: Care,
    /// Whether another program reads how far it is.
    tells_progress: bool,
}

impl Drop for Output {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

impl Output {
    /// Takes over Ctrl-C and its like: from now on they ask the running job to stop and clean up.
    /// A job that is deep in a library and does not hear is ended after [`PATIENCE`].
    ///
    /// Another program is told how far it is, in lines, where `tells_progress`.
    pub(crate) fn new(care: Care, tells_progress: bool) -> anyhow::Result<Self> {
        let stopped = Arc::new(AtomicBool::new(false));
        let saves_when_stopped = Arc::new(AtomicBool::new(false));
        let is_over = Arc::new(AtomicBool::new(false));
        let (flag, saves) = (Arc::clone(&stopped), Arc::clone(&saves_when_stopped));
        let over = Arc::clone(&is_over);
        let mut first = None;
        ctrlc::set_handler(move || {
            let is_first = !flag.swap(true, Ordering::Relaxed);
            let asked = first.get_or_insert_with(Instant::now);
            if saves.load(Ordering::Relaxed) {
                if is_first {
                    eprintln!("stopping, and saving; once more ends it at once");
                    return;
                }
                // The terminal tells everybody, and whoever watches passes it on.
                if asked.elapsed() < SAME_SIGNAL {
                    return;
                }
            }
            std::thread::sleep(PATIENCE);
            if !over.load(Ordering::Relaxed) {
                end_now();
            }
        })
        .context("cannot listen for Ctrl-C")?;
        Ok(Self {
            stopped,
            saves_when_stopped,
            is_over,
            care,
            tells_progress,
        })
    }

    /// Says that the job saves its work when asked to stop, for which it has as long as it needs.
    pub(crate) fn saves_when_stopped(&mut self) {
        self.saves_when_stopped.store(true, Ordering::Relaxed);
        #[cfg(target_os = "linux")]
        crate::board::note_saving();
    }

    /// How many files may be read at the same time.
    pub(crate) fn care(&self) -> Care {
        self.care
    }

    /// Whether the user asked to stop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Says from any thread whether the user asked to stop.
    pub(crate) fn told_to_stop(&self) -> impl Fn() -> bool + Send + use<> {
        let stopped = Arc::clone(&self.stopped);
        move || stopped.load(Ordering::Relaxed)
    }

    /// Prints one line of data to stdout.
    pub(crate) fn data(&mut self, line: impl std::fmt::Display) -> anyhow::Result<()> {
        if was_told() {
            return Ok(());
        }
        writeln!(std::io::stdout().lock(), "{line}").context("cannot write to standard output")?;
        note_told();
        Ok(())
    }

    /// Prints lines for the reader to stdout that tell of files of others.
    pub(crate) fn words(&mut self, lines: impl std::fmt::Display) -> anyhow::Result<()> {
        self.data(harmless(&lines.to_string()))
    }

    /// Prints one line for the reader to stderr.
    #[expect(clippy::unused_self, reason = "words pass through one door")]
    pub(crate) fn say(&mut self, line: impl std::fmt::Display) {
        if !was_told() {
            eprintln!("{}", without_temporary_names(&line.to_string()));
            note_told();
        }
    }

    /// Says what of an edited file is not in the result.
    pub(crate) fn say_lost(&mut self, lost: &[String]) {
        for what in lost {
            self.say(format_args!("not kept: {what}"));
        }
    }
    /// Makes the bar that shows one job's progress on stderr and passes Ctrl-C on to the job.
    pub(crate) fn progress(&mut self) -> Bar {
        Bar {
            stopped: Arc::clone(&self.stopped),
            bar: ProgressBar::hidden(),
            said: Instant::now(),
            tells: self.tells_progress,
        }
    }
}

/// The name of a file, on one line and without what would steer the terminal.
pub(crate) fn named(path: &Path) -> String {
    harmless(&path.to_string_lossy()).replace('\n', "\\n")
}

/// The first few stretches of time, each from when to when, in seconds.
pub(crate) fn stretches(stretches: &[[f64; 2]]) -> String {
    const MOST: usize = 5;
    let shown = stretches.iter().take(MOST);
    let shown = shown.map(|[from, to]| format!("{from:.1} to {to:.1} s"));
    let mut shown: Vec<String> = shown.collect();
    if MOST < stretches.len() {
        shown.push(format!("and {} more", stretches.len() - MOST));
    }
    shown.join(", ")
}

/// The text with what would steer the terminal, or turn the direction of writing, as escapes: a file
/// could be named so that another verdict is read.
fn harmless(text: &str) -> String {
    let steers = |c: char| {
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || (c.is_control() && c != '\n')
    };
    let mut harmless = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            harmless.extend(c.escape_default());
        } else {
            harmless.push(c);
        }
    }
    harmless
}

/// Signals that are no further apart are one.
const SAME_SIGNAL: Duration = Duration::from_millis(500);

/// How long a job has to end by itself.
const PATIENCE: Duration = Duration::from_millis(340);

/// Ends the program wherever it is. Nothing has the name of an output that is not complete.
#[expect(clippy::exit, reason = "a job that cannot be asked must be ended")]
fn end_now() {
    if effigy_files::remove_open_temporaries().is_err() {
        eprintln!(
            "unfinished files whose names begin with .part- may be left; they can be deleted"
        );
    }
    say_why("stopped before the end");
    std::process::exit(2);
}

/// A progress bar on stderr. Where stderr is not a terminal there is none, and details are said
/// once a minute.
pub(crate) struct Bar {
    stopped: Arc<AtomicBool>,
    bar: ProgressBar,
    said: Instant,
    /// Whether another program reads how far it is.
    tells: bool,
}

/// How often another program is told how far it is.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// Seconds between two details that are said where there is no bar.
const SAY_EVERY_SECS: u64 = 60;

impl Progress for Bar {
    fn begin(&mut self, what: &str, steps: Option<u64>) {
        self.bar.finish_and_clear();
        self.bar = match steps {
            Some(steps) => ProgressBar::new(steps).with_style(style(
                "{msg} {wide_bar} {pos}/{len} · {per_sec} · {eta} left",
            )),
            None => ProgressBar::new_spinner()
                .with_style(style("{spinner} {msg} {pos} · {per_sec} · {elapsed}")),
        };
        self.bar.set_message(what.to_owned());
        self.bar.enable_steady_tick(Duration::from_millis(200));
    }

    fn step(&mut self) -> ControlFlow<()> {
        self.bar.inc(1);
        if self.tells && TELL_EVERY <= self.said.elapsed() {
            self.said = Instant::now();
            let (what, n, of) = (self.bar.message(), self.bar.position(), self.bar.length());
            let of = of.map_or_else(|| "?".to_owned(), |of| of.to_string());
            eprintln!("progress: {what} {n}/{of}");
        }
        if self.is_stopped() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn detail(&mut self, text: &str) {
        let last = text.lines().next_back().unwrap_or_default();
        if !std::io::stderr().is_terminal() {
            if SAY_EVERY_SECS <= self.said.elapsed().as_secs() {
                self.said = Instant::now();
                eprintln!("{last}");
            }
            return;
        }
        if let Some((above, _)) = text.rsplit_once('\n') {
            self.bar.set_style(style("{prefix}\n{spinner} {msg}"));
            self.bar.set_prefix(above.to_owned());
        }
        self.bar.set_message(last.to_owned());
    }

    fn note(&mut self, text: &str) {
        if !was_told() {
            let text = without_temporary_names(text);
            self.bar.suspend(|| eprintln!("{text}"));
            note_told();
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
