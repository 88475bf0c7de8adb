//! `mark`: mark a picture or video that was made elsewhere.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use effigy_mark::label::Source;
use effigy_pipeline::mark::{MarkJob, default_output, mark};

use crate::environment::Force;
use crate::output::{Exit, Output};
use crate::safeguards::SafeguardArgs;
use crate::values::{Fps, input};

/// Mark a picture or video that was made elsewhere: label, watermark, Content Credentials
///
/// Credentials that it has already are kept as an ingredient.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Picture, video, or frames: a folder of pictures or a pattern such as shot-%05d.png
    #[arg(value_parser = input())]
    file: PathBuf,
    /// Where to write the marked copy, a folder for frames [default: NAME-marked beside it]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    fps: Fps,
    #[command(flatten)]
    force: Force,
    /// How much of it was made by a network
    #[arg(long, default_value = "altered", value_name = "SOURCE")]
    source: SourceName,
    #[command(flatten)]
    safeguards: SafeguardArgs,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum SourceName {
    /// It was filmed, and parts were redrawn
    Altered,
    /// Nothing was filmed
    Generated,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    args.fps.check(&args.file, args.output.as_deref())?;
    let job = MarkJob {
        input: args.file.clone(),
        output: args
            .output
            .clone()
            .unwrap_or_else(|| default_output(&args.file, args.fps.rate())),
        fps: args.fps.rate(),
        existing: args.force.existing(),
        source: match args.source {
            SourceName::Altered => Source::Altered,
            SourceName::Generated => Source::Generated,
        },
        safeguards: args.safeguards.safeguards()?,
    };
    let told = || format!("cannot mark {:?}", args.file);
    job.check().with_context(told)?;
    args.safeguards.make_keys(output)?;
    args.safeguards.announce_signer(output)?;
    let start = Instant::now();
    let marked = mark(&job, &mut output.progress()).with_context(told)?;
    output.say(format_args!(
        "marked as synthetic, with the identifier {:016x}; verify it with `effigy verify`\n\
         signing and verifying took {:.2} s of {:.1} s",
        marked.identifier,
        marked.signing.as_secs_f64(),
        start.elapsed().as_secs_f64(),
    ));
    output.say_lost(&marked.lost);
    output.data(marked.path.display())?;
    Ok(Exit::Nothing)
}
