//! `track`: what a face does, frame by frame, for games, VR and animators.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use effigy_pipeline::track::{Listener, Protocol};
use effigy_pipeline::{Choice, Networks, TrackJob, TrackReport};

use crate::environment::Force;
use crate::output::{Exit, Output};
use crate::values::input;
use crate::weights::weights;

/// Write down what a face does, frame by frame, for games, VR and animators
///
/// Of each frame: ARKit's 52 coefficients, where the head is and where the eyes look. The face that
/// is followed is the largest at first. Nothing synthetic of anybody is made: what is written are
/// numbers, and with .glb a head of nobody that moves by them.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Clip or picture
    #[arg(value_parser = input())]
    input: PathBuf,
    /// File to write: .csv (the columns of Live Link Face), .jsonl, .glb or .bvh; may be given
    /// several times
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    #[command(flatten)]
    force: Force,
    /// Play the movement to a receiver of the VMC protocol, at the clip's speed
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    vmc: Option<SocketAddr>,
    /// Play it to Unreal Engine, as Live Link Face does: 127.0.0.1:11111
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    live_link: Option<SocketAddr>,
    /// Play it as iFacialMocap does, to Blender, Unity and others: 127.0.0.1:49983
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    ifacialmocap: Option<SocketAddr>,
    /// Where the networks run: cpu, gpu or gpu:N; `effigy devices` lists what is there
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Choice,
    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    fn listeners(&self) -> Vec<Listener> {
        let all = [
            (Protocol::Vmc, self.vmc),
            (Protocol::LiveLink, self.live_link),
            (Protocol::IFacialMocap, self.ifacialmocap),
        ];
        let named = all.into_iter().filter_map(|(protocol, address)| {
            let address = address?;
            Some(Listener { protocol, address })
        });
        named.collect()
    }
}

fn address(text: &str) -> anyhow::Result<SocketAddr> {
    let mut found = text
        .to_socket_addrs()
        .with_context(|| format!("{text:?} is no HOST:PORT; try 127.0.0.1:39539"))?;
    found
        .next()
        .with_context(|| format!("{text:?} has no address"))
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let listeners = args.listeners();
    ensure!(
        !args.output.is_empty() || !listeners.is_empty(),
        "say where the movement goes: -o FILE, or --vmc, --live-link or --ifacialmocap HOST:PORT"
    );
    let job = TrackJob {
        outputs: args.output.clone(),
        existing: args.force.existing(),
        listeners,
        ..TrackJob::new(args.input.clone())
    };
    job.check()?;
    output.say(format_args!("device: {}", args.device));
    let networks = Networks::load(&weights()?, args.device)?;
    let report = effigy_pipeline::track(&job, &networks, &mut output.progress())?;
    if args.json {
        output.data(json(&report))?;
    } else {
        output.data(text(args, &report))?;
    }
    Ok(Exit::Nothing)
}

fn text(args: &Args, report: &TrackReport) -> String {
    let take = &report.take;
    let mut lines = vec![format!(
        "{} {} at {:.2} a second; the head lies {:.1} % of the distance between the eyes off \
         the points",
        take.frames.len(),
        if take.frames.len() == 1 {
            "frame"
        } else {
            "frames"
        },
        take.fps,
        100.0 * report.residual
    )];
    if report.n_unseen > 0 {
        lines.push(format!(
            "in {} frames the face was not seen: they keep what it did before",
            report.n_unseen
        ));
    }
    if report.n_others > 0 {
        lines.push(format!(
            "{} other faces were seen and not tracked",
            report.n_others
        ));
    }
    for path in &args.output {
        lines.push(format!("wrote {}", path.display()));
    }
    let listeners = args.listeners();
    if !listeners.is_empty() {
        let sent = report.sent;
        let addresses = listeners
            .iter()
            .map(|listener| listener.address.to_string());
        let addresses: Vec<String> = addresses.collect();
        lines.push(format!(
            "sent {} packets to {}; {} were refused, {} frames came too late",
            sent.n_packets,
            addresses.join(", "),
            sent.n_refused,
            sent.n_late
        ));
    }
    lines.join("\n")
}

fn json(report: &TrackReport) -> serde_json::Value {
    let sent = report.sent;
    serde_json::json!({
        "frames": report.take.frames.len(),
        "fps": report.take.fps,
        "unseen": report.n_unseen,
        "other_faces": report.n_others,
        "residual": report.residual,
        "packets": sent.n_packets,
        "refused": sent.n_refused,
        "late": sent.n_late,
    })
}
