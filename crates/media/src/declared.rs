//! What a file promises about its own length, so that a cut is told from the end.
//!
//! libav reports the end of a cut file as a plain end. Three promises are held against it: the
//! sizes in the outermost boxes, the index of all packets, and the stated duration.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Packet, ffi};

use crate::libav;

/// What was promised, and how much of it has been seen.
pub(crate) struct DeclaredLength {
    missing_bytes: u64,
    /// Checked only where the boxes say nothing: durations in headers are often loose.
    duration_secs: Option<f64>,
    read_secs: f64,
}

/// What the outermost boxes of a file say about its length.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Boxes {
    Complete,
    /// So many bytes, some of them of the part that describes all others.
    MissingIndex(u64),
    Missing(u64),
    Unknown,
}

impl DeclaredLength {
    pub(crate) fn of(input: &Input, path: &Path) -> Self {
        let boxes = read_boxes(path);
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

/// Bytes that the file says it has but does not. Needs no libav, so it also explains a file that
/// libav cannot open because its index was to come last.
pub(crate) fn missing_bytes(path: &Path) -> Option<u64> {
    match read_boxes(path) {
        Boxes::Missing(bytes) | Boxes::MissingIndex(bytes) => Some(bytes),
        Boxes::Complete | Boxes::Unknown => None,
    }
}

/// As [`missing_bytes`], where the index itself is cut: libav would show a part of the streams.
pub(crate) fn missing_index_bytes(path: &Path) -> Option<u64> {
    match read_boxes(path) {
        Boxes::MissingIndex(bytes) => Some(bytes),
        _ => None,
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
    let (method, start) = unsafe {
        let raw = input.as_ptr();
        ((*raw).duration_estimation_method, (*raw).start_time)
    };
    let from_header = method == ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_STREAM;
    let duration = libav::known_time(input.duration()).filter(|_| from_header)?;
    let end = duration.saturating_add(libav::known_time(start).unwrap_or(0));
    Some(end as f64 / f64::from(ffi::AV_TIME_BASE))
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

fn read_boxes(path: &Path) -> Boxes {
    let read = || -> std::io::Result<Boxes> {
        let mut file = File::open(path)?;
        let len = file.metadata()?.len();
        let mut head = [0; 12];
        file.read_exact(&mut head)?;
        match &head {
            [0x1a, 0x45, 0xdf, 0xa3, ..] => matroska(&mut file, len),
            [b'R', b'I', b'F', b'F', ..] => riff(&mut file, len),
            [_, _, _, _, kind @ ..] if is_iso_box(&kind[..4]) => iso(&mut file, len),
            _ => Ok(Boxes::Unknown),
        }
    };
    // A file too short to hold a box promises nothing; errors of reading show up in libav.
    read().unwrap_or(Boxes::Unknown)
}

/// Boxes that stand at the outermost level of MP4 and QuickTime files. What else follows is
/// somebody's note behind the end, and no promise.
fn is_iso_box(kind: &[u8]) -> bool {
    const KINDS: [&[u8; 4]; 14] = [
        b"ftyp", b"moov", b"mdat", b"moof", b"free", b"skip", b"wide", b"uuid", b"udta", b"meta",
        b"sidx", b"styp", b"mfra", b"emsg",
    ];
    KINDS.iter().any(|known| known[..] == *kind)
}

/// More boxes than this are not looked at: hours of fragments of a second each.
const MAX_BOXES: usize = 100_000;

fn iso(file: &mut File, len: u64) -> std::io::Result<Boxes> {
    let (mut at, mut in_fragments, mut has_closing_index) = (0_u64, false, false);
    for _ in 0..MAX_BOXES {
        if at >= len {
            // Fragments may stop between two boxes; only the index behind them proves the end.
            let open_ended = in_fragments && !has_closing_index;
            return Ok(if open_ended {
                Boxes::Unknown
            } else {
                Boxes::Complete
            });
        }
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 16];
        let n = read_up_to(file, &mut head)?;
        if n < 8 || !is_iso_box(&head[4..8]) {
            return Ok(Boxes::Unknown);
        }
        in_fragments |= head[4..8] == *b"moof";
        has_closing_index |= head[4..8] == *b"mfra";
        let size = match be(&head[..4]) {
            0 => return Ok(Boxes::Complete),
            1 if n == 16 => be(&head[8..16]),
            size => size,
        };
        let end = at.saturating_add(size);
        if size < 8 {
            return Ok(Boxes::Unknown);
        }
        if end > len {
            let is_index = head[4..8] == *b"moov";
            let missing = if is_index {
                Boxes::MissingIndex
            } else {
                Boxes::Missing
            };
            return Ok(missing(end - len));
        }
        at = end;
    }
    Ok(Boxes::Unknown)
}

fn matroska(file: &mut File, len: u64) -> std::io::Result<Boxes> {
    const SEGMENT: u64 = 0x1853_8067;
    file.seek(SeekFrom::Start(0))?;
    let mut at = 0;
    // The header, then the segment; something small may stand between.
    for _ in 0..8 {
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 16];
        let n = read_up_to(file, &mut head)?;
        let Some((id, id_len)) = ebml_number(&head[..n], Keep::Marker) else {
            return Ok(Boxes::Unknown);
        };
        let Some((size, size_len)) = ebml_number(&head[id_len..n], Keep::Value) else {
            return Ok(Boxes::Unknown);
        };
        let is_unknown = size == (1 << (7 * size_len)) - 1;
        let end = at
            .saturating_add((id_len + size_len) as u64)
            .saturating_add(size);
        if is_unknown {
            return Ok(Boxes::Unknown);
        }
        if end > len {
            return Ok(Boxes::Missing(end - len));
        }
        if id == SEGMENT {
            return Ok(Boxes::Complete);
        }
        at = end;
    }
    Ok(Boxes::Unknown)
}

/// Whether the bit that tells a number's length is part of it.
#[derive(Clone, Copy, PartialEq)]
enum Keep {
    Marker,
    Value,
}

/// Reads a number of variable length: the value and how many bytes it took.
fn ebml_number(bytes: &[u8], keep: Keep) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let len = first.leading_zeros() as usize + 1;
    if len > 8 || bytes.len() < len {
        return None;
    }
    let number = be(&bytes[..len]);
    let value = match keep {
        Keep::Marker => number,
        Keep::Value => number & !(1 << (7 * len)),
    };
    Some((value, len))
}

fn riff(file: &mut File, len: u64) -> std::io::Result<Boxes> {
    let mut at = 0_u64;
    // Large AVI files are several such chunks in a row.
    for _ in 0..MAX_BOXES {
        if at >= len {
            return Ok(Boxes::Complete);
        }
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 8];
        if read_up_to(file, &mut head)? < 8 || head[..4] != *b"RIFF" {
            return Ok(Boxes::Unknown);
        }
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        if size == 0 || size == u32::MAX {
            return Ok(Boxes::Unknown); // written by a program that could not go back
        }
        let end = at + 8 + u64::from(size) + u64::from(size % 2);
        if end > len + 1 {
            return Ok(Boxes::Missing(end - len));
        }
        at = end;
    }
    Ok(Boxes::Unknown)
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut n = 0;
    while n < buffer.len() {
        match file.read(&mut buffer[n..])? {
            0 => break,
            more => n += more,
        }
    }
    Ok(n)
}

