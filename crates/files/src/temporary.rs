//! Temporary names beside a target: hidden, unique, and with the extension of the target, since
//! encoders choose their format by it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::reading::tell_of_change;

/// What temporary names begin with.
const PREFIX: &str = ".part-";
/// A longer name is left out of the temporary one, which may not exceed 255 bytes on most disks.
const LONGEST_NAME: usize = 200;
/// Attempts at an unused name. A name is 64 random bits, so that a second attempt hardly happens.
const ATTEMPTS: u32 = 16;

/// A file beside its target that is removed when it goes out of scope.
///
/// It serves a step between two files, such as an encoded video before it is signed. It is not
/// created here: whoever is given the path may create it, rename onto it, or leave it.
#[derive(Debug)]
pub struct Scratch(PathBuf);

/// The files that are guarded now: between two steps nobody may have them open.
static GUARDED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

impl Scratch {
    /// Chooses an unused name in the folder of `path`, with the same extension.
    ///
    /// # Errors
    /// If `path` names no file.
    pub fn beside(path: &Path) -> io::Result<Self> {
        temporary_beside(path).map(Self::at)
    }

    /// Guards the file at `path`.
    pub(crate) fn at(path: PathBuf) -> Self {
        let mut guarded = GUARDED.lock().unwrap_or_else(PoisonError::into_inner);
        guarded.push(path.clone());
        drop(guarded);
        tell_of_change();
        Self(path)
    }

    /// Where the file goes.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Often it was never created; and a leftover is only untidy.
        drop(fs::remove_file(&self.0));
        let mut guarded = GUARDED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = guarded.iter().position(|path| *path == self.0) {
            guarded.swap_remove(at);
        }
        drop(guarded);
        tell_of_change();
    }
}

/// The files that this process guards now, whether or not they are there.
pub fn unfinished() -> Vec<PathBuf> {
    let guarded = GUARDED.lock().unwrap_or_else(PoisonError::into_inner);
    guarded.clone()
}

/// Whether `path` has a name that this crate gives to unfinished files and folders.
///
/// Whoever is alone in writing to a folder may remove what a kill left there under such a name.
pub fn is_temporary(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()))
}

/// Removes the unfinished files and folders that this process guards or has a file open in, for when it
/// must end at once. Systems without `/proc` leave unfinished folders.
///
/// # Errors
/// When there is no list of open files, or one cannot be removed.
pub fn remove_open_temporaries() -> io::Result<()> {
    // A thread that is being ended with the others may hold the lock.
    let guarded = GUARDED.try_lock().map(|guarded| guarded.clone());
    remove_unfinished(guarded.unwrap_or_default().into_iter())?;
    let descriptors = fs::read_dir("/proc/self/fd")?;
    // Some are pipes, or closed by now.
    remove_unfinished(descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()))
}

/// Removes those of the files, or the folders that they lie in, that have temporary names.
///
/// # Errors
/// When one cannot be removed.
pub fn remove_unfinished(open: impl Iterator<Item = PathBuf>) -> io::Result<()> {
    for open in open {
        let Some(unfinished) = open.ancestors().find(|path| is_temporary(path)) else {
            continue;
        };
        if unfinished.is_dir() {
            fs::remove_dir_all(unfinished)?;
        } else if unfinished.exists() {
            fs::remove_file(unfinished)?;
        }
    }
    Ok(())
}

/// `text` with the names of unfinished files and folders as they will be called: nobody else knows
/// the others.
pub fn without_temporary_names(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(PREFIX) {
        let (before, found) = rest.split_at(at);
        let name = &found[PREFIX.len()..];
        let is_ours = name.len() >= N_DIGITS && name.bytes().take(N_DIGITS).all(is_digit);
        shown += before;
        if is_ours {
            rest = &name[N_DIGITS..];
            rest = rest.strip_prefix('-').unwrap_or(rest);
        } else {
            shown += PREFIX;
            rest = name;
        }
    }
    shown + rest
}

/// Hexadecimal digits that make a temporary name unique.
const N_DIGITS: usize = 16;

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

