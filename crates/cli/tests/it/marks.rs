//! Consents, keys, marks and the log, as somebody meets them who has read the help.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own for keys, consents and files.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn effigy(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_effigy"))
            .args(line.split_whitespace())
            .current_dir(self.0.path())
            .env("EFFIGY_HOME", self.path("home"))
            .env("EFFIGY_PASSWORD", "not the right one")
            .output()
            .unwrap()
    }

    /// Runs a command that must end with `code`; gives what it printed, errors included.
    #[track_caller]
    fn check(&self, line: &str, code: i32) -> String {
        let output = self.effigy(line);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{line}: {said}");
        said
    }

    /// Runs a command that must fail with one error that says `why`.
    #[track_caller]
    fn refused(&self, line: &str, why: &str) {
        let said = self.check(line, 2);
        assert!(said.contains(why), "{line}: {said}");
        assert_eq!(said.matches("error:").count(), 1, "{line}: {said}");
    }
}

fn actor() -> PathBuf {
    actor_named("ada-1.mp4")
}

fn actor_named(clip: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    folder.join(clip)
}

#[test]
fn a_clip_is_marked_verified_and_logged() {
    let desk = Desk::new();
    fs::copy(actor(), desk.path("clip.mp4")).unwrap();
    let said = desk.check("verify clip.mp4", 0);
    assert!(said.contains("does not prove that it is genuine"), "{said}");
    let said = desk.check("mark clip.mp4 --source generated", 0);
    assert!(
        said.contains("made keys") && said.contains("signing and verifying took"),
        "{said}"
    );

    let output = desk.effigy("verify --json clip-marked.mp4");
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["file"], "clip-marked.mp4");
    assert_eq!(report["marked"], true);
    assert_eq!(
        report["watermark"]["identifier"].as_str().unwrap().len(),
        16
    );
    assert!(report["watermark"]["confidence"].as_f64().unwrap() <= 1.0);
    assert!(report["watermark"]["false_alarm"].as_f64().unwrap() < 1e-6);
    assert_eq!(report["credentials"]["state"], "trusted");
    assert!(report["credentials"]["signer"].is_string());
    let actions = report["credentials"]["actions"].as_array().unwrap();
    let is_made = |action: &serde_json::Value| action["source_type"] == "trainedAlgorithmicMedia";
    assert!(actions.iter().any(is_made), "{actions:?}");
    assert!(report["label"]["profiles"].is_array());

    let output = desk.effigy("verify --json clip.mp4 missing.mp4");
    assert_eq!(output.status.code(), Some(2));
    let lines: Vec<serde_json::Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines[0]["watermark"].is_null() && lines[0]["credentials"].is_null());
    assert_eq!(lines[1]["file"], "missing.mp4");
    assert!(lines[1]["error"].is_string());

    desk.refused("mark clip.mp4 -o clip.avi", "cannot");
    desk.refused("mark clip.mp4 -o clip.mp4", "the output is the input");
    assert!(
        desk.check("log verify", 0)
            .contains("lines: 1, none changed")
    );
    let log = desk.path("home/keys/log.jsonl");
    let changed = fs::read_to_string(&log)
        .unwrap()
        .replacen("written", "Written", 1);
    fs::write(&log, changed).unwrap();
    desk.refused("log verify", "line 1 of the log");
}

#[test]
fn whoever_withdraws_leaves_no_template_behind() {
    let desk = Desk::new();
    fs::copy(actor(), desk.path("ada.mp4")).unwrap();
    let later = "consent new --subject Ada --basis synthetic --use swap --from 2999-01-01 --until 2999-06-01";
    desk.check(&format!("{later} ada.mp4"), 0);
    desk.check(
        "consent new --subject Ada --basis synthetic --use swap ada.mp4",
        0,
    );
    let templates = || {
        let entries = fs::read_dir(desk.path("home/consents")).unwrap();
        let names = entries.map(|entry| entry.unwrap().path());
        names
            .filter(|path| path.extension().is_some_and(|e| e == "template"))
            .count()
    };
    assert_eq!(templates(), 2);
    let said = desk.check("consent revoke Ada", 0);
    assert_eq!(said.matches("are erased").count(), 2, "{said}");
    assert_eq!(templates(), 0);
}

