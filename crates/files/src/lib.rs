//! Files and folders: written whole or not at all, read within a bound, hashed, recognised by
//! extension.
//!
//! The one guarantee of this crate: what has a final name is complete and on the disk. Everything is
//! written under a temporary name in the folder of its target, synced, renamed, and the folder is
//! synced after it. Dropping a draft removes it. A kill or a power cut at any moment leaves what was
//! there before or what was to come, and at worst a leftover that [`is_temporary`] recognises.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("report.json");
//! effigy_files::write_atomically(&path, b"{}")?;
//! assert_eq!(effigy_files::read_bounded(&path, 1024)?, b"{}");
//! # Ok(())
//! # }
//! ```

mod destination;
mod digest;
mod extension;
mod file;
mod folder;
mod name;
mod read;
mod reading;
mod temporary;

pub use destination::{Conflict, Destination, Existing, Original, check_destinations};
pub use digest::{Hasher, hex, sha256, sha256_file};
pub use extension::{
    FORMATS, Format, Kind, extension, format_of, is_picture, is_unread_media, is_video,
};
pub use file::{AtomicFile, write_atomically};
pub use folder::{AtomicFolder, backup_of, recover_folder};
pub use name::{LONGEST_NAME, beside, is_address, named_after, shortened};
pub use read::read_bounded;
pub use reading::{GivenUp, Reading, being_read, give_up, listen};
pub use temporary::{
    Scratch, is_temporary, remove_open_temporaries, remove_unfinished, unfinished,
    without_temporary_names,
};
