//! Files and folders that get their name only when they are complete.

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use crate::error::{Error, Result};

/// A text file being written under a temporary name in its folder. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct DraftFile {
    writer: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl DraftFile {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let temporary = hidden().suffix(".part").tempfile_in(folder_of(path));
        Ok(Self {
            writer: BufWriter::new(temporary.map_err(|err| write_error(path, err))?),
            path: path.to_owned(),
        })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.writer.write_all(bytes);
        written.map_err(|err| write_error(&self.path, err))
    }

    /// Makes sure that the bytes are on the disk and gives the file its name.
    pub(crate) fn finish(self) -> Result<()> {
        let path = self.path;
        let temporary = self
            .writer
            .into_inner()
            .map_err(|err| write_error(&path, err.into_error()))?;
        let synced = temporary.as_file().sync_all();
        synced.map_err(|err| write_error(&path, err))?;
        let kept = temporary.persist(&path);
        kept.map(drop).map_err(|err| write_error(&path, err.error))
    }
}

/// A folder being filled under a temporary name beside its place. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct DraftFolder {
    temporary: TempDir,
    path: PathBuf,
}

impl DraftFolder {
    /// Begins a folder that will be called `path`, which may not exist yet or must be empty.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let is_free = match fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(err) => err.kind() == io::ErrorKind::NotFound,
        };
        if !is_free {
            return Err(Error::Exists {
                path: path.to_owned(),
            });
        }
        let temporary = hidden().suffix(".part").tempdir_in(folder_of(path));
        Ok(Self {
            temporary: temporary.map_err(|err| write_error(path, err))?,
            path: path.to_owned(),
        })
    }

    /// Where the folder is for now.
    pub(crate) fn temporary_path(&self) -> &Path {
        self.temporary.path()
    }

    /// Gives the folder its name.
    pub(crate) fn finish(self) -> Result<()> {
        let Self { temporary, path } = self;
        let moved = fs::rename(temporary.path(), &path);
        moved.map_err(|err| write_error(&path, err))?;
        // Nothing is left under the temporary name to be removed.
        drop(temporary.keep());
        Ok(())
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

/// Names that listings hide; permissions as for any new file.
fn hidden() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".effigy-");
    builder
}

/// The folder that `path` lies in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
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
        let mut given_up = DraftFile::create(&path).unwrap();
        given_up.write(b"half").unwrap();
        drop(given_up);
        assert!(names(folder.path()).is_empty());

        let mut kept = DraftFile::create(&path).unwrap();
        kept.write(b"whole!").unwrap();
        kept.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole!");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_folder_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set");
        drop(DraftFolder::create(&path).unwrap());
        assert!(names(folder.path()).is_empty());

        let draft = DraftFolder::create(&path).unwrap();
        fs::write(draft.temporary_path().join("x"), b"1").unwrap();
        draft.finish().unwrap();
        assert_eq!(names(&path), ["x"]);
        assert_eq!(names(folder.path()), ["set"]);
        assert!(matches!(
            DraftFolder::create(&path),
            Err(Error::Exists { .. })
        ));
    }
}
