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

/// Lays `picture` on `onto`, which must have room for it there.
pub(crate) fn paste(onto: &mut Picture, picture: &Picture, (left, top): (u32, u32)) {
    let row_bytes = picture.width() as usize * 3;
    let onto_row_bytes = onto.width() as usize * 3;
    for (y, row) in picture.pixels().chunks_exact(row_bytes).enumerate() {
        let from = (top as usize + y) * onto_row_bytes + left as usize * 3;
        onto.pixels_mut()[from..from + row_bytes].copy_from_slice(row);
    }
}
