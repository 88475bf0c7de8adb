//! Whether the bytes around a manifest of ours are as they were written.
//!
//! Hashes leave out the manifest with what wraps it, and the signature covers only what is inside:
//! lengths, checksums and numbers of the wrapping could be changed unseen. What they must be is
//! known for what we write, so it is written again and compared.

use std::io::{Read, Seek, SeekFrom};

use effigy_files::Hasher;

use crate::credentials::jumbf::{boxes, boxes_fill};

/// Marks a store with a manifest of ours; other makers may wrap theirs in other ways.
const OURS: &[u8] = super::MAKING.as_bytes();
/// A manifest in a video stands behind its first, short box.
const BEFORE_IN_VIDEO: u64 = 1 << 20;

/// Finds a change in what wraps `store`, and in the lengths of its boxes.
pub(super) fn changed(
    media_type: &str,
    file: &mut (impl Read + Seek),
    store: &[u8],
) -> std::io::Result<Option<&'static str>> {
    if !contains(store, OURS) {
        return Ok(None);
    }
    if !boxes_fill(store) {
        return Ok(Some("length.changed"));
    }
    let manifests = store[8..].strip_prefix(STORE_HEAD);
    if !manifests.is_some_and(heads_are_ours) {
        return Ok(Some("head.changed"));
    }
    let Some(wrapped) = wrapped(media_type, store) else {
        return Ok(None);
    };
    let most = if media_type.starts_with("video/") {
        wrapped.len() as u64 + BEFORE_IN_VIDEO
    } else {
        u64::MAX
    };
    let mut bytes = Vec::new();
    file.by_ref().take(most).read_to_end(&mut bytes)?;
    if !contains(&bytes, &wrapped) {
        return Ok(Some("wrapping.changed"));
    }
    let is_video = media_type.starts_with("video/");
    let is_same = !is_video || said_of_unhashed(store) == unhashed(file)?;
    Ok((!is_same).then_some("boxes.changed"))
}

/// How the description of a store of manifests begins.
const STORE_START: &[u8] = b"jumdc2pa\0\x11\0\x10";
/// How much is searched at once.
const SEARCHED_BYTES: u64 = 1 << 20;

/// Whether there is a store of manifests anywhere in a file, of which the container is damaged.
pub(super) fn holds_store(file: &mut impl Read) -> std::io::Result<bool> {
    let mut bytes = Vec::new();
    loop {
        let n_read = file.by_ref().take(SEARCHED_BYTES).read_to_end(&mut bytes)?;
        if contains(&bytes, STORE_START) {
            return Ok(true);
        }
        if n_read == 0 {
            return Ok(false);
        }
        // It may stand across two pieces.
        bytes.drain(..bytes.len().saturating_sub(STORE_START.len()));
    }
}

/// Boxes of a video that C2PA's hash leaves out (specification 2.2, appendix A.5).
const UNHASHED: [&[u8; 4]; 4] = [b"ftyp", b"free", b"skip", b"mfra"];
/// All of them together are far smaller in what we write.
const MOST_UNHASHED: u64 = 1 << 20;

/// SHA-256 of the boxes of a video that C2PA's hash leaves out, to be stated in the manifest.
pub(super) fn unhashed(file: &mut (impl Read + Seek)) -> std::io::Result<Option<String>> {
    let end = file.seek(SeekFrom::End(0))?;
    let (mut at, mut left, mut hash) = (0, MOST_UNHASHED, Hasher::default());
    while at + 8 <= end {
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 16];
        let n_head = if at + 16 <= end { 16 } else { 8 };
        file.read_exact(&mut head[..n_head])?;
        let [a, b, c, d, ..] = head;
        let length = match u32::from_be_bytes([a, b, c, d]) {
            0 => end - at,
            1 => head[8..]
                .iter()
                .fold(0, |n, &byte| n << 8 | u64::from(byte)),
            length => u64::from(length),
        };
        if length < 8 || end - at < length {
            return Ok(None);
        }
        if UNHASHED.iter().any(|kind| head[4..8] == **kind) {
            if left < length {
                return Ok(None);
            }
            left -= length;
            file.seek(SeekFrom::Start(at))?;
            std::io::copy(&mut file.by_ref().take(length), &mut hash)?;
        }
        at += length;
    }
    Ok(Some(hash.finish()))
}

/// What the active manifest, the last in the store, says of them.
fn said_of_unhashed(store: &[u8]) -> Option<String> {
    const FIELD: &[u8] = b"\"unhashed\":\"";
    let last = (0..store.len())
        .rev()
        .find(|&at| store[at..].starts_with(FIELD))?;
    let digits = store.get(last + FIELD.len()..last + FIELD.len() + 64)?;
    String::from_utf8(digits.to_vec()).ok()
}

/// What says that the outermost box is a store of manifests (C2PA specification 2.2, section 11.1):
/// a description of its type, and the label `c2pa`.
const STORE_HEAD: &[u8] = b"\0\0\0\x1ejumdc2pa\0\x11\0\x10\x80\0\0\xaa\08\x9bq\x03c2pa\0";

