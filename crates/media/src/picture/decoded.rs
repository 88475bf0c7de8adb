//! What the readers of all formats give: pixels and header as the file has them, or what is wrong.

use std::path::Path;

use image::DynamicImage;

use super::metadata::Metadata;
use crate::error::Error;
use crate::orient::Orientation;

/// A picture as its file stores it.
pub(super) struct Decoded {
    pub(super) image: DynamicImage,
    pub(super) orientation: Orientation,
    pub(super) metadata: Metadata,
}

/// What is known before pixels are decoded; the sides are those of the upright picture.
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) orientation: Orientation,
    pub(super) codec: &'static str,
    pub(super) pixel_format: String,
    pub(super) bit_depth: u32,
    pub(super) has_alpha: bool,
    /// As in [`crate::Info`].
    pub(super) further_pictures: u32,
}

impl Header {
    /// Of a picture that is stored as it stands.
    pub(super) fn upright(codec: &'static str, width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            orientation: Orientation::default(),
            codec,
            pixel_format: "rgb".to_owned(),
            bit_depth: 8,
            has_alpha: false,
            further_pictures: 0,
        }
    }
}

/// What is wrong with the picture `path`.
pub(super) fn bad(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::BadPicture {
        why: why.to_string().trim().to_owned(),
        path: path.to_owned(),
    }
}
