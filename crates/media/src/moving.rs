//! Which pictures move: animated PNG, AVIF and HEIC, which libav reads as videos, and animated WebP,
//! which it does not.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// A kind of picture that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Png,
    WebP,
    /// Of AVIF or HEIC (ISO 23008-12, section 7).
    Sequence,
}

/// Whether a picture file holds an animation: such a file is read as a video.
pub fn is_animation(path: &Path) -> bool {
    kind(path).is_some()
}

/// Tells how a file is animated; `None` for anything else, and for what cannot be read.
pub(crate) fn kind(path: &Path) -> Option<Kind> {
    let mut file = File::open(path).ok()?;
    let mut head = [0; 21];
    file.read_exact(&mut head).ok()?;
    match head {
        [0x89, b'P', b'N', b'G', ..] => has_frames(&mut file).then_some(Kind::Png),
        // RFC 9649, section 2.7: the second bit of the extended head's flags.
        _ if &head[..4] == b"RIFF" && &head[8..16] == b"WEBPVP8X" => {
            (head[20] & 0b10 != 0).then_some(Kind::WebP)
        }
        _ if &head[4..8] == b"ftyp" => {
            let brands: [&[u8]; 4] = [b"avis", b"msf1", b"hevc", b"hevx"];
            brands.contains(&&head[8..12]).then_some(Kind::Sequence)
        }
        _ => None,
    }
}

/// Whether a PNG has the chunk that announces frames, which comes before all pixels.
fn has_frames(file: &mut File) -> bool {
    /// No program writes more of them before the pixels.
    const MOST: usize = 1000;
    const SIGNATURE: u64 = 8;
    let mut at = SIGNATURE;
    for _ in 0..MOST {
        let mut head = [0; 8];
        let read = file
            .seek(SeekFrom::Start(at))
            .and_then(|_| file.read_exact(&mut head));
        let [a, b, c, d, kind @ ..] = head;
        match &kind {
            _ if read.is_err() => return false,
            b"acTL" => return true,
            b"IDAT" | b"IEND" => return false,
            _ => at += 12 + u64::from(u32::from_be_bytes([a, b, c, d])),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_of_phones_and_browsers_move() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for (brand, moves) in [
            ("avis", true),
            ("msf1", true),
            ("avif", false),
            ("isom", false),
        ] {
            let head = format!("\0\0\0\x1cftyp{brand}\0\0\0\0avismif1miaf");
            std::fs::write(&path, head).unwrap();
            assert_eq!(is_animation(&path), moves, "{brand}");
        }
    }
}
