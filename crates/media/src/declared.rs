//! The length that a file declares, which distinguishes a truncated file from a complete one.
//!
//! libav reports the end of a truncated file as a plain end. Three declarations are held against
//! it: the sizes in the outermost boxes, the index of all packets, and the stated duration.

use std::path::Path;

use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Packet, ffi};

use crate::boxes::{self, Boxes};
use crate::libav;

/// What the file declares, and how much of it has been read.
pub(crate) struct DeclaredLength {
    missing_bytes: u64,
    /// Checked only where the boxes say nothing: durations in headers are often loose.
    duration_secs: Option<f64>,
    read_secs: f64,
}

impl DeclaredLength {
    pub(crate) fn of(input: &Input, path: &Path) -> Self {
        let boxes = boxes::read(path);
        let by_boxes = match boxes {
            Boxes::Missing(bytes) | Boxes::MissingIndex(bytes) => bytes,
            Boxes::Complete | Boxes::Unknown => 0,
        };
        let duration_secs = declared_secs(input).filter(|_| boxes == Boxes::Unknown);
        Self {
            missing_bytes: by_boxes.max(missing_by_index(input)),
            duration_secs,
            read_secs: 0.0,
        }
    }

    /// Notes how far a packet reaches.
    pub(crate) fn note(&mut self, input: &Input, packet: &Packet) {
        let stream = input.stream(packet.stream());
        let base = stream.and_then(|s| libav::rational(s.time_base()));
        if let (Some(base), Some(at)) = (base, packet.pts().or(packet.dts())) {
            let end = at.saturating_add(packet.duration()) as f64 * base.to_f64();
            self.read_secs = self.read_secs.max(end);
        }
    }

    /// Says at the end of the file what is missing, if anything is.
    pub(crate) fn unfulfilled(&self) -> Option<String> {
        if self.missing_bytes > 0 {
            return Some(format!("{} bytes are missing", self.missing_bytes));
        }
        let declared = self.duration_secs?;
        let short = self.read_secs + tolerance_secs(declared) < declared;
        short.then(|| format!("the file says that it is {declared:.3} s long"))
    }
}

/// How much shorter than it says a file may end: the last packets of some containers have no
/// length, and headers round.
fn tolerance_secs(declared: f64) -> f64 {
    (declared * 0.02).max(1.0)
}

/// The length in the header, in seconds of the container's clock; `None` where libav has only
/// estimated it.
fn declared_secs(input: &Input) -> Option<f64> {
    #[expect(
        unsafe_code,
        reason = "ffmpeg-next does not show how the length was found"
    )]
    // SAFETY: the context is valid as long as `input` is.
    let method = unsafe { (*input.as_ptr()).duration_estimation_method };
    let from_header = method == ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_STREAM;
    let (_, end) = libav::length_and_end_secs(input).filter(|_| from_header)?;
    Some(end)
}

/// Bytes that the index of packets places behind the end of the file.
fn missing_by_index(input: &Input) -> u64 {
    let Some(len) = input.io_size() else {
        return 0;
    };
    let mut end = 0;
    for stream in input.streams() {
        #[expect(unsafe_code, reason = "ffmpeg-next does not show the index")]
        // SAFETY: the stream is valid; an entry is read before libav is called again.
        unsafe {
            let raw = stream.as_ptr().cast_mut();
            for at in 0..ffi::avformat_index_get_entries_count(raw) {
                if let Some(entry) = ffi::avformat_index_get_entry(raw, at).as_ref() {
                    end = end.max(entry.pos.saturating_add(entry.size().into()));
                }
            }
        }
    }
    u64::try_from(end - len).unwrap_or(0)
}
