//! Files that were made to hold a reader for ever: read within limits, and never deaf to signals.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// A TIFF whose one directory refers to itself 4000 times 12,000 times, at every level anew.
fn labyrinth(folder: &Path) -> PathBuf {
    const N_ENTRIES: u16 = 4000;
    const N_OFFSETS: u32 = 12_000;
    const DIRECTORY: u32 = 8;
    let offsets_at = DIRECTORY + 2 + 12 * u32::from(N_ENTRIES) + 4;
    let mut bytes = b"II*\0".to_vec();
    bytes.extend(DIRECTORY.to_le_bytes());
    bytes.extend(N_ENTRIES.to_le_bytes());
    for entry in 0..N_ENTRIES {
        // Directories of Exif, and directories inside directories, as numbers of 32 bits.
        let tag: u16 = if entry % 2 == 0 { 0x8769 } else { 0x014a };
        bytes.extend(tag.to_le_bytes());
        bytes.extend(4_u16.to_le_bytes());
        bytes.extend(N_OFFSETS.to_le_bytes());
        bytes.extend(offsets_at.to_le_bytes());
    }
    bytes.extend([0; 4]);
    for _ in 0..N_OFFSETS {
        bytes.extend(DIRECTORY.to_le_bytes());
    }
    let path = folder.join("labyrinth.jpg");
    fs::write(&path, bytes).unwrap();
    path
}

fn effigy(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_effigy"));
    command
        .args(line.split(' '))
        .current_dir(folder)
        .env("EFFIGY_HOME", folder.join("home"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn file_that_holds_its_reader_is_given_up_with_the_limit_named() {
    let folder = tempfile::tempdir().unwrap();
    labyrinth(folder.path());
    let verify = "verify labyrinth.jpg --json --most-secs 1";
    let output = effigy(folder.path(), verify).output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let named = "reading it took more than 1 s of processor time";
    assert!(said.contains(named), "{said}");
    let line = String::from_utf8(output.stdout).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["reason"], "over-limit");
}

/// Sends `signal`, and gives what was said before the end. A program that does not hear it fails
/// the test.
fn ended_by(signal: &str, mut child: Child) -> Output {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
    assert!(sent.success());
    let mut n_looks = 0;
    while child.try_wait().unwrap().is_none() {
        n_looks += 1;
        assert!(n_looks < 600, "a minute after {signal} it still ran");
        std::thread::sleep(Duration::from_millis(100));
    }
    child.wait_with_output().unwrap()
}

/// The process that reads for `parent`, once it is there.
fn child_of(parent: u32) -> u32 {
    let children = format!("/proc/{parent}/task/{parent}/children");
    loop {
        let listed = fs::read_to_string(&children).unwrap();
        if let Some(first) = listed.split_whitespace().next() {
            return first.parse().unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn reader_that_is_held_ends_with_the_program() {
    let folder = tempfile::tempdir().unwrap();
    labyrinth(folder.path());
    for signal in ["-INT", "-TERM"] {
        let verify = "verify labyrinth.jpg --most-secs 600";
        let program = effigy(folder.path(), verify).spawn().unwrap();
        let reader = child_of(program.id());
        let output = ended_by(signal, program);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("stopped"), "{}", said(&output));
        assert!(!Path::new(&format!("/proc/{reader}/exe")).exists());
    }
}

#[test]
fn what_may_never_end_is_no_input() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("mkfifo")
        .arg(folder.path().join("pipe.mp4"))
        .status();
    assert!(made.unwrap().success());
    for line in ["verify pipe.mp4", "faces pipe.mp4", "scan /dev/zero"] {
        let output = effigy(folder.path(), line).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(said(&output).contains("not pipes or devices"), "{line}");
    }
    let output = effigy(folder.path(), "verify .").output().unwrap();
    assert!(said(&output).contains("no video and no picture"));
}

/// Ctrl-C in a terminal reaches the reader first; the file is not to blame.
#[test]
fn reader_that_is_told_to_stop_blames_no_file() {
    let folder = tempfile::tempdir().unwrap();
    labyrinth(folder.path());
    let program = effigy(folder.path(), "verify labyrinth.jpg --most-secs 600").spawn();
    let program = program.unwrap();
    let reader = child_of(program.id());
    let sent = Command::new("kill")
        .args(["-INT", &reader.to_string()])
        .status();
    assert!(sent.unwrap().success());
    let output = program.wait_with_output().unwrap();
    assert!(said(&output).contains("stopped"), "{}", said(&output));
}

#[test]
fn program_that_waits_for_the_system_hears_signals() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    for signal in ["-INT", "-TERM"] {
        // Nobody ever writes into the pipe.
        let program = effigy(folder.path(), "verify --trust pipe none.jpg")
            .spawn()
            .unwrap();
        wait_until_it_listens(program.id());
        let output = ended_by(signal, program);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert_eq!(said(&output).matches("error:").count(), 1);
    }
}

/// Waits until the program has taken over both signals.
fn wait_until_it_listens(pid: u32) {
    const INT_AND_TERM: u64 = 1 << 1 | 1 << 14;
    loop {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
        if caught & INT_AND_TERM == INT_AND_TERM {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
