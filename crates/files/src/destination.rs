//! Where results may go: never onto what they are made of, and onto other files only when asked to.
//!
//! Files are told apart by what the system says they are, so that another spelling, a symbolic or
//! a hard link hides nothing. Checked before any work begins.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::name::LONGEST_NAME;
use crate::temporary::{folder_of, name_of};

/// What becomes of a file that is where a result is to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the job is refused.
    #[default]
    Kept,
    /// The result takes its place.
    Replaced,
}

/// What a job reads, or must not touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Original {
    /// A file.
    File(PathBuf),
    /// A folder whose files are read: results may go into one below it, not into itself.
    Folder(PathBuf),
    /// A folder into which nothing may be written, and into none below it.
    Tree(PathBuf),
}

/// Where a result is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A file.
    File(PathBuf),
    /// A folder, which may be there already, to put results in.
    Folder(PathBuf),
    /// A folder that is made as a whole: the one that is there goes with all that is in it.
    Whole(PathBuf),
}

/// Why nothing may be written to a place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// The result would take the place of what it is made of.
    #[error(
        "the output is the input; name another, the original is worth keeping: {output:?}{}",
        also(output, input)
    )]
    IsInput {
        /// What was to be written.
        output: PathBuf,
        /// What is read.
        input: PathBuf,
    },

    /// The result would go among files that belong together.
    #[error(
        "the output would lie in a folder that is only read, {folder:?}; name a place outside: {output:?}"
    )]
    WithinInput {
        /// The folder.
        folder: PathBuf,
        /// What was to be written.
        output: PathBuf,
    },

    /// The folder that the result would take the place of holds what is read.
    #[error(
        "the output would take the place of a folder that holds the input {input:?}; name another: {folder:?}"
    )]
    HoldsInput {
        /// What is read.
        input: PathBuf,
        /// What was to be written.
        folder: PathBuf,
    },

    /// Something is there, and nobody said that it may go.
    #[error(
        "there is something of this name already; name another, or replace it with --force: {path:?}"
    )]
    Exists {
        /// What is in the way.
        path: PathBuf,
    },

    /// A folder is where a file is to go.
    #[error("there is a folder of this name; name a file: {path:?}")]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },

    /// A file is where a folder is to go.
    #[error("this is a file, and results go into a folder; name another: {path:?}")]
    IsNoFolder {
        /// The file.
        path: PathBuf,
    },

    /// Two results of one job would be one file.
    #[error("two results would be called {path:?}; name one of them otherwise")]
    Twice {
        /// What both would be called.
        path: PathBuf,
    },

    /// The folder that the result was to go into is missing.
    #[error("cannot write {path:?}: there is no folder {folder:?}; make it first")]
    NoFolder {
        /// The folder that is missing.
        folder: PathBuf,
        /// What was to be written.
        path: PathBuf,
    },

    /// No disk takes a name of this length.
    #[error(
        "a name of {n_bytes} bytes is too long, {LONGEST_NAME} are possible; name another: {path:?}"
    )]
    TooLong {
        /// Its length.
        n_bytes: usize,
        /// What was to be written.
        path: PathBuf,
    },

    /// The system cannot say what is there.
    #[error("cannot write {path:?}: {source}")]
    Unreachable {
        /// What it said.
        source: io::Error,
        /// What was to be written.
        path: PathBuf,
    },
}

/// Names the input where it is spelled otherwise than the output.
fn also(output: &Path, input: &Path) -> String {
    if output == input {
        String::new()
    } else {
        format!(" is {input:?}")
    }
}

/// Checks that each of `destinations` may be written by a job that reads `originals`.
///
/// Originals that are not there are passed over; whoever reads them says so.
///
/// # Errors
/// The first conflict, in the order of `destinations`.
pub fn check_destinations(
    destinations: &[Destination],
    originals: &[Original],
    existing: Existing,
) -> Result<(), Conflict> {
    let known: Vec<(&Original, Place)> = originals
        .iter()
        .filter_map(|original| Some((original, Place::of_existing(original.path())?)))
        .collect();
    let mut taken = BTreeSet::new();
    for destination in destinations {
        let path = destination.path();
        let place = match destination {
            Destination::File(_) => Place::of_file(path)?,
            Destination::Folder(_) | Destination::Whole(_) => Place::of_folder(path)?,
        };
        for (original, known) in &known {
            check_original(destination, &place, original, known)?;
        }
        check_existing(destination, existing)?;
        if !taken.insert(place.real) {
            return Err(Conflict::Twice {
                path: path.to_owned(),
            });
        }
    }
    Ok(())
}

