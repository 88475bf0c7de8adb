//! What people name: long and foreign names, moments, lists, addresses, files that are not there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn actor(&self, actor: &str, name: &str) {
        let actors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
        fs::copy(actors.join(actor), self.path(name)).unwrap();
    }

    /// Runs a command; gives how it ended and what it said, errors included.
    fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new(env!("CARGO_BIN_EXE_effigy"))
            .args(args)
            .current_dir(self.0.path())
            .env("EFFIGY_HOME", self.path("home"))
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (status.code(), text(&stdout) + &text(&stderr))
    }

    #[track_caller]
    fn ends(&self, args: &[&str], code: i32, why: &str) -> String {
        let (ended, said) = self.run(args);
        assert_eq!(ended, Some(code), "{args:?}: {said}");
        assert!(said.contains(why), "{args:?}: {said}");
        assert!(!said.contains(".part-"), "{args:?}: {said}");
        said
    }
}

#[test]
fn the_longest_names_of_any_letters_are_taken() {
    let desk = Desk::new();
    for letter in ["x", "ж", "顔"] {
        let name = format!("{}.png", letter.repeat(251 / letter.len()));
        desk.actor("ada-1.flow.png", &name);
        let out = format!("seen-{letter}");
        desk.ends(
            &[
                "faces",
                &name,
                "-o",
                &out,
                "--overlay",
                "--crops",
                "64",
                "--contact-sheet",
            ],
            0,
            "no face",
        );
        desk.ends(
            &["scan", &name, "--report", "reports"],
            2,
            "No face was found",
        );
        desk.ends(&["mark", &name], 0, "marked as synthetic");
        desk.ends(&["verify", &name], 0, "no mark");
    }
    let reports = fs::read_dir(desk.path("reports")).unwrap().count();
    assert_eq!(reports, 6);
    let marked = fs::read_dir(desk.0.path()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains("-marked") || 200 < name.len()
    });
    assert_eq!(marked.count(), 6);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_are_taken() {
    use std::os::unix::ffi::OsStrExt as _;
    let desk = Desk::new();
    desk.actor("ada-1.mp4", "ada.mp4");
    let name = std::ffi::OsStr::from_bytes(b"a\xff.mp4");
    fs::copy(desk.path("ada.mp4"), desk.0.path().join(name)).unwrap();
    for command in [
        &["verify", "--json"][..],
        &["faces", "--json"],
        &["scan", "--json"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_effigy"))
            .args(command)
            .arg(name)
            .arg("missing.mp4")
            .current_dir(desk.0.path())
            .env("EFFIGY_HOME", desk.path("home"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{command:?}: {said}");
        assert!(!said.contains("panicked"), "{command:?}: {said}");
        let lines = String::from_utf8(output.stdout).unwrap();
        for line in lines.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}

#[test]
fn addresses_are_refused_with_what_to_do() {
    let desk = Desk::new();
    desk.actor("ada-1.flow.png", "a.png");
    let address = "https://example.org/a.mp4";
    for args in [
        &["faces", address][..],
        &["scan", "a.png", address],
        &["verify", address],
        &["mark", address],
        &["match", "a.png", address],
        &["bench", address],
        &["swap", "--model", "m", "--face", "ada", address],
        &[
            "train", "--person", "ada", "a.png", "--person", "ben", address, "-o", "m",
        ],
        &[
            "consent",
            "new",
            "--subject",
            "ada",
            "--use",
            "swap",
            address,
        ],
        &["consent", "check", address],
    ] {
        desk.ends(args, 2, "download it");
    }
    fs::write(desk.path("list"), format!("a.png\n{address}\n")).unwrap();
    desk.ends(&["scan", "--files-from", "list"], 2, "line 2");
}

#[test]
fn a_mark_at_the_start_of_a_list_is_no_part_of_a_name() {
    let desk = Desk::new();
    desk.actor("ada-1.flow.png", "a.png");
    fs::write(desk.path("list"), "\u{feff}a.png\r\n").unwrap();
    desk.ends(&["scan", "--files-from", "list"], 2, "a.png: not judged");
    fs::write(desk.path("list"), "\u{feff}\r\n").unwrap();
    desk.ends(&["scan", "--files-from", "list"], 2, "no file is named");
    desk.ends(&["scan"], 2, "--files-from");
}

#[test]
fn moments_that_are_none_are_refused() {
    let desk = Desk::new();
    let swap = |rest: &[&str]| {
        let mut args = vec!["swap", "--model", "m", "--face", "ada", "a.mp4"];
        args.extend(rest);
        desk.run(&args).1
    };
    assert!(swap(&["--from", "1:75"]).contains("write seconds as"));
    assert!(swap(&["--from", "1:02.5", "--to", "62"]).contains("does not lie behind"));
    assert!(!swap(&["--from", "1:02.5", "--to", "63"]).contains("moment"));
}

#[test]
fn trust_without_a_certificate_is_refused() {
    let desk = Desk::new();
    desk.actor("ada-1.flow.png", "a.png");
    desk.ends(&["keys", "new"], 0, "BEGIN CERTIFICATE");
    let (_, shown) = desk.run(&["keys", "show"]);
    fs::write(desk.path("root.pem"), format!("{shown}\nand more words\n")).unwrap();
    desk.ends(&["verify", "a.png", "--trust", "root.pem"], 0, "no mark");
    let cut = shown.replacen("MII", "MI", 1);
    let der: &[u8] = &[0x30, 0x82, 0xff, 0x81];
    let files = [
        ("empty", &b""[..]),
        ("words", b"trust me"),
        ("cut", cut.as_bytes()),
        ("binary", der),
    ];
    for (name, text) in files {
        fs::write(desk.path(name), text).unwrap();
        for command in ["verify", "scan"] {
            desk.ends(&[command, "a.png", "--trust", name], 2, "no certificate");
        }
    }
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let desk = Desk::new();
    let name = "a\u{1b}[2K\r\nb: genuine\u{202e}.png";
    desk.actor("ada-1.flow.png", name);
    for command in ["verify", "scan"] {
        let (_, said) = desk.run(&[command, name]);
        let shown = "a\\u{1b}[2K\\r\\nb: genuine\\u{202e}.png: ";
        assert!(said.contains(shown), "{command}: {said}");
        assert!(!said.contains(['\u{1b}', '\r', '\u{202e}']), "{said:?}");
    }
}

#[test]
fn a_missing_file_is_named_once_and_leaves_nothing() {
    let desk = Desk::new();
    let said = desk.ends(&["faces", "nofile", "-o", "seen"], 2, "nofile");
    assert_eq!(said.matches("nofile").count(), 1, "{said}");
    assert!(!desk.path("seen").exists());
    desk.actor("ada-1.flow.png", "a.png");
    let said = desk.ends(&["faces", "nofile", "a.png", "-o", "seen"], 2, "nofile");
    assert_eq!(said.matches("nofile").count(), 1, "{said}");
    assert!(desk.path("seen/faces.jsonl").exists());
}

#[test]
fn crops_of_a_person_who_is_not_there_are_asked_for_in_vain() {
    let desk = Desk::new();
    desk.actor("ada-1.mp4", "ada.mp4");
    let args = [
        "faces", "ada.mp4", "-o", "seen", "--crops", "64", "--person", "7",
    ];
    desk.ends(&args, 2, "no crops of person 7: only person 1 was seen");
}

#[test]
fn a_consent_tells_its_standing_and_its_namesakes() {
    let desk = Desk::new();
    desk.actor("ada-1.mp4", "nell.mp4");
    let new = [
        "consent",
        "new",
        "--subject",
        "Nell",
        "--basis",
        "synthetic",
        "--use",
        "swap",
        "nell.mp4",
    ];
    let later = [&new[..], &["--from", "2999-01-01", "--until", "2999-02-01"]].concat();
    let said = desk.ends(&later, 0, "not begun");
    assert!(!said.contains("note:"), "{said}");
    let said = desk.ends(&new, 0, "standing  valid");
    assert!(said.contains("note: Nell has other consents"), "{said}");
}

/// A TIFF of grey pages, 64 pixels wide and high.
fn pages(n_pages: u32) -> Vec<u8> {
    const SIDE: u32 = 64;
    const N_ENTRIES: u16 = 8;
    const PAGE_BYTES: u32 = 2 + 12 * N_ENTRIES as u32 + 4;
    let pixels_at = 8 + n_pages * PAGE_BYTES;
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    for page in 0..n_pages {
        bytes.extend(N_ENTRIES.to_le_bytes());
        for (tag, value) in [
            (256_u16, SIDE),
            (257, SIDE),
            (258, 8),
            (259, 1),
            (262, 1),
            (273, pixels_at),
            (278, SIDE),
            (279, SIDE * SIDE),
        ] {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(4_u16.to_le_bytes());
            bytes.extend(1_u32.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        let next = 8 + (page + 1) * PAGE_BYTES;
        let next = if page + 1 < n_pages { next } else { 0 };
        bytes.extend(next.to_le_bytes());
    }
    bytes.extend(vec![128; (SIDE * SIDE) as usize]);
    bytes
}

#[test]
fn pages_that_are_not_read_are_named() {
    let desk = Desk::new();
    fs::write(desk.path("scan.tif"), pages(3)).unwrap();
    fs::write(desk.path("one.tif"), pages(1)).unwrap();
    let told = "Only one of the 3 pictures in this file is read";
    desk.ends(&["faces", "scan.tif"], 0, told);
    desk.ends(&["scan", "scan.tif"], 2, told);
    let (_, said) = desk.run(&["faces", "one.tif"]);
    assert!(!said.contains("Only one"), "{said}");
}

#[test]
fn pictures_are_pictures_whatever_they_are_called() {
    let desk = Desk::new();
    for (name, copy) in [
        ("noname", "noname-marked.png"),
        ("film.mp4", "film-marked.mp4.png"),
    ] {
        desk.actor("ada-1.flow.png", name);
        let said = desk.ends(&["mark", name], 0, copy);
        assert!(!said.contains("error"), "{said}");
    }
    desk.actor("ada-1.mp4", "still.png");
    desk.ends(&["mark", "still.png"], 0, "still-marked.png.mp4");
    fs::write(desk.path("icon.ico"), b"\0\0\x01\0\x01\0").unwrap();
    desk.ends(
        &["faces", "icon.ico"],
        2,
        "files of this kind are not read; convert it",
    );
}

#[test]
fn picture_over_the_limit_is_named() {
    let desk = Desk::new();
    desk.actor("ada-1.flow.png", "a.png");
    let side = 60_000_u32.to_le_bytes();
    let mut bmp = b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bmp.extend([side, side, [1, 0, 24, 0]].concat());
    bmp.resize(64, 0);
    fs::write(desk.path("huge.bmp"), bmp).unwrap();
    let new = ["consent", "new", "--subject", "ada", "--use", "swap"];
    for args in [
        &["match", "huge.bmp", "a.png"][..],
        &[&new[..], &["huge.bmp"]].concat(),
        &["consent", "check", "huge.bmp"],
        &["faces", "huge.bmp"],
    ] {
        let said = desk.ends(args, 2, "over the limit");
        assert!(said.contains("huge.bmp"), "{args:?}: {said}");
    }
}

#[test]
fn first_training_is_told_to_ask_for_consent() {
    let desk = Desk::new();
    desk.actor("ada-1.flow.png", "a.png");
    let people = ["--person", "ada", "a.png", "--person", "ben", "a.png"];
    let said = desk.ends(
        &[&["train"][..], &people, &["-o", "m"]].concat(),
        2,
        "effigy consent new",
    );
    assert!(!said.contains("key"), "{said}");
    assert!(!desk.path("m").exists());
}

#[test]
fn folder_is_nobody_to_match() {
    let desk = Desk::new();
    desk.actor("ada-1.flow.png", "a.png");
    fs::create_dir(desk.path("photos")).unwrap();
    desk.ends(&["match", "a.png", "photos"], 2, "name one picture or clip");
}

#[test]
fn wrong_consents_are_noticed_before_and_after() {
    let desk = Desk::new();
    desk.actor("ada-1.mp4", "ada.mp4");
    let new = |subject: &str, more: &[&str], code, why: &str| {
        let args = ["consent", "new", "--use", "swap", "--subject", subject];
        desk.ends(&[&args[..], more, &["ada.mp4"]].concat(), code, why)
    };
    new(
        "ada",
        &["--until", "2020-01-01", "--from", "2019-01-01"],
        2,
        "over already",
    );
    let first = new("ada", &[], 0, "valid");
    assert!(!first.contains("note:"), "{first}");
    new("eve", &[], 0, "also on record as ada");
    desk.ends(&["consent", "revoke", "ada"], 0, "is revoked");
    desk.ends(&["consent", "revoke", "ada"], 0, "revoked on");
    new("ada", &[], 0, "took the consent");
    fs::write(desk.path("home/consents/0.jws"), "nothing").unwrap();
    let listed = desk.ends(&["consent", "list"], 2, "0.jws");
    assert!(listed.contains("eve"), "{listed}");
}
