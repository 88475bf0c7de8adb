//! Content Credentials: signed C2PA manifests, written and read.
//!
//! A manifest says what was done with which software, from which parent, by whose consent, and
//! which watermark belongs to it. Reading works for files of any maker.

mod container;
mod read;
mod write;

pub use read::{Action, Credentials, State};
pub(crate) use read::{Anchors, is_synthetic_type, read};
pub(crate) use write::{Before, Manifest, Papers, sign};

/// Label of our own assertion: who made this, when, by which model and whose consent.
const MAKING: &str = "org.effigy.making";
/// Name of our watermark among soft-binding algorithms.
const WATERMARK: &str = "org.effigy.luma64.1";

/// File endings that can carry a manifest and that we write, with their media types.
const CARRIERS: [(&str, &str); 7] = [
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("m4v", "video/x-m4v"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("webp", "image/webp"),
];

/// Media type of an output file.
///
/// # Errors
/// When its format has no place for a manifest.
pub(crate) fn media_type(path: &std::path::Path) -> crate::Result<&'static str> {
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let carrier = CARRIERS.iter().find(|(ending, _)| *ending == extension);
    carrier
        .map(|(_, media_type)| *media_type)
        .ok_or_else(|| crate::Error::CannotCarry {
            extension,
            allowed: CARRIERS.map(|(ending, _)| ending).join(", "),
        })
}
