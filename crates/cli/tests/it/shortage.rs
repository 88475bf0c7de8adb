//! A full disk, too little memory, a job that is stopped: one clear error, nothing half-written.
//!
//! Disk and memory are short for one process alone: the shell limits its files and its addresses.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// No limit.
const FREE: &str = "-f unlimited";

/// A folder with keys, consents of two actors and a model of them, learned for two steps.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        for (name, clip) in [("ada", "ada-1.mp4"), ("ben", "ben-2.mp4")] {
            let clip = actor(clip);
            desk.check(&format!(
                "consent new --subject {name} --basis synthetic --use swap '{clip}'"
            ));
        }
        desk.check(&training(2));
        desk
    }

    /// Runs a command within a limit: files of `-f` blocks of 512 bytes or `-v` KiB of memory.
    fn command(&self, line: &str, limit: &str) -> Command {
        let mut command = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit {limit}; exec \"$0\" {line}");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_effigy")]);
        command.current_dir(self.0.path());
        command.env("EFFIGY_HOME", self.0.path().join("home"));
        command
    }

    #[track_caller]
    fn check(&self, line: &str) {
        let output = self.command(line, FREE).output().unwrap();
        assert!(output.status.success(), "{line}: {}", said(&output));
    }

    /// Runs a command that must fail with one error; gives it.
    #[track_caller]
    fn refused(&self, line: &str, limit: &str) -> String {
        let output = self.command(line, limit).output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert_eq!(said.matches("error:").count(), 1, "{said}");
        said
    }

    /// The same where the disk is full.
    #[track_caller]
    fn refused_by_disk(&self, line: &str, blocks: u64) -> String {
        let said = self.refused(line, &format!("-f {blocks}"));
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
    format!("train --person ada '{ada}' --person ben '{ben}' --steps {steps} -o m")
}

fn swapping(rest: &str) -> String {
    let ben = actor("ben-1.mp4");
    format!("swap --model m --face ada '{ben}' {rest}")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn shortage_and_interruption_leave_nothing_half_written() {
    let desk = Desk::new();
    full_disk_leaves_the_last_checkpoint(&desk);
    full_disk_leaves_no_output(&desk);
    too_little_memory_is_told_before_anything_is_done(&desk);
    interrupted_swap_leaves_no_output(&desk);
}

fn too_little_memory_is_told_before_anything_is_done(desk: &Desk) {
    let before = desk.files("m");
    let large = training(9).replace("-o m", "-o big --size large");
    let told = desk.refused(&large, "-v 5000000");
    assert!(told.contains("training large needs 9800 MiB"), "{told}");
    assert!(told.contains("what fits: --size small"), "{told}");
    let told = desk.refused(&training(9), "-v 900000");
    assert!(told.contains("training small needs 900 MiB"), "{told}");
    assert!(told.contains("no size fits"), "{told}");
    assert_eq!(desk.files("m"), before);
    let swap = swapping("--from 2 --to 2.2 -o out.mp4");
    let told = desk.refused(&swap, "-v 430000");
    assert!(told.contains("a swap in frames of 320 x 320"), "{told}");
    assert!(desk.files(".").is_empty(), "{:?}", desk.files("."));
    // As much as it asks for is enough.
    let output = desk.command(&swap, "-v 3000000").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    for (path, _) in desk.files(".") {
        fs::remove_file(path).unwrap();
    }
}

fn full_disk_leaves_the_last_checkpoint(desk: &Desk) {
    let before = desk.files("m");
    // A file of weights takes tens of megabytes.
    let said = desk.refused_by_disk(&training(3), 2000);
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
        let said = desk.refused_by_disk(&swapping(&format!("--from 2 --to 3 -o {output}")), 16);
        assert!(
            said.contains(&format!("cannot write \"{output}\"")),
            "{said}"
        );
        assert!(desk.files(".").is_empty(), "{:?}", desk.files("."));
    }
}

fn interrupted_swap_leaves_no_output(desk: &Desk) {
    let mut command = desk.command(&swapping("-o out.mp4"), FREE);
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
