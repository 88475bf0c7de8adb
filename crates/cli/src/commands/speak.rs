//! `speak`: make a consenting person's portrait speak what is said in a sound, marked.

use std::path::PathBuf;

use anyhow::Context as _;
use effigy_files::is_picture;
use effigy_pipeline::speak::{SpokenHead, default_output};
use effigy_pipeline::{Choice, Rational, SpeakJob, TimeRange};

use crate::environment::Force;
use crate::output::{Exit, Output};
use crate::safeguards::SafeguardArgs;
use crate::values::{input, moment, rate, within};
use crate::weights::weights;

/// Make the person in a portrait speak what is said in a sound, and mark the result
///
/// Lips meet in M, B and P, the lower lip meets the teeth in F and V, and in silence the mouth rests. Phones are
/// recognised as those of English; other languages work, with fewer closures found.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Picture of the person who is to speak, or a clip, of which the first frame with them is taken
    #[arg(long, value_parser = input(), value_name = "PICTURE")]
    portrait: PathBuf,
    /// Who that is, by name or identifier of their consent (use `speech`)
    #[arg(long, value_name = "NAME")]
    face: String,
    /// Sound that is spoken, or a clip with sound
    #[arg(long, value_parser = input(), value_name = "FILE")]
    sound: PathBuf,
    /// Whose voice it is, by name or identifier of their consent (use `speech`); needed for
    /// `--audience publish`
    #[arg(long, value_name = "NAME")]
    voice: Option<String>,
    /// Where to write the result [default: beside the portrait]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
    /// Begin at this moment of the sound: 62.5, or 1:02.5
    #[arg(long, default_value = "0", value_parser = moment, value_name = "SECONDS")]
    from: f64,
    /// End before this moment
    #[arg(long, value_parser = moment, value_name = "SECONDS")]
    to: Option<f64>,
    /// Frames a second
    #[arg(long, default_value = "25", value_parser = rate, value_name = "N")]
    fps: Rational,
    /// How much later than the sound lips move; less than 0 is earlier
    #[arg(long, default_value_t = 0.0, value_parser = within(-MOST_OFFSET_SECS, MOST_OFFSET_SECS), allow_negative_numbers = true, value_name = "SECONDS")]
    offset: f32,
    /// Keep the head where it is in the portrait
    #[arg(long)]
    still: bool,
    /// Which of many ways head and lids move: the same number gives the same movement
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Where to compute: cpu, gpu or gpu:N
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Choice,
    #[command(flatten)]
    safeguards: SafeguardArgs,
}

/// Lips that are further from the sound belong to another.
const MOST_OFFSET_SECS: f32 = 2.0;

fn job(args: &Args) -> anyhow::Result<SpeakJob> {
    if let Some(path) = args.output.as_ref().filter(|path| is_picture(path)) {
        anyhow::bail!("a picture does not speak; name a video such as speaks.mp4: {path:?}");
    }
    if let Some(to) = args.to {
        anyhow::ensure!(
            args.from < to,
            "--to {to} does not lie behind --from {}",
            args.from
        );
    }
    let output = args.output.clone();
    let seed = args.seed;
    Ok(SpeakJob {
        portrait: args.portrait.clone(),
        subject: args.face.clone(),
        sound: args.sound.clone(),
        voice: args.voice.clone(),
        output: output.unwrap_or_else(|| default_output(&args.portrait)),
        existing: args.force.existing(),
        range: TimeRange {
            from_secs: args.from,
            to_secs: args.to,
        },
        rate: args.fps,
        offset_secs: f64::from(args.offset),
        head: match args.still {
            true => SpokenHead::Stays { seed },
            false => SpokenHead::Lives { seed },
        },
        device: args.device,
        weights: weights()?,
        safeguards: args.safeguards.safeguards()?,
    })
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let job = job(args)?;
    let told = || format!("cannot make {:?} speak", args.portrait);
    job.check().with_context(told)?;
    output.say(format_args!("device: {}", args.device));
    args.safeguards.announce_signer(output)?;
    let made = effigy_pipeline::speak(&job, &mut output.progress()).with_context(told)?;
    output.say(format_args!(
        "{:?}: {} frames, {:.1} frames/s in all; identifier {:016x}",
        made.marked.path,
        made.n_frames,
        made.n_frames as f64 / made.took_secs,
        made.marked.identifier,
    ));
    output.say_lost(&made.marked.lost);
    for line in made.quality.lines() {
        output.say(line);
    }
    output.say(format_args!("quality card: {:?}", made.quality_path));
    Ok(Exit::Nothing)
}