fn check_original(
    destination: &Destination,
    place: &Place,
    original: &Original,
    known: &Place,
) -> Result<(), Conflict> {
    if place.is(known) {
        return Err(Conflict::IsInput {
            output: destination.path().to_owned(),
            input: original.path().to_owned(),
        });
    }
    let is_whole = matches!(destination, Destination::Whole(_));
    if is_whole && known.real.starts_with(&place.real) {
        return Err(Conflict::HoldsInput {
            folder: destination.path().to_owned(),
            input: original.path().to_owned(),
        });
    }
    if matches!(original, Original::Tree(_)) && place.real.starts_with(&known.real) {
        return Err(Conflict::WithinInput {
            folder: original.path().to_owned(),
            output: destination.path().to_owned(),
        });
    }
    Ok(())
}

fn check_existing(destination: &Destination, existing: Existing) -> Result<(), Conflict> {
    let path = destination.path().to_owned();
    // A link that leads nowhere is something, too.
    let Ok(link) = fs::symlink_metadata(&path) else {
        return Ok(());
    };
    let is_folder = fs::metadata(&path).unwrap_or(link).is_dir();
    match destination {
        Destination::File(_) if is_folder => Err(Conflict::IsFolder { path }),
        Destination::File(_) if existing == Existing::Kept => Err(Conflict::Exists { path }),
        Destination::Folder(_) | Destination::Whole(_) if !is_folder => {
            Err(Conflict::IsNoFolder { path })
        }
        Destination::Whole(_) if existing == Existing::Kept && !is_empty(&path) => {
            Err(Conflict::Exists { path })
        }
        _ => Ok(()),
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

impl Original {
    fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Folder(path) | Self::Tree(path) => path,
        }
    }
}

impl Destination {
    fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Folder(path) | Self::Whole(path) => path,
        }
    }
}

/// A file or folder, whatever it is called.
struct Place {
    /// Without links and detours; what is not there yet has its last parts as they are written.
    real: PathBuf,
    /// What the system numbers it.
    id: Option<Id>,
}

/// Device and number of a file on it.
type Id = (u64, u64);

impl Place {
    fn of_existing(path: &Path) -> Option<Self> {
        let real = path.canonicalize().ok()?;
        Some(Self {
            id: id(&real),
            real,
        })
    }

    /// The place of a file that may not be there yet, but whose folder must be.
    fn of_file(path: &Path) -> Result<Self, Conflict> {
        if let Some(place) = Self::of_existing(path) {
            return Ok(place);
        }
        let name = name_of_new(path)?;
        let folder = folder_of(path);
        match folder.canonicalize() {
            Ok(real) => Ok(Self::new_in(&real, name)),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Conflict::NoFolder {
                folder: folder.to_owned(),
                path: path.to_owned(),
            }),
            Err(error) => Err(unreachable(path, error)),
        }
    }

    /// The place of a folder that may not be there yet, nor those around it.
    fn of_folder(path: &Path) -> Result<Self, Conflict> {
        if let Some(place) = Self::of_existing(path) {
            return Ok(place);
        }
        let name = name_of_new(path)?;
        let around = Self::of_folder(folder_of(path))?;
        Ok(Self::new_in(&around.real, name))
    }

    fn new_in(folder: &Path, name: &OsStr) -> Self {
        Self {
            real: folder.join(name),
            id: None,
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.real == other.real || (self.id.is_some() && self.id == other.id)
    }
}

/// The name of what is not there yet, if a disk can hold it.
fn name_of_new(path: &Path) -> Result<&OsStr, Conflict> {
    let name = name_of(path).map_err(|error| unreachable(path, error))?;
    if LONGEST_NAME < name.len() {
        return Err(Conflict::TooLong {
            n_bytes: name.len(),
            path: path.to_owned(),
        });
    }
    Ok(name)
}

fn unreachable(path: &Path, source: io::Error) -> Conflict {
    Conflict::Unreachable {
        source,
        path: path.to_owned(),
    }
}

