//! A file that appears under its name only when it is complete.

use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// A file being written beside its final place, under a temporary name. Dropping it removes it.
pub(crate) struct Unfinished {
    temporary: NamedTempFile,
    path: PathBuf,
}

impl Unfinished {
    /// Makes an empty temporary file in the folder of `path`.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let prefix = format!(".{name}.");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // As for any new file; the system takes away what the user's mask says.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let made = builder.tempfile_in(folder_of(path));
        let temporary = made.map_err(|source| Error::Write {
            source,
            path: path.to_owned(),
        })?;
        Ok(Self {
            temporary,
            path: path.to_owned(),
        })
    }

    /// Where the bytes go for now.
    pub(crate) fn temporary_path(&self) -> &Path {
        self.temporary.path()
    }

    /// The open file.
    pub(crate) fn file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Makes sure that the bytes are on the disk and gives the file its name.
    pub(crate) fn finish(self) -> Result<()> {
        let path = self.path;
        let write = |source| Error::Write {
            source,
            path: path.clone(),
        };
        self.temporary.as_file().sync_all().map_err(write)?;
        self.temporary
            .persist(&path)
            .map_err(|err| write(err.error))?;
        // The new name itself must survive a power cut, too.
        File::open(folder_of(&path))
            .and_then(|folder| folder.sync_all())
            .map_err(write)
    }

    /// Names the output in an error of the system.
    pub(crate) fn write_error(&self, source: std::io::Error) -> Error {
        Error::Write {
            source,
            path: self.path.clone(),
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
