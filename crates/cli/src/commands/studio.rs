//! `studio`: checking files in a browser, on this machine alone.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use effigy_web::Settings;

use crate::environment::home;
use crate::output::{Exit, Output};

/// Check files in a browser, and keep what was found
///
/// Prints the address of its pages, which only this machine reaches, and runs until Ctrl-C. Files are judged as `scan` judges them, each in
/// a process of its own; what waits or is unfinished goes on when the studio is started again.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Port on this machine; 0 for any that is free
    #[arg(long, default_value_t = 7878, value_name = "PORT")]
    port: u16,
    /// Folder for uploads, jobs and results [default: studio, in the folder of keys and consents]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Files judged at once
    #[arg(long, default_value = "1", value_name = "N")]
    jobs: NonZero<usize>,
    /// Largest file that is taken, in GB
    #[arg(long, default_value = "4", value_name = "GB")]
    most_gb: NonZero<u32>,
    /// Days after which results are deleted, with the files
    #[arg(long, default_value = "90", value_name = "DAYS")]
    keep_days: NonZero<u32>,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let settings = Settings {
        folder: match &args.data {
            Some(folder) => folder.clone(),
            None => home(None)?.join("studio"),
        },
        port: args.port,
        program: std::env::current_exe().context("cannot tell where this program is")?,
        n_workers: args.jobs.get(),
        most_file_bytes: u64::from(args.most_gb.get()) * 1_000_000_000,
        keep: Duration::from_secs(24 * 3600) * args.keep_days.get(),
    };
    // Jobs that are being done are handed back, so that they go on at once the next time.
    output.saves_when_stopped();
    let stopped = output.told_to_stop();
    let mut told = Ok(());
    effigy_web::run(&settings, |address| told = output.data(address), stopped)?;
    told?;
    Ok(Exit::Nothing)
}
