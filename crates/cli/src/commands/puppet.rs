//! `puppet`: move a consenting person's portrait as somebody in a clip moves, marked.

use std::path::PathBuf;

use anyhow::Context as _;
use effigy_files::is_picture;
use effigy_pipeline::puppet::{Drive, DriverSettings, Gains, Trained, default_output};
use effigy_pipeline::{Choice, PuppetJob, Rational};

use crate::environment::Force;
use crate::output::{Exit, Output};
use crate::safeguards::SafeguardArgs;
use crate::values::{Part, input, rate, within};
use crate::weights::weights;

/// Move the person in a portrait as somebody in a clip moves, and mark the result
#[derive(clap::Args, Debug)]
#[command(group = clap::ArgGroup::new("movement").required(true).args(["drive", "weights"]))]
pub(crate) struct Args {
    /// Picture of the person who is moved, or a clip, of which the first frame with them is taken
    #[arg(long, value_parser = input(), value_name = "PICTURE")]
    portrait: PathBuf,
    /// Face model of that person, as `train` wrote it: what it knows of them is added to the portrait
    #[arg(long, value_name = "FOLDER")]
    model: Option<PathBuf>,
    /// Clips of the person from which the model learns how they move, once; it is kept in its folder
    /// [default: the portrait, where it is a clip and the model does not know yet]
    #[arg(long, value_parser = input(), value_name = "CLIP", num_args = 1.., requires = "model")]
    learn: Vec<PathBuf>,
    /// Go back to this kept checkpoint of the model [default: the newest]
    #[arg(long, value_name = "STEP", requires = "model")]
    checkpoint: Option<u64>,
    /// Who that is, by name or identifier of their consent (use `puppet`)
    #[arg(long, value_name = "NAME")]
    face: String,
    /// Clip whose movement is taken over; several follow one another, without sound
    #[arg(long, value_parser = input(), value_name = "CLIP", num_args = 1..)]
    drive: Vec<PathBuf>,
    /// Files of movement instead, one after the other: `.csv` in the columns of Live Link Face, or
    /// `.jsonl`, as `track` writes them and animators edit them
    #[arg(long, value_parser = input(), value_name = "FILE", num_args = 1..)]
    weights: Vec<PathBuf>,
    /// Frames a second of such files, where their time codes do not show it
    #[arg(long, value_parser = rate, value_name = "N", requires = "weights")]
    fps: Option<Rational>,
    /// Who moves in it, by name or identifier of their consent (use `drive`); needed for
    /// `--audience publish`, and where several people are seen
    #[arg(long, value_name = "NAME")]
    driver: Option<String>,
    /// Where to write the result [default: beside the portrait]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
    #[command(flatten)]
    part: Part,
    /// How much lids and gaze move: 0 not at all, 1 as the driver's, 2 twice as much
    #[arg(long, default_value_t = Gains::default().eyes, value_parser = within(0.0, MOST_GAIN), value_name = "GAIN")]
    eyes: f32,
    /// The same of lips, jaw and cheeks
    #[arg(long, default_value_t = Gains::default().mouth, value_parser = within(0.0, MOST_GAIN), value_name = "GAIN")]
    mouth: f32,
    /// The same of the brows
    #[arg(long, default_value_t = Gains::default().brows, value_parser = within(0.0, MOST_GAIN), value_name = "GAIN")]
    brows: f32,
    /// The same of the head
    #[arg(long, default_value_t = Gains::default().head, value_parser = within(0.0, MOST_GAIN), value_name = "GAIN")]
    head: f32,
    /// Whether the head follows the driver's, or keeps where it is in the portrait (as `--head 0`)
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "WHAT",
        conflicts_with = "head"
    )]
    pose: HeadPose,
    /// Compare with what the result should look like at the same moments: the same performance by the
    /// person in the portrait
    #[arg(long, value_parser = input(), value_name = "CLIP")]
    ground_truth: Option<PathBuf>,
    /// Where to compute: cpu, gpu or gpu:N
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Choice,
    #[command(flatten)]
    safeguards: SafeguardArgs,
}

/// What the head does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum HeadPose {
    #[default]
    Follow,
    Keep,
}

/// Most that a movement is enlarged.
const MOST_GAIN: f32 = 2.0;

fn job(args: &Args) -> anyhow::Result<PuppetJob> {
    let path = args.output.clone();
    let is_still = args.part.is_still();
    args.part.check(path.as_deref())?;
    if let (false, Some(path)) = (is_still, &path) {
        anyhow::ensure!(
            !is_picture(path),
            "a picture holds one frame; name a video such as moved.mp4, or choose a moment with --frame-at: {path:?}"
        );
    }
    let head = match args.pose {
        HeadPose::Follow => args.head,
        HeadPose::Keep => 0.0,
    };
    let drive = match &args.drive[..] {
        [] => Drive::Curves {
            files: args.weights.clone(),
            rate: args.fps,
        },
        clips => Drive::Clips(clips.to_vec()),
    };
    Ok(PuppetJob {
        portrait: args.portrait.clone(),
        subject: args.face.clone(),
        trained: args.model.as_ref().map(|model| Trained {
            model: model.clone(),
            learn: args.learn.clone(),
            settings: DriverSettings::default(),
            checkpoint: args.checkpoint,
        }),
        drive,
        driver: args.driver.clone(),
        output: path.unwrap_or_else(|| default_output(&args.portrait, is_still)),
        existing: args.force.existing(),
        range: args.part.range(),
        gains: Gains {
            eyes: args.eyes,
            mouth: args.mouth,
            brows: args.brows,
            head,
        },
        ground_truth: args.ground_truth.clone(),
        device: args.device,
        weights: weights()?,
        safeguards: args.safeguards.safeguards()?,
    })
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let job = job(args)?;
    let told = || format!("cannot move {:?}", args.portrait);
    job.check().with_context(told)?;
    output.say(format_args!("device: {}", args.device));
    args.safeguards.announce_signer(output)?;
    let made = effigy_pipeline::puppet(&job, &mut output.progress()).with_context(told)?;
    let drawn = match made.n_frames {
        1 => "1 frame".to_owned(),
        n => format!(
            "{n} frames, {:.1} frames/s in all",
            n as f64 / made.took_secs
        ),
    };
    output.say(format_args!(
        "{:?}: {drawn}; identifier {:016x}",
        made.marked.path, made.marked.identifier,
    ));
    if made.n_still > 0 {
        output.say(format_args!(
            "in {} of them the driver is not seen: the movement before is held",
            made.n_still
        ));
    }
    output.say_lost(&made.marked.lost);
    for line in made.quality.lines() {
        output.say(line);
    }
    output.say(format_args!("quality card: {:?}", made.quality_path));
    Ok(Exit::Nothing)
}
