//! `match --voice` as its users run it.

use std::path::Path;
use std::process::{Command, Output};

fn effigy(args: &[&str]) -> Output {
    let mut effigy = Command::new(env!("CARGO_BIN_EXE_effigy"));
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    effigy.current_dir(testdata).args(args).output().unwrap()
}

#[track_caller]
fn refused(args: &[&str], why: &str) {
    let output = effigy(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(why), "{said}");
}

#[test]
fn voices_are_compared_in_words_and_as_json() {
    let output = effigy(&["match", "--voice", "ada-1.mp4", "ben-2.mp4"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].starts_with("different people: similarity"),
        "{said}"
    );
    assert!(
        lines[1].starts_with("ada-1.mp4: ") && lines[1].contains(" s of speech: "),
        "{said}"
    );

    let output = effigy(&["match", "--voice", "--json", "ada-1.mp4", "ada-2.mp4"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&json["verdict"], &json["same"]),
        (&"same".into(), &true.into())
    );
    for key in [
        "similarity",
        "likelihood_ratio",
        "probability",
        "prior",
        "threshold",
        "false_match_rate",
    ] {
        assert!(json[key].is_number(), "{key} in {json}");
    }
    for key in ["speech_secs", "speech", "voices_not_compared"] {
        assert_eq!(json[key].as_array().unwrap().len(), 2, "{key} in {json}");
    }
}

#[test]
fn voices_have_no_crops_and_no_graphics_card() {
    refused(
        &[
            "match",
            "--voice",
            "-o",
            "crops.png",
            "ada-1.mp4",
            "ada-2.mp4",
        ],
        "'--voice' cannot be used with '--output",
    );
    refused(
        &[
            "match",
            "--voice",
            "--device",
            "gpu",
            "ada-1.mp4",
            "ada-2.mp4",
        ],
        "voices are compared on the processor",
    );
}

#[test]
fn what_has_no_sound_is_named() {
    refused(
        &["match", "--voice", "../../docs/actors.jpg", "ada-2.mp4"],
        "there is no sound in",
    );
}

#[test]
fn a_voice_is_lent_with_consent() {
    let home = tempfile::tempdir().unwrap();
    let new = |more: &[&str], code: i32, says: &str| {
        let home = home.path().to_str().unwrap();
        let args = ["consent", "new", "--home", home, "--subject", "ada"];
        let Output {
            status,
            stdout,
            stderr,
        } = effigy(&[&args[..], more].concat());
        let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
        assert_eq!(status.code(), Some(code), "{said}");
        assert!(said.contains(says), "{said}");
    };
    let speech = ["--use", "speech"];
    let with = |voices: &[&'static str]| -> Vec<&'static str> {
        let voices = voices.iter().flat_map(|voice| ["--voice", voice]);
        speech.into_iter().chain(voices).collect()
    };
    new(&speech, 2, "a recording of it");
    new(&with(&["ada-1.mp4", "ben-2.mp4"]), 2, "does not sound like");
    new(&with(&["../../docs/actors.jpg"]), 2, "no sound");
    new(
        &["--use", "swap", "--voice", "ada-1.mp4"],
        2,
        "for speech alone",
    );
    assert!(
        !home.path().join("consents").exists(),
        "nothing is recorded"
    );
    new(&with(&["ada-1.mp4", "ada-2.mp4"]), 0, "known by  voice");
}
