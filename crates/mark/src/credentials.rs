//! Content Credentials: signed C2PA manifests, written and read.
//!
//! A manifest says what was done with which software, from which parent, by whose consent, and
//! which watermark belongs to it. Reading works for files of any maker.

mod container;
mod ingredients;
mod judge;
mod jumbf;
mod padding;
mod read;
mod reason;
mod signature;
mod trust;
mod words;
mod write;

use effigy_files::FORMATS;

pub use ingredients::BrokenIngredient;
pub use judge::State;
pub use read::{Action, Credentials};
pub(crate) use read::{Sidecar, read};
pub use reason::Reason;
pub use trust::Trust;
pub use write::ModelName;
pub(crate) use write::{Authorisation, Before, Manifest, sign};

/// Label of our own assertion: who made this, when, by which model and whose consent.
const MAKING: &str = "org.effigy.making";
/// Name of our watermark among soft-binding algorithms.
const WATERMARK: &str = "org.effigy.luma64.1";

/// Media type of an output file.
///
/// # Errors
/// When its format has no place for a manifest.
pub fn media_type(path: &std::path::Path) -> crate::Result<&'static str> {
    let format = effigy_files::format_of(path);
    format
        .and_then(|format| format.signed_media_type)
        .ok_or_else(|| {
            let signed = FORMATS.iter().filter(|f| f.signed_media_type.is_some());
            let allowed: Vec<&str> = signed.map(|format| format.extension).collect();
            crate::Error::CannotCarry {
                extension: effigy_files::extension(path),
                allowed: allowed.join(", "),
            }
        })
}
