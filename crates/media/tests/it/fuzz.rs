//! Mutated files: reading them may fail in any way but a panic, a crash or a hang.
//!
//! `EFFIGY_SEED` asks for other mutations, `EFFIGY_FUZZ_ROUNDS` for more of them, and
//! `EFFIGY_FUZZ_SEEDS` names a folder of further small files to start from.

use std::path::Path;

use effigy_media::{Codec, Limits, VideoReader, available_codecs, probe, read_audio, read_picture};

use crate::clips::{Folder, quick, scene, write_clip, write_tone};
use crate::proof;
use crate::stills;

/// A small generator with a good spread (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 16) as usize % n.max(1)
    }
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        // Headers are where it hurts: half of the mutations go there.
        let reach = if random.below(2) == 0 {
            bytes.len().min(1024)
        } else {
            bytes.len()
        };
        let at = random.below(reach);
        let extreme = [0_u32, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xea60_ea60];
        match random.below(5) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes.truncate(at.max(1)),
            3 => {
                let value = extreme[random.below(extreme.len())].to_be_bytes();
                for (to, from) in bytes[at..].iter_mut().zip(value) {
                    *to = from;
                }
            }
            _ => {
                let end = (at + random.below(64)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
}

fn small() -> Limits {
    Limits {
        max_pixels: 1 << 20,
        max_duration_secs: 600.0,
        max_memory_bytes: 64 << 20,
        ..Limits::default()
    }
}

fn try_everything(path: &Path) {
    let limits = small();
    // Only the absence of panics counts here; what the results are is no matter.
    drop(probe(path, &limits));
    drop(read_picture(path, &limits));
    drop(read_audio(path, 16_000, &limits));
    if let Ok(mut reader) = VideoReader::open(path, &limits) {
        drop(reader.by_ref().take(6).last());
        drop(reader.seek(0.1));
        drop(reader.take(3).last());
    }
}

fn seeds(folder: &Folder) -> Vec<String> {
    let mut names = Vec::new();
    for (name, codec) in [
        ("a.mp4", Codec::H264),
        ("b.mkv", Codec::H264),
        ("c.mp4", Codec::H265),
        ("d.webm", Codec::Vp9),
    ] {
        if available_codecs().contains(&codec) {
            let settings = effigy_media::WriteSettings {
                codec,
                ..quick(48, 32)
            };
            write_clip(&folder.path(name), &settings, 8);
            names.push(name.to_owned());
        }
    }
    for name in ["e.png", "f.jpg", "g.webp"] {
        effigy_media::write_picture(&folder.path(name), &scene(40, 30, 1)).unwrap();
        names.push(name.to_owned());
    }
    for (name, bytes) in stills::samples(folder) {
        std::fs::write(folder.path(name), bytes).unwrap();
        names.push(name.to_owned());
    }
    write_tone(&folder.path("h.wav"), 8000, 1, 0.1);
    names.push("h.wav".to_owned());
    if let Some(more) = std::env::var_os("EFFIGY_FUZZ_SEEDS") {
        for entry in std::fs::read_dir(more).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            std::fs::copy(entry.path(), folder.path(&name)).unwrap();
            names.push(name);
        }
    }
    names
}

#[test]
fn mutated_files_never_panic() {
    let rounds =
        std::env::var("EFFIGY_FUZZ_ROUNDS").map_or(proof::amount(20, 400), |n| n.parse().unwrap());
    let folder = Folder::new();
    for (kind, name) in seeds(&folder).iter().enumerate() {
        let good = std::fs::read(folder.path(name)).unwrap();
        try_everything(&folder.path(name));
        for round in 0..rounds {
            let mut random = Random((kind as u64 + 1) << 32 | (proof::seed() + round + 1) as u64);
            let mut bytes = good.clone();
            mutate(&mut bytes, &mut random);
            let path = folder.path(&format!("mutated-{name}"));
            std::fs::write(&path, bytes).unwrap();
            try_everything(&path);
        }
    }
}
