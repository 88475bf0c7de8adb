//! What no compiler checks: sizes and names of files, and that the documents tell the truth.

mod architecture;
mod circles;
mod files;
mod weights;

use std::path::Path;

use anyhow::Result;

use crate::sources::list;
use crate::{notice, report};

/// Runs every check on the workspace at `root` and names all that is to be mended.
pub(crate) fn run(root: &Path) -> Result<()> {
    report("tidy", &complaints(root)?)
}

fn complaints(root: &Path) -> Result<Vec<String>> {
    let paths = list(root)?;
    let mut complaints = files::check(root, &paths)?;
    complaints.extend(architecture::check(root)?);
    complaints.extend(weights::check(root, &paths)?);
    complaints.extend(circles::check(root, &paths)?);
    complaints.extend(notice::check(root, &paths)?);
    Ok(complaints)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A small workspace in which nothing is to be mended.
    fn workspace() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in [
            (
                "README.md",
                "# A\nSee [how](ARCHITECTURE.md) and [why](#why).\n",
            ),
            (
                "ARCHITECTURE.md",
                "See `crates/frame/src/lib.rs` and `a_from_b`.\n\
                 | crate | what it is | may use | alone names |\n|---|---|---|---|\n\
                 | `frame` | pictures | – | – |\n\
                 | `media` | files | `frame` | `ffmpeg-next` |\n",
            ),
            (
                "crates/frame/Cargo.toml",
                "[package]\nname = \"effigy-frame\"\n",
            ),
            ("crates/frame/src/lib.rs", "//! Pictures.\n"),
            (
                "crates/media/Cargo.toml",
                "[package]\nname = \"effigy-media\"\n[dependencies]\n\
                 effigy-frame.workspace = true\nffmpeg-next = \"9\"\n",
            ),
            ("crates/media/src/lib.rs", "//! Files.\n"),
        ] {
            write(root.path(), path, text);
        }
        root
    }

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes one file into a clean workspace and compares what is complained about then.
    #[track_caller]
    fn check(path: &str, text: &str, expected: &[&str]) {
        let root = workspace();
        assert_eq!(complaints(root.path()).unwrap(), [""; 0], "before");
        write(root.path(), path, text);
        assert_eq!(complaints(root.path()).unwrap(), expected);
    }

    #[test]
    fn long_file_is_named() {
        let text = format!("//! Long.\n{}", "\n".repeat(800));
        let path = "crates/frame/src/colour.rs";
        check(
            path,
            &text,
            &["crates/frame/src/colour.rs has 801 lines, more than 800"],
        );
    }

    #[test]
    fn long_readme_is_named() {
        let text = "\n".repeat(151);
        check(
            "README.md",
            &text,
            &["README.md has 151 lines, more than 150"],
        );
    }

    #[test]
    fn names_that_say_nothing_are_refused() {
        let complaint = "crates/frame/src/utils.rs: a name that says nothing";
        check("crates/frame/src/utils.rs", "//! X.\n", &[complaint]);
        let complaint = "crates/frame/src/time/mod.rs: a name that says nothing";
        check("crates/frame/src/time/mod.rs", "//! X.\n", &[complaint]);
    }

    #[test]
    fn crate_without_description_is_named() {
        let complaint = "crates/frame/src/lib.rs does not begin with //!";
        check("crates/frame/src/lib.rs", "pub fn a() {}\n", &[complaint]);
    }

    #[test]
    fn ignored_test_needs_a_reason() {
        let bare = concat!("//! X.\n#[igno", "re]\nfn a() {}\n");
        let complaint = "crates/frame/src/a.rs:2: ignored without a reason";
        check("crates/frame/src/a.rs", bare, &[complaint]);
        let reasoned = concat!("//! X.\n#[igno", "re = \"slow\"]\nfn a() {}\n");
        check("crates/frame/src/a.rs", reasoned, &[]);
    }

    #[test]
    fn large_golden_file_is_named() {
        let complaint = "crates/frame/tests/golden/a.png has 65537 bytes, more than 65536";
        check(
            "crates/frame/tests/golden/a.png",
            &"x".repeat(65537),
            &[complaint],
        );
    }

    #[test]
    fn broken_link_is_named() {
        let complaint = "README.md links to docs/gone.md, which does not exist";
        check("README.md", "[gone](docs/gone.md#part)\n", &[complaint]);
    }

    #[test]
    fn path_in_architecture_must_exist() {
        let root = workspace();
        let text = fs::read_to_string(root.path().join("ARCHITECTURE.md")).unwrap();
        let complaint = "ARCHITECTURE.md names crates/frame/src/gone.rs, which does not exist";
        let text = format!("{text}`crates/frame/src/gone.rs`\n");
        check("ARCHITECTURE.md", &text, &[complaint]);
    }

    #[test]
    fn crate_missing_from_the_table_is_named() {
        let complaint = "ARCHITECTURE.md has no row for crates/face";
        check(
            "crates/face/Cargo.toml",
            "[package]\nname = \"effigy-face\"\n",
            &[complaint],
        );
    }

    #[test]
    fn dependency_against_the_flow_is_named() {
        let manifest = "[package]\nname = \"effigy-frame\"\n[dependencies]\n\
                        effigy-media.workspace = true\n";
        let complaint = "crates/frame depends on media, which its row in ARCHITECTURE.md forbids";
        check("crates/frame/Cargo.toml", manifest, &[complaint]);
    }

    #[test]
    fn fenced_dependency_is_named_even_in_tests() {
        let manifest = "[package]\nname = \"effigy-frame\"\n[dev-dependencies]\n\
                        ffmpeg-next = \"9\"\n";
        let complaint = "crates/frame names ffmpeg-next, which only media may";
        check("crates/frame/Cargo.toml", manifest, &[complaint]);
    }

    const LIST: &str = "crates/frame/weights/weights.toml";
    const NO_NOTICE: &str = "NOTICE is out of date: run `cargo xtask notice`";

    #[test]
    fn weights_need_origin_licence_and_matching_hash() {
        check(
            LIST,
            "[finder]\nfile = \"a.bin\"\n",
            &[
                "crates/frame/weights/weights.toml: finder has no licence",
                "crates/frame/weights/weights.toml: finder has no sha256",
                "crates/frame/weights/weights.toml: finder has neither origin \"trained\" nor \
                 \"imported\"",
                "crates/frame/weights/weights.toml: a.bin of finder cannot be read",
                NO_NOTICE,
            ],
        );
        let entry = "[finder]\nfile = \"weights.toml\"\norigin = \"trained\"\nrecipe = \"recipes\"\n\
                     licence = \"MIT\"\nsha256 = \"00\"\n";
        let complaint = "crates/frame/weights/weights.toml: weights.toml of finder is not \
                         the file that sha256 states";
        check(LIST, entry, &[complaint, NO_NOTICE]);
    }

    /// An entry of a file that has one letter, taken from a package.
    const IMPORTED: &str = "[eyes]\nfile = \"a.bin\"\norigin = \"imported\"\nlicence = \"CC0-1.0\"\n\
        sha256 = \"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\"\n\
        package = \"PyPI eyes\"\nversion = \"1.2\"\npackage_sha256 = \"00\"\n\
        licence_text = \"\"\"\nFree\n\nfor all\n\"\"\"\n";

    #[test]
    fn imported_weights_need_a_package_and_a_free_licence() {
        let bare = IMPORTED
            .replace("package", "parcel")
            .replace("licence_text", "text");
        let complain = |why| format!("crates/frame/weights/weights.toml: eyes {why}");
        let missing = [
            "has no package",
            "has no package_sha256",
            "has no licence_text",
        ];
        let unread = "crates/frame/weights/weights.toml: a.bin of eyes cannot be read".to_owned();
        let mut expected: Vec<String> = missing.into_iter().map(complain).collect();
        expected.extend([unread.clone(), NO_NOTICE.to_owned()]);
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check(LIST, &bare, &expected);
        let unfree = IMPORTED.replace("CC0-1.0", "CC-BY-NC-4.0");
        let complaint = complain("has the licence CC-BY-NC-4.0, under which none is imported");
        check(LIST, &unfree, &[&complaint, &unread, NO_NOTICE]);
    }

    #[test]
    fn notice_names_what_was_imported() {
        let root = workspace();
        write(root.path(), LIST, IMPORTED);
        write(root.path(), "crates/frame/weights/a.bin", "x");
        assert_eq!(complaints(root.path()).unwrap(), [NO_NOTICE]);
        notice::write(root.path()).unwrap();
        assert_eq!(complaints(root.path()).unwrap(), [""; 0]);
        let text = fs::read_to_string(root.path().join("NOTICE")).unwrap();
        let wanted = "\neyes (a.bin): from PyPI eyes 1.2, CC0-1.0\n\n    Free\n\n    for all\n";
        assert!(text.ends_with(wanted), "{text}");
        write(root.path(), LIST, &IMPORTED.replace("1.2", "1.3"));
        assert_eq!(complaints(root.path()).unwrap(), [NO_NOTICE]);
    }

    #[test]
    fn unlisted_weights_are_named() {
        let complaint = "crates/frame/weights/a.safetensors is in no weights.toml";
        check("crates/frame/weights/a.safetensors", "x", &[complaint]);
    }

    #[test]
    fn weights_together_are_bounded() {
        let root = workspace();
        let path = "crates/frame/weights/a.safetensors";
        write(root.path(), path, "");
        let file = fs::File::options().write(true).open(root.path().join(path));
        file.unwrap().set_len(100_000_001).unwrap(); // sparse: takes no room
        let complaints = complaints(root.path()).unwrap();
        let complaint = "weights have 100000001 bytes, more than 100000000";
        assert!(
            complaints.iter().any(|one| one == complaint),
            "{complaints:?}"
        );
    }
}
