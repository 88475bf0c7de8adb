//! Reading what may have been made to be too large.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// Reads a file of at most `max_bytes`.
///
/// The bound holds for what is read, whatever size the system states, so that devices and files that
/// grow meanwhile are bounded too.
///
/// # Errors
/// `FileTooLarge` if there is more; otherwise what the system says.
pub fn read_bounded(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    file.take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        let message = format!("it has more than {max_bytes} bytes");
        return Err(io::Error::new(ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_itself_is_allowed_and_one_byte_more_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"1234").unwrap();
        assert_eq!(read_bounded(&path, 4).unwrap(), b"1234");
        assert_eq!(read_bounded(&path, u64::MAX).unwrap(), b"1234");
        let refused = read_bounded(&path, 3).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::FileTooLarge);
        let missing = read_bounded(&folder.path().join("b"), 3).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_without_an_end_is_bounded() {
        let refused = read_bounded(Path::new("/dev/zero"), 1 << 10).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::FileTooLarge);
    }
}