/// Whether the descriptions in our own manifests say what we write. Boxes fill one another already.
fn heads_are_ours(manifests: &[u8]) -> bool {
    boxes(manifests).all(|one| !contains(one, OURS) || says_what_we_write(one))
}

/// Whether the bits in the box that say how to read the rest of it are those we write: hashes are
/// of the boxes as they were understood, so that some of these bits change nothing.
fn says_what_we_write(one: &[u8]) -> bool {
    match &one[4..8] {
        b"jumb" => boxes(&one[8..]).all(says_what_we_write),
        b"jumd" => has_usual_toggles(&one[8..]),
        // Neither the name of a file nor a file elsewhere (ISO 19566-5, embedded file).
        b"bfdb" => one.get(8) == Some(&0),
        _ => true,
    }
}

/// A description (ISO 19566-5, appendix A.3) may be asked for, has a label, and may have a private
/// box, which salts the hash.
fn has_usual_toggles(description: &[u8]) -> bool {
    const ASKED_FOR_AND_LABEL: u8 = 0b0011;
    const PRIVATE: u8 = 0b1_0000;
    let Some((&toggles, rest)) = description.get(16..).and_then(<[u8]>::split_first) else {
        return false;
    };
    let end_of_label = rest.iter().position(|&byte| byte == 0);
    let has_private = end_of_label.is_some_and(|end| end + 1 < rest.len());
    let private = if has_private { PRIVATE } else { 0 };
    toggles == ASKED_FOR_AND_LABEL | private
}

/// The store as each format wraps it.
fn wrapped(media_type: &str, store: &[u8]) -> Option<Vec<u8>> {
    match media_type {
        "image/jpeg" => Some(in_jpeg(store)),
        "image/png" => Some(in_png(store)),
        "image/webp" => Some(in_webp(store)),
        _ if media_type.starts_with("video/") => Some(in_mp4(store)),
        _ => None,
    }
}

/// Segments APP11 with the number of the box, their own number, and the head of the box in each.
fn in_jpeg(store: &[u8]) -> Vec<u8> {
    const MOST: usize = 64_000;
    let mut out = Vec::new();
    for (number, chunk) in (1_u32..).zip(store.chunks(MOST)) {
        let head = if number == 1 { &[][..] } else { &store[..8] };
        let length = (2 + 8 + head.len() + chunk.len()) as u16;
        out.extend([0xff, 0xeb]);
        out.extend(length.to_be_bytes());
        out.extend(*b"JP\x02\x11");
        out.extend(number.to_be_bytes());
        out.extend(head);
        out.extend(chunk);
    }
    out
}

fn in_png(store: &[u8]) -> Vec<u8> {
    let chunk = [b"caBX", store].concat();
    let length = (store.len() as u32).to_be_bytes();
    let check = crc32fast::hash(&chunk).to_be_bytes();
    [&length[..], &chunk, &check].concat()
}

fn in_webp(store: &[u8]) -> Vec<u8> {
    let length = (store.len() as u32).to_le_bytes();
    let padding = &[0][..store.len() % 2];
    [b"C2PA", &length[..], store, padding].concat()
}

/// C2PA specification 2.2, appendix A.5.
const IN_MP4: [u8; 16] = [
    0xd8, 0xfe, 0xc3, 0xd6, 0x1b, 0x0e, 0x48, 0x3c, 0x92, 0x97, 0x58, 0x28, 0x87, 0x7e, 0xc4, 0x81,
];

fn in_mp4(store: &[u8]) -> Vec<u8> {
    // Version and flags, the purpose, and no table of hashes.
    let head = [&[0; 4][..], b"manifest\0", &[0; 8]].concat();
    let length = 8 + IN_MP4.len() + head.len() + store.len();
    let length = (length as u32).to_be_bytes();
    [&length[..], b"uuid", &IN_MP4, &head, store].concat()
}

pub(super) fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    let first = wanted[0];
    let starts = bytes.iter().enumerate().filter(|&(_, &b)| b == first);
    starts
        .map(|(at, _)| at)
        .any(|at| bytes[at..].starts_with(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = (8 + content.len() as u32).to_be_bytes();
        [&length[..], kind, content].concat()
    }

    #[test]
    fn bits_outside_all_hashes_are_known() {
        for (salt, toggles) in [(&b""[..], 0x03), (b"salt", 0x13)] {
            let described = [&[0; 16][..], &[toggles], b"label\0", salt].concat();
            let file = boxed(b"bfdb", b"\0image/jpeg\0");
            let whole = boxed(b"jumb", &[boxed(b"jumd", &described), file].concat());
            assert!(says_what_we_write(&whole));
            let in_file = whole.len() - 12;
            for (at, bit) in [8 + 8 + 16, in_file]
                .into_iter()
                .flat_map(|at| (0..8).map(move |bit| (at, bit)))
            {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                assert!(!says_what_we_write(&changed), "byte {at}, bit {bit}");
            }
        }
    }
}
