//! `track`: what a face does, frame by frame, for games, VR and animators.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use effigy_pipeline::track::{Listener, Live, Protocol, is_camera};
use effigy_pipeline::{Choice, Networks, TrackJob, TrackReport};

use crate::environment::Force;
use crate::output::{Exit, Output};
use crate::values::input_or_camera;
use crate::weights::weights;

/// Write down what a face does, frame by frame, for games, VR and animators
///
/// Of each frame: ARKit's 52 coefficients, where the head is and where the eyes look. The face that
/// is followed is the largest at first. Nothing synthetic of anybody is made: what is written are
/// numbers, and with .glb a head of nobody that moves by them.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Clip or picture, or a camera such as /dev/video0, until Ctrl-C
    #[arg(value_parser = input_or_camera())]
    input: PathBuf,
    /// File to write: .csv (the columns of Live Link Face), .jsonl, .glb or .bvh; may be given
    /// several times
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    #[command(flatten)]
    force: Force,
    /// Play the movement to a receiver of the VMC protocol, at the clip's speed or as it happens
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
    let form = || format!("{text:?} is no HOST:PORT; try 127.0.0.1:39539");
    let (_, port) = text.rsplit_once(':').with_context(form)?;
    port.parse::<u16>().with_context(form)?;
    let mut found = text
        .to_socket_addrs()
        .with_context(|| format!("no machine is known by the name in {text:?}"))?;
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
    if is_camera(&args.input) {
        output.saves_when_stopped();
    }
    let networks = Networks::load(&weights()?, args.device)?;
    let report = effigy_pipeline::track(&job, &networks, &mut output.progress())?;
    if args.json {
        output.data(json(&report))?;
    } else {
        output.data(text(args, &report))?;
    }
    let lost = report.live.and_then(|live| live.lost);
    if let Some(lost) = lost {
        if args.output.is_empty() {
            bail!("{lost}");
        }
        bail!("{lost}; what was tracked until then is kept");
    }
    Ok(Exit::Nothing)
}

fn text(args: &Args, report: &TrackReport) -> String {
    let mut lines = vec![format!(
        "{} {} at {:.2} a second; the head lies {:.1} % of the distance between the eyes off \
         the points",
        report.n_frames,
        if report.n_frames == 1 {
            "frame"
        } else {
            "frames"
        },
        report.fps,
        100.0 * report.residual
    )];
    lines.extend(report.live.as_ref().map(of_camera));
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
    if !report.taken_up_secs.is_empty() {
        lines.push(taken_up(&report.taken_up_secs));
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

/// What is said of a face that was lost and taken up: after a cut it may be somebody else's.
fn taken_up(all_secs: &[f64]) -> String {
    const MOST: usize = 5;
    let moments: Vec<String> = all_secs
        .iter()
        .take(MOST)
        .map(|secs| format!("{secs:.2} s"))
        .collect();
    let more = match all_secs.len().saturating_sub(MOST) {
        0 => String::new(),
        n => format!(" and {n} times more"),
    };
    format!(
        "the face was lost, and one taken up anew at {}{more}: look whether it is the same person; rest is \
         that of all of them together",
        moments.join(", ")
    )
}

fn of_camera(live: &Live) -> String {
    let mut words = format!("{} frames were dropped to keep up", live.n_dropped);
    if live.n_damaged > 0 {
        words += &format!(", {} came damaged and were left out", live.n_damaged);
    }
    if let [Some(middle), Some(most)] = [0.5, 0.95].map(|share| live.latency.millis(share)) {
        words += &format!(
            "; from the camera to what is sent half took up to {middle} ms, 19 of 20 up to {most} ms"
        );
    }
    words
}

fn json(report: &TrackReport) -> serde_json::Value {
    let sent = report.sent;
    let camera = report.live.as_ref().map(|live| {
        serde_json::json!({
            "dropped": live.n_dropped,
            "damaged": live.n_damaged,
            "latency_ms": { "median": live.latency.millis(0.5), "p95": live.latency.millis(0.95) },
            "lost": live.lost.as_ref().map(ToString::to_string),
        })
    });
    serde_json::json!({
        "frames": report.n_frames,
        "fps": report.fps,
        "camera": camera,
        "taken_up_secs": report.taken_up_secs,
        "unseen": report.n_unseen,
        "other_faces": report.n_others,
        "residual": report.residual,
        "packets": sent.n_packets,
        "refused": sent.n_refused,
        "late": sent.n_late,
    })
}
