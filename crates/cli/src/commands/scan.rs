//! `scan`: say whether faces show signs of manipulation, where, when, and how we know.

use std::num::NonZero;
use std::path::PathBuf;

use effigy_mark::Search;
use effigy_pipeline::{BatchJob, Choice, Networks, ScanJob, Scanned, scan, scan_all};

use crate::commands::{read_marks, scan_text, verify};
use crate::output::{Care, Exit, Output};
use crate::values::{SkipDamaged, input, listed, within};
use crate::weights::weights;

/// Look for signs of manipulation in the faces of pictures and videos
///
/// Says what was seen, where and when, and what could not be judged. Of sound alone (WAV, MP3, FLAC, Opus, M4A) it says who
/// speaks when, and judges nothing yet. A verdict is a hint, not
/// proof: docs/figures.md says how often it is wrong. Exits with 1 when a file shows signs or is
/// marked as synthetic; else with 2 when one could not be judged or read; else with 0.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Pictures, videos, folders of them, or a pattern such as shot-%05d.png; sound files by name; --files-from names more
    #[arg(value_parser = input(), value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// File with one input per line, besides those named
    #[arg(long, alias = "list", value_name = "FILE")]
    files_from: Option<PathBuf>,
    /// Folder for a page and a JSON file per input; existing reports are kept and not made again
    #[arg(long, value_name = "DIR")]
    pub(super) report: Option<PathBuf>,
    #[command(flatten)]
    skip_damaged: SkipDamaged,
    /// Print one JSON object per file
    #[arg(long)]
    json: bool,
    /// Frames a second whose pixels are examined; movement is followed in every frame
    #[arg(long, alias = "fps", default_value_t = 3.0, value_name = "N", value_parser = within(0.1_f32, 60.0))]
    samples_per_sec: f32,
    /// Genuine pictures, clips or sound files of a person: say of each face whether it looks and moves like them, and of the
    /// voice that speaks most whether it sounds like them
    #[arg(long, value_parser = input(), value_name = "REF", num_args = 1..)]
    person: Vec<PathBuf>,
    /// Files scanned at once [default: one per processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// Where the networks run: cpu, gpu or gpu:N; `effigy devices` lists what is there
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    pub(super) device: Choice,
    /// Root certificates to trust, as PEM, besides this installation's own
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
    /// Folder of keys and consents [default: EFFIGY_HOME, or ~/.local/share/effigy]
    #[arg(long, value_name = "FOLDER")]
    home: Option<PathBuf>,
}

/// What was found over all files.
#[derive(Default)]
struct Tally {
    n_files: u32,
    n_signs: u32,
    n_inconclusive: u32,
    n_not_judged: u32,
    n_failed: u32,
}

/// How much processor time the marks of a file may take, as for `verify`.
const MARKS_SECS: f64 = 9.0;

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let mut job = job(args)?;
    if output.care() == Care::OneAtATime {
        job.at_once = NonZero::<usize>::MIN;
    }
    job.check()?;
    output.say(format_args!("device: {}", args.device));
    let networks = Networks::load(&weights()?, args.device)?;
    let known = scan::references(&args.person, &networks, &mut output.progress())?;
    (job.each.person, job.each.voice) = (known.person, known.voice);
    let mut tally = Tally::default();
    let mut bar = output.progress();
    let mut tell = |scanned: &Scanned| {
        tally.count(scanned);
        let told = if args.json {
            output.data(&scanned.report)
        } else {
            output.words(scan_text::summary(scanned))
        };
        told.map_err(|err| effigy_pipeline::Error::Write {
            source: std::io::Error::other(err),
            path: PathBuf::from("standard output"),
        })
    };
    scan_all(&job, &networks, &mut bar, &mut tell)?;
    drop(bar);
    if 1 < tally.n_files && !args.json {
        output.data(tally.in_words())?;
    }
    Ok(tally.exit())
}

fn job(args: &Args) -> anyhow::Result<BatchJob> {
    let mut inputs = args.inputs.clone();
    if let Some(list) = &args.files_from {
        inputs.extend(listed(list)?);
        anyhow::ensure!(!inputs.is_empty(), "no file is named in {list:?}");
    }
    anyhow::ensure!(
        !inputs.is_empty(),
        "nothing to scan: name pictures, videos or folders, or a list of them with --files-from"
    );
    let mut each = ScanJob::new(PathBuf::new());
    each.settings.samples_per_sec = args.samples_per_sec;
    each.damage = args.skip_damaged.into();
    each.trust = verify::trust(&args.trust, args.home.as_deref())?;
    each.apart = Some(read_marks::apart(Search::Upright, MARKS_SECS)?);
    let processors = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    Ok(BatchJob {
        inputs,
        each,
        reports: args.report.clone(),
        at_once: args.jobs.unwrap_or_else(processors),
    })
}

impl Tally {
    fn count(&mut self, scanned: &Scanned) {
        self.n_files += 1;
        let verdict = scanned.report["verdict"].as_str().unwrap_or_default();
        match verdict {
            _ if scanned.failed.is_some() => self.n_failed += 1,
            "signs" => self.n_signs += 1,
            "inconclusive" => self.n_inconclusive += 1,
            "no_signs" => {}
            _ => self.n_not_judged += 1,
        }
    }

    fn in_words(&self) -> String {
        let n_others = self.n_signs + self.n_inconclusive + self.n_not_judged + self.n_failed;
        format!(
            "{} files: {} with signs of manipulation, {} inconclusive, {} without signs, {} not \
             judged, {} not readable",
            self.n_files,
            self.n_signs,
            self.n_inconclusive,
            self.n_files - n_others,
            self.n_not_judged,
            self.n_failed
        )
    }

    fn exit(&self) -> Exit {
        if 0 < self.n_signs {
            Exit::Found
        } else if 0 < self.n_failed + self.n_not_judged {
            Exit::Failed
        } else {
            Exit::Nothing
        }
    }
}
