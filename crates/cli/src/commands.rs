//! The subcommands, one file each: `Args`, and `run` that builds a job and shows its result.

mod bench;
mod consent;
mod demo;
mod devices;
mod faces;
pub(crate) mod keys;
mod log;
mod mark;
mod matching;
mod puppet;
pub(crate) mod read_marks;
mod scan;
mod scan_text;
mod speak;
mod studio;
mod swap;
mod table;
mod track;
mod train;
mod verify;

use crate::output::{Exit, Output};
#[cfg(target_os = "linux")]
use std::path::PathBuf;

#[cfg(target_os = "linux")]
use effigy_pipeline::Choice;

#[cfg(target_os = "linux")]
use crate::rights::Needs;
#[cfg(target_os = "linux")]
use crate::supervise::Bounds;

/// Make, mark and detect synthetic faces
#[derive(clap::Parser, Debug)]
#[command(name = "effigy", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    Bench(bench::Args),
    #[command(subcommand)]
    Consent(consent::Args),
    Demo(demo::Args),
    Devices(devices::Args),
    Faces(faces::Args),
    #[command(subcommand)]
    Keys(keys::Args),
    #[command(subcommand)]
    Log(log::Args),
    Mark(mark::Args),
    Match(matching::Args),
    Puppet(puppet::Args),
    ReadMarks(read_marks::Args),
    Scan(scan::Args),
    Speak(speak::Args),
    Studio(studio::Args),
    Swap(swap::Args),
    Track(track::Args),
    Train(train::Args),
    Verify(verify::Args),
}

/// The command that a parent started: no terminal, and no signals to listen to.
pub(crate) fn run_as_child(cli: &Cli) -> Option<Exit> {
    match &cli.command {
        Command::ReadMarks(args) => Some(read_marks::run(args)),
        _ => None,
    }
}

#[cfg(target_os = "linux")]
impl Cli {
    /// What the command may take to read files of others; `None` where it reads none, or has them
    /// read by somebody else.
    pub(crate) fn bounds(&self) -> anyhow::Result<Option<Bounds>> {
        // What a swap in frames of 64 megapixels needs itself, and reading them.
        const MAKING_GIB: f64 = 16.0;
        const READING_GIB: f64 = 4.0;
        let (gib, goes_on) = match self.command {
            Command::Faces(_) | Command::Scan(_) => (READING_GIB, true),
            Command::Bench(_) | Command::Consent(_) | Command::Match(_) | Command::Track(_) => {
                (READING_GIB, false)
            }
            Command::Mark(_)
            | Command::Puppet(_)
            | Command::Speak(_)
            | Command::Swap(_)
            | Command::Train(_) => (MAKING_GIB, false),
            _ => return Ok(None),
        };
        // A graphics card's driver writes, and talks to others, in ways that cannot all be named.
        let judged = |results: &Option<PathBuf>, device| {
            (device == Choice::Cpu).then(|| Needs::to_judge(results.as_deref()))
        };
        let needs = match &self.command {
            Command::Faces(args) => judged(&args.output, args.device),
            Command::Match(args) => judged(&args.output, args.device),
            Command::Scan(args) => judged(&args.report, args.device),
            _ => None,
        };
        let gib = crate::environment::memory_gib()?.unwrap_or(gib);
        Ok(Some(Bounds {
            memory_bytes: (gib * f64::from(1 << 30)) as u64,
            goes_on,
            needs,
        }))
    }
}

/// Runs the chosen subcommand.
pub(crate) fn run(cli: &Cli, output: &mut Output) -> anyhow::Result<Exit> {
    match &cli.command {
        Command::Bench(args) => bench::run(args, output),
        Command::Consent(args) => consent::run(args, output),
        Command::Demo(args) => demo::run(args, output),
        Command::Devices(args) => devices::run(args, output),
        Command::Faces(args) => faces::run(args, output),
        Command::Keys(args) => keys::run(args, output),
        Command::Log(args) => log::run(args, output),
        Command::Mark(args) => mark::run(args, output),
        Command::Match(args) => matching::run(args, output),
        Command::Puppet(args) => puppet::run(args, output),
        Command::ReadMarks(args) => Ok(read_marks::run(args)),
        Command::Scan(args) => scan::run(args, output),
        Command::Speak(args) => speak::run(args, output),
        Command::Studio(args) => studio::run(args, output),
        Command::Swap(args) => swap::run(args, output),
        Command::Track(args) => track::run(args, output),
        Command::Train(args) => train::run(args, output),
        Command::Verify(args) => verify::run(args, output),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::Cli;

    #[test]
    fn old_names_of_options_still_work_for_this_version() {
        for line in [
            "effigy train --of ada a.mp4 --of ben b.mp4 -o m --from-nothing",
            "effigy swap --model m --face ada ben.mp4 --still 2.5 --complexion drawn",
            "effigy swap --model m --face ada ben.mp4 --exact ada.mp4 --complexion seen",
            "effigy faces a.mp4 -o out --smallest 40 --sheet --crops 64 --distinct --most 9",
            "effigy scan --list files.txt --fps 2",
        ] {
            let parsed = Cli::try_parse_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
        assert!(Cli::try_parse_from(["effigy", "scan", "a.mp4", "--frames", "2"]).is_err());
    }
}