fn be(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxes(bytes: &[u8]) -> Boxes {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        read_boxes(&path)
    }

    #[test]
    fn boxes_of_mp4_tell_a_cut() {
        let whole = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x0emdat123456";
        assert_eq!(boxes(whole), Boxes::Complete);
        assert_eq!(boxes(&whole[..26]), Boxes::Missing(4));
        let with_note = [&whole[..], b"some text by a camera"].concat();
        assert_eq!(boxes(&with_note), Boxes::Unknown);
        let index = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x0emoov12";
        assert_eq!(boxes(index), Boxes::MissingIndex(4));
        let large = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x01mdat\0\0\0\x01\0\0\0\0";
        assert_eq!(boxes(large), Boxes::Missing((1 << 32) - 16));
    }

    #[test]
    fn sizes_of_matroska_tell_a_cut() {
        let whole = b"\x1a\x45\xdf\xa3\x82ab\x18\x53\x80\x67\x01\0\0\0\0\0\0\x04abcd";
        assert_eq!(boxes(whole), Boxes::Complete);
        assert_eq!(boxes(&whole[..whole.len() - 3]), Boxes::Missing(3));
        let live = b"\x1a\x45\xdf\xa3\x82ab\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xffabcd";
        assert_eq!(boxes(live), Boxes::Unknown);
    }

    #[test]
    fn sizes_of_riff_tell_a_cut() {
        assert_eq!(boxes(b"RIFF\x08\0\0\0AVI abcd"), Boxes::Complete);
        assert_eq!(boxes(b"RIFF\x18\0\0\0AVI abcd"), Boxes::Missing(16));
    }

    #[test]
    fn other_files_promise_nothing() {
        assert_eq!(boxes(b""), Boxes::Unknown);
        assert_eq!(boxes(b"just some text, longer than a box"), Boxes::Unknown);
    }
}
