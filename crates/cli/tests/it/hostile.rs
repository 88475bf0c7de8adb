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

/// A BMP of 144 MB, of which the disk holds only the header.
fn large(path: &Path) {
    const WIDTH: u32 = 8000;
    const HEIGHT: u32 = 6000;
    let mut head = b"BM".to_vec();
    for number in [54 + WIDTH * HEIGHT * 3, 0, 54, 40, WIDTH, HEIGHT] {
        head.extend(number.to_le_bytes());
    }
    head.extend([1, 0, 24, 0]);
    head.resize(54, 0);
    fs::write(path, head).unwrap();
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(u64::from(54 + WIDTH * HEIGHT * 3)).unwrap();
}

fn copy_actor(clip: &str, path: &Path) {
    let actors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    fs::copy(actors.join(clip), path).unwrap();
}

#[test]
fn file_that_takes_all_memory_is_left_out_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    copy_actor("ada-1.flow.png", &folder.path().join("in/a.png"));
    large(&folder.path().join("in/b.bmp"));
    copy_actor("ada-1.flow.png", &folder.path().join("in/c.png"));
    for line in ["faces in -o out", "scan in --json"] {
        let mut command = effigy(folder.path(), line);
        let output = command.env("EFFIGY_MEMORY_GIB", "0.1").output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{line}: {said}");
        let limit = "took more than 0.1 GiB of memory (EFFIGY_MEMORY_GIB sets another limit)";
        let n_lines = said.lines().filter(|line| line.contains(limit)).count();
        assert_eq!(n_lines, 1, "{line}: {said}");
        assert!(said.contains("b.bmp"), "{line}: {said}");
        assert_eq!(said.matches("device:").count(), 1, "{line}: {said}");
        if line.starts_with("scan") {
            let names = ["a.png", "b.bmp", "c.png"];
            let lines = String::from_utf8(output.stdout).unwrap();
            let files = lines.lines().map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                line["file"].as_str().unwrap().to_owned()
            });
            assert!(
                files.zip(names).all(|(file, name)| file.ends_with(name)),
                "{lines}"
            );
        } else {
            assert!(
                said.contains("2 frames") && said.contains("1 could not be read"),
                "{said}"
            );
        }
    }
    let plain = effigy(folder.path(), "scan in/b.bmp")
        .env("EFFIGY_MEMORY_GIB", "none")
        .output();
    assert!(said(&plain.unwrap()).contains("it takes a number above 0, such as 4"));
}

/// Waits until the process has the file open.
fn wait_until_it_reads(pid: u32, name: &str) {
    loop {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        let mut open = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        if open.any(|path| path.ends_with(name)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn send(signal: &str, pid: u32) {
    let sent = Command::new("kill")
        .args([signal, &pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn file_that_crashes_its_reader_is_left_out_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    copy_actor("ada-1.mp4", &folder.path().join("a.mp4"));
    copy_actor("ada-1.flow.png", &folder.path().join("b.png"));
    let program = effigy(folder.path(), "faces a.mp4 b.png -o out")
        .spawn()
        .unwrap();
    let work = child_of(program.id());
    wait_until_it_reads(work, "a.mp4");
    send("-ABRT", work);
    let output = program.wait_with_output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let crashed = "the program crashed while it read this file (SIGABRT)";
    assert!(
        said.contains(crashed) && said.contains("\"a.mp4\""),
        "{said}"
    );
    assert!(
        said.contains("1 frame") && said.contains("1 could not be read"),
        "{said}"
    );
}

/// What cannot go on names the file and leaves nothing behind.
#[test]
fn crash_in_the_middle_of_an_output_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    copy_actor("ada-1.mp4", &folder.path().join("a.mp4"));
    let program = effigy(folder.path(), "mark a.mp4 -o out.mp4")
        .spawn()
        .unwrap();
    let work = child_of(program.id());
    let names = || {
        let entries = fs::read_dir(folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name != "home").collect();
        names.sort();
        names
    };
    while names().len() < 2 {
        std::thread::sleep(Duration::from_millis(2));
    }
    send("-KILL", work);
    let output = program.wait_with_output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.matches("error:").count(), 1, "{said}");
    assert!(
        said.contains("memory ran out") && said.contains("\"a.mp4\""),
        "{said}"
    );
    assert_eq!(names(), ["a.mp4"]);
}

#[test]
fn every_command_ends_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    copy_actor("ada-1.mp4", &folder.path().join("a.mp4"));
    for line in [
        "faces a.mp4 -o out",
        "scan a.mp4",
        "mark a.mp4",
        "track a.mp4 -o a.csv",
    ] {
        for signal in ["-INT", "-TERM"] {
            let program = effigy(folder.path(), line).spawn().unwrap();
            let work = child_of(program.id());
            wait_until_it_reads(work, "a.mp4");
            let output = ended_by(signal, program);
            let said = said(&output);
            assert_eq!(output.status.code(), Some(2), "{line}: {said}");
            assert_eq!(said.matches("error:").count(), 1, "{line}: {said}");
            assert!(!Path::new(&format!("/proc/{work}/exe")).exists(), "{line}");
            let written = fs::read_dir(folder.path().join("out"));
            assert_eq!(written.map_or(0, Iterator::count), 0, "{line}");
        }
    }
}

/// Whoever kills the program that was started ends what it does.
#[test]
fn work_ends_with_whoever_watches_it() {
    let folder = tempfile::tempdir().unwrap();
    copy_actor("ada-1.mp4", &folder.path().join("a.mp4"));
    let mut program = effigy(folder.path(), "faces a.mp4").spawn().unwrap();
    let work = child_of(program.id());
    wait_until_it_reads(work, "a.mp4");
    program.kill().unwrap();
    program.wait().unwrap();
    let exe = PathBuf::from(format!("/proc/{work}/exe"));
    let ended = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        fs::read_link(&exe).is_err()
    });
    assert!(ended, "five seconds later it still ran");
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
