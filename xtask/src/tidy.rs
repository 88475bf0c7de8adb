//! What no compiler checks: sizes and names of files, and that the documents tell the truth.

mod architecture;
mod files;
mod weights;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::report;

/// Runs every check on the workspace at `root` and names all that is to be mended.
pub(crate) fn run(root: &Path) -> Result<()> {
    report("tidy", &complaints(root)?)
}

fn complaints(root: &Path) -> Result<Vec<String>> {
    let paths = list(root)?;
    let mut complaints = files::check(root, &paths)?;
    complaints.extend(architecture::check(root)?);
    complaints.extend(weights::check(root, &paths)?);
    Ok(complaints)
}

/// Every file of the workspace but hidden and built ones, relative to `root`, sorted.
fn list(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let whole = root.join(&folder);
        for entry in fs::read_dir(&whole).with_context(|| format!("cannot list {whole:?}"))? {
            let entry = entry?;
            let name = entry.file_name();
            let path = folder.join(&name);
            if name.to_string_lossy().starts_with('.') || path == Path::new("target") {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn read(root: &Path, path: &Path) -> Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path:?}"))
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn weights_need_licence_and_matching_hash() {
        const LIST: &str = "crates/frame/weights/weights.toml";
        check(
            LIST,
            "[finder]\nfile = \"a.bin\"\n",
            &[
                "crates/frame/weights/weights.toml: finder has no licence",
                "crates/frame/weights/weights.toml: finder has no sha256",
                "crates/frame/weights/weights.toml: a.bin of finder cannot be read",
            ],
        );
        let entry = "[finder]\nfile = \"weights.toml\"\nlicence = \"MIT\"\nsha256 = \"00\"\n";
        let complaint = "crates/frame/weights/weights.toml: weights.toml of finder is not \
                         the file that sha256 states";
        check(LIST, entry, &[complaint]);
    }

    #[test]
    fn unlisted_weights_are_named() {
        let complaint = "crates/frame/weights/a.safetensors is in no weights.toml";
        check("crates/frame/weights/a.safetensors", "x", &[complaint]);
    }
}
