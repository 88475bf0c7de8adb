//! The picture that players show for a file.

use std::path::Path;

use effigy_frame::Picture;
use ffmpeg_next::format::context::Output;
use ffmpeg_next::packet::Mut as _;
use ffmpeg_next::{Packet, codec, encoder, ffi};

use super::plan::is_cover;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::{libav, patience, picture, probe};

/// Reads the cover picture of a video; `None` where it has none.
///
/// # Errors
/// If the file cannot be opened or its cover is damaged.
pub fn read_cover(path: &Path, limits: &Limits) -> Result<Option<Picture>> {
    patience::read(path, limits, |path, limits, _pulse| read_here(path, limits))
}

fn read_here(path: &Path, limits: &Limits) -> Result<Option<Picture>> {
    if probe::has_no_streams(path) {
        return Ok(None);
    }
    let input = libav::open_input(path, limits)?;
    let Some(stream) = input.streams().find(is_cover) else {
        return Ok(None);
    };
    #[expect(unsafe_code, reason = "ffmpeg-next does not show attached pictures")]
    // SAFETY: libav keeps the packet as long as the stream; a length of 0 has no data.
    let bytes = unsafe {
        let packet = &(*stream.as_ptr()).attached_pic;
        match usize::try_from(packet.size) {
            Ok(n_bytes) if n_bytes > 0 && !packet.data.is_null() => {
                std::slice::from_raw_parts(packet.data, n_bytes).to_vec()
            }
            _ => return Ok(None),
        }
    };
    picture::from_bytes(&bytes, path, limits).map(Some)
}

/// Adds a stream for the cover; gives its number and what goes into it.
pub(crate) fn add_cover(cover: &Picture, output: &mut Output) -> Result<(usize, Vec<u8>)> {
    let bytes = picture::jpeg_of(cover);
    let cannot_add = |source| Error::Libav {
        doing: "add the cover picture",
        source,
    };
    let mut stream = output
        .add_stream(encoder::find(codec::Id::None))
        .map_err(cannot_add)?;
    #[expect(unsafe_code, reason = "ffmpeg-next cannot describe attached pictures")]
    // SAFETY: stream and parameters belong to `output`.
    unsafe {
        let parameters = stream.parameters().as_mut_ptr();
        (*parameters).codec_type = ffi::AVMediaType::AVMEDIA_TYPE_VIDEO;
        (*parameters).codec_id = ffi::AVCodecID::AV_CODEC_ID_MJPEG;
        (*parameters).width = cover.width() as i32;
        (*parameters).height = cover.height() as i32;
        (*stream.as_mut_ptr()).disposition = ffi::AV_DISPOSITION_ATTACHED_PIC;
    }
    Ok((stream.index(), bytes))
}

/// Writes the cover, once the header is written.
pub(crate) fn write_cover(
    stream: usize,
    bytes: &[u8],
    output: &mut Output,
) -> Result<(), ffmpeg_next::Error> {
    let mut packet = Packet::copy(bytes);
    packet.set_stream(stream);
    packet.set_pts(Some(0));
    packet.set_dts(Some(0));
    #[expect(unsafe_code, reason = "ffmpeg-next sets flags one by one")]
    // SAFETY: the packet is ours.
    unsafe {
        (*packet.as_mut_ptr()).flags |= ffi::AV_PKT_FLAG_KEY;
    }
    packet.write_interleaved(output)
}