#[test]
fn a_consent_is_recorded_shown_handed_on_and_revoked() {
    let desk = Desk::new();
    fs::write(desk.path("form.pdf"), "signed by the artist").unwrap();
    fs::copy(actor_named("ben-1.mp4"), desk.path("nell.mp4")).unwrap();
    let new = "consent new nell.mp4 --subject Nell --basis synthetic --use swap --use puppet";
    desk.check(&format!("{new} --evidence form.pdf --keep-evidence"), 0);
    for line in ["consent list", "consent show Nell"] {
        let said = desk.check(line, 0);
        assert!(
            said.contains("Nell") && said.contains("swap, puppet"),
            "{said}"
        );
    }
    desk.check("consent export Nell -o nell.json", 0);
    assert!(desk.check("consent show nell.json", 0).contains("Nell"));
    desk.check("consent revoke Nell --reason moved", 0);
    assert!(desk.check("consent show Nell", 0).contains("revoked on"));
    assert!(desk.check("log verify", 0).contains("lines: 2"));

    desk.refused("consent new --subject Ada --use swap", "needs pictures");
    desk.refused(
        "consent new --subject Zoe --basis synthetic --use swap",
        "needs pictures of the synthetic person, or the training footage",
    );
    // Its face is erased; what is said is still that it was revoked.
    fs::copy(actor(), desk.path("clip.mp4")).unwrap();
    desk.check("consent new --subject Ada --use swap clip.mp4", 0);
    desk.check("consent revoke Ada --reason moved", 0);
    desk.refused(
        "train --person Ada clip.mp4 --person Nell clip.mp4 -o m --steps 1",
        "was revoked on",
    );
    desk.refused(
        &format!("{new} --until 2001-01-01"),
        "ends before it begins",
    );
    desk.refused(&format!("{new} --until 2026-02-30"), "2026-02-30");
    desk.refused(&format!("{new} --evidence none.pdf"), "none.pdf");
    desk.refused("consent show Nobody", "no consent is on record");
    let text = fs::read_to_string(desk.path("nell.json")).unwrap();
    fs::write(
        desk.path("forged.json"),
        text.replace("\"consent\": \"ey", "\"consent\": \"eY"),
    )
    .unwrap();
    desk.refused("consent show forged.json", "not what was signed");
}

#[test]
fn a_real_person_cannot_be_recorded_as_synthetic() {
    let desk = Desk::new();
    for (name, clip) in [("ada.mp4", "ada-1.mp4"), ("again.mp4", "ada-2.mp4")] {
        fs::copy(actor_named(clip), desk.path(name)).unwrap();
    }
    desk.check("consent new --subject Ada --use swap ada.mp4", 0);
    desk.refused(
        "consent new --subject Zoe --basis synthetic --use swap again.mp4",
        "cannot pass as synthetic: the face is that of \"Ada\"",
    );
    fs::copy(actor_named("cleo-and-dan.mp4"), desk.path("two.mp4")).unwrap();
    desk.refused(
        "consent new --subject Dan --basis synthetic --use swap two.mp4",
        "another person is seen as well, in \"two.mp4\"; give pictures that show Dan alone",
    );
}

#[test]
fn a_comparison_says_how_sure_it_is() {
    let desk = Desk::new();
    for (name, clip) in [
        ("ada.mp4", "ada-1.mp4"),
        ("again.mp4", "ada-2.mp4"),
        ("ben.mp4", "ben-1.mp4"),
    ] {
        fs::copy(actor_named(clip), desk.path(name)).unwrap();
    }
    let report = |other: &str| -> serde_json::Value {
        let said = desk.effigy(&format!("match --json ada.mp4 {other}"));
        serde_json::from_slice(&said.stdout).unwrap()
    };
    let same = report("again.mp4");
    assert_eq!(same["verdict"], "same", "{same}");
    assert_eq!((&same["same"], &same["prior"]), (&true.into(), &0.5.into()));
    assert!(0.99 < same["probability"].as_f64().unwrap(), "{same}");
    // Drawn people are more alike than filmed ones.
    let another = report("ben.mp4");
    assert_eq!(another["verdict"], "uncertain", "{another}");
    assert_eq!(another["same"], false, "{another}");
}

