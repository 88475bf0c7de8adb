//! A disk that is full and a job that is stopped: one clear error, and nothing half-written.
//!
//! The disk is full for one process alone: the shell lets it write no file beyond a size.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// A folder with keys, consents of two actors and a model of them, learned for two steps.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        for name in ["ada", "ben"] {
            desk.check(&format!(
                "consent new --subject {name} --basis synthetic --use swap"
            ));
        }
        desk.check(&training(2));
        desk
    }

    /// Runs a command for which the disk is full after `blocks` of 512 bytes in a file.
    fn command(&self, line: &str, blocks: Option<u64>) -> Command {
        let mut command = Command::new("sh");
        let limit = blocks.map_or("unlimited".to_owned(), |blocks| blocks.to_string());
        let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" {line}");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_effigy")]);
        command.current_dir(self.0.path());
        command.env("EFFIGY_HOME", self.0.path().join("home"));
        command
    }

    #[track_caller]
    fn check(&self, line: &str) {
        let output = self.command(line, None).output().unwrap();
        assert!(output.status.success(), "{line}: {}", said(&output));
    }

    /// Runs a command that must fail with one error; gives it.
    #[track_caller]
    fn refused(&self, line: &str, blocks: u64) -> String {
        let output = self.command(line, Some(blocks)).output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert_eq!(said.matches("error:").count(), 1, "{said}");
        assert_eq!(said.matches("File too large").count(), 1, "{said}");
        said
    }

    /// Names and bytes of all files in a folder.
    fn files(&self, folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = fs::read_dir(self.0.path().join(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = paths
            .filter(|path| path.is_file())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    }
}

fn actor(name: &str) -> String {
    let actors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    actors.join(name).display().to_string()
}

fn training(steps: u64) -> String {
    let [ada, ben] = ["ada-1.mp4", "ben-2.mp4"].map(actor);
    format!("train --of ada '{ada}' --of ben '{ben}' --steps {steps} -o m")
}

fn swapping(rest: &str) -> String {
    let ben = actor("ben-1.mp4");
    format!("swap --model m --face ada '{ben}' {rest}")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn full_disk_and_interruption_leave_nothing_half_written() {
    let desk = Desk::new();
    full_disk_leaves_the_last_checkpoint(&desk);
    full_disk_leaves_no_output(&desk);
    interrupted_swap_leaves_no_output(&desk);
}

fn full_disk_leaves_the_last_checkpoint(desk: &Desk) {
    let before = desk.files("m");
    // A file of weights takes tens of megabytes.
    let said = desk.refused(&training(3), 2000);
    assert!(
        said.contains("the checkpoint before it is untouched"),
        "{said}"
    );
    assert_eq!(desk.files("m"), before);
    desk.check(&training(3));
    assert_ne!(desk.files("m"), before);
}

fn full_disk_leaves_no_output(desk: &Desk) {
    for output in ["out.mp4", "out.png"] {
        let said = desk.refused(&swapping(&format!("--from 2 --to 3 -o {output}")), 16);
        assert!(
            said.contains(&format!("cannot write \"{output}\"")),
            "{said}"
        );
        assert!(desk.files(".").is_empty(), "{:?}", desk.files("."));
    }
}

fn interrupted_swap_leaves_no_output(desk: &Desk) {
    let mut command = desk.command(&swapping("-o out.mp4"), None);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    wait_for_output(desk, &mut child);
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.matches("error:").count(), 1, "{said}");
    assert!(desk.files(".").is_empty(), "{:?}", desk.files("."));
}

/// Waits until the result has been begun.
fn wait_for_output(desk: &Desk, child: &mut Child) {
    while desk.files(".").is_empty() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "ended before it wrote anything"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
