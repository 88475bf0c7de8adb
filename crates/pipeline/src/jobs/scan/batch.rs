//! Many files: scanned in parallel and reported in order, each report written as soon as it is done.
//!
//! A report that exists already, of the same bytes and settings, is not made again: an interrupted
//! batch continues where it was.

use effigy_model::Weights;
use std::collections::BTreeMap;
use std::fs;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use effigy_detect::Report;
use effigy_detect::report::page::page;
use effigy_files::{Destination, Existing, Hasher, check_destinations, sha256_file, shortened};
use serde_json::{Value, json};

use super::{ScanJob, scan};
use crate::error::{Error, Result};
use crate::steps::atomic::AtomicFile;
use crate::steps::damage::with_remedy;
use crate::steps::inputs::{self, Input};
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;

/// Everything that a scan of many files needs.
#[derive(Clone, Debug)]
pub struct BatchJob {
    /// Videos, pictures and folders of them, and sound files.
    pub inputs: Vec<PathBuf>,
    /// How each is scanned; its own `input` does not count.
    pub each: ScanJob,
    /// Where a page and a JSON file go for each input; made if it is not there.
    pub reports: Option<PathBuf>,
    /// How many files are scanned at once.
    pub at_once: NonZero<usize>,
}

/// One file of a batch.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// The file.
    pub path: PathBuf,
    /// The report in its JSON form; of a file that could not be read, one that says why.
    pub report: Value,
    /// Why the file could not be read, if so.
    pub failed: Option<String>,
    /// The page, where one was asked for.
    pub page: Option<PathBuf>,
}

impl BatchJob {
    /// Finds the inputs, and checks that reports may go where they are to. [`scan_all`] begins
    /// with it.
    ///
    /// # Errors
    /// When there is nothing to read, or reports may not be written.
    pub fn check(&self) -> Result<()> {
        self.inputs().map(drop)
    }

    fn inputs(&self) -> Result<Vec<Input>> {
        let inputs = inputs::expand(&self.inputs)?;
        let originals = inputs::originals(&self.inputs, &inputs);
        let reports = self.reports.clone().map(Destination::Folder);
        check_destinations(reports.as_slice(), &originals, Existing::Kept)?;
        Ok(inputs)
    }
}

/// Scans all inputs and gives each to `tell`, in order.
///
/// A file that cannot be read is reported as such, and the others are scanned.
///
/// # Errors
/// When there is nothing to read, a report cannot be written, or `progress` asks to stop. Reports
/// written until then stay, and are not made again by the next run.
pub fn scan_all(
    job: &BatchJob,
    networks: &Networks,
    progress: &mut dyn Progress,
    tell: &mut dyn FnMut(&Scanned) -> Result<()>,
) -> Result<()> {
    let inputs = job.inputs()?;
    if let Some(folder) = &job.reports {
        fs::create_dir_all(folder).map_err(|err| unwritable(folder, err))?;
    }
    // A single file has a bar of its own, over its frames.
    if let [input] = &inputs[..] {
        return tell(&scan_one(job, input.path(), networks, progress)?);
    }
    progress.begin("files", Some(inputs.len() as u64));
    let shared = Shared {
        next: AtomicUsize::new(0),
        stopped: AtomicBool::new(false),
    };
    thread::scope(|scope| {
        let (send, done) = sync_channel(job.at_once.get());
        for _ in 0..job.at_once.get().min(inputs.len()) {
            let (send, shared, inputs) = (send.clone(), &shared, &inputs);
            scope.spawn(move || work(job, networks, inputs, shared, &send));
        }
        drop(send);
        let reported = report_in_order(&done, progress, tell);
        shared.stopped.store(true, Ordering::Relaxed);
        // Workers that wait to hand something over are let go.
        drop(done);
        reported
    })
}

struct Shared {
    next: AtomicUsize,
    stopped: AtomicBool,
}

type Done = (usize, Result<Scanned>);

fn work(
    job: &BatchJob,
    networks: &Networks,
    inputs: &[Input],
    shared: &Shared,
    send: &SyncSender<Done>,
) {
    while !shared.stopped.load(Ordering::Relaxed) {
        let i = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(input) = inputs.get(i) else { return };
        let mut progress = UntilStopped(&shared.stopped);
        let scanned = scan_one(job, input.path(), networks, &mut progress);
        if send.send((i, scanned)).is_err() {
            return;
        }
    }
}

fn report_in_order(
    done: &Receiver<Done>,
    progress: &mut dyn Progress,
    tell: &mut dyn FnMut(&Scanned) -> Result<()>,
) -> Result<()> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for (i, scanned) in done {
        waiting.insert(i, scanned?);
        if progress.step().is_break() {
            return Err(Error::Cancelled);
        }
        while let Some(scanned) = waiting.remove(&next) {
            tell(&scanned)?;
            next += 1;
        }
    }
    Ok(())
}

/// Passes on that the batch was stopped.
struct UntilStopped<'a>(&'a AtomicBool);

