//! Small files: read within a bound, written whole or not at all.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use effigy_files::{AtomicFile, Scratch};

use crate::error::{Error, Result};

/// Records, keys and logs are far smaller; what is larger is not one of ours.
pub(crate) const SMALL_FILE_BYTES: u64 = 1 << 20;

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// The owner alone.
    Owner,
    /// As the system's settings say.
    Anyone,
}

/// Reads a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    effigy_files::read_bounded(path, limit).map_err(|source| match source.kind() {
        ErrorKind::FileTooLarge => Error::TooLarge {
            limit,
            path: path.to_owned(),
        },
        _ => Error::Read {
            source,
            path: path.to_owned(),
        },
    })
}

/// Reads a small text file.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    let bytes = read(path, SMALL_FILE_BYTES)?;
    String::from_utf8(bytes).map_err(|error| Error::Read {
        source: std::io::Error::new(ErrorKind::InvalidData, error),
        path: path.to_owned(),
    })
}

/// Writes a file whole or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8], readers: Readers) -> Result<()> {
    let create = match readers {
        Readers::Owner => AtomicFile::create_private,
        Readers::Anyone => AtomicFile::create,
    };
    let written = create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.commit()
    });
    written.map_err(|source| Error::Write {
        source,
        path: path.to_owned(),
    })
}

/// Makes a folder that only its owner can look into, and its parents.
pub(crate) fn make_private_folder(path: &Path) -> Result<()> {
    let write_error = |source| Error::Write {
        source,
        path: path.to_owned(),
    };
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(write_error)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(write_error)?;
    }
    Ok(())
}

/// Refuses a file that others can read. On systems without permission bits everything passes.
pub(crate) fn refuse_if_exposed(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = fs::metadata(path).map_err(|source| Error::Read {
            source,
            path: path.to_owned(),
        })?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Error::KeyExposed {
                mode,
                path: path.to_owned(),
            });
        }
    }
    Ok(())
}

/// Chooses an unused name beside `path`, with its extension, for a step on the way to it.
pub(crate) fn scratch_beside(path: &Path) -> Result<Scratch> {
    Scratch::beside(path).map_err(|source| Error::Write {
        source,
        path: path.to_owned(),
    })
}

/// Gives random bytes of the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::Random {
        reason: error.to_string(),
    })?;
    Ok(bytes)
}

/// Hashes a file of any size with SHA-256; gives hexadecimal digits.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    effigy_files::sha256_file(path).map_err(|source| Error::Read {
        source,
        path: path.to_owned(),
    })
}

/// Reads `N` bytes from twice as many hexadecimal digits; `None` if the text is anything else.
pub(crate) fn bytes_from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}
