//! Pictures and videos of real footage, written without marks: no face in them is synthetic.

use std::path::Path;

use effigy_frame::Picture;
use effigy_media::{VideoWriter, WriteSettings};

use crate::error::Result;

/// Writes a picture that was cut out of real footage.
#[expect(
    clippy::disallowed_methods,
    reason = "crops of real footage are not synthetic"
)]
pub(crate) fn write_real_picture(path: &Path, picture: &Picture) -> Result<()> {
    Ok(effigy_media::write_picture(path, picture)?)
}

/// Begins a video of real footage.
#[expect(
    clippy::disallowed_methods,
    reason = "lines drawn on real footage; no face in it is synthetic"
)]
pub(crate) fn create_real_video(path: &Path, settings: &WriteSettings) -> Result<VideoWriter> {
    Ok(VideoWriter::create(path, settings)?)
}