impl Progress for UntilStopped<'_> {
    fn begin(&mut self, _what: &str, _steps: Option<u64>) {}

    fn step(&mut self) -> ControlFlow<()> {
        if self.0.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn detail(&mut self, _text: &str) {}

    fn note(&mut self, _text: &str) {}
}

fn scan_one(
    job: &BatchJob,
    path: &Path,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<Scanned> {
    let each = ScanJob {
        input: path.to_owned(),
        ..job.each.clone()
    };
    match scan_or_reuse(job, &each, networks, progress) {
        Ok(scanned) => Ok(scanned),
        Err(err @ (Error::Cancelled | Error::Write { .. })) => Err(err),
        Err(err) => Ok(failed(&each, &with_remedy(&err))),
    }
}

fn scan_or_reuse(
    job: &BatchJob,
    each: &ScanJob,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<Scanned> {
    let Some(folder) = &job.reports else {
        let report = scan(each, networks, progress)?;
        return Ok(scanned(each, as_json(&report), None));
    };
    let name = report_name(each, &networks.weights)?;
    let place = |ending: &str| folder.join(format!("{name}.{ending}"));
    let (json, html) = (place("json"), place("html"));
    if let Some(report) = read_back(&json).filter(|_| html.is_file()) {
        return Ok(scanned(each, report, Some(html)));
    }
    let report = scan(each, networks, progress)?;
    let value = as_json(&report);
    write(&html, page(&report).as_bytes())?;
    write(&json, format!("{value:#}\n").as_bytes())?;
    Ok(scanned(each, value, Some(html)))
}

fn scanned(each: &ScanJob, report: Value, page: Option<PathBuf>) -> Scanned {
    Scanned {
        path: each.input.clone(),
        report,
        failed: None,
        page,
    }
}

/// Gives the report in its JSON form.
fn as_json(report: &Report) -> Value {
    // File names that are not Unicode have no JSON form; they are shown as well as possible.
    serde_json::to_value(report).unwrap_or_else(|_not_unicode| {
        let named = Report {
            file: PathBuf::from(report.file.to_string_lossy().into_owned()),
            ..report.clone()
        };
        serde_json::to_value(&named).unwrap_or(Value::Null)
    })
}

/// What is said of a file that cannot be judged: why, and what its marks say all the same.
fn failed(job: &ScanJob, why: &str) -> Scanned {
    let path = &job.input;
    let marks = match &job.apart {
        Some(apart) => effigy_mark::verify_apart(path, &job.trust, apart, &|| false),
        None => effigy_mark::verify(path, &job.trust),
    };
    let marks = marks
        .ok()
        .filter(|marks| marks.marked || marks.credentials.is_some());
    let is_marked = marks.as_ref().is_some_and(|marks| marks.marked);
    let in_words = marks.as_ref().map(effigy_mark::Report::in_words);
    Scanned {
        path: path.to_owned(),
        report: json!({
            "version": effigy_detect::report::REPORT_VERSION,
            "file": path.to_string_lossy(),
            "verdict": "not_judged",
            "fake_probability": null,
            "marked_as_synthetic": is_marked,
            "reasons": [],
            "not_judged": [why],
            "faces": [],
            "cues": [],
            "error": why,
            "marks": marks,
        }),
        failed: Some(match in_words {
            Some(in_words) => format!("{why}\n  {in_words}"),
            None => why.to_owned(),
        }),
        page: None,
    }
}

/// Bytes of a file's name that its report is called by.
const LONGEST_NAME: usize = 100;

/// Names a report after its file, and after what the report depends on.
fn report_name(each: &ScanJob, weights: &Weights) -> Result<String> {
    let content = sha256_file(&each.input).map_err(|source| Error::Read {
        source,
        path: each.input.clone(),
    })?;
    let mut digest = Hasher::default();
    digest.update(content);
    digest.update(each.input.to_string_lossy().as_bytes());
    let settings = (
        each.settings,
        each.window,
        &each.tracking,
        &each.person,
        &each.voice,
        each.damage,
    );
    digest.update(format!("{settings:?} {}", env!("CARGO_PKG_VERSION")));
    digest.update(effigy_detect::calibration::FUSE);
    digest.update(weights.table());
    let name = each.input.file_name().unwrap_or(each.input.as_os_str());
    let digits = &digest.finish()[..12];
    let tame = |c: char| {
        if c.is_alphanumeric() || "._-".contains(c) {
            c
        } else {
            '-'
        }
    };
    let tamed: String = name.to_string_lossy().chars().map(tame).collect();
    let name = shortened(tamed.as_ref(), LONGEST_NAME);
    Ok(format!("{}-{digits}", name.to_string_lossy()))
}

fn read_back(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).ok()?;
    serde_json::from_str(&text).ok()
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write(bytes)?;
    file.finish()
}

fn unwritable(path: &Path, source: std::io::Error) -> Error {
    Error::Write {
        source,
        path: path.to_owned(),
    }
}