#[cfg(unix)]
fn id(path: &Path) -> Option<Id> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn id(_path: &Path) -> Option<Id> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a clip in it, and what the check says of an output there.
    struct Desk(tempfile::TempDir);

    impl Desk {
        fn new() -> Self {
            let desk = Self(tempfile::tempdir().unwrap());
            fs::create_dir(desk.at("clips")).unwrap();
            fs::write(desk.at("clips/a.mp4"), b"a").unwrap();
            fs::write(desk.at("other.mp4"), b"b").unwrap();
            desk
        }

        fn at(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn file(&self, name: &str, existing: Existing) -> Result<(), Conflict> {
            let originals = [Original::File(self.at("clips/a.mp4"))];
            check_destinations(&[Destination::File(self.at(name))], &originals, existing)
        }

        #[track_caller]
        fn is_the_input(&self, name: &str) {
            for existing in [Existing::Kept, Existing::Replaced] {
                let found = self.file(name, existing);
                assert!(
                    matches!(found, Err(Conflict::IsInput { .. })),
                    "{name}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn an_input_is_recognised_however_it_is_spelled() {
        let desk = Desk::new();
        desk.is_the_input("clips/a.mp4");
        desk.is_the_input("clips/../clips/./a.mp4");
        fs::hard_link(desk.at("clips/a.mp4"), desk.at("hard.mp4")).unwrap();
        desk.is_the_input("hard.mp4");
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink(desk.at("clips/a.mp4"), desk.at("link.mp4")).unwrap();
            symlink(desk.at("clips"), desk.at("folder")).unwrap();
            symlink("link.mp4", desk.at("link-of-link.mp4")).unwrap();
            desk.is_the_input("link.mp4");
            desk.is_the_input("link-of-link.mp4");
            desk.is_the_input("folder/a.mp4");
        }
    }

    #[test]
    fn what_is_there_goes_only_when_asked_to() {
        let desk = Desk::new();
        let kept = desk.file("other.mp4", Existing::Kept).unwrap_err();
        assert!(kept.to_string().contains("--force"), "{kept}");
        desk.file("other.mp4", Existing::Replaced).unwrap();
        desk.file("new.mp4", Existing::Kept).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("nowhere", desk.at("dangling.mp4")).unwrap();
            let kept = desk.file("dangling.mp4", Existing::Kept);
            assert!(matches!(kept, Err(Conflict::Exists { .. })), "{kept:?}");
        }
    }

    #[test]
    fn places_that_cannot_be_written_are_named() {
        let desk = Desk::new();
        let refused = |name: &str| desk.file(name, Existing::Replaced).unwrap_err();
        assert!(matches!(refused("clips"), Conflict::IsFolder { .. }));
        assert!(matches!(
            refused("nowhere/a.mp4"),
            Conflict::NoFolder { .. }
        ));
        let long = format!("{}.mp4", "x".repeat(252));
        assert!(matches!(
            refused(&long),
            Conflict::TooLong { n_bytes: 256, .. }
        ));
        let both = [desk.at("new.mp4"), desk.at("clips/../new.mp4")].map(Destination::File);
        let twice = check_destinations(&both, &[], Existing::Kept);
        assert!(matches!(twice, Err(Conflict::Twice { .. })), "{twice:?}");
    }

    #[test]
    fn folders_take_results_unless_they_are_read_as_a_whole() {
        let desk = Desk::new();
        let check = |name: &str, original: Original| {
            let folder = [Destination::Folder(desk.at(name))];
            check_destinations(&folder, &[original], Existing::Kept)
        };
        let clips = || Original::Folder(desk.at("clips"));
        let tree = || Original::Tree(desk.at("clips"));
        let nothing = || Original::File(desk.at("nothing"));
        check("made/new/seen", nothing()).unwrap();
        check("clips", nothing()).unwrap();
        check("clips/seen", clips()).unwrap();
        let refused = check("clips/.", clips());
        assert!(
            matches!(refused, Err(Conflict::IsInput { .. })),
            "{refused:?}"
        );
        let refused = check("clips/new/seen", tree());
        assert!(
            matches!(refused, Err(Conflict::WithinInput { .. })),
            "{refused:?}"
        );
        let whole = |name: &str, existing: Existing| {
            let made = [Destination::Whole(desk.at(name))];
            check_destinations(&made, &[Original::File(desk.at("clips/a.mp4"))], existing)
        };
        fs::create_dir_all(desk.at("old/set")).unwrap();
        whole("old/set", Existing::Kept).unwrap();
        let refused = whole("old", Existing::Kept);
        assert!(
            matches!(refused, Err(Conflict::Exists { .. })),
            "{refused:?}"
        );
        whole("old", Existing::Replaced).unwrap();
        let refused = whole("clips", Existing::Replaced);
        assert!(
            matches!(refused, Err(Conflict::HoldsInput { .. })),
            "{refused:?}"
        );
        let refused = check("other.mp4", nothing());
        assert!(
            matches!(refused, Err(Conflict::IsNoFolder { .. })),
            "{refused:?}"
        );
    }
}
