//! `speak` as its users run it: what is refused before any work.

use std::path::Path;
use std::process::Command;

/// Runs `speak` on an actor's portrait in a home where nobody consented.
#[track_caller]
fn refused(more: &[&str], why: &str) {
    let home = tempfile::tempdir().unwrap();
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    let output = Command::new(env!("CARGO_BIN_EXE_effigy"))
        .current_dir(testdata)
        .env("EFFIGY_HOME", home.path())
        .args(["speak", "--portrait", "ada-1.mp4", "--face", "ada"])
        .args(more)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(why), "{said}");
    assert!(output.stdout.is_empty());
}

#[test]
fn nobody_speaks_without_consent() {
    refused(
        &["--sound", "ben-1.mp4"],
        "nobody's consent is recorded here",
    );
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    assert!(!testdata.join("ada-1-speaks.mp4").exists());
}

#[test]
fn what_cannot_be_meant_is_said_before_any_work() {
    refused(
        &["--sound", "ben-1.mp4", "-o", "ada.png"],
        "a picture does not speak",
    );
    refused(
        &["--sound", "ben-1.mp4", "--from", "3", "--to", "2"],
        "--to 2 does not lie behind --from 3",
    );
    refused(&["--sound", "ben-1.mp4", "--offset", "5"], "--offset");
    refused(
        &["--sound", "ben-1.mp4", "--audience", "publish"],
        "--voice",
    );
}