/// Calls `create` with unused names beside `path` until one succeeds.
pub(crate) fn create_beside<T>(
    path: &Path,
    create: impl Fn(&Path) -> io::Result<T>,
) -> io::Result<(T, PathBuf)> {
    let mut attempt = 1;
    loop {
        let temporary = temporary_beside(path)?;
        match create(&temporary) {
            Ok(created) => return Ok((created, temporary)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < ATTEMPTS => {
                attempt += 1;
            }
            Err(error) => return Err(missing_folder(path, error)),
        }
    }
}

/// The folder that `path` lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The name of `path` within its folder.
pub(crate) fn name_of(path: &Path) -> io::Result<&OsStr> {
    let nameless = || io::Error::new(ErrorKind::InvalidInput, "the path ends without a name");
    path.file_name().ok_or_else(nameless)
}

/// Makes sure that names in `folder` that were just given or taken are on the disk.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere folders cannot be opened as files, and the system writes names through.
    if cfg!(unix) {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Says that the folder is missing where the system only says that something is.
pub(crate) fn missing_folder(path: &Path, error: io::Error) -> io::Error {
    let folder = folder_of(path);
    if error.kind() == ErrorKind::NotFound && !folder.exists() {
        let message = format!("there is no folder {}", folder.display());
        return io::Error::new(ErrorKind::NotFound, message);
    }
    error
}

fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    let name = name_of(path)?;
    // The keys of a fresh hasher are the standard library's only source of random numbers.
    let random = RandomState::new().hash_one(name);
    let mut temporary = OsString::from(format!("{PREFIX}{random:016x}"));
    if name.len() <= LONGEST_NAME {
        temporary.push("-");
        temporary.push(name);
    } else if let Some(extension) = path.extension() {
        temporary.push(".");
        temporary.push(extension);
    }
    Ok(path.with_file_name(temporary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_keep_folder_and_extension() {
        let path = Path::new("shots/a.mp4");
        let (first, second) = (
            temporary_beside(path).unwrap(),
            temporary_beside(path).unwrap(),
        );
        assert_ne!(first, second);
        assert!(is_temporary(&first) && !is_temporary(path));
        assert_eq!(first.parent(), path.parent());
        assert_eq!(first.extension(), path.extension());
    }

    #[test]
    fn what_is_told_has_no_temporary_names() {
        let shown = |path: &str| {
            let temporary = temporary_beside(Path::new(path)).unwrap();
            without_temporary_names(&format!("cannot write {temporary:?}: disk full"))
        };
        assert_eq!(shown("a/out.mp4"), r#"cannot write "a/out.mp4": disk full"#);
        let long = shown(&format!("{}.png", "x".repeat(250)));
        assert!(!long.contains(PREFIX), "{long}");
        let theirs = "cannot read .part-time.mp4";
        assert_eq!(without_temporary_names(theirs), theirs);
    }

    #[test]
    fn a_long_name_stays_within_what_disks_allow() {
        let path = PathBuf::from(format!("{}.png", "x".repeat(250)));
        let temporary = temporary_beside(&path).unwrap();
        assert!(temporary.as_os_str().len() < 255);
        assert_eq!(temporary.extension(), path.extension());
    }

    #[test]
    fn open_temporaries_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let unfinished = temporary_beside(&folder.path().join("a.png")).unwrap();
        let inside = temporary_beside(&folder.path().join("set")).unwrap();
        fs::create_dir(&inside).unwrap();
        let finished = folder.path().join("b.png");
        let open = [unfinished, inside.join("crop.png"), finished.clone()];
        for path in &open {
            fs::write(path, b"x").unwrap();
        }
        remove_unfinished(open.into_iter()).unwrap();
        let left = fs::read_dir(folder.path()).unwrap();
        let left: Vec<PathBuf> = left.map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [finished]);
    }

    #[test]
    fn a_path_without_a_name_is_refused() {
        let refused = Scratch::beside(Path::new("..")).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn scratch_is_removed_whether_it_was_written_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.png");
        drop(Scratch::beside(&target).unwrap());
        // Complete, closed, and not yet signed: it goes too when the program must end.
        let unsigned = Scratch::beside(&target).unwrap();
        fs::write(unsigned.path(), b"a clip").unwrap();
        remove_open_temporaries().unwrap();
        assert!(!unsigned.path().exists());
        let scratch = Scratch::beside(&target).unwrap();
        fs::write(scratch.path(), b"x").unwrap();
        drop(scratch);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
