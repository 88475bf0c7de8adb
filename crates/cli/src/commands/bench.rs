//! `bench`: how fast each stage is on a clip.

use std::path::PathBuf;

use effigy_pipeline::{BenchJob, BenchReport, Choice, Networks};

use crate::output::{Exit, Output};
use crate::values::input;
use crate::weights::weights;

/// Measure the speed of each stage on a clip, and the memory
///
/// The last line is one JSON object for programs.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Clip to measure on; it must show a face
    #[arg(value_parser = input())]
    clip: PathBuf,
    /// Where the networks run: cpu, gpu or gpu:N; `effigy devices` lists what is there
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Choice,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let job = BenchJob::new(args.clip.clone());
    let networks = Networks::load(&weights()?, args.device)?;
    let report = effigy_pipeline::bench(&job, &networks, &mut output.progress())?;
    output.data(text(args, &report))?;
    output.data(json(args, &report))?;
    Ok(Exit::Nothing)
}

fn text(args: &Args, report: &BenchReport) -> String {
    let mut lines = vec![
        format!(
            "{}, {}x{}, device {}, {} threads",
            args.clip.display(),
            report.width,
            report.height,
            args.device,
            report.threads
        ),
        format!("{:<10}{:>12}{:>12}", "stage", "ms", "a second"),
    ];
    for stage in &report.stages {
        let (name, millis) = (stage.name, stage.millis);
        lines.push(format!("{name:<10}{millis:>12.3}{:>12.1}", stage.per_sec()));
    }
    let memory = report.peak_memory_bytes;
    let memory = memory.map_or("unknown".to_owned(), |b| format!("{} MiB", b >> 20));
    lines.push(format!("peak memory {memory}"));
    lines.join("\n")
}

fn json(args: &Args, report: &BenchReport) -> serde_json::Value {
    let stage = |s: &effigy_pipeline::bench::Stage| {
        serde_json::json!({
            "stage": s.name, "runs": s.n, "millis": s.millis, "per_sec": s.per_sec(),
        })
    };
    serde_json::json!({
        "clip": args.clip.to_string_lossy(),
        "width": report.width,
        "height": report.height,
        "device": args.device.to_string(),
        "threads": report.threads,
        "peak_memory_bytes": report.peak_memory_bytes,
        "stages": report.stages.iter().map(stage).collect::<Vec<_>>(),
    })
}
