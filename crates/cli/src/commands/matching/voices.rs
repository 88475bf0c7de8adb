//! `match --voice`: does the same person speak?

use effigy_pipeline::sound::{Networks, Stretch, total_secs};
use effigy_pipeline::voices::ComparedVoice;
use effigy_pipeline::{MatchLikeness, VoiceMatchJob, VoiceMatchReport, match_voices};

use super::{Args, json_of};
use crate::output::{self, Exit, Output, named};
use crate::weights::weights;

pub(super) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let job = VoiceMatchJob::new(args.a.clone(), args.b.clone());
    let weights = weights()?;
    let networks = Networks::load(&weights)?;
    let report = match_voices(
        &job,
        &networks,
        &weights.voice_scale(),
        &mut output.progress(),
    )?;
    if args.json {
        output.data(json(&report))?;
    } else {
        output.words(text(&job, &report))?;
    }
    Ok(Exit::Nothing)
}

fn json(report: &VoiceMatchReport) -> serde_json::Value {
    let of_inputs = |what: &dyn Fn(&ComparedVoice) -> serde_json::Value| {
        serde_json::Value::from(report.compared.iter().map(what).collect::<Vec<_>>())
    };
    let mut json = json_of(report.likeness.as_ref(), reasons(report));
    json["speech_secs"] = of_inputs(&|voice| tenths(voice.speech_secs()).into());
    json["speech"] = of_inputs(&|voice| stretches(&voice.stretches));
    json["voices_not_compared"] =
        of_inputs(&|voice| voice.others.iter().map(|other| stretches(other)).collect());
    json
}

/// What was short of sound, or makes the result less sure.
fn reasons(report: &VoiceMatchReport) -> Vec<String> {
    let inputs = report.compared.iter();
    inputs.filter_map(ComparedVoice::reason).collect()
}

fn stretches(stretches: &[Stretch]) -> serde_json::Value {
    let pair = |s: &Stretch| serde_json::json!([tenths(s.from_secs), tenths(s.to_secs)]);
    stretches.iter().map(pair).collect()
}

fn tenths(secs: f64) -> f64 {
    (secs * 10.0).round() / 10.0
}

fn text(job: &VoiceMatchJob, report: &VoiceMatchReport) -> String {
    let mut lines = vec![MatchLikeness::in_words(report.likeness.as_ref())];
    for (input, voice) in job.inputs.iter().zip(&report.compared) {
        lines.push(format!("{}: {}", named(input), described(voice)));
    }
    lines.join("\n")
}

fn described(voice: &ComparedVoice) -> String {
    let mut parts = Vec::new();
    if voice.stretches.is_empty() {
        parts.push(format!("nobody speaks in {:.1} s of sound", voice.secs));
    } else {
        parts.push(format!(
            "{:.1} s of speech: {}",
            voice.speech_secs(),
            times(&voice.stretches)
        ));
        parts.extend(voice.reason());
    }
    if !voice.others.is_empty() {
        let others = voice.others.iter().map(|other| {
            let secs = total_secs(other);
            format!("{secs:.1} s, {}", times(other))
        });
        let others: Vec<String> = others.collect();
        let were = match others.len() {
            1 => "1 other voice was".to_owned(),
            n => format!("{n} other voices were"),
        };
        parts.push(format!("{were} not compared ({})", others.join("; ")));
    }
    parts.join("; ")
}

fn times(stretches: &[Stretch]) -> String {
    let pairs: Vec<[f64; 2]> = stretches.iter().map(|s| [s.from_secs, s.to_secs]).collect();
    output::stretches(&pairs)
}
