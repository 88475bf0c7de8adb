//! `match`: are two faces, or two voices, the same person?

mod voices;

use std::path::PathBuf;

use anyhow::ensure;
use effigy_pipeline::compare::Compared;
use effigy_pipeline::{
    Choice, MatchJob, MatchLikeness, MatchReport, MatchVerdict, Networks, PRIOR,
};

use crate::environment::Force;
use crate::output::{Exit, Output, named};
use crate::values::input;
use crate::weights::weights;

/// Compare two faces or voices: are they the same person?
///
/// Of each input the face seen most is compared, or with --voice the voice that speaks most. The verdict is "the
/// same person" when the similarity reaches a threshold that a stated share of pairs of strangers also reaches, chosen for
/// the group of people, or the kind of sound, that is confused most; "different people" when it is ten times likelier of
/// strangers; otherwise "uncertain", or "too little to tell" where a face is small, blurred, covered or
/// turned away, or a voice speaks for less than two seconds. Exits with 0 whatever the verdict, with 2 when an
/// input cannot be compared.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// First picture or clip; with --voice, a clip or sound file
    #[arg(value_parser = input())]
    a: PathBuf,
    /// Second picture or clip; with --voice, a clip or sound file
    #[arg(value_parser = input())]
    b: PathBuf,
    /// Compare voices, not faces: WAV, MP3, FLAC, Opus, M4A or clips with sound
    #[arg(long, conflicts_with = "output")]
    voice: bool,
    /// Draw the crops that were compared into this picture, one row per input
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
    /// Print verdict, similarity, likelihood_ratio, probability (of which half are the same), and
    /// threshold as JSON
    #[arg(long)]
    json: bool,
    /// Where the networks run: cpu, gpu or gpu:N; `effigy devices` lists what is there
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    pub(super) device: Choice,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    if args.voice {
        ensure!(
            args.device == Choice::Cpu,
            "voices are compared on the processor, which takes a second for a minute of sound; leave --device out"
        );
        return voices::run(args, output);
    }
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
        output.words(text(&job, &report))?;
    }
    Ok(Exit::Nothing)
}

fn json(report: &MatchReport) -> serde_json::Value {
    let reasons = report.compared.iter().map(|input| input.too_little);
    let reasons = reasons.flatten().map(|why| why.to_string()).collect();
    let mut json = json_of(Some(&report.likeness), reasons);
    let others = report.compared.each_ref().map(|input| input.n_others);
    json["tracks_not_compared"] = others.as_slice().into();
    json
}

/// What both comparisons say; without a likeness there was nothing to compare.
fn json_of(likeness: Option<&MatchLikeness>, reasons: Vec<String>) -> serde_json::Value {
    let verdict = likeness.map_or(MatchVerdict::TooLittle, |likeness| likeness.verdict);
    let telling = likeness.filter(|_| verdict != MatchVerdict::TooLittle);
    serde_json::json!({
        "verdict": verdict.name(),
        "reasons": reasons,
        "same": verdict == MatchVerdict::Same,
        "similarity": likeness.map(|likeness| shortest(likeness.similarity)),
        "likelihood_ratio": telling.map(|likeness| rounded(likeness.likelihood_ratio)),
        "probability": telling.map(|likeness| rounded(likeness.probability())),
        "prior": PRIOR,
        "threshold": likeness.map(|likeness| shortest(likeness.threshold.similarity)),
        "false_match_rate": likeness.map(|likeness| shortest(likeness.threshold.false_match_rate)),
    })
}

/// Three digits: more were not measured.
fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// The number with the fewest digits that means the same `f32`: 0.714, not 0.7139999866485596.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

fn text(job: &MatchJob, report: &MatchReport) -> String {
    // What is hardly seen is as like as it happens to be.
    let mut lines = vec![MatchLikeness::in_words(Some(&report.likeness))];
    for (input, compared) in job.inputs.iter().zip(&report.compared) {
        lines.push(format!("{}: {}", named(input), described(compared)));
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
    let too_little = compared
        .too_little
        .map_or(String::new(), |why| format!("; {why}"));
    format!("{crops}: {}{others}{too_little}", places.join(", "))
}
