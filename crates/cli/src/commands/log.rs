//! `log`: show and verify the record of consents and outputs.

use effigy_mark::Keys;
use effigy_mark::log::Log;

use crate::environment::Place;
use crate::output::{Exit, Output};

/// Show and verify the record of consents and outputs
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Args {
    /// Find a changed, missing or re-ordered line
    Verify {
        #[command(flatten)]
        place: Place,
    },
    /// Print every line as JSON
    Show {
        #[command(flatten)]
        place: Place,
    },
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let (Args::Verify { place } | Args::Show { place }) = args;
    let keys = Keys::open(&place.folder()?.join("keys"))?;
    let log = Log::of(&keys);
    let entries = log.verify()?;
    if let Args::Show { .. } = args {
        for line in &entries {
            output.data(serde_json::to_string(&line.entry)?)?;
        }
    } else {
        output.data(format_args!(
            "lines: {}, none changed or missing",
            entries.len()
        ))?;
    }
    Ok(Exit::Nothing)
}
