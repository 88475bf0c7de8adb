//! Where results may go: never onto what they are made of, and onto other files only with --force.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder with a clip, pictures and other things that must all stay.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        for folder in ["clips", "pictures"] {
            fs::create_dir(desk.path(folder)).unwrap();
        }
        desk.put("ada-1.mp4", "clips/ada.mp4");
        desk.put("ben-1.mp4", "clips/ben.mp4");
        desk.put("ada-1.flow.png", "pictures/a.png");
        desk.put("ada-1.flow.png", "pictures/b.png");
        fs::write(desk.path("notes.txt"), "mine").unwrap();
        desk
    }

    fn put(&self, actor: &str, name: &str) {
        let actors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
        fs::copy(actors.join(actor), self.path(name)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn effigy(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_effigy"))
            .args(line.split_whitespace())
            .current_dir(self.0.path())
            .env("EFFIGY_HOME", self.path("home"))
            .output()
            .unwrap()
    }

    /// Everything that is there, with its bytes.
    fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn walk(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    walk(&path, found);
                } else {
                    let bytes = fs::read(&path).unwrap_or_default();
                    found.push((path, bytes));
                }
            }
        }
        let mut found = Vec::new();
        walk(self.0.path(), &mut found);
        found.sort();
        found
    }

    /// Runs a command that must fail with one error that says `why`, before anything is done.
    #[track_caller]
    fn refused(&self, line: &str, why: &str) {
        let before = self.everything();
        let output = self.effigy(line);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line}: {said}");
        assert!(said.contains(why), "{line}: {said}");
        assert_eq!(said.matches("error:").count(), 1, "{line}: {said}");
        assert!(
            !said.contains("device:"),
            "refused too late: {line}: {said}"
        );
        assert!(self.everything() == before, "{line} changed something");
    }

    #[track_caller]
    fn done(&self, line: &str) -> String {
        let output = self.effigy(line);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{line}: {said}");
        said
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const SWAP: &str = "swap --model m --face ada clips/ben.mp4";
const IS_INPUT: &str = "the output is the input";

#[test]
fn no_command_writes_onto_what_it_reads() {
    let desk = Desk::new();
    fs::hard_link(desk.path("clips/ben.mp4"), desk.path("hard.mp4")).unwrap();
    fs::create_dir(desk.path("m")).unwrap();
    let mut spellings = vec!["clips/ben.mp4", "clips/../clips/ben.mp4", "hard.mp4"];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("clips/ben.mp4", desk.path("link.mp4")).unwrap();
        std::os::unix::fs::symlink("clips", desk.path("same")).unwrap();
        spellings.extend(["link.mp4", "same/ben.mp4"]);
    }
    for output in spellings {
        for force in ["", " --force"] {
            desk.refused(&format!("{SWAP} -o {output}{force}"), IS_INPUT);
            desk.refused(&format!("mark clips/ben.mp4 -o {output}{force}"), IS_INPUT);
        }
        desk.refused(
            &format!("train --person ada clips/ada.mp4 --person ben clips/ben.mp4 -o {output}"),
            IS_INPUT,
        );
        desk.refused(
            &format!("faces clips/ben.mp4 -o {output} --force"),
            IS_INPUT,
        );
        desk.refused(&format!("scan clips/ben.mp4 --report {output}"), IS_INPUT);
    }
    desk.refused(
        "match pictures/a.png pictures/b.png -o pictures/b.png --force",
        IS_INPUT,
    );
    desk.refused(
        &format!("{SWAP} --ground-truth clips/ada.mp4 -o clips/ada.mp4 --force"),
        IS_INPUT,
    );
    desk.refused("faces clips -o clips", IS_INPUT);
    desk.refused("scan clips --report clips/.", IS_INPUT);
    desk.refused(
        "train --person ada clips --person ben pictures -o clips",
        IS_INPUT,
    );
    desk.refused(&format!("{SWAP} -o m/out.mp4"), "only read");
    desk.refused(
        "mark clips/ben.mp4 -o home/keys/out.mp4",
        "there is no folder",
    );
}

