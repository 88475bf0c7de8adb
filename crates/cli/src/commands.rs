//! The subcommands, one file each: `Args`, and `run` that builds a job and shows its result.

mod devices;

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
    Devices(devices::Args),
}

/// Runs the chosen subcommand.
pub(crate) fn run(cli: &Cli, output: &mut Output) -> anyhow::Result<Exit> {
    match &cli.command {
        Command::Devices(args) => devices::run(args, output),
    }
}
