//! `train`: learn the faces of consenting people.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};
use effigy_mark::consent::Use;
use effigy_pipeline::{Start, Subject, TrainJob};
use effigy_train::{Budget, Size};

use crate::computing::Computing;
use crate::output::{Exit, Output};
use crate::safeguards::SafeguardArgs;
use crate::values::{input, within};
use crate::weights::weights;

/// Learn the faces of people who consent, from their clips
///
/// Two people are learned to be swapped (use `swap`), one alone to be moved by `puppet --model` (use
/// `puppet`).
/// Ctrl-C saves and stops; the same command continues from there.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    people: People,
    /// Folder of the face model; training continues where it stopped if the folder exists
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// Size of the network [default: what suits the device and its memory]
    #[arg(long, value_name = "SIZE")]
    size: Option<SizeName>,
    /// Train for N minutes in all [default: until the error stops falling]
    #[arg(long, value_name = "N", conflicts_with = "steps", value_parser = within(0.0, 1e6))]
    minutes: Option<f64>,
    /// Train for N steps in all
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Start a new model from random weights instead of the base trained on many faces
    #[arg(long, alias = "from-nothing")]
    from_scratch: bool,
    /// Seed of all random numbers
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    #[command(flatten)]
    computing: Computing,
    #[command(flatten)]
    safeguards: SafeguardArgs,
}

/// Sizes as they are written.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum SizeName {
    /// 96 pixels, for two processor cores
    Small,
    /// 160 pixels
    Medium,
    /// 256 pixels, for a graphics card
    Large,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let job = TrainJob {
        people: args.people.0.clone(),
        usage: usage_of(&args.people.0),
        output: args.output.clone(),
        size: args.size.map(|size| match size {
            SizeName::Small => Size::Small,
            SizeName::Medium => Size::Medium,
            SizeName::Large => Size::Large,
        }),
        budget: match (args.minutes, args.steps) {
            (Some(minutes), _) => Budget::Secs(minutes * 60.0),
            (None, Some(steps)) => Budget::Steps(steps),
            (None, None) => Budget::EarlyStopping,
        },
        seed: args.seed,
        start: if args.from_scratch {
            Start::Nothing
        } else {
            Start::Base
        },
        checkpoint: args.computing.checkpoint,
        device: args.computing.device,
        weights: weights()?,
        safeguards: args.safeguards.safeguards()?,
    };
    let told = || format!("cannot train {:?}", args.output);
    job.check().with_context(told)?;
    args.computing.say(output);
    output.saves_when_stopped();
    let outcome = effigy_pipeline::train(&job, &mut output.progress()).with_context(told)?;
    let last = outcome.last;
    output.say(format_args!(
        "what it draws: {:?}",
        args.output.join("preview.html")
    ));
    output.say(format_args!(
        "{} after {} steps in {:.1} minutes; error on faces held back {:.3}; saved in {:?}",
        if outcome.was_stopped {
            "stopped"
        } else {
            "done"
        },
        last.step,
        last.spent_secs / 60.0,
        last.validation_error,
        args.output,
    ));
    Ok(Exit::Nothing)
}

/// What a model is for: of one person alone, to move them; of several, to swap their faces.
fn usage_of(people: &[Subject]) -> Use {
    match people {
        [_alone] => Use::Puppet,
        _ => Use::Swap,
    }
}

/// The people after each `--person`: a name, then clips.
#[derive(Clone, Debug)]
struct People(Vec<Subject>);

impl clap::Args for People {
    fn augment_args(command: Command) -> Command {
        command.arg(
            Arg::new("person")
                .long("person")
                .alias("of")
                .help("A person, by name or identifier of their consent, and clips that show them")
                .value_names(["NAME", "CLIP"])
                .num_args(2..)
                .action(ArgAction::Append)
                .required(true)
                .value_parser(input()),
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for People {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let groups = matches
            .get_occurrences::<PathBuf>("person")
            .into_iter()
            .flatten();
        let people = groups.filter_map(|mut values| {
            let name = values.next()?.to_string_lossy().into_owned();
            Some(Subject {
                name,
                inputs: values.cloned().collect(),
            })
        });
        Ok(Self(people.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    struct Only {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn each_person_has_a_name_and_clips() {
        let line = "x --person ada a1.mp4 a2.mp4 --person ben b.mp4 -o m --minutes 2";
        let only = Only::try_parse_from(line.split(' ')).unwrap();
        let [ada, ben] = &only.args.people.0[..] else {
            panic!("two people were named")
        };
        assert_eq!((ada.name.as_str(), ada.inputs.len()), ("ada", 2));
        assert_eq!((ben.name.as_str(), ben.inputs.len()), ("ben", 1));
        assert!(Only::try_parse_from("x --person ada -o m".split(' ')).is_err());
        assert!(Only::try_parse_from("x -o m".split(' ')).is_err());
    }
}
