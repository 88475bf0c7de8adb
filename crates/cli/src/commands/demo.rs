//! `demo`: everything once, on people who don't exist.

use std::path::PathBuf;

use anyhow::Context as _;
use effigy_pipeline::{Choice, DemoJob, DemoReport};

use crate::environment;
use crate::output::{Exit, Output};
use crate::values::within;
use crate::weights::weights;

/// Show what effigy does, on two actors who don't exist; nothing else is needed
///
/// Finds their faces, records their consent, trains a face model of both, puts one onto the other
/// in a clip that the model never saw, reads the marks of the result, and compares it with the
/// ground truth, which exists because the actors are drawn.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Folder for the results; it must not be there yet
    #[arg(short, long, default_value = "effigy-demo", value_name = "FOLDER")]
    output: PathBuf,
    /// Train for N minutes; more gives a better face
    #[arg(long, default_value_t = 1.0, value_name = "N", value_parser = within(0.05, 600.0))]
    minutes: f64,
    /// Where to compute: cpu, gpu or gpu:N
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Choice,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let job = DemoJob {
        output: args.output.clone(),
        train_secs: 60.0 * args.minutes,
        device: args.device,
        weights: weights()?,
        now: environment::now()?,
    };
    output.say(format_args!("device: {}", args.device));
    let report = effigy_pipeline::demo(&job, &mut output.progress())
        .with_context(|| format!("cannot finish the demonstration in {:?}", args.output))?;
    for line in lines(&report) {
        output.data(line)?;
    }
    output.data(FOR_YOUR_OWN)?;
    Ok(Exit::Nothing)
}

/// What was made and reached, in words.
fn lines(report: &DemoReport) -> Vec<String> {
    let (faces, swapped) = (&report.faces, &report.swapped);
    let mut lines = vec![
        format!(
            "found {} in {} frames of {} clips, at {:.0} frames/s",
            match faces.people.len() {
                1 => "1 person".to_owned(),
                n => format!("{n} people"),
            },
            faces.n_frames,
            faces.inputs.len(),
            faces.n_frames as f64 / faces.took_secs.max(1e-3),
        ),
        format!(
            "trained {} steps; error on faces held back {:.3}",
            report.trained.last.step, report.trained.last.validation_error,
        ),
        format!("swapped {} of {} frames", swapped.n_drawn, swapped.n_frames),
    ];
    lines.extend(
        swapped
            .quality
            .lines()
            .into_iter()
            .map(|line| format!("  {line}")),
    );
    lines.push(format!("marks: {}", report.marks.replace('\n', "\n  ")));
    lines.push("made:".to_owned());
    for (path, what) in &report.made {
        lines.push(format!("  {}  {what}", path.display()));
    }
    lines
}

const FOR_YOUR_OWN: &str = "\
for your own footage, with the consent of both people:
  effigy faces clip.mp4 -o seen --overlay
  effigy consent new --subject ada --use swap --evidence ada-form.pdf ada.jpg
  effigy consent new --subject ben --use swap --evidence ben-form.pdf ben.jpg
  effigy train --person ada ada.mp4 --person ben ben.mp4 -o ada-ben.model --minutes 15
  effigy swap --model ada-ben.model --face ada ben.mp4 -o out.mp4
  effigy verify out.mp4";