#[test]
fn keys_that_cannot_be_trusted_are_refused() {
    let desk = Desk::new();
    desk.refused("keys show", "make keys with `effigy keys new`");
    assert!(
        desk.check("keys new --provider Nell", 0)
            .contains("BEGIN CERTIFICATE")
    );
    desk.refused("keys new", "there are keys already");
    let signer = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mark/tests/signers/signer.p12");
    desk.refused(
        &format!("keys import {}", signer.display()),
        "wrong password",
    );
    desk.refused("keys import --trust 12345", "not a usable key");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let private = fs::read_dir(desk.path("home/keys")).unwrap();
        for entry in private {
            fs::set_permissions(entry.unwrap().path(), fs::Permissions::from_mode(0o644)).unwrap();
        }
        desk.refused("keys show", "chmod 600");
    }
}

#[test]
fn keys_are_renewed_and_nobody_loses_what_was_signed() {
    let desk = Desk::new();
    fs::copy(actor(), desk.path("clip.mp4")).unwrap();
    let first = desk.check("mark clip.mp4 -o first.mp4", 0);
    assert!(first.contains("no time authority is chosen"), "{first}");
    let show = desk.check("keys show", 0);
    assert!(show.contains("credentials are signed by"), "{show}");
    let renewed = desk.check("keys renew", 0);
    assert!(renewed.contains("until 20"), "{renewed}");
    let second = desk.check("mark clip.mp4 -o second.mp4", 0);
    assert!(
        !second.contains("no time authority"),
        "said twice: {second}"
    );
    let said = desk.check("verify first.mp4 second.mp4", 1);
    assert_eq!(said.matches("who is trusted here").count(), 2, "{said}");
}

#[test]
fn dead_time_authority_is_named() {
    let desk = Desk::new();
    fs::copy(actor(), desk.path("clip.mp4")).unwrap();
    // Nothing listens on a port that was just given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", port.local_addr().unwrap());
    drop(port);
    desk.refused(&format!("keys authority {url}"), &url);
    desk.refused(&format!("mark clip.mp4 --timestamp {url}"), &url);
    desk.check("mark clip.mp4 --timestamp none", 0);
}

/// A service has no home, and nothing to write there.
#[test]
fn marks_are_read_without_a_home() {
    let desk = Desk::new();
    fs::copy(actor(), desk.path("clip.mp4")).unwrap();
    let homeless = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_effigy"));
        command.args(line.split_whitespace());
        command.current_dir(desk.0.path());
        command.env_remove("HOME").env_remove("EFFIGY_HOME");
        command.output().unwrap()
    };
    let read = homeless("verify clip.mp4");
    let said = String::from_utf8_lossy(&read.stderr);
    assert_eq!(read.status.code(), Some(0), "{said}");
    // What writes keys there says what is missing.
    let refused = homeless("mark clip.mp4");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("name a folder with --home"), "{said}");
    assert_eq!(refused.status.code(), Some(2), "{said}");
}

#[test]
fn damaged_file_is_told_from_damaged_credentials() {
    let desk = Desk::new();
    fs::write(
        desk.path("cut.jpg"),
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01",
    )
    .unwrap();
    let output = desk.effigy("verify --json cut.jpg");
    assert_eq!(output.status.code(), Some(2));
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(line["reason"], "file-damaged");
    fs::write(desk.path("nothing.jpg"), b"").unwrap();
    desk.refused("verify nothing.jpg", "the file is empty");
    let help = desk.check("verify --help", 0);
    for word in [
        "Exit codes:",
        "not-yet-valid",
        "manifest-damaged",
        "elsewhere",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
}
