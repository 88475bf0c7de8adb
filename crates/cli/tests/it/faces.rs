//! The program on bad input: one clear error, the right exit code, nothing half-written.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn effigy(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_effigy"))
        .args(args)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Makes a clip without faces with the program `ffmpeg`; `None`, said aloud, where it is missing.
fn test_card(path: &Path, secs: u32) -> Option<()> {
    let source = format!("testsrc2=size=640x360:rate=25:duration={secs}");
    let made = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            &source,
            "-preset",
            "ultrafast",
        ])
        .arg(path)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: the program ffmpeg, which makes the test clip, is missing");
        return None;
    }
    Some(())
}

#[test]
fn the_processor_is_listed() {
    let output = effigy(&["devices"]);
    assert!(output.status.success());
    assert!(stdout(&output).starts_with("cpu"), "{output:?}");
}

#[test]
fn a_missing_file_is_named_and_fails() {
    let output = effigy(&["faces", "no-such-clip.mp4"]);
    assert_eq!(output.status.code(), Some(2));
    let said = format!("{}{}", stdout(&output), stderr(&output));
    assert!(said.contains("no-such-clip.mp4"), "{said}");
}

#[test]
fn a_device_that_is_not_there_is_refused() {
    for (device, word) in [("gpu:99", "gpu:99"), ("tpu", "use cpu, gpu or gpu:N")] {
        let output = effigy(&["faces", "--device", device, "x.mp4"]);
        assert_eq!(output.status.code(), Some(2), "{device}");
        assert!(stderr(&output).contains(word), "{}", stderr(&output));
    }
}

#[test]
fn what_is_written_needs_a_folder_to_go_to() {
    let output = effigy(&["faces", "--overlay", "x.mp4"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--output"), "{}", stderr(&output));
}

#[test]
fn a_clip_without_faces_is_done_and_says_so() {
    let place = tempfile::tempdir().unwrap();
    let clip = place.path().join("card.mp4");
    let Some(()) = test_card(&clip, 1) else {
        return;
    };
    let output = effigy(&["faces", "--json", clip.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(report["frames"], 25);
    assert_eq!(report["people"], serde_json::json!([]));

    let output = effigy(&[
        "match",
        "--json",
        clip.to_str().unwrap(),
        clip.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("no face was found"),
        "{}",
        stderr(&output)
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_nothing_half_written() {
    let place = tempfile::tempdir().unwrap();
    let clip = place.path().join("card.mp4");
    let Some(()) = test_card(&clip, 120) else {
        return;
    };
    let out = place.path().join("out");
    let mut child = Command::new(env!("CARGO_BIN_EXE_effigy"))
        .args([
            "faces",
            "--overlay",
            "--contact-sheet",
            "--crops",
            "64",
            "-o",
        ])
        .args([&out, &clip])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Once the folder holds something, the job is under way.
    let busy = || fs::read_dir(&out).is_ok_and(|mut entries| entries.next().is_some());
    while !busy() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it could be stopped"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("stopped on request"),
        "{}",
        stderr(&output)
    );
    let left: Vec<_> = fs::read_dir(&out)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_reported_and_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let clip = place.path().join("card.mp4");
    let Some(()) = test_card(&clip, 4) else {
        return;
    };
    let out = place.path().join("out");
    // A limit on the size of files stands in for the end of the disk: writing fails alike.
    let output = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 8; exec \"$0\" faces --overlay -o \"$1\" \"$2\"",
        ])
        .arg(env!("CARGO_BIN_EXE_effigy"))
        .args([&out, &clip])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("cannot write"),
        "{}",
        stderr(&output)
    );
    let left: Vec<_> = fs::read_dir(&out)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
