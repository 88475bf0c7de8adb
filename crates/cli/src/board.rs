//! A page of memory that two processes share: the one that works writes what it is at, and the
//! other reads it when the first is gone.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use nix::sys::memfd::{MFdFlags, memfd_create};

/// The page, which lies in no folder.
pub(crate) struct Board(File);

/// What the working process is at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// Files of others that it reads.
    pub(crate) read: Vec<PathBuf>,
    /// Files of its own that are not complete.
    pub(crate) unfinished: Vec<PathBuf>,
    /// Lines that it has told.
    pub(crate) n_told: u64,
    /// Whether it saves when it is asked to stop.
    pub(crate) saves: bool,
    /// Whether it has said why it ends.
    pub(crate) has_said_why: bool,
    /// Which limit it hit.
    pub(crate) over: Option<String>,
}

/// The board of this process, and what only the program itself notes on it.
static POSTED: OnceLock<Mutex<(Board, Notes)>> = OnceLock::new();

/// Notes that a line was told.
pub(crate) fn note_told() {
    note(|notes| notes.n_told += 1);
}

/// Notes that the work saves when it is asked to stop.
pub(crate) fn note_saving() {
    note(|notes| notes.saves = true);
}

/// Notes that the last error was said: nobody needs to add to it.
pub(crate) fn note_end() {
    note(|notes| notes.has_said_why = true);
}

/// Notes which limit was hit.
pub(crate) fn note_over(what: String) {
    note(|notes| notes.over = Some(what));
}

fn note(change: impl FnOnce(&mut Notes)) {
    let Some(posted) = POSTED.get() else { return };
    let mut posted = posted.lock().unwrap_or_else(PoisonError::into_inner);
    let (board, notes) = &mut *posted;
    change(notes);
    notes.read = effigy_files::being_read();
    notes.unfinished = effigy_files::unfinished();
    board.write(notes);
}

impl Board {
    pub(crate) fn new() -> nix::Result<Self> {
        let memory = memfd_create("effigy", MFdFlags::MFD_CLOEXEC)?;
        Ok(Self(memory.into()))
    }

    /// From now on this process keeps its notes here.
    pub(crate) fn post_from_now_on(self, n_told: u64) {
        let notes = Notes {
            n_told,
            ..Notes::default()
        };
        self.write(&notes);
        drop(POSTED.set(Mutex::new((self, notes))));
        effigy_files::listen(|| note(|_same| {}));
    }

    fn write(&self, notes: &Notes) {
        let mut fields = vec![
            (b'n', notes.n_told.to_le_bytes().to_vec()),
            (b's', vec![notes.saves.into()]),
            (b'e', vec![notes.has_said_why.into()]),
        ];
        let paths = |kind, paths: &[PathBuf]| -> Vec<(u8, Vec<u8>)> {
            let bytes = |path: &PathBuf| (kind, path.as_os_str().as_bytes().to_vec());
            paths.iter().map(bytes).collect()
        };
        fields.extend(paths(b'r', &notes.read));
        fields.extend(paths(b'u', &notes.unfinished));
        fields.extend(notes.over.iter().map(|over| (b'o', over.clone().into())));
        let mut page = vec![0; 8];
        for (kind, bytes) in fields {
            page.push(kind);
            page.extend((bytes.len() as u64).to_le_bytes());
            page.extend(bytes);
        }
        let length = page.len() as u64;
        page[..8].copy_from_slice(&length.to_le_bytes());
        // Without memory for a page the work is over soon, and says why itself.
        drop(self.0.write_all_at(&page, 0));
    }

    /// What was noted last. What cannot be understood was being written when its writer died.
    pub(crate) fn read(&self) -> Notes {
        let mut notes = Notes::default();
        let mut length = [0; 8];
        if self.0.read_exact_at(&mut length, 0).is_err() {
            return notes;
        }
        let length = usize::try_from(u64::from_le_bytes(length)).unwrap_or(0);
        let mut page = vec![0; length.saturating_sub(8)];
        if self.0.read_exact_at(&mut page, 8).is_err() {
            return notes;
        }
        let mut rest = &page[..];
        while let Some((kind, bytes, after)) = field(rest) {
            rest = after;
            let path = || PathBuf::from(OsStr::from_bytes(bytes));
            match kind {
                b'n' => notes.n_told = bytes.try_into().map_or(0, u64::from_le_bytes),
                b's' => notes.saves = bytes == [1],
                b'e' => notes.has_said_why = bytes == [1],
                b'r' => notes.read.push(path()),
                b'u' => notes.unfinished.push(path()),
                _ => notes.over = Some(String::from_utf8_lossy(bytes).into_owned()),
            }
        }
        notes
    }
}

fn field(page: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&kind, rest) = page.split_first()?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (bytes, rest) = rest.split_at_checked(length)?;
    Some((kind, bytes, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_last_is_read() {
        let board = Board::new().unwrap();
        assert_eq!(board.read(), Notes::default());
        let full = Notes {
            read: vec![PathBuf::from("a\nb.mp4"), PathBuf::from("c.png")],
            unfinished: vec![PathBuf::from(".part-0123456789abcdef-out.mp4")],
            n_told: 7,
            saves: true,
            has_said_why: true,
            over: Some("4 GiB".to_owned()),
        };
        board.write(&full);
        assert_eq!(board.read(), full);
        let less = Notes {
            n_told: 8,
            ..Notes::default()
        };
        board.write(&less);
        assert_eq!(board.read(), less);
    }
}
