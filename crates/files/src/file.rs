//! A file that appears under its name only when it is complete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::temporary::{Scratch, create_beside, folder_of, sync_folder};

/// A file being written beside its place, under a temporary name. Dropping it removes it.
///
/// Writes go straight to the file: wrap it in a `BufWriter` for many small ones.
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    temporary: Scratch,
    path: PathBuf,
}

impl AtomicFile {
    /// Begins the file that will be called `path`; a file of that name is replaced at the end.
    ///
    /// # Errors
    /// If the folder of `path` is missing or cannot be written to.
    pub fn create(path: &Path) -> io::Result<Self> {
        Self::open(path, OpenOptions::new().read(true).write(true))
    }

    /// As [`AtomicFile::create`], for a file that only its owner may read, from its first byte on.
    ///
    /// # Errors
    /// As for [`AtomicFile::create`].
    pub fn create_private(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Self::open(path, &mut options)
    }

    fn open(path: &Path, options: &mut OpenOptions) -> io::Result<Self> {
        let options = options.create_new(true);
        let (file, temporary) = create_beside(path, |temporary| options.open(temporary))?;
        Ok(Self {
            file,
            temporary: Scratch::at(temporary),
            path: path.to_owned(),
        })
    }

    /// Where the bytes go for now, for encoders that open files themselves. They must write to this
    /// file and not rename another onto it.
    pub fn temporary_path(&self) -> &Path {
        self.temporary.path()
    }

    /// What the file will be called.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file, readable and writable.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Makes sure that the bytes are on the disk and gives the file its name.
    ///
    /// # Errors
    /// What the system says; the target is then as it was before.
    pub fn commit(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(self.temporary.path(), &self.path)?;
        // The new name itself must survive a power cut, too.
        sync_folder(folder_of(&self.path))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes `bytes` so that the file is either complete or as it was before.
///
/// # Errors
/// If the folder of `path` is missing, or the disk refuses.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes)?;
    file.commit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::is_temporary;

    fn names(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|e| e.unwrap().file_name().into()).collect()
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let mut given_up = AtomicFile::create(&path).unwrap();
        given_up.write_all(b"half").unwrap();
        let [unfinished] = &names(folder.path())[..] else {
            unreachable!("one file is being written");
        };
        assert!(is_temporary(unfinished));
        drop(given_up);
        assert!(names(folder.path()).is_empty());

        write_atomically(&path, b"whole!").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole!");
        assert_eq!(names(folder.path()), [Path::new("a.txt")]);
    }

    #[test]
    fn the_old_file_stays_until_the_new_one_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_atomically(&path, b"old").unwrap();
        let mut new = AtomicFile::create(&path).unwrap();
        new.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        new.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn what_is_written_by_path_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let file = AtomicFile::create(&path).unwrap();
        fs::write(file.temporary_path(), b"by path").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"by path");
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("nowhere");
        let refused = write_atomically(&missing.join("a.txt"), b"").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::NotFound);
        assert!(refused.to_string().contains("no folder"), "{refused}");
        assert!(refused.to_string().contains("nowhere"), "{refused}");
    }

    #[test]
    fn a_target_that_refuses_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("x"), b"").unwrap();
        write_atomically(&path, b"").unwrap_err();
        assert_eq!(names(folder.path()), [Path::new("taken")]);
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_its_owners_and_others_are_as_any_new_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let at = |name: &str| folder.path().join(name);
        let private = AtomicFile::create_private(&at("private")).unwrap();
        assert_eq!(mode(private.temporary_path()), 0o600);
        private.commit().unwrap();
        assert_eq!(mode(&at("private")), 0o600);
        write_atomically(&at("any"), b"").unwrap();
        fs::write(at("plain"), b"").unwrap();
        assert_eq!(mode(&at("any")), mode(&at("plain")));
    }
}
