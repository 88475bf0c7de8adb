//! `swap`: put one consenting person's face on another in a clip, marked.

use std::path::PathBuf;

use anyhow::Context as _;
use effigy_pipeline::swap::{SkinTone, View, default_output};
use effigy_pipeline::{Made, REMEDY, SwapJob, is_frames};

use crate::computing::Computing;
use crate::environment::Force;
use crate::output::{Exit, Output};
use crate::safeguards::SafeguardArgs;
use crate::values::{Fps, Part, SkipDamaged, input};
use crate::weights::weights;

/// Replace the face of one person in a clip with another's, and mark the result
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Clip whose face is replaced, or frames: a folder of pictures, or a pattern such as
    /// shot-%05d.png
    #[arg(value_parser = input())]
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
    /// Where to write the result, a folder for frames [default: beside the clip]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    fps: Fps,
    #[command(flatten)]
    force: Force,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    skip_damaged: SkipDamaged,
    /// Show the clip and the result side by side
    #[arg(long)]
    compare: bool,
    /// Whose skin tone the face has: the target's (the clip's, as neck and ears) or the source's
    #[arg(
        long,
        alias = "complexion",
        default_value = "target",
        value_name = "WHOSE"
    )]
    skin_tone: SkinToneName,
    /// Compare with the ground truth: an actor's clip with its masks beside it
    #[arg(long, alias = "exact", value_parser = input(), value_name = "CLIP")]
    ground_truth: Option<PathBuf>,
    #[command(flatten)]
    computing: Computing,
    #[command(flatten)]
    safeguards: SafeguardArgs,
}

/// Whose skin tone, as it is written.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum SkinToneName {
    #[value(alias = "seen")]
    Target,
    #[value(alias = "drawn")]
    Source,
}

/// What was asked for.
fn job(args: &Args) -> anyhow::Result<SwapJob> {
    let path = args.output.clone();
    let is_still = args.part.is_still();
    args.part.check(path.as_deref())?;
    if !is_still {
        args.fps.check(&args.input, args.output.as_deref())?;
    }
    Ok(SwapJob {
        input: args.input.clone(),
        output: path
            .unwrap_or_else(|| default_output(&args.input, &args.face, is_still, args.fps.rate())),
        fps: args.fps.rate(),
        existing: args.force.existing(),
        model: args.model.clone(),
        face: args.face.clone(),
        onto: args.onto.clone(),
        range: args.part.range(),
        view: if args.compare {
            View::SideBySide
        } else {
            View::Result
        },
        damage: args.skip_damaged.into(),
        skin_tone: match args.skin_tone {
            SkinToneName::Target => SkinTone::Target,
            SkinToneName::Source => SkinTone::Source,
        },
        ground_truth: args.ground_truth.clone(),
        checkpoint: args.computing.checkpoint,
        device: args.computing.device,
        weights: weights()?,
        safeguards: args.safeguards.safeguards()?,
    })
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let job = job(args)?;
    let told = || format!("cannot swap {:?}", args.input);
    job.check().with_context(told)?;
    args.computing.say(output);
    args.safeguards.announce_signer(output)?;
    let report = effigy_pipeline::swap(&job, &mut output.progress());
    let report = report.map_err(|error| {
        let is_frame = is_frames(&args.input) && error.is_broken_picture();
        let remedy = if error.is_damage() || is_frame {
            format!(" ({REMEDY})")
        } else {
            String::new()
        };
        anyhow::Error::new(error).context(told() + &remedy)
    })?;
    output.say(format_args!(
        "{:?}: {}; identifier {:016x}",
        report.marked.path,
        swapped_in_words(&report),
        report.marked.identifier,
    ));
    for place in &report.damaged {
        output.say(format_args!("left out: {place}"));
    }
    output.say_lost(&report.marked.lost);
    for line in report.quality.lines() {
        output.say(line);
    }
    let signing = report.marked.signing.as_secs_f64();
    output.say(format_args!(
        "signing and verifying: {signing:.2} s of {:.1} s",
        report.took_secs
    ));
    let [_, page] = &report.quality_paths;
    output.say(format_args!("quality card with pictures: {page:?}"));
    Ok(Exit::Nothing)
}

fn swapped_in_words(report: &Made) -> String {
    match (report.n_drawn, report.n_frames) {
        (1, 1) => "1 frame swapped".to_owned(),
        (0, 1) => "1 frame, no face swapped".to_owned(),
        (drawn, all) => {
            let speed = all as f64 / report.took_secs;
            format!("{drawn} of {all} frames swapped, {speed:.1} frames/s in all")
        }
    }
}
