//! `match`: are two faces the same person?

use std::path::PathBuf;

use effigy_pipeline::compare::Compared;
use effigy_pipeline::{Choice, MatchJob, MatchReport, Networks};

use crate::environment::Force;
use crate::output::{Exit, Output};
use crate::values::input;
use crate::weights::weights;

/// Compare two faces, pictures or clips: are they the same person?
///
/// Of each input the face seen most is compared. The verdict is "the same" when the similarity
/// reaches a threshold that a stated share of pairs of different people also reaches.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// First picture or clip
    #[arg(value_parser = input())]
    a: PathBuf,
    /// Second picture or clip
    #[arg(value_parser = input())]
    b: PathBuf,
    /// Draw the crops that were compared into this picture, one row per input
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
    /// Print {similarity, same, threshold, false_match_rate} as JSON
    #[arg(long)]
    json: bool,
    /// Where the networks run: cpu, gpu or gpu:N; `effigy devices` lists what is there
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Choice,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let job = MatchJob {
        sheet: args.output.clone(),
        existing: args.force.existing(),
        ..MatchJob::new(args.a.clone(), args.b.clone())
    };
    job.check()?;
    output.say(format_args!("device: {}", args.device));
    let networks = Networks::load(&weights()?, args.device)?;
    let report = effigy_pipeline::match_faces(&job, &networks, &mut output.progress())?;
    if args.json {
        output.data(json(&report))?;
    } else {
        output.data(text(&job, &report))?;
    }
    Ok(Exit::Nothing)
}

fn json(report: &MatchReport) -> serde_json::Value {
    serde_json::json!({
        "similarity": shortest(report.similarity),
        "same": report.same,
        "threshold": shortest(report.threshold),
        "false_match_rate": shortest(report.false_match_rate),
    })
}

/// The number with the fewest digits that means the same `f32`: 0.714, not 0.7139999866485596.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

fn text(job: &MatchJob, report: &MatchReport) -> String {
    let verdict = if report.same {
        "the same person"
    } else {
        "different people"
    };
    let mut lines = vec![format!(
        "{verdict}: similarity {:.3}, threshold {:.3} (reached by {:.2} % of pairs of different people)",
        report.similarity,
        report.threshold,
        100.0 * report.false_match_rate,
    )];
    for (input, compared) in job.inputs.iter().zip(&report.compared) {
        lines.push(format!("{}: {}", input.display(), described(compared)));
    }
    lines.join("\n")
}

fn described(compared: &Compared) -> String {
    let places: Vec<String> = compared
        .crops
        .iter()
        .map(|crop| {
            let rect = crop.rect;
            format!(
                "{:.2} s at {:.0},{:.0} ({:.0} px)",
                crop.time_secs,
                rect.x,
                rect.y,
                rect.width.max(rect.height)
            )
        })
        .collect();
    let others = match compared.n_others {
        0 => String::new(),
        1 => "; 1 other track was not compared".to_owned(),
        n => format!("; {n} other tracks were not compared"),
    };
    let crops = match places.len() {
        1 => "1 crop".to_owned(),
        n => format!("{n} crops"),
    };
    format!("{crops}: {}{others}", places.join(", "))
}
