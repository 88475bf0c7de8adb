//! Names made from other names: never longer than a disk takes, never the same for two inputs.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::digest::sha256;

/// The longest name of a file, in bytes, on nearly every disk.
pub const LONGEST_NAME: usize = 255;
/// What a name made here may have: the rest is for files beside it, which end in more letters.
const LONGEST_MADE: usize = LONGEST_NAME - 15;
/// Digits that tell a name that had to be shortened from others that begin alike.
const N_DIGITS: usize = 8;

/// Names a result after what it is made of: `clip.mp4` and `-marked` give `clip-marked.mp4` in the
/// same folder. An input of another extension keeps it in the name (`clip-marked.webm.mp4`), so
/// that no two inputs give one name.
///
/// Letters that a name may not have are left out of `suffix`.
pub fn named_after(input: &Path, suffix: &str, extension: &str) -> PathBuf {
    let mut name = input.file_stem().unwrap_or_default().to_owned();
    name.push(suffix.replace(['/', '\\', '\0'], "-"));
    let before = input.extension().filter(|before| *before != extension);
    if let Some(before) = before {
        name.push(".");
        name.push(before);
    }
    let longest = LONGEST_MADE - 1 - extension.len();
    let mut name = shortened(&name, longest);
    name.push(".");
    name.push(extension);
    input.with_file_name(name)
}

/// Names a file that belongs beside `path`: `out.mp4` and `quality.html` give `out.quality.html`.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default();
    let mut name = shortened(stem, LONGEST_NAME - 1 - ending.len());
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

/// Whether `path` is not a path but the address of something elsewhere: `https://…`.
pub fn is_address(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let Some((scheme, _)) = text.split_once("://") else {
        return false;
    };
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_scheme)
}

/// At most `longest` bytes of `name`. One that is cut ends in digits of its hash, so that it stays
/// the only one.
pub fn shortened(name: &OsStr, longest: usize) -> OsString {
    if name.len() <= longest {
        return name.to_owned();
    }
    let text = name.to_string_lossy();
    let mut end = longest.saturating_sub(1 + N_DIGITS).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let digits = &sha256(name.as_encoded_bytes())[..N_DIGITS];
    format!("{}-{digits}", &text[..end]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(name: &str) -> String {
        let path = named_after(&Path::new("a").join(name), "-marked", "mp4");
        assert_eq!(path.parent(), Some(Path::new("a")));
        path.file_name().unwrap().to_string_lossy().into_owned()
    }

    #[test]
    fn results_of_different_inputs_have_different_names() {
        assert_eq!(marked("clip.mp4"), "clip-marked.mp4");
        assert_eq!(marked("clip.webm"), "clip-marked.webm.mp4");
        assert_eq!(marked("clip.gif"), "clip-marked.gif.mp4");
        assert_eq!(marked("clip.MP4"), "clip-marked.MP4.mp4");
        assert_eq!(marked("clip"), "clip-marked.mp4");
        let path = named_after(Path::new("clip.mp4"), "-as-a/b", "png");
        assert_eq!(path, Path::new("clip-as-a-b.mp4.png"));
    }

    #[test]
    fn long_names_stay_within_what_disks_take_and_stay_different() {
        for letter in ["x", "ж", "顔"] {
            let long = |end: &str| {
                let fits = (255 - 5) / letter.len();
                format!("{}{end}.mp4", letter.repeat(fits))
            };
            let (a, b) = (marked(&long("a")), marked(&long("b")));
            assert_ne!(a, b);
            assert!(a.starts_with(letter) && a.ends_with(".mp4"), "{a}");
            let card = beside(Path::new(&a), "quality.html");
            assert!(card.as_os_str().len() <= LONGEST_NAME, "{card:?}");
            let card = beside(Path::new(&long("a")), "quality.html");
            assert!(card.as_os_str().len() <= LONGEST_NAME, "{card:?}");
        }
        assert_eq!(
            beside(Path::new("b/out.mp4"), "quality.html"),
            Path::new("b/out.quality.html")
        );
    }

    #[test]
    fn addresses_are_no_paths() {
        for (text, expected) in [
            ("https://example.org/a.mp4", true),
            ("rtsp://camera", true),
            ("file:///a.mp4", true),
            ("a.mp4", false),
            ("/a://b", false),
            ("12:30.mp4", false),
            ("://", false),
        ] {
            assert_eq!(is_address(Path::new(text)), expected, "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_stay_different() {
        use std::os::unix::ffi::OsStrExt as _;
        let named =
            |byte: u8| named_after(Path::new(OsStr::from_bytes(&[b'a', byte])), "-x", "mp4");
        assert_ne!(named(0xff), named(0xfe));
    }
}
