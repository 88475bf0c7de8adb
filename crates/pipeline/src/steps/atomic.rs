//! Files and folders that get their name only when they are complete.

use std::fs;
use std::io::{self, BufWriter, ErrorKind, Write as _};
use std::path::Path;

use crate::error::{Error, Result};

/// A text file being written under a temporary name in its folder. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct AtomicFile(BufWriter<effigy_files::AtomicFile>);

impl AtomicFile {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let file = effigy_files::AtomicFile::create(path).map_err(|err| write_error(path, err))?;
        Ok(Self(BufWriter::new(file)))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.0.write_all(bytes);
        written.map_err(|err| write_error(self.0.get_ref().path(), err))
    }

    /// Makes sure that the bytes are on the disk and gives the file its name.
    pub(crate) fn finish(self) -> Result<()> {
        let path = self.0.get_ref().path().to_owned();
        let file = self.0.into_inner().map_err(|err| err.into_error());
        let kept = file.and_then(effigy_files::AtomicFile::commit);
        kept.map_err(|err| write_error(&path, err))
    }
}

/// A folder being filled under a temporary name beside its place. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct AtomicFolder(effigy_files::AtomicFolder);

impl AtomicFolder {
    /// Begins a folder that will be called `path`, which may not exist yet or must be empty.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let folder = effigy_files::AtomicFolder::create(path).map_err(|err| match err.kind() {
            ErrorKind::AlreadyExists => Error::Exists {
                path: path.to_owned(),
            },
            _ => write_error(path, err),
        });
        folder.map(Self)
    }

    /// Begins a folder that takes the place of the one at `path`, if there is one.
    pub(crate) fn replace(path: &Path) -> Result<Self> {
        let folder = effigy_files::AtomicFolder::replace(path);
        folder.map(Self).map_err(|err| write_error(path, err))
    }

    /// Where the folder is for now.
    pub(crate) fn temporary_path(&self) -> &Path {
        self.0.temporary_path()
    }

    /// Makes sure that all files in it are on the disk and gives the folder its name.
    pub(crate) fn finish(self) -> Result<()> {
        let path = self.0.path().to_owned();
        self.0.commit().map_err(|err| write_error(&path, err))
    }
}

/// Makes a folder and those above it, if they are not there yet.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|err| write_error(path, err))
}

pub(crate) fn write_error(path: &Path, source: io::Error) -> Error {
    Error::Write {
        source,
        path: path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let mut given_up = AtomicFile::create(&path).unwrap();
        given_up.write(b"half").unwrap();
        drop(given_up);
        assert!(names(folder.path()).is_empty());

        let mut kept = AtomicFile::create(&path).unwrap();
        kept.write(b"whole!").unwrap();
        kept.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole!");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_folder_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set");
        drop(AtomicFolder::create(&path).unwrap());
        assert!(names(folder.path()).is_empty());

        let folder_draft = AtomicFolder::create(&path).unwrap();
        fs::write(folder_draft.temporary_path().join("x"), b"1").unwrap();
        folder_draft.finish().unwrap();
        assert_eq!(names(&path), ["x"]);
        assert_eq!(names(folder.path()), ["set"]);
        assert!(matches!(
            AtomicFolder::create(&path),
            Err(Error::Exists { .. })
        ));
    }
}
