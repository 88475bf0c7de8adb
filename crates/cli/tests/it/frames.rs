//! Folders and patterns of pictures, as people have them from other programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const N_FRAMES: usize = 3;

/// A folder of frames, `in/shot-00001.png` and so on.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let actors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
        fs::create_dir(desk.path("in")).unwrap();
        for n in 1..=N_FRAMES {
            let name = format!("in/shot-{n:05}.png");
            fs::copy(actors.join("ada-1.flow.png"), desk.path(&name)).unwrap();
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    #[track_caller]
    fn ends(&self, line: &str, code: i32, why: &str) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_effigy"))
            .args(line.split_whitespace())
            .current_dir(self.0.path())
            .env("EFFIGY_HOME", self.path("home"))
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{line}: {said}");
        assert!(said.contains(why), "{line}: {said}");
        assert!(!said.contains(".part-"), "{line}: {said}");
        said
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The report of each file in JSON.
    fn verified(&self, what: &str) -> Vec<serde_json::Value> {
        let said = self.ends(&format!("verify --json {what}"), 1, "watermark");
        let lines = said.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

#[test]
fn every_frame_of_a_folder_carries_all_marks_of_one_work() {
    let desk = Desk::new();
    desk.ends("mark in --source generated", 0, "marked as synthetic");
    assert_eq!(desk.names("in-marked"), desk.names("in"));
    let reports = desk.verified("in-marked");
    assert_eq!(reports.len(), N_FRAMES);
    for report in &reports {
        assert_eq!(report["credentials"]["state"], "trusted", "{report}");
        assert_eq!(report["watermark_fits"], true, "{report}");
        assert!(report["label"]["profiles"].is_array(), "{report}");
        assert_eq!(
            report["watermark"]["identifier"],
            reports[0]["watermark"]["identifier"]
        );
    }
    desk.ends(
        "verify in-marked/shot-%05d.png",
        1,
        "3 files: 3 marked as synthetic",
    );
    desk.ends("log verify", 0, "lines: 1");
    desk.ends("log show", 0, "\"frames\":3");
    desk.ends("mark in", 2, "--force");
    desk.ends("mark in --force", 0, "marked as synthetic");
    desk.ends("mark in -o in --force", 2, "the output");
    desk.ends("verify in", 0, "3 files: 0 marked");
}

#[test]
fn frames_become_a_clip_where_their_rate_is_said() {
    let desk = Desk::new();
    desk.ends("mark in/shot-%05d.png --fps 24", 0, "in/shot-marked.mp4");
    assert_eq!(desk.verified("in/shot-marked.mp4").len(), 1);
    desk.ends("mark in -o out.mp4", 2, "--fps says how many");
    desk.ends("mark in/shot-00001.png --fps 24", 2, "--fps is for folders");
    desk.ends("mark in -o out --fps 24", 2, "--fps makes a clip");
    desk.ends("mark in --fps 0", 2, "is no rate");
}

#[test]
fn a_missing_or_broken_frame_ends_the_work_and_leaves_nothing() {
    let desk = Desk::new();
    fs::write(desk.path("in/shot-00002.png"), b"no picture").unwrap();
    desk.ends("mark in", 2, "shot-00002.png");
    fs::remove_file(desk.path("in/shot-00002.png")).unwrap();
    desk.ends("mark in/shot-%05d.png", 2, "shot-00002.png");
    assert_eq!(desk.names("."), ["home", "in"]);
    fs::create_dir(desk.path("empty")).unwrap();
    desk.ends("mark empty", 2, "no pictures");
    desk.ends("verify empty", 2, "no video and no picture");
}

#[test]
fn what_lies_beside_frames_is_named() {
    let desk = Desk::new();
    fs::write(desk.path("in/talk.mp4"), b"a video").unwrap();
    desk.ends("mark in", 0, "talk.mp4 is no frame");
    assert_eq!(desk.names("in-marked").len(), N_FRAMES);
}

#[test]
fn who_is_seen_is_not_answered_without_the_video_beside_the_frames() {
    let desk = Desk::new();
    fs::write(desk.path("in/talk.mp4"), b"a video").unwrap();
    desk.ends("match in in/shot-00001.png", 2, "name one picture or clip");
    let new = "consent new --subject Ada --use swap";
    desk.ends(&format!("{new} in"), 2, "talk.mp4");
    desk.ends("consent check in", 2, "talk.mp4");
}
