//! `swap`: put one consenting person's face on another in a clip, marked.

use std::path::PathBuf;

use anyhow::Context as _;
use effigy_pipeline::swap::{Range, View, default_output};
use effigy_pipeline::{Choice, SwapJob};

use crate::output::{Exit, Output};
use crate::safeguards::SafeguardArgs;

/// Replace the face of one person in a clip by another's, and mark the result
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Clip whose face is replaced
    input: PathBuf,
    /// Folder of the face model
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
    /// Whom to draw
    #[arg(long, value_name = "NAME")]
    face: String,
    /// Whose face is replaced, by name or identifier of their consent [default: the other of two]
    #[arg(long, value_name = "NAME")]
    onto: Option<String>,
    /// Where to write the result [default: beside the clip]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Begin at this moment
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS")]
    from: f64,
    /// End before this moment
    #[arg(long, value_name = "SECONDS")]
    to: Option<f64>,
    /// Show source and result side by side
    #[arg(long)]
    compare: bool,
    /// Where to compute: cpu, gpu or gpu:N
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Choice,
    /// Go back to this kept checkpoint of the model [default: the newest]
    #[arg(long, value_name = "STEP")]
    checkpoint: Option<u64>,
    #[command(flatten)]
    safeguards: SafeguardArgs,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let path = args.output.clone();
    let job = SwapJob {
        input: args.input.clone(),
        output: path.unwrap_or_else(|| default_output(&args.input, &args.face)),
        model: args.model.clone(),
        face: args.face.clone(),
        onto: args.onto.clone(),
        range: Range {
            from_secs: args.from,
            to_secs: args.to,
        },
        view: if args.compare {
            View::SideBySide
        } else {
            View::Result
        },
        checkpoint: args.checkpoint,
        device: args.device,
        safeguards: args.safeguards.safeguards()?,
    };
    output.say(format_args!("device: {}", args.device));
    let report = effigy_pipeline::swap(&job, &mut output.progress())
        .with_context(|| format!("cannot swap {:?}", args.input))?;
    output.say(format_args!(
        "{:?}: {} of {} frames swapped, {:.1} frames/s in all; identifier {:016x}",
        report.marked.path,
        report.n_swapped,
        report.n_frames,
        report.n_frames as f64 / report.took_secs,
        report.marked.identifier,
    ));
    for line in report.quality.lines() {
        output.say(line);
    }
    output.say(format_args!("quality card: {:?}", report.quality_path));
    Ok(Exit::Nothing)
}
