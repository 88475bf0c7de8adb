//! `effigy track` before a camera. There is none where tests run: `testdata/camera.c` answers what the driver is
//! asked, so that everything above it is what a real camera meets.

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const CAMERA: &str = "/dev/video77";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The camera as a library; `None`, said aloud, where it cannot be built or libavdevice is missing.
fn camera(test: &str) -> Option<&'static Path> {
    static BUILT: OnceLock<Result<(tempfile::TempDir, PathBuf), String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let place = tempfile::tempdir().unwrap();
        let library = place.path().join("camera.so");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2"])
            .arg(root().join("testdata/camera.c"))
            .arg("-o")
            .arg(&library)
            .args(["-lavformat", "-lavcodec", "-lswscale", "-lavutil"])
            .output()
            .map_err(|err| err.to_string())?;
        if !compiled.status.success() {
            return Err(String::from_utf8_lossy(&compiled.stderr).into_owned());
        }
        let mut refused = track(&library, &[("CAMERA_REFUSES", "busy")], &["-o", "t.csv"]);
        let said = said(&refused.output().unwrap());
        if said.contains("not installed") {
            return Err(said);
        }
        Ok((place, library))
    });
    match built {
        Ok((_, library)) => Some(library),
        Err(why) => {
            eprintln!("skipped: {test}: {why}");
            None
        }
    }
}

/// Tracks what the camera shows: an actor, over and over.
fn track(library: &Path, camera: &[(&str, &str)], args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_effigy"));
    command
        .args(["track", CAMERA])
        .args(args)
        .env("LD_PRELOAD", library)
        .env("CAMERA_CLIP", root().join("testdata/actors/ben-1.mp4"))
        .envs(camera.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// How many times the program says that something is wrong.
fn n_errors(output: &Output) -> usize {
    said(output).matches("error:").count()
}

fn interrupt(child: &Child) {
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
}

/// Takes packets until one tells of a face, then for a while more; gives how many did.
fn hear(socket: &UdpSocket, while_: Duration) -> usize {
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let (mut n, mut until) = (0, None);
    let mut packet = [0; 2048];
    while until.is_none_or(|until| Instant::now() < until) {
        let length = socket.recv(&mut packet).unwrap();
        if packet[..length].windows(7).any(|w| w == b"JawOpen") {
            n += 1;
            until.get_or_insert_with(|| Instant::now() + while_);
        }
    }
    n
}

fn number(report: &serde_json::Value, name: &str) -> f64 {
    report.pointer(name).unwrap().as_f64().unwrap()
}

#[test]
fn what_a_camera_sees_is_told_at_once_and_written_when_it_is_stopped() {
    let Some(library) = camera("what_a_camera_sees_is_told_at_once") else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let [csv, lines] = ["csv", "jsonl"].map(|ending| place.path().join(format!("take.{ending}")));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    // Faster than any machine that runs this tracks, so that frames must be dropped.
    let camera = [("CAMERA_RATE", "400"), ("CAMERA_DAMAGED", "50")];
    let (csv_name, lines_name) = (csv.to_str().unwrap(), lines.to_str().unwrap());
    let args = [
        "-o", csv_name, "-o", lines_name, "--vmc", &address, "--json",
    ];
    let child = track(library, &camera, &args).spawn().unwrap();
    let n_heard = hear(&socket, Duration::from_secs(3));
    assert!(!csv.exists(), "a file is there before it is complete");
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let n_frames = number(&report, "/frames");
    assert!(n_heard as f64 <= n_frames, "{n_heard} of {report}");
    // It is never behind: nothing waits but the newest.
    assert!(number(&report, "/camera/dropped") > n_frames, "{report}");
    // Half a picture is none.
    assert!(0.0 < number(&report, "/camera/damaged"), "{report}");
    assert!(
        number(&report, "/camera/latency_ms/median") < 500.0,
        "{report}"
    );
    let rows = fs::read_to_string(&csv).unwrap().lines().count() - 1;
    assert_eq!(rows as f64, n_frames, "{report}");
    let text = fs::read_to_string(&lines).unwrap();
    let times: Vec<f64> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| number(&line, "/time_secs"))
        .collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    // Frames have the time at which they were captured: dropped ones leave their gap.
    let secs = times.last().unwrap();
    let n_captured = n_frames + number(&report, "/camera/dropped");
    assert!(
        n_captured <= 1.05 * 400.0 * secs + 5.0,
        "{n_captured} in {secs} s"
    );
    assert!(2.5 < *secs && *secs < 60.0, "{secs}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
}

#[test]
fn a_camera_that_is_unplugged_keeps_what_it_showed() {
    let Some(library) = camera("a_camera_that_is_unplugged_keeps_what_it_showed") else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let csv = place.path().join("take.csv");
    let camera = [("CAMERA_UNPLUGGED_AFTER", "60")];
    let args = ["-o", csv.to_str().unwrap()];
    let output = track(library, &camera, &args).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let said = said(&output);
    assert_eq!(n_errors(&output), 1, "{said}");
    assert!(
        said.contains(CAMERA) && said.contains("unplugged"),
        "{said}"
    );
    assert!(said.contains("is kept"), "{said}");
    let rows = fs::read_to_string(&csv).unwrap().lines().count() - 1;
    assert!((5..=60).contains(&rows), "{rows}");
    // What it never showed is no take.
    let none = place.path().join("none.csv");
    let camera = [("CAMERA_UNPLUGGED_AFTER", "0")];
    let mut output = track(library, &camera, &["-o", none.to_str().unwrap()]);
    let output = output.output().unwrap();
    assert_eq!((output.status.code(), n_errors(&output)), (Some(2), 1));
    assert!(!none.exists());
}

#[test]
fn a_camera_that_shows_nothing_is_given_up() {
    let Some(library) = camera("a_camera_that_shows_nothing_is_given_up") else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let csv = place.path().join("take.csv");
    let args = ["-o", csv.to_str().unwrap()];
    let output = track(library, &[("CAMERA_SILENT", "1")], &args)
        .output()
        .unwrap();
    assert_eq!((output.status.code(), n_errors(&output)), (Some(2), 1));
    assert!(
        said(&output).contains("no picture for"),
        "{}",
        said(&output)
    );
    assert!(!csv.exists());
}

#[test]
fn a_camera_that_cannot_be_used_is_named_with_what_to_do() {
    let Some(library) = camera("a_camera_that_cannot_be_used_is_named") else {
        return;
    };
    for (refuses, what_to_do) in [
        ("busy", "close that first"),
        ("denied", "usermod"),
        ("format", "Motion JPEG"),
    ] {
        let args = ["-o", "never.csv"];
        let output = track(library, &[("CAMERA_REFUSES", refuses)], &args)
            .output()
            .unwrap();
        let said = said(&output);
        assert_eq!((output.status.code(), n_errors(&output)), (Some(2), 1));
        assert!(said.contains(CAMERA) && said.contains(what_to_do), "{said}");
    }
    assert!(!Path::new("never.csv").exists());
}

#[test]
fn what_is_no_camera_is_refused() {
    for (path, why) in [
        ("/dev/null", "not a camera"),
        ("/dev/video99", "there is none"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_effigy"))
            .args(["track", path, "-o", "never.csv"])
            .output()
            .unwrap();
        let said = said(&output);
        assert_eq!((output.status.code(), n_errors(&output)), (Some(2), 1));
        assert!(said.contains(path) && said.contains(why), "{said}");
    }
}
