//! `scan` as a program: exit codes, JSON, lists, pages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn scan(home: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_effigy"))
        .arg("scan")
        .args(args)
        .env("EFFIGY_HOME", home)
        .output()
        .unwrap()
}

/// Something that belongs to a drawn actor.
fn actor(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    folder.join(name).to_string_lossy().into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_picture_without_a_face_is_not_judged() {
    let home = tempfile::tempdir().unwrap();
    let output = scan(home.path(), &["--json", &actor("ada-1.flow.png")]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(report["verdict"], "not_judged");
    assert_eq!(report["not_judged"][0], "No face was found.");
    assert_eq!(report["sha256"].as_str().unwrap().len(), 64);
    let weights = report["made_by"]["weights"].as_array().unwrap();
    assert!(weights.iter().any(|w| w[0] == "fuse.toml"));
}

#[test]
fn a_list_is_scanned_with_a_page_each_and_a_broken_file_is_named() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    fs::write(at("broken.mp4"), b"this is no video").unwrap();
    let broken = at("broken.mp4").to_string_lossy().into_owned();
    fs::write(
        at("list.txt"),
        format!("{}\n\n{broken}\n", actor("ada-1.mp4")),
    )
    .unwrap();
    let (list, pages) = (at("list.txt"), at("pages"));
    let (list, pages) = (list.to_string_lossy(), pages.to_string_lossy());
    let output = scan(home.path(), &["--files-from", &list, "--report", &pages]);
    let said = stdout(&output);
    assert!(said.contains("broken.mp4: not readable"), "{said}");
    assert!(
        said.contains("noise") && said.contains("2 files:"),
        "{said}"
    );
    let line_of = |cue: &str| {
        said.lines()
            .find(|line| line.trim().starts_with(cue))
            .unwrap()
    };
    assert!(line_of("noise").contains(['█', '░']), "{said}");
    let light = line_of("light");
    assert!(
        light.contains("info only") && !light.contains('█'),
        "{light}"
    );
    let page = written(Path::new(&*pages), "html");
    assert_eq!(page.len(), 1, "{said}");
    assert!(fs::read_to_string(&page[0]).unwrap().contains("ada-1.mp4"));
    assert_eq!(written(Path::new(&*pages), "json").len(), 1);
}

fn written(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    paths
        .filter(|p| p.extension().is_some_and(|e| e == ending))
        .collect()
}

#[test]
fn settings_without_sense_are_refused() {
    let home = tempfile::tempdir().unwrap();
    for args in [
        &["--samples-per-sec", "0", "a.mp4"][..],
        &[],
        &["no-such-file.mp4"],
    ] {
        let output = scan(home.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}

/// A WAV file of half-open vowels.
fn write_speech(path: &Path) {
    let samples = effigy_pipeline::sound::testing::vowels(6.0);
    let n_bytes = u32::try_from(2 * samples.len()).unwrap();
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + n_bytes).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(16_000_u32.to_le_bytes());
    wav.extend(32_000_u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(n_bytes.to_le_bytes());
    let levels = samples.iter().map(|sample| (sample * 32_000.0) as i16);
    wav.extend(levels.flat_map(i16::to_le_bytes));
    fs::write(path, wav).unwrap();
}

#[test]
fn sound_alone_is_told_in_words_as_json_and_on_a_page() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name).to_string_lossy().into_owned();
    write_speech(Path::new(&at("call.wav")));
    fs::write(at("list.txt"), at("call.wav")).unwrap();
    let output = scan(
        home.path(),
        &["--files-from", &at("list.txt"), "--report", &at("pages")],
    );
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = stdout(&output);
    for part in [
        "call.wav: not judged",
        "sound, 6.0 s: ",
        "    voice 1, ",
        "Sound alone: whether a voice is cloned cannot be judged yet.",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let page = written(Path::new(&at("pages")), "html").remove(0);
    assert!(
        fs::read_to_string(page)
            .unwrap()
            .contains("who speaks when")
    );
    let call = at("call.wav");
    let output = scan(home.path(), &["--json", &call, "--person", &call]);
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(report["voice_likeness"]["verdict"], "same");
    assert!(
        report["voices"][0]["stretches"][0][1].is_number(),
        "{report}"
    );
}
