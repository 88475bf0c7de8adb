//! Pictures laid onto a larger one.

use effigy_frame::Picture;

/// Lays `picture` on `onto`, which must have room for it there.
pub(crate) fn paste(onto: &mut Picture, picture: &Picture, left: u32, top: u32) {
    let row_bytes = picture.width() as usize * 3;
    let onto_row_bytes = onto.width() as usize * 3;
    for (y, row) in picture.pixels().chunks_exact(row_bytes).enumerate() {
        let from = (top as usize + y) * onto_row_bytes + left as usize * 3;
        onto.pixels_mut()[from..from + row_bytes].copy_from_slice(row);
    }
}
