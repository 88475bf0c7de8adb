//! The outermost boxes of a file: whether they fit into it, or it was truncated.
//!
//! Needs no libav, so that it also explains a file that libav cannot open because its index was to
//! come last. Known are ISO boxes (MP4, QuickTime), EBML (Matroska, WebM) and RIFF (AVI).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// What the outermost boxes of a file say about its length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Boxes {
    Complete,
    /// So many bytes, some of them of the part that describes all others.
    MissingIndex(u64),
    Missing(u64),
    Unknown,
}

/// Bytes that the file says it has but does not.
pub(crate) fn missing_bytes(path: &Path) -> Option<u64> {
    match read(path) {
        Boxes::Missing(bytes) | Boxes::MissingIndex(bytes) => Some(bytes),
        Boxes::Complete | Boxes::Unknown => None,
    }
}

/// As [`missing_bytes`], where the index itself is cut: libav would show a part of the streams.
pub(crate) fn missing_index_bytes(path: &Path) -> Option<u64> {
    match read(path) {
        Boxes::MissingIndex(bytes) => Some(bytes),
        _ => None,
    }
}

/// Reads the boxes that `path` begins with.
pub(crate) fn read(path: &Path) -> Boxes {
    let boxes = || -> std::io::Result<Boxes> {
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
    // A file too short to hold a box declares nothing; errors of reading show up in libav.
    boxes().unwrap_or(Boxes::Unknown)
}

/// Boxes at the outermost level of MP4 and QuickTime files. Anything else behind them was appended
/// by another program and declares nothing.
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
        read(&path)
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
    fn other_files_declare_nothing() {
        assert_eq!(boxes(b""), Boxes::Unknown);
        assert_eq!(boxes(b"just some text, longer than a box"), Boxes::Unknown);
    }
}
