//! The job `scan`: one file is judged by `effigy scan`, in a process of its own.
//!
//! A file that cannot be read is an answer, which that process gives. When the process itself dies, the file
//! *cannot be read* either: nothing is ever genuine because somebody failed to look.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use serde_json::{Value, json};

use crate::child::{Ended, Limits, Program};
use crate::error::{Error, Result};
use crate::id::random_id;
use crate::job::{Done, NewJob, Tenant};
use crate::queue::Retry;
use crate::store::{Sha256, Store};
use crate::worker::{Outcome, Task};

/// The kind of these jobs.
pub const SCAN: &str = "scan";
/// The output that holds what `scan --json` printed.
pub const REPORT: &str = "report.json";
/// The output that is the page of `scan --report`; a file that cannot be read has none.
pub const REPORT_PAGE: &str = "report.html";

/// Setting: what the file is called.
const NAME: &str = "name";
/// Setting: the version of the program, of which the results are.
const VERSION: &str = "version";

/// The most that the JSON of one file, or its page, may have.
pub const MOST_REPORT_BYTES: u64 = 64 << 20;
/// How long one file may take.
const WALL: Duration = Duration::from_secs(4 * 3600);

/// How files are judged here.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The program `effigy`.
    pub program: PathBuf,
    /// Where the files are.
    pub store: Store,
    /// A folder for what lies on this machine while a job is done; nobody else writes there.
    pub folder: PathBuf,
}

/// Asks for a file to be judged. `name` is what it is called in the report.
pub fn scan_job(tenant: Tenant, file: Sha256, name: &str) -> NewJob {
    let mut job = NewJob::new(tenant, SCAN, vec![file]);
    let version = env!("CARGO_PKG_VERSION").to_owned();
    job.settings = BTreeMap::from([
        (NAME.to_owned(), safe_name(name)),
        (VERSION.to_owned(), version),
    ]);
    job
}

/// What the file of a `scan` is called.
pub fn scanned_name(job: &NewJob) -> &str {
    job.settings.get(NAME).map_or("file", String::as_str)
}

/// A name that can be that of a file in any folder, and steers no terminal and no page.
pub fn safe_name(name: &str) -> String {
    const MOST_BYTES: usize = 120;
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = |c: char| {
        if c.is_alphanumeric() || " -_.()+,".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name: String = last.chars().map(plain).collect();
    let name = name.trim_matches(|c: char| " .-".contains(c));
    // The end of a name says more than its middle: it holds the extension.
    let mut from = name.len().saturating_sub(MOST_BYTES);
    while !name.is_char_boundary(from) {
        from += 1;
    }
    match name[from..].trim_start_matches([' ', '.', '-']) {
        "" => "file".to_owned(),
        name => name.to_owned(),
    }
}

impl Scan {
    /// Judges the file of a job, and stores what was found.
    pub async fn run(&self, task: Task) -> Outcome {
        let failed = |reason: String, retry| Outcome::Failed { reason, retry };
        match self.judged(&task).await {
            Ok(outcome) => outcome,
            Err(err @ (Error::NotStored { .. } | Error::Changed { .. } | Error::NoJob { .. })) => {
                failed(err.to_string(), Retry::Never)
            }
            Err(err) => failed(err.to_string(), Retry::Later),
        }
    }

    async fn judged(&self, task: &Task) -> Result<Outcome> {
        let asked = &task.job.asked;
        let [file] = &asked.inputs[..] else {
            return Err(Error::NoJob {
                why: format!("scan reads one file, not {}", asked.inputs.len()),
            });
        };
        let scratch = Scratch::create(&self.folder)?;
        // Cleaned once more: whoever wrote the job was perhaps not this program.
        let name = safe_name(scanned_name(asked));
        self.store.fetch(file, &scratch.0.join(&name)).await?;
        let words = ["scan", "--json", "--report", "report", "--"];
        let program = Program {
            path: self.program.clone(),
            arguments: words
                .into_iter()
                .chain([name.as_str()])
                .map(Into::into)
                .collect(),
            environment: vec![("EFFIGY_PROGRESS".into(), "lines".into())],
            folder: scratch.0.clone(),
        };
        let limits = Limits {
            wall: WALL,
            most_output_bytes: MOST_REPORT_BYTES,
        };
        match program.run(limits, &task.said).await? {
            Ended::TooLong => Ok(unread("judging it took more than four hours")),
            Ended::TooMuch => Ok(unread("its report is too large")),
            Ended::ByItself { status, output } => {
                self.kept(task, status, &output, &scratch.0.join("report"))
                    .await
            }
        }
    }

    /// Stores what the program said, if it said it as it should.
    async fn kept(
        &self,
        task: &Task,
        status: ExitStatus,
        output: &[u8],
        pages: &Path,
    ) -> Result<Outcome> {
        let report: Option<Value> = serde_json::from_slice(output).ok();
        let report = report.filter(|report| report["verdict"].is_string());
        let Some(report) = report.filter(|_| matches!(status.code(), Some(0..=2))) else {
            return Ok(died(status, &task.said.log()));
        };
        let mut outputs = BTreeMap::new();
        outputs.insert(REPORT.to_owned(), self.store.put(output).await?.sha256);
        if let Some(page) = page_in(pages) {
            let page = self.store.put_file(&page, MOST_REPORT_BYTES).await?;
            outputs.insert(REPORT_PAGE.to_owned(), page.sha256);
        }
        let summary = json!({
            "verdict": report["verdict"],
            "marked_as_synthetic": report["marked_as_synthetic"],
            "fake_probability": report["fake_probability"],
            "error": report["error"],
        });
        Ok(Outcome::Done(Done {
            summary: summary.to_string(),
            outputs,
        }))
    }
}

fn unread(why: &str) -> Outcome {
    Outcome::Failed {
        reason: format!("the file cannot be read: {why}"),
        retry: Retry::Never,
    }
}

/// The program ended without an answer.
fn died(status: ExitStatus, log: &str) -> Outcome {
    let why = log
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("error: "));
    match (why, status.code()) {
        (Some(why), _) => unread(why),
        (None, Some(code)) => unread(&format!("the program that reads it ended with {code}")),
        // Somebody ended it from outside, or memory ran out: another time it may succeed.
        (None, None) => Outcome::Failed {
            reason: format!("the file cannot be read: the program that reads it died ({status})"),
            retry: Retry::Later,
        },
    }
}

/// The page in the folder of reports, which holds one.
fn page_in(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths = paths;
    paths.find(|path| {
        path.extension()
            .is_some_and(|extension| extension == "html")
    })
}

/// A folder that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn create(folder: &Path) -> Result<Self> {
        let folder = folder.join(random_id()?);
        std::fs::create_dir_all(&folder).map_err(|source| Error::File {
            source,
            what: format!("cannot make {folder:?}"),
        })?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left goes when the studio is opened again.
        std::fs::remove_dir_all(&self.0).ok();
    }
}
