//! The subcommands, one file each: `Args`, and `run` that builds a job and shows its result.

mod bench;
mod devices;
mod faces;
mod matching;
mod swap;
mod table;
mod train;

use crate::output::{Exit, Output};

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
    Devices(devices::Args),
    Faces(faces::Args),
    Match(matching::Args),
    Swap(swap::Args),
    Train(train::Args),
}

/// Runs the chosen subcommand.
pub(crate) fn run(cli: &Cli, output: &mut Output) -> anyhow::Result<Exit> {
    match &cli.command {
        Command::Bench(args) => bench::run(args, output),
        Command::Devices(args) => devices::run(args, output),
        Command::Faces(args) => faces::run(args, output),
        Command::Match(args) => matching::run(args, output),
        Command::Swap(args) => swap::run(args, output),
        Command::Train(args) => train::run(args, output),
    }
}