#[test]
fn what_is_there_is_replaced_only_when_asked_to() {
    let desk = Desk::new();
    fs::write(desk.path("out.quality.html"), "an earlier card").unwrap();
    desk.put("ada-1.flow.png", "clips/ben-marked.mp4");
    const REMEDY: &str = "replace it with --force";
    desk.refused(&format!("{SWAP} -o clips/ada.mp4"), REMEDY);
    desk.refused(&format!("{SWAP} -o out.mp4"), "out.quality.html");
    desk.refused("mark clips/ben.mp4", REMEDY);
    desk.refused("match pictures/a.png pictures/b.png -o notes.txt", REMEDY);
    desk.refused("consent export -o notes.txt", REMEDY);
    desk.refused(
        "faces clips/ben.mp4 -o notes.txt",
        "results go into a folder",
    );
    desk.refused(
        "scan clips/ben.mp4 --report notes.txt",
        "results go into a folder",
    );
    desk.refused(
        "train --person ada clips/ada.mp4 --person ben clips/ben.mp4 -o pictures",
        "holds other files",
    );
    desk.refused(
        "mark clips/ben.mp4 -o nowhere/out.mp4",
        "there is no folder",
    );
    let long = "x".repeat(252);
    desk.refused(&format!("mark clips/ben.mp4 -o {long}.mp4"), "too long");

    let seen = "faces pictures/a.png -o seen --overlay --crops 64";
    desk.done(seen);
    desk.refused(seen, REMEDY);
    fs::remove_file(desk.path("seen/faces.jsonl")).unwrap();
    desk.refused(seen, REMEDY);
    desk.done(&format!("{seen} --force"));
    desk.put("ada-1.flow.png", "seen/crops/chosen.png");
    desk.refused(
        "faces seen/crops/chosen.png -o seen --crops 64 --force",
        "holds the input",
    );
    desk.done("mark pictures/a.png -o clips/ben-marked.png");
    let before = fs::read(desk.path("clips/ben-marked.png")).unwrap();
    desk.done("mark pictures/b.png -o clips/ben-marked.png --force");
    assert_ne!(fs::read(desk.path("clips/ben-marked.png")).unwrap(), before);
}

#[test]
fn one_person_is_named_once() {
    let desk = Desk::new();
    desk.refused(
        "train --person ada clips/ada.mp4 --person Ada clips/ben.mp4 -o m",
        "are one person",
    );
}

#[test]
fn what_is_no_model_is_called_so() {
    let desk = Desk::new();
    desk.done("keys new");
    for model in ["clips", "nowhere", "notes.txt"] {
        let output = desk.effigy(&format!(
            "swap --model {model} --face ada clips/ben.mp4 -o out.mp4"
        ));
        let said = text(&output.stderr);
        assert!(said.contains("no face model here"), "{model}: {said}");
        let output = desk.effigy(&format!(
            "puppet --model {model} --portrait pictures/a.png --face ada --drive clips/ben.mp4 -o out.mp4"
        ));
        let said = text(&output.stderr);
        assert!(said.contains("no face model here"), "{model}: {said}");
    }
}

/// The commands that give back the right to write elsewhere still write where they are told.
#[test]
fn results_are_written_where_they_were_asked_for() {
    let desk = Desk::new();
    desk.put("ada-microphone.mp4", "clips/short.mp4");
    for (line, written) in [
        (
            "match clips/short.mp4 clips/short.mp4 -o sheet.png",
            "sheet.png",
        ),
        ("scan pictures/a.png --report new/report", "new/report"),
        ("faces pictures/a.png -o found", "found/faces.jsonl"),
    ] {
        let output = desk.effigy(line);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(desk.path(written).exists(), "{line}: {said}");
        assert!(!said.contains("denied"), "{line}: {said}");
    }
}
